/** @import { QueueCounts, Status } from "wire" */

import { byId, closest, find, setText } from "./dom.js";
import { worth } from "./evidence.js";
import { count } from "./format.js";

/** The statistics bar, whose figures are also the views. */
export class Views {
  #bar = byId("views", HTMLElement);
  #rare = find(this.#bar, "[data-view=auto-rejected]", HTMLElement);
  #worth = byId("overview-worth", HTMLElement);
  /** @type {QueueCounts | null} */
  #counts = null;

  /** @param {{ choose: (view: Status) => void }} parts */
  constructor({ choose }) {
    this.#bar.addEventListener("click", (event) => {
      const button = closest(event, "[data-view]");
      if (button) choose(/** @type {Status} */ (button.dataset.view));
    });
  }

  /**
   * How many entries a view has according to the statistics; null when not known.
   * @param {Status} view
   */
  expected(view) {
    return this.#counts?.[countOf(view)] ?? null;
  }

  /**
   * What a view's entries save according to the statistics, USD a month; null when not known.
   * @param {Status} view
   */
  claimed(view) {
    return view === "pending" ? (this.#counts?.claimed_usd ?? null) : null;
  }

  /** @param {QueueCounts} counts */
  showCounts(counts) {
    this.#counts = counts;
    for (const place of this.#bar.querySelectorAll("[data-count]")) {
      const name = /** @type {Exclude<keyof QueueCounts, "shown_usd">} */ (place.getAttribute("data-count"));
      setText(place, count(counts[name]));
    }
    setText(this.#worth, worth(counts));
    this.#rare.hidden = counts.auto_rejected === 0 && !this.#rare.hasAttribute("aria-current");
    document.title = counts.pending > 0 ? `(${count(counts.pending)}) Pattern Sync` : "Pattern Sync";
  }

  /** @param {Status | null} view null: none of them is shown */
  showCurrent(view) {
    for (const button of this.#bar.querySelectorAll("[data-view]")) {
      if (button.getAttribute("data-view") === view) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }
}

/**
 * The name of a view's figure in the statistics.
 * @param {Status} view
 */
function countOf(view) {
  switch (view) {
    case "auto-approved":
      return "auto_approved";
    case "auto-rejected":
      return "auto_rejected";
    default:
      return view;
  }
}
