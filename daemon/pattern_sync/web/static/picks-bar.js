/**
 * @import { BulkAction } from "./bulk-texts.js"
 * @import { Folded } from "./folding.js"
 * @import { Picks } from "./picks.js"
 * @import { Signs } from "./signs.js"
 * @import { Store } from "./store.js"
 */

import { allById, byId, setText } from "./dom.js";
import { count, money, plural } from "./format.js";
import { counted } from "./items.js";
import { MOST_PICKED } from "./picks.js";

/** The bar below the list that says what is picked, and what can be done with it. */
export class PicksBar {
  #picks;
  #store;
  #signs;
  #hold;
  #leave;
  #elements = allById("picked", "picked-text");
  #all = byId("picked-all", HTMLButtonElement);
  #approve = byId("picked-approve", HTMLButtonElement);
  #reject = byId("picked-reject", HTMLButtonElement);

  /**
   * @param {object} parts
   * @param {Picks} parts.picks
   * @param {Store} parts.store
   * @param {Signs} parts.signs
   * @param {(most: number) => Promise<void>} parts.hold loads as many of the entries that match
   * @param {(action: BulkAction) => void} parts.decide
   * @param {() => void} parts.leave takes the focus from what is about to go away
   */
  constructor({ picks, store, signs, hold, decide, leave }) {
    this.#picks = picks;
    this.#store = store;
    this.#signs = signs;
    this.#hold = hold;
    this.#leave = leave;
    this.#approve.addEventListener("click", () => decide("approve"));
    this.#reject.addEventListener("click", () => decide("reject"));
    this.#all.addEventListener("click", () => this.pickAll());
    byId("picked-clear", HTMLButtonElement).addEventListener("click", () => this.clear());
  }

  /** Pick what matches now, and nothing that comes later. */
  async pickAll() {
    await this.#hold(MOST_PICKED);
    this.#picks.all(this.#store.shown);
    const { beside, opened } = this.#store.fold;
    if (beside && !opened) this.#signs.announce(`${count(this.#picks.size)} selected, ${leftOut(beside)}`);
  }

  clear() {
    if (this.#elements.picked.contains(document.activeElement)) this.#leave();
    this.#picks.clear();
  }

  /** What is picked has changed. */
  changed() {
    const { size } = this.#picks;
    this.#signs.announce(size === 0 ? "Nothing selected" : `${count(size)} selected`);
    this.draw();
  }

  draw() {
    const { size, entries } = this.#picks;
    const { view, shown, total } = this.#store;
    const folded = entries.filter((entry) => entry.folded).length;
    if (size === 0 && this.#elements.picked.contains(document.activeElement)) this.#leave();
    this.#elements.picked.hidden = size === 0;
    if (size === 0) return;
    const savings = entries.reduce((sum, entry) => sum + counted(entry), 0);
    setText(this.#elements["picked-text"], selectedText(size, savings, folded));
    const matching = total ?? shown.length;
    const most = Math.min(matching, MOST_PICKED);
    this.#all.hidden = size >= most;
    setText(this.#all, matching > MOST_PICKED ? `The first ${count(most)}` : allText(this.#store.fold, most));
    this.#approve.hidden = view.endsWith("approved");
    this.#reject.hidden = view.endsWith("rejected");
  }
}

/**
 * "14 selected · 9,000.00 USD a month · 2 likely rejects"
 * @param {number} size
 * @param {number} savings
 * @param {number} folded
 */
export function selectedText(size, savings, folded) {
  const rejects = folded > 0 ? ` · ${plural(folded, "likely reject")}` : "";
  return `${count(size)} selected · ${money(savings)} a month${rejects}`;
}

/**
 * "All 30 shown", and whether likely rejects are among them.
 * @param {Pick<Folded, "beside" | "opened" | "alone" | "entries">} fold
 * @param {number} shown
 */
export function allText({ beside, opened, alone, entries }, shown) {
  const all = `All ${count(shown)} shown`;
  if (!opened) return beside ? `${all}, ${leftOut(beside)}` : all;
  return alone || entries.length === 0 ? all : `${all}, with ${plural(entries.length, "likely reject")}`;
}

/** @param {number} number */
function leftOut(number) {
  return `without ${plural(number, "likely reject")}`;
}
