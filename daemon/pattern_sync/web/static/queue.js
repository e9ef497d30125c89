/**
 * @import { QueueEntry, Status } from "wire"
 * @import { Place } from "./address.js"
 * @import { Api } from "./api.js"
 * @import { VirtualList } from "./list.js"
 * @import { Report } from "./loader.js"
 * @import { Signs } from "./signs.js"
 * @import { Fault } from "./standing.js"
 * @import { Group, Store } from "./store.js"
 * @import { Views } from "./views.js"
 */

import { writeAddress } from "./address.js";
import { Census } from "./census.js";
import { byId } from "./dom.js";
import { Finder } from "./finder.js";
import { capital, count, plural } from "./format.js";
import { Loader } from "./loader.js";
import { EXPECTED, Sort } from "./order.js";
import { Sorting } from "./sorting.js";
import { Standing } from "./standing.js";
import { TypeFilter } from "./type-filter.js";

const SEARCH_SETTLE_SECONDS = 1;
// So long what the daemon finds may be older than a change.
const FOLLOWING_SECONDS = 1;
const UNREADABLE = new Set([400, 422]);

/** The left half of the page: the view's list, its search and filter, and their summary and faults. */
export class Queue {
  #store;
  #list;
  #views;
  #signs;
  #drawn;
  #reloaded;
  #loader;
  #typeFilter;
  #finder;
  #census;
  #sorting = new Sorting({ choose: (sort) => this.#chooseSort(sort) });
  /** @type {Fault | null} */
  #fault = null;
  /** @type {number | null} */
  #frame = null;
  #shown = false;
  #sort = new Sort("");
  /** @type {number | undefined} */
  #settle;
  #title = byId("queue-title", HTMLElement);
  #search = byId("search", HTMLInputElement);
  #standing = new Standing({ tryAgain: () => this.#tryAgain(), showAll: () => this.#showAll() });

