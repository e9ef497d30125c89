/**
 * @import { QueueEntry, SimilarEntry, Step } from "wire"
 * @import { Api } from "./api.js"
 */

import { allById, build, closest, fillList } from "./dom.js";
import { money, visible } from "./format.js";

const MOST_LISTED = 10;
// After what is asked for every pattern: many compare with hundreds, and few are looked at for so long.
const SETTLE_MILLISECONDS = 400;

/** What waits and is like the pattern that is open, by what is different. A help: without an answer there is none. */
export class Similar {
  #api;
  #elements = allById("similar-section", "similar");
  #control = new AbortController();
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {object} parts
   * @param {Pick<Api, "similar">} parts.api
   * @param {(patternId: string) => void} parts.choose called with the pattern that a person wants to see
   */
  constructor({ api, choose }) {
    this.#api = api;
    this.#elements.similar.addEventListener("click", (event) => {
      const patternId = closest(event, "[data-similar-id]")?.dataset.similarId;
      if (patternId !== undefined) choose(patternId);
    });
  }

  /** @param {string} patternId */
  start(patternId) {
    this.stop();
    this.#elements["similar-section"].hidden = true;
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
    const found = await this.#api.similar(patternId, MOST_LISTED, signal).catch(() => []);
    if (signal.aborted) return;
    this.#elements["similar-section"].hidden = found.length === 0;
    fillList(this.#elements.similar, found, similarItem);
  }
}

/** @param {SimilarEntry} found */
function similarItem({ entry, difference }) {
  const steps = difference.map(({ tool, change }) => {
    const step = build("span", { className: `step is-${change}` });
    step.append(change === "added" ? "+ " : "− ", build("bdi", {}, visible(tool)));
    return step;
  });
  const button = build(
    "button",
    { type: "button", className: "quiet" },
    build("span", { className: "unseen" }, similarText(entry, difference)),
    build("bdi", { className: "similar-id", ariaHidden: "true" }, visible(entry.pattern_id)),
    build("span", { className: "soft figure", ariaHidden: "true" }, money(entry.estimated_savings_usd)),
    build("span", { className: "difference", ariaHidden: "true" }, ...(steps.length > 0 ? steps : ["the same steps"])),
  );
  button.dataset.similarId = entry.pattern_id;
  return build("li", {}, button);
}

/**
 * "test:pytest:docs, 2,300.00 USD a month, without Read, with Grep"
 * @param {Pick<QueueEntry, "pattern_id" | "estimated_savings_usd">} entry
 * @param {Step[]} difference
 */
export function similarText(entry, difference) {
  const steps = difference.map(({ tool, change }) => `${change === "added" ? "with" : "without"} ${visible(tool)}`);
  const figures = `${visible(entry.pattern_id)}, ${money(entry.estimated_savings_usd)} a month`;
  return [figures, ...(steps.length > 0 ? steps : ["the same steps"])].join(", ");
}
