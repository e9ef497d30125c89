/**
 * @import { QueueEntry } from "wire"
 * @import { Rulebook } from "./rulebook.js"
 */

import { allById, setText } from "./dom.js";
import { markText } from "./mark-texts.js";

/** The sentence in the details about what a rule is about to decide, with a button to object. */
export class MarkNote {
  #rulebook;
  #elements = allById("pattern-mark", "pattern-mark-text", "pattern-mark-bounds", "object");

  /** @param {{ rulebook: Pick<Rulebook, "markOf" | "boundsOf"> }} parts */
  constructor({ rulebook }) {
    this.#rulebook = rulebook;
  }

  /** @param {QueueEntry} entry */
  show(entry) {
    const mark = this.#rulebook.markOf(entry);
    this.#elements["pattern-mark"].hidden = mark === null;
    this.#elements["pattern-mark"].dataset.due = String(Boolean(mark?.due_at));
    const bounds = mark ? this.#rulebook.boundsOf(mark) : "";
    setText(this.#elements["pattern-mark-text"], mark ? `${markText(mark, new Date())}.` : "");
    setText(this.#elements["pattern-mark-bounds"], bounds && `It is bound to: ${bounds}.`);
  }

  /** Nothing is shown that a rule could decide. */
  hide() {
    this.#elements["pattern-mark"].hidden = true;
  }
}
