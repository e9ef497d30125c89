/**
 * @import { Grouping, QueueEntry, Status } from "wire"
 * @import { Listing } from "./api.js"
 * @import { Around } from "./around.js"
 * @import { Item } from "./items.js"
 */

import { NOTHING_KNOWN } from "./around.js";
import { Held } from "./held.js";
import { weight } from "./items.js";
import { Narrowing } from "./narrowing.js";
import { Sort } from "./order.js";
import { isAsleep } from "./snooze-texts.js";

/**
 * What the entries of one group have in common.
 * @typedef {{ by: Grouping, key: string }} Group
 */

/**
 * The entries of one view (a status, or a group of its entries), in order, searched and filtered. Of a long view the
 * daemon does that, and the store holds the beginning of what it has found. Knows nothing of the page or the network.
 */
export class Store {
  /** @type {Status} */
  #view = "pending";
  /** @type {Group | null} */
  #group = null;
  #order = new Sort("");
  #held = new Held((one, other) => this.#order.compare(one, other));
  #long = false;
  /** @type {Around} */
  #around = NOTHING_KNOWN;
  #asleep = false;
  #answered = "";
  #narrowing = new Narrowing();
  /** @type {Item[] | null} */
  #sorted = null;
  /** @type {ReturnType<Narrowing["apply"]> | null} */
  #derived = null;

  get view() {
    return this.#view;
  }

  /** The group whose entries are the view; null where it is not one group's. */
  get group() {
    return this.#group;
  }

  /** Whether the view is too long to be held: then the daemon sorts, searches and filters. */
  get long() {
    return this.#long;
  }

