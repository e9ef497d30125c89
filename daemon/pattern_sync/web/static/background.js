/**
 * @import { Criterion, HistoryItem, Reasons } from "wire"
 * @import { ApiError } from "./api-error.js"
 * @import { Api } from "./api.js"
 */

import { asApiError } from "./api-error.js";
import { allById, build, byId, fillList, setAttribute, setText } from "./dom.js";
import { capital, reviewerText, time, visible, visibleLines } from "./format.js";

// Running through the list with a key must not ask for every pattern on the way.
const SETTLE_MILLISECONDS = 120;
const GONE = "The detector has deleted this pattern. Its entry still waits for a decision.";
const FOREIGN = "Written by another program, with no pattern behind it. It still waits for a decision.";

/** What the daemon knows about the selected pattern beyond its entry: why it is in the queue, and its history. */
export class Background {
  #api;
  #retryButton;
  #elements = allById(
    "why-section",
    "why-text",
    "criteria",
    "criteria-rows",
    "history-section",
    "history-text",
    "history",
  );
  #patternId = "";
  /** @type {AbortController | null} */
  #control = null;
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {object} parts
   * @param {Api} parts.api
   * @param {(retry: () => void) => HTMLElement} parts.retryButton builds what a person asks again with
   */
  constructor({ api, retryButton }) {
    this.#api = api;
    this.#retryButton = retryButton;
  }

  /**
   * Forget what is shown and ask about another pattern.
   * @param {string} patternId
   */
  start(patternId) {
    this.stop();
    this.#patternId = patternId;
    setText(this.#elements["why-text"], "");
    setText(this.#elements["history-text"], "");
    this.#elements.criteria.hidden = true;
    this.#elements.history.replaceChildren();
    setAttribute(this.#elements["why-section"], "aria-busy", true);
    setAttribute(this.#elements["history-section"], "aria-busy", true);
    this.refresh();
  }

  /** Ask again; what is shown stays until there is an answer. */
  refresh() {
    this.#timer ??= setTimeout(() => this.#load(), SETTLE_MILLISECONDS);
  }

  /** Ignore answers that are still to come. */
  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#control?.abort();
  }

  async #load() {
    this.stop();
    this.#control = new AbortController();
    const { signal } = this.#control;
    const explanation = this.#api.explain(this.#patternId, signal);
    const history = this.#api.history(this.#patternId, signal);
    await Promise.all([
      this.#part("why", explanation, signal, (known) => this.#showWhy(known)),
      this.#part("history", history, signal, (events) => this.#showHistory(events)),
    ]);
  }

  /**
   * @template Answer
   * @param {"why" | "history"} part
   * @param {Promise<Answer>} asked
   * @param {AbortSignal} signal
   * @param {(answer: Answer) => void} show
   */
  async #part(part, asked, signal, show) {
    try {
      const answer = await asked;
      if (!signal.aborted) show(answer);
    } catch (fault) {
      if (!signal.aborted) this.#showFault(this.#elements[`${part}-text`], asApiError(fault));
    }
    if (!signal.aborted) setAttribute(this.#elements[`${part}-section`], "aria-busy", false);
  }

  /**
   * @param {HTMLElement} text
   * @param {ApiError} fault
   */
  #showFault(text, fault) {
    text.replaceChildren(
      `${fault.message} `,
      this.#retryButton(() => this.refresh()),
    );
  }

  /** @param {Reasons} known */
  #showWhy({ outcome, reason, criteria, eligible, rejected, written_by_us: ours, automation_status: automation }) {
    this.#elements["why-section"].dataset.outcome = outcome;
    const gone = ours ? GONE : FOREIGN;
    setText(this.#elements["why-text"], outcome === "gone" ? gone : visible(reason));
    const rows = criteria.map(criterionRow);
    // A decision sets the automation status itself; only an undecided entry can miss it.
    if (criteria.length > 0 && !eligible && outcome !== "decided") {
      const value = rejected ? "rejected before" : (automation ?? "none");
      rows.push(criterionRow({ name: "automation status", value, bound: "detected", met: false }));
    }
    this.#elements["criteria-rows"].replaceChildren(...rows);
    this.#elements.criteria.hidden = rows.length === 0;
  }

  /** @param {HistoryItem[]} events */
  #showHistory(events) {
    setText(this.#elements["history-text"], events.length === 0 ? "No decisions or comments yet." : "");
    // The notes of the decision that stands are shown above, and once is enough.
    const above = byId("decision-notes", HTMLElement).textContent;
    const standing = events.findLast(({ action }) => action !== "commented");
    fillList(this.#elements.history, events, (event) =>
      historyItem(event === standing && visibleLines(event.notes) === above ? { ...event, notes: null } : event),
    );
  }
}

/** @param {Pick<Criterion, "name" | "value" | "bound" | "met">} criterion */
function criterionRow({ name, value, bound, met }) {
  return build(
    "tr",
    { className: met ? "met" : "missed" },
    build("th", { scope: "row" }, capital(visible(name))),
    build("td", {}, build("bdi", {}, visible(value))),
    build("td", {}, build("bdi", {}, visible(bound))),
    build("td", {}, met ? "✓ met" : "✗ missed"),
  );
}

/** @param {HistoryItem} event */
function historyItem({ action, reviewer, notes, created_at: createdAt }) {
  const head = build(
    "p",
    {},
    build("b", {}, action === "commented" ? "Comment" : capital(visible(action))),
    " by ",
    build("bdi", {}, reviewerText(reviewer)),
    " ",
    build("time", { dateTime: createdAt ?? "", className: "soft" }, time(createdAt)),
  );
  const item = build("li", {}, head);
  item.dataset.action = action;
  if (notes) item.append(build("p", { className: "prose", dir: "auto" }, visibleLines(notes)));
  return item;
}
