/**
 * @import { Tab } from "./address.js"
 * @import { Views } from "./views.js"
 */

import { readAddress, writeAddress } from "./address.js";
import { byId } from "./dom.js";

/**
 * A tab that stands in place of the list and the details.
 * @typedef {object} Page
 * @property {() => void} show called when it is shown, or shown otherwise
 */

/** Which tab is shown, as the address says: the list with its details, or one of those that stand in its place. */
export class Tabs {
  #views;
  #pages;
  #main = byId("main", HTMLElement);
  /** @type {Tab} */
  #shown = "list";

  /**
   * @param {object} parts
   * @param {Views} parts.views
   * @param {Record<Exclude<Tab, "list">, Page>} parts.pages
   */
  constructor({ views, pages }) {
    this.#views = views;
    this.#pages = pages;
    for (const name of this.#names) button(name).addEventListener("click", () => this.go(name));
  }

  /** Show the tab that the address names. */
  follow() {
    const { tab, view } = readAddress();
    this.#views.showCurrent(tab === "list" ? view : null);
    const another = tab !== this.#shown;
    this.#shown = tab;
    if (another) this.#switch();
    if (tab === "list") return;
    if (another) byId(`${tab}-title`, HTMLElement).focus();
    this.#pages[tab].show();
  }

  /**
   * Go to a tab.
   * @param {Tab} tab
   */
  go(tab) {
    writeAddress({ tab, rule: null }, { step: true });
    this.follow();
  }

  get #names() {
    return /** @type {Exclude<Tab, "list">[]} */ (Object.keys(this.#pages));
  }

  #switch() {
    this.#main.dataset.tab = this.#shown;
    for (const name of this.#names) {
      byId(name, HTMLElement).hidden = name !== this.#shown;
      if (name !== this.#shown) {
        button(name).removeAttribute("aria-current");
        continue;
      }
      button(name).setAttribute("aria-current", "true");
      // On a phone the bar is wider than the screen.
      button(name).scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }
}

/** @param {string} name */
function button(name) {
  return byId(`${name}-tab`, HTMLButtonElement);
}
