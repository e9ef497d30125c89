import assert from "node:assert/strict";
import test from "node:test";
import {
  lookAlike,
  shownName,
  shownText,
  skeleton,
  strangeLetters,
} from "../../daemon/pattern_sync/web/static/characters.js";

test("what cannot be seen in a name is shown for what it is", () => {
  for (const [name, shown] of pairs([
    ["sdlc:full:all", "sdlc:full:all"],
    ["a\u200db", "a[U+200D]b"],
    ["a\u200cb", "a[U+200C]b"],
    ["a\ufe0fb", "a[U+FE0F]b"],
    ["a\u{e0100}b", "a[U+E0100]b"],
    ["a\u{e0061}\u{e007f}", "a[U+E0061][U+E007F]"],
    ["a\u202eb", "a[U+202E]b"],
    ["a\u034fb", "a[U+034F]b"],
    ["a\u3164b\u115f", "a[U+3164]b[U+115F]"],
    ["a\u{10ffff}\ue000", "a[U+10FFFF][U+E000]"],
    ["\ud800", "[U+D800]"],
    ["a\u00a0b\u3000c\u2003", "a[U+00A0]b[U+3000]c[U+2003]"],
    [" a  b ", "␣a ␣b␣"],
    ["   ", "␣␣␣"],
    ["a\nb\tc\0", "a↵b⇥c[U+0000]"],
    ["é 日本 Größe", "é 日本 Größe"],
    ["e\u0301\u0302\u0303\u0304", "e\u0301\u0302[U+0303][U+0304]"],
    ["👩‍💻", "👩[U+200D]💻"],
  ])) {
    assert.equal(shownName(name), shown, JSON.stringify(name));
  }
});

test("running text keeps its lines, and what its scripts and emoji need", () => {
  for (const [text, shown] of pairs([
    ["two\r\nlines\tand a tab", "two\nlines\tand a tab"],
    ["👩‍💻 and ❤️ and 1️⃣", "👩‍💻 and ❤️ and 1️⃣"],
    ["می‌خواهم क्‍ष", "می‌خواهم क्‍ष"],
    ["pass\u200dword", "pass[U+200D]word"],
    ["a\ufe0f", "a[U+FE0F]"],
    ["hidden\u{e0068}\u{e0069}", "hidden[U+E0068][U+E0069]"],
    ["two  blanks", "two  blanks"],
  ])) {
    assert.equal(shownText(text), shown, JSON.stringify(text));
  }
});

test("letters of another script are named where they stand among Latin ones", () => {
  assert.deepEqual(strangeLetters("t\u0435st:pytest"), ["\u0435 (U+0435)"]);
  assert.deepEqual(strangeLetters("sd\u03bfc:f\u03bfll"), ["\u03bf (U+03BF)"]);
  assert.deepEqual(strangeLetters("тест:pytest:日本"), []);
  assert.deepEqual(strangeLetters("Größe:naïve:e\u0301"), []);
});

test("names look alike whatever cannot be seen of their difference", () => {
  for (const [one, other] of pairs([
    ["test:pytest", "Test:pytest"],
    ["test:pytest", "test:pytest "],
    ["test:pytest", "te\u200bst:pytest"],
    ["test:pytest", "test:pytest\u{e0061}"],
    ["test:pytest", "ｔｅｓｔ:pytest"],
    ["test:pytest", "t\u0435st:pytest"],
    ["a b", "a\u00a0b"],
  ])) {
    assert.ok(lookAlike(skeleton(one), skeleton(other)), JSON.stringify([one, other]));
  }
});

test("names that differ in a Latin letter, or in letters of one script, do not look alike", () => {
  for (const [one, other] of pairs([
    ["test:a", "test:b"],
    ["тест", "тост"],
    ["test:1", "test:2"],
    ["test", "tests"],
  ])) {
    assert.ok(!lookAlike(skeleton(one), skeleton(other)), JSON.stringify([one, other]));
  }
});

/** @param {[string, string][]} named */
function pairs(named) {
  return named;
}
