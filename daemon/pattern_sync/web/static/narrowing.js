/** @import { Item } from "./items.js" */

import { Folding } from "./folding.js";
import { derive, normal } from "./items.js";

/** What a list is narrowed to: words, what the daemon has found, a type, what does not fold away. Knows nothing of what there is. */
export class Narrowing {
  /** Words; of a long list in the query language. */
  text = "";
  /**
   * What the daemon has found; null for all.
   * @type {Set<string> | null}
   */
  only = null;
  /** @type {string | null} */
  type = null;
  folding = new Folding();

  get searched() {
    return this.text !== "" || this.only !== null;
  }

  get any() {
    return this.searched || this.type !== null;
  }

  /** Whether anything leaves entries out, the fold included. */
  get cut() {
    return this.any || this.folding.active;
  }

  /**
   * Returns whether that is another search.
   * @param {string} text
   */
  search(text) {
    const words = text.trim();
    const changes = this.text !== words;
    this.text = words;
    return changes;
  }

  /** The same in the query language. */
  get query() {
    const type = this.type === null ? "" : typeTerm(this.type);
    return [this.text, type, this.folding.term].filter(Boolean).join(" ");
  }

  /**
   * What to show of sorted items, and the totals.
   * @param {Item[]} items
   * @param {{ long: boolean }} list `long`: the daemon has searched and filtered already
   */
  apply(items, { long }) {
    const words = normal(this.text).split(/\s+/u).filter(Boolean);
    const found = long ? derive(items, [], null) : derive(items, words, this.type, this.only);
    return { ...found, ...this.folding.apply(found.shown, { long }) };
  }
}

/**
 * A type in the query language.
 * @param {string} type
 */
export function typeTerm(type) {
  return `type:"${type}"`;
}

/**
 * Whether the query language has words for a type: none is empty, and nothing in quotation marks holds one.
 * @param {string} type
 */
export function isSearchable(type) {
  return type.trim() !== "" && !type.includes('"');
}
