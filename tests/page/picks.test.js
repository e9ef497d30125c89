/** @import { DecidedMany } from "wire" */

import assert from "node:assert/strict";
import test from "node:test";
import {
  largest,
  outcomeText,
  previewText,
  togetherText,
  usualBound,
} from "../../daemon/pattern_sync/web/static/bulk-texts.js";
import { MOST_PICKED, Picks } from "../../daemon/pattern_sync/web/static/picks.js";
import { secondsSince } from "../../daemon/pattern_sync/web/static/watching.js";
import { Clock, entry, ids } from "./support.js";

const shown = ["a", "b", "c", "d", "e"].map((name) => entry(name));

/** @param {string} name */
function at(name) {
  return shown.find(({ pattern_id: patternId }) => patternId === name) ?? entry(name);
}

test("entries are picked one by one, and by ranges from the last one", () => {
  let changes = 0;
  const picks = new Picks({
    changed: () => {
      changes += 1;
    },
  });
  picks.toggle(at("b"));
  picks.range(at("d"), shown);
  assert.deepEqual(ids(picks.entries), ["b", "c", "d"]);
  picks.toggle(at("c"));
  assert.deepEqual(ids(picks.entries), ["b", "d"]);
  picks.range(at("a"), shown);
  assert.deepEqual(ids(picks.entries).toSorted(), ["a", "b", "c", "d"]);
  picks.clear();
  assert.equal(picks.size, 0);
  picks.range(at("e"), shown);
  assert.deepEqual(ids(picks.entries), ["e"]);
  assert.equal(changes, 6);
});

test("the time that something was looked at is told in seconds, and at most as the daemon records it", async (context) => {
  const clock = new Clock(context);
  await clock.advance(1.5);
  assert.equal(secondsSince(0), 1.5);
  await clock.advance(8 * 86_400);
  assert.equal(secondsSince(0), 7 * 86_400);
});

test("no more are picked than one request decides", () => {
  const picks = new Picks({ changed: () => undefined });
  const many = Array.from({ length: MOST_PICKED + 500 }, (_, number) => entry(`p:${number}`));
  picks.all(many);
  assert.equal(picks.size, MOST_PICKED);
  assert.ok(picks.has("p:999"));
  picks.toggle(entry("one more"));
  assert.equal(picks.size, MOST_PICKED);
});

test("what somebody decides meanwhile is not picked any more, and new figures are kept", () => {
  const picks = new Picks({ changed: () => undefined });
  picks.all(shown);
  picks.changed("a", entry("a", { status: "approved" }));
  picks.changed("b", null);
  picks.changed("c", entry("c", { occurrence_count: 77 }));
  picks.changed("unpicked", entry("unpicked"));
  assert.deepEqual(ids(picks.entries), ["c", "d", "e"]);
  assert.equal(picks.entries[0]?.occurrence_count, 77);
});

/**
 * @param {...Partial<DecidedMany["outcomes"][number]>} outcomes
 * @returns {DecidedMany}
 */
function made(...outcomes) {
  return {
    batch_id: 7,
    decided: 0,
    counts: {},
    savings_usd: 0,
    largest: [],
    outcomes: outcomes.map((each, number) => ({
      pattern_id: `p:${number}`,
      outcome: "decided",
      status: "rejected",
      reviewed_by: "ann",
      reviewed_at: null,
      detail: null,
      ...each,
    })),
  };
}

test("the outcomes are told by their kinds, the most frequent first", () => {
  const answer = made(
    { outcome: "taken", status: "approved", reviewed_by: "bob" },
    {},
    {},
    { outcome: "busy" },
    {},
    { outcome: "busy" },
    { outcome: "unknown", status: null },
    { outcome: "refused", detail: "The database refused it." },
  );
  assert.equal(
    outcomeText(answer, "reject"),
    "8 asked: 3 rejected, 2 locked by somebody (try again), 1 approved by bob, 1 not in the queue any more," +
      " 1 refused: The database refused it.",
  );
  assert.equal(previewText(made({}, {}), "approve"), "As things are now: 2 would be approved.");
});

test("what is unusual for this person is counted, once there are ten decisions", () => {
  const log = Array.from({ length: 10 }, (_, number) => ({
    pattern_id: `p:${number}`,
    decision: "rejected",
    reviewer: "ann",
    decided_at: "2026-11-26T09:00:00Z",
    replaced: "pending",
    reason: null,
    batch_id: number,
    undone_at: null,
    savings_usd: 100 * (number + 1),
  }));
  assert.equal(usualBound(log, "reject"), 900);
  assert.equal(usualBound(log, "approve"), null);
  assert.equal(usualBound(log.slice(1), "reject"), null);
  const entries = [400, 5000, 901].map((usd, number) => entry(`e:${number}`, { estimated_savings_usd: usd }));
  assert.equal(togetherText(entries, "reject", null), "6,301.00 USD a month together.");
  assert.match(
    togetherText(entries, "reject", 900),
    /; 2 of them are above your usual bound: 9 of 10 of your rejections/u,
  );
  assert.deepEqual(ids(largest(entries)), ["e:1", "e:2", "e:0"]);
});
