/** @import { State } from "./live.js" */

import { build, byId, setText } from "./dom.js";
import { clockTime, plural } from "./format.js";

/**
 * What a toast's button does.
 * @typedef {{ label: string, run: () => unknown, key?: string | undefined }} Offer
 */

const TOAST_SECONDS = 7;
const BANNER_DELAY_SECONDS = 1;
const ARRIVALS_SECONDS = 2;
const ANNOUNCE_MILLISECONDS = 100;

const POLLING =
  "Live updates do not get through: a proxy keeps them out, or the daemon refuses them, and then its log says why." +
  " The page looks for changes every few seconds instead.";

/** @type {Record<State, string>} */
const BADGES = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  polling: "Polling",
  outage: "No database",
};

/** What the page reports by itself: the connection's badge and banner, toasts, and announcements to screen readers. */
export class Signs {
  #badge = byId("connection", HTMLElement);
  #banner = byId("banner", HTMLElement);
  #bannerText = byId("banner-text", HTMLElement);
  #toasts = byId("toasts", HTMLElement);
  #announcer = byId("announcer", HTMLElement);
  /** @type {number | undefined} */
  #announceTimer;
  /** @type {number | undefined} */
  #bannerTimer;
  /** @type {number | undefined} */
  #arrivedTimer;
  #arrived = 0;
  #wasLive = false;
  #inTheWay = "";
  /** @type {State} */
  #state = "connecting";
  /** @type {Date | null} */
  #lostAt = null;
  #leave;

  /**
   * @param {object} parts
   * @param {() => void} parts.retry called when a person wants to connect now
   * @param {() => void} parts.leave takes the focus from what is about to go away
   */
  constructor({ retry, leave }) {
    this.#leave = leave;
    byId("banner-retry", HTMLButtonElement).addEventListener("click", retry);
  }

  /**
   * What answers in place of the daemon while there is no live connection; "" for nothing.
   * @param {string} text
   */
  set inTheWay(text) {
    if (text === this.#inTheWay) return;
    this.#inTheWay = text;
    if (this.#state === "reconnecting") this.connection(this.#state);
  }

  /** @param {State} state */
  connection(state) {
    this.#state = state;
    this.#badge.dataset.state = state;
    setText(this.#badge, BADGES[state]);
    clearTimeout(this.#bannerTimer);
    if (state === "live") {
      this.#recovered();
      return;
    }
    this.#lostAt ??= new Date();
    const text = this.#bannerWords(state, clockTime(this.#lostAt));
    const delay = this.#banner.hidden && state !== "outage" ? BANNER_DELAY_SECONDS * 1000 : 0;
    this.#bannerTimer = setTimeout(() => this.#showBanner(state, text), delay);
  }

  /**
   * A short message in the corner; screen readers hear it, too.
   * @param {string} text
   * @param {...Offer} offers
   */
  toast(text, ...offers) {
    const toast = build("div", { className: "toast" }, build("span", {}, text));
    for (const { label, run, key } of offers) {
      const button = build("button", { type: "button", className: "small" }, label);
      if (key) button.setAttribute("aria-keyshortcuts", key);
      button.addEventListener("click", () => {
        toast.remove();
        this.#leave();
        run();
      });
      toast.append(button);
    }
    this.#toasts.replaceChildren(toast);
    setTimeout(() => dismiss(toast), TOAST_SECONDS * 1000);
  }

  /**
   * Announce new patterns to screen readers, together if several arrive within a moment.
   * @param {number} number
   */
  arrivals(number) {
    if (number === 0) return;
    this.#arrived += number;
    this.#arrivedTimer ??= setTimeout(() => {
      this.announce(plural(this.#arrived, "new pattern"));
      this.#arrived = 0;
      this.#arrivedTimer = undefined;
    }, ARRIVALS_SECONDS * 1000);
  }

  /**
   * Announce a text to screen readers only.
   * @param {string} text
   */
  announce(text) {
    this.#place();
    // A repeated text is announced only if it was cleared in between.
    this.#announcer.textContent = "";
    clearTimeout(this.#announceTimer);
    this.#announceTimer = setTimeout(() => {
      this.#place();
      this.#announcer.textContent = text;
    }, ANNOUNCE_MILLISECONDS);
  }

  #recovered() {
    if (!this.#banner.hidden && this.#wasLive) this.announce("Live again");
    if (this.#banner.contains(document.activeElement)) this.#leave();
    this.#banner.hidden = true;
    this.#wasLive = true;
    this.#inTheWay = "";
    this.#lostAt = null;
  }

  /**
   * @param {State} state
   * @param {string} text
   */
  #showBanner(state, text) {
    this.#banner.hidden = false;
    this.#banner.dataset.state = state;
    this.#bannerText.textContent = text;
    this.announce(text);
  }

  /**
   * @param {State} state
   * @param {string} at when the connection was lost
   */
  #bannerWords(state, at) {
    if (state === "outage") {
      const loss = `The daemon has been without its database since ${at}.`;
      return `${loss} What you see may be out of date, and nothing can be decided until the database is back.`;
    }
    if (state === "polling") return POLLING;
    const loss = this.#wasLive ? `Connection lost at ${at}.` : "No live connection to the daemon.";
    return [loss, this.#inTheWay, "What you see may be out of date."].filter(Boolean).join(" ");
  }

  // Everything outside the topmost dialog is inert, for screen readers too.
  #place() {
    const place = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
    if (this.#announcer.parentElement !== place) place.append(this.#announcer);
  }
}

/** @param {HTMLElement} toast */
function dismiss(toast) {
  // A person is about to use its button.
  if (toast.matches(":hover, :focus-within")) setTimeout(() => dismiss(toast), 1000);
  else toast.remove();
}
