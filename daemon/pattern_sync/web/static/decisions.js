/**
 * @import { QueueEntry, Status } from "wire"
 * @import { Api } from "./api.js"
 * @import { Decision } from "./decision-dialog.js"
 * @import { Action } from "./decision-texts.js"
 * @import { Details } from "./details.js"
 * @import { VirtualList } from "./list.js"
 * @import { Identity } from "./identity.js"
 * @import { Memory } from "./memory.js"
 * @import { Queue } from "./queue.js"
 * @import { Selection } from "./selection.js"
 * @import { Signs } from "./signs.js"
 * @import { Store } from "./store.js"
 */

import { ApiError, asApiError } from "./api-error.js";
import { DecisionDialog } from "./decision-dialog.js";
import { recordedText } from "./decision-texts.js";
import { byId } from "./dom.js";

/**
 * What the page said and what the daemon recorded.
 * @typedef {{ said: string, recorded: string | null }} Names
 */

/**
 * @typedef {object} Parts
 * @property {Api} api
 * @property {Identity} identity
 * @property {Memory} memory
 * @property {Store} store
 * @property {VirtualList} list
 * @property {Details} details
 * @property {Selection} selection
 * @property {Queue} queue
 * @property {Signs} signs
 * @property {(patternId: string, entry: QueueEntry | null) => void} changed called with an entry as it is now, after a
 *   refusal or a fault
 * @property {() => void} decided called after a decision was recorded and shown
 */

/** Takes a decision or a comment from the button or key to the toast. */
export class Decisions {
  #parts;
  #dialog;
  /** @type {{ patternId: string, latest: QueueEntry | null } | null} */
  #sending = null;
  #fromDetails = false;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#dialog = new DecisionDialog({
      memory: parts.memory,
      identity: parts.identity,
      send: (decision) => this.#send(decision),
    });
    for (const action of /** @type {Action[]} */ (["approve", "reject", "comment"])) {
      byId(action, HTMLButtonElement).addEventListener("click", () => this.begin(action));
    }
    byId("decide", HTMLDialogElement).addEventListener("close", () => {
      const at = document.activeElement;
      // The button that opened the dialog may have gone away with the last entry.
      if (!at || at === document.body || !at.checkVisibility()) parts.list.focus();
    });
  }

  /**
   * Ask for the confirmation of an action on the selected entry.
   * @param {Action} action
   */
  begin(action) {
    const { selection, details, signs } = this.#parts;
    const { entry } = selection;
    if (!entry || (action !== "comment" && byId(action, HTMLButtonElement).hidden)) return;
    if (this.#dialog.busy) {
      signs.toast("The decision before is still being sent.");
      return;
    }
    this.#fromDetails = details.hasFocus;
    this.#dialog.open(entry, action);
  }

  /**
   * An entry changed, perhaps that of the open dialog or of the request under way.
   * @param {string} patternId
   * @param {QueueEntry | null} entry null when it was removed
   */
  changed(patternId, entry) {
    if (this.#sending?.patternId === patternId) this.#sending.latest = entry;
    this.#dialog.entryChanged(patternId, entry);
  }

  /**
   * Resolves to what to do once the dialog is closed: until then the focus cannot leave it.
   * @param {Decision} decision
   * @returns {Promise<() => void>}
   */
  async #send({ entry, action, text, reviewer }) {
    const { api, changed } = this.#parts;
    const { pattern_id: patternId } = entry;
    /** @type {{ patternId: string, latest: QueueEntry | null }} */
    const sending = { patternId, latest: null };
    this.#sending = sending;
    // The daemon refuses a decision on an entry whose status only the application knows.
    const replaces = /** @type {Status} */ (entry.status);
    try {
      if (action === "comment") {
        const noted = await api.comment(patternId, { comment: text, reviewer });
        return () => this.#commented(entry, { said: reviewer, recorded: noted.reviewer });
      }
      const answer =
        action === "approve"
          ? await api.approve(patternId, { notes: text || null, reviewer, replaces })
          : await api.reject(patternId, { reason: text, reviewer, replaces });
      const names = { said: reviewer, recorded: answer.reviewed_by };
      return () => this.#decided(entry, newer(answer, sending.latest), action, names);
    } catch (fault) {
      if (fault instanceof ApiError && fault.status === 409 && fault.entry) changed(patternId, fault.entry);
      if (fault instanceof ApiError && fault.inDoubt) this.#lookAgain(patternId);
      throw fault;
    } finally {
      this.#sending = null;
    }
  }

  /**
   * Nobody knows whether a request took effect: show what the queue holds now.
   * @param {string} patternId
   */
  async #lookAgain(patternId) {
    const { api, changed } = this.#parts;
    try {
      const entry = await api.entry(patternId);
      changed(patternId, entry);
      this.#dialog.lookedAgain(patternId, entry);
    } catch (caught) {
      if (asApiError(caught).status === 404) changed(patternId, null);
    }
  }

  /**
   * @param {QueueEntry} before
   * @param {QueueEntry} after
   * @param {Action} action
   * @param {Names} names
   */
  #decided(before, after, action, names) {
    const { queue, selection, signs, store, decided } = this.#parts;
    queue.apply(after.pattern_id, after);
    queue.draw();
    if (before.status === store.view) selection.succeed(before, { focus: this.#fromDetails });
    else selection.changed(after.pattern_id, after);
    signs.toast(recordedText(before, action, names), () => this.#show(before.pattern_id));
    decided();
  }

  /**
   * @param {QueueEntry} entry
   * @param {Names} names
   */
  #commented(entry, names) {
    const { details, selection, signs } = this.#parts;
    if (entry.pattern_id === selection.patternId) details.refresh();
    signs.toast(recordedText(entry, "comment", names));
  }

  /**
   * Open an entry as it is now, not as it was when the toast appeared.
   * @param {string} patternId
   */
  async #show(patternId) {
    const { selection } = this.#parts;
    if (await selection.find(patternId)) selection.open();
  }
}

/**
 * Of an answer and a message that arrived meanwhile, the one with the later decision.
 * @param {QueueEntry} answer
 * @param {QueueEntry | null} message
 */
function newer(answer, message) {
  return message && moment(message) > moment(answer) ? message : answer;
}

/** @param {QueueEntry} entry */
function moment({ reviewed_at: reviewedAt }) {
  return reviewedAt === null ? Number.NaN : Date.parse(reviewedAt);
}
