/**
 * @import { EntryGroup } from "wire"
 * @import { Whose } from "../../daemon/pattern_sync/web/static/groups.js"
 *
 * @typedef {{ groups: EntryGroup[], total: number | null } | ApiError} Answer
 */

import assert from "node:assert/strict";
import test from "node:test";
import { ApiError } from "../../daemon/pattern_sync/web/static/api-error.js";
import {
  before,
  confidenceRange,
  doubtsOf,
  groupName,
  savingsRange,
  spoken,
} from "../../daemon/pattern_sync/web/static/group-texts.js";
import { Groups } from "../../daemon/pattern_sync/web/static/groups.js";
import { Clock, settle } from "./support.js";

/**
 * @param {string} key
 * @param {Partial<EntryGroup>} [fields]
 * @returns {EntryGroup}
 */
function group(key, fields = {}) {
  return {
    key,
    count: 2,
    savings_usd: 3000,
    evidence_usd: null,
    savings_min: 1000,
    savings_max: 2000,
    confidence_min: 0.7,
    confidence_max: 0.95,
    flags: {},
    approved_before: 0,
    decided_before: 0,
    ...fields,
  };
}

/** @type {Whose} */
const KINDS = { by: "kind", status: "pending", q: "", snoozed: "hide" };

/** @param {import("node:test").TestContext} context */
function asking(context) {
  const clock = new Clock(context);
  /** @type {{ asked: object, signal: AbortSignal }[]} */
  const sent = [];
  /** @type {Answer} */
  let answer = { groups: [group("a")], total: 1 };
  const changed = context.mock.fn();
  const groups = new Groups({
    api: {
      groups: (asked, signal) => {
        sent.push({ asked, signal });
        return answer instanceof ApiError ? Promise.reject(answer) : Promise.resolve(answer);
      },
    },
    changed,
  });
  return {
    clock,
    groups,
    sent,
    changed,
    /** @param {Answer} next */
    answers(next) {
      answer = next;
    },
  };
}

test("groups are asked for once, and once more when something has changed, not all the time", async (context) => {
  const { clock, groups, sent, changed } = asking(context);
  groups.refresh();
  groups.show(KINDS);
  groups.show({ ...KINDS });
  await clock.advance(0);
  await settle();
  assert.deepEqual(sent[0]?.asked, { by: "kind", status: "pending", snoozed: "hide", limit: 500 });
  assert.deepEqual([groups.complete, groups.rows.length, groups.total], [true, 1, 1]);
  for (let times = 0; times < 100; times += 1) groups.refresh();
  await clock.advance(1);
  assert.equal(sent.length, 1);
  await clock.advance(1);
  assert.equal(sent.length, 2);
  assert.equal(changed.mock.callCount(), 2);
  groups.show(null);
  groups.refresh();
  await clock.advance(10);
  assert.equal(sent.length, 2);
});

test("the groups of what is typed wait a moment, and those shown stay meanwhile", async (context) => {
  const { clock, groups, sent } = asking(context);
  groups.show(KINDS);
  await clock.advance(0);
  for (const q of ["l", "li", "lint"]) groups.show({ ...KINDS, q });
  assert.deepEqual([groups.complete, groups.rows.length], [false, 1]);
  await clock.advance(1);
  assert.deepEqual(
    sent.map(({ asked }) => "q" in asked && asked.q),
    [false, "lint"],
  );
  groups.show({ ...KINDS, by: "shape" });
  assert.equal(groups.rows.length, 0, "these are other groups");
});

test("a daemon that is away is asked again, and a refusal is told and left", async (context) => {
  const { clock, groups, sent, answers } = asking(context);
  answers(new ApiError(503, "The database is away."));
  groups.show(KINDS);
  await clock.advance(0);
  assert.equal(groups.fault?.message, "The database is away.");
  answers({ groups: [], total: null });
  await clock.advance(2);
  assert.deepEqual([groups.fault, groups.complete, groups.total, sent.length], [null, true, 0, 2]);
  answers(new ApiError(422, "type: has no value."));
  groups.show({ ...KINDS, q: "type:" });
  await clock.advance(60);
  assert.equal(sent.length, 3);
  groups.retry();
  await clock.advance(0);
  assert.equal(sent.length, 4);
});

test("what a group consists of is told in words", () => {
  const one = group("sdlc:full", {
    evidence_usd: 12.5,
    flags: { "counted-twice": 1, "no-steps": 2, "nothing-recorded": 2, "short-span": 1, "gone-quiet": 1 },
    approved_before: 1,
    decided_before: 12,
  });
  assert.equal(savingsRange(one), "1,000.00 to 2,000.00 USD");
  assert.equal(savingsRange({ ...one, savings_max: 1000 }), "1,000.00 USD");
  assert.equal(confidenceRange(one), "70 to 95 %");
  assert.equal(confidenceRange({ ...one, confidence_min: 0.95 }), "95 %");
  assert.equal(before(one), "approved 1 of 12 before");
  assert.equal(before(group("a")), "");
  assert.equal(doubtsOf(one), "2 no steps, 1 counted twice, 1 gone quiet +1");
  assert.equal(
    spoken("kind", one),
    "Kind sdlc:full, 2 patterns, 3,000.00 USD a month, 12.50 USD shown, each 1,000.00 to 2,000.00 USD," +
      " confidence 70 to 95 %, approved 1 of 12 before, 2 no steps, 1 counted twice, 1 gone quiet +1",
  );
});

test("a group without a name has one for people", () => {
  assert.equal(groupName("kind", "sdlc:full"), "sdlc:full");
  assert.equal(groupName("kind", "-"), "names that are digests");
  assert.equal(groupName("shape", "-"), "-");
  assert.equal(groupName("target", ""), "no target");
  assert.equal(groupName("flag", "counted-twice"), "counted twice");
});
