/**
 * @import { QueueEntry } from "wire"
 * @import { Api } from "./api.js"
 * @import { Details } from "./details.js"
 * @import { Identity } from "./identity.js"
 * @import { VirtualList } from "./list.js"
 * @import { Memory } from "./memory.js"
 * @import { Selection } from "./selection.js"
 * @import { Signs } from "./signs.js"
 */

import { asApiError } from "./api-error.js";
import { quoted } from "./decision-texts.js";
import { allById, byId, find } from "./dom.js";
import { NameField } from "./name-field.js";
import { endsText, isAsleep, morning } from "./snooze-texts.js";

/** @typedef {{ until: string | null, until_doubled: boolean }} Wish */

/** Puts a hard case off: until a morning, a date, or until its savings have doubled. */
export class Snooze {
  #parts;
  #dialog = byId("snooze", HTMLDialogElement);
  #elements = allById("snooze-pattern", "snooze-notice");
  #date = byId("snooze-date", HTMLInputElement);
  #name;
  /** @type {QueueEntry | null} */
  #entry = null;
  #busy = false;

  /**
   * @param {object} parts
   * @param {Pick<Api, "snooze" | "wake">} parts.api
   * @param {Memory} parts.memory
   * @param {Identity} parts.identity
   * @param {Selection} parts.selection
   * @param {VirtualList} parts.list
   * @param {Details} parts.details
   * @param {Signs} parts.signs
   * @param {(patternId: string, entry: QueueEntry) => void} parts.changed
   */
  constructor(parts) {
    this.#parts = parts;
    this.#name = new NameField({ prefix: "snooze-", memory: parts.memory, identity: parts.identity });
    byId("snooze-button", HTMLButtonElement).addEventListener("click", () => this.begin());
    this.#dialog.addEventListener("keydown", (event) => this.#pressed(event));
    this.#dialog.addEventListener("close", () => parts.details.hasFocus || parts.list.focus());
    for (const button of this.#choices) button.addEventListener("click", () => this.#choose(button));
    byId("snooze-cancel", HTMLButtonElement).addEventListener("click", () => this.#dialog.close());
    find(this.#dialog, "form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#untilDate();
    });
  }

  /** Snooze the selected entry, or wake it. */
  begin() {
    const { entry } = this.#parts.selection;
    if (entry?.status !== "pending" || this.#dialog.open || this.#busy) return;
    if (isAsleep(entry, Date.now())) {
      this.#wake(entry);
      return;
    }
    this.#entry = entry;
    this.#elements["snooze-pattern"].textContent = quoted(entry);
    this.#report("");
    this.#date.value = "";
    this.#name.open();
    this.#dialog.showModal();
    this.#choices[0]?.focus();
  }

  get #choices() {
    return [...this.#dialog.querySelectorAll("button")].filter(({ dataset }) => dataset.until);
  }

  /** @param {HTMLButtonElement} button */
  #choose({ dataset: { until } }) {
    if (until === "doubled") this.#send({ until: null, until_doubled: true });
    else if (until === "tomorrow" || until === "week") this.#sendUntil(morning(new Date(), until));
  }

  #untilDate() {
    const then = new Date(`${this.#date.value}T09:00`);
    if (Number.isNaN(then.getTime()) || then.getTime() <= Date.now()) this.#report("Choose a day to come.");
    else this.#sendUntil(then);
  }

  /** @param {Date} then */
  #sendUntil(then) {
    this.#send({ until: then.toISOString(), until_doubled: false });
  }

  /** @param {Wish} wish */
  async #send(wish) {
    const entry = this.#entry;
    const { api, selection, signs, changed, details } = this.#parts;
    if (!entry || this.#busy) return;
    if (!this.#name.check()) {
      this.#name.focus();
      return;
    }
    this.#busy = true;
    try {
      const after = await api.snooze(entry.pattern_id, { ...wish, reason: null, reviewer: this.#name.value });
      this.#dialog.close();
      const here = selection.patternId === entry.pattern_id;
      changed(entry.pattern_id, after);
      if (here) selection.succeed(entry, { focus: details.hasFocus });
      signs.toast(`Snoozed ${quoted(entry)} ${endsText(wish)}`, { label: "Wake", run: () => this.#wake(after) });
    } catch (caught) {
      this.#report(`Not snoozed. ${asApiError(caught).message}`);
    } finally {
      this.#busy = false;
    }
  }

  /** @param {QueueEntry} entry */
  async #wake(entry) {
    const { api, signs, changed } = this.#parts;
    this.#busy = true;
    try {
      changed(entry.pattern_id, await api.wake(entry.pattern_id));
      signs.toast(`${quoted(entry)} is awake`);
    } catch (caught) {
      signs.toast(`Not woken. ${asApiError(caught).message}`);
    } finally {
      this.#busy = false;
    }
  }

  /** @param {string} text */
  #report(text) {
    this.#elements["snooze-notice"].hidden = text === "";
    this.#elements["snooze-notice"].textContent = text;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
    const choice = this.#choices[Number(event.key) - 1];
    if (!choice) return;
    event.preventDefault();
    this.#choose(choice);
  }
}
