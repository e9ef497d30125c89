import { byId } from "./dom.js";

/** The dialog that asks for the token. */
export class TokenDialog {
  #dialog = byId("token-dialog", HTMLDialogElement);
  #field = byId("token", HTMLInputElement);
  #notice = byId("token-notice", HTMLElement);
  /** @type {((token: string | null) => void) | null} */
  #answer = null;

  constructor() {
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
   * Answer for the person, if they are being asked: another tab was told the token.
   * @param {string} token
   */
  answer(token) {
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
    this.answer(token);
  }

  /** @param {string | null} token */
  #resolve(token) {
    this.#answer?.(token);
    this.#answer = null;
    this.#field.value = "";
  }
}
