/** @import { Memory } from "./memory.js" */

import { byId, find } from "./dom.js";

/** The dialog that shows the keyboard shortcuts, and switches the single-letter ones on and off. */
export class KeysDialog {
  #dialog = byId("keys-dialog", HTMLDialogElement);

  /** @param {{ memory: Memory }} parts */
  constructor({ memory }) {
    const on = byId("keys-on", HTMLInputElement);
    on.checked = memory.keys;
    on.addEventListener("change", () => {
      memory.keys = on.checked;
    });
    find(this.#dialog, "form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#dialog.close();
    });
    byId("keys-button", HTMLButtonElement).addEventListener("click", () => this.open());
  }

  open() {
    this.#dialog.showModal();
  }
}
