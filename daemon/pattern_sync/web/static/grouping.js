/**
 * @import { EntryGroup, Grouping as Name } from "wire"
 * @import { Place } from "./address.js"
 * @import { Api } from "./api.js"
 * @import { BulkAction } from "./bulk-texts.js"
 * @import { Whose } from "./groups.js"
 * @import { VirtualList } from "./list.js"
 * @import { Picks } from "./picks.js"
 * @import { Queue } from "./queue.js"
 * @import { Selection } from "./selection.js"
 * @import { Signs } from "./signs.js"
 * @import { Store } from "./store.js"
 * @import { Together } from "./together.js"
 */

import { GROUPINGS, readAddress, USUAL_SORT, writeAddress } from "./address.js";
import { asApiError } from "./api-error.js";
import { allById, byId, setText } from "./dom.js";
import { count, plural } from "./format.js";
import { GroupList } from "./group-list.js";
import { groupName, nameOf } from "./group-texts.js";
import { Groups } from "./groups.js";
import { MOST_PICKED } from "./picks.js";

/**
 * @typedef {object} Parts
 * @property {Api} api
 * @property {Store} store
 * @property {VirtualList} list
 * @property {Queue} queue
 * @property {Selection} selection
 * @property {Picks} picks
 * @property {Together} together
 * @property {Signs} signs
 */

