/**
 * @import { QueueEntry } from "wire"
 * @import { ApiError } from "./api-error.js"
 * @import { Action } from "./decision-texts.js"
 * @import { Identity } from "./identity.js"
 * @import { Memory } from "./memory.js"
 * @import { Reasons } from "./reasons.js"
 */

import { asApiError } from "./api-error.js";
import { Chips } from "./chips.js";
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
import { build, byId } from "./dom.js";
import { complain, textFault } from "./fields.js";
import { visible } from "./format.js";
import { NameField } from "./name-field.js";
import { RequestKey } from "./request-key.js";

/**
 * What a person has confirmed.
 * @typedef {{ entry: QueueEntry, action: Action, text: string, reviewer: string, key: string }} Decision
 */

/**
 * What the open dialog is about.
 * @typedef {object} Case
 * @property {QueueEntry} entry as it was when the dialog was opened
 * @property {QueueEntry | null} [latest] as it was announced since; null when it was removed
 * @property {Action} action
 * @property {string} draft what the text is kept under
 * @property {boolean} settled whether there is nothing left to confirm
 * @property {RequestKey} requests what its requests are called
 */

/** The keys that send. */
const HINTS = { approve: ["Enter"], reject: ["Enter"], comment: ["Ctrl", "Enter"] };

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
  #hint = byId("decide-hint", HTMLElement);
  #undo = byId("decide-undo", HTMLElement);
  #cancel = byId("decide-cancel", HTMLButtonElement);
  #submit = byId("decide-submit", HTMLButtonElement);
  #memory;
  #reasons;
  #name;
  #chips;
  #send;
  /** @type {Case | null} */
  #case = null;
  #busy = false;

  /**
   * @param {object} parts
   * @param {Memory} parts.memory
   * @param {Identity} parts.identity
   * @param {Reasons} parts.reasons
   * @param {(decision: Decision) => Promise<() => void>} parts.send resolves when it is recorded, to what is to be done
   *   once the dialog is closed
   */
  constructor({ memory, identity, reasons, send }) {
    this.#memory = memory;
    this.#reasons = reasons;
    this.#name = new NameField({ prefix: "", memory, identity });
    this.#chips = new Chips({ box: byId("decide-reasons", HTMLElement), text: this.#text, reasons });
    this.#send = send;
    this.#cancel.addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("cancel", (event) => this.#busy && event.preventDefault());
    this.#dialog.addEventListener("keydown", (event) => this.#pressed(event));
    this.#text.addEventListener("input", () => this.#case && memory.keepDraft(this.#case.draft, this.#text.value));
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
   * Whether a text was typed for an action on an entry, and not sent yet.
   * @param {QueueEntry} entry
   * @param {Action} action
   */
  hasDraft(entry, action) {
    return this.#memory.draft(draftOf(entry, action)) !== "";
  }

  /**
   * Ask a person to confirm an action on an entry as it is shown now.
   * @param {QueueEntry} entry
   * @param {Action} action
   * @param {{ asksName?: boolean, requests?: RequestKey, fault?: ApiError, news?: string }} [before] whether only the
   *   name is missing, or what went before: a decision that was sent without this dialog and failed, or why it was not
   */
  open(entry, action, { asksName = false, requests = new RequestKey(), fault, news } = {}) {
    if (this.#busy || this.#dialog.open) return;
    const opened = { entry, action, draft: draftOf(entry, action), settled: false, requests };
    const { title, button, label, needed } = ACTIONS[action];
    const instead = insteadText(entry, action);
    this.#case = opened;
    this.#title.textContent = title + instead;
    this.#pattern.textContent = visible(entry.pattern_id);
    this.#figures.textContent = figures(entry);
    this.#label.textContent = label;
    this.#text.value = this.#memory.draft(opened.draft);
    this.#text.required = needed !== undefined;
    this.#hint.replaceChildren(...HINTS[action].map((key) => build("kbd", {}, key)));
    this.#undo.textContent = undoText(entry, action);
    this.#submit.textContent = button + instead;
    this.#submit.className = action === "comment" ? "primary" : action;
    this.#settle(opened, false, null);
    complain(this.#text, this.#textFault, "");
    this.#chips.show(action === "reject");
    this.#name.open();
    this.#dialog.showModal();
    if (asksName) this.#name.focus();
    else this.#text.focus();
    if (fault) this.#failed(opened, fault);
    else if (news) this.#report(news);
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
    if (await this.#name.changed()) {
      this.#busy = false;
      this.#settle(current, false, renamedText(this.#name.value));
      if (current.latest !== undefined) this.#compare(current, current.latest);
      return;
    }
    const { entry, action, draft, requests } = current;
    const text = this.#text.value.trim();
    const reviewer = this.#name.value;
    try {
      const key = requests.of([entry.pattern_id, entry.status, action, text, reviewer]);
      const conclude = await this.#send({ entry, action, text, reviewer, key });
      this.#busy = false;
      this.#memory.keepDraft(draft, "");
      if (action === "reject") this.#reasons.remember(text);
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

  /** @param {Case} current */
  #check({ action }) {
    const { needed = "" } = ACTIONS[action];
    const fault = textFault(this.#text.value.trim(), needed);
    complain(this.#text, this.#textFault, fault);
    const named = this.#name.check();
    if (fault) this.#text.focus();
    else if (!named) this.#name.focus();
    return !fault && named;
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
    this.#name.busy = this.#busy;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.repeat || event.isComposing || this.#case === null) return;
    if (event.key === "Enter" ? !this.#confirms(event, this.#case.action) : !this.#chips.pressed(event)) return;
    event.preventDefault();
    if (event.key === "Enter") this.#confirm();
  }

  /**
   * A reason or a note is short, and Enter sends it; a comment has lines. Shift and Enter begin a line anywhere.
   * @param {KeyboardEvent} event
   * @param {Action} action
   */
  #confirms({ ctrlKey, metaKey, shiftKey, target }, action) {
    if (ctrlKey || metaKey) return true;
    return target === this.#text && action !== "comment" && !shiftKey;
  }
}

/**
 * What the text of an action on an entry is kept under.
 * @param {QueueEntry} entry
 * @param {Action} action
 */
function draftOf({ pattern_id: patternId }, action) {
  return JSON.stringify([action, patternId]);
}
