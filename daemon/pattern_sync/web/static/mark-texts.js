/** @import { EntryMark } from "wire" */

import { clockTime, time } from "./format.js";

const DAY_MILLISECONDS = 86_400_000;
const WEEKDAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/**
 * The sign of a row: "rule approves 14:00", "rule would approve" of one that only watches; "" without a mark.
 * @param {EntryMark | null} mark
 * @param {Date} now
 */
export function markSign(mark, now) {
  if (!mark) return "";
  const verb = verbOf(mark);
  return mark.due_at === null ? `rule would ${verb}` : `rule ${verb}s ${shortly(new Date(mark.due_at), now)}`;
}

/**
 * "Approved by rule cheap-tests at 14:00 unless you object", "Rule cheap-tests would approve this; it only watches"
 * @param {EntryMark} mark
 * @param {Date} now
 */
export function markText(mark, now) {
  const { rule, due_at: dueAt } = mark;
  if (dueAt === null) return `Rule ${rule} would ${verbOf(mark)} this; it only watches`;
  const due = new Date(dueAt);
  const when = isSameDay(due, now) ? `at ${clockTime(due)}` : `on ${time(dueAt)}`;
  return `${isApproval(mark) ? "Approved" : "Rejected"} by rule ${rule} ${when} unless you object`;
}

/** @param {Pick<EntryMark, "status">} mark */
function verbOf(mark) {
  return isApproval(mark) ? "approve" : "reject";
}

/** @param {Pick<EntryMark, "status">} mark */
function isApproval({ status }) {
  return status === "auto-approved";
}

/**
 * "14:00", "Sat 14:00" within a week, "28 Dec": a row has little room.
 * @param {Date} then
 * @param {Date} now
 */
function shortly(then, now) {
  if (isSameDay(then, now)) return clockTime(then);
  // A weekday that is a week away would be taken for today's.
  const isNear = Math.abs(then.getTime() - now.getTime()) < 6 * DAY_MILLISECONDS;
  return isNear ? WEEKDAY.format(then).replace(",", "") : DATE.format(then);
}

/**
 * @param {Date} one
 * @param {Date} other
 */
function isSameDay(one, other) {
  return one.toDateString() === other.toDateString();
}
