/**
 * @import { QueueEntry } from "wire"
 * @import { ApiError } from "./api-error.js"
 * @import { Action } from "./decision-texts.js"
 * @import { Identity } from "./identity.js"
 * @import { Memory } from "./memory.js"
 */

import { asApiError } from "./api-error.js";
import {
  ACTIONS,
  faultText,
  figures,
  insteadText,
  newsText,
  refusalText,
  renamedText,
  stillText,
  undoText,
  wayOut,
} from "./decision-texts.js";
import { byId } from "./dom.js";
import { count, visible } from "./format.js";

/**
 * What a person has confirmed.
 * @typedef {{ entry: QueueEntry, action: Action, text: string, reviewer: string }} Decision
 */

/**
 * What the open dialog is about.
 * @typedef {object} Case
 * @property {QueueEntry} entry as it was when the dialog was opened
 * @property {QueueEntry | null} [latest] as it was announced since; null when it was removed
 * @property {Action} action
 * @property {string} draft what the text is kept under
 * @property {boolean} settled whether there is nothing left to confirm
 */

const LONGEST_TEXT = 10_000;
const REMEMBERED = "Recorded with your decision or comment, and remembered in this browser.";
const SIGNED_IN = "Recorded with your decision or comment. It comes from where you signed in.";

/** The dialog that confirms a decision or a comment. What was typed survives failures and closing. */
export class DecisionDialog {
  #dialog = byId("decide", HTMLDialogElement);
  #title = byId("decide-title", HTMLElement);
  #pattern = byId("decide-pattern", HTMLElement);
  #figures = byId("decide-figures", HTMLElement);
  #notice = byId("decide-notice", HTMLElement);
  #label = byId("decide-label", HTMLElement);
  #text = byId("decide-text", HTMLTextAreaElement);
  #textFault = byId("decide-text-fault", HTMLElement);
  #reviewer = byId("reviewer", HTMLInputElement);
  #reviewerFault = byId("reviewer-fault", HTMLElement);
  #reviewerHint = byId("reviewer-hint", HTMLElement);
  #undo = byId("decide-undo", HTMLElement);
  #cancel = byId("decide-cancel", HTMLButtonElement);
  #submit = byId("decide-submit", HTMLButtonElement);
  #memory;
  #identity;
  #send;
  /** @type {Map<string, string>} */
  #drafts = new Map();
  /** @type {Case | null} */
  #case = null;
  #busy = false;

