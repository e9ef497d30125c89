/** @import { Store } from "./store.js" */

import { allById, setText } from "./dom.js";
import { count, money, plural, share } from "./format.js";
import { counted } from "./items.js";

const MOST_OF_THE_VALUE = 0.8;
const FEWEST_TO_COMPARE = 5;

/** What the view holds, shown in place of a pattern's details. */
export class Overview {
  #elements = allById("overview", "overview-figure", "overview-text", "overview-more", "overview-keys");

  /** @param {Store} store */
  show(store) {
    const { figure, text, more } = summary(store);
    this.#elements.overview.hidden = false;
    this.#elements["overview-keys"].hidden = !figure;
    setText(this.#elements["overview-figure"], figure);
    setText(this.#elements["overview-text"], text);
    setText(this.#elements["overview-more"], more);
  }

  hide() {
    this.#elements.overview.hidden = true;
  }
}

/**
 * "12 patterns", "wait for a decision, 9,000.00 USD a month in all." and how few of them hold most of the value.
 * @param {Store} store
 */
export function summary(store) {
  const { size, settled, view, totalSavings, foreign } = store;
  if (!settled) return { figure: "", text: "", more: "" };
  if (size === 0) return { figure: "", text: "Select a pattern to see its details here.", more: "" };
  const waiting = size === 1 ? "waits for a decision" : "wait for a decision";
  const without = foreign > 0 ? `, not counting ${count(foreign)} written by other programs` : "";
  const savings = totalSavings === null ? "" : `, ${money(totalSavings)} a month in all`;
  return {
    figure: plural(size, "pattern"),
    text: `${view === "pending" ? waiting : view}${savings}${without}.`,
    more: concentration(store),
  };
}

/** @param {Store} store */
function concentration({ shown, narrowed, complete, totalSavings, size }) {
  if (narrowed || !complete || size < FEWEST_TO_COMPARE || totalSavings === null || totalSavings <= 0) return "";
  let sum = 0;
  let first = 0;
  for (const entry of shown) {
    if (sum >= MOST_OF_THE_VALUE * totalSavings) break;
    sum += counted(entry);
    first += 1;
  }
  const which = first === 1 ? "The first one holds" : `The first ${count(first)} hold`;
  return `${which} ${share(sum / totalSavings)} of the value.`;
}
