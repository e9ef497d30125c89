/**
 * @import { QueueEntry } from "wire"
 * @import { Api } from "./api.js"
 * @import { Details } from "./details.js"
 * @import { Identity } from "./identity.js"
 * @import { Memory } from "./memory.js"
 * @import { Rulebook } from "./rulebook.js"
 * @import { Selection } from "./selection.js"
 * @import { Signs } from "./signs.js"
 */

import { asApiError } from "./api-error.js";
import { quoted } from "./decision-texts.js";
import { byId } from "./dom.js";
import { ruleOf } from "./format.js";
import { objectedText } from "./rule-texts.js";

/** Objects to what a rule is about to decide, or has decided just now, so that no rule ever does. */
export class Objections {
  #parts;
  #button = byId("object", HTMLButtonElement);
  #busy = false;

  /**
   * @param {object} parts
   * @param {Pick<Api, "veto" | "entry">} parts.api
   * @param {Rulebook} parts.rulebook
   * @param {Memory} parts.memory
   * @param {Identity} parts.identity
   * @param {Selection} parts.selection
   * @param {Details} parts.details
   * @param {Signs} parts.signs
   * @param {(patternId: string, entry: QueueEntry) => void} parts.changed
   */
  constructor(parts) {
    this.#parts = parts;
    this.#button.addEventListener("click", () => this.begin());
  }

  /** Object to what a rule does with the selected entry. */
  begin() {
    const { selection, rulebook, signs } = this.#parts;
    const { entry } = selection;
    if (!entry || this.#busy) return;
    if (rulebook.markOf(entry) || ruleOf(entry.reviewed_by)) this.#object(entry);
    else signs.toast(`No rule is about to decide ${quoted(entry)}`);
  }

  /** @param {QueueEntry} entry */
  async #object(entry) {
    const { api, memory, identity, details, signs, changed } = this.#parts;
    const { fixed, name } = identity.known;
    // The button goes away, maybe before the answer comes: the page is told of the mark's end as well.
    if (document.activeElement === this.#button) details.focusTitle();
    try {
      const reviewer = (fixed ? name : memory.reviewer) || null;
      const { outcome } = await this.#alone(api.veto(entry.pattern_id, { reviewer, reason: null }));
      signs.toast(objectedText(quoted(entry), outcome));
      changed(entry.pattern_id, await api.entry(entry.pattern_id));
    } catch (caught) {
      signs.toast(`Not objected. ${asApiError(caught).message}`);
    }
  }

  /**
   * Begin no other objection until this one is answered.
   * @template Answer
   * @param {Promise<Answer>} answer
   */
  async #alone(answer) {
    this.#busy = true;
    try {
      return await answer;
    } finally {
      this.#busy = false;
    }
  }
}
