import assert from "node:assert/strict";
import { test } from "node:test";
import {
  doubts,
  saved,
  seen,
  shownExactly,
  shownInShort,
  shownInWords,
  shownPart,
  sign,
  worth,
} from "../../daemon/pattern_sync/web/static/evidence.js";
import { entry, evidence } from "./support.js";

/** @param {string[]} names */
function flagged(...names) {
  return evidence({ flags: names.map((name) => ({ name, rule: "A rule." })) });
}

test("a row names the first doubt and counts the others", () => {
  assert.equal(sign(evidence()), "");
  assert.equal(sign(flagged("counted-twice")), "counted twice");
  assert.equal(sign(flagged("counted-twice", "short-span", "no-steps")), "counted twice +2");
});

test("a detector that records nothing is not doubted", () => {
  assert.equal(sign(flagged("nothing-recorded")), "");
  assert.deepEqual(doubts(flagged("no-steps", "nothing-recorded")), ["no steps"]);
});

test("a flag of a newer daemon is shown by its name", () => {
  assert.deepEqual(doubts(flagged("brand-new")), ["brand-new"]);
});

test("what was seen is told with its span and pace", () => {
  const first = "2025-11-20T00:00:00Z";
  const last = "2025-11-20T18:24:00Z";
  const seed = { workflows: 24, first_seen: first, last_seen: last, days_seen: 0.766, occurrences_a_day: 31.3 };
  assert.match(
    seen(evidence(seed)),
    /^24 distinct workflows, 31 a day, from 20 Nov 2025, .+ to 20 Nov 2025, .+ \(18 hours\)$/u,
  );
  assert.match(seen(evidence({ days_seen: 30, occurrences_a_day: 0.5 })), /, less than one a day, .+ \(30 days\)$/u);
  const once = { workflows: 1, first_seen: first, last_seen: first, days_seen: 0, occurrences_a_day: null };
  assert.match(seen(evidence(once)), /^1 distinct workflow, at 20 Nov 2025, /u);
  assert.equal(seen(evidence({ first_seen: null, last_seen: null })), "15 distinct workflows");
});

test("what cannot be extrapolated is said in words", () => {
  assert.equal(saved(evidence({ savings_by_evidence: 2208.74 })), "2,208.74 USD a month, extrapolated");
  assert.equal(saved(evidence({ savings_by_evidence: null })), "seen for too short a time to say");
  assert.equal(saved(evidence({ savings_by_evidence: null, savings_observed: null })), "not known");
});

test("the worth of the queue is told once something of it is shown", () => {
  const counts = { pending: 2, approved: 0, rejected: 0, auto_approved: 0, auto_rejected: 0, total: 2 };
  assert.equal(worth({ ...counts, claimed_usd: 183_900, shown_usd: null }), "");
  assert.equal(
    worth({ ...counts, claimed_usd: 183_900, shown_usd: 2300 }),
    "Of what is pending, 183,900.00 USD a month is claimed, and 2,300.00 USD shown by evidence.",
  );
});

test("what evidence shows stands beside the claim, as a part of it", () => {
  const seed = evidence({ savings_by_evidence: 2208.74 });
  assert.equal(shownInShort(seed), "2,209 shown");
  assert.equal(shownExactly(seed), "2,208.74 USD shown");
  assert.equal(shownInWords(seed), "2,208.74 USD a month shown by evidence");
  const unknown = evidence({ savings_by_evidence: null });
  assert.deepEqual([shownInShort(unknown), shownExactly(unknown), shownInWords(unknown)], ["", "", ""]);
  assert.equal(
    shownPart(entry("a", { estimated_savings_usd: 4000, evidence: evidence({ savings_by_evidence: 1000 }) })),
    0.25,
  );
  assert.equal(
    shownPart(entry("a", { estimated_savings_usd: 10, evidence: evidence({ savings_by_evidence: 1000 }) })),
    1,
  );
  assert.equal(shownPart(entry("a", { estimated_savings_usd: 0, evidence: seed })), 0);
  assert.equal(shownPart(entry("a", { estimated_savings_usd: 10, evidence: unknown })), 0);
});
