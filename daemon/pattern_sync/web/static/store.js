/**
 * @import { Grouping, QueueEntry, Status } from "wire"
 * @import { Listing } from "./api.js"
 * @import { Item } from "./items.js"
 */

import { lookAlike, skeleton } from "./characters.js";
import { asItem, derive, normal, weight } from "./items.js";
import { Sort } from "./order.js";
import { isAsleep } from "./snooze-texts.js";

/**
 * What the entries of one group have in common.
 * @typedef {{ by: Grouping, key: string }} Group
 *
 * A load under way: what it has brought, and which entries changed since it began.
 * @typedef {{ items: Map<string, Item>, touched: Set<string> }} Load
 */

const MOST_ALIKE = 3;

/** The entries of one view (a status), in order, searched and filtered. Knows nothing of the page or the network. */
export class Store {
  /** @type {Status} */
  #view = "pending";
  /** @type {Group | null} */
  #group = null;
  /** @type {Map<string, Item>} */
  #items = new Map();
  /** @type {Map<string, string>} */
  #skeletons = new Map();
  /** @type {Load | null} */
  #load = null;
  #complete = false;
  #asleep = false;
  #order = new Sort("");
  /** @type {string[]} */
  #terms = [];
  /** @type {Set<string> | null} */
  #only = null;
  /** @type {string | null} */
  #type = null;
  /** @type {Item[] | null} */
  #sorted = null;
  /** @type {ReturnType<typeof derive> | null} */
  #derived = null;

  get view() {
    return this.#view;
  }

  /** The group whose entries are the view; null where it is not one group's. */
  get group() {
    return this.#group;
  }

