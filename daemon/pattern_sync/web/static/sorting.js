/** @import { Sort as SortType } from "./order.js" */

import { byId, closest, find, findAll, setAttribute, setText } from "./dom.js";
import { EXPECTED, ORDER_NAMES, orderOf, Sort } from "./order.js";

/** How the list is sorted: the heads of its columns, and a select that also fits a phone. */
export class Sorting {
  #columns = byId("columns", HTMLElement);
  #select = byId("sort", HTMLSelectElement);
  #direction = byId("direction", HTMLButtonElement);
  #sort = new Sort("");
  #choose;
  #expects = false;

  /** @param {{ choose: (sort: SortType) => void }} parts */
  constructor({ choose }) {
    this.#choose = choose;
    this.#fill();
    this.#columns.addEventListener("click", (event) => this.#clicked(closest(event, "[data-sort]")?.dataset.sort));
    this.#select.addEventListener("change", () => choose(new Sort(this.#select.value)));
    this.#direction.addEventListener("click", () => choose(this.#sort.opposite));
  }

  /** @param {SortType} sort */
  show(sort) {
    this.#sort = sort;
    this.#fill();
    this.#select.value = sort.name;
    setText(this.#direction, sort.rising ? "↑" : "↓");
    setAttribute(this.#direction, "aria-label", `Reverse the order: now ${sort.direction}`);
    setAttribute(this.#direction, "title", `${sort.label}, ${sort.direction}`);
    for (const head of findAll(this.#columns, "[role=columnheader]")) showHead(head, sort);
  }

  /** @param {boolean} expects whether the order by what is expected can be had */
  offer(expects) {
    this.#expects = expects;
    this.show(this.#sort);
  }

  /** Sort by the next order of the select. */
  cycle() {
    const names = this.#names;
    this.#choose(new Sort(names[(names.indexOf(this.#sort.name) + 1) % names.length] ?? ""));
  }

  reverse() {
    this.#choose(this.#sort.opposite);
  }

  // What an address asks for is in the select, whether it can be had or not.
  get #names() {
    return ORDER_NAMES.filter((name) => name !== EXPECTED || this.#expects || this.#sort.name === EXPECTED);
  }

  #fill() {
    const names = this.#names;
    if (names.length === this.#select.length) return;
    this.#select.replaceChildren(...names.map((name) => new Option(orderOf(name).label, name)));
  }

  /** @param {string | undefined} name */
  #clicked(name) {
    if (name === undefined) return;
    this.#choose(name === this.#sort.name ? this.#sort.opposite : new Sort(name));
  }
}

/**
 * @param {HTMLElement} head
 * @param {SortType} sort
 */
function showHead(head, sort) {
  const button = find(head, "[data-sort]", HTMLElement);
  const { label, first } = orderOf(button.dataset.sort ?? "");
  const chosen = button.dataset.sort === sort.name;
  setAttribute(button, "title", `Sort by ${label}, ${chosen ? sort.opposite.direction : first}`);
  if (chosen) setAttribute(head, "aria-sort", sort.rising ? "ascending" : "descending");
  else head.removeAttribute("aria-sort");
}
