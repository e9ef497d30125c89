import { clockTime } from "./format.js";

const TOAST_SECONDS = 7;
const BANNER_DELAY_SECONDS = 1;
const ANNOUNCE_SECONDS = 2;

const BADGES = { live: "Live", reconnecting: "Reconnecting…", outage: "No database" };

/** What the page says by itself: the connection's badge and banner, toasts, and what screen readers are told. */
export class Signs {
  #badge = document.getElementById("connection");
  #banner = document.getElementById("banner");
  #bannerText = document.getElementById("banner-text");
  #toasts = document.getElementById("toasts");
  #announcer = document.getElementById("announcer");
  #announceTimer = null;
  #bannerTimer = null;
  #wasLive = false;
  #lostAt = null;
  #arrived = 0;
  #arrivedTimer = null;
  #leave;

  /** `retry()` is called when a person wants to connect now, `leave()` to take the focus from what is about to go. */
  constructor({ retry, leave }) {
    this.#leave = leave;
    document.getElementById("banner-retry").addEventListener("click", retry);
  }

  /** `state` is live, reconnecting or outage. */
  connection(state) {
    this.#badge.dataset.state = state;
    this.#badge.textContent = BADGES[state];
    clearTimeout(this.#bannerTimer);
    if (state === "live") {
      this.#recovered();
    } else {
      this.#lostAt ??= new Date();
      const delay = this.#banner.hidden && state !== "outage" ? BANNER_DELAY_SECONDS * 1000 : 0;
      this.#bannerTimer = setTimeout(() => this.#showBanner(state), delay);
    }
  }

  /** A short message in the corner; screen readers hear it too. `show()` leads to what it is about. */
  toast(text, show) {
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.append(Object.assign(document.createElement("span"), { textContent: text }));
    if (show) {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "small", textContent: "Show" });
      button.addEventListener("click", () => {
        toast.remove();
        show();
      });
      toast.append(button);
    }
    this.#toasts.replaceChildren(toast);
    setTimeout(() => dismiss(toast), TOAST_SECONDS * 1000);
  }

  /** Tell screen readers, once for all that arrive within a moment. */
  arrivals(number) {
    if (number === 0) return;
    this.#arrived += number;
    this.#arrivedTimer ??= setTimeout(() => {
      this.announce(this.#arrived === 1 ? "1 new pattern" : `${this.#arrived} new patterns`);
      this.#arrived = 0;
      this.#arrivedTimer = null;
    }, ANNOUNCE_SECONDS * 1000);
  }

  #recovered() {
    if (!this.#banner.hidden && this.#wasLive) this.announce("Live again");
    if (this.#banner.contains(document.activeElement)) this.#leave();
    this.#banner.hidden = true;
    this.#wasLive = true;
    this.#lostAt = null;
  }

  #showBanner(state) {
    const text = this.#bannerWords(state);
    this.#banner.hidden = false;
    this.#banner.dataset.state = state;
    this.#bannerText.textContent = text;
    this.announce(text);
  }

  #bannerWords(state) {
    const at = clockTime(this.#lostAt);
    if (state === "outage") {
      const loss = `The daemon has lost its database (since ${at})`;
      return `${loss}; what you see may be old, and nothing can be decided until it is back.`;
    }
    if (this.#wasLive) return `Connection lost at ${at}; what you see may be old.`;
    return "No live connection to the daemon; what you see may be old.";
  }

  /** Tell screen readers only. */
  announce(text) {
    this.#place();
    // The same words twice are a change only when they were gone in between.
    this.#announcer.textContent = "";
    clearTimeout(this.#announceTimer);
    this.#announceTimer = setTimeout(() => {
      this.#place();
      this.#announcer.textContent = text;
    }, 100);
  }

  // Everything outside the topmost dialog is inert, for screen readers too.
  #place() {
    const place = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
    if (this.#announcer.parentElement !== place) place.append(this.#announcer);
  }
}

function dismiss(toast) {
  // Somebody is at its button.
  if (toast.matches(":hover, :focus-within")) setTimeout(() => dismiss(toast), 1000);
  else toast.remove();
}
