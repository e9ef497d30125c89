/*
 * What a person cannot see in a text, shown for what it is. By Unicode's properties: a list of characters would be
 * incomplete with the next version of Unicode.
 */

// Nothing to be seen: controls, formats (joiners, directions, tags that can carry a hidden text), what fonts ignore
// (variation selectors, fillers), line and paragraph separators, halves of pairs, and what Unicode has not assigned.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
// Looks like a blank, or like none. U+0020 itself is one, where a person would look for it.
const OTHER_BLANK = /(?! )\p{Zs}/u;
// More than two marks on one letter are written over the lines around them.
const PILE = /(?<=\p{M}{2})\p{M}/u;
const EVERY_ODDITY = new RegExp([UNSEEN, OTHER_BLANK, PILE].map(({ source }) => source).join("|"), "gu");
// Blanks at the ends, and all but the first between words.
const LOST_BLANKS = /^ +| +$|(?<= ) +/gu;

// In running text, scripts and emoji need the joiners: between two pictures, or between letters of a script that joins.
const JOINED_PICTURE = /(?<=\p{Extended_Pictographic}\p{Emoji_Modifier}?\uFE0F?)\u200D(?=\p{Extended_Pictographic})/gu;
const PICTURE_STYLE = /(?<=\p{Extended_Pictographic}|[0-9#*])[\uFE0E\uFE0F]/gu;
const JOINED_LETTERS =
  /(?<=[\p{L}\p{M}])(?<![\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])[\u200C\u200D](?=\p{L})/gu;

// Most names: nothing in them is to be looked for.
const PLAIN = /^[!-~]*$/u;
const WORD = /[\p{L}\p{M}]+/gu;
const LATIN = /\p{Script=Latin}/u;
const OF_ANOTHER_SCRIPT = /(?!\p{Script_Extensions=Latin})\p{L}/gu;

/**
 * A name on one line, in which everything can be seen.
 * @param {string} text
 */
export function shownName(text) {
  return text.replace(LOST_BLANKS, (blanks) => "␣".repeat(blanks.length)).replace(EVERY_ODDITY, mark);
}

/**
 * Running text, whose lines and tabs are kept, and what its scripts and emoji need.
 * @param {string} text
 */
export function shownText(text) {
  const plain = text.replaceAll("\r\n", "\n");
  const needed = new Set(
    [JOINED_PICTURE, PICTURE_STYLE, JOINED_LETTERS].flatMap((expression) => places(plain, expression)),
  );
  return plain.replace(EVERY_ODDITY, (character, place) =>
    "\n\t".includes(character) || needed.has(place) ? character : mark(character),
  );
}

/**
 * The letters of a name that are of another script than the Latin letters beside them in the same word: "а (U+0430)".
 * @param {string} name
 * @returns {string[]}
 */
export function strangeLetters(name) {
  const strange = [...name.matchAll(WORD)]
    .filter(([word]) => LATIN.test(word))
    .flatMap(([word]) => word.match(OF_ANOTHER_SCRIPT) ?? []);
  return [...new Set(strange)].map((letter) => `${letter} (${codeOf(letter)})`);
}

/**
 * What two names share that look alike: compatible forms, case, and what cannot be seen make no difference, and a
 * letter of another script may look like any Latin one.
 * @param {string} name
 */
export function skeleton(name) {
  if (PLAIN.test(name)) return name.toLowerCase();
  return name
    .normalize("NFKC")
    .replace(EVERY_ODDITY, (character) => (OTHER_BLANK.test(character) ? " " : ""))
    .replaceAll(/ +/gu, " ")
    .trim()
    .toLowerCase();
}

/**
 * Whether two skeletons look alike: every letter in which they differ is Latin in one and not in the other.
 * @param {string} one
 * @param {string} other
 */
export function lookAlike(one, other) {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  const [letters, others] = [[...one], [...other]];
  return (
    letters.length === others.length &&
    letters.every((letter, place) => {
      const beside = others[place] ?? "";
      return letter === beside || isCrossing(letter, beside) || isCrossing(beside, letter);
    })
  );
}

/**
 * What is left of a skeleton without regard to its letters: skeletons that look alike have the same.
 * @param {string} name
 */
export function outline(name) {
  return PLAIN.test(name) ? name.replaceAll(/[a-z]/gu, "x") : name.replaceAll(/\p{L}|\p{Script=Latin}/gu, "x");
}

/**
 * Whether a skeleton has letters of another script than Latin.
 * @param {string} name
 */
export function crossed(name) {
  return !PLAIN.test(name) && name.search(OF_ANOTHER_SCRIPT) >= 0;
}

/**
 * @param {string} letter
 * @param {string} beside
 */
function isCrossing(letter, beside) {
  return LATIN.test(letter) && beside.match(OF_ANOTHER_SCRIPT) !== null;
}

/**
 * @param {string} text
 * @param {RegExp} expression
 */
function places(text, expression) {
  return [...text.matchAll(expression)].map(({ index }) => index);
}

/** @param {string} character */
function mark(character) {
  if (character === "\n") return "↵";
  if (character === "\t") return "⇥";
  return `[${codeOf(character)}]`;
}

/** @param {string} character */
function codeOf(character) {
  const code = character.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
