/**
 * @import { Api } from "./api.js"
 * @import { Store } from "./store.js"
 */

import { asApiError } from "./api-error.js";
import { byId, setText } from "./dom.js";

const TYPING_SECONDS = 0.25;
const CHANGING_SECONDS = 1;
// A term of the query language, also a misspelt one, a word that is left out, or words in quotation marks.
const TERM =
  /(?:^|\s)-?(?:type|kind|target|shape|by|flag|likely|savings|evidence|conf(?:idence)?|seen|occurrences|workflows|age|quiet):|:[<>=]|(?:^|\s)-\S|"/iu;

/**
 * Finds what the search field asks for: words among what is loaded, terms of the query language by the daemon, which of a
 * long view finds everything.
 */
export class Finder {
  #api;
  #store;
  #changed;
  #relist;
  #field = byId("search", HTMLInputElement);
  #fault = byId("search-fault", HTMLElement);
  /** @type {AbortController | null} */
  #asking = null;
  /** @type {number | undefined} */
  #timer;
  /** @type {(() => Promise<void>) | null} */
  #due = null;
  /** @type {Promise<void>} */
  #answered = Promise.resolve();
  #query = "";

  /**
   * @param {object} parts
   * @param {Pick<Api, "ids">} parts.api
   * @param {Store} parts.store
   * @param {() => void} parts.changed called when something else was found
   * @param {() => Promise<void>} parts.relist asks for a long view; resolves when it is there, or is not to be had
   */
  constructor({ api, store, changed, relist }) {
    this.#api = api;
    this.#store = store;
    this.#changed = changed;
    this.#relist = relist;
  }

  /** @param {string} text as it is typed */
  seek(text) {
    if (this.set(text)) this.#doIn(TYPING_SECONDS, this.#relist);
  }

  /** Do not wait for more to be typed; resolves when the list shows what the field asks for, or the fault is told. */
  async arrive() {
    if (this.#due) this.#do(this.#due);
    await this.#answered;
  }

  /**
   * The same, where the list is loaded anyway; returns whether it has to be.
   * @param {string} text
   */
  set(text) {
    this.#stop();
    this.complain("");
    this.#query = "";
    this.#store.only(null);
    if (this.#store.long) return this.#store.search(text);
    if (TERM.test(text)) this.#query = text;
    this.#store.search(this.#query === "" ? text : "");
    if (this.#query !== "") this.#doIn(TYPING_SECONDS, () => this.#ask());
    return false;
  }

  /** Entries have changed, or others are shown: what was found may be something else now. */
  again() {
    if (this.#query !== "" && this.#asking === null) this.#doIn(CHANGING_SECONDS, () => this.#ask());
  }

  /**
   * @param {number} seconds
   * @param {() => Promise<void>} action
   */
  #doIn(seconds, action) {
    clearTimeout(this.#timer);
    this.#due = action;
    this.#timer = setTimeout(() => this.#do(action), seconds * 1000);
  }

  /** @param {() => Promise<void>} action */
  #do(action) {
    clearTimeout(this.#timer);
    this.#due = null;
    this.#answered = action();
  }

  async #ask() {
    const asking = new AbortController();
    this.#asking = asking;
    try {
      const { ids } = await this.#api.ids(this.#store.view, this.#query, asking.signal);
      if (asking !== this.#asking) return;
      this.#asking = null;
      this.#store.only(new Set(ids));
      this.#changed();
    } catch (fault) {
      if (asking !== this.#asking) return;
      this.#asking = null;
      this.complain(asApiError(fault).message);
    }
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#due = null;
    this.#asking?.abort();
    this.#asking = null;
  }

  /** @param {string} message what is wrong with the query; "" for nothing */
  complain(message) {
    setText(this.#fault, message);
    this.#fault.hidden = message === "";
    this.#field.setAttribute("aria-invalid", String(message !== ""));
  }
}
