/**
 * @import { Batch, LoggedDecision } from "wire"
 * @import { Api } from "./api.js"
 * @import { Identity } from "./identity.js"
 * @import { Memory } from "./memory.js"
 * @import { Undo } from "./undo.js"
 */

import { asApiError } from "./api-error.js";
import { allById, byId, find } from "./dom.js";
import { plural } from "./format.js";
import { logItem } from "./log-item.js";

const DAYS = 7;
const DAY_MILLISECONDS = 86_400_000;
// As many as one answer has.
const MOST = 500;

/** What was decided within the days in which it can be undone: each batch with its patterns, and a way back. */
export class Log {
  #api;
  #memory;
  #identity;
  #undo;
  #dialog = byId("log", HTMLDialogElement);
  #elements = allById("log-text", "log-list");
  #mine = byId("log-mine", HTMLInputElement);

  /**
   * @param {object} parts
   * @param {Pick<Api, "batches" | "log">} parts.api
   * @param {Memory} parts.memory
   * @param {Identity} parts.identity
   * @param {Undo} parts.undo
   */
  constructor({ api, memory, identity, undo }) {
    this.#api = api;
    this.#memory = memory;
    this.#identity = identity;
    this.#undo = undo;
    this.#mine.addEventListener("change", () => this.#load());
    byId("log-button", HTMLButtonElement).addEventListener("click", () => this.open());
    find(this.#dialog, "form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#dialog.close();
    });
  }

  open() {
    if (this.#dialog.open) return;
    this.#dialog.showModal();
    this.#load();
  }

  get #name() {
    const { fixed, name } = this.#identity.known;
    return (fixed ? name : this.#memory.reviewer) ?? "";
  }

  async #load() {
    const mine = this.#mine.checked;
    const since = mine ? midnight() : new Date(Date.now() - DAYS * DAY_MILLISECONDS).toISOString();
    const by = mine && this.#name ? { by: this.#name } : {};
    try {
      const [batches, decisions] = await Promise.all([
        this.#api.batches({ ...by, limit: MOST }),
        this.#api.log({ ...by, since, limit: MOST }),
      ]);
      if (mine !== this.#mine.checked) return;
      this.#show(
        batches.filter(({ decided_at: decidedAt }) => Date.parse(decidedAt) >= Date.parse(since)),
        decisions,
      );
    } catch (caught) {
      this.#elements["log-text"].textContent = asApiError(caught).message;
    }
  }

  /**
   * @param {Batch[]} batches
   * @param {LoggedDecision[]} decisions
   */
  #show(batches, decisions) {
    const standing = batches.filter(({ undone_at: undoneAt }) => undoneAt === null);
    const number = standing.reduce((sum, { items }) => sum + items, 0);
    const older =
      batches.length === MOST ? " The latest 500 are shown: the command line and the API list older ones." : "";
    const told = number === 0 ? "Nothing was decided." : `${plural(number, "decision")}.${older}`;
    this.#elements["log-text"].textContent = told;
    this.#elements["log-list"].replaceChildren(
      ...batches.map((batch) => logItem(batch, decisions, (batchId, what) => this.#takeBack(batchId, what))),
    );
  }

  /**
   * @param {number} batchId
   * @param {string} what
   */
  async #takeBack(batchId, what) {
    await this.#undo.undo(batchId, what);
    await this.#load();
    this.#mine.focus();
  }
}

/** Today's first moment, here. */
export function midnight() {
  return new Date(new Date().setHours(0, 0, 0, 0)).toISOString();
}