  /**
   * What the daemon is asked for.
   * @returns {Listing}
   */
  get listing() {
    return { status: this.#view, group: this.#group };
  }

  /** How many entries the view holds, whatever the search. */
  get size() {
    return this.#inOrder.length;
  }

  /** How many entries somebody wants to see later, or else those that are shown then. */
  get others() {
    return this.#items.size - this.size;
  }

  /** Whether those are shown that somebody wants to see later, and only those. */
  get asleep() {
    return this.#asleep;
  }

  set asleep(asleep) {
    this.#asleep = asleep;
    this.#changed();
  }

  /** Whether every entry of the view has been loaded. */
  get complete() {
    return this.#complete;
  }

  /** How many entries the load under way has brought. */
  get loading() {
    return this.#load?.items.size ?? 0;
  }

  /** Whether a search narrows what is shown. */
  get searched() {
    return this.#terms.length > 0 || this.#only !== null;
  }

  /** Whether a search or a type narrows what is shown. */
  get narrowed() {
    return this.searched || this.#type !== null;
  }

  /** The entries that match, in order. */
  get shown() {
    return this.#derive().shown;
  }

  /** Savings of the whole view, USD a month; without those of entries that have no pattern behind them. */
  get totalSavings() {
    return this.#derive().total;
  }

  /** How many entries of the view have no pattern behind them: other programs wrote them. */
  get foreign() {
    return this.#derive().foreign;
  }

  /** [[type, entries], …] of the whole view, the most frequent first. */
  get types() {
    return this.#derive().types;
  }

  /** Savings of what is shown, USD a month. */
  get shownSavings() {
    return this.#derive().shownTotal;
  }

  /** @param {string} patternId */
  get(patternId) {
    return this.#items.get(patternId)?.entry;
  }

  /**
   * The names in the view that look like this one, at most three.
   * @param {string} patternId
   * @returns {string[]}
   */
  alike(patternId) {
    const own = skeleton(patternId);
    /** @type {string[]} */
    const found = [];
    for (const name of this.#items.keys()) {
      let other = this.#skeletons.get(name);
      if (other === undefined) {
        other = skeleton(name);
        this.#skeletons.set(name, other);
      }
      if (name !== patternId && lookAlike(own, other)) found.push(name);
      if (found.length === MOST_ALIKE) break;
    }
    return found;
  }

  /**
   * An entry's part of the view's savings, 0 to 1; null while that is not known.
   * @param {QueueEntry} entry
   */
  share(entry) {
    if (!(this.#complete && entry.from_pattern && this.#items.has(entry.pattern_id))) return null;
    return this.totalSavings > 0 ? entry.estimated_savings_usd / this.totalSavings : null;
  }

  /**
   * An entry's impact as a part of the largest of the view, 0 to 1.
   * @param {QueueEntry} entry
   */
  proportion(entry) {
    const { largest } = this.#derive();
    return largest > 0 ? Math.max(0, weight(entry) / largest) : 0;
  }

  /**
   * Where an entry is, or would be, among those shown.
   * @param {QueueEntry} entry
   */
  position(entry) {
    const { shown } = this;
    let low = 0;
    let high = shown.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const other = shown[middle];
      if (other && this.#order.compare(other, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Where an entry is among those shown; -1 when it is not.
   * @param {QueueEntry} entry
   */
  index(entry) {
    const position = this.position(entry);
    return this.shown[position]?.pattern_id === entry.pattern_id ? position : -1;
  }

  /** @param {Sort} order */
  sort(order) {
    this.#order = order;
    this.#changed();
  }

  /** @param {string} text */
  search(text) {
    this.#terms = normal(text).split(/\s+/u).filter(Boolean);
    this.#derived = null;
  }

  /**
   * Show only what the daemon has found; null for all.
   * @param {Set<string> | null} ids
   */
  only(ids) {
    this.#only = ids;
    this.#derived = null;
  }

  /** @param {string | null} type null shows all */
  filterType(type) {
    this.#type = type;
    this.#derived = null;
  }

  /**
   * Start over with another status, or with a group of its entries.
   * @param {Status} view
   * @param {Group | null} [group]
   */
  reset(view, group = null) {
    this.#view = view;
    this.#group = group;
    this.#asleep = false;
    this.#items = new Map();
    this.#load = null;
    this.#complete = false;
    this.#changed();
  }

  /** Time has passed: who is asleep may be another question. */
  tick() {
    this.#changed();
  }

  beginLoad() {
    this.#load = { items: new Map(), touched: new Set() };
  }

  /**
   * Take the entries of a page. Until the view is complete for the first time they are shown at once, then by finishLoad.
   * @param {QueueEntry[]} entries
   */
  addPage(entries) {
    const { items, touched } = this.#begun;
    for (const entry of entries) {
      // A change announced during the load is newer than the page.
      if (touched.has(entry.pattern_id)) continue;
      const item = asItem(entry, this.#items.get(entry.pattern_id));
      items.set(entry.pattern_id, item);
      if (!this.#complete) this.#items.set(entry.pattern_id, item);
    }
    this.#changed();
  }

  /** Put what was loaded in place of the old content; returns the ids that are new to a view that was complete. */
  finishLoad() {
    const { items } = this.#begun;
    const appeared = this.#complete ? [...items.keys()].filter((patternId) => !this.#items.has(patternId)) : [];
    this.#items = items;
    this.#load = null;
    this.#complete = true;
    this.#changed();
    return appeared;
  }

  abandonLoad() {
    this.#load = null;
  }

  /**
   * Apply one announced change; returns whether the entry is new to the view.
   * @param {string} patternId
   * @param {QueueEntry | null} entry null when it was removed
   */
  apply(patternId, entry) {
    const old = this.#items.get(patternId);
    const item = entry?.status === this.#view ? asItem(entry, old) : null;
    this.#load?.touched.add(patternId);
    put(this.#load?.items, patternId, item);
    put(this.#items, patternId, item);
    if (item || old) this.#changed();
    return item !== null && !old && isAsleep(item.entry, Date.now()) === this.#asleep;
  }

  get #begun() {
    if (!this.#load) throw new Error("No load has begun.");
    return this.#load;
  }

  #changed() {
    this.#sorted = null;
    this.#derived = null;
  }

  get #inOrder() {
    const now = Date.now();
    this.#sorted ??= [...this.#items.values()]
      .filter(({ entry }) => isAsleep(entry, now) === this.#asleep)
      .sort((one, other) => this.#order.compare(one.entry, other.entry));
    return this.#sorted;
  }

  #derive() {
    this.#derived ??= derive(this.#inOrder, this.#terms, this.#type, this.#only);
    return this.#derived;
  }
}

/**
 * @param {Map<string, Item> | undefined} items
 * @param {string} patternId
 * @param {Item | null} item
 */
function put(items, patternId, item) {
  if (item) items?.set(patternId, item);
  else items?.delete(patternId);
}
