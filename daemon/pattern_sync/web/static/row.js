/** @import { EntryMark, QueueEntry } from "wire" */

import { byId, find, setAttribute, setText } from "./dom.js";
import { doubts, shownInShort, shownInWords, shownPart, sign } from "./evidence.js";
import { count, money, percent, share, short, visible } from "./format.js";
import { likely } from "./likelihood.js";
import { markSign, markText } from "./mark-texts.js";
import { nameSigns } from "./name-signs.js";
import { readersText } from "./presence.js";

/**
 * Where a row is and how it stands out.
 * @typedef {object} Place
 * @property {number} index
 * @property {number} top in CSS pixels
 * @property {number} total how many rows the list has; -1 while that is not known
 * @property {boolean} selected
 * @property {boolean | null} picked to be decided together with others; null while none is
 *
 * An entry relative to others.
 * @typedef {object} Weight
 * @property {number | null} fraction of the view's savings; null while that is not known
 * @property {number} proportion of the view's largest impact
 */

/**
 * What the row has to do with others.
 * @typedef {object} Company
 * @property {string[]} readers the names of those who read it elsewhere
 * @property {string[]} alike the names of the patterns that look like it
 * @property {EntryMark | null} mark what a rule is about to decide
 */

/** One row of the list. Only what differs is written: rows are drawn with every scroll and every change. */
export class Row {
  #element = cloneTemplate();
  #words = find(this.#element, ".row-words", HTMLElement);
  #id = find(this.#element, ".row-id bdi", HTMLElement);
  #readers = find(this.#element, ".reader", HTMLElement);
  #odd = find(this.#element, ".odd", HTMLElement);
  #ruled = find(this.#element, ".ruled", HTMLElement);
  #doubt = find(this.#element, ".doubt", HTMLElement);
  #likely = find(this.#element, ".likely", HTMLElement);
  #tools = find(this.#element, ".steps-line", HTMLElement);
  #confidence = find(this.#element, ".row-confidence", HTMLElement);
  #occurrences = find(this.#element, ".row-occurrences", HTMLElement);
  #savings = find(this.#element, ".row-savings", HTMLElement);
  #shown = find(this.#element, ".row-shown", HTMLElement);
  #impact = find(this.#element, ".row-impact", HTMLElement);
  #claimedBar = find(this.#element, ".claimed", HTMLElement);
  #shownBar = find(this.#element, ".shown", HTMLElement);
  /** @type {QueueEntry | null} */
  #entry = null;
  // All that is written beside the entry itself.
  #around = "";
  /** @type {number | null} */
  #top = null;

  /**
   * @param {string} id of the element
   * @param {string} patternId
   * @param {boolean} marked as new
   */
  constructor(id, patternId, marked) {
    this.#element.id = id;
    this.#element.dataset.patternId = patternId;
    this.#element.classList.toggle("is-new", marked);
  }

  get element() {
    return this.#element;
  }

  unmark() {
    this.#element.classList.remove("is-new");
  }

  /**
   * @param {QueueEntry} entry
   * @param {Weight} weight
   * @param {Place} place
   * @param {Company} company
   */
  draw(entry, { fraction, proportion }, { index, top, total, selected, picked }, company) {
    const around = JSON.stringify([fraction, company]);
    if (this.#entry !== entry || this.#around !== around) this.#write(entry, fraction, company);
    this.#around = around;
    // Relative to the largest, not to the total: of ten thousand bars nearly all would be empty.
    this.#claimedBar.style.width = `${100 * proportion}%`;
    if (this.#top !== top) {
      this.#top = top;
      this.#element.style.transform = `translateY(${top}px)`;
    }
    setAttribute(this.#element, "aria-posinset", index + 1);
    setAttribute(this.#element, "aria-setsize", total);
    setAttribute(this.#element, "aria-selected", selected);
    if (picked === null) this.#element.removeAttribute("aria-checked");
    else setAttribute(this.#element, "aria-checked", picked);
  }

  /**
   * @param {QueueEntry} entry
   * @param {number | null} fraction
   * @param {Company} company
   */
  #write(entry, fraction, { readers, alike, mark }) {
    this.#entry = entry;
    const odd = nameSigns(entry.pattern_id, alike);
    const confidence = percent(entry.confidence_score);
    const occurrences = count(entry.occurrence_count);
    const savings = money(entry.estimated_savings_usd);
    const impact = short(entry.impact_score);
    const part = fraction === null ? "" : share(fraction);
    setText(this.#id, visible(entry.pattern_id));
    setText(this.#tools, visible(entry.tool_sequence));
    show(this.#readers, readers.map(visible).join(", "));
    show(this.#odd, odd.map(({ short: word }) => word).join(", "));
    show(this.#ruled, markSign(mark, new Date()));
    show(this.#doubt, sign(entry.evidence));
    show(this.#likely, likely(entry));
    setText(this.#confidence, confidence);
    setText(this.#occurrences, occurrences);
    setText(this.#savings, savings);
    setText(this.#impact, impact);
    setText(this.#shown, shownInShort(entry.evidence));
    this.#shownBar.style.width = `${100 * shownPart(entry)}%`;
    const figures = [
      `impact ${impact}`,
      `confidence ${confidence}`,
      `${occurrences} occurrences`,
      `${savings} a month`,
    ];
    const shown = shownInWords(entry.evidence);
    if (shown) figures.push(shown);
    if (entry.likelihood !== null) figures.push(`${likely(entry)}${entry.folded ? "" : " to be approved"}`);
    if (part) figures.push(`${part} of the value`);
    figures.push(...odd.map(({ words }) => words), ...doubts(entry.evidence));
    if (mark) figures.push(markText(mark, new Date()));
    if (readers.length > 0) figures.push(readersText(readers));
    // Not as a label: whoever speaks to the page would have to say what is not written there.
    setText(this.#words, [visible(entry.pattern_id), ...figures].join(", "));
  }
}

/**
 * @param {HTMLElement} element
 * @param {string} text "" hides it
 */
function show(element, text) {
  setText(element, text);
  element.hidden = text === "";
}

/** An empty row; every row has its height. */
export function cloneTemplate() {
  const fragment = document.importNode(byId("row-template", HTMLTemplateElement).content, true);
  return find(fragment, ".row", HTMLElement);
}
