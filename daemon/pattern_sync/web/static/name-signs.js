import { strangeLetters } from "./characters.js";
import { visible } from "./format.js";

/**
 * What makes a name easy to take for another one: in short, for a row, and in words.
 * @typedef {{ short: string, words: string }} NameSign
 */

/**
 * @param {string} patternId
 * @param {string[]} alike the names of others that look like it
 * @returns {NameSign[]}
 */
export function nameSigns(patternId, alike) {
  /** @type {NameSign[]} */
  const signs = [];
  const strange = strangeLetters(patternId);
  if (strange.length > 0) signs.push({ short: "mixed letters", words: `mixes alphabets: ${strange.join(", ")}` });
  if (visible(patternId) !== patternId) signs.push({ short: "unseen characters", words: "holds unseen characters" });
  if (alike.length > 0) signs.push({ short: "look-alike", words: `looks like ${alike.map(quoted).join(", ")}` });
  return signs;
}

/** @param {string} name */
function quoted(name) {
  return `“${visible(name)}”`;
}
