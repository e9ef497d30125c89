/** @import { EntryMark, QueueEntry, RuleCounts, RuleEvent, RuleList, RuleShown, RuleTrial } from "wire" */

import assert from "node:assert/strict";
import test from "node:test";
import { ApiError } from "../../daemon/pattern_sync/web/static/api-error.js";
import { decider, reviewerText, ruleOf } from "../../daemon/pattern_sync/web/static/format.js";
import { markSign, markText } from "../../daemon/pattern_sync/web/static/mark-texts.js";
import {
  commandsOf,
  didText,
  eventText,
  guardsText,
  objectedText,
  pendingText,
  termsText,
  trialText,
  unlistedText,
  whyText,
} from "../../daemon/pattern_sync/web/static/rule-texts.js";
import { Rulebook } from "../../daemon/pattern_sync/web/static/rulebook.js";

// A Friday, here.
const NOW = new Date(2026, 10, 27, 9, 30);

/**
 * @param {Date | null} due
 * @param {EntryMark["status"]} [status]
 * @returns {EntryMark}
 */
function mark(due, status = "auto-approved") {
  return { rule: "cheap-tests", version: 3, status, due_at: due?.toISOString() ?? null };
}

/** @returns {RuleShown} */
function rule() {
  return {
    name: "cheap-tests",
    version: 3,
    state: "on",
    paused_because: null,
    reviewer: "rule:cheap-tests@3",
    terms: {
      verdict: "approve",
      max_savings: 500,
      only_kinds: [],
      exclude_kinds: [],
      needs_tools: [],
      without_tools: [],
      allow_flags: [],
      wait_hours: 24,
      per_day: 20,
      check_share: 0.1,
      agreement: 0.95,
    },
    bounds: "savings at most 500 USD a month",
    changed_by: "ann",
    changed_at: "2026-11-26T09:00:00Z",
  };
}

/**
 * @param {Partial<RuleTrial>} fields
 * @returns {RuleTrial}
 */
function trial(fields) {
  const { agreement, ...measured } = { decided: 131, fitting: 40, agreed: 38, largest_usd: 480, agreement: {} };
  return /** @type {RuleTrial} */ ({
    rule: rule(),
    measured: { ...measured, agreement },
    disagreements: [],
    pending: 58,
    fitting_pending: 12,
    fitting_savings_usd: 3210,
    ...fields,
  });
}

test("a mark says what happens, when, and that one may object", () => {
  const today = new Date(2026, 10, 27, 14, 0);
  const tomorrow = new Date(2026, 10, 28, 14, 0);
  assert.equal(markText(mark(today), NOW), "Approved by rule cheap-tests at 14:00 unless you object");
  assert.equal(
    markText(mark(tomorrow, "auto-rejected"), NOW),
    "Rejected by rule cheap-tests on 28 Nov 2026, 14:00 unless you object",
  );
  assert.equal(markText(mark(null), NOW), "Rule cheap-tests would approve this; it only watches");
});

test("a row's sign of a mark is short, and never a weekday that could be today's", () => {
  assert.equal(markSign(null, NOW), "");
  assert.equal(markSign(mark(null, "auto-rejected"), NOW), "rule would reject");
  assert.equal(markSign(mark(new Date(2026, 10, 27, 14, 0)), NOW), "rule approves 14:00");
  assert.equal(markSign(mark(new Date(2026, 10, 28, 14, 0)), NOW), "rule approves Sat 14:00");
  assert.equal(markSign(mark(new Date(2026, 11, 4, 9, 0)), NOW), "rule approves 4 Dec");
});

test("a rule's name is readable wherever a person's stands", () => {
  assert.deepEqual(ruleOf("rule:cheap-tests@3"), { name: "cheap-tests", version: 3 });
  for (const name of ["ann", "rule:", "rule:Cheap@1", "a rule:cheap@1", null]) assert.equal(ruleOf(name), null);
  assert.equal(reviewerText("rule:cheap-tests@3"), "rule cheap-tests, version 3");
  assert.equal(reviewerText("ann"), "ann");
  assert.equal(decider({ status: "auto-approved", reviewed_by: "rule:cheap-tests@3" }), "rule cheap-tests, version 3");
});

