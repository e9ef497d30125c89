/** @import { Store } from "./store.js" */

import { allById, byId } from "./dom.js";
import { count, money, plural } from "./format.js";

/**
 * Why the list could not be loaded, and whether that is tried again without being asked for.
 * @typedef {{ message: string, retries: boolean }} Fault
 *
 * What goes on beside what the store holds; `expected` is the view's number of entries according to the statistics.
 * @typedef {{ busy: boolean, fault: Fault | null, expected: number | null }} Circumstances
 *
 * @typedef {{ reason: string, text: string, more?: string, action?: string }} EmptyTexts
 */

/** What the list says of itself: how many patterns it has, how far it is loaded, what went wrong, why it is empty. */
export class Standing {
  #elements = allById("queue", "summary", "fault", "fault-text", "empty", "empty-text", "empty-more");
  #progress = byId("progress", HTMLProgressElement);
  #action = byId("empty-action", HTMLButtonElement);

  /**
   * @param {object} parts
   * @param {() => void} parts.tryAgain
   * @param {() => void} parts.showAll
   */
  constructor({ tryAgain, showAll }) {
    byId("fault-retry", HTMLButtonElement).addEventListener("click", tryAgain);
    this.#action.addEventListener("click", () => {
      if (this.#elements.empty.dataset.reason === "fault") tryAgain();
      else showAll();
    });
  }

  /**
   * @param {Store} store
   * @param {Circumstances} circumstances
   */
  draw(store, circumstances) {
    this.#drawProgress(store, circumstances);
    this.#drawNotice(store, circumstances);
    this.#drawEmpty(emptyTexts(store, circumstances));
    this.#elements.summary.textContent = summary(store, circumstances);
  }

  /**
   * @param {Store} store
   * @param {Circumstances} circumstances
   */
  #drawProgress({ current, loading, long }, { busy, expected }) {
    const most = expected ?? 0;
    this.#elements.queue.setAttribute("aria-busy", String(busy && !current));
    this.#progress.hidden = long || !busy || most <= loading;
    this.#progress.max = most || 1;
    this.#progress.value = Math.min(loading, most);
  }

  /**
   * @param {Store} store
   * @param {Circumstances} circumstances
   */
  #drawNotice({ held, complete }, { fault }) {
    this.#elements.fault.hidden = !fault || held === 0;
    if (!fault || held === 0) return;
    const what = complete ? "The list could not be reloaded" : `Only ${plural(held, "pattern")} could be loaded`;
    this.#elements["fault-text"].textContent = `${what}. ${fault.message}`;
  }

  /** @param {EmptyTexts | null} texts */
  #drawEmpty(texts) {
    this.#elements.empty.hidden = texts === null;
    if (!texts) return;
    this.#elements.empty.dataset.reason = texts.reason;
    this.#elements["empty-text"].textContent = texts.text;
    this.#elements["empty-more"].textContent = texts.more ?? "";
    this.#action.hidden = !texts.action;
    this.#action.textContent = texts.action ?? "";
  }
}

/**
 * "12 patterns · 9,000.00 USD a month", "3 of 12 patterns · …", "500 loaded, 4,000 in all"
 * @param {Store} store
 * @param {Circumstances} circumstances
 */
function summary({ size, shown, total, fold, settled, current, narrowed, shownSavings }, { fault, expected }) {
  const found = narrowed ? `${count((total ?? shown.length) + (fold.beside ?? 0))} of ` : "";
  if (!settled) {
    const inAll = (expected ?? 0) > size ? `, ${count(expected)} in all` : "";
    return size === 0 ? "" : `${found}${count(size)} loaded${inAll}`;
  }
  if (!(current || fault)) return "Searching…";
  const savings = shownSavings === null ? "" : ` · ${money(shownSavings)} a month`;
  return `${found}${plural(size, "pattern")}${savings}`;
}

/**
 * @param {Store} store
 * @param {Circumstances} circumstances
 * @returns {EmptyTexts | null}
 */
function emptyTexts({ size, shown, complete, view, group, fold }, { busy, fault }) {
  if (shown.length > 0) return null;
  if (fold.beside && !fold.opened)
    return { reason: "folded", text: "Only likely rejects are left.", more: "f shows them." };
  if (size > 0) return { reason: "no-match", text: "No pattern matches.", action: "Show all" };
  if (complete && group) {
    return { reason: "group-done", text: "Nothing of this group is left.", more: "Esc leads back to the groups." };
  }
  if (complete && view === "pending") {
    return { reason: "done", text: "Nothing to decide.", more: "New patterns appear here as they arrive." };
  }
  if (complete) return { reason: "none", text: `No ${view} patterns.` };
  if (!busy && fault) {
    const more = fault.retries ? `${fault.message} The page will try again automatically.` : fault.message;
    return { reason: "fault", text: "The patterns could not be loaded.", more, action: "Try again" };
  }
  return { reason: "loading", text: "Loading…" };
}
