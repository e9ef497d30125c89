/**
 * @import { DecidedMany, DecisionOnMany, LoggedDecision, QueueEntry, Status } from "wire"
 * @import { BulkAction, Outcome } from "./bulk-texts.js"
 * @import { Identity } from "./identity.js"
 * @import { Memory } from "./memory.js"
 * @import { Reasons } from "./reasons.js"
 */

import { asApiError } from "./api-error.js";
import { itemText, largest, outcomeText, patterns, previewText, sum, togetherText, usualBound } from "./bulk-texts.js";
import { Chips } from "./chips.js";
import { ACTIONS } from "./decision-texts.js";
import { allById, build, byId } from "./dom.js";
import { complain, textFault } from "./fields.js";
import { count, money, visible } from "./format.js";
import { NameField } from "./name-field.js";
import { RequestKey } from "./request-key.js";

/**
 * What the page asks the daemon.
 * @typedef {object} Asked
 * @property {(decision: DecisionOnMany, key: string) => Promise<DecidedMany>} decideMany
 * @property {(query: { by: string, limit: number }) => Promise<LoggedDecision[]>} log
 *
 * @typedef {{ entries: QueueEntry[], action: BulkAction, positions: Record<string, number>, seconds: number,
 *   worth: number | null }} Case the queue's `worth` in USD a month, null where it is not known
 */

const PREVIEW_FROM = 51;
const HALF = 0.5;
const LOG = 200;
const MOST_NAMED = 50;

