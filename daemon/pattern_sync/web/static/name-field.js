/**
 * @import { Identity } from "./identity.js"
 * @import { Memory } from "./memory.js"
 */

import { byId, setText } from "./dom.js";
import { complain } from "./fields.js";
import { visible } from "./format.js";

const REMEMBERED = "Recorded with your decision or comment, and remembered in this browser.";
const SIGNED_IN = "Recorded with your decision or comment. It comes from where you signed in.";

/** In whose name a dialog decides: asked once a browser, then shown; where a proxy signs people in, only shown. */
export class NameField {
  #memory;
  #identity;
  #field;
  #input;
  #fault;
  #hint;
  #known;
  #knownName;
  #asked = false;
  #busy = false;

  /**
   * @param {object} parts
   * @param {string} parts.prefix of the elements' ids
   * @param {Memory} parts.memory
   * @param {Identity} parts.identity
   */
  constructor({ prefix, memory, identity }) {
    this.#memory = memory;
    this.#identity = identity;
    this.#field = byId(`${prefix}reviewer-field`, HTMLElement);
    this.#input = byId(`${prefix}reviewer`, HTMLInputElement);
    this.#fault = byId(`${prefix}reviewer-fault`, HTMLElement);
    this.#hint = byId(`${prefix}reviewer-hint`, HTMLElement);
    this.#known = byId(`${prefix}reviewer-known`, HTMLElement);
    this.#knownName = byId(`${prefix}reviewer-name`, HTMLElement);
    this.#input.addEventListener("input", () => {
      memory.reviewer = this.#input.value.trim();
    });
    byId(`${prefix}reviewer-change`, HTMLButtonElement).addEventListener("click", () => {
      this.#asked = true;
      this.#show();
      this.#input.focus();
      this.#input.select();
    });
  }

  get value() {
    return this.#input.value.trim();
  }

  /** @param {boolean} busy */
  set busy(busy) {
    this.#busy = busy;
    this.#input.readOnly = busy || this.#identity.known.fixed;
  }

  /** A dialog opens. */
  async open() {
    this.#input.value = this.#memory.reviewer;
    this.#asked = this.value === "";
    complain(this.#input, this.#fault, "");
    this.#show();
    await this.#identity.refresh();
    this.#show();
  }

  /** Whether there is a name; if not, says so. */
  check() {
    const fault = this.value ? "" : (this.#identity.known.detail ?? "Enter your name: it is kept in the history.");
    this.#asked ||= fault !== "";
    this.#show();
    complain(this.#input, this.#fault, fault);
    return fault === "";
  }

  focus() {
    this.#input.focus();
  }

  /** Resolves to whether another person has signed in than the one whose name is shown: the daemon records who sends. */
  async changed() {
    if (!this.#identity.known.fixed) return false;
    const shown = this.#input.value;
    await this.#identity.refresh();
    this.#show();
    return this.#input.value !== shown;
  }

  #show() {
    const { fixed, name, detail } = this.#identity.known;
    if (fixed) this.#input.value = name ?? "";
    this.#input.readOnly = fixed || this.#busy;
    this.#hint.textContent = fixed ? SIGNED_IN : REMEMBERED;
    const asks = fixed || this.#asked;
    this.#field.hidden = !asks;
    this.#known.hidden = asks;
    setText(this.#knownName, visible(this.value));
    if (detail) complain(this.#input, this.#fault, detail);
  }
}
