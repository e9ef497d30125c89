import { count, money, plural, share } from "./format.js";
import { counted } from "./store.js";

const MOST_OF_THE_VALUE = 0.8;

/** Which pattern is selected: in the list, in the details, in the address, and on narrow screens over the list. */
export class Selection {
  #api;
  #store;
  #list;
  #details;
  #patternId = null;
  #entry = null;
  #opened = false;
  #changes = 0;
  #reveal = false;
  #covered = [document.querySelector(".top"), document.getElementById("queue")];
  #narrow = window.matchMedia("(max-width: 59.99rem)");

  constructor({ api, store, list, details }) {
    this.#api = api;
    this.#store = store;
    this.#list = list;
    this.#details = details;
    this.#narrow.addEventListener("change", () => this.#cover(this.#openedInHistory));
    window.addEventListener("hashchange", () => this.follow());
    window.addEventListener("popstate", () => this.#followHistory());
    document.getElementById("back").addEventListener("click", () => this.close());
    document.getElementById("next").addEventListener("click", () => this.move(1));
    document.getElementById("previous").addEventListener("click", () => this.move(-1));
  }

  get patternId() {
    return this.#patternId;
  }

  /** The selected entry as it is known now; null when nothing, or nothing that exists, is selected. */
  get entry() {
    return this.#entry;
  }

  /** Whether the details cover the list. */
  get opened() {
    return this.#opened;
  }

  select(entry) {
    this.#patternId = entry?.pattern_id ?? null;
    this.#entry = entry;
    this.#list.select(entry);
    this.#list.reveal();
    this.#writeAddress();
    this.draw();
    if (!entry && this.#opened) this.close();
  }

  /** Go `step` entries on; from an entry that has left the list, to its neighbours. */
  move(step) {
    const { shown } = this.#store;
    if (shown.length === 0) return;
    this.select(shown[Math.max(0, Math.min(shown.length - 1, this.#target(step)))]);
    if (this.#opened) this.#details.focusTitle();
    else this.#list.focus();
  }

  /** Go on to what takes the place of an entry that has just left the list; `focus`: to its details. */
  succeed(entry, { focus }) {
    const { shown } = this.#store;
    const position = this.#store.position(entry);
    this.select(shown[position] ?? shown[position - 1] ?? null);
    if (focus || this.#opened) this.#details.focusTitle();
  }

  /** Show the details: over the list on a narrow screen, and with the focus in them on a wide one. */
  open({ focus = true } = {}) {
    if (this.#patternId === null) return;
    if (this.#narrow.matches && !this.#opened) {
      if (!history.state?.opened) history.pushState({ opened: true }, "");
      this.#cover(true);
    }
    if (focus || this.#opened) this.#details.focusTitle();
  }

  /** Back to the list. */
  close() {
    if (!this.#opened) this.#list.focus();
    else if (history.state?.opened) history.back();
    else this.#uncover();
  }

  /** The selected entry changed; null: it was removed. */
  changed(patternId, entry) {
    if (patternId !== this.#patternId) return;
    this.#changes += 1;
    this.#take(entry);
    if (entry) this.#details.refresh();
  }

  /** The view was loaded again: so is what is known of the selected entry. */
  async reloaded() {
    if (this.#patternId === null) return;
    const entry = this.#store.get(this.#patternId);
    if (!entry) return this.#fetch(this.#patternId);
    this.changed(this.#patternId, entry);
    if (this.#reveal) this.#list.reveal();
    this.#reveal = false;
  }

  /** Select what the address names, wherever it is. */
  async follow() {
    const patternId = fromAddress();
    if (patternId === null || patternId === this.#patternId) return;
    await this.find(patternId);
    if (this.#narrow.matches) this.#cover(true);
  }

  /** Select a pattern, in whatever status it is; resolves to whether it still is the selected one. */
  async find(patternId) {
    const entry = this.#store.get(patternId);
    if (entry) this.select(entry);
    else {
      this.#patternId = patternId;
      this.#entry = null;
      this.#reveal = true;
      this.#details.showLoading(patternId);
      await this.#fetch(patternId);
      this.#writeAddress();
    }
    return patternId === this.#patternId;
  }

  /** Show the figures as they are now. */
  draw() {
    const entry = this.#entry;
    if (entry) this.#details.show(entry, { fraction: this.#store.share(entry), elsewhere: this.#elsewhere(entry) });
    else if (this.#patternId === null) this.#details.showOverview(overview(this.#store));
  }

  async #fetch(patternId) {
    const changes = this.#changes;
    // What was announced meanwhile is newer than the answer.
    const overtaken = () => patternId !== this.#patternId || changes !== this.#changes;
    try {
      const entry = await this.#api.entry(patternId);
      if (overtaken()) return;
      this.#take(entry);
      this.#details.refresh();
    } catch (fault) {
      if (overtaken()) return;
      if (fault.status === 404) this.#take(null);
      else if (!this.#entry) this.#details.showUnknown(patternId, fault.message, () => this.#fetch(patternId));
    }
  }

  #take(entry) {
    if (entry) {
      this.#entry = entry;
      this.#list.select(entry);
      this.draw();
    } else {
      this.#entry = null;
      this.#list.select(null);
      this.#details.showMissing(this.#patternId);
    }
  }

  #target(step) {
    // The end that a step comes from; all the way is all the way.
    if (!this.#entry) return step > 0 === Number.isFinite(step) ? 0 : Infinity;
    const position = this.#store.position(this.#entry);
    const left = this.#store.index(this.#entry) < 0;
    return position + (left && step > 0 ? step - 1 : step);
  }

  #elsewhere(entry) {
    if (entry.status !== this.#store.view) return `Not in the list: it is ${entry.status}.`;
    const hidden = this.#store.complete && this.#store.narrowed && this.#store.index(entry) < 0;
    return hidden ? "Not in the list: it does not match the search." : null;
  }

  #writeAddress() {
    const hash = this.#patternId === null ? "" : `#pattern=${encodeURIComponent(this.#patternId)}`;
    if (location.hash !== hash) history.replaceState(history.state, "", location.pathname + location.search + hash);
  }

  get #openedInHistory() {
    return this.#narrow.matches && this.#patternId !== null && Boolean(history.state?.opened);
  }

  // Back or Forward.
  #followHistory() {
    if (this.#openedInHistory === this.#opened) return;
    if (this.#opened) this.#uncover();
    else {
      this.#cover(true);
      this.#details.focusTitle();
    }
    this.#writeAddress();
  }

  #uncover() {
    this.#cover(false);
    this.#list.focus();
    this.#list.reveal();
  }

  #cover(covered) {
    this.#opened = covered;
    document.body.classList.toggle("details-open", covered);
    for (const part of this.#covered) part.inert = covered;
  }
}

function fromAddress() {
  const match = /^#pattern=(.+)$/s.exec(location.hash);
  try {
    return match ? decodeURIComponent(match[1]) : null;
  } catch {
    return null; // not of our making
  }
}

function overview(store) {
  const { size, complete, view, totalSavings, foreign } = store;
  if (!complete) return { figure: "", text: "", more: "" };
  if (size === 0) return { figure: "", text: "The details of a pattern appear here.", more: "" };
  const waiting = size === 1 ? "waits for a decision" : "wait for a decision";
  const without = foreign > 0 ? `, without the ${count(foreign)} that other programs wrote` : "";
  return {
    figure: plural(size, "pattern"),
    text: `${view === "pending" ? waiting : view}, ${money(totalSavings)} a month in all${without}.`,
    more: concentration(store),
  };
}

function concentration({ shown, narrowed, totalSavings, size }) {
  if (narrowed || size < 5 || !(totalSavings > 0)) return "";
  let sum = 0;
  let first = 0;
  while (first < size && sum < MOST_OF_THE_VALUE * totalSavings) {
    sum += counted(shown[first]);
    first += 1;
  }
  const which = first === 1 ? "The first one holds" : `The first ${count(first)} hold`;
  return `${which} ${share(sum / totalSavings)} of the value.`;
}
