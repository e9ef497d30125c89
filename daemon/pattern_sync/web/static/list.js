/**
 * @import { EntryMark, QueueEntry } from "wire"
 * @import { Lookalikes } from "./lookalikes.js"
 * @import { Picks } from "./picks.js"
 * @import { Store } from "./store.js"
 */

import { Arrivals } from "./arrivals.js";
import { byId, closest, setAttribute } from "./dom.js";
import { cloneTemplate, Row } from "./row.js";

/**
 * The row that must stay where it is on the screen, and its entry as it is now.
 * @typedef {{ index: number, entry: QueueEntry }} Anchor
 */

const MARGIN_ROWS = 6;
// So far from the end of what is held of a long list, the rest is asked for.
const END_ROWS = 100;

/** A listbox of any length: only the rows in sight, and the selected one, are in the document. */
export class VirtualList {
  #scroller = byId("scroller", HTMLElement);
  #box = byId("list", HTMLElement);
  #columns = byId("columns", HTMLElement);
  #store;
  #picks;
  #seenToEnd;
  /** @type {{ focus: () => void } | null} */
  #standIn = null;
  #lookalikes;
  #readers;
  #markOf;
  #arrivals;
  /** @type {QueueEntry[]} */
  #entries = [];
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {QueueEntry | null} */
  #selected = null;
  #rowHeight = 1;
  #lastRowNumber = 0;

