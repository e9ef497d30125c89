/**
 * @import { EntryGroup, Grouping } from "wire"
 * @import { Groups } from "./groups.js"
 */

import { allById, build, byId, closest, setAttribute, setText } from "./dom.js";
import { count, money, plural } from "./format.js";
import {
  before,
  confidenceRange,
  doubtsOf,
  evidenceOf,
  groupName,
  nameOf,
  savingsRange,
  spoken,
} from "./group-texts.js";

/** The listbox of groups, which stands in the place of the list of patterns. */
export class GroupList {
  #elements = allById("group-scroller", "group-kind", "group-more", "group-state");
  #box = byId("groups", HTMLElement);
  #retry = byId("group-retry", HTMLButtonElement);
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  /** @type {EntryGroup[]} */
  #groups = [];
  /** @type {string | null} */
  #key = null;
  #index = 0;
  #lastRowNumber = 0;

  /**
   * @param {object} parts
   * @param {(group: EntryGroup) => void} parts.open called for the group that a person opens
   * @param {() => void} parts.pick called when a person picks the group at the cursor
   * @param {() => void} parts.retry
   */
  constructor({ open, pick, retry }) {
    this.#box.addEventListener("click", (event) => {
      const key = closest(event, "[data-key]")?.dataset.key;
      const group = this.#groups.find((each) => each.key === key);
      if (!group) return;
      this.#key = group.key;
      this.#point();
      if (event.ctrlKey || event.metaKey || closest(event, ".row-pick")) pick();
      else open(group);
    });
    this.#retry.addEventListener("click", () => {
      this.focus();
      retry();
    });
  }

  get hidden() {
    return this.#elements["group-scroller"].hidden;
  }

  set hidden(hidden) {
    this.#elements["group-scroller"].hidden = hidden;
  }

  focus() {
    this.#box.focus({ preventScroll: true });
  }

  get hasFocus() {
    return document.activeElement === this.#box;
  }

  /** How many rows fit. */
  get pageRows() {
    const height = this.#rows.values().next().value?.offsetHeight ?? 1;
    return Math.max(1, Math.floor(this.#elements["group-scroller"].clientHeight / Math.max(1, height)) - 1);
  }

  /** The group at the cursor; undefined where there is none. */
  get group() {
    return this.#groups.find(({ key }) => key === this.#key);
  }

  /** @param {number} step infinite for all the way */
  move(step) {
    const from = this.#groups.findIndex(({ key }) => key === this.#key);
    const first = step > 0 === Number.isFinite(step) ? 0 : this.#groups.length - 1;
    const wanted = from < 0 ? first : from + step;
    this.#index = Math.max(0, Math.min(this.#groups.length - 1, wanted));
    this.#key = this.#groups[this.#index]?.key ?? null;
    this.#point();
    this.#rows.get(this.#key ?? "")?.scrollIntoView({ block: "nearest" });
    this.focus();
  }

  /** Forget the cursor: the groups are others. */
  restart() {
    this.#key = null;
    this.#index = 0;
    this.#elements["group-scroller"].scrollTop = 0;
  }

  /**
   * @param {Grouping} grouping
   * @param {Groups} groups
   * @param {(key: string) => boolean} isPicked
   */
  draw(grouping, groups, isPicked) {
    this.#groups = groups.rows;
    setText(this.#elements["group-kind"], nameOf(grouping).one);
    setAttribute(this.#box, "aria-label", `Groups by ${grouping}`);
    setAttribute(this.#box, "aria-busy", !groups.complete);
    this.#drawRows(grouping, groups.total, isPicked);
    // Where a group is gone, the one that took its place is at the cursor.
    if (this.#key !== null && !this.group)
      this.#key = this.#groups[this.#index]?.key ?? this.#groups.at(-1)?.key ?? null;
    this.#point();
    const more = groups.total - groups.rows.length;
    const beyond = more > 0 ? `and ${plural(more, "more group")}, worth less: search for what you look for` : "";
    setText(this.#elements["group-more"], beyond);
    this.#drawState(groups);
  }

  /** @param {Groups} groups */
  #drawState({ rows, complete, fault }) {
    const empty = complete ? "No pattern is in a group." : "Counting the groups…";
    const failed = fault ? `The groups could not be counted. ${fault.message}` : "";
    setText(this.#elements["group-state"], failed || (rows.length === 0 ? empty : ""));
    this.#retry.hidden = fault === null;
  }

  /**
   * @param {Grouping} grouping
   * @param {number} total
   * @param {(key: string) => boolean} isPicked
   */
  #drawRows(grouping, total, isPicked) {
    const kept = new Set(this.#groups.map(({ key }) => key));
    for (const [key, row] of this.#rows) {
      if (kept.has(key) && row.dataset.by === grouping) continue;
      row.remove();
      this.#rows.delete(key);
    }
    let next = this.#box.firstElementChild;
    for (const [index, group] of this.#groups.entries()) {
      const row = this.#rows.get(group.key) ?? this.#newRow(grouping, group.key);
      write(row, grouping, group);
      setAttribute(row, "aria-posinset", index + 1);
      setAttribute(row, "aria-setsize", total);
      setAttribute(row, "aria-checked", isPicked(group.key));
      if (row === next) next = next.nextElementSibling;
      else this.#box.insertBefore(row, next);
    }
  }

  /**
   * @param {Grouping} grouping
   * @param {string} key
   */
  #newRow(grouping, key) {
    this.#lastRowNumber += 1;
    const row = build(
      "div",
      { className: "group", id: `group-${this.#lastRowNumber}`, role: "option" },
      build("span", { className: "group-words unseen" }),
      build("span", { className: "row-pick" }),
      build("span", { className: "group-name" }, build("bdi", {})),
      build("span", { className: "group-doubts" }),
      build("span", { className: "group-count figure" }),
      build("span", { className: "group-confidence figure" }),
      build("span", { className: "group-savings figure" }),
      build("span", { className: "group-evidence figure" }),
      build("span", { className: "group-range figure" }),
      build("span", { className: "group-before" }),
    );
    // One text is read out instead of the figures. Not as a label: what is written on the row would not be in it.
    for (const part of [...row.children].slice(1)) part.ariaHidden = "true";
    row.dataset.key = key;
    row.dataset.by = grouping;
    this.#rows.set(key, row);
    return row;
  }

  #point() {
    const at = this.#key === null ? undefined : this.#rows.get(this.#key);
    for (const row of this.#rows.values()) setAttribute(row, "aria-selected", row === at);
    if (at) setAttribute(this.#box, "aria-activedescendant", at.id);
    else this.#box.removeAttribute("aria-activedescendant");
  }
}

/**
 * @param {HTMLElement} row
 * @param {Grouping} grouping
 * @param {EntryGroup} group
 */
function write(row, grouping, group) {
  const texts = {
    "group-words": spoken(grouping, group),
    "group-name bdi": groupName(grouping, group.key),
    "group-doubts": doubtsOf(group),
    "group-count": count(group.count),
    "group-confidence": confidenceRange(group),
    "group-savings": money(group.savings_usd),
    "group-evidence": evidenceOf(group),
    "group-range": group.count > 1 ? `each ${savingsRange(group)}` : "",
    "group-before": before(group),
  };
  for (const [name, text] of Object.entries(texts)) {
    const place = row.querySelector(`.${name}`);
    if (place) setText(place, text);
  }
}
