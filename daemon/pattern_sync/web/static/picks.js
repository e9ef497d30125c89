/** @import { QueueEntry } from "wire" */

import { secondsSince } from "./watching.js";

/** As many as one request of the page decides. */
export const MOST_PICKED = 1000;

/** The entries that are picked to be decided together, as they were last seen. Knows nothing of the page. */
export class Picks {
  /** @type {Map<string, QueueEntry>} */
  #entries = new Map();
  /** @type {string | null} */
  #anchor = null;
  #changed;
  #since = 0;

  /** @param {{ changed: () => void }} parts */
  constructor({ changed }) {
    this.#changed = changed;
  }

  get size() {
    return this.#entries.size;
  }

  /** For how many seconds something has been picked. */
  get seconds() {
    return secondsSince(this.#since);
  }

  get entries() {
    return [...this.#entries.values()];
  }

  /** @param {string} patternId */
  has(patternId) {
    return this.#entries.has(patternId);
  }

  /**
   * Pick an entry, or drop it where it is picked.
   * @param {QueueEntry} entry
   */
  toggle(entry) {
    this.#anchor = entry.pattern_id;
    if (!this.#entries.delete(entry.pattern_id)) this.#add([entry]);
    this.#changed();
  }

  /**
   * Pick everything from the entry that was picked last to this one.
   * @param {QueueEntry} entry
   * @param {QueueEntry[]} shown the list that both are in
   */
  range(entry, shown) {
    const to = shown.findIndex(({ pattern_id: patternId }) => patternId === entry.pattern_id);
    const from = shown.findIndex(({ pattern_id: patternId }) => patternId === this.#anchor);
    if (to < 0) return;
    const [first, last] = from < 0 ? [to, to] : [Math.min(from, to), Math.max(from, to)];
    this.#anchor = entry.pattern_id;
    this.#add(shown.slice(first, last + 1));
    this.#changed();
  }

  /**
   * Pick these, too; returns whether there was room for all.
   * @param {QueueEntry[]} entries
   */
  add(entries) {
    this.#add(entries);
    this.#changed();
    return entries.every(({ pattern_id: patternId }) => this.#entries.has(patternId));
  }

  /** @param {QueueEntry[]} entries of which the first ones are picked, as many as can be decided together */
  all(entries) {
    this.#entries.clear();
    this.#add(entries);
    this.#changed();
  }

  clear() {
    this.#anchor = null;
    if (this.#entries.size === 0) return;
    this.#entries.clear();
    this.#changed();
  }

  /** @param {string[]} patternIds */
  drop(patternIds) {
    for (const patternId of patternIds) this.#entries.delete(patternId);
    this.#changed();
  }

  /**
   * A change was announced. What somebody has decided meanwhile cannot be decided by the same click, and is not picked
   * any more.
   * @param {string} patternId
   * @param {QueueEntry | null} entry null when it was removed
   */
  changed(patternId, entry) {
    const picked = this.#entries.get(patternId);
    if (!picked) return;
    if (entry?.status === picked.status) this.#entries.set(patternId, entry);
    else this.#entries.delete(patternId);
    this.#changed();
  }

  /** @param {QueueEntry[]} entries */
  #add(entries) {
    if (this.#entries.size === 0) this.#since = performance.now();
    for (const entry of entries) {
      if (this.#entries.size >= MOST_PICKED) return;
      this.#entries.set(entry.pattern_id, entry);
    }
  }
}
