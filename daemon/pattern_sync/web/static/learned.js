/**
 * @import { Message, ModelReport } from "wire"
 * @import { Api } from "./api.js"
 */

import { byId, setText } from "./dom.js";
import { capital, count, percent, plural } from "./format.js";

// A daemon learns after its sweeps, minutes apart; the answer counts all decisions that there are.
const SETTLE_SECONDS = 30;
// So long a daemon may take to foretell what has just come.
const FORETELLING_SECONDS = 5;

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
  /** @type {number | undefined} */
  #foretelling;

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

  /** @param {{ soon?: boolean }} [options] `soon`: not at once, but with all that asks for it meanwhile */
  refresh({ soon = true } = {}) {
    if (soon) this.#timer ??= setTimeout(() => this.#load(), SETTLE_SECONDS * 1000);
    else this.#load();
  }

  /** @param {Message} message */
  receive(message) {
    if (message.type === "state" || message.type === "changes") this.refresh();
    // What has just come is foretold a moment later, and no message tells that.
    if (message.type !== "changes" || !this.shown || !message.changes.some(isNotForetold)) return;
    this.#foretelling ??= setTimeout(() => {
      this.#foretelling = undefined;
      this.#reload();
    }, FORETELLING_SECONDS * 1000);
  }

  async #load() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
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

/** @param {Extract<Message, { type: "changes" }>["changes"][number]} change */
function isNotForetold({ entry }) {
  return entry?.status === "pending" && entry.likelihood === null;
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
