/**
 * @import { KindRoi, PatternRoi, Roi, RoiWeek } from "wire"
 * @import { Api } from "./api.js"
 * @import { Scale } from "./results-chart.js"
 */

import { asApiError } from "./api-error.js";
import { allById, build, byId, closest, findAll } from "./dom.js";
import { count, money, percent, share, time, visible } from "./format.js";
import { shareMark, shareScale, weeksChart } from "./results-chart.js";
import { asideText, bestAndWorst, faultsOf, leftOut, monthText, shareText, summaryOf } from "./results-texts.js";
import { draw } from "./svg.js";

const MARK_WIDTH = 110;
const LEAST_WIDTH = 300;

/** What approved patterns have saved, beside what they promised: a tab. */
export class Results {
  #api;
  #elements = allById(
    "results",
    "results-summary",
    "results-as-of",
    "results-fault",
    "results-fault-text",
    "results-empty",
    "results-body",
    "results-weeks",
    "results-chart",
    "results-week-rows",
    "results-extremes",
    "results-extreme-rows",
    "results-rows",
    "results-kind-rows",
    "results-asides",
  );
  /** @type {RoiWeek[]} */
  #weeks = [];
  #asked = 0;

  /**
   * @param {object} parts
   * @param {Pick<Api, "roi">} parts.api
   * @param {(patternId: string) => void} parts.visit called with the pattern that a person wants to see
   */
  constructor({ api, visit }) {
    this.#api = api;
    byId("results-retry", HTMLButtonElement).addEventListener("click", () => this.#load());
    this.#elements.results.addEventListener("click", (event) => {
      const patternId = closest(event, "[data-result-id]")?.dataset.resultId;
      if (patternId !== undefined) visit(patternId);
    });
    // Wide tables scroll by themselves, also by key.
    for (const table of findAll(this.#elements.results, ".tab-table")) table.tabIndex = 0;
    new ResizeObserver(() => this.#drawChart()).observe(this.#elements["results-chart"]);
  }

  /** Show them as they are now. */
  show() {
    this.#load();
  }

  async #load() {
    this.#asked += 1;
    const turn = this.#asked;
    this.#elements.results.setAttribute("aria-busy", "true");
    try {
      const roi = await this.#api.roi();
      if (turn === this.#asked) this.#show(roi);
    } catch (fault) {
      if (turn === this.#asked) this.#showFault(asApiError(fault).message);
    }
    if (turn === this.#asked) this.#elements.results.setAttribute("aria-busy", "false");
  }

  /** @param {string} message */
  #showFault(message) {
    this.#elements["results-fault"].hidden = false;
    this.#elements["results-fault-text"].textContent = message;
    if (this.#elements["results-body"].hidden) this.#elements["results-summary"].textContent = "";
  }

  /** @param {Roi} roi */
  #show(roi) {
    const { patterns, kinds, weeks, asides, totals, as_of: asOf, remark } = roi;
    const extremes = bestAndWorst(patterns);
    const scale = shareScale(patterns, MARK_WIDTH);
    this.#elements["results-fault"].hidden = true;
    this.#elements["results-summary"].textContent = summaryOf(roi);
    this.#elements["results-as-of"].textContent = [
      `${remark} As of ${time(asOf)}.`,
      ...leftOut(roi),
      ...faultsOf(roi),
    ].join(" ");
    this.#elements["results-empty"].hidden = totals.runs > 0;
    this.#elements["results-body"].hidden = patterns.length === 0;
    this.#elements["results-weeks"].hidden = weeks.length < 2 || totals.runs === 0;
    this.#elements["results-extremes"].hidden = extremes.length === 0;
    this.#fill("results-week-rows", weeks.map(weekRow));
    this.#fill(
      "results-extreme-rows",
      extremes.map((each) => patternRow(each, scale)),
    );
    this.#fill(
      "results-rows",
      patterns.map((each) => patternRow(each, scale)),
    );
    this.#fill("results-kind-rows", kinds.map(kindRow));
    this.#fill(
      "results-asides",
      asides.map((each) => build("li", {}, asideText(each))),
    );
    this.#weeks = weeks;
    this.#drawChart();
  }

  /**
   * @param {"results-week-rows" | "results-extreme-rows" | "results-rows" | "results-kind-rows" | "results-asides"} id
   * @param {HTMLElement[]} rows
   */
  #fill(id, rows) {
    this.#elements[id].replaceChildren(...rows);
  }

  #drawChart() {
    const { "results-chart": chart } = this.#elements;
    if (this.#weeks.length < 2 || chart.clientWidth === 0) return;
    chart.replaceChildren(draw(weeksChart(this.#weeks, Math.max(LEAST_WIDTH, chart.clientWidth))));
  }
}

/** @param {RoiWeek} week */
function weekRow({ until, saved_usd: saved, saved_range: range, estimated_usd: promised }) {
  return row(until, [money(saved), range ? `${money(range.low)} to ${money(range.high)}` : "–", money(promised)]);
}

/**
 * @param {PatternRoi} pattern
 * @param {Scale} scale
 */
function patternRow(pattern, scale) {
  const button = build("button", { type: "button", className: "quiet" }, build("bdi", {}, visible(pattern.pattern_id)));
  button.dataset.resultId = pattern.pattern_id;
  const mark = build("td", { className: "mark-cell" });
  if (pattern.share !== null) mark.append(draw(shareMark(pattern, scale, MARK_WIDTH)), " ");
  mark.append(shareText(pattern));
  const cells = [
    count(pattern.runs),
    money(pattern.saved_usd),
    monthText(pattern),
    money(pattern.estimated_usd),
    mark,
    percent(pattern.success_rate),
    time(pattern.last_run_at).split(",")[0] ?? "",
    pattern.remark,
  ];
  const made = row(button, cells);
  made.className = pattern.flags.join(" ");
  return made;
}

/** @param {KindRoi} kind */
function kindRow({ kind, patterns, measured, saved_usd: saved, share: got, expected_share: expected }) {
  return row(visible(kind), [count(patterns), count(measured), money(saved), share(got), share(expected)]);
}

/**
 * @param {string | HTMLElement} head
 * @param {(string | HTMLTableCellElement)[]} cells
 */
function row(head, cells) {
  return build(
    "tr",
    {},
    build("th", { scope: "row" }, head),
    ...cells.map((cell) => (typeof cell === "string" ? build("td", {}, cell) : cell)),
  );
}
