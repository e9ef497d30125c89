import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { entry } from "./support.js";

// Before the module is loaded: its formatters keep the time zone that they find.
// biome-ignore lint/style/noProcessEnv: there is no other way to choose it
process.env.TZ = "America/New_York";
const format = await import("../../daemon/pattern_sync/web/static/format.js");

const NO_FIGURES = [null, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

test("a count is grouped and whole", () => {
  assert.equal(format.count(0), "0");
  assert.equal(format.count(78_167), "78,167");
  assert.equal(format.count(1234.5), "1,235");
  assert.equal(format.count(-5), "-5");
});

test("money has two decimals", () => {
  assert.equal(format.money(183_844.06), "183,844.06 USD");
  assert.equal(format.money(0), "0.00 USD");
  assert.equal(format.money(0.005), "0.01 USD");
  assert.equal(format.money(-12.3), "-12.30 USD");
});

test("a percentage has at most one decimal", () => {
  assert.equal(format.percent(0.85), "85 %");
  assert.equal(format.percent(0.8567), "85.7 %");
  assert.equal(format.percent(0), "0 %");
  assert.equal(format.percent(1), "100 %");
  assert.equal(format.percent(0.9996), "99.96 %");
  assert.equal(format.percent(1 - Number.EPSILON), "99.99 %");
});

test("a huge figure is written out, never in powers of ten", () => {
  assert.equal(format.count(1e21), "1,000,000,000,000,000,000,000");
  assert.equal(format.count(Number.MAX_SAFE_INTEGER), "9,007,199,254,740,991");
  assert.equal(format.money(999_999_999_999.99), "999,999,999,999.99 USD");
  assert.equal(format.percent(1e6), "100,000,000 %");
});

test("what is not a figure is a dash", () => {
  for (const value of NO_FIGURES) {
    for (const write of [format.count, format.money, format.percent, format.share]) {
      assert.equal(write(value), "–", `${write.name}(${value})`);
    }
  }
});

test("a part of a whole is never rounded to nothing or to the whole", () => {
  assert.equal(format.share(0), "0 %");
  assert.equal(format.share(Number.MIN_VALUE), "<0.1 %");
  assert.equal(format.share(0.000_999), "<0.1 %");
  assert.equal(format.share(0.001), "0.1 %");
  assert.equal(format.share(0.999_49), "99.9 %");
  assert.equal(format.share(0.9995), ">99.9 %");
  assert.equal(format.share(1 - Number.EPSILON), ">99.9 %");
  assert.equal(format.share(1), "100 %");
});

test("what rounds to zero has no sign", () => {
  assert.equal(format.count(-0.2), "0");
  assert.equal(format.money(-0.001), "0.00 USD");
  assert.equal(format.percent(-0), "0 %");
  assert.equal(format.share(-0.0001), "0 %");
  assert.equal(format.share(-0.01), "-1 %");
});

test("one is singular, everything else plural", () => {
  assert.equal(format.plural(0, "pattern"), "0 patterns");
  assert.equal(format.plural(1, "pattern"), "1 pattern");
  assert.equal(format.plural(12_000, "pattern"), "12,000 patterns");
});

test("a time is the reader's, on 24 hours", () => {
  assert.equal(format.time("2026-11-23T06:43:27.123456Z"), "23 Nov 2026, 01:43");
  assert.equal(format.time("2026-07-01T00:05:00+00:00"), "30 Jun 2026, 20:05");
  assert.equal(format.time(null), "–");
  assert.equal(format.clockTime(new Date("2026-11-23T18:03:00Z")), "13:03");
});

test("invisible characters become visible, on one line", () => {
  assert.equal(format.visible("one\ntwo\tthree\r"), "one↵two⇥three[U+000D]");
  assert.equal(format.visible("bidi:\u202egnp.\u2066exe\u2069"), "bidi:[U+202E]gnp.[U+2066]exe[U+2069]");
  assert.equal(format.visible("zero\u200bwidth\ufeff"), "zero[U+200B]width[U+FEFF]");
  assert.equal(format.visible("\u0000\u001b[31m\u007f\u0085\u2028"), "[U+0000][U+001B][31m[U+007F][U+0085][U+2028]");
  assert.equal(format.visible("half of a pair: \ud83d"), "half of a pair: [U+D83D]");
  assert.equal(format.visible(null), "");
});

test("what scripts and emoji need stays as it is", () => {
  for (const text of ["👩‍👩‍👧🏳️‍🌈🎉", "می‌خواهم", "العربية:שלום", "<b>&amp;</b>"]) {
    assert.equal(format.visibleLines(text), text);
  }
});

test("text of several lines keeps its lines and tabs", () => {
  assert.equal(format.visibleLines("one\ntwo\r\n\tthree"), "one\ntwo\n\tthree");
  assert.equal(format.visibleLines("a lone\rreturn\u202e"), "a lone[U+000D]return[U+202E]");
  assert.equal(format.visibleLines(null), "");
});

test("a tool sequence is split at its arrows, or else at its commas", () => {
  assert.deepEqual(format.steps("Read→Edit→Write"), ["Read", "Edit", "Write"]);
  assert.deepEqual(format.steps("Read -> Edit => Write"), ["Read", "Edit", "Write"]);
  assert.deepEqual(format.steps("Read, Edit,,Write "), ["Read", "Edit", "Write"]);
  assert.deepEqual(format.steps("Read (a, b) → Edit"), ["Read (a, b)", "Edit"]);
  assert.deepEqual(format.steps("Unknown"), ["Unknown"]);
  assert.deepEqual(format.steps(""), []);
});

test("a pattern's type is what stands before the first colon", () => {
  assert.equal(format.patternType("sdlc:full:all"), "sdlc");
  assert.equal(format.patternType("0123456789abcdef"), "0123456789abcdef");
  assert.equal(format.patternType(":odd"), "");
});

test("a decision is a person's, a rule's or nobody's", () => {
  assert.equal(format.decider(entry("a", { status: "approved", reviewed_by: "ann" })), "ann");
  assert.equal(format.decider(entry("a", { status: "auto-approved", reviewed_by: "ann" })), "ann");
  assert.equal(format.decider(entry("a", { status: "auto-rejected" })), "a rule");
  assert.equal(format.decider(entry("a", { status: "approved", reviewed_by: "" })), null);
});

test("a reason is shown without the prefix that the application wants, other notes as they are", () => {
  const notes = (/** @type {string} */ status, /** @type {string | null} */ text) =>
    format.decisionNotes(entry("a", { status, approval_notes: text }));
  assert.equal(notes("rejected", "REJECTED: a one-off"), "a one-off");
  assert.equal(notes("rejected", "REJECTED:REJECTED: twice"), "REJECTED: twice");
  assert.equal(notes("rejected", "without a prefix"), "without a prefix");
  assert.equal(notes("rejected", null), "");
  assert.equal(notes("approved", "REJECTED: was my first thought"), "REJECTED: was my first thought");
  assert.equal(notes("approved", null), null);
});

test("a decision in words leaves out what is not known", () => {
  const decision = { status: "approved", reviewed_by: "ann\u202e", reviewed_at: "2026-11-23T06:43:27Z" };
  assert.equal(format.decided(entry("a", decision)), "Approved by ann[U+202E] on 23 Nov 2026, 01:43");
  assert.equal(format.decided(entry("a", { status: "auto-rejected" })), "Auto-rejected by a rule");
  assert.equal(format.decided(entry("a", { status: "approved" })), "Approved");
});
