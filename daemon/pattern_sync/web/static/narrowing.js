/** @import { Item } from "./items.js" */

import { derive, normal } from "./items.js";

/** What a list is narrowed to: words, what the daemon has found, a type. Knows nothing of what there is. */
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

  get searched() {
    return this.text !== "" || this.only !== null;
  }

  get any() {
    return this.searched || this.type !== null;
  }

  /** The same in the query language. */
  get query() {
    const type = this.type === null ? "" : typeTerm(this.type);
    return `${this.text} ${type}`.trim();
  }

  /**
   * What to show of sorted items, and the totals.
   * @param {Item[]} items
   */
  apply(items) {
    return derive(items, normal(this.text).split(/\s+/u).filter(Boolean), this.type, this.only);
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
