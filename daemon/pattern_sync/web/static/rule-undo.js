/**
 * @import { QueueEntry } from "wire"
 * @import { Api } from "./api.js"
 * @import { Details } from "./details.js"
 * @import { Selection } from "./selection.js"
 * @import { Signs } from "./signs.js"
 * @import { Undo } from "./undo.js"
 */

import { asApiError } from "./api-error.js";
import { quoted } from "./decision-texts.js";
import { byId } from "./dom.js";
import { plural } from "./format.js";

const MINUTE_MILLISECONDS = 60_000;
const MOST = 500;

/** Takes back what a rule has decided of the selected entry; what it decided with it in one go, only when told to. */
export class RuleUndo {
  #parts;

  /**
   * @param {object} parts
   * @param {Pick<Api, "log">} parts.api
   * @param {Selection} parts.selection
   * @param {Details} parts.details
   * @param {Signs} parts.signs
   * @param {Undo} parts.undo
   */
  constructor(parts) {
    this.#parts = parts;
    const button = byId("decision-undo", HTMLButtonElement);
    button.addEventListener("click", async () => {
      const { entry } = parts.selection;
      if (!entry) return;
      button.disabled = true;
      await this.#takeBack(entry);
      button.disabled = false;
      if (button.closest("[hidden]")) parts.details.focusTitle();
    });
  }

  /** @param {QueueEntry} entry */
  async #takeBack(entry) {
    const { undo, signs } = this.#parts;
    try {
      const together = await this.#decidedWith(entry);
      const batchId = together[0]?.batch_id ?? null;
      if (batchId === null) signs.toast("It cannot be undone any more. Make a decision that replaces it.");
      else if (together.length === 1) await undo.undo(batchId, quoted(entry));
      else {
        const all = plural(together.length, "pattern");
        signs.toast(`The rule decided ${all} in one go: they are undone together.`, {
          label: `Undo all ${together.length}`,
          run: () => undo.undo(batchId, all),
        });
      }
    } catch (caught) {
      signs.toast(`Not undone. ${asApiError(caught).message}`);
    }
  }

  /**
   * The decisions of the batch in which the entry was decided; empty where there is none to take back.
   * @param {QueueEntry} entry
   */
  async #decidedWith({ pattern_id: patternId, reviewed_by: by, reviewed_at: at }) {
    if (!(by && at)) return [];
    const since = new Date(Date.parse(at) - MINUTE_MILLISECONDS).toISOString();
    const decisions = await this.#parts.api.log({ by, since, limit: MOST });
    const own = decisions.find((each) => each.pattern_id === patternId && each.undone_at === null);
    return own ? decisions.filter(({ batch_id: batchId }) => batchId === own.batch_id) : [];
  }
}
