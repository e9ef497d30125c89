import { count, money, percent, share, visible } from "./format.js";

const MARGIN_ROWS = 6;
const MARK_SECONDS = 4;

/** A listbox of any length: only the rows in sight, and the selected one, are in the document. */
export class VirtualList {
  #scroller;
  #box;
  #columns;
  #template;
  #arrivals;
  #choose;
  #store;
  #entries = [];
  #rows = new Map();
  #selected = null;
  #rowHeight = 1;
  #lastRowNumber = 0;
  #marked = new Map();
  #unseen = new Set();

  /** `choose(entry)` is called for the row that a person picks. */
  constructor({ store, choose }) {
    this.#store = store;
    this.#choose = choose;
    this.#scroller = document.getElementById("scroller");
    this.#box = document.getElementById("list");
    this.#columns = document.getElementById("columns");
    this.#template = document.getElementById("row-template");
    this.#arrivals = document.getElementById("arrivals");
    this.#scroller.addEventListener("scroll", () => this.#draw(), { passive: true });
    this.#box.addEventListener("click", (event) => this.#clicked(event));
    this.#arrivals.addEventListener("click", () => this.#toArrivals());
    new ResizeObserver(() => this.#measure()).observe(this.#scroller);
  }

  /** How many rows fit. */
  get pageRows() {
    return Math.max(1, Math.floor(this.#viewHeight / this.#rowHeight) - 1);
  }

  focus() {
    this.#box.focus({ preventScroll: true });
  }

  get hasFocus() {
    return document.activeElement === this.#box;
  }

  /** Show what the store shows now. Rows stay where the eye has them, whatever came or went above. */
  update() {
    const anchor = this.#anchor();
    this.#entries = this.#store.shown;
    this.#box.style.height = `${this.#entries.length * this.#rowHeight}px`;
    if (anchor) this.#scroller.scrollTop += (this.#store.index(anchor.entry) - anchor.index) * this.#rowHeight;
    this.#draw();
  }

  /** Show another content from its top. */
  restart() {
    this.#entries = [];
    this.#unseen.clear();
    this.#scroller.scrollTop = 0;
    this.update();
  }

  /** `entry` may be one that is not shown; null selects nothing. */
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

  /** Mark rows as new for a moment. */
  mark(patternIds) {
    if (patternIds.length === 0) return;
    for (const patternId of patternIds) {
      clearTimeout(this.#marked.get(patternId));
      this.#marked.set(
        patternId,
        setTimeout(() => this.#unmark(patternId), MARK_SECONDS * 1000),
      );
      this.#unseen.add(patternId);
    }
  }

  #unmark(patternId) {
    this.#marked.delete(patternId);
    this.#rows.get(patternId)?.element.classList.remove("is-new");
  }

  get #viewHeight() {
    return this.#scroller.clientHeight - this.#columns.offsetHeight;
  }

  get #firstVisible() {
    return Math.max(0, Math.ceil((this.#scroller.scrollTop - 1) / this.#rowHeight));
  }

  #measure() {
    const probe = this.#template.content.firstElementChild.cloneNode(true);
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

  // Someone at the very top, with nothing selected and the pointer elsewhere, watches what arrives: no anchor then.
  #anchor() {
    const first = this.#firstVisible;
    const last = first + this.pageRows;
    const selected = this.#entries.findIndex((entry) => entry.pattern_id === this.#selected?.pattern_id);
    if (selected >= first && selected <= last && this.#isShown(selected)) return this.#anchorAt(selected);
    if (this.#scroller.scrollTop < 1 && !this.#box.matches(":hover")) return null;
    for (let index = first; index < this.#entries.length; index += 1) {
      if (this.#isShown(index)) return this.#anchorAt(index);
    }
    return null;
  }

  #anchorAt(index) {
    return { index, entry: this.#store.get(this.#entries[index].pattern_id) };
  }

  #isShown(index) {
    const now = this.#store.get(this.#entries[index].pattern_id);
    return now !== undefined && this.#store.index(now) >= 0;
  }

  #draw() {
    const wanted = this.#wantedIndexes();
    const kept = new Set(wanted.map((index) => this.#entries[index].pattern_id));
    for (const [patternId, row] of this.#rows) {
      if (kept.has(patternId)) continue;
      row.element.remove();
      this.#rows.delete(patternId);
    }
    let before = this.#box.firstElementChild;
    for (const index of wanted) {
      const { element } = this.#drawRow(index);
      // The order in the document is the order on the screen: that is what a screen reader walks through.
      if (element === before) before = before.nextElementSibling;
      else this.#box.insertBefore(element, before);
    }
    this.#pointToSelected();
    this.#drawArrivals();
  }

  #wantedIndexes() {
    const first = Math.max(0, this.#firstVisible - MARGIN_ROWS);
    const visibleRows = Math.ceil(this.#scroller.clientHeight / this.#rowHeight);
    const last = Math.min(this.#entries.length, this.#firstVisible + visibleRows + MARGIN_ROWS);
    const wanted = [];
    for (let index = first; index < last; index += 1) wanted.push(index);
    const selected = this.#selected ? this.#store.index(this.#selected) : -1;
    if (selected >= 0 && this.#entries === this.#store.shown) {
      if (selected < first) wanted.unshift(selected);
      else if (selected >= last) wanted.push(selected);
    }
    return wanted;
  }

  #drawRow(index) {
    const entry = this.#entries[index];
    let row = this.#rows.get(entry.pattern_id);
    if (!row) {
      row = this.#newRow(entry.pattern_id);
      this.#rows.set(entry.pattern_id, row);
    }
    const fraction = this.#store.share(entry);
    if (row.entry !== entry || row.fraction !== fraction) fill(row, entry, fraction);
    // Beside the largest, not the whole: of ten thousand bars nearly all would be empty.
    row.bar.style.width = `${100 * this.#store.proportion(entry)}%`;
    const top = index * this.#rowHeight;
    if (row.top !== top) {
      row.top = top;
      row.element.style.transform = `translateY(${top}px)`;
    }
    set(row.element, "aria-posinset", index + 1);
    set(row.element, "aria-setsize", this.#store.complete ? this.#entries.length : -1);
    set(row.element, "aria-selected", entry.pattern_id === this.#selected?.pattern_id);
    return row;
  }

  #newRow(patternId) {
    const element = this.#template.content.firstElementChild.cloneNode(true);
    this.#lastRowNumber += 1;
    element.id = `row-${this.#lastRowNumber}`;
    element.dataset.patternId = patternId;
    element.classList.toggle("is-new", this.#marked.has(patternId));
    return {
      element,
      id: element.querySelector(".row-id bdi"),
      tools: element.querySelector(".row-tools bdi"),
      confidence: element.querySelector(".row-confidence"),
      occurrences: element.querySelector(".row-occurrences"),
      savings: element.querySelector(".row-savings"),
      bar: element.querySelector(".bar > span"),
      share: element.querySelector(".share"),
    };
  }

  #pointToSelected() {
    const row = this.#rows.get(this.#selected?.pattern_id);
    if (row) set(this.#box, "aria-activedescendant", row.element.id);
    else this.#box.removeAttribute("aria-activedescendant");
  }

  #drawArrivals() {
    if (this.#unseen.size === 0 && this.#arrivals.hidden) return;
    const first = this.#firstVisible;
    let above = 0;
    for (const patternId of this.#unseen) {
      const entry = this.#store.get(patternId);
      const index = entry ? this.#store.index(entry) : -1;
      if (index >= 0 && index < first) above += 1;
      else this.#unseen.delete(patternId);
    }
    this.#arrivals.hidden = above === 0;
    if (above > 0) this.#arrivals.textContent = `↑ ${count(above)} new`;
  }

  #toArrivals() {
    this.#unseen.clear();
    this.#scroller.scrollTop = 0;
    this.#draw();
    this.focus();
  }

  #clicked(event) {
    const row = event.target.closest("[data-pattern-id]");
    const entry = row && this.#store.get(row.dataset.patternId);
    if (entry) this.#choose(entry);
  }
}

function fill(row, entry, fraction) {
  row.entry = entry;
  row.fraction = fraction;
  const written = {
    confidence: percent(entry.confidence_score),
    occurrences: count(entry.occurrence_count),
    savings: money(entry.estimated_savings_usd),
    share: fraction === null ? "" : share(fraction),
  };
  write(row.id, visible(entry.pattern_id));
  write(row.tools, visible(entry.tool_sequence));
  for (const [name, text] of Object.entries(written)) write(row[name], text);
  row.bar.parentElement.hidden = fraction === null;
  set(row.element, "aria-label", spoken(entry, written));
}

function spoken(entry, { confidence, occurrences, savings, share: part }) {
  const figures = [`confidence ${confidence}`, `${occurrences} occurrences`, `${savings} a month`];
  if (part) figures.push(`${part} of the value`);
  return `${visible(entry.pattern_id)}, ${figures.join(", ")}`;
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function set(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}
