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
 * @import { Reasons } from "./reasons.js"
 * @import { Selection } from "./selection.js"
 * @import { Offer, Signs } from "./signs.js"
 * @import { Store } from "./store.js"
 * @import { Undo } from "./undo.js"
 */

import { ApiError, asApiError } from "./api-error.js";
import { DecisionDialog } from "./decision-dialog.js";
import { quoted, recordedText, renamedText } from "./decision-texts.js";
import { byId } from "./dom.js";
import { RequestKey } from "./request-key.js";

/**
 * What the page said and what the daemon recorded.
 * @typedef {{ said: string, recorded: string | null }} Names
 */

/**
 * For the record: the entry's place in the list, from 1; null where it is not in it. And for how long it was selected.
 * @typedef {{ place: number | null, seconds: number }} Seen
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
 * @property {Undo} undo
 * @property {Reasons} reasons
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
  /** @type {Seen} */
  #seen = { place: null, seconds: 0 };

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#dialog = new DecisionDialog({
      memory: parts.memory,
      identity: parts.identity,
      reasons: parts.reasons,
      send: (decision) => this.#send(decision),
    });
    for (const action of /** @type {Action[]} */ (["approve", "reject", "comment"])) {
      byId(action, HTMLButtonElement).addEventListener("click", () => this.begin(action));
    }
    byId("approve-notes", HTMLButtonElement).addEventListener("click", () => this.begin("approve", { asks: true }));
    byId("decide", HTMLDialogElement).addEventListener("close", () => this.#keepFocus());
  }

  /**
   * Begin an action on the selected entry: an approval at once where nothing has to be asked, everything else by its
   * dialog.
   * @param {Action} action
   * @param {{ asks?: boolean }} [options] whether the dialog is wanted in any case
   */
  begin(action, { asks = false } = {}) {
    const { selection, details, signs } = this.#parts;
    const { entry } = selection;
    if (!entry || (action !== "comment" && byId(action, HTMLButtonElement).hidden)) return;
    if (this.#sending) {
      signs.toast("The decision before is still being sent.");
      return;
    }
    this.#fromDetails = details.hasFocus;
    // Once for all its requests: what is sent again under its key has to be the same.
    this.#seen = this.#sight(entry);
    const plain = action === "approve" && entry.status === "pending" && !this.#dialog.hasDraft(entry, action);
    if (plain && !asks && this.#name !== "") this.#approveAtOnce(entry);
    else this.#dialog.open(entry, action, { asksName: plain && !asks });
  }

  /**
   * @param {QueueEntry} entry
   * @returns {Seen}
   */
  #sight(entry) {
    const { selection, store } = this.#parts;
    const index = store.index(entry);
    return { place: index < 0 ? null : index + 1, seconds: selection.seconds };
  }

  /** In whose name this person decides; "" while that is not known. */
  get #name() {
    const { identity, memory } = this.#parts;
    return (identity.known.fixed ? identity.known.name : memory.reviewer) ?? "";
  }

  // The button that began an action may have gone away with the last entry.
  #keepFocus() {
    const at = document.activeElement;
    if (!at || at === document.body || !at.checkVisibility()) this.#parts.list.focus();
  }

  /** @param {QueueEntry} entry */
  async #approveAtOnce(entry) {
    const { identity, signs } = this.#parts;
    const reviewer = this.#name;
    const requests = new RequestKey();
    this.#sending = { patternId: entry.pattern_id, latest: null };
    try {
      if (identity.known.fixed) await identity.refresh();
      if (this.#name !== reviewer) {
        this.#dialog.open(entry, "approve", { news: renamedText(this.#name) });
        return;
      }
      // As the dialog would call it, which sends it again after a fault.
      const key = requests.of([entry.pattern_id, entry.status, "approve", "", reviewer]);
      const decision = { entry, action: /** @type {const} */ ("approve"), text: "", reviewer, key };
      const conclude = await this.#send(decision).catch((fault) => {
        // Under its key it is done once, and answered now if it was done before.
        if (fault instanceof ApiError && fault.inDoubt && !fault.strange) return this.#send(decision);
        throw fault;
      });
      conclude();
      this.#keepFocus();
    } catch (caught) {
      const fault = asApiError(caught);
      const open = () => this.#dialog.open(entry, "approve", { requests, fault });
      if (document.querySelector("dialog[open]")) {
        signs.toast(`${quoted(entry)} was not approved. ${fault.message}`, { label: "Show", run: open });
      } else open();
    } finally {
      this.#sending = null;
    }
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
  async #send({ entry, action, text, reviewer, key }) {
    const { api, changed } = this.#parts;
    const { pattern_id: patternId } = entry;
    /** @type {{ patternId: string, latest: QueueEntry | null }} */
    const sending = { patternId, latest: null };
    this.#sending = sending;
    // The daemon refuses a decision on an entry whose status only the application knows.
    const replaces = /** @type {Status} */ (entry.status);
    try {
      if (action === "comment") {
        const noted = await api.comment(patternId, { comment: text, reviewer }, key);
        return () => this.#commented(entry, { said: reviewer, recorded: noted.reviewer });
      }
      const decision = { reviewer, replaces, ...this.#seen };
      const answer =
        action === "approve"
          ? await api.approve(patternId, { ...decision, notes: text || null }, key)
          : await api.reject(patternId, { ...decision, reason: text }, key);
      const names = { said: reviewer, recorded: answer.entry.reviewed_by };
      const after = newer(answer.entry, sending.latest);
      return () => this.#decided(entry, after, { action, names, batch: answer.batch });
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
   * @param {{ action: Action, names: Names, batch: number | null }} how
   */
  #decided(before, after, { action, names, batch }) {
    const { queue, selection, signs, store, undo, decided } = this.#parts;
    queue.apply(after.pattern_id, after);
    queue.draw();
    // The person may have gone on by now.
    const here = before.pattern_id === selection.patternId;
    if (here && before.status === store.view) selection.succeed(before, { focus: this.#fromDetails });
    else selection.changed(after.pattern_id, after);
    /** @type {Offer[]} */
    const offers = [{ label: "Show", run: () => this.#show(before.pattern_id) }];
    if (batch !== null) {
      undo.made(batch, quoted(before));
      offers.unshift(undo.offer(batch, quoted(before)));
    }
    signs.toast(recordedText(before, action, names), ...offers);
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
