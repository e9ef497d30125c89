/**
 * @import { Api } from "./api.js"
 * @import { Views } from "./views.js"
 */

import { asApiError } from "./api-error.js";

/** The figures of the views while no live message brings them. */
export class Counts {
  #api;
  #views;
  #isLive;
  #isPaused;
  #asked;

  /**
   * @param {object} parts
   * @param {Pick<Api, "statistics">} parts.api
   * @param {Views} parts.views
   * @param {() => boolean} parts.isLive whether messages bring the figures
   * @param {() => boolean} parts.isPaused whether the daemon is to be left alone
   * @param {() => void} parts.asked called when it has answered, or has not
   */
  constructor({ api, views, isLive, isPaused, asked }) {
    this.#api = api;
    this.#views = views;
    this.#isLive = isLive;
    this.#isPaused = isPaused;
    this.#asked = asked;
  }

  /** Resolves to why the daemon did not answer; while live, or while it is to be left alone, it is not asked. */
  async refresh() {
    if (this.#isLive() || this.#isPaused()) return null;
    try {
      const counts = await this.#api.statistics();
      if (!this.#isLive()) this.#views.showCounts(counts);
    } catch (fault) {
      return asApiError(fault);
    } finally {
      this.#asked();
    }
    return null;
  }
}
