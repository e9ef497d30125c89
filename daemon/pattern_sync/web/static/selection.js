/**
 * @import { QueueEntry } from "wire"
 * @import { Api } from "./api.js"
 * @import { Details } from "./details.js"
 * @import { VirtualList } from "./list.js"
 * @import { Lookalikes } from "./lookalikes.js"
 * @import { Store } from "./store.js"
 */

import { readAddress, writeAddress } from "./address.js";
import { asApiError } from "./api-error.js";
import { byId, find } from "./dom.js";
import { Sort } from "./order.js";
import { rank } from "./rank.js";
import { isAsleep, snoozeText } from "./snooze-texts.js";
import { secondsSince } from "./watching.js";

/** Which pattern is selected: in the list, in the details, in the address, and on narrow screens over the list. */
export class Selection {
  #api;
  #store;
  #lookalikes;
  #list;
  #details;
  #isTaken;
  #selected;
  /** @type {string | null} */
  #patternId = null;
  /** @type {QueueEntry | null} */
  #entry = null;
  #since = 0;
  #opened = false;
  #changes = 0;
  #reveal = false;
  #covered = [find(document, ".top", HTMLElement), byId("queue", HTMLElement)];
  #narrow = window.matchMedia("(max-width: 59.99rem)");

  /**
   * @param {object} parts
   * @param {Api} parts.api
   * @param {Store} parts.store
   * @param {Lookalikes} parts.lookalikes
   * @param {VirtualList} parts.list
   * @param {Details} parts.details
   * @param {(patternId: string) => boolean} parts.isTaken whether somebody else reads a pattern
   * @param {(patternId: string | null) => void} parts.selected called when another pattern is selected, or none
   */
  constructor({ api, store, lookalikes, list, details, isTaken, selected }) {
    this.#isTaken = isTaken;
    this.#selected = selected;
    this.#api = api;
    this.#store = store;
    this.#lookalikes = lookalikes;
    this.#list = list;
    this.#details = details;
    this.#narrow.addEventListener("change", () => this.#cover(this.#openedInHistory));
    window.addEventListener("popstate", () => this.#followHistory());
    byId("back", HTMLButtonElement).addEventListener("click", () => this.close());
    byId("next", HTMLButtonElement).addEventListener("click", () => this.move(1));
    byId("previous", HTMLButtonElement).addEventListener("click", () => this.move(-1));
  }

  get patternId() {
    return this.#patternId;
  }

  /** The selected entry as it is known now; null when nothing, or nothing that exists, is selected. */
  get entry() {
    return this.#entry;
  }

  /** For how many seconds the entry has been selected. */
  get seconds() {
    return secondsSince(this.#since);
  }

  /** Whether the details cover the list. */
  get opened() {
    return this.#opened;
  }

  /** @param {QueueEntry | null} entry */
  select(entry) {
    if (entry?.pattern_id !== this.#patternId) this.#since = performance.now();
    this.#patternId = entry?.pattern_id ?? null;
    this.#entry = entry;
    this.#list.select(entry);
    this.#list.reveal();
    this.#selected(this.#patternId);
    writeAddress({ pattern: this.#patternId });
    this.draw();
    if (!entry && this.#opened) this.close();
  }

  /**
   * Go some entries on; from an entry that has left the list, to its neighbours.
   * @param {number} step below 0 for back; infinite for all the way
   */
  move(step) {
    const { shown } = this.#store;
    const entry = shown[Math.max(0, Math.min(shown.length - 1, this.#target(step)))];
    if (!entry) return;
    this.select(entry);
    if (this.#opened) this.#details.focusTitle();
    else this.#list.focus();
  }

  /**
   * Go on to what takes the place of an entry that has just left the list.
   * @param {QueueEntry} entry
   * @param {{ focus: boolean }} options whether the details get the focus
   */
  succeed(entry, { focus }) {
    const { shown } = this.#store;
    const position = this.#store.position(entry);
    this.select(this.#free(position) ?? shown[position] ?? shown[position - 1] ?? null);
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

  /** Go from the search to what it found. */
  enter() {
    this.#list.focus();
    if (!this.#entry || this.#store.index(this.#entry) < 0) this.move(Number.NEGATIVE_INFINITY);
  }

  /** Back to the list. */
  close() {
    if (!this.#opened) this.#list.focus();
    else if (history.state?.opened) history.back();
    else this.#uncover();
  }

  /**
   * An entry changed; where it is the selected one, show it.
   * @param {string} patternId
   * @param {QueueEntry | null} entry null when it was removed
   */
  changed(patternId, entry) {
    if (patternId !== this.#patternId) return;
    this.#changes += 1;
    this.#take(patternId, entry);
    if (entry) this.#details.refresh();
  }

  /** The view was loaded again: so is what is known of the selected entry. */
  async reloaded() {
    if (this.#patternId === null) return;
    const entry = this.#store.get(this.#patternId);
    if (!entry) {
      await this.#fetch(this.#patternId);
      return;
    }
    this.changed(this.#patternId, entry);
    if (this.#reveal) this.#list.reveal();
    this.#reveal = false;
  }

  /** Select what the address names, wherever it is. */
  async follow() {
    const { pattern: patternId } = readAddress();
    if (patternId === this.#patternId) return;
    if (patternId === null) {
      if (!this.#opened) this.select(null);
      return;
    }
    await this.find(patternId);
    if (this.#narrow.matches) this.#cover(true);
  }

  /**
   * Select a pattern, whatever its status; resolves to whether it is still the selected one.
   * @param {string} patternId
   */
  async find(patternId) {
    const entry = this.#store.get(patternId);
    if (entry) this.select(entry);
    else {
      this.#patternId = patternId;
      this.#entry = null;
      this.#since = performance.now();
      this.#reveal = true;
      this.#selected(patternId);
      this.#details.showLoading(patternId);
      await this.#fetch(patternId);
      writeAddress({ pattern: this.#patternId });
    }
    return patternId === this.#patternId;
  }

  /** Show the figures as they are now. */
  draw() {
    const entry = this.#entry;
    if (entry) {
      this.#details.show(entry, {
        fraction: this.#store.share(entry),
        elsewhere: this.#elsewhere(entry),
        alike: this.#lookalikes.of(entry.pattern_id),
        rank: rank(this.#store, entry, new Sort(readAddress().sort)),
      });
    } else if (this.#patternId === null) this.#details.showOverview(this.#store);
  }

  /** @param {string} patternId */
  async #fetch(patternId) {
    const changes = this.#changes;
    // A change announced meanwhile is newer than the answer.
    const overtaken = () => patternId !== this.#patternId || changes !== this.#changes;
    try {
      const entry = await this.#api.entry(patternId);
      if (overtaken()) return;
      this.#take(patternId, entry);
      this.#details.refresh();
    } catch (caught) {
      const fault = asApiError(caught);
      if (overtaken()) return;
      if (fault.status === 404) this.#take(patternId, null);
      else if (!this.#entry) this.#details.showUnknown(patternId, fault.message, () => this.#fetch(patternId));
    }
  }

  /**
   * @param {string} patternId
   * @param {QueueEntry | null} entry
   */
  #take(patternId, entry) {
    this.#entry = entry;
    this.#list.select(entry);
    if (entry) this.draw();
    else this.#details.showMissing(patternId);
  }

  /**
   * The first entry from a position on that nobody else reads: two people should not work at the same one.
   * @param {number} position
   */
  #free(position) {
    return this.#store.shown.slice(position).find(({ pattern_id: patternId }) => !this.#isTaken(patternId));
  }

  /** @param {number} step */
  #target(step) {
    // With nothing selected, a step enters at the end it comes from; all the way stays all the way.
    const free = this.#entry || step !== 1 ? undefined : this.#free(0);
    if (free) return this.#store.index(free);
    if (!this.#entry) return step > 0 === Number.isFinite(step) ? 0 : Number.POSITIVE_INFINITY;
    const position = this.#store.position(this.#entry);
    const left = this.#store.index(this.#entry) < 0;
    return position + (left && step > 0 ? step - 1 : step);
  }

  /** @param {QueueEntry} entry */
  #elsewhere(entry) {
    const { snooze } = entry;
    if (snooze && isAsleep(entry, Date.now())) return `${snoozeText(snooze)}.`;
    if (entry.status !== this.#store.view) return `Not in the list: it is ${entry.status}.`;
    const { settled, complete, narrowed, fold } = this.#store;
    if (fold.active && entry.folded && !fold.opened) return "Folded away: a likely reject. f shows them.";
    if (!settled || this.#store.index(entry) >= 0) return null;
    if (!complete) return narrowed ? null : "Further down in the list than what is loaded of it.";
    return narrowed ? "Not in the list: it does not match the search." : null;
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
    writeAddress({ pattern: this.#patternId });
  }

  #uncover() {
    this.#cover(false);
    this.#list.focus();
    this.#list.reveal();
  }

  /** @param {boolean} covered */
  #cover(covered) {
    this.#opened = covered;
    document.body.classList.toggle("details-open", covered);
    for (const part of this.#covered) part.inert = covered;
  }
}
