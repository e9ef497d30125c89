/** @import { Store } from "./store.js" */

import { byId, setAttribute, setText } from "./dom.js";
import { count } from "./format.js";

// How late a snooze ends on the page.
const TICK_SECONDS = 30;

/** Switches between what waits and what is snoozed, and sees to it that a snooze ends. */
export class Asleep {
  #store;
  #button = byId("asleep", HTMLButtonElement);

  /**
   * @param {object} parts
   * @param {Store} parts.store
   * @param {() => void} parts.switch called when a person wants to see the other ones
   * @param {() => void} parts.ticked called when some may have woken
   */
  constructor({ store, switch: switchOver, ticked }) {
    this.#store = store;
    this.#button.addEventListener("click", switchOver);
    setInterval(() => {
      store.refresh();
      ticked();
    }, TICK_SECONDS * 1000);
  }

  draw() {
    const { asleep, others } = this.#store;
    this.#button.hidden = !asleep && others === 0;
    setText(this.#button, asleep ? "Back to those awake" : `${count(others)} snoozed`);
    setAttribute(this.#button, "aria-pressed", asleep);
  }
}