/** Groups of the list: shown in its place, opened one at a time, decided as a whole. */
export class Grouping {
  #parts;
  #select = byId("group-by", HTMLSelectElement);
  #elements = allById("queue", "group-head", "group-title");
  #back = byId("group-back", HTMLButtonElement);
  #groups;
  #rows;
  /** @type {Name | null} */
  #grouping = null;
  /** @type {string | null} */
  #key = null;
  #picking = new AbortController();
  /** @type {Promise<unknown>} */
  #picked = Promise.resolve();
  /** @type {Map<string, string[]>} */
  #members = new Map();
  #deciding = false;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#groups = new Groups({ api: parts.api, changed: () => this.draw() });
    this.#rows = new GroupList({
      open: (group) => this.#open(group),
      pick: () => this.pick(),
      retry: () => this.#groups.retry(),
    });
    this.#select.add(new Option("No groups", ""));
    for (const name of GROUPINGS) this.#select.add(new Option(`By ${name}`, name));
    this.#select.addEventListener("change", () =>
      this.#choose(GROUPINGS.find((name) => name === this.#select.value) ?? null),
    );
    this.#back.addEventListener("click", () => this.leave());
  }

  /** Whether the groups are shown, and not the patterns of the list or of one group. */
  get listing() {
    return this.#grouping !== null && this.#key === null;
  }

  /** Whether one group's patterns are shown. */
  get opened() {
    return this.#key !== null;
  }

  get hasFocus() {
    return this.listing ? this.#rows.hasFocus : this.#parts.list.hasFocus;
  }

  get pageRows() {
    return this.listing ? this.#rows.pageRows : this.#parts.list.pageRows;
  }

  focus() {
    this.#parts.list.focus();
  }

  /**
   * Show what an address names; the queue shows its part of that by itself.
   * @param {Place} place
   */
  follow({ grouping, key }) {
    // What is still being picked belongs to what was shown before.
    this.#picking.abort();
    this.#members.clear();
    if (grouping !== this.#grouping) this.#rows.restart();
    this.#grouping = grouping;
    this.#key = key;
    this.draw();
  }

  /**
   * Group by the next thing, or by nothing.
   * @param {1 | -1} step
   */
  cycle(step) {
    const all = [null, ...GROUPINGS];
    this.#choose(all.at((all.indexOf(this.#grouping) + step) % all.length) ?? null);
  }

  /** @param {number} step */
  move(step) {
    this.#rows.move(step);
  }

  /** Open the group at the cursor. */
  open() {
    const { group } = this.#rows;
    if (group && !this.#deciding) this.#open(group);
  }

  /** Back from a group to all of them. */
  leave() {
    this.#choose(this.#grouping);
  }

  /** Pick the patterns of the group at the cursor, or drop them where all are picked. */
  pick() {
    const { group } = this.#rows;
    if (!group || this.#grouping === null) return Promise.resolve();
    this.#picking.abort();
    this.#picking = new AbortController();
    const picked = this.#load(this.#grouping, group.key, this.#picking.signal);
    this.#picked = picked;
    return picked;
  }

  /**
   * Decide what is picked, or else the group at the cursor.
   * @param {BulkAction} action
   */
  async decide(action) {
    if (this.#deciding) return;
    const { picks, together } = this.#parts;
    this.#deciding = true;
    try {
      // What was picked a moment ago may still be on its way.
      await this.#picked;
      if (picks.size === 0) await this.pick();
      if (picks.size > 0 && this.listing) together.begin(action);
    } finally {
      this.#deciding = false;
    }
  }

  /** Entries have changed. */
  changed() {
    this.#groups.refresh();
  }

  draw() {
    const grouping = this.#grouping;
    this.#select.value = grouping ?? "";
    this.#elements.queue.dataset.showing = this.listing ? "groups" : "patterns";
    this.#parts.list.standIn = this.listing ? this.#rows : null;
    this.#rows.hidden = !this.listing;
    this.#elements["group-head"].hidden = !this.opened;
    if (grouping === null) {
      this.#groups.show(null);
      return;
    }
    if (this.listing) {
      this.#groups.show(this.#whose(grouping));
      this.#rows.draw(grouping, this.#groups, (key) => this.#isPicked(key));
    }
    setText(this.#back, `‹ ${nameOf(grouping).all}`);
    setText(this.#elements["group-title"], `${nameOf(grouping).one} ${groupName(grouping, this.#key ?? "")}`);
  }

  /**
   * @param {Name} by
   * @param {string} key
   * @param {AbortSignal} signal
   */
  async #load(by, key, signal) {
    const { api, picks, signs, store } = this.#parts;
    const { by: _, q, ...list } = this.#whose(by);
    const listing = { ...list, ...(q && { q }), group: { by, key }, sort: store.listing.sort ?? USUAL_SORT };
    try {
      const entries = [];
      /** @type {string | null} */
      let place = null;
      do {
        const page = await api.page(listing, place, signal);
        entries.push(...page.entries);
        place = page.next;
      } while (place !== null && entries.length < MOST_PICKED);
      if (signal.aborted) return;
      this.#members.set(
        key,
        entries.map(({ pattern_id: patternId }) => patternId),
      );
      if (this.#isPicked(key)) picks.drop(this.#members.get(key) ?? []);
      else if (!picks.add(entries) || place !== null) {
        signs.toast(`At most ${count(MOST_PICKED)} patterns are selected at once.`);
      }
    } catch (caught) {
      if (!signal.aborted) signs.toast(asApiError(caught).message);
    }
  }

  /** @param {string} key */
  #isPicked(key) {
    const members = this.#members.get(key) ?? [];
    return members.length > 0 && members.every((patternId) => this.#parts.picks.has(patternId));
  }

  /** @param {Name | null} grouping */
  #choose(grouping) {
    this.#go(grouping, null);
    this.#parts.signs.announce(grouping === null ? "No groups" : `Grouped by ${grouping}`);
  }

  /** @param {EntryGroup} group */
  #open(group) {
    if (this.#grouping === null) return;
    this.#go(this.#grouping, group.key);
    this.#parts.signs.announce(`${groupName(this.#grouping, group.key)}, ${plural(group.count, "pattern")}`);
  }

  /**
   * @param {Name | null} grouping
   * @param {string | null} key
   */
  #go(grouping, key) {
    const { queue, selection, picks } = this.#parts;
    picks.clear();
    selection.select(null);
    writeAddress({ grouping, key, pattern: null }, { step: true });
    const place = readAddress();
    this.follow(place);
    queue.go(place);
    this.focus();
  }

  /**
   * @param {Name} by
   * @returns {Whose}
   */
  #whose(by) {
    const { store, queue } = this.#parts;
    return { by, status: store.view, q: queue.query, snoozed: store.asleep ? "only" : "hide" };
  }
}