  /**
   * @param {object} parts
   * @param {Api} parts.api
   * @param {Store} parts.store
   * @param {VirtualList} parts.list
   * @param {Views} parts.views
   * @param {Signs} parts.signs
   * @param {() => void} parts.drawn called after the list was drawn
   * @param {() => void} parts.reloaded called after the view was loaded completely
   */
  constructor({ api, store, list, views, signs, drawn, reloaded }) {
    this.#store = store;
    this.#list = list;
    this.#views = views;
    this.#signs = signs;
    this.#drawn = drawn;
    this.#reloaded = reloaded;
    this.#loader = new Loader({ api, store, report: this.#report() });
    this.#typeFilter = new TypeFilter({ store, choose: (type) => this.#chooseType(type) });
    this.#finder = new Finder({
      api,
      store,
      changed: () => this.#narrowed(),
      relist: () => this.#loader.relist(),
    });
    this.#census = new Census({ api, store, changed: () => this.drawSoon() });
    this.#search.addEventListener("input", () => {
      // Back leads to the list as it was before the search, not from letter to letter.
      writeAddress({ query: this.#search.value }, { step: !store.searched });
      this.#finder.seek(this.#search.value);
      this.#narrowed();
    });
    this.#search.form?.addEventListener("submit", (event) => event.preventDefault());
  }

  get narrowed() {
    return this.#store.narrowed;
  }

  /** What the list is narrowed to, in the query language. */
  get query() {
    return `${this.#search.value.trim()} ${this.#typeFilter.term}`.trim();
  }

  /** Whether something in between has asked to wait, and the time is not over. */
  get paused() {
    return this.#loader.paused;
  }

  /** How long the last complete load of the view took. */
  get loadSeconds() {
    return this.#loader.seconds;
  }

  /**
   * Show what an address names, as far as it is not shown already.
   * @param {Place} place
   */
  go({ view, grouping, key, query, sort }) {
    const group = grouping === null || key === null ? null : { by: grouping, key };
    this.#search.value = query;
    if (this.#shown && this.#store.view === view && isSame(this.#store.group, group)) {
      this.#change(() => {
        this.#setSort(new Sort(sort));
        this.#finder.set(query);
      });
    } else {
      this.#setSort(new Sort(sort));
      this.show(view, group);
    }
  }

  /**
   * Load and show another view.
   * @param {Status} view
   * @param {Group | null} [group] whose entries are the view
   */
  show(view, group = null) {
    this.#shown = true;
    this.#fault = null;
    this.#typeFilter.clear();
    this.#census.forget();
    this.#title.textContent = `${capital(view)} patterns`;
    this.#views.showCurrent(view);
    this.#loader.show(view, group, group === null ? this.#views.expected(view) : null);
    this.#finder.set(this.#search.value);
    this.#list.restart();
    this.draw();
  }

  /** Show the entries that are awake, or those that are not. */
  switchAsleep() {
    this.#change(() => this.#store.switchAsleep());
  }

  /** Show likely rejects, or fold them away. */
  switchFold() {
    this.#change(() => this.#store.switchFold());
  }

  /**
   * Offer the order by what is expected, or else leave it.
   * @param {boolean} shown
   * @param {string} words why it is not to be had
   */
  offerExpected(shown, words) {
    this.#sorting.offer(shown);
    if (shown || this.#sort.name !== EXPECTED) return;
    this.#chooseSort(new Sort(""));
    this.#signs.toast(`Sorted by impact. ${words}`);
  }

  /** The list is seen to its end: load what a long one goes on with. */
  more() {
    return this.#loader.more();
  }

  /** Resolves when the list shows what the search asks for, or the fault is told. */
  arrive() {
    return this.#finder.arrive();
  }

  /**
   * Hold as many of the entries that match as there are, or as many as asked for.
   * @param {number} most
   */
  async hold(most) {
    await this.#finder.arrive();
    for (let before = -1; this.#store.held > before && this.#store.shown.length < most; ) {
      before = this.#store.held;
      await this.#loader.more();
    }
  }

  reload() {
    this.#loader.reload();
  }

  /**
   * Apply one announced change.
   * @param {string} patternId
   * @param {QueueEntry | null} entry null when it was removed
   */
  apply(patternId, entry) {
    const { appeared, unsure } = this.#store.apply(patternId, entry);
    if (appeared && this.#store.complete) this.#arrived([patternId]);
    if (unsure) this.#loader.reload({ seconds: FOLLOWING_SECONDS });
    this.#finder.again();
    this.drawSoon();
  }

  focusSearch() {
    this.#search.focus();
    this.#search.select();
  }

  /** Sort the list by the next order. */
  cycleSort() {
    this.#sorting.cycle();
  }

  /** Sort the list the other way round. */
  reverseSort() {
    this.#sorting.reverse();
  }

  /** Show everything of the view again. */
  clearSearch() {
    writeAddress({ query: "" }, { step: this.#store.searched });
    this.#search.value = "";
    this.#change(() => {
      this.#finder.set("");
      this.#typeFilter.clear();
    });
  }

  /** However many changes arrive, the page is drawn once a frame. */
  drawSoon() {
    this.#frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
    this.#learn();
    this.#list.update();
    this.#typeFilter.draw();
    const { busy } = this.#loader;
    this.#standing.draw(this.#store, { busy, fault: this.#fault, expected: this.#views.expected(this.#store.view) });
    this.#drawn();
  }

  /**
   * Show another part of the view, or the same in another order. Of a long view the daemon is asked for that.
   * @param {() => void} change
   */
  #change(change) {
    const before = JSON.stringify(this.#store.listing);
    change();
    if (JSON.stringify(this.#store.listing) !== before) this.#loader.relist();
    this.#list.restart();
    this.draw();
  }

  // The statistics tell what the list does not hold.
  #learn() {
    const { view } = this.#store;
    this.#store.learn({ entries: this.#views.expected(view), savings: this.#views.claimed(view) });
  }

  /** @returns {Report} */
  #report() {
    return {
      lengthened: () => this.#finder.set(this.#search.value),
      progressed: () => this.drawSoon(),
      finished: (appeared) => {
        this.#fault = null;
        this.#arrived(appeared);
        this.#census.take();
        this.draw();
        this.#reloaded();
      },
      failed: ({ message, status }, retries) => {
        const misspelt = this.#store.long && this.#store.searched && UNREADABLE.has(status);
        this.#fault = misspelt ? null : { message, retries };
        if (misspelt) this.#finder.complain(message);
        this.draw();
      },
    };
  }

  /** @param {string[]} patternIds */
  #arrived(patternIds) {
    this.#list.mark(patternIds);
    if (this.#store.view === "pending") this.#signs.arrivals(patternIds.length);
  }

  /** @param {Sort} sort */
  #chooseSort(sort) {
    writeAddress({ sort: `${sort}` }, { step: true });
    this.#change(() => this.#setSort(sort));
    this.#signs.announce(`Sorted by ${sort.label}, ${sort.direction}`);
  }

  /** @param {Sort} sort */
  #setSort(sort) {
    this.#sort = sort;
    this.#store.sort(sort);
    this.#sorting.show(sort);
  }

  /** @param {string | null} type */
  #chooseType(type) {
    this.#change(() => this.#store.filterType(type));
    this.#announceFound();
  }

  #narrowed() {
    this.#list.restart();
    this.draw();
    this.#announceFound();
  }

  #announceFound() {
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => {
      const { total, size } = this.#store;
      if (total !== null) this.#signs.announce(`${plural(total, "pattern")} of ${count(size)} shown`);
    }, SEARCH_SETTLE_SECONDS * 1000);
  }

  #showAll() {
    this.clearSearch();
    this.#list.focus();
  }

  #tryAgain() {
    this.#list.focus(); // the button goes away
    this.#loader.retry();
    this.draw();
  }
}

/**
 * @param {Group | null} one
 * @param {Group | null} other
 */
function isSame(one, other) {
  return one?.by === other?.by && one?.key === other?.key;
}
