/**
 * @import { QueueEntry } from "wire"
 * @import { Api } from "./api.js"
 */

import { allById, build, fillList, setText } from "./dom.js";
import { capital, visible } from "./format.js";

// As the list is run through with a key.
const SETTLE_MILLISECONDS = 200;

/** How likely the open pattern is approved, and the reasons. Where it is not foretold, there is nothing. */
export class Likelihood {
  #api;
  #elements = allById("likelihood-section", "likelihood-text", "likelihood-reasons");
  #control = new AbortController();
  #shown = "";
  /** @type {number | undefined} */
  #timer;

  /** @param {{ api: Pick<Api, "likelihood"> }} parts */
  constructor({ api }) {
    this.#api = api;
  }

  /** @param {QueueEntry} entry */
  show({ pattern_id: patternId, likelihood, folded }) {
    const shown = JSON.stringify([patternId, likelihood, folded]);
    if (shown === this.#shown) return;
    this.stop();
    this.#shown = shown;
    this.#elements["likelihood-section"].hidden = likelihood === null;
    if (likelihood === null) return;
    const rule = folded ? ": a likely reject, which the order Expected folds away." : "";
    setText(this.#elements["likelihood-text"], `${chance(likelihood)}${rule}`);
    this.#elements["likelihood-reasons"].replaceChildren();
    this.#control = new AbortController();
    this.#timer = setTimeout(() => this.#load(patternId, this.#control.signal), SETTLE_MILLISECONDS);
  }

  /** Ignore the answer that is still to come. */
  stop() {
    this.#shown = "";
    clearTimeout(this.#timer);
    this.#control.abort();
  }

  /**
   * @param {string} patternId
   * @param {AbortSignal} signal
   */
  async #load(patternId, signal) {
    const found = await this.#api.likelihood(patternId, signal).catch(() => null);
    if (signal.aborted || found === null) return;
    fillList(this.#elements["likelihood-reasons"], found.reasons, (reason) =>
      build("li", {}, build("bdi", {}, visible(capital(reason)))),
    );
  }
}

/**
 * The same in a row; "" where nothing is foretold.
 * @param {Pick<QueueEntry, "likelihood" | "folded">} entry
 */
export function likely({ likelihood, folded }) {
  if (likelihood === null) return "";
  return folded ? `likely reject, ${chance(likelihood)}` : `${chance(likelihood)} likely`;
}

/**
 * In whole percents, as nobody can tell more; what is less than 10 % stays so, and nothing is certain.
 * @param {number} likelihood
 */
function chance(likelihood) {
  const percents = 100 * likelihood;
  if (percents < 1) return "under 1 %";
  return `${Math.min(percents < 10 ? Math.floor(percents) : Math.round(percents), 99)} %`;
}
