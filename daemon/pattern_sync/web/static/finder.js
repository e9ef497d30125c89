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
  /(?:^|\s)-?(?:type|kind|target|shape|by|flag|savings|evidence|conf(?:idence)?|seen|occurrences|workflows|age|quiet):|:[<>=]|(?:^|\s)-\S|"/iu;

/** Finds what the search field asks for: words among what is loaded, terms of the query language by the daemon. */
export class Finder {
  #api;
  #store;
  #changed;
  #field = byId("search", HTMLInputElement);
  #fault = byId("search-fault", HTMLElement);
  /** @type {AbortController | null} */
  #asking = null;
  /** @type {number | undefined} */
  #timer;
  #query = "";

  /** @param {{ api: Pick<Api, "ids">, store: Store, changed: () => void }} parts */
  constructor({ api, store, changed }) {
    this.#api = api;
    this.#store = store;
    this.#changed = changed;
  }

  /** @param {string} text as it is typed */
  seek(text) {
    this.#stop();
    this.#complain("");
    this.#query = TERM.test(text) ? text : "";
    this.#store.search(this.#query === "" ? text : "");
    if (this.#query === "") this.#store.only(null);
    else this.#askIn(TYPING_SECONDS);
  }

  /** Entries have changed, or others are shown: what was found may be something else now. */
  again() {
    if (this.#query !== "" && this.#asking === null) this.#askIn(CHANGING_SECONDS);
  }

  /** @param {number} seconds */
  #askIn(seconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), seconds * 1000);
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
      this.#complain(asApiError(fault).message);
    }
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#asking = null;
  }

  /** @param {string} message "" for none */
  #complain(message) {
    setText(this.#fault, message);
    this.#fault.hidden = message === "";
    this.#field.setAttribute("aria-invalid", String(message !== ""));
  }
}
