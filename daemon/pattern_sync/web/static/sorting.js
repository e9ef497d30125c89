/** @import { Sort as SortType } from "./order.js" */

import { byId, closest, find, findAll, setAttribute, setText } from "./dom.js";
import { ORDER_NAMES, orderOf, Sort } from "./order.js";

/** How the list is sorted: the heads of its columns, and a select that also fits a phone. */
export class Sorting {
  #columns = byId("columns", HTMLElement);
  #select = byId("sort", HTMLSelectElement);
  #direction = byId("direction", HTMLButtonElement);
  #sort = new Sort("");
  #choose;

  /** @param {{ choose: (sort: SortType) => void }} parts */
  constructor({ choose }) {
    this.#choose = choose;
    for (const name of ORDER_NAMES) this.#select.add(new Option(orderOf(name).label, name));
    this.#columns.addEventListener("click", (event) => this.#clicked(closest(event, "[data-sort]")?.dataset.sort));
    this.#select.addEventListener("change", () => choose(new Sort(this.#select.value)));
    this.#direction.addEventListener("click", () => choose(this.#sort.opposite));
  }

  /** @param {SortType} sort */
  show(sort) {
    this.#sort = sort;
    this.#select.value = sort.name;
    setText(this.#direction, sort.rising ? "↑" : "↓");
    setAttribute(this.#direction, "aria-label", `Reverse the order: now ${sort.direction}`);
    setAttribute(this.#direction, "title", `${sort.label}, ${sort.direction}`);
    for (const head of findAll(this.#columns, "[role=columnheader]")) showHead(head, sort);
  }

  /** Sort by the next order of the select. */
  cycle() {
    const next = (ORDER_NAMES.indexOf(this.#sort.name) + 1) % ORDER_NAMES.length;
    this.#choose(new Sort(ORDER_NAMES[next] ?? ""));
  }

  reverse() {
    this.#choose(this.#sort.opposite);
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
