/**
 * @import { QueueEntry } from "wire"
 * @import { Sort } from "./order.js"
 * @import { Store } from "./store.js"
 */

import { count, money, percent, short } from "./format.js";

const WORTH_TELLING = 2;

/**
 * Why an entry stands where it does: its place, where the list is in the order of impact, and what makes its impact.
 * @param {Pick<Store, "narrowed" | "index" | "shown" | "size">} store
 * @param {QueueEntry} entry
 * @param {Sort} order of the list
 * @returns {{ place: string, rule: string }} `place` is "" where the list tells of no such place
 */
export function rank(store, entry, order) {
  const { confidence_score: confidence, occurrence_count: occurrences, estimated_savings_usd: savings } = entry;
  const impact = short(entry.impact_score);
  const rule = `${percent(confidence)} × ${count(occurrences)} × ${money(savings)} = ${impact}`;
  const index = `${order}` === "impact" && !store.narrowed ? store.index(entry) : -1;
  if (index < 0) return { place: "", rule };
  const place = `No. ${count(index + 1)} of ${count(store.size)} by impact`;
  return { place, rule: `${rule}${beside(entry, store.shown[index + 1])}` };
}

/**
 * ", 5,131 times the next one"
 * @param {QueueEntry} entry
 * @param {QueueEntry | undefined} next
 */
function beside({ impact_score: impact }, next) {
  const times = next && next.impact_score > 0 ? impact / next.impact_score : 0;
  if (times < WORTH_TELLING) return "";
  return `, ${times < 10 ? times.toFixed(1) : count(times)} times the next one`;
}
