/**
 * @import { EntryChange, QueueEntry } from "wire"
 * @import { Memory } from "./memory.js"
 */

import { shownName } from "./characters.js";
import { byId, setText } from "./dom.js";
import { money, plural } from "./format.js";

const RING_SECONDS = 30;
const TAG = "pattern-sync";

/**
 * The browser's own notifications, for whoever asks for them: of patterns that are queued while nobody looks at the page.
 * What comes within half a minute is one notification, and a new one takes the place of the last.
 */
export class Bell {
  #button = byId("bell-button", HTMLButtonElement);
  #memory;
  /** @type {QueueEntry[]} */
  #queued = [];
  /** @type {number | undefined} */
  #timer;

  /** @param {{ memory: Memory }} parts */
  constructor({ memory }) {
    this.#memory = memory;
    // Browsers offer them only to pages that nobody on the way can have changed: https, or this machine.
    this.#button.hidden = !("Notification" in window && window.isSecureContext);
    this.#button.addEventListener("click", () => this.#switch());
    this.#draw();
  }

  /**
   * Ring for what was queued, if it is on and nobody looks.
   * @param {EntryChange[]} changes
   */
  heard(changes) {
    if (!(this.#on && document.hidden)) return;
    for (const { change, entry } of changes) {
      if (change === "queued" && entry?.status === "pending") this.#queued.push(entry);
    }
    if (this.#queued.length > 0) this.#timer ??= setTimeout(() => this.#ring(), RING_SECONDS * 1000);
  }

  get #on() {
    return !this.#button.hidden && this.#memory.bell && Notification.permission === "granted";
  }

  async #switch() {
    const wanted = !this.#on;
    // Only a click may ask, and a person who has once said no is not asked again by the browser.
    if (wanted) await Notification.requestPermission();
    this.#memory.bell = wanted;
    this.#draw();
  }

  #draw() {
    if (this.#button.hidden) return;
    this.#button.setAttribute("aria-pressed", `${this.#on}`);
    const refused = Notification.permission === "denied";
    this.#button.disabled = refused;
    setText(this.#button, this.#on ? "Notifying" : "Notify me");
    this.#button.title = refused
      ? "This browser keeps the page from notifying you; its settings for this site can change that"
      : "Notify me in this browser of new patterns, while I do not look at the page";
  }

  #ring() {
    const [best, ...others] = this.#queued.toSorted((a, b) => b.impact_score - a.impact_score);
    this.#queued = [];
    this.#timer = undefined;
    if (best === undefined || !document.hidden) return;
    const first = `${shownName(best.pattern_id)}, ${money(best.estimated_savings_usd)} a month`;
    const body = others.length === 0 ? first : `${first}, and ${plural(others.length, "other")}`;
    const title = plural(others.length + 1, "new pattern");
    try {
      const notification = new Notification(title, { body, tag: TAG, icon: "icon.svg" });
      notification.addEventListener("click", () => {
        window.focus();
        notification.close();
      });
    } catch {
      // Some browsers of phones have the class and refuse its use.
      this.#button.hidden = true;
    }
  }
}
