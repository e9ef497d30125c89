/**
 * @import { TestContext } from "node:test"
 * @import { QueueEntry } from "wire"
 * @import { Listing } from "../../daemon/pattern_sync/web/static/api.js"
 */

import assert from "node:assert/strict";
import { ApiError } from "../../daemon/pattern_sync/web/static/api-error.js";
import { Loader } from "../../daemon/pattern_sync/web/static/loader.js";
import { Store } from "../../daemon/pattern_sync/web/static/store.js";
import { Clock, entry, ids, settle } from "./support.js";

/** @typedef {{ entries: QueueEntry[], next: string | null, total: number | null }} Page */

/** A request for a page, which a test answers when it likes. */
class Request {
  /** @type {((page: Page) => void) | undefined} */
  #resolve;
  /** @type {((fault: unknown) => void) | undefined} */
  #reject;
  /** @type {Promise<Page>} */
  page = new Promise((resolve, reject) => {
    this.#resolve = resolve;
    this.#reject = reject;
  });

  /**
   * @param {Listing} listing
   * @param {string | null} place
   * @param {AbortSignal} signal
   */
  constructor(listing, place, signal) {
    this.listing = listing;
    this.status = listing.status;
    this.place = place;
    this.limit = listing.limit;
    this.signal = signal;
  }

  /**
   * @param {QueueEntry[]} entries
   * @param {string | null} [next]
   * @param {number | null} [total]
   */
  answer(entries, next = null, total = entries.length) {
    this.#resolve?.({ entries, next, total });
    return settle();
  }

  /** @param {unknown} fault */
  fail(fault) {
    this.#reject?.(fault);
    return settle();
  }

  /** @param {number} status */
  refuse(status) {
    return this.fail(new ApiError(status, "refused"));
  }
}

/** A loader with everything that it asks and reports. */
export class Loading {
  /** @type {Request[]} */
  requests = [];
  /** @type {string[]} */
  reports = [];
  store = new Store();
  loader = new Loader({
    api: {
      page: (listing, place, signal) => {
        const request = new Request(listing, place, signal);
        this.requests.push(request);
        return request.page;
      },
    },
    store: this.store,
    report: {
      lengthened: () => this.reports.push("lengthened"),
      progressed: () => this.reports.push("progressed"),
      finished: (appeared) => this.reports.push(`finished ${appeared}`),
      failed: ({ message }, retries) => this.reports.push(`failed ${message} ${retries}`),
    },
  });

  /** @param {TestContext} context */
  constructor(context) {
    this.clock = new Clock(context);
  }

  /** The request that waits for its answer. */
  get last() {
    const request = this.requests.at(-1);
    assert.ok(request, "nothing was asked");
    return request;
  }

  get outcome() {
    return this.reports.at(-1);
  }

  get shown() {
    return ids(this.store.shown);
  }

  /** @param {...string} patternIds */
  async loadOnce(...patternIds) {
    this.loader.show("pending");
    await this.last.answer(patternIds.map((id) => entry(id)));
  }
}
