/** @import { Aside, Interval, PatternRoi, Roi } from "wire" */

import { count, money, plural, share } from "./format.js";

const FEW = 12;
const SHOWN_OF_EACH = 5;

/**
 * What the results are in total, in sentences.
 * @param {Roi} roi
 */
export function summaryOf({ totals }) {
  const saved = `${plural(totals.patterns, "approved pattern")}, ${money(totals.saved_usd)} saved in ${plural(totals.runs, "run")}.`;
  const sentences = [saved, monthOf(totals)];
  if (totals.not_used > 0) {
    sentences.push(`${count(totals.not_used)} approved, not used: no run in 30 days.`);
  }
  return sentences.join(" ");
}

/** @param {Roi["totals"]} totals */
function monthOf({ measured, monthly_usd: monthly, share: part, share_range: range }) {
  if (monthly === null || part === null) return "Too early for a month’s figure: it takes 5 runs over 14 days.";
  const between = range ? `, probably ${between90(range)}` : " (an interval takes 6 patterns with results)";
  return `The ${count(measured)} with enough results save ${money(monthly)} a month, ${share(part)} of what they promised${between}.`;
}

/** @param {Interval} range of shares */
export function between90({ low, high }) {
  return `${wholePercent(low)} to ${wholePercent(high)}`;
}

/** @param {number} fraction */
function wholePercent(fraction) {
  return `${count(Math.round(fraction * 100))} %`;
}

/**
 * A month's savings with their interval.
 * @param {PatternRoi} pattern
 */
export function monthText({ monthly_usd: monthly, monthly_range: range }) {
  if (monthly === null) return "–";
  return range ? `${money(monthly)} (${bare(range.low)} to ${bare(range.high)})` : money(monthly);
}

/** @param {number} usd */
function bare(usd) {
  return money(usd).replace(" USD", "");
}

/** @param {PatternRoi} pattern */
export function shareText({ share: part, share_range: range }) {
  if (part === null) return "–";
  return range ? `${share(part)} (${between90(range)})` : share(part);
}

/** @param {Aside} aside */
export function asideText({ runs, saved_usd: usd, words }) {
  return `${plural(runs, "row")} ${words}${usd === 0 ? "" : `, ${money(usd)}`}.`;
}

/**
 * Why tables could not be read; one that an application need not have is none of them.
 * @param {Roi} roi
 */
export function faultsOf({ sources }) {
  return sources
    .filter(({ fault }) => fault !== null && fault !== "it is missing")
    .map(({ name, fault }) => `${name} was not read: ${fault}.`);
}

/**
 * How many patterns are not listed.
 * @param {Roi} roi
 */
export function leftOut({ totals, patterns }) {
  const left = totals.patterns - patterns.length;
  return left > 0 ? [`${count(left)} patterns in between are not listed: the CSV of the API has them.`] : [];
}

/**
 * Those that got most and least of their promise; none where all are few anyway.
 * @param {PatternRoi[]} patterns
 */
export function bestAndWorst(patterns) {
  const known = patterns.filter((pattern) => pattern.share !== null);
  if (known.length < FEW) return [];
  const ordered = known.sort((one, other) => (other.share ?? 0) - (one.share ?? 0));
  return [...ordered.slice(0, SHOWN_OF_EACH), ...ordered.slice(-SHOWN_OF_EACH)];
}
