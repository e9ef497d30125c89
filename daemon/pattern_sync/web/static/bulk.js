/**
 * @import { DecidedMany } from "wire"
 * @import { Api } from "./api.js"
 * @import { BulkAction } from "./bulk-texts.js"
 * @import { Identity } from "./identity.js"
 * @import { VirtualList } from "./list.js"
 * @import { Memory } from "./memory.js"
 * @import { Picks } from "./picks.js"
 * @import { Reasons } from "./reasons.js"
 * @import { Selection } from "./selection.js"
 * @import { Offer, Signs } from "./signs.js"
 * @import { Store } from "./store.js"
 * @import { Undo } from "./undo.js"
 */

import { BulkDialog } from "./bulk-dialog.js";
import { outcomeText, patterns } from "./bulk-texts.js";
import { byId } from "./dom.js";

// These can be tried again, and stay picked.
const AGAIN = new Set(["busy", "refused"]);

/**
 * @typedef {object} Parts
 * @property {Api} api
 * @property {Identity} identity
 * @property {Memory} memory
 * @property {Reasons} reasons
 * @property {Picks} picks
 * @property {Store} store
 * @property {VirtualList} list
 * @property {Selection} selection
 * @property {Signs} signs
 * @property {Undo} undo
 * @property {() => void} decided called after decisions were recorded
 */

/** Takes one decision on all that is picked, from the key or button to the toast. */
export class Bulk {
  #parts;
  #dialog;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#dialog = new BulkDialog({
      api: parts.api,
      memory: parts.memory,
      identity: parts.identity,
      reasons: parts.reasons,
      decided: (answer, action, whole) => this.#decided(answer, action, whole),
    });
    byId("bulk", HTMLDialogElement).addEventListener("close", () => parts.list.focus());
  }

  /** @param {BulkAction} action */
  begin(action) {
    const { picks, store, list, signs } = this.#parts;
    if (store.view.endsWith(action === "approve" ? "approved" : "rejected")) {
      signs.toast(`They are ${store.view} already.`);
      return;
    }
    const { entries } = picks;
    /** @type {Record<string, number>} */
    const positions = {};
    for (const entry of entries) {
      const index = list.shown ? store.index(entry) : -1;
      if (index >= 0) positions[entry.pattern_id] = index + 1;
    }
    this.#dialog.open({ entries, action, positions, seconds: picks.seconds, worth: store.queueSavings });
  }

  /**
   * @param {DecidedMany} answer
   * @param {BulkAction} action
   * @param {boolean} whole
   */
  #decided(answer, action, whole) {
    const { picks, signs, undo, decided } = this.#parts;
    const gone = answer.outcomes
      .filter(({ outcome }) => !AGAIN.has(outcome))
      .map(({ pattern_id: patternId }) => patternId);
    this.#goOn(new Set(gone));
    picks.drop(gone);
    /** @type {Offer[]} */
    const offers = [];
    if (answer.batch_id !== null) {
      undo.made(answer.batch_id, patterns(answer.decided));
      offers.push(undo.offer(answer.batch_id, patterns(answer.decided)));
    }
    const done = action === "approve" ? "Approved" : "Rejected";
    signs.toast(whole ? `${done} ${patterns(answer.decided)}` : outcomeText(answer, action), ...offers);
    decided();
  }

  /**
   * Select what comes after the entries that leave the list, if the selected one does.
   * @param {Set<string>} gone
   */
  #goOn(gone) {
    const { selection, store } = this.#parts;
    const { entry } = selection;
    if (!(entry && gone.has(entry.pattern_id))) return;
    const stays = store.shown.filter(({ pattern_id: patternId }) => !gone.has(patternId));
    const position = store.position(entry);
    const next = stays.find((each) => store.index(each) >= position) ?? stays.at(-1) ?? null;
    selection.select(next);
  }
}
