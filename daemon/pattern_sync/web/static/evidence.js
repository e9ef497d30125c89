/** @import { Evidence, QueueCounts, QueueEntry } from "wire" */

import { allById, build, fillList, setText } from "./dom.js";
import { count, money, plural, time } from "./format.js";

/** What is recorded of a pattern, in short: a row has little room. A name that a newer daemon gives stays as it is. */
const LABELS = new Map([
  ["counted-twice", "counted twice"],
  ["short-span", "short span"],
  ["all-time", "all time"],
  ["assumed-cost", "assumed cost"],
  ["no-steps", "no steps"],
  ["gone-quiet", "gone quiet"],
  ["carries-queue", "carries the queue"],
  ["nothing-recorded", "nothing recorded"],
]);
const NO_DOUBT = "nothing-recorded";
const HOURS = 24;
const DAYS_FROM = 2;

/**
 * The doubts about a claim, in short words. That a detector records nothing is no doubt.
 * @param {Evidence} evidence
 */
export function doubts({ flags }) {
  return flags
    .map(({ name }) => name)
    .filter((name) => name !== NO_DOUBT)
    .map(label);
}

/**
 * The sign of a row: "counted twice +5", "" without a doubt.
 * @param {Evidence} evidence
 */
export function sign(evidence) {
  const [first = "", ...others] = doubts(evidence);
  return others.length > 0 ? `${first} +${others.length}` : first;
}

/**
 * "2,209 shown", beside a claim that has room for its cents; "" while nothing can be said of a month.
 * @param {Evidence} evidence
 */
export function shownInShort({ savings_by_evidence: usd }) {
  return usd === null ? "" : `${count(usd)} shown`;
}

/**
 * "2,208.74 USD shown", below a claim
 * @param {Evidence} evidence
 */
export function shownExactly({ savings_by_evidence: usd }) {
  return usd === null ? "" : `${money(usd)} shown`;
}

/**
 * "2,208.74 USD a month shown by evidence"
 * @param {Evidence} evidence
 */
export function shownInWords({ savings_by_evidence: usd }) {
  return usd === null ? "" : `${money(usd)} a month shown by evidence`;
}

/**
 * How much of what an entry claims is shown by evidence, 0 to 1; more than it claims is all of it.
 * @param {Pick<QueueEntry, "estimated_savings_usd" | "evidence">} entry
 */
export function shownPart({ estimated_savings_usd: claimed, evidence }) {
  const usd = evidence.savings_by_evidence ?? 0;
  return claimed > 0 ? Math.max(0, Math.min(1, usd / claimed)) : 0;
}

/**
 * What all pending entries are worth; "" while nothing of it is shown.
 * @param {QueueCounts} counts
 */
export function worth({ claimed_usd: claimed, shown_usd: shown }) {
  if (shown === null) return "";
  return `Of what is pending, ${money(claimed)} a month is claimed, and ${money(shown)} shown by evidence.`;
}

/** The block of the details that stands beside the claim. */
export class EvidenceBlock {
  #elements = allById("evidence", "evidence-saved", "evidence-observed", "evidence-seen", "evidence-flags");

  /** @param {Evidence} evidence */
  show(evidence) {
    const { evidence: figures, "evidence-flags": flags } = this.#elements;
    figures.hidden = !evidence.recorded;
    setText(this.#elements["evidence-saved"], saved(evidence));
    setText(this.#elements["evidence-observed"], observed(evidence));
    setText(this.#elements["evidence-seen"], seen(evidence));
    flags.hidden = evidence.flags.length === 0;
    fillList(flags, evidence.flags, flagItem);
  }
}

/**
 * "2,208.74 USD a month, extrapolated"
 * @param {Evidence} evidence
 */
export function saved({ savings_by_evidence: usd, savings_observed: all }) {
  if (usd !== null) return `${money(usd)} a month, extrapolated`;
  return all === null ? "not known" : "seen for too short a time to say";
}

/** @param {Evidence} evidence */
function observed({ savings_observed: usd }) {
  return usd === null ? "no cost is recorded" : `${money(usd)} in all`;
}

/**
 * "24 distinct workflows, 31 a day, from 20 Nov 2025, 00:00 to 20 Nov 2025, 18:24 (18 hours)"
 * @param {Evidence} evidence
 */
export function seen(evidence) {
  const workflows = plural(evidence.workflows, "distinct workflow");
  const { first_seen: first, last_seen: last, days_seen: days, occurrences_a_day: pace } = evidence;
  if (!(first && last)) return workflows;
  if (days === 0) return `${workflows}, at ${time(last)}`;
  const often = pace === null ? "" : `, ${pace < 1 ? "less than one" : count(pace)} a day`;
  return `${workflows}${often}, from ${time(first)} to ${time(last)} (${span(days)})`;
}

/** @param {number} days */
function span(days) {
  return days < DAYS_FROM ? plural(Math.max(1, Math.round(days * HOURS)), "hour") : plural(Math.round(days), "day");
}

/** @param {string} name */
export function label(name) {
  return LABELS.get(name) ?? name;
}

/** @param {Evidence["flags"][number]} flag */
function flagItem({ name, rule }) {
  const item = build("li", {}, build("b", {}, `${label(name)}:`), ` ${rule}`);
  item.classList.toggle("is-neutral", name === NO_DOUBT);
  return item;
}
