/** @import { QueueEntry } from "wire" */

import assert from "node:assert/strict";
import test from "node:test";
import { Sort } from "../../daemon/pattern_sync/web/static/order.js";
import { rank } from "../../daemon/pattern_sync/web/static/rank.js";
import { entry } from "./support.js";

const first = entry("first", {
  occurrence_count: 78_167,
  estimated_savings_usd: 183_844.06,
  impact_score: 12_214_957_842,
});
const next = entry("next", { impact_score: 2_380_000 });
const close = entry("close", { impact_score: 2_000_000 });
const last = entry("last", { impact_score: 500_000 });
const shown = [first, next, close, last];

/**
 * @param {QueueEntry} selected
 * @param {{ order?: string, narrowed?: boolean }} [options]
 */
function ranked(selected, { order = "impact", narrowed = false } = {}) {
  const list = { narrowed, shown, size: shown.length, index: shown.indexOf.bind(shown) };
  return rank(list, selected, new Sort(order));
}

test("an entry says its place, what makes its impact, and how far it is ahead", () => {
  assert.deepEqual(ranked(first), {
    place: "No. 1 of 4 by impact",
    rule: "85 % × 78,167 × 183,844.06 USD = 12.2B, 5,132 times the next one",
  });
  assert.equal(ranked(next).rule, "85 % × 10 × 1,000.00 USD = 2.38M");
  assert.match(ranked(close).rule, /, 4\.0 times the next one$/u);
  assert.equal(ranked(last).place, "No. 4 of 4 by impact");
});

test("there is no place by impact in another order, in a search, and out of the list", () => {
  assert.equal(ranked(first, { order: "savings" }).place, "");
  assert.equal(ranked(first, { order: "-impact" }).place, "");
  assert.equal(ranked(first, { narrowed: true }).place, "");
  assert.deepEqual(ranked(entry("elsewhere")), { place: "", rule: "85 % × 10 × 1,000.00 USD = 8.5K" });
});
