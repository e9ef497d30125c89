/** @import { Reasons } from "./reasons.js" */

import { build } from "./dom.js";
import { visible } from "./format.js";

const LAST = ".";

/** Reasons to pick instead of typing one: by a click, or by its digit while nothing is typed. */
export class Chips {
  #box;
  #text;
  #reasons;
  /** @type {string[]} */
  #offered = [];

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.box
   * @param {HTMLTextAreaElement} parts.text
   * @param {Reasons} parts.reasons
   */
  constructor({ box, text, reasons }) {
    this.#box = box;
    this.#text = text;
    this.#reasons = reasons;
  }

  /** @param {boolean} shown */
  show(shown) {
    this.#offered = shown ? this.#reasons.offered : [];
    this.#box.hidden = !shown;
    this.#box.replaceChildren(...this.#offered.map((reason, index) => this.#chip(reason, String(index + 1))));
  }

  /**
   * Whether a key picked a reason.
   * @param {KeyboardEvent} event
   */
  pressed({ key, target, ctrlKey, metaKey, altKey }) {
    const typed = this.#text.value;
    // A text that was typed may hold any digit; one that was picked is replaced by the next.
    if (ctrlKey || metaKey || altKey || (typed !== "" && !this.#offered.includes(typed))) return false;
    if (target instanceof HTMLInputElement) return false;
    const reason = key === LAST ? this.#reasons.last : this.#offered[Number(key) - 1];
    if (!(reason && this.#offered.includes(reason))) return false;
    this.#pick(reason);
    return true;
  }

  /**
   * @param {string} reason
   * @param {string} key
   */
  #chip(reason, key) {
    const chip = build(
      "button",
      { type: "button", className: "chip" },
      build("kbd", { ariaHidden: "true" }, key),
      build("bdi", {}, visible(reason)),
    );
    const again = reason === this.#reasons.last;
    chip.setAttribute("aria-keyshortcuts", again ? `${key} ${LAST}` : key);
    if (again) chip.title = "The same as last time (. or 1)";
    chip.addEventListener("click", () => this.#pick(reason));
    return chip;
  }

  /** @param {string} reason */
  #pick(reason) {
    this.#text.value = reason;
    this.#text.dispatchEvent(new InputEvent("input"));
    this.#text.focus();
    this.#text.setSelectionRange(reason.length, reason.length);
  }
}
