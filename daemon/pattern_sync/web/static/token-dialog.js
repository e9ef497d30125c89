/** @import { Memory } from "./memory.js" */

import { byId } from "./dom.js";

/** The dialog that asks for the token. */
export class TokenDialog {
  #dialog = byId("token-dialog", HTMLDialogElement);
  #field = byId("token", HTMLInputElement);
  #notice = byId("token-notice", HTMLElement);
  /** @type {((token: string | null) => void) | null} */
  #answer = null;

  #memory;
  /** Whether the person gave none when asked last. */
  declined = false;

  /** @param {{ memory: Memory }} parts */
  constructor({ memory }) {
    this.#memory = memory;
    memory.onToken((token) => this.#answerWith(token));
    byId("token-cancel", HTMLButtonElement).addEventListener("click", () => this.#dialog.close());
    // The event comes a moment after closing; by then the dialog may be open again.
    this.#dialog.addEventListener("close", () => this.#dialog.open || this.#resolve(null));
    byId("token-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submitted();
    });
  }

  /**
   * Resolves to the token, or to null when the person gives none.
   * @param {boolean} wrong whether the last one was refused
   * @returns {Promise<string | null>}
   */
  ask(wrong) {
    this.#field.value = "";
    this.#notice.hidden = !wrong;
    this.#notice.textContent = wrong
      ? "That token was not accepted. Try again, or ask the operator for the current one."
      : "";
    this.#dialog.showModal();
    this.#field.focus();
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  /**
   * Ask, and remember the token. Resolves to whether there is another one now.
   * @param {boolean} wrong whether the last one was refused
   */
  async obtain(wrong) {
    const token = await this.ask(wrong);
    this.declined = token === null;
    if (token !== null) this.#memory.rememberToken(token);
    return token !== null;
  }

  // The person, or another tab that was told the token meanwhile.
  /** @param {string} token */
  #answerWith(token) {
    if (!this.#answer) return;
    this.#resolve(token);
    this.#dialog.close();
  }

  #submitted() {
    const token = this.#field.value.trim();
    if (!token) {
      this.#field.focus();
      return;
    }
    this.#answerWith(token);
  }

  /** @param {string | null} token */
  #resolve(token) {
    this.#answer?.(token);
    this.#answer = null;
    this.#field.value = "";
  }
}
