/**
 * @import { Message, ModelReport } from "wire"
 * @import { Api } from "./api.js"
 */

import { byId, setText } from "./dom.js";
import { capital, count, percent, plural } from "./format.js";

// A daemon learns after its sweeps, minutes apart; the answer counts all decisions that there are.
const SETTLE_SECONDS = 30;
// Of everything it is told at once, as when likelihoods are shown from now on; of a bulk change, too.
const AT_ONCE_SECONDS = 0.5;

/** What was learned from decisions, as far as it stands: whether likelihoods are shown, and why not. */
export class Learned {
  #api;
  #changed;
  #reload;
  #text = byId("overview-model", HTMLElement);
  /** @type {ModelReport | null} */
  #report = null;
  /** @type {number | undefined} */
  #timer;
  #dueAt = Number.POSITIVE_INFINITY;

  /**
   * @param {object} parts
   * @param {Pick<Api, "model">} parts.api
   * @param {(learned: Learned) => void} parts.changed called when it is known whether likelihoods are shown
   * @param {() => void} parts.reload called when entries have other likelihoods than the page knows
   */
  constructor({ api, changed, reload }) {
    this.#api = api;
    this.#changed = changed;
    this.#reload = reload;
  }

  get shown() {
    return this.#report?.shown ?? false;
  }

  /** Why, in a sentence. */
  get words() {
    return this.#report ? sentence(this.#report.words) : "It is not known yet what was learned.";
  }

  /** @param {{ seconds?: number }} [options] `seconds` from now at the latest, with all that asks for it meanwhile */
  refresh({ seconds = SETTLE_SECONDS } = {}) {
    const dueAt = performance.now() + seconds * 1000;
    if (this.#dueAt <= dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => this.#load(), seconds * 1000);
  }

  /** @param {Message} message */
  receive(message) {
    if (message.type === "state") this.refresh({ seconds: AT_ONCE_SECONDS });
    else if (message.type === "changes") this.refresh();
  }

  async #load() {
    this.#dueAt = Number.POSITIVE_INFINITY;
    // Without an answer, what is shown stays.
    const report = await this.#api.model().catch(() => null);
    if (!report) return;
    const before = this.#report;
    this.#report = report;
    setText(this.#text, modelText(report));
    this.#text.hidden = report.decisions === 0;
    this.#changed(this);
    const anew = before?.shown !== report.shown || before.trained_at !== report.trained_at;
    if (before && anew && (before.shown || report.shown)) this.#reload();
  }
}

/**
 * How learning stands and, while it is shown, what the fold costs.
 * @param {Pick<ModelReport, "words" | "shown" | "fold">} report
 */
export function modelText({ words, shown, fold }) {
  const standing = sentence(words);
  if (!shown) return standing;
  const folded = `The order Expected folds ${plural(fold.entries, "likely reject")} away`;
  if (fold.tried === 0) return `${standing} ${folded}; none was decided in place yet.`;
  const lost = `${fold.lost === 0 ? "none" : count(fold.lost)} of ${count(fold.tried)} that were decided in place`;
  const most = percent(Math.round(100 * fold.lost_share_at_most) / 100);
  return `${standing} ${folded}; ${lost} ${fold.lost > 1 ? "were" : "was"} approved, so at most ${most} are lost.`;
}

/** @param {string} words of which settings stand in backquotes */
function sentence(words) {
  return `${capital(words.replaceAll("`", ""))}.`;
}