test("a rule is told by its verdict, its bounds, its guards and what it did", () => {
  assert.equal(termsText(rule()), "Approves: savings at most 500 USD a month.");
  assert.equal(
    guardsText(rule().terms),
    "24 hours to object, at most 20 a day, 10 % left to people, people have to agree in 95 %.",
  );
  /** @type {RuleCounts} */
  const none = {
    marked: 0,
    left_as_checks: 0,
    decided: 0,
    decided_today: 0,
    vetoed: 0,
    taken_back: 0,
    checks_judged: 0,
    checks_agreed: 0,
  };
  assert.equal(didText(none), "It has marked and decided nothing.");
  assert.equal(
    didText({ ...none, marked: 12, decided: 1040, decided_today: 5, vetoed: 2, checks_judged: 10, checks_agreed: 9 }),
    "12 marked now, 0 left to people as checks. 1,040 decided, 5 of them within 24 hours; 2 objected to, 0 taken back." +
      " Of 10 checks, people decided 9 likewise.",
  );
});

test("a trial says what people decided instead, and what it would decide now", () => {
  assert.equal(
    trialText(trial({})),
    "It would have approved 40 of 131 patterns that people decided, the largest worth 480.00 USD a month." +
      " People decided 38 of them likewise, 2 otherwise.",
  );
  assert.equal(
    pendingText(trial({})),
    "Of 58 pending entries it would decide 12, worth 3,210.00 USD a month; 10 % of them are left to people.",
  );
  assert.equal(pendingText(trial({ pending: 1, fitting_pending: 0 })), "Of 1 pending entry it would decide 0.");
  assert.equal(unlistedText(trial({})), "2 more, worth less, are not listed.");
  assert.equal(whyText({ reason: "REJECTED: it never passes" }), "it never passes");
  assert.equal(whyText({ reason: null }), "–");
});

test("what a person types to switch a rule fits what it does now", () => {
  const typed = (/** @type {RuleShown["state"]} */ state) =>
    commandsOf({ name: "cheap-tests", state }).map(({ command }) => command.split(" ")[2]);
  assert.deepEqual(typed("off"), ["watch"]);
  assert.deepEqual(typed("watching"), ["on", "off"]);
  assert.deepEqual(typed("on"), ["watch", "off", "revert"]);
  assert.deepEqual(typed("paused"), ["on", "off", "revert"]);
});

test("what happened to a rule is a sentence", () => {
  /** @type {RuleEvent} */
  const event = {
    act: "vetoed",
    version: 3,
    pattern_id: "test:pytest:a",
    reviewer: "ann",
    reason: "it is in use",
    human: null,
    at: "2026-11-26T09:00:00Z",
  };
  assert.equal(eventText(event), "ann objected to “test:pytest:a”: it is in use");
  assert.equal(eventText({ ...event, act: "reverted", reason: null }), "ann took “test:pytest:a” back");
  assert.equal(eventText({ ...event, act: "paused" }), "Paused: it is in use");
  assert.equal(eventText({ ...event, act: "on" }), "ann switched version 3 to on");
  assert.match(objectedText("“a”", "vetoed"), /waits for a person, and no rule ever decides it/u);
  assert.match(objectedText("“a”", "taken-back"), /is taken back, and no rule ever decides it again/u);
});

/** @param {RuleList | null} list null: they cannot be had */
function rulebook(list) {
  let asked = 0;
  let changed = 0;
  const rules = () => {
    asked += 1;
    return list ? Promise.resolve(list) : Promise.reject(new ApiError(0, "gone"));
  };
  const counter = () => {
    changed += 1;
  };
  return { book: new Rulebook({ api: { rules }, changed: counter }), counts: () => [asked, changed] };
}

/** @type {Pick<QueueEntry, "mark">} */
const MARKED = { mark: mark(null) };

test("rules are asked for once, and only when an entry is marked", async () => {
  const { book, counts } = rulebook({ forbidden: false, rules: [rule()] });
  assert.equal(book.markOf({ mark: null }), null);
  assert.deepEqual(counts(), [0, 0]);
  assert.equal(book.markOf(MARKED), null);
  await new Promise(setImmediate);
  assert.equal(book.markOf(MARKED), MARKED.mark);
  assert.equal(book.boundsOf(mark(null)), "savings at most 500 USD a month");
  assert.deepEqual(counts(), [1, 1]);
});

test("where rules are forbidden, an old mark is none", async () => {
  const { book } = rulebook({ forbidden: true, rules: [rule()] });
  book.markOf(MARKED);
  await new Promise(setImmediate);
  assert.equal(book.markOf(MARKED), null);
});

test("a mark is told also where the rules cannot be had, or another version is known", async () => {
  for (const list of [null, { forbidden: false, rules: [{ ...rule(), version: 2 }] }]) {
    const { book, counts } = rulebook(list);
    book.markOf(MARKED);
    await new Promise(setImmediate);
    assert.equal(book.markOf(MARKED), MARKED.mark);
    assert.equal(book.boundsOf(mark(null)), "");
    assert.equal(book.markOf(MARKED), MARKED.mark);
    assert.deepEqual(counts(), [1, 1]);
  }
});