  /**
   * @param {object} parts
   * @param {Memory} parts.memory
   * @param {Identity} parts.identity
   * @param {(decision: Decision) => Promise<() => void>} parts.send resolves when it is recorded, to what is to be done
   *   once the dialog is closed
   */
  constructor({ memory, identity, send }) {
    this.#memory = memory;
    this.#identity = identity;
    this.#send = send;
    this.#cancel.addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("cancel", (event) => this.#busy && event.preventDefault());
    this.#dialog.addEventListener("keydown", (event) => this.#pressed(event));
    this.#text.addEventListener("input", () => this.#case && this.#drafts.set(this.#case.draft, this.#text.value));
    this.#reviewer.addEventListener("input", () => {
      memory.reviewer = this.#reviewer.value.trim();
    });
    byId("decide-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#confirm();
    });
  }

  /** Whether a request is under way. */
  get busy() {
    return this.#busy;
  }

  /**
   * Ask a person to confirm an action on an entry as it is shown now.
   * @param {QueueEntry} entry
   * @param {Action} action
   */
  open(entry, action) {
    if (this.#busy || this.#dialog.open) return;
    const opened = { entry, action, draft: JSON.stringify([action, entry.pattern_id]), settled: false };
    const { title, button, label, needed } = ACTIONS[action];
    const instead = insteadText(entry, action);
    this.#case = opened;
    this.#title.textContent = title + instead;
    this.#pattern.textContent = visible(entry.pattern_id);
    this.#figures.textContent = figures(entry);
    this.#label.textContent = label;
    this.#text.value = this.#drafts.get(opened.draft) ?? "";
    this.#text.required = needed !== undefined;
    this.#reviewer.value = this.#memory.reviewer;
    this.#undo.textContent = undoText(entry, action);
    this.#submit.textContent = button + instead;
    this.#submit.className = action === "comment" ? "primary" : action;
    this.#settle(opened, false, null);
    complain(this.#text, this.#textFault, "");
    complain(this.#reviewer, this.#reviewerFault, "");
    this.#askReviewer();
    this.#dialog.showModal();
    this.#text.focus();
  }

  /**
   * Update the open dialog if the entry that changed is its own.
   * @param {string} patternId
   * @param {QueueEntry | null} entry null when it was removed
   */
  entryChanged(patternId, entry) {
    const current = this.#case;
    if (!(current && this.#dialog.open) || current.entry.pattern_id !== patternId) return;
    current.latest = entry;
    // A change during a request is most likely the work of that request.
    if (!this.#busy) this.#compare(current, entry);
  }

  /**
   * The page has looked at the entry after a request whose outcome is not known.
   * @param {string} patternId
   * @param {QueueEntry} entry
   */
  lookedAgain(patternId, entry) {
    const current = this.#case;
    if (!current || current.settled || this.#busy || current.entry.pattern_id !== patternId) return;
    if (current.action !== "comment") this.#report(`${this.#notice.textContent} ${stillText(entry)}`);
  }

  /**
   * @param {Case} current
   * @param {QueueEntry | null} entry
   */
  #compare(current, entry) {
    const { entry: seen, action, settled } = current;
    if (entry?.status === seen.status && (seen.status === "pending" || entry.reviewed_at === seen.reviewed_at)) {
      if (settled) this.#settle(current, false, null);
      return;
    }
    const news = newsText(entry);
    if (entry && action === "comment") this.#report(news);
    else this.#settle(current, true, `${news} ${wayOut(entry, action)}`);
  }

  /**
   * @param {Case} current
   * @param {boolean} settled
   * @param {string | null} text
   */
  #settle(current, settled, text) {
    current.settled = settled;
    this.#cancel.textContent = settled ? "Close" : "Cancel";
    this.#undo.hidden = settled;
    this.#report(text);
    this.#enable(settled);
  }

  async #confirm() {
    const current = this.#case;
    if (!current || this.#busy || current.settled || !this.#check(current)) return;
    this.#busy = true;
    this.#report(null);
    this.#enable(false);
    if (await this.#isSomebodyElse()) {
      this.#busy = false;
      this.#settle(current, false, renamedText(this.#reviewer.value));
      if (current.latest !== undefined) this.#compare(current, current.latest);
      return;
    }
    const { entry, action, draft } = current;
    const text = this.#text.value.trim();
    const reviewer = this.#reviewer.value.trim();
    try {
      const conclude = await this.#send({ entry, action, text, reviewer });
      this.#busy = false;
      this.#drafts.delete(draft);
      this.#dialog.close();
      conclude();
    } catch (fault) {
      this.#busy = false;
      this.#failed(current, asApiError(fault));
    }
  }

  /**
   * @param {Case} current
   * @param {ApiError} fault
   */
  #failed(current, fault) {
    const { action, latest } = current;
    const refused = fault.status === 409 || fault.status === 404;
    this.#settle(current, refused, refused ? refusalText(fault, action) : faultText(fault, action));
    if (!refused && latest !== undefined) this.#compare(current, latest);
    // Browsers let a person close any dialog: it may be closed by now, but the answer still has to be shown.
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** Whether another person has signed in than the one whose name is shown: the daemon records who sends. */
  async #isSomebodyElse() {
    if (!this.#identity.known.fixed) return false;
    const shown = this.#reviewer.value;
    await this.#identity.refresh();
    this.#showReviewer();
    return this.#reviewer.value !== shown;
  }

  async #askReviewer() {
    this.#showReviewer();
    await this.#identity.refresh();
    this.#showReviewer();
  }

  #showReviewer() {
    const { fixed, name, detail } = this.#identity.known;
    if (fixed) this.#reviewer.value = name ?? "";
    this.#reviewer.readOnly = fixed || this.#busy;
    this.#reviewerHint.textContent = fixed ? SIGNED_IN : REMEMBERED;
    if (detail) complain(this.#reviewer, this.#reviewerFault, detail);
  }

  /** @param {Case} current */
  #check({ action }) {
    const { needed = "" } = ACTIONS[action];
    const { length } = [...this.#text.value.trim()]; // in code points, as the daemon counts
    const tooLong = `Too long: ${count(length)} characters; at most ${count(LONGEST_TEXT)} are kept.`;
    const missing = length === 0 ? needed : "";
    const textFault = length > LONGEST_TEXT ? tooLong : missing;
    const nameless = this.#identity.known.detail ?? "Enter your name: it is kept in the history.";
    const reviewerFault = this.#reviewer.value.trim() ? "" : nameless;
    complain(this.#text, this.#textFault, textFault);
    complain(this.#reviewer, this.#reviewerFault, reviewerFault);
    if (textFault) this.#text.focus();
    else if (reviewerFault) this.#reviewer.focus();
    return !(textFault || reviewerFault);
  }

  /** @param {string | null} text */
  #report(text) {
    this.#notice.hidden = text === null;
    this.#notice.textContent = text ?? "";
  }

  /** @param {boolean} settled */
  #enable(settled) {
    this.#dialog.setAttribute("aria-busy", String(this.#busy));
    this.#submit.disabled = this.#busy || settled;
    this.#cancel.disabled = this.#busy;
    this.#text.readOnly = this.#busy;
    this.#reviewer.readOnly = this.#busy || this.#identity.known.fixed;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat || event.isComposing) return;
    event.preventDefault();
    this.#confirm();
  }
}

/**
 * @param {HTMLElement} field
 * @param {HTMLElement} place
 * @param {string} fault "" for none
 */
function complain(field, place, fault) {
  place.textContent = fault;
  field.setAttribute("aria-invalid", String(fault !== ""));
}
