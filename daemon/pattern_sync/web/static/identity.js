/** @import { Reviewer } from "wire" */

/** Who this person is to the daemon: a proxy may have signed them in, and then only the proxy names them. */
export class Identity {
  #api;
  /** @type {Reviewer} */
  #known = { name: null, fixed: false, detail: null };

  /** @param {{ api: { reviewer: () => Promise<Reviewer> } }} parts */
  constructor({ api }) {
    this.#api = api;
  }

  get known() {
    return this.#known;
  }

  /** Ask anew: another person may have signed in since. Without an answer, what is known stays. */
  async refresh() {
    this.#known = await this.#api.reviewer().catch(() => this.#known);
  }
}
