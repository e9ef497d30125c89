/** @import { Memory } from "./memory.js" */

/**
 * A reason that this browser remembers, the last one first.
 * @typedef {{ text: string, times: number }} Remembered
 */

const MOST_REMEMBERED = 30;
const MOST_OFFERED = 9;
// A longer text was written for one pattern.
const LONGEST_OFFERED = 80;
const COMMON = ["a one-off", "saves too little", "already automated", "needs a person's judgement", "counted twice"];

/** The reasons for rejections that were given in this browser, and a few common ones. */
export class Reasons {
  #memory;

  /** @param {{ memory: Pick<Memory, "reasons"> }} parts */
  constructor({ memory }) {
    this.#memory = memory;
  }

  /** The reason that was given last; null for none. */
  get last() {
    return parse(this.#memory.reasons)[0]?.text ?? null;
  }

  /** What to offer, at most nine: the last one, then the most frequent ones, then common ones. */
  get offered() {
    const [last, ...others] = parse(this.#memory.reasons);
    const frequent = others.sort((one, other) => other.times - one.times).map(({ text }) => text);
    return [...new Set([...(last ? [last.text] : []), ...frequent, ...COMMON])].slice(0, MOST_OFFERED);
  }

  /**
   * A reason was given.
   * @param {string} text
   */
  remember(text) {
    if (!text || text.length > LONGEST_OFFERED || text.includes("\n")) return;
    const known = parse(this.#memory.reasons);
    const times = known.find((each) => each.text === text)?.times ?? 0;
    const others = known.filter((each) => each.text !== text);
    this.#memory.reasons = JSON.stringify([{ text, times: times + 1 }, ...others].slice(0, MOST_REMEMBERED));
  }
}

/**
 * What the browser's storage holds, which anybody can write to.
 * @param {string} text
 * @returns {Remembered[]}
 */
function parse(text) {
  try {
    const found = JSON.parse(text || "[]");
    return Array.isArray(found) ? found.filter(isRemembered) : [];
  } catch {
    return [];
  }
}

/** @param {unknown} each */
function isRemembered(each) {
  const { text, times } = /** @type {Partial<Remembered>} */ (each ?? {});
  return typeof text === "string" && text !== "" && text.length <= LONGEST_OFFERED && typeof times === "number";
}
