/**
 * @import { VirtualList } from "./list.js"
 * @import { Picks } from "./picks.js"
 * @import { Queue } from "./queue.js"
 * @import { Selection } from "./selection.js"
 * @import { Store } from "./store.js"
 */

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
   * @param {VirtualList} parts.list
   * @param {Picks} parts.picks
   * @param {Queue} parts.queue
   * @param {Selection} parts.selection
   */
  constructor({ store, list, picks, queue, selection }) {
    this.#store = store;
    this.#button.addEventListener("click", () => {
      picks.clear();
      selection.select(null);
      queue.switchAsleep();
      list.focus();
    });
    setInterval(() => {
      store.refresh();
      queue.drawSoon();
    }, TICK_SECONDS * 1000);
  }

  draw() {
    const { asleep, others } = this.#store;
    this.#button.hidden = !asleep && others === 0;
    setText(this.#button, asleep ? "Back to those awake" : `${count(others)} snoozed`);
    setAttribute(this.#button, "aria-pressed", asleep);
  }
}
