/** @import { Store } from "./store.js" */

import { lookAlike, skeleton } from "./characters.js";

const MOST_NAMED = 3;

/** Finds the names in the list that look like another. */
export class Lookalikes {
  #store;
  /** @type {Map<string, string>} */
  #skeletons = new Map();

  /** @param {{ store: Pick<Store, "names"> }} parts */
  constructor({ store }) {
    this.#store = store;
  }

  /**
   * The names that look like this one, at most three.
   * @param {string} patternId
   * @returns {string[]}
   */
  of(patternId) {
    const own = skeleton(patternId);
    /** @type {string[]} */
    const found = [];
    for (const name of this.#store.names) {
      if (name !== patternId && lookAlike(own, this.#skeletonOf(name))) found.push(name);
      if (found.length === MOST_NAMED) break;
    }
    return found;
  }

  /** @param {string} name */
  #skeletonOf(name) {
    const known = this.#skeletons.get(name) ?? skeleton(name);
    this.#skeletons.set(name, known);
    return known;
  }
}
