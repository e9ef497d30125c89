/** @import { PatternRoi, Roi, RoiWeek } from "wire" */
/** @import { Drawing } from "../../daemon/pattern_sync/web/static/svg.js" */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { expectationTexts } from "../../daemon/pattern_sync/web/static/expectation.js";
import { roundTicks, shareMark, shareScale, weeksChart } from "../../daemon/pattern_sync/web/static/results-chart.js";
import {
  asideText,
  bestAndWorst,
  faultsOf,
  leftOut,
  monthText,
  shareText,
  summaryOf,
} from "../../daemon/pattern_sync/web/static/results-texts.js";

/**
 * @param {string} until
 * @param {number} saved
 * @param {number} promised
 * @param {{ low: number, high: number } | null} [range]
 * @returns {RoiWeek}
 */
function week(until, saved, promised, range = null) {
  return { until, saved_usd: saved, saved_range: range, estimated_usd: promised };
}

const WEEKS = [
  week("2026-11-01", 0, 100),
  week("2026-11-08", 120.5, 240, { low: 80, high: 170 }),
  week("2026-11-15", 90, 380, { low: -20, high: 210 }),
  week("2026-11-18", 260, 440, { low: 140, high: 400 }),
];

/**
 * @param {Partial<PatternRoi>} fields
 * @returns {PatternRoi}
 */
function pattern(fields) {
  return {
    pattern_id: "test:pytest:backend",
    kind: "test:pytest",
    status: "approved",
    standing: "measured",
    remark: "It got 41 % of what was promised.",
    approved_at: "2026-10-18T08:00:00Z",
    days: 40,
    estimated_usd: 100,
    expected: null,
    runs: 31,
    saved_usd: 54.67,
    monthly_usd: 41,
    monthly_range: { low: 30, high: 52.5 },
    share: 0.41,
    share_range: { low: 0.3, high: 0.525 },
    success_rate: 0.9,
    tried: 10,
    last_run_at: "2026-11-26T17:12:00Z",
    sources: ["cost_savings_log"],
    flags: [],
    repeated: 0,
    baseline_runs: 0,
    baseline_usd: 0,
    ...fields,
  };
}

/**
 * @param {Drawing | string} drawing
 * @returns {string}
 */
function markup(drawing) {
  if (typeof drawing === "string") return drawing;
  const { name, attributes, children } = drawing;
  const said = Object.entries(attributes).map(([key, value]) => ` ${key}="${value}"`);
  return `<${name}${said.join("")}>${children.map(markup).join("")}</${name}>\n`;
}

/** @param {string} name */
function golden(name) {
  return readFileSync(new URL(`golden/${name}.svg`, import.meta.url), "utf8");
}

test("the weeks are drawn as lines with a band, the same each time", () => {
  assert.equal(markup(weeksChart(WEEKS, 720)), golden("weeks"));
  assert.equal(markup(weeksChart(WEEKS.slice(0, 2), 328)), golden("weeks-narrow"));
});

test("a share is drawn as a dot with its interval, a loss and what is beyond the scale too", () => {
  const patterns = [pattern({}), pattern({ share: -0.2, share_range: { low: -0.6, high: 0.1 } })];
  const scale = shareScale(patterns, 160);
  assert.equal(markup(shareMark(pattern({}), scale, 160)), golden("mark"));
  assert.equal(
    markup(shareMark(pattern({ share: -0.2, share_range: { low: -0.6, high: 0.1 } }), scale, 160)),
    golden("mark-loss"),
  );
  assert.equal(markup(shareMark(pattern({ share: 40, share_range: null }), scale, 160)), golden("mark-beyond"));
});

test("an axis has a few round figures, 0 among them", () => {
  assert.deepEqual(roundTicks(0, 440), [0, 200, 400, 600]);
  assert.deepEqual(roundTicks(-20, 440), [-200, 0, 200, 400, 600]);
  assert.deepEqual(roundTicks(0, 0), [0, 0.25, 0.5, 0.75, 1].slice(0, roundTicks(0, 0).length));
  for (const high of [0.003, 1, 7, 99, 183_844.06, 1e9]) {
    const ticks = roundTicks(0, high);
    assert.ok(ticks.includes(0) && (ticks.at(-1) ?? 0) >= high && ticks.length <= 7, String(high));
  }
});

