/** @import { UndoneBatch } from "wire" */

import assert from "node:assert/strict";
import test from "node:test";
import { ApiError } from "../../daemon/pattern_sync/web/static/api-error.js";
import { RequestKey } from "../../daemon/pattern_sync/web/static/request-key.js";
import { Undo } from "../../daemon/pattern_sync/web/static/undo.js";
import { undoneText } from "../../daemon/pattern_sync/web/static/undo-texts.js";
import { Clock, settle } from "./support.js";

/**
 * @param {Record<string, UndoneBatch["outcomes"][number]["outcome"]>} outcomes
 * @returns {UndoneBatch}
 */
function undone(outcomes) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const outcome of Object.values(outcomes)) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return {
    batch_id: 7,
    undone: counts.undone ?? 0,
    counts,
    outcomes: Object.entries(outcomes).map(([patternId, outcome]) => ({
      pattern_id: patternId,
      outcome,
      detail: null,
    })),
  };
}

/** @param {() => UndoneBatch} answer */
function parts(answer) {
  /** @type {[number, string | null, string][]} */
  const sent = [];
  /** @type {string[]} */
  const toasts = [];
  /** @type {string[]} */
  const pending = [];
  const undo = new Undo({
    api: {
      undo: (batchId, reviewer, key) => {
        sent.push([batchId, reviewer, key]);
        return new Promise((resolve) => {
          resolve(answer());
        });
      },
    },
    memory: { reviewer: "ann" },
    identity: { known: { name: null, fixed: false, detail: null } },
    signs: { toast: (text) => toasts.push(text) },
    undone: (patternIds) => {
      pending.push(...patternIds);
    },
  });
  return { undo, sent, toasts, pending };
}

test("the last decision is taken back first, then the one before", async (context) => {
  const clock = new Clock(context);
  const { undo, sent, toasts, pending } = parts(() => undone({ a: "undone" }));
  undo.made(6, "“z”");
  undo.made(7, "“a”");
  undo.last();
  undo.last(); // while the first is under way
  await settle();
  undo.last();
  await settle();
  assert.deepEqual(
    sent.map(([batchId, reviewer]) => [batchId, reviewer]),
    [
      [7, "ann"],
      [6, "ann"],
    ],
  );
  assert.deepEqual(toasts, ["“a” is undone.", "“z” is undone."]);
  assert.deepEqual(pending, ["a", "a"]);
  undo.made(8, "“b”");
  await clock.advance(601);
  undo.last();
  assert.equal(sent.length, 2);
  assert.match(toasts.at(-1) ?? "", /within 10 minutes/u);
});

test("an undo whose answer was lost is sent again as the same request", async () => {
  let lost = true;
  const { undo, sent, toasts } = parts(() => {
    if (lost) throw new ApiError(0, "The daemon cannot be reached.");
    return undone({ a: "undone" });
  });
  undo.made(7, "“a”");
  undo.last();
  await settle();
  assert.match(toasts[0] ?? "", /not known whether it was undone/u);
  lost = false;
  undo.last();
  await settle();
  assert.equal(sent.length, 2);
  assert.equal(sent[0]?.[2], sent[1]?.[2]);
  assert.equal(toasts.at(-1), "“a” is undone.");
});

test("what is left over is told, and what was locked can be asked for again as another request", async () => {
  const { undo, sent, toasts } = parts(() => undone({ a: "undone", b: "touched", c: "busy" }));
  undo.made(7, "3 patterns");
  undo.last();
  await settle();
  undo.last();
  await settle();
  assert.equal(sent.length, 2);
  assert.notEqual(sent[0]?.[2], sent[1]?.[2]);
  assert.equal(toasts[0], "1 of 3 decisions undone; 1 decided again since, 1 locked by somebody: try again.");
});

test("of one decision it is said why it stays", () => {
  assert.equal(undoneText("“a”", undone({ a: "gone-on" })), "Not undone: “a” is taken further by somebody.");
  assert.equal(undoneText("37 patterns", undone({ a: "undone", b: "undone" })), "2 decisions undone.");
});

test("the same request has the same key, and another one another", () => {
  const requests = new RequestKey();
  const first = requests.of({ reason: "a" });
  assert.match(first, /^[\da-f]{32}$/u);
  assert.equal(requests.of({ reason: "a" }), first);
  assert.notEqual(requests.of({ reason: "b" }), first);
  assert.notEqual(new RequestKey().of({ reason: "a" }), first);
});
