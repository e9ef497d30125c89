import { patternType } from "./format.js";

/** Order of every list: most impact first, then by id. Negative when `one` comes first. */
export function compare(one, other) {
  if (one.impact_score !== other.impact_score) return other.impact_score - one.impact_score;
  if (one.pattern_id === other.pattern_id) return 0;
  return one.pattern_id < other.pattern_id ? -1 : 1;
}

/** The entries of one view (a status), in order, searched and filtered. Knows nothing of the page or the network. */
export class Store {
  #view = "pending";
  #items = new Map();
  #load = null;
  #complete = false;
  #terms = [];
  #type = null;
  #sorted = null;
  #derived = null;

  get view() {
    return this.#view;
  }

  /** How many entries the view holds, whatever the search. */
  get size() {
    return this.#items.size;
  }

  /** Whether every entry of the view has been loaded. */
  get complete() {
    return this.#complete;
  }

  /** How many entries the load under way has brought. */
  get loading() {
    return this.#load?.items.size ?? 0;
  }

  /** Whether a search or a type narrows what is shown. */
  get narrowed() {
    return this.#terms.length > 0 || this.#type !== null;
  }

  /** The entries that match, in order. */
  get shown() {
    return this.#derive().shown;
  }

  /** Savings of the whole view, USD a month; without those of entries that no pattern stands behind. */
  get totalSavings() {
    return this.#derive().total;
  }

  /** How many entries of the view no pattern stands behind: other programs wrote them. */
  get foreign() {
    return this.#derive().foreign;
  }

  /** [[type, entries], …] of the whole view, the most frequent first. */
  get types() {
    return this.#derive().types;
  }

  get(patternId) {
    return this.#items.get(patternId)?.entry;
  }

  /** An entry's part of the view's savings, 0 to 1; null while that is not known. */
  share(entry) {
    if (!this.#complete || !entry.from_pattern || !this.#items.has(entry.pattern_id)) return null;
    return this.totalSavings > 0 ? entry.estimated_savings_usd / this.totalSavings : null;
  }

  /** An entry's savings beside the largest of the view, 0 to 1. */
  proportion(entry) {
    const { largest } = this.#derive();
    return largest > 0 ? Math.max(0, counted(entry) / largest) : 0;
  }

  /** Savings of what is shown, USD a month. */
  get shownSavings() {
    return this.#derive().shownTotal;
  }

  /** Where an entry is, or would be, among those shown. */
  position(entry) {
    const shown = this.shown;
    let low = 0;
    let high = shown.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(shown[middle], entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where an entry is among those shown; -1 when it is not. */
  index(entry) {
    const position = this.position(entry);
    return this.shown[position]?.pattern_id === entry.pattern_id ? position : -1;
  }

  search(text) {
    this.#terms = normal(text).split(/\s+/).filter(Boolean);
    this.#derived = null;
  }

  /** `type` null shows all. */
  filterType(type) {
    this.#type = type;
    this.#derived = null;
  }

  /** Start over with another status. */
  reset(view) {
    this.#view = view;
    this.#items = new Map();
    this.#load = null;
    this.#complete = false;
    this.#changed();
  }

  beginLoad() {
    this.#load = { items: new Map(), touched: new Set() };
  }

  /** Rows of a page. While the view has never been complete they are shown at once, later only by finishLoad. */
  addPage(entries) {
    for (const entry of entries) {
      // A change that was announced during the load is newer than the page.
      if (this.#load.touched.has(entry.pattern_id)) continue;
      const item = asItem(entry, this.#items.get(entry.pattern_id));
      this.#load.items.set(entry.pattern_id, item);
      if (!this.#complete) this.#items.set(entry.pattern_id, item);
    }
    this.#changed();
  }

  /** Put what was loaded in place of the old content; returns the ids that are new to a view that was complete. */
  finishLoad() {
    const { items } = this.#load;
    const appeared = this.#complete ? [...items.keys()].filter((patternId) => !this.#items.has(patternId)) : [];
    this.#items = items;
    this.#load = null;
    this.#complete = true;
    this.#changed();
    return appeared;
  }

  abandonLoad() {
    this.#load = null;
  }

  /** Apply one announced change (`entry` null: removed); returns whether the entry is new to the view. */
  apply(patternId, entry) {
    const old = this.#items.get(patternId);
    const item = entry?.status === this.#view ? asItem(entry, old) : null;
    this.#load?.touched.add(patternId);
    put(this.#load?.items, patternId, item);
    put(this.#items, patternId, item);
    if (item || old) this.#changed();
    return item !== null && !old;
  }

  #changed() {
    this.#sorted = null;
    this.#derived = null;
  }

  #derive() {
    this.#sorted ??= [...this.#items.values()].sort((one, other) => compare(one.entry, other.entry));
    this.#derived ??= derive(this.#sorted, this.#terms, this.#type);
    return this.#derived;
  }
}

function put(items, patternId, item) {
  if (item) items?.set(patternId, item);
  else items?.delete(patternId);
}

function derive(items, terms, type) {
  const types = new Map();
  const shown = [];
  let total = 0;
  let largest = 0;
  let shownTotal = 0;
  let foreign = 0;
  for (const item of items) {
    const savings = counted(item.entry);
    total += savings;
    largest = Math.max(largest, savings);
    if (!item.entry.from_pattern) foreign += 1;
    types.set(item.type, (types.get(item.type) ?? 0) + 1);
    if (type !== null && item.type !== type) continue;
    if (!terms.every((term) => item.text.includes(term))) continue;
    shown.push(item.entry);
    shownTotal += savings;
  }
  const byFrequency = [...types].sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
  return { shown, total, largest, shownTotal, foreign, types: byFrequency };
}

/** What an entry adds to a sum of savings, USD a month: what another program wrote is no pattern's monthly saving. */
export function counted(entry) {
  return entry.from_pattern ? entry.estimated_savings_usd : 0;
}

// The searched text is kept beside the entry: a busy entry changes its figures often and its texts never.
function asItem(entry, old) {
  const same =
    old && old.entry.tool_sequence === entry.tool_sequence && old.entry.pattern_context === entry.pattern_context;
  const text = same
    ? old.text
    : normal([entry.pattern_id, entry.tool_sequence, entry.pattern_context ?? ""].join("\n"));
  return { entry, text, type: patternType(entry.pattern_id) };
}

function normal(text) {
  return text.normalize("NFC").toLowerCase();
}