  /**
   * @param {object} parts
   * @param {Store} parts.store
   * @param {Picks} parts.picks
   * @param {Lookalikes} parts.lookalikes
   * @param {(patternId: string) => string[]} parts.readers the names of the others who read a pattern
   * @param {(entry: QueueEntry) => EntryMark | null} parts.markOf what a rule is about to decide of an entry
   * @param {(entry: QueueEntry) => void} parts.choose called for the row that a person opens
   * @param {() => void} parts.seenToEnd called when little is left to see of what is held of a long list
   */
  constructor({ store, picks, lookalikes, readers, markOf, choose, seenToEnd }) {
    this.#store = store;
    this.#picks = picks;
    this.#lookalikes = lookalikes;
    this.#readers = readers;
    this.#markOf = markOf;
    this.#seenToEnd = seenToEnd;
    this.#arrivals = new Arrivals({
      store,
      unmark: (patternId) => this.#rows.get(patternId)?.unmark(),
      show: () => this.#toArrivals(),
    });
    this.#scroller.addEventListener("scroll", () => this.#draw(), { passive: true });
    this.#box.addEventListener("click", (event) => {
      const patternId = closest(event, "[data-pattern-id]")?.dataset.patternId;
      const entry = patternId === undefined ? undefined : store.get(patternId);
      if (!entry) return;
      if (event.shiftKey) picks.range(entry, store.shown);
      else if (event.ctrlKey || event.metaKey || closest(event, ".row-pick")) picks.toggle(entry);
      else choose(entry);
    });
    // Shift and a click would select text.
    this.#box.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault());
    byId("skip", HTMLAnchorElement).addEventListener("click", (event) => {
      event.preventDefault();
      this.focus();
    });
    new ResizeObserver(() => this.#measure()).observe(this.#scroller);
  }

  /** How many rows fit. */
  get pageRows() {
    return Math.max(1, Math.floor(this.#viewHeight / this.#rowHeight) - 1);
  }

  /** Focus the list, or what stands in its place. */
  focus() {
    if (this.#standIn) this.#standIn.focus();
    else this.#box.focus({ preventScroll: true });
  }

  /** Whether it is shown, and nothing stands in its place. */
  get shown() {
    return this.#standIn === null;
  }

  /** @param {{ focus: () => void } | null} standIn what is shown in its place; null for nothing */
  set standIn(standIn) {
    this.#standIn = standIn;
    this.#scroller.hidden = standIn !== null;
  }

  get hasFocus() {
    return document.activeElement === this.#box;
  }

  /** Show what the store shows now. Rows stay where a person sees them, whatever came or went above. */
  update() {
    const anchor = this.#anchor();
    this.#entries = this.#store.shown;
    this.#lookalikes.refresh();
    this.#box.style.height = `${this.#entries.length * this.#rowHeight}px`;
    if (anchor) this.#scroller.scrollTop += (this.#store.index(anchor.entry) - anchor.index) * this.#rowHeight;
    this.#draw();
  }

  /** Show different content from its top. */
  restart() {
    this.#entries = [];
    this.#arrivals.clear();
    this.#scroller.scrollTop = 0;
    this.update();
  }

  /** What is picked has changed. */
  picked() {
    this.#box.classList.toggle("is-picking", this.#picks.size > 0);
    this.#draw();
  }

  /** What is known of the entries beside themselves has changed: who reads them, what rules are about to decide. */
  redraw() {
    this.#draw();
  }

  /** @param {QueueEntry | null} entry which need not be one that is shown; null selects nothing */
  select(entry) {
    this.#selected = entry;
    this.#draw();
  }

  /** Bring the selected row into sight, by as little as possible. */
  reveal() {
    const index = this.#selected ? this.#store.index(this.#selected) : -1;
    if (index < 0) return;
    const top = index * this.#rowHeight;
    const highest = top + this.#rowHeight - this.#viewHeight;
    const { scrollTop } = this.#scroller;
    if (scrollTop > top) this.#scroller.scrollTop = top;
    else if (scrollTop < highest) this.#scroller.scrollTop = highest;
    this.#draw();
  }

  /**
   * Mark rows as new for a moment.
   * @param {string[]} patternIds
   */
  mark(patternIds) {
    this.#arrivals.add(patternIds);
  }

  get #viewHeight() {
    return this.#scroller.clientHeight - this.#columns.offsetHeight;
  }

  get #firstVisible() {
    return Math.max(0, Math.ceil((this.#scroller.scrollTop - 1) / this.#rowHeight));
  }

  #measure() {
    const probe = cloneTemplate();
    probe.classList.add("probe");
    probe.removeAttribute("role");
    this.#box.append(probe);
    const height = probe.offsetHeight;
    probe.remove();
    if (height === 0) return;
    const top = this.#firstVisible;
    const rescaled = height !== this.#rowHeight;
    this.#rowHeight = height;
    this.update();
    if (rescaled) this.#scroller.scrollTop = top * height;
    this.#draw();
  }

  // At the very top, with nothing selected and the pointer elsewhere, a person watches what arrives: no anchor then.
  #anchor() {
    const first = this.#firstVisible;
    const last = first + this.pageRows;
    const selected = this.#entries.findIndex((entry) => entry.pattern_id === this.#selected?.pattern_id);
    const ofSelected = selected >= first && selected <= last ? this.#anchorAt(selected) : null;
    if (ofSelected) return ofSelected;
    if (this.#scroller.scrollTop < 1 && !this.#box.matches(":hover")) return null;
    for (let index = first; index < this.#entries.length; index += 1) {
      const anchor = this.#anchorAt(index);
      if (anchor) return anchor;
    }
    return null;
  }

  /**
   * @param {number} index
   * @returns {Anchor | null} null where the row's entry is not shown any more
   */
  #anchorAt(index) {
    const before = this.#entries[index];
    const entry = before && this.#store.get(before.pattern_id);
    return entry && this.#store.index(entry) >= 0 ? { index, entry } : null;
  }

  #draw() {
    const wanted = this.#wanted();
    const kept = new Set(wanted.map(([, entry]) => entry.pattern_id));
    for (const [patternId, row] of this.#rows) {
      if (kept.has(patternId)) continue;
      row.element.remove();
      this.#rows.delete(patternId);
    }
    let before = this.#box.firstElementChild;
    const total = this.#store.total ?? -1;
    for (const [index, entry] of wanted) {
      const { element } = this.#drawRow(index, entry, total);
      // The order in the document is the order on the screen: screen readers follow it.
      if (element === before) before = before.nextElementSibling;
      else this.#box.insertBefore(element, before);
    }
    this.#pointToSelected();
    this.#arrivals.draw(this.#firstVisible);
    const { settled, complete } = this.#store;
    if (settled && !complete && this.#firstVisible + END_ROWS > this.#entries.length) this.#seenToEnd();
  }

  #wanted() {
    const first = Math.max(0, this.#firstVisible - MARGIN_ROWS);
    const visibleRows = Math.ceil(this.#scroller.clientHeight / this.#rowHeight);
    const last = Math.min(this.#entries.length, this.#firstVisible + visibleRows + MARGIN_ROWS);
    /** @type {[number, QueueEntry][]} */
    const wanted = this.#entries.slice(first, last).map((entry, offset) => [first + offset, entry]);
    const index = this.#selected ? this.#store.index(this.#selected) : -1;
    const selected = this.#entries[index];
    if (selected && this.#entries === this.#store.shown) {
      if (index < first) wanted.unshift([index, selected]);
      else if (index >= last) wanted.push([index, selected]);
    }
    return wanted;
  }

  /**
   * @param {number} index
   * @param {QueueEntry} entry
   * @param {number} total
   */
  #drawRow(index, entry, total) {
    const row = this.#rows.get(entry.pattern_id) ?? this.#newRow(entry.pattern_id);
    row.draw(
      entry,
      { fraction: this.#store.share(entry), proportion: this.#store.proportion(entry) },
      {
        index,
        top: index * this.#rowHeight,
        total,
        selected: entry.pattern_id === this.#selected?.pattern_id,
        picked: this.#picks.size > 0 ? this.#picks.has(entry.pattern_id) : null,
      },
      {
        readers: this.#readers(entry.pattern_id),
        alike: this.#lookalikes.of(entry.pattern_id),
        mark: this.#markOf(entry),
      },
    );
    return row;
  }

  /** @param {string} patternId */
  #newRow(patternId) {
    this.#lastRowNumber += 1;
    const row = new Row(`row-${this.#lastRowNumber}`, patternId, this.#arrivals.isMarked(patternId));
    this.#rows.set(patternId, row);
    return row;
  }

  #pointToSelected() {
    const row = this.#selected && this.#rows.get(this.#selected.pattern_id);
    if (row) setAttribute(this.#box, "aria-activedescendant", row.element.id);
    else this.#box.removeAttribute("aria-activedescendant");
  }

  #toArrivals() {
    this.#arrivals.clear();
    this.#scroller.scrollTop = 0;
    this.#draw();
    this.focus();
  }
}
