/**
 * @import { EntryGroup, Grouping, Snoozed, Status } from "wire"
 * @import { ApiError } from "./api-error.js"
 * @import { Api } from "./api.js"
 */

import { asApiError } from "./api-error.js";

/**
 * Whose groups are asked for.
 * @typedef {{ by: Grouping, status: Status, q: string, snoozed: Snoozed }} Whose
 */

/** As many as one answer of the daemon has. */
const MOST_GROUPS = 500;
const TYPING_SECONDS = 0.25;
const PAUSE_SECONDS = 2;
// So long what the daemon counts may be older than a change.
const FOLLOWING_SECONDS = 0.5;

/** The groups of a list, as the daemon counts them. Knows nothing of the page. */
export class Groups {
  #api;
  #changed;
  /** @type {Whose | null} */
  #whose = null;
  /** @type {EntryGroup[]} */
  #rows = [];
  #total = 0;
  #complete = false;
  /** @type {ApiError | null} */
  #fault = null;
  /** @type {AbortController | null} */
  #asking = null;
  #again = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** @type {number | undefined} */
  #timer;

  /** @param {{ api: Pick<Api, "groups">, changed: () => void }} parts */
  constructor({ api, changed }) {
    this.#api = api;
    this.#changed = changed;
  }

  /** Those worth most, first. */
  get rows() {
    return this.#rows;
  }

  /** How many there are, those included that are not among the rows. */
  get total() {
    return this.#total;
  }

  /** Whether the rows are those that were asked for. */
  get complete() {
    return this.#complete;
  }

  get fault() {
    return this.#fault;
  }

  /**
   * Ask for groups; nothing happens where these are shown already, and those of a list that is being typed wait a moment.
   * @param {Whose | null} whose null for none
   */
  show(whose) {
    if (JSON.stringify(whose) === JSON.stringify(this.#whose)) return;
    const typed = whose?.by === this.#whose?.by && whose?.status === this.#whose?.status;
    this.#stop();
    this.#whose = whose;
    this.#complete = false;
    this.#fault = null;
    if (!typed) this.#rows = [];
    if (whose) this.#askIn(typed ? TYPING_SECONDS : 0);
  }

  /** Something has changed: count once more, soon after a quiet time, though not all the time. */
  refresh() {
    if (this.#whose === null) return;
    const rested = (performance.now() - this.#askedAt) / 1000;
    if (this.#asking) this.#again = true;
    else this.#askIn(Math.max(FOLLOWING_SECONDS, PAUSE_SECONDS - rested));
  }

  /** A person asks once more. */
  retry() {
    if (this.#whose && !this.#asking) this.#askIn(0);
  }

  // Asking again does not change a refusal.
  get #retries() {
    return this.#fault !== null && (this.#fault.status === 0 || this.#fault.status >= 500);
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#asking?.abort();
    this.#asking = null;
    this.#again = false;
  }

  /** @param {number} seconds */
  #askIn(seconds) {
    if (seconds > 0 && this.#timer !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), seconds * 1000);
  }

  async #ask() {
    this.#timer = undefined;
    const whose = this.#whose;
    if (!whose) return;
    const asking = new AbortController();
    this.#asking = asking;
    this.#askedAt = performance.now();
    const { q, ...rest } = whose;
    try {
      const { groups, total } = await this.#api.groups({ ...rest, ...(q && { q }), limit: MOST_GROUPS }, asking.signal);
      if (asking !== this.#asking) return;
      this.#rows = groups;
      this.#total = total ?? groups.length;
      this.#complete = true;
      this.#fault = null;
    } catch (caught) {
      if (asking !== this.#asking) return;
      this.#fault = asApiError(caught);
    }
    this.#asking = null;
    if (this.#again || this.#retries) this.#askIn(Math.max(PAUSE_SECONDS, this.#fault?.waitSeconds ?? 0));
    this.#again = false;
    this.#changed();
  }
}
