/**
 * @import { QueueEntry } from "wire"
 * @import { Parts } from "./bulk.js"
 * @import { BulkAction } from "./bulk-texts.js"
 * @import { Decisions } from "./decisions.js"
 * @import { Queue } from "./queue.js"
 */

import { Bulk } from "./bulk.js";
import { PicksBar } from "./picks-bar.js";

/** What is picked: how it is picked by keys, the bar that shows it, and the decision on it. */
export class Together {
  #parts;
  #bulk;
  #bar;

  /** @param {Parts & { decisions: Decisions, queue: Queue }} parts */
  constructor(parts) {
    const { picks, store, signs, list } = parts;
    this.#parts = parts;
    this.#bulk = new Bulk(parts);
    this.#bar = new PicksBar({
      picks,
      store,
      signs,
      hold: (most) => parts.queue.hold(most),
      decide: (action) => this.begin(action),
      leave: () => list.focus(),
    });
  }

  /**
   * Decide what is picked, or else what is selected.
   * @param {BulkAction} action
   * @param {{ asks?: boolean }} [options]
   */
  begin(action, options) {
    const { picks, decisions } = this.#parts;
    if (picks.size > 0) this.#bulk.begin(action);
    else decisions.begin(action, options);
  }

  /** Pick the selected entry, or drop it where it is picked. */
  pick() {
    this.#withSelected((entry) => this.#parts.picks.toggle(entry));
  }

  /** Pick everything from the entry that was picked last to the selected one. */
  pickRange() {
    this.#withSelected((entry) => this.#parts.picks.range(entry, this.#parts.store.shown));
  }

  /** Pick everything that matches. */
  pickAll() {
    return this.#bar.pickAll();
  }

  clear() {
    this.#bar.clear();
  }

  /** What is picked has changed. */
  changed() {
    this.#parts.list.picked();
    this.#parts.queue.drawSoon();
    this.#bar.changed();
  }

  draw() {
    this.#bar.draw();
  }

  /** @param {(entry: QueueEntry) => void} pick */
  #withSelected(pick) {
    const { selection, store } = this.#parts;
    const { entry } = selection;
    if (entry && store.index(entry) >= 0) pick(entry);
  }
}
