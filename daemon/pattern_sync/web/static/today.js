/** @import { Api } from "./api.js" */

import { byId, setText } from "./dom.js";
import { count } from "./format.js";
import { midnight } from "./log.js";

// Decisions come in bursts.
const SETTLE_SECONDS = 1;

/** How much of the queue was decided today, at the top of the page. */
export class Today {
  #api;
  #button = byId("log-button", HTMLButtonElement);
  /** @type {number | undefined} */
  #timer;

  /** @param {{ api: Pick<Api, "progress"> }} parts */
  constructor({ api }) {
    this.#api = api;
  }

  /** Count anew, in a moment. */
  refresh() {
    this.#timer ??= setTimeout(() => this.#load(), SETTLE_SECONDS * 1000);
  }

  async #load() {
    this.#timer = undefined;
    // Without an answer, what is shown stays: the page says by other signs that the daemon is away.
    const progress = await this.#api.progress(midnight()).catch(() => null);
    if (!progress) return;
    const { decided_today: decided, pending } = progress;
    setText(this.#button, decided === 0 ? "Log" : `${count(decided)} of ${count(decided + pending)} today`);
    const people = Object.entries(progress.by_reviewer).map(([name, number]) => `${name}: ${count(number)}`);
    this.#button.title = ["Decided today, and the log of decisions (l)", ...people].join("\n");
  }
}