  /**
   * What the daemon is asked for.
   * @returns {Listing}
   */
  get listing() {
    const view = { status: this.#view, group: this.#group };
    if (!this.#long) return view;
    const q = this.#narrowing.query;
    return { ...view, sort: `${this.#order}`, snoozed: this.#asleep ? "only" : "hide", ...(q && { q }) };
  }

  /** How many entries the view has, whatever the search; of a long one as far as that is known. */
  get size() {
    const held = this.#inOrder.length;
    if (!(this.#long && this.settled)) return held;
    const { entries, others } = this.#around;
    const known = this.#group || this.#asleep || entries === null ? null : entries - others;
    return Math.max(held, known ?? (this.narrowed ? 0 : this.#found + (this.#around.beside ?? 0)));
  }

  /** Whether what is held is what is asked for: of a long view, the daemon may not have answered yet. */
  get current() {
    return this.settled && (!this.#long || this.#answered === JSON.stringify(this.listing));
  }

  /** How many rows the list has; null while that is not known. */
  get total() {
    if (!this.current) return null;
    if (this.complete) return this.shown.length;
    return this.#narrowing.cut ? this.#found : this.size;
  }

  /** What folds away of the entries that match. */
  get fold() {
    return this.#narrowing.folding.of({ ...this.#derive(), ...this.#around, total: this.total, long: this.#long });
  }

  switchFold() {
    this.#narrowing.folding.switch();
    this.refresh();
  }

  /** How many entries somebody wants to see later, or else those that are shown then. */
  get others() {
    return this.#around.others + this.#held.items.size - this.#inOrder.length;
  }

  /** Whether those are shown that somebody wants to see later, and only those. */
  get asleep() {
    return this.#asleep;
  }

  switchAsleep() {
    this.#asleep = !this.#asleep;
    this.refresh();
  }

  /** Whether a load of the view has ended. */
  get settled() {
    return this.#held.settled;
  }

  /** Whether every entry of the list has been loaded. */
  get complete() {
    return this.#held.complete;
  }

  /** How many entries are held. */
  get held() {
    return this.#held.items.size;
  }

  /** How many entries the load under way has brought. */
  get loading() {
    return this.#held.loading;
  }

  /** Whether a search narrows what is shown. */
  get searched() {
    return this.#narrowing.searched;
  }

  /** Whether a search or a type narrows what is shown. */
  get narrowed() {
    return this.#narrowing.any;
  }

  /** The entries that match, in order, but for what is folded away. */
  get shown() {
    return this.#derive().rows;
  }

  /** Savings of the whole view, USD a month, of those entries that have a pattern behind them; null where not known. */
  get totalSavings() {
    if (this.#long) return this.#group ? null : this.#around.savings;
    return this.complete ? this.#derive().total : null;
  }

  /** The same of all entries with the view's status, of a group's, too. */
  get queueSavings() {
    return this.#group ? this.#around.savings : this.totalSavings;
  }

  /** How many entries of the view are known to have no pattern behind them: other programs wrote them. */
  get foreign() {
    return this.#long ? 0 : this.#derive().foreign;
  }

  /** [[type, entries], …] of the whole view, the most frequent first. */
  get types() {
    return (this.#long ? this.#around.types : null) ?? this.#derive().types;
  }

  /** Savings of all that match, USD a month; null where they are not known. */
  get shownSavings() {
    if (this.complete && !(this.#long && this.#narrowing.folding.active)) return this.#derive().shownTotal;
    return this.narrowed ? null : this.totalSavings;
  }

  /** @param {string} patternId */
  get(patternId) {
    return this.#held.items.get(patternId)?.entry;
  }

  /** The names of all entries that are held. */
  get names() {
    return this.#held.items.keys();
  }

  /**
   * An entry's part of the savings of all with its status, 0 to 1; null while that is not known.
   * @param {QueueEntry} entry
   */
  share(entry) {
    const { queueSavings } = this;
    if (queueSavings === null || !entry.from_pattern || !this.#held.items.has(entry.pattern_id)) return null;
    return queueSavings > 0 ? entry.estimated_savings_usd / queueSavings : null;
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
    return this.#order.place(entry, this.shown);
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
    this.#narrowing.folding.follow(order);
    this.refresh();
  }

  /**
   * Returns whether that is another search.
   * @param {string} text
   */
  search(text) {
    this.#derived = null;
    return this.#narrowing.search(text);
  }

  /**
   * Show only what the daemon has found; null for all.
   * @param {Set<string> | null} ids
   */
  only(ids) {
    this.#narrowing.only = ids;
    this.#derived = null;
  }

  /** @param {string | null} type null shows all */
  filterType(type) {
    this.#narrowing.type = type;
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
    this.#long = false;
    this.#around = NOTHING_KNOWN;
    this.#asleep = false;
    this.#narrowing.folding.opened = false;
    this.#held = new Held((one, other) => this.#order.compare(one, other));
    this.refresh();
  }

  /** The view is too long to be held. */
  lengthen() {
    this.#long = true;
    this.refresh();
  }

  /**
   * Learn something of what is not held.
   * @param {Partial<Around>} known
   */
  learn(known) {
    this.#around = { ...this.#around, ...known };
  }

  /** @param {{ more?: boolean }} [options] `more`: keep what is held, and go on behind it */
  beginLoad({ more = false } = {}) {
    this.#held.begin({ more });
  }

  /**
   * Take the entries of a page. Until a load has ended for the first time they are shown at once, then by finishLoad.
   * @param {QueueEntry[]} entries
   */
  addPage(entries) {
    this.#held.add(entries);
    this.refresh();
  }

  /**
   * Put what was loaded in place of the old content; returns the ids that are new to a view that was complete.
   * @param {{ partial: boolean, total: number | null }} [reached] `partial`: the list goes on after what was loaded
   */
  finishLoad(reached = { partial: false, total: null }) {
    this.#answered = JSON.stringify(this.listing);
    const appeared = this.#held.finish(reached);
    this.refresh();
    return appeared;
  }

  abandonLoad() {
    this.#held.abandon();
  }

  /**
   * Apply one announced change; returns whether the entry is new to the view, and whether only the daemon can tell what
   * the list holds now.
   * @param {string} patternId
   * @param {QueueEntry | null} entry null when it was removed
   */
  apply(patternId, entry) {
    const belongs = entry?.status === this.#view ? entry : null;
    const unsure = this.#group !== null || (this.#long && (this.#narrowing.cut || this.#asleep));
    const { before, now } = this.#held.apply(patternId, belongs, { unsure });
    if (now || before) this.refresh();
    const appeared = now !== undefined && !before && isAsleep(now.entry, Date.now()) === this.#asleep;
    return { appeared, unsure: unsure && belongs !== null };
  }

  // How many entries the daemon has found.
  get #found() {
    return Math.max(this.#inOrder.length, this.#held.total ?? 0);
  }

  /** What is known may mean something else: who is asleep changes with time. */
  refresh() {
    this.#sorted = null;
    this.#derived = null;
  }

  get #inOrder() {
    const now = Date.now();
    this.#sorted ??= [...this.#held.items.values()]
      .filter(({ entry }) => isAsleep(entry, now) === this.#asleep)
      .sort((one, other) => this.#order.compare(one.entry, other.entry));
    return this.#sorted;
  }

  #derive() {
    this.#derived ??= this.#narrowing.apply(this.#inOrder, { long: this.#long });
    return this.#derived;
  }
}
