/** @import { Store } from "./store.js" */

import { crossed, lookAlike, outline, skeleton } from "./characters.js";

const MOST_NAMED = 3;

/**
 * What is known of a name: by its skeleton and its outline the names are found that may look like it.
 * @typedef {{ skeleton: string, outline: string, mixed: boolean }} Known
 */

/** Finds the names in the list that look like another. Each name is read once: every row asks, in lists of thousands. */
export class Lookalikes {
  #store;
  /** @type {Map<string, Known>} */
  #known = new Map();
  /** @type {Map<string, string[]>} */
  #bySkeleton = new Map();
  /** @type {Map<string, string[]>} */
  #byOutline = new Map();
  // Only these can look like a name whose skeleton is another: all others of an outline differ in Latin letters.
  /** @type {Map<string, string[]>} */
  #mixed = new Map();
  /** @type {Map<string, string[]>} */
  #found = new Map();
  #size = 0;

  /** @param {{ store: Pick<Store, "names" | "get"> }} parts */
  constructor({ store }) {
    this.#store = store;
  }

  /** The list may hold other names now. */
  refresh() {
    const before = this.#known.size;
    let size = 0;
    for (const name of this.#store.names) {
      size += 1;
      if (!this.#known.has(name)) this.#learn(name);
    }
    if (this.#known.size !== before || size !== this.#size) this.#found.clear();
    this.#size = size;
  }

  /**
   * The names that look like this one, at most three.
   * @param {string} patternId
   * @returns {string[]}
   */
  of(patternId) {
    let found = this.#found.get(patternId);
    if (!found) {
      found = this.#find(patternId);
      this.#found.set(patternId, found);
    }
    return found;
  }

  /** @param {string} patternId */
  #find(patternId) {
    const own = this.#known.get(patternId) ?? know(patternId);
    const others = (own.mixed ? this.#byOutline : this.#mixed).get(own.outline) ?? [];
    /** @type {Set<string>} */
    const found = new Set();
    for (const name of [...(this.#bySkeleton.get(own.skeleton) ?? []), ...others]) {
      if (name === patternId || !this.#store.get(name)) continue;
      if (lookAlike(own.skeleton, this.#known.get(name)?.skeleton ?? "")) found.add(name);
      if (found.size === MOST_NAMED) break;
    }
    return [...found];
  }

  /** @param {string} name */
  #learn(name) {
    const known = know(name);
    this.#known.set(name, known);
    push(this.#bySkeleton, known.skeleton, name);
    push(this.#byOutline, known.outline, name);
    if (known.mixed) push(this.#mixed, known.outline, name);
  }
}

/**
 * @param {string} name
 * @returns {Known}
 */
function know(name) {
  const own = skeleton(name);
  return { skeleton: own, outline: outline(own), mixed: crossed(own) };
}

/**
 * @param {Map<string, string[]>} map
 * @param {string} key
 * @param {string} name
 */
function push(map, key, name) {
  const names = map.get(key);
  if (names) names.push(name);
  else map.set(key, [name]);
}
