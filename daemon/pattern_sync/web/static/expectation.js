/**
 * @import { PatternRoi } from "wire"
 * @import { Api } from "./api.js"
 */

import { allById, setText } from "./dom.js";
import { money } from "./format.js";

// As the list is run through with a key.
const SETTLE_MILLISECONDS = 200;

/** What the estimate of the open pattern is worth by the results of its kind. A help: without an answer there is none. */
export class Expectation {
  #api;
  #elements = allById("expectation-section", "expectation-text", "expectation-result");
  #control = new AbortController();
  /** @type {number | undefined} */
  #timer;

  /** @param {{ api: Pick<Api, "roiOf"> }} parts */
  constructor({ api }) {
    this.#api = api;
  }

  /** @param {string} patternId */
  start(patternId) {
    this.stop();
    this.#elements["expectation-section"].hidden = true;
    this.#control = new AbortController();
    this.#timer = setTimeout(() => this.#load(patternId, this.#control.signal), SETTLE_MILLISECONDS);
  }

  /** Ignore the answer that is still to come. */
  stop() {
    clearTimeout(this.#timer);
    this.#control.abort();
  }

  /**
   * @param {string} patternId
   * @param {AbortSignal} signal
   */
  async #load(patternId, signal) {
    const found = await this.#api.roiOf(patternId, signal).catch(() => null);
    if (signal.aborted || found === null) return;
    const { expected, result } = expectationTexts(found);
    setText(this.#elements["expectation-text"], expected);
    setText(this.#elements["expectation-result"], result);
    this.#elements["expectation-section"].hidden = expected === "" && result === "";
  }
}

/** @param {PatternRoi} found */
export function expectationTexts({ expected, standing, remark, saved_usd: saved, runs }) {
  return {
    expected: expected === null ? "" : `To expect: ${money(expected.expected_usd)} a month. ${expected.words}`,
    result: standing === "undecided" ? "" : `${remark}${runs > 0 ? ` ${money(saved)} saved so far.` : ""}`,
  };
}
