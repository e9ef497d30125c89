/** @import { Store } from "./store.js" */

import { byId } from "./dom.js";
import { count } from "./format.js";

const MARK_SECONDS = 4;

/** Recent arrivals: rows are marked as new for a moment, and a button leads to those above. */
export class Arrivals {
  #button = byId("arrivals", HTMLButtonElement);
  #store;
  #unmark;
  /** @type {Map<string, number>} */
  #marked = new Map();
  /** @type {Set<string>} */
  #unseen = new Set();

  /**
   * @param {object} parts
   * @param {Store} parts.store
   * @param {(patternId: string) => void} parts.unmark called when a mark has had its time
   * @param {() => void} parts.show called when a person wants to see what is above
   */
  constructor({ store, unmark, show }) {
    this.#store = store;
    this.#unmark = unmark;
    this.#button.addEventListener("click", show);
  }

  /** @param {string[]} patternIds */
  add(patternIds) {
    for (const patternId of patternIds) {
      clearTimeout(this.#marked.get(patternId));
      this.#marked.set(
        patternId,
        setTimeout(() => this.#expire(patternId), MARK_SECONDS * 1000),
      );
      this.#unseen.add(patternId);
    }
  }

  /** @param {string} patternId */
  isMarked(patternId) {
    return this.#marked.has(patternId);
  }

  /** Forget the arrivals above: they have been seen, or the list is another one. */
  clear() {
    this.#unseen.clear();
  }

  /**
   * Count the arrivals above the first visible row; one that has been in sight is no longer new.
   * @param {number} firstVisible
   */
  draw(firstVisible) {
    if (this.#unseen.size === 0 && this.#button.hidden) return;
    let above = 0;
    for (const patternId of this.#unseen) {
      const entry = this.#store.get(patternId);
      const index = entry ? this.#store.index(entry) : -1;
      if (index >= 0 && index < firstVisible) above += 1;
      else this.#unseen.delete(patternId);
    }
    this.#button.hidden = above === 0;
    if (above > 0) this.#button.textContent = `↑ ${count(above)} new`;
  }

  /** @param {string} patternId */
  #expire(patternId) {
    this.#marked.delete(patternId);
    this.#unmark(patternId);
  }
}
