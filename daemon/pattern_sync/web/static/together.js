/**
 * @import { QueueEntry } from "wire"
 * @import { Parts } from "./bulk.js"
 * @import { BulkAction } from "./bulk-texts.js"
 */

import { Bulk } from "./bulk.js";
import { PicksBar } from "./picks-bar.js";

/** What is picked: how it is picked by keys, the bar that shows it, and the decision on it. */
export class Together {
  #parts;
  #bulk;
  #bar;

  /** @param {Parts} parts */
  constructor(parts) {
    const { picks, store, signs, list } = parts;
    this.#parts = parts;
    this.#bulk = new Bulk(parts);
    this.#bar = new PicksBar({
      picks,
      store,
      signs,
      decide: (action) => this.decide(action),
      leave: () => list.focus(),
    });
  }

  /** @param {BulkAction} action */
  decide(action) {
    this.#bulk.begin(action);
  }

  /** Pick the selected entry, or drop it where it is picked. */
  pick() {
    this.#withSelected((entry) => this.#parts.picks.toggle(entry));
  }

  /** Pick everything from the entry that was picked last to the selected one. */
  pickRange() {
    this.#withSelected((entry) => this.#parts.picks.range(entry, this.#parts.store.shown));
  }

  /** Pick everything that the list shows. */
  pickAll() {
    this.#bar.pickAll();
  }

  clear() {
    this.#bar.clear();
  }

  /** What is picked has changed. */
  changed() {
    this.#parts.list.picked();
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
