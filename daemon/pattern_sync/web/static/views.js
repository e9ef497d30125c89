import { count } from "./format.js";

/** The statistics bar, whose figures are also the views. */
export class Views {
  #bar = document.getElementById("views");
  #counts = null;

  /** `choose(view)` gets pending, approved, rejected, auto-approved or auto-rejected. */
  constructor({ choose }) {
    this.#bar.addEventListener("click", (event) => {
      const button = event.target.closest("[data-view]");
      if (button) choose(button.dataset.view);
    });
  }

  /** The statistics as last heard, null before. */
  get counts() {
    return this.#counts;
  }

  /** How many entries a view has according to the statistics; null when not known. */
  expected(view) {
    return this.#counts?.[view.replace("-", "_")] ?? null;
  }

  showCounts(counts) {
    this.#counts = counts;
    for (const place of this.#bar.querySelectorAll("[data-count]")) {
      const text = count(counts[place.dataset.count]);
      if (place.textContent !== text) place.textContent = text;
    }
    const rare = this.#bar.querySelector("[data-view=auto-rejected]");
    rare.hidden = !counts.auto_rejected && !rare.hasAttribute("aria-current");
    document.title = counts.pending > 0 ? `(${count(counts.pending)}) Pattern Sync` : "Pattern Sync";
  }

  showCurrent(view) {
    for (const button of this.#bar.querySelectorAll("[data-view]")) {
      if (button.dataset.view === view) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }
}
