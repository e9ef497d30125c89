/** @import { Store } from "./store.js" */

import { byId, setText } from "./dom.js";
import { count, visible } from "./format.js";
import { isSearchable, typeTerm } from "./narrowing.js";

/** @typedef {{ text: string, type?: string, disabled?: boolean }} Option */

const LONGEST_TYPE = 60;
const MOST_TYPES = 200;

/** The select that narrows the list to one pattern type. */
export class TypeFilter {
  #select = byId("type", HTMLSelectElement);
  #store;

  /** @param {{ store: Store, choose: (type: string | null) => void }} parts */
  constructor({ store, choose }) {
    this.#store = store;
    this.#select.addEventListener("change", () => choose(this.#chosen ?? null));
  }

  /** Show all types again. */
  clear() {
    this.#select.selectedIndex = 0;
    this.#store.filterType(null);
  }

  /** The chosen type in the query language; "" for all, and for a type that it has no words for. */
  get term() {
    const chosen = this.#chosen ?? "";
    return isSearchable(chosen) ? typeTerm(chosen) : "";
  }

  draw() {
    const chosen = this.#chosen;
    const options = this.#options(chosen);
    // Only differences are written: a person may have the select open.
    while (this.#select.length > options.length) this.#select.lastElementChild?.remove();
    options.forEach((option, place) => {
      drawOption(this.#select.options[place] ?? this.#select.appendChild(document.createElement("option")), option);
    });
    const index = options.findIndex(({ type }) => type === chosen);
    if (this.#select.selectedIndex !== index) this.#select.selectedIndex = index;
  }

  get #chosen() {
    return this.#select.selectedOptions[0]?.dataset.type;
  }

  /**
   * @param {string | undefined} chosen which stays in the list even when no entry has it
   * @returns {Option[]}
   */
  #options(chosen) {
    const known = this.#store.types;
    const types = known.slice(0, MOST_TYPES);
    if (chosen !== undefined && !types.some(([type]) => type === chosen)) {
      types.push(known.find(([type]) => type === chosen) ?? [chosen, 0]);
    }
    const more = known.length - types.filter(([, entries]) => entries > 0).length;
    return [
      { text: `All types (${count(this.#store.size)})` },
      ...types.map(([type, entries]) => ({
        type,
        text: `${shortened(visible(type)) || "(empty)"} (${count(entries)})`,
      })),
      ...(more > 0 ? [{ text: `and ${count(more)} more: use the search`, disabled: true }] : []),
    ];
  }
}

/**
 * @param {HTMLOptionElement} element
 * @param {Option} option
 */
function drawOption(element, { type, text, disabled = false }) {
  setText(element, text);
  element.disabled = disabled;
  element.value = type ?? "";
  // A type may be empty, too.
  if (type === undefined) delete element.dataset.type;
  else element.dataset.type = type;
}

/** @param {string} text */
function shortened(text) {
  const characters = [...text];
  return characters.length > LONGEST_TYPE ? `${characters.slice(0, LONGEST_TYPE).join("")}…` : text;
}
