/** @import { QueueEntry } from "wire" */

import { patternType } from "./format.js";

/**
 * An entry with what is searched and filtered in it.
 * @typedef {{ entry: QueueEntry, text: string, type: string }} Item
 */

/**
 * Reuses the searched text of the item before: a busy entry changes its figures often, and its texts hardly ever.
 * @param {QueueEntry} entry
 * @param {Item | undefined} old
 * @returns {Item}
 */
export function asItem(entry, old) {
  const same =
    old && old.entry.tool_sequence === entry.tool_sequence && old.entry.pattern_context === entry.pattern_context;
  const text = same
    ? old.text
    : normal([entry.pattern_id, entry.tool_sequence, entry.pattern_context ?? ""].join("\n"));
  return { entry, text, type: patternType(entry.pattern_id) };
}

/**
 * What to show of sorted items: those that match, and the totals.
 * @param {Item[]} items
 * @param {string[]} terms all of which an item has to contain
 * @param {string | null} type null for all
 * @param {Set<string> | null} only the ids of those that were found; null for all
 */
export function derive(items, terms, type, only = null) {
  /** @type {Map<string, number>} */
  const types = new Map();
  /** @type {QueueEntry[]} */
  const shown = [];
  let total = 0;
  let largest = 0;
  let shownTotal = 0;
  let foreign = 0;
  for (const item of items) {
    const savings = counted(item.entry);
    total += savings;
    largest = Math.max(largest, weight(item.entry));
    if (!item.entry.from_pattern) foreign += 1;
    types.set(item.type, (types.get(item.type) ?? 0) + 1);
    if (type !== null && item.type !== type) continue;
    if (only !== null && !only.has(item.entry.pattern_id)) continue;
    if (!terms.every((term) => item.text.includes(term))) continue;
    shown.push(item.entry);
    shownTotal += savings;
  }
  const byFrequency = [...types].sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
  return { shown, total, largest, shownTotal, foreign, types: byFrequency };
}

/**
 * What an entry adds to a sum of savings, USD a month: nothing if another program wrote it, as no pattern saves that.
 * @param {QueueEntry} entry
 */
export function counted(entry) {
  return entry.from_pattern ? entry.estimated_savings_usd : 0;
}

/**
 * An entry's impact as it is compared with that of others: like its savings, only if there is a pattern behind it.
 * @param {QueueEntry} entry
 */
export function weight(entry) {
  return entry.from_pattern ? entry.impact_score : 0;
}

/**
 * Text as it is compared in a search.
 * @param {string} text
 */
export function normal(text) {
  return text.normalize("NFC").toLowerCase();
}
