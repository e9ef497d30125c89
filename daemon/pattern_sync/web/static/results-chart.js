/**
 * @import { Interval, PatternRoi, RoiWeek } from "wire"
 * @import { Drawing } from "./svg.js"
 */

import { short } from "./format.js";
import { part, px } from "./svg.js";

const HEIGHT = 220;
const LEFT = 48;
const RIGHT = 104;
const TOP = 12;
const BOTTOM = 26;
const LINES = 4;
// Two labels at the end of their lines are legible from here on.
const LABEL_HEIGHT = 15;
const MARK_HEIGHT = 18;
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

/** @typedef {(value: number) => number} Scale from a figure to pixels */

/**
 * What was saved up to each week's end with its band, against what was promised.
 * @param {RoiWeek[]} weeks at least two
 * @param {number} width in pixels
 * @returns {Drawing}
 */
export function weeksChart(weeks, width) {
  const saved = weeks.map(({ saved_usd: usd }) => usd);
  const promised = weeks.map(({ estimated_usd: usd }) => usd);
  const figures = [...saved, ...promised, ...weeks.flatMap(({ saved_range: range }) => bounds(range))];
  const ticks = roundTicks(Math.min(0, ...figures), Math.max(0, ...figures));
  const days = weeks.map(({ until }) => Date.parse(until));
  const x = linear([days[0] ?? 0, days.at(-1) ?? 1], [LEFT, width - RIGHT]);
  const y = linear([ticks[0] ?? 0, ticks.at(-1) ?? 1], [HEIGHT - BOTTOM, TOP]);
  return part(
    "svg",
    { viewBox: `0 0 ${px(width)} ${HEIGHT}`, width: px(width), height: HEIGHT, "aria-hidden": "true" },
    ...ticks.flatMap((tick) => [
      part("line", { class: "grid", x1: LEFT, x2: px(width - RIGHT), y1: px(y(tick)), y2: px(y(tick)) }),
      part("text", { x: LEFT - 8, y: px(y(tick) + 4), "text-anchor": "end" }, short(tick)),
    ]),
    part("text", { x: LEFT, y: HEIGHT - 6 }, dayOf(weeks[0])),
    part("text", { x: px(width - RIGHT), y: HEIGHT - 6, "text-anchor": "end" }, dayOf(weeks.at(-1))),
    ...bandOf(weeks, days, x, y),
    part("path", { class: "promised", d: path(days, promised, x, y) }),
    part("path", { class: "saved", d: path(days, saved, x, y) }),
    ...endLabels(saved.at(-1) ?? 0, promised.at(-1) ?? 0, y, width - RIGHT + 8),
  );
}

/**
 * Where a pattern's share of its promise lies, with its interval; the line is at all of it.
 * @param {Pick<PatternRoi, "share" | "share_range">} pattern
 * @param {Scale} x
 * @param {number} width in pixels
 * @returns {Drawing}
 */
export function shareMark({ share, share_range: range }, x, width) {
  const middle = MARK_HEIGHT / 2;
  const inside = (/** @type {number} */ value) => px(Math.min(width - 4, Math.max(4, x(value))));
  const parts = [part("line", { class: "all", x1: inside(1), x2: inside(1), y1: 1, y2: MARK_HEIGHT - 1 })];
  if (range) {
    const [low, high] = [inside(range.low), inside(range.high)];
    parts.push(part("line", { class: "range", x1: low, x2: high, y1: middle, y2: middle }));
  }
  if (share !== null) {
    parts.push(part("circle", { class: share < 0 ? "loss" : "dot", cx: inside(share), cy: middle, r: 4 }));
  }
  const size = { viewBox: `0 0 ${width} ${MARK_HEIGHT}`, width, height: MARK_HEIGHT };
  return part("svg", { class: "mark", ...size, "aria-hidden": "true" }, ...parts);
}

/**
 * One scale for the shares of several patterns. A share of more than three times the promise is drawn at its edge.
 * @param {Pick<PatternRoi, "share" | "share_range">[]} patterns
 * @param {number} width in pixels
 * @returns {Scale}
 */
export function shareScale(patterns, width) {
  const shares = patterns.flatMap(({ share, share_range: range }) => [share ?? 0, ...bounds(range)]);
  const low = Math.max(-1, Math.min(0, ...shares));
  const high = Math.min(3, Math.max(1.1, ...shares));
  return linear([low, high], [6, width - 6]);
}

/**
 * Round figures from below the smallest to above the largest, 0 among them.
 * @param {number} low
 * @param {number} high
 */
export function roundTicks(low, high) {
  const span = high - low || 1;
  const rough = span / LINES;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const ticks = [];
  for (let tick = Math.floor(low / step); tick <= Math.ceil(high / step); tick += 1) ticks.push(tick * step);
  return ticks.length > 1 ? ticks : [0, step];
}

/**
 * @param {RoiWeek[]} weeks
 * @param {number[]} days
 * @param {Scale} x
 * @param {Scale} y
 */
function bandOf(weeks, days, x, y) {
  const known = weeks.flatMap(({ saved_range: range }, at) => (range ? [{ day: days[at] ?? 0, ...range }] : []));
  if (known.length < 2) return [];
  const points = [
    ...known.map(({ day, high }) => `${px(x(day))},${px(y(high))}`),
    ...known.reverse().map(({ day, low }) => `${px(x(day))},${px(y(low))}`),
  ];
  return [part("polygon", { class: "band", points: points.join(" ") })];
}

/**
 * @param {number[]} days
 * @param {number[]} figures
 * @param {Scale} x
 * @param {Scale} y
 */
function path(days, figures, x, y) {
  return figures.map((figure, at) => `${at === 0 ? "M" : "L"}${px(x(days[at] ?? 0))} ${px(y(figure))}`).join("");
}

/**
 * @param {number} saved
 * @param {number} promised
 * @param {Scale} y
 * @param {number} x
 */
function endLabels(saved, promised, y, x) {
  const [savedAt, promisedAt] = [y(saved), y(promised)];
  const lacking = Math.max(0, LABEL_HEIGHT - Math.abs(savedAt - promisedAt)) / 2;
  const down = savedAt >= promisedAt ? 1 : -1;
  const label = (/** @type {string} */ kind, /** @type {number} */ at, /** @type {string} */ text) =>
    part("text", { class: `${kind}-label`, x: px(x), y: px(Math.min(HEIGHT - BOTTOM, at) + 4) }, text);
  return [
    label("promised", promisedAt - down * lacking, `promised ${short(promised)}`),
    label("saved", savedAt + down * lacking, `saved ${short(saved)}`),
  ];
}

/**
 * @param {[number, number]} from
 * @param {[number, number]} to
 * @returns {Scale}
 */
function linear([low, high], [start, end]) {
  const span = high - low || 1;
  return (value) => start + ((value - low) / span) * (end - start);
}

/** @param {Interval | null} range */
function bounds(range) {
  return range ? [range.low, range.high] : [];
}

/** @param {RoiWeek | undefined} week */
function dayOf(week) {
  return week ? DAY.format(Date.parse(week.until)) : "";
}
