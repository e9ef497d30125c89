/** @import { EntryGroup, Grouping } from "wire" */

import { label } from "./evidence.js";
import { count, money, percent, plural, visible } from "./format.js";

/** The most that a group's row names of the doubts about its entries. */
const MOST_FLAGS = 3;
const UNDOUBTED = "nothing-recorded";
/** @type {Record<Grouping, { one: string, all: string }>} */
const NAMES = {
  kind: { one: "Kind", all: "Kinds" },
  shape: { one: "Shape", all: "Shapes" },
  target: { one: "Target", all: "Targets" },
  flag: { one: "Flag", all: "Flags" },
};

/** @param {Grouping} grouping */
export function nameOf(grouping) {
  return NAMES[grouping];
}

/**
 * A group's key as it is shown. A digest has no kind and no target, which is `-` in the query language.
 * @param {Grouping} grouping
 * @param {string} key
 */
export function groupName(grouping, key) {
  if (grouping === "flag") return label(key);
  if (key === "-" && grouping !== "shape") return "names that are digests";
  return visible(key) || `no ${grouping}`;
}

/**
 * "1,200.00 to 183,844.06 USD", one figure where both are the same
 * @param {EntryGroup} group
 */
export function savingsRange({ savings_min: least, savings_max: most }) {
  return least === most ? money(least) : `${money(least).replace(/ USD$/u, "")} to ${money(most)}`;
}

/** @param {EntryGroup} group */
export function confidenceRange({ confidence_min: least, confidence_max: most }) {
  return least === most ? percent(least) : `${percent(least).replace(/ %$/u, "")} to ${percent(most)}`;
}

/**
 * "approved 1 of 12 before"; "" where nobody has decided about one of these yet
 * @param {EntryGroup} group
 */
export function before({ approved_before: approved, decided_before: decided }) {
  return decided === 0 ? "" : `approved ${count(approved)} of ${count(decided)} before`;
}

/**
 * "2 counted twice, 1 no steps": the doubts about most entries first
 * @param {EntryGroup} group
 */
export function doubtsOf({ flags }) {
  const doubts = Object.entries(flags)
    .filter(([name]) => name !== UNDOUBTED)
    .sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1))
    .map(([name, entries]) => `${count(entries)} ${label(name)}`);
  const more = doubts.length - MOST_FLAGS;
  return doubts.slice(0, MOST_FLAGS).join(", ") + (more > 0 ? ` +${more}` : "");
}

/** @param {EntryGroup} group */
export function evidenceOf({ evidence_usd: shown }) {
  return shown === null ? "" : `${money(shown)} shown`;
}

/**
 * All that a row shows, for screen readers.
 * @param {Grouping} grouping
 * @param {EntryGroup} group
 */
export function spoken(grouping, group) {
  return [
    `${nameOf(grouping).one} ${groupName(grouping, group.key)}`,
    plural(group.count, "pattern"),
    `${money(group.savings_usd)} a month`,
    evidenceOf(group),
    `each ${savingsRange(group)}`,
    `confidence ${confidenceRange(group)}`,
    before(group),
    doubtsOf(group),
  ]
    .filter(Boolean)
    .join(", ");
}
