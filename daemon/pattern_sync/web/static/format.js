/** @import { QueueEntry } from "wire" */

import { shownName, shownText } from "./characters.js";

// How values are written for people: numbers in the en-US way, whatever the browser's language is, and no "-0".
const whole = new Intl.NumberFormat("en-US", { signDisplay: "negative", maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat("en-US", { signDisplay: "negative", maximumFractionDigits: 1 });
const cents = new Intl.NumberFormat("en-US", {
  signDisplay: "negative",
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});
const compact = new Intl.NumberFormat("en-US", {
  signDisplay: "negative",
  notation: "compact",
  maximumSignificantDigits: 3,
});
const moment = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

const NOTHING = "–";

/**
 * 78167 → "78,167"
 * @param {number | null} value
 */
export function count(value) {
  return isFigure(value) ? whole.format(value) : NOTHING;
}

/**
 * 183844.06 → "183,844.06 USD", as the command line and the daemon's sentences have it
 * @param {number | null} usd
 */
export function money(usd) {
  return isFigure(usd) ? `${cents.format(usd)} USD` : NOTHING;
}

/**
 * 12214957842 → "12.2B", for a glance
 * @param {number | null} value
 */
export function short(value) {
  return isFigure(value) ? compact.format(value) : NOTHING;
}

/**
 * 0.85 → "85 %", 0.8567 → "85.7 %", 0.9996 → "99.96 %": what is not certain is never rounded to certainty.
 * @param {number | null} fraction
 */
export function percent(fraction) {
  if (!isFigure(fraction)) return NOTHING;
  const text = oneDecimal.format(fraction * 100);
  return `${fraction < 1 && text === "100" ? Math.floor(fraction * 10_000) / 100 : text} %`;
}

/**
 * A part of a whole: like percent, but a part is never rounded to 0 % or to 100 %.
 * @param {number | null} fraction
 */
export function share(fraction) {
  if (!isFigure(fraction)) return NOTHING;
  if (fraction > 0 && fraction < 0.001) return "<0.1 %";
  return fraction < 1 && fraction >= 0.9995 ? ">99.9 %" : percent(fraction);
}

/**
 * @param {number | null} value
 * @returns {value is number}
 */
function isFigure(value) {
  return Number.isFinite(value);
}

/**
 * "1 pattern", "12,000 patterns"
 * @param {number} number
 * @param {string} noun
 */
export function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/**
 * An ISO 8601 time → "23 Nov 2026, 06:43" in the reader's time zone.
 * @param {string | null} iso
 */
export function time(iso) {
  return iso ? moment.format(new Date(iso)) : NOTHING;
}

/**
 * "14:03" in the reader's time zone.
 * @param {Date} date
 */
export function clockTime(date) {
  return clock.format(date);
}

/**
 * A name or another short text from elsewhere on one line, with everything in it made visible.
 * @param {string | null} text
 */
export function visible(text) {
  return shownName(text ?? "");
}

/**
 * A running text from elsewhere, with its lines.
 * @param {string | null} text
 */
export function visibleLines(text) {
  return shownText(text ?? "");
}

/**
 * "Read→Edit→Write" → ["Read", "Edit", "Write"]
 * @param {string} toolSequence
 */
export function steps(toolSequence) {
  const arrow = /→|->|=>/u;
  const parts = toolSequence.split(arrow.test(toolSequence) ? arrow : ",");
  return parts.map((part) => part.trim()).filter(Boolean);
}

/**
 * "sdlc:full:all" → "sdlc"
 * @param {string} patternId
 */
export function patternType(patternId) {
  const colon = patternId.indexOf(":");
  return colon < 0 ? patternId : patternId.slice(0, colon);
}

/**
 * The rule that decides under a name, "rule:cheap-tests@3"; null for a person's.
 * @param {string | null} reviewer
 */
export function ruleOf(reviewer) {
  const { name, version } = /^rule:(?<name>[a-z][a-z0-9-]*)@(?<version>\d+)$/u.exec(reviewer ?? "")?.groups ?? {};
  return name === undefined ? null : { name, version: Number(version) };
}

/**
 * "ann", "rule cheap-tests, version 3"
 * @param {string | null} reviewer
 */
export function reviewerText(reviewer) {
  const rule = ruleOf(reviewer);
  return rule ? `rule ${rule.name}, version ${count(rule.version)}` : visible(reviewer);
}

/**
 * Who made an entry's decision: a person's name, "a rule", or null where that is not recorded.
 * @param {Pick<QueueEntry, "status" | "reviewed_by">} entry
 */
export function decider({ status, reviewed_by: reviewer }) {
  if (reviewer) return reviewerText(reviewer);
  return status.startsWith("auto-") ? "a rule" : null;
}

/**
 * The notes of an entry's decision, without the prefix that the application's readers expect before a reason.
 * @param {Pick<QueueEntry, "status" | "approval_notes">} entry
 */
export function decisionNotes({ status, approval_notes: notes }) {
  return status === "rejected" ? (notes ?? "").replace(/^REJECTED: ?/u, "") : notes;
}

/**
 * An entry's decision in words: "Approved by ann on 23 Nov 2026, 06:43".
 * @param {QueueEntry} entry
 */
export function decided(entry) {
  const who = decider(entry);
  const by = who ? ` by ${who}` : "";
  const on = entry.reviewed_at ? ` on ${time(entry.reviewed_at)}` : "";
  return `${capital(entry.status)}${by}${on}`;
}

/**
 * "auto-approved" → "Auto-approved"
 * @param {string} word
 */
export function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
