/**
 * @import { Batch, LoggedDecision } from "wire"
 * @import { Api } from "./api.js"
 * @import { Identity } from "./identity.js"
 * @import { Memory } from "./memory.js"
 * @import { Undo } from "./undo.js"
 */

import { asApiError } from "./api-error.js";
import { allById, build, byId, find } from "./dom.js";
import { capital, count, money, plural, time, visible } from "./format.js";

const DAYS = 7;
const DAY_MILLISECONDS = 86_400_000;
// As many as one answer has.
const MOST = 500;
const NAMED = 3;

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
    this.#elements["log-list"].replaceChildren(...batches.map((batch) => this.#item(batch, partsOf(batch, decisions))));
  }

  /**
   * @param {Batch} batch
   * @param {LoggedDecision[]} decisions
   */
  #item(batch, decisions) {
    const { id, decision, reviewer, reason, decided_at: decidedAt, items, undone_by: undoneBy, undoable } = batch;
    const names = decisions.slice(0, NAMED).map(({ pattern_id: patternId }) => visible(patternId));
    const more = items > names.length && names.length > 0 ? ` and ${count(items - names.length)} more` : "";
    const what = items === 1 && names[0] ? `“${names[0]}”` : plural(items, "pattern");
    const savings = decisions.reduce((sum, { savings_usd: usd }) => sum + (usd ?? 0), 0);
    const worth = decisions.length === items ? ` · ${money(savings)} a month` : "";
    const done = `${capital(visible(decision))} ${what}`;
    const item = build(
      "li",
      {},
      build("p", {}, build("b", {}, done), worth),
      build("p", { className: "soft" }, "by ", build("bdi", {}, visible(reviewer)), `, ${time(decidedAt)}`),
    );
    if (items > 1 && names.length > 0) item.append(build("p", { className: "soft" }, `${names.join(", ")}${more}`));
    if (reason) item.append(build("p", { className: "prose", dir: "auto" }, visible(reason)));
    if (undoneBy) item.append(build("p", { className: "soft" }, `Undone by ${visible(undoneBy)}.`));
    if (undoable) item.append(this.#undoButton(id, what, done));
    return item;
  }

  /**
   * @param {number} batchId
   * @param {string} what
   * @param {string} done
   */
  #undoButton(batchId, what, done) {
    const button = build("button", { type: "button", className: "small", ariaLabel: `Undo: ${done}` }, "Undo");
    button.addEventListener("click", async () => {
      button.disabled = true;
      await this.#undo.undo(batchId, what);
      await this.#load();
      this.#mine.focus();
    });
    return button;
  }
}

/** Today's first moment, here. */
export function midnight() {
  return new Date(new Date().setHours(0, 0, 0, 0)).toISOString();
}

/**
 * @param {Batch} batch
 * @param {LoggedDecision[]} decisions
 */
function partsOf({ id }, decisions) {
  return decisions.filter(({ batch_id: batchId }) => batchId === id);
}
