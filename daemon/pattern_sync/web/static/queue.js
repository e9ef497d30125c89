/**
 * @import { QueueEntry, Status } from "wire"
 * @import { Place } from "./address.js"
 * @import { Api } from "./api.js"
 * @import { VirtualList } from "./list.js"
 * @import { Report } from "./loader.js"
 * @import { Signs } from "./signs.js"
 * @import { Group, Store } from "./store.js"
 * @import { Views } from "./views.js"
 */

import { writeAddress } from "./address.js";
import { byId } from "./dom.js";
import { Finder } from "./finder.js";
import { capital, count, money, plural } from "./format.js";
import { Loader } from "./loader.js";
import { Sort } from "./order.js";
import { Sorting } from "./sorting.js";
import { TypeFilter } from "./type-filter.js";

/** @typedef {{ reason: string, text: string, more?: string, action?: string }} EmptyTexts */

const SEARCH_SETTLE_SECONDS = 1;

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
  #sorting = new Sorting({ choose: (sort) => this.#chooseSort(sort) });
  /** @type {{ message: string, retries: boolean } | null} */
  #fault = null;
  /** @type {number | null} */
  #frame = null;
  #shown = false;
  /** @type {number | undefined} */
  #settle;
  #queue = byId("queue", HTMLElement);
  #title = byId("queue-title", HTMLElement);
  #search = byId("search", HTMLInputElement);
  #summary = byId("summary", HTMLElement);
  #progress = byId("progress", HTMLProgressElement);
  #notice = byId("fault", HTMLElement);
  #noticeText = byId("fault-text", HTMLElement);
  #empty = byId("empty", HTMLElement);
  #emptyText = byId("empty-text", HTMLElement);
  #emptyMore = byId("empty-more", HTMLElement);
  #emptyAction = byId("empty-action", HTMLButtonElement);

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
    this.#typeFilter = new TypeFilter({ store, changed: () => this.#narrow() });
    this.#finder = new Finder({ api, store, changed: () => this.#narrow() });
    this.#search.addEventListener("input", () => {
      // Back leads to the list as it was before the search, not from letter to letter.
      writeAddress({ query: this.#search.value }, { step: !store.searched });
      this.#finder.seek(this.#search.value);
      this.#narrow();
    });
    this.#search.form?.addEventListener("submit", (event) => event.preventDefault());
    byId("fault-retry", HTMLButtonElement).addEventListener("click", () => this.#tryAgain());
    this.#emptyAction.addEventListener("click", () => this.#emptyActionChosen());
  }

  get narrowed() {
    return this.#store.narrowed;
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
    this.#setSort(new Sort(sort));
    this.#search.value = query;
    this.#finder.seek(query);
    const group = grouping === null || key === null ? null : { by: grouping, key };
    if (this.#shown && this.#store.view === view && isSame(this.#store.group, group)) {
      this.#list.restart();
      this.draw();
    } else this.show(view, group);
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
    this.#title.textContent = `${capital(view)} patterns`;
    this.#views.showCurrent(view);
    this.#loader.show(view, group);
    this.#finder.seek(this.#search.value);
    this.#list.restart();
    this.draw();
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
    const appeared = this.#store.apply(patternId, entry);
    if (appeared && this.#store.complete) this.#arrived([patternId]);
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
    this.#finder.seek("");
    this.#typeFilter.clear();
    this.draw();
  }

  /** However many changes arrive, the page is drawn once a frame. */
  drawSoon() {
    this.#frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
    this.#list.update();
    this.#typeFilter.draw();
    this.#drawSummary();
    this.#drawNotice();
    this.#drawEmpty();
    this.#drawn();
  }

  /** @returns {Report} */
  #report() {
    return {
      progressed: () => this.drawSoon(),
      finished: (appeared) => {
        this.#fault = null;
        this.#arrived(appeared);
        this.draw();
        this.#reloaded();
      },
      failed: ({ message }, retries) => {
        this.#fault = { message, retries };
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
    this.#setSort(sort);
    this.#list.restart();
    this.draw();
    this.#signs.announce(`Sorted by ${sort.label}, ${sort.direction}`);
  }

  /** @param {Sort} sort */
  #setSort(sort) {
    this.#store.sort(sort);
    this.#sorting.show(sort);
  }

  #narrow() {
    this.#list.restart();
    this.draw();
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => {
      this.#signs.announce(`${plural(this.#store.shown.length, "pattern")} of ${count(this.#store.size)} shown`);
    }, SEARCH_SETTLE_SECONDS * 1000);
  }

  #drawSummary() {
    const { size, shown, complete, narrowed, loading } = this.#store;
    const expected = this.#views.expected(this.#store.view) ?? 0;
    const { busy } = this.#loader;
    this.#queue.setAttribute("aria-busy", String(busy && !complete));
    this.#progress.hidden = !busy || expected <= loading;
    this.#progress.max = expected || 1;
    this.#progress.value = Math.min(loading, expected);
    const found = narrowed ? `${count(shown.length)} of ` : "";
    const inAll = expected > size ? `, ${count(expected)} in all` : "";
    const savings = `${money(this.#store.shownSavings)} a month`;
    if (complete) this.#summary.textContent = `${found}${plural(size, "pattern")} · ${savings}`;
    else this.#summary.textContent = size === 0 ? "" : `${found}${count(size)} loaded${inAll}`;
  }

  #drawNotice() {
    const { size, complete } = this.#store;
    this.#notice.hidden = !this.#fault || size === 0;
    if (!this.#fault || size === 0) return;
    const what = complete ? "The list could not be reloaded" : `Only ${plural(size, "pattern")} could be loaded`;
    this.#noticeText.textContent = `${what}. ${this.#fault.message}`;
  }

  #drawEmpty() {
    const texts = this.#emptyTexts();
    this.#empty.hidden = texts === null;
    if (!texts) return;
    this.#empty.dataset.reason = texts.reason;
    this.#emptyText.textContent = texts.text;
    this.#emptyMore.textContent = texts.more ?? "";
    this.#emptyAction.hidden = !texts.action;
    this.#emptyAction.textContent = texts.action ?? "";
  }

  /** @returns {EmptyTexts | null} */
  #emptyTexts() {
    const { size, shown, complete, view } = this.#store;
    if (shown.length > 0) return null;
    if (size > 0) return { reason: "no-match", text: "No pattern matches.", action: "Show all" };
    if (complete && view === "pending") {
      return { reason: "done", text: "Nothing to decide.", more: "New patterns appear here as they arrive." };
    }
    if (complete) return { reason: "none", text: `No ${view} patterns.` };
    if (!this.#loader.busy && this.#fault) {
      const { message, retries } = this.#fault;
      const more = retries ? `${message} The page will try again automatically.` : message;
      return { reason: "fault", text: "The patterns could not be loaded.", more, action: "Try again" };
    }
    return { reason: "loading", text: "Loading…" };
  }

  #emptyActionChosen() {
    if (this.#empty.dataset.reason === "fault") {
      this.#tryAgain();
      return;
    }
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
