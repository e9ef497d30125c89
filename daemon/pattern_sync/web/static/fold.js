/**
 * @import { Message } from "wire"
 * @import { Api } from "./api.js"
 * @import { Folded } from "./folding.js"
 * @import { VirtualList } from "./list.js"
 * @import { Queue } from "./queue.js"
 * @import { Selection } from "./selection.js"
 * @import { Signs } from "./signs.js"
 * @import { Store } from "./store.js"
 */

/**
 * @typedef {object} Parts
 * @property {Pick<Api, "page" | "model">} api
 * @property {Store} store
 * @property {VirtualList} list
 * @property {Queue} queue
 * @property {Selection} selection
 * @property {Signs} signs
 */

import { allById, byId, setAttribute, setText } from "./dom.js";
import { otherSide } from "./folding.js";
import { money, plural } from "./format.js";
import { counted } from "./items.js";
import { Learned } from "./learned.js";

/** The fold at the end of the list: how many likely rejects it holds, one key away, and whether there is one. */
export class Fold {
  #parts;
  #elements = allById("fold", "fold-text");
  #button = byId("fold-switch", HTMLButtonElement);
  #learned;
  #asked = "";
  #control = new AbortController();

  /** @param {Parts} parts */
  constructor(parts) {
    const { api, queue } = parts;
    this.#parts = parts;
    this.#learned = new Learned({
      api,
      changed: ({ shown, words }) => queue.offerExpected(shown, words),
      reload: () => queue.reload(),
    });
    this.#button.addEventListener("click", () => this.#switch());
  }

  /** Learn whether anything folds away. */
  begin() {
    this.#learned.refresh({ seconds: 0 });
  }

  /** @param {Message} message */
  receive(message) {
    this.#learned.receive(message);
  }

  /** Show what is folded away, or fold it away; where that cannot be, say why. */
  toggle() {
    const { store, list, signs } = this.#parts;
    const learned = this.#learned;
    const { active, opened, likelyRejects } = store.fold;
    if (!list.shown) return;
    if (!active) signs.toast(learned.shown ? "Likely rejects are folded away in the order Expected." : learned.words);
    else if (opened || likelyRejects !== 0) {
      list.focus();
      this.#switch();
    } else signs.toast("No likely reject is in the list.");
  }

  draw() {
    const { store, list } = this.#parts;
    const { fold } = store;
    this.#count();
    const shown = list.shown && fold.active && (fold.opened || (fold.likelyRejects ?? 0) > 0);
    if (!shown && this.#elements.fold.contains(document.activeElement)) list.focus();
    this.#elements.fold.hidden = !shown;
    if (!shown) return;
    setText(this.#button, rejects(fold));
    setAttribute(this.#button, "aria-expanded", fold.opened);
    setText(this.#elements["fold-text"], foldText(fold, store.long));
  }

  /** The list was loaded anew: what it leaves out is counted anew, too. */
  recount() {
    this.#learned.refresh();
    this.#count({ anew: true });
  }

  #switch() {
    const { store, queue, selection, signs } = this.#parts;
    const what = rejects(store.fold);
    queue.switchFold();
    const { opened, entries } = store.fold;
    signs.announce(`${what} ${opened ? "shown" : "folded away"}`);
    // The first of them is brought into sight; of a long list, they are the list.
    if (opened && !store.long) selection.select(entries[0] ?? null);
    else if (store.long || selection.entry?.folded) selection.select(null);
  }

  /** @param {{ anew?: boolean }} [options] `anew`: what was counted before stands until there is an answer */
  async #count({ anew = false } = {}) {
    const { api, store, queue } = this.#parts;
    const { sort: _, ...listing } = store.listing;
    const asked = store.long && store.fold.active ? JSON.stringify(listing) : "";
    if (!store.current || (asked === this.#asked && !anew)) return;
    if (asked !== this.#asked) store.learn({ beside: null });
    this.#asked = asked;
    this.#control.abort();
    this.#control = new AbortController();
    const { signal } = this.#control;
    if (asked === "") return;
    // An offer beside the list: without an answer there is none.
    const left = { ...listing, q: otherSide(listing.q ?? ""), limit: 1 };
    const page = await api.page(left, null, signal).catch(() => null);
    if (signal.aborted || page === null) return;
    store.learn({ beside: page.total });
    queue.drawSoon();
  }
}

/** @param {Pick<Folded, "likelyRejects">} fold */
function rejects({ likelyRejects }) {
  return likelyRejects === null ? "Likely rejects" : plural(likelyRejects, "likely reject");
}

/**
 * "folded away, 540.00 USD a month"
 * @param {Pick<Folded, "opened" | "alone" | "entries">} fold
 * @param {boolean} long
 */
export function foldText({ opened, alone, entries }, long) {
  if (opened) return alone ? "shown alone" : "shown at the end of the list";
  if (long) return "folded away";
  const savings = entries.reduce((sum, entry) => sum + counted(entry), 0);
  return savings > 0 ? `folded away, ${money(savings)} a month` : "folded away";
}
