/**
 * @import { QueueEntry } from "wire"
 * @import { Item } from "./items.js"
 */

import { asItem } from "./items.js";

/**
 * A load under way: what it has brought so far, what came in its pages, the last of that, and what was announced since
 * it began (null: it has left the list).
 * @typedef {object} Load
 * @property {Map<string, Item>} items
 * @property {Set<string>} paged
 * @property {QueueEntry | null} last
 * @property {Map<string, QueueEntry | null>} announced
 */

/** What is held of a list: all entries or, of a long list, its beginning. Knows nothing of searches or the network. */
export class Held {
  #compare;
  /** @type {Map<string, Item>} */
  #items = new Map();
  /** @type {Load | null} */
  #load = null;
  #settled = false;
  /** @type {QueueEntry | null} */
  #end = null;
  /** @type {number | null} */
  #total = null;

  /** @param {(one: QueueEntry, other: QueueEntry) => number} compare negative when `one` comes first in the list */
  constructor(compare) {
    this.#compare = compare;
  }

  get items() {
    return this.#items;
  }

  /** Whether a load of the list has ended. */
  get settled() {
    return this.#settled;
  }

  /** Whether that is every entry of the list. */
  get complete() {
    return this.#settled && this.#end === null;
  }

  /** How many entries the list had according to the daemon; null where it did not say. */
  get total() {
    return this.#total;
  }

  /** How many entries the load under way has brought. */
  get loading() {
    return this.#load?.items.size ?? 0;
  }

  /** @param {{ more: boolean }} options `more`: keep what is held, and go on behind it */
  begin({ more }) {
    this.#load = {
      items: new Map(more ? this.#items : []),
      paged: new Set(more ? this.#items.keys() : []),
      last: null,
      announced: new Map(),
    };
  }

  /**
   * Take the entries of a page. As long as no load has ended they are held at once, then when the load ends.
   * @param {QueueEntry[]} entries
   */
  add(entries) {
    const { items, paged, announced } = this.#begun;
    for (const paging of entries) {
      const { pattern_id: patternId } = paging;
      // A change announced during the load is newer than the page.
      const said = announced.get(patternId);
      const entry = said === undefined ? paging : said;
      if (!entry) continue;
      const item = asItem(entry, this.#items.get(patternId));
      items.set(patternId, item);
      paged.add(patternId);
      if (!this.#settled) this.#items.set(patternId, item);
    }
    this.#begun.last = entries.at(-1) ?? this.#begun.last;
  }

  /**
   * Put what was loaded in place of the old content; returns the ids that are new to a list that was complete.
   * @param {{ partial: boolean, total: number | null }} reached `partial`: the list goes on after what was loaded
   */
  finish({ partial, total }) {
    const load = this.#begun;
    const appeared = this.complete ? [...load.items.keys()].filter((patternId) => !this.#items.has(patternId)) : [];
    this.#end = partial ? (load.last ?? this.#end) : null;
    for (const [patternId, { entry }] of load.items) {
      if (!load.paged.has(patternId) && this.#isBehindEnd(entry)) load.items.delete(patternId);
    }
    this.#items = load.items;
    this.#total = total;
    this.#load = null;
    this.#settled = true;
    return appeared;
  }

  abandon() {
    this.#load = null;
  }

  /**
   * Apply one announced change; returns the item as it was held before, and as it is held now.
   * @param {string} patternId
   * @param {QueueEntry | null} entry null when it does not belong to the list
   * @param {{ unsure: boolean }} options `unsure`: only the daemon can tell whether an entry that is not held belongs here
   */
  apply(patternId, entry, { unsure }) {
    const before = this.#items.get(patternId);
    this.#load?.announced.set(patternId, entry);
    if (this.#load && (this.#load.items.has(patternId) || !unsure)) put(this.#load.items, patternId, entry, before);
    const stays = entry && (before || !unsure) && !this.#isBehindEnd(entry);
    put(this.#items, patternId, stays ? entry : null, before);
    return { before, now: this.#items.get(patternId) };
  }

  get #begun() {
    if (!this.#load) throw new Error("No load has begun.");
    return this.#load;
  }

  /** @param {QueueEntry} entry */
  #isBehindEnd(entry) {
    return this.#end !== null && this.#compare(entry, this.#end) > 0;
  }
}

/**
 * @param {Map<string, Item>} items
 * @param {string} patternId
 * @param {QueueEntry | null} entry
 * @param {Item | undefined} before
 */
function put(items, patternId, entry, before) {
  if (entry) items.set(patternId, asItem(entry, before));
  else items.delete(patternId);
}