/** The dialog that confirms one decision on many entries, and shows what became of each. */
export class BulkDialog {
  #dialog = byId("bulk", HTMLDialogElement);
  #elements = allById(
    "bulk-title",
    "bulk-together",
    "bulk-largest",
    "bulk-preview",
    "bulk-notice",
    "bulk-label",
    "bulk-ask",
  );
  #results = allById("bulk-result", "bulk-outcome", "bulk-rest");
  #text = byId("bulk-text", HTMLTextAreaElement);
  #textFault = byId("bulk-text-fault", HTMLElement);
  #countField = byId("bulk-count-field", HTMLElement);
  #countLabel = byId("bulk-count-label", HTMLElement);
  #count = byId("bulk-count", HTMLInputElement);
  #countFault = byId("bulk-count-fault", HTMLElement);
  #cancel = byId("bulk-cancel", HTMLButtonElement);
  #submit = byId("bulk-submit", HTMLButtonElement);
  #api;
  #reasons;
  #name;
  #chips;
  #decided;
  /** @type {Case | null} */
  #case = null;
  #requests = new RequestKey();
  #busy = false;

  /**
   * @param {object} parts
   * @param {Asked} parts.api
   * @param {Memory} parts.memory
   * @param {Identity} parts.identity
   * @param {Reasons} parts.reasons
   * @param {(answer: DecidedMany, action: BulkAction, whole: boolean) => void} parts.decided called with what came of
   *   it; `whole`: nothing is left over, and the dialog is closed
   */
  constructor({ api, memory, identity, reasons, decided }) {
    this.#api = api;
    this.#reasons = reasons;
    this.#name = new NameField({ prefix: "bulk-", memory, identity });
    this.#chips = new Chips({ box: byId("bulk-reasons", HTMLElement), text: this.#text, reasons });
    this.#decided = decided;
    this.#cancel.addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("cancel", (event) => this.#busy && event.preventDefault());
    this.#dialog.addEventListener("keydown", (event) => this.#pressed(event));
    byId("bulk-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#confirm();
    });
  }

  /**
   * Ask a person to confirm a decision on exactly these entries.
   * @param {Case} asked
   */
  open(asked) {
    if (this.#busy || this.#dialog.open) return;
    const { entries, action, worth } = asked;
    const { button, label } = ACTIONS[action];
    this.#case = asked;
    this.#requests = new RequestKey();
    this.#elements["bulk-title"].textContent = `${button} ${patterns(entries.length)}`;
    this.#elements["bulk-together"].textContent = togetherText(entries, action, null);
    this.#elements["bulk-largest"].replaceChildren(...largest(entries).map(largeItem));
    this.#elements["bulk-preview"].textContent = "";
    this.#elements["bulk-label"].textContent = `${label}${action === "reject" ? " for all" : ", for all"}`;
    this.#elements["bulk-ask"].hidden = false;
    this.#results["bulk-result"].hidden = true;
    const large = worth === null || sum(entries) > HALF * worth;
    this.#countField.hidden = !large || entries.length === 1;
    this.#countLabel.textContent = `They are more than half of what the queue claims. Type ${entries.length} to confirm`;
    this.#count.value = "";
    this.#text.value = "";
    this.#text.required = action === "reject";
    this.#submit.textContent = `${button} ${patterns(entries.length)}`;
    this.#submit.className = action;
    this.#submit.hidden = false;
    this.#cancel.textContent = "Cancel";
    complain(this.#text, this.#textFault, "");
    complain(this.#count, this.#countFault, "");
    this.#report("");
    this.#enable();
    this.#chips.show(action === "reject");
    this.#name.open();
    this.#dialog.showModal();
    this.#text.focus();
    this.#compareWithHabit(asked);
    if (entries.length >= PREVIEW_FROM) this.#preview(asked);
  }

  /** @param {Case} asked */
  async #compareWithHabit(asked) {
    if (!this.#name.value) return;
    const log = await this.#api.log({ by: this.#name.value, limit: LOG }).catch(() => []);
    if (asked !== this.#case) return;
    const { entries, action } = asked;
    this.#elements["bulk-together"].textContent = togetherText(entries, action, usualBound(log, action));
  }

  /** @param {Case} asked */
  async #preview(asked) {
    const place = this.#elements["bulk-preview"];
    place.textContent = "Looking what would be decided…";
    try {
      const answer = await this.#api.decideMany(
        { ...this.#body(asked, "preview"), dry_run: true },
        new RequestKey().of({}),
      );
      if (asked === this.#case) place.textContent = previewText(answer, asked.action);
    } catch (caught) {
      if (asked === this.#case) place.textContent = `What would be decided is not known. ${asApiError(caught).message}`;
    }
  }

  async #confirm() {
    const asked = this.#case;
    if (!asked || this.#busy || this.#submit.hidden || !this.#check(asked)) return;
    this.#busy = true;
    this.#report("");
    this.#enable();
    try {
      if (await this.#name.changed()) {
        this.#report("You are signed in as somebody else now. Nothing was sent yet.");
        return;
      }
      const text = this.#text.value.trim();
      const body = this.#body(asked, text);
      const answer = await this.#api.decideMany(body, this.#requests.of(body));
      if (asked.action === "reject") this.#reasons.remember(text);
      this.#conclude(asked, answer);
    } catch (caught) {
      const { message, inDoubt } = asApiError(caught);
      const doubt = "It is not known what was recorded: sending it again does no harm, nothing is decided twice.";
      this.#report(`${message} ${inDoubt ? doubt : "Nothing was recorded."}`);
      if (!this.#dialog.open) this.#dialog.showModal();
    } finally {
      this.#busy = false;
      this.#enable();
    }
  }

  /**
   * @param {Case} asked
   * @param {DecidedMany} answer
   */
  #conclude({ action }, answer) {
    const rest = answer.outcomes.filter(({ outcome }) => outcome !== "decided");
    this.#submit.hidden = true;
    if (rest.length === 0) this.#dialog.close();
    else {
      this.#elements["bulk-ask"].hidden = true;
      this.#results["bulk-result"].hidden = false;
      this.#results["bulk-outcome"].textContent = outcomeText(answer, action);
      this.#results["bulk-rest"].replaceChildren(...rest.slice(0, MOST_NAMED).map((each) => restItem(each, action)));
      this.#cancel.textContent = "Close";
      this.#cancel.disabled = false;
      if (this.#dialog.open) this.#cancel.focus();
    }
    this.#decided(answer, action, rest.length === 0);
  }

  /**
   * @param {Case} asked
   * @param {string} text
   * @returns {DecisionOnMany}
   */
  #body({ entries, action, positions, seconds }, text) {
    return {
      pattern_ids: entries.map(({ pattern_id: patternId }) => patternId),
      decision: action === "approve" ? "approved" : "rejected",
      reason: text || null,
      reviewer: this.#name.value || null,
      // They are all of one view.
      replaces: /** @type {Status} */ (entries[0]?.status),
      dry_run: false,
      positions,
      seconds,
    };
  }

  /** @param {Case} asked */
  #check({ action, entries }) {
    const fault = textFault(this.#text.value.trim(), ACTIONS[action].needed ?? "");
    complain(this.#text, this.#textFault, fault);
    const typed = this.#count.value.replaceAll(/[\s,.]/gu, "");
    const uncounted = this.#countField.hidden || typed === String(entries.length) ? "" : `Type ${entries.length}.`;
    complain(this.#count, this.#countFault, uncounted);
    const named = this.#name.check();
    if (fault) this.#text.focus();
    else if (uncounted) this.#count.focus();
    else if (!named) this.#name.focus();
    return !(fault || uncounted) && named;
  }

  /** @param {string} text */
  #report(text) {
    this.#elements["bulk-notice"].hidden = text === "";
    this.#elements["bulk-notice"].textContent = text;
  }

  #enable() {
    this.#dialog.setAttribute("aria-busy", String(this.#busy));
    this.#submit.disabled = this.#busy;
    this.#cancel.disabled = this.#busy;
    this.#text.readOnly = this.#busy;
    this.#name.busy = this.#busy;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.repeat || event.isComposing || this.#submit.hidden) return;
    const { key, ctrlKey, metaKey, shiftKey, target } = event;
    const sends = key === "Enter" && (ctrlKey || metaKey || (target === this.#text && !shiftKey));
    if (!sends && (key === "Enter" || !this.#chips.pressed(event))) return;
    event.preventDefault();
    if (sends) this.#confirm();
  }
}

/** @param {QueueEntry} entry */
function largeItem({ pattern_id: patternId, estimated_savings_usd: usd, occurrence_count: occurrences }) {
  return build(
    "li",
    {},
    build("bdi", {}, visible(patternId)),
    build("span", { className: "soft" }, ` ${money(usd)} a month · ${count(occurrences)} occurrences`),
  );
}

/**
 * @param {Outcome} outcome
 * @param {BulkAction} action
 */
function restItem(outcome, action) {
  return build(
    "li",
    {},
    build("bdi", {}, visible(outcome.pattern_id)),
    build("span", { className: "soft" }, ` ${itemText(outcome, action)}`),
  );
}
