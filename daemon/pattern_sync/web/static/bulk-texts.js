/** @import { DecidedMany, LoggedDecision, QueueEntry } from "wire" */

import { count, money, plural, visible } from "./format.js";
import { counted } from "./items.js";

/** @typedef {"approve" | "reject"} BulkAction */
/** @typedef {DecidedMany["outcomes"][number]} Outcome */

const LARGEST = 5;
// Fewer decisions tell no habit.
const FEWEST_FOR_HABIT = 10;
const HABIT = 0.9;
const DONE = { approve: "approved", reject: "rejected" };

/** @param {QueueEntry[]} entries */
export function sum(entries) {
  return entries.reduce((total, entry) => total + counted(entry), 0);
}

/** @param {QueueEntry[]} entries */
export function largest(entries) {
  return entries.toSorted((one, other) => other.estimated_savings_usd - one.estimated_savings_usd).slice(0, LARGEST);
}

/**
 * Nine of ten decisions of this kind were on less, USD a month; null where there are too few to say.
 * @param {LoggedDecision[]} log
 * @param {BulkAction} action
 */
export function usualBound(log, action) {
  const amounts = log
    .filter(({ decision, undone_at: undoneAt }) => decision === DONE[action] && undoneAt === null)
    .flatMap(({ savings_usd: usd }) => (usd === null ? [] : [usd]))
    .sort((one, other) => one - other);
  if (amounts.length < FEWEST_FOR_HABIT) return null;
  return amounts[Math.ceil(HABIT * amounts.length) - 1] ?? null;
}

/**
 * "412,000.00 USD a month together; 2 of them are above 5,000.00 USD, below which 9 of 10 of your approvals were"
 * @param {QueueEntry[]} entries
 * @param {BulkAction} action
 * @param {number | null} bound
 */
export function togetherText(entries, action, bound) {
  const folded = action === "approve" ? entries.filter((entry) => entry.folded).length : 0;
  const rejects = folded === 0 ? "" : `, with ${plural(folded, "likely reject")}`;
  const together = `${money(sum(entries))} a month together${rejects}`;
  const above = bound === null ? 0 : entries.filter((entry) => entry.estimated_savings_usd > bound).length;
  if (above === 0) return `${together}.`;
  const are = above === 1 ? "1 of them is" : `${count(above)} of them are`;
  const usual = action === "approve" ? "approvals" : "rejections";
  return `${together}; ${are} above your usual bound: 9 of 10 of your ${usual} were at most ${money(bound)}.`;
}

/**
 * "37 asked: 34 rejected, 2 locked by somebody (try again), 1 approved by bob"
 * @param {DecidedMany} answer
 * @param {BulkAction} action
 */
export function outcomeText({ outcomes }, action) {
  return `${count(outcomes.length)} asked: ${tally(outcomes, action, "")}.`;
}

/**
 * "34 would be rejected, 2 locked by somebody (try again)"
 * @param {DecidedMany} answer
 * @param {BulkAction} action
 */
export function previewText({ outcomes }, action) {
  return `As things are now: ${tally(outcomes, action, "would be ")}.`;
}

/**
 * What became of one entry, in words that can be counted.
 * @param {Outcome} outcome
 * @param {BulkAction} action
 */
export function itemText({ outcome, status, reviewed_by: by, detail }, action) {
  if (outcome === "busy") return "locked by somebody (try again)";
  if (outcome === "unknown") return "not in the queue any more";
  if (outcome === "refused") return detail ? `refused: ${visible(detail).replace(/\.$/u, "")}` : "refused";
  if (outcome === "decided") return DONE[action];
  const who = by ? ` by ${visible(by)}` : "";
  return `${outcome === "already" ? "already " : ""}${visible(status)}${who}`;
}

/**
 * @param {Outcome[]} outcomes
 * @param {BulkAction} action
 * @param {string} would
 */
function tally(outcomes, action, would) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  for (const each of outcomes) {
    const text = `${each.outcome === "decided" ? would : ""}${itemText(each, action)}`;
    numbers.set(text, (numbers.get(text) ?? 0) + 1);
  }
  return [...numbers]
    .sort((one, other) => other[1] - one[1])
    .map(([text, number]) => `${count(number)} ${text}`)
    .join(", ");
}

/**
 * "34 patterns"
 * @param {number} number
 */
export function patterns(number) {
  return plural(number, "pattern");
}
