/** @import { QueueEntry } from "wire" */

import { time, visible } from "./format.js";

const MORNING = 9;
const WEEK = 7;

/**
 * Whether somebody wants to see an entry later. The daemon tells of a snooze that ends by itself only when it is asked.
 * @param {Pick<QueueEntry, "snooze">} entry
 * @param {number} now in milliseconds since 1970
 */
export function isAsleep({ snooze }, now) {
  return snooze !== null && (snooze.until === null || Date.parse(snooze.until) > now);
}

/**
 * Nine in the morning, some days on, here.
 * @param {Date} now
 * @param {"tomorrow" | "week"} choice next week begins on Monday
 */
export function morning(now, choice) {
  const then = new Date(now);
  const days = choice === "tomorrow" ? 1 : WEEK - ((now.getDay() + WEEK - 1) % WEEK);
  then.setDate(now.getDate() + days);
  then.setHours(MORNING, 0, 0, 0);
  return then;
}

/**
 * "Snoozed by ann until 27 Nov 2026, 09:00, or until its savings have doubled"
 * @param {NonNullable<QueueEntry["snooze"]>} snooze
 */
export function snoozeText(snooze) {
  return `Snoozed by ${visible(snooze.by)} ${endsText(snooze)}`;
}

/**
 * "until 27 Nov 2026, 09:00, or until its savings have doubled"
 * @param {Pick<NonNullable<QueueEntry["snooze"]>, "until" | "until_doubled">} snooze
 */
export function endsText({ until, until_doubled: doubled }) {
  const ends = [until && `until ${time(until)}`, doubled && "until its savings have doubled"];
  return ends.filter(Boolean).join(", or ");
}
