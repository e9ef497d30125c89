/**
 * @import { Status } from "wire"
 * @import { ApiError } from "./api-error.js"
 * @import { Api } from "./api.js"
 * @import { Group, Store } from "./store.js"
 */

import { USUAL_SORT } from "./address.js";
import { PAGE_SIZE } from "./api.js";
import { asApiError } from "./api-error.js";

/**
 * @typedef {object} Report
 * @property {() => void} lengthened called when the view turns out to be too long to be held
 * @property {() => void} progressed
 * @property {(appeared: string[]) => void} finished with the ids that are new to a view that was complete
 * @property {(fault: ApiError, retries: boolean) => void} failed
 *
 * What is loaded: of a long list how many pages, whether they follow those that are held, and whether another list was
 * held before, to which nothing is new.
 * @typedef {{ pages: number, more: boolean, other: boolean }} Part
 */

/** The longest view that is held as a whole: its search and its order need no answer of the daemon. */
export const MOST_HELD = 5000;
// Of a view that is new more than fills the screen, so that nobody waits for what is not seen.
const FIRST_PAGE_SIZE = 50;
const PAUSE_SECONDS = 2;
const RETRY_SECONDS = 5;
/** @type {Readonly<Part>} */
const BEGINNING = { pages: 1, more: false, other: true };

/**
 * Loads a view page by page into the store; of one that is too long only what is looked at. One load runs at a time; a
 * reload requested meanwhile follows it.
 */
export class Loader {
  #api;
  #store;
  #report;
  /** @type {AbortController | null} */
  #running = null;
  /** @type {Promise<void>} */
  #ended = Promise.resolve();
  #part = BEGINNING;
  /** @type {string | null} */
  #next = null;
  #again = false;
  #failed = false;
  /** @type {number | undefined} */
  #timer;
  #startedAt = Number.NEGATIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;
  #seconds = 0;

  /** @param {{ api: Pick<Api, "page">, store: Store, report: Report }} parts */
  constructor({ api, store, report }) {
    this.#api = api;
    this.#store = store;
    this.#report = report;
  }

  get busy() {
    return this.#running !== null;
  }

  /** Whether the pause that the last failure asked for is not over. */
  get paused() {
    return performance.now() < this.#notBefore;
  }

  /** How long the last load took. */
  get seconds() {
    return this.#seconds;
  }

  /**
   * Forget what is shown and load another view.
   * @param {Status} view
   * @param {Group | null} [group] whose entries are the view
   * @param {number | null} [expected] how many entries it has, where that is known
   */
  show(view, group = null, expected = null) {
    this.#stop();
    this.#store.reset(view, group);
    if ((expected ?? 0) > MOST_HELD) this.#lengthen();
    this.#start(BEGINNING);
  }

  /**
   * Another part of a long view is asked for: load the beginning of that. The old content stays until it is there.
   * Resolves when it is, or is not to be had.
   */
  relist() {
    this.#stop();
    this.#start(BEGINNING);
    return this.#ended;
  }

  /**
   * Load the view once more; the old content stays until the new one is complete.
   * @param {{ seconds?: number }} [options] `seconds`: not before these are over
   */
  reload({ seconds = 0 } = {}) {
    if (this.#running) {
      this.#again = true;
      return;
    }
    const rested = Math.max(this.#startedAt + PAUSE_SECONDS * 1000, this.#notBefore) - performance.now();
    this.#startIn(Math.max(rested, seconds * 1000));
  }

  /** Load what a long list goes on with; resolves when that is there, or is not to be had. */
  async more() {
    if (this.#next === null || this.#failed) return;
    if (!this.#running) this.#start({ pages: 1, more: true, other: false });
    await this.#ended;
  }

  /** Do what has failed once more, without a pause: a person has asked for it. */
  retry() {
    if (!this.#running) this.#start(this.#part);
  }

  // Then the first page of the whole view is the list's, too: those that are snoozed are in it, and are not shown.
  get #isUsual() {
    const { q, sort } = this.#store.listing;
    return q === undefined && sort === USUAL_SORT;
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = null;
    this.#again = false;
    this.#next = null;
  }

  #lengthen() {
    this.#store.lengthen();
    this.#report.lengthened();
  }

  /** @param {number} milliseconds */
  #startIn(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#start(this.#whole()), Math.max(0, milliseconds));
  }

  // All that is held, though not more than of a list that is held as a whole.
  #whole() {
    const held = Math.min(this.#store.held, MOST_HELD);
    return { pages: Math.max(1, Math.ceil(held / PAGE_SIZE)), more: false, other: false };
  }

  /** @param {Part} part */
  #start(part) {
    clearTimeout(this.#timer);
    this.#part = part;
    this.#failed = false;
    this.#ended = this.#load(part);
  }

  /** @param {Part} part */
  async #load(part) {
    const control = new AbortController();
    this.#running = control;
    this.#startedAt = performance.now();
    let fault = null;
    let total = null;
    try {
      total = await this.#loadPages(part, control.signal);
    } catch (caught) {
      fault = caught;
    }
    if (control !== this.#running) return;
    this.#running = null;
    if (fault === null) this.#finish(total);
    else this.#fail(asApiError(fault));
  }

  /**
   * @param {Part} part
   * @param {AbortSignal} signal
   * @returns {Promise<number | null>} how many entries the list has, where the daemon says that
   */
  async #loadPages(part, signal) {
    const { pages, more } = part;
    this.#store.beginLoad({ more });
    this.#report.progressed();
    let place = more ? this.#next : null;
    for (let page = 1; ; page += 1) {
      const { entries, next, total } = await this.#api.page(this.#asked(part, page), place, signal);
      if (signal.aborted) return null;
      if (!this.#store.long && next !== null && (total ?? Number.POSITIVE_INFINITY) > MOST_HELD) {
        this.#lengthen();
        if (!this.#isUsual) return this.#loadPages(BEGINNING, signal);
      }
      this.#store.addPage(entries);
      this.#report.progressed();
      place = next;
      if (place === null || (this.#store.long && page >= pages)) {
        this.#next = place;
        return total;
      }
    }
  }

  /**
   * @param {Part} part
   * @param {number} page the first is 1
   */
  #asked({ other, more }, page) {
    const { listing, held } = this.#store;
    if (other && page === 1) return { ...listing, limit: FIRST_PAGE_SIZE };
    // The first page of a long list is filled up, as a reload asks for whole ones.
    return more && held <= FIRST_PAGE_SIZE ? { ...listing, limit: PAGE_SIZE - FIRST_PAGE_SIZE } : listing;
  }

  /** @param {number | null} total */
  #finish(total) {
    this.#notBefore = Number.NEGATIVE_INFINITY;
    this.#seconds = (performance.now() - this.#startedAt) / 1000;
    const again = this.#takeAgain();
    const appeared = this.#store.finishLoad({ partial: this.#next !== null, total });
    this.#report.finished(this.#part.other ? [] : appeared);
    if (again) this.reload();
  }

  /** @param {ApiError} fault */
  #fail(fault) {
    this.#store.abandonLoad();
    this.#failed = true;
    this.#notBefore = performance.now() + fault.waitSeconds * 1000;
    // Asking again does not change a refusal.
    const retries = this.#takeAgain() || fault.status === 0 || fault.status >= 500;
    if (retries) this.#startIn(Math.max(RETRY_SECONDS, fault.waitSeconds) * 1000);
    this.#report.failed(fault, retries);
  }

  #takeAgain() {
    const again = this.#again;
    this.#again = false;
    return again;
  }
}
