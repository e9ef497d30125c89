/**
 * @import { Status } from "wire"
 * @import { ApiError } from "./api-error.js"
 * @import { Api } from "./api.js"
 * @import { Group, Store } from "./store.js"
 */

import { asApiError } from "./api-error.js";

/**
 * @typedef {object} Report
 * @property {() => void} progressed
 * @property {(appeared: string[]) => void} finished with the ids that are new to a view that was complete
 * @property {(fault: ApiError, retries: boolean) => void} failed
 */

const PAUSE_SECONDS = 2;
const RETRY_SECONDS = 5;

/** Loads a view page by page into the store. One load runs at a time; a reload requested meanwhile follows it. */
export class Loader {
  #api;
  #store;
  #report;
  /** @type {AbortController | null} */
  #running = null;
  #again = false;
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

  /** How long the last complete load took. */
  get seconds() {
    return this.#seconds;
  }

  /**
   * Forget what is shown and load another view.
   * @param {Status} view
   * @param {Group | null} [group] whose entries are the view
   */
  show(view, group = null) {
    this.#running?.abort();
    this.#running = null;
    this.#again = false;
    this.#store.reset(view, group);
    this.#start();
  }

  /** Load the view once more; the old content stays until the new one is complete. */
  reload() {
    if (this.#running) this.#again = true;
    else this.#startIn(Math.max(this.#startedAt + PAUSE_SECONDS * 1000, this.#notBefore) - performance.now());
  }

  /** Load the view once more, without a pause: a person has asked for it. */
  retry() {
    if (!this.#running) this.#start();
  }

  /** @param {number} milliseconds */
  #startIn(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#start(), Math.max(0, milliseconds));
  }

  async #start() {
    clearTimeout(this.#timer);
    const control = new AbortController();
    this.#running = control;
    this.#startedAt = performance.now();
    let fault = null;
    try {
      await this.#loadPages(control.signal);
    } catch (caught) {
      fault = caught;
    }
    if (control !== this.#running) return;
    this.#running = null;
    if (fault === null) this.#finish();
    else this.#fail(asApiError(fault));
  }

  /** @param {AbortSignal} signal */
  async #loadPages(signal) {
    this.#store.beginLoad();
    this.#report.progressed();
    /** @type {string | null} */
    let place = null;
    do {
      const { entries, next } = await this.#api.page(this.#store.listing, place, signal);
      if (signal.aborted) return;
      this.#store.addPage(entries);
      this.#report.progressed();
      place = next;
    } while (place !== null);
  }

  #finish() {
    this.#notBefore = Number.NEGATIVE_INFINITY;
    this.#seconds = (performance.now() - this.#startedAt) / 1000;
    const again = this.#takeAgain();
    this.#report.finished(this.#store.finishLoad());
    if (again) this.reload();
  }

  /** @param {ApiError} fault */
  #fail(fault) {
    this.#store.abandonLoad();
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