/** @type {Roi["totals"]} */
const TOTALS = {
  patterns: 9,
  measured: 7,
  too_early: 1,
  not_used: 1,
  runs: 230,
  saved_usd: 1234.5,
  promised_usd: 3000,
  estimated_usd: 2400,
  monthly_usd: 984,
  monthly_range: { low: 700, high: 1300 },
  share: 0.41,
  share_range: { low: 0.29, high: 0.54 },
  success_rate: null,
  last_run_at: null,
};

test("the results are told in sentences, with the interval where there is one", () => {
  const roi = /** @type {Roi} */ ({ totals: TOTALS });
  assert.equal(
    summaryOf(roi),
    "9 approved patterns, 1,234.50 USD saved in 230 runs. The 7 with enough results save 984.00 USD a month, 41 % of " +
      "what they promised, probably 29 % to 54 %. 1 approved, not used: no run in 30 days.",
  );
  const early = { ...TOTALS, not_used: 0, measured: 0, monthly_usd: null, share: null, share_range: null };
  assert.match(summaryOf(/** @type {Roi} */ ({ totals: early })), /Too early/u);
});

test("figures of a pattern have their interval behind them, and nothing where there is none", () => {
  assert.equal(monthText(pattern({})), "41.00 USD (30.00 to 52.50)");
  assert.equal(monthText(pattern({ monthly_usd: null })), "–");
  assert.equal(shareText(pattern({})), "41 % (30 % to 53 %)");
  assert.equal(shareText(pattern({ share: null })), "–");
});

test("what is not counted is told with its amount, and a table that cannot be read with its reason", () => {
  assert.equal(
    asideText({ part: "no-pattern", runs: 1, saved_usd: 2, words: "not of a pattern" }),
    "1 row not of a pattern, 2.00 USD.",
  );
  const sources = [
    { name: "cost_savings_log", runs: 0, fault: "it lacks saved_at" },
    { name: "pattern_executions", runs: 0, fault: "it is missing" },
  ];
  assert.deepEqual(faultsOf(/** @type {Roi} */ ({ sources })), ["cost_savings_log was not read: it lacks saved_at."]);
});

test("patterns that are not listed are counted", () => {
  const roi = /** @type {Roi} */ ({ totals: TOTALS, patterns: [pattern({})] });
  assert.deepEqual(leftOut(roi), ["8 patterns in between are not listed: the CSV of the API has them."]);
  assert.deepEqual(leftOut({ ...roi, totals: { ...TOTALS, patterns: 1 } }), []);
});

test("of many patterns the best and the worst come first, of few none", () => {
  const many = Array.from({ length: 20 }, (_, at) => pattern({ pattern_id: `a:${at}`, share: ((at * 7) % 20) / 10 }));
  const shares = bestAndWorst(many).map(({ share }) => share);
  assert.deepEqual(shares, [1.9, 1.8, 1.7, 1.6, 1.5, 0.4, 0.3, 0.2, 0.1, 0]);
  assert.deepEqual(bestAndWorst(many.slice(0, 5)), []);
});

test("an estimate has beside it what is to be expected, and a pattern that was approved its result", () => {
  const expected = {
    estimated_usd: 100,
    expected_usd: 41,
    share: 0.41,
    kind_share: 0.41,
    patterns: 9,
    words: "9 patterns of this kind got 41 % of what was promised.",
  };
  assert.deepEqual(expectationTexts(pattern({ expected, standing: "undecided", runs: 0 })), {
    expected: "To expect: 41.00 USD a month. 9 patterns of this kind got 41 % of what was promised.",
    result: "",
  });
  assert.equal(expectationTexts(pattern({})).result, "It got 41 % of what was promised. 54.67 USD saved so far.");
});
