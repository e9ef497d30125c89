/**
 * @import { Batch, Disagreement, LoggedDecision, RuleInFull, RuleMark, Trial } from "wire"
 */

import { build } from "./dom.js";
import { money, plural, reviewerText, time, visible } from "./format.js";
import { logItem } from "./log-item.js";
import { commandsOf, eventText, pendingText, trialText, unlistedText, whyText } from "./rule-texts.js";

/**
 * What is known of a rule that is opened.
 * @typedef {object} Known
 * @property {RuleInFull} view
 * @property {Trial} trial
 * @property {Batch[]} batches that it has decided lately
 * @property {LoggedDecision[]} decisions
 */

const MOST_MARKS = 50;

/**
 * A rule's trial, with what is wrong first, what it is about to decide and has decided, and how to switch it.
 * @param {Known} known
 * @param {(batchId: number, what: string) => Promise<void>} undo
 */
export function ruleDetails({ view, trial: { trial }, batches, decisions }, undo) {
  const { rule, about } = view;
  return [
    ...[...trial.alarms, ...trial.never].map((text) => build("p", { className: "notice alarm" }, visible(text))),
    build("h4", {}, "Tried on what people decided"),
    build("p", {}, trialText(trial)),
    ...(trial.disagreements.length > 0 ? [disagreementsTable(rule.name, trial.disagreements)] : []),
    build("p", { className: "soft" }, unlistedText(trial)),
    build("h4", {}, "What is pending"),
    build("p", {}, pendingText(trial)),
    ...markedList(about.marks),
    build("h4", {}, "Decided within seven days"),
    ...decidedList(batches, decisions, undo),
    ...eventList(view),
    build("h4", {}, "Switch it"),
    build(
      "p",
      {},
      "This page does not switch rules. In a shell whoever has the database’s password does; over HTTP it takes the " +
        "administrators’ token. Trying it, objecting and undoing takes no more than reading does.",
    ),
    build(
      "dl",
      { className: "commands" },
      ...commandsOf(rule).flatMap(({ does, command }) => [
        build("dt", {}, build("code", {}, command)),
        build("dd", {}, does),
      ]),
    ),
  ];
}

/**
 * @param {string} name
 * @param {Disagreement[]} disagreements
 */
function disagreementsTable(name, disagreements) {
  const head = ["Pattern", "Worth a month", "Decided by", "On", "Why"];
  const table = build(
    "table",
    {},
    build("thead", {}, build("tr", {}, ...head.map((text) => build("th", { scope: "col" }, text)))),
    build("tbody", {}, ...disagreements.map(disagreementRow)),
  );
  const frame = build(
    "div",
    { className: "tab-table", role: "region", ariaLabel: `Decided otherwise than by ${name}` },
    table,
  );
  frame.tabIndex = 0;
  return frame;
}

/** @param {Disagreement} disagreement */
function disagreementRow(disagreement) {
  const { pattern_id: patternId, savings_usd: usd, reviewer, decided_at: at } = disagreement;
  return build(
    "tr",
    {},
    build("th", { scope: "row" }, patternButton(patternId)),
    build("td", {}, money(usd)),
    build("td", {}, build("bdi", {}, reviewerText(reviewer) || "–")),
    build("td", {}, time(at)),
    build("td", {}, build("bdi", {}, whyText(disagreement))),
  );
}

/** @param {RuleMark[]} marks */
function markedList(marks) {
  if (marks.length === 0) return [];
  const items = marks
    .slice(0, MOST_MARKS)
    .map(({ pattern_id: patternId, due_at: due }) =>
      build("li", {}, patternButton(patternId), due === null ? "" : ` ${time(due)}`),
    );
  const more = marks.length > MOST_MARKS ? [`${plural(marks.length - MOST_MARKS, "more pattern")}.`] : [];
  return [
    build("ul", { className: "rule-marks", ariaLabel: "Marked" }, ...items),
    ...more.map((text) => build("p", { className: "soft" }, text)),
  ];
}

/**
 * @param {Batch[]} batches
 * @param {LoggedDecision[]} decisions
 * @param {(batchId: number, what: string) => Promise<void>} undo
 */
function decidedList(batches, decisions, undo) {
  if (batches.length === 0) return [build("p", {}, "Nothing.")];
  const items = batches.map((batch) => logItem(batch, decisions, undo));
  return [build("ul", { className: "log", ariaLabel: "Decided by it" }, ...items)];
}

/** @param {RuleInFull} view */
function eventList({ about: { events } }) {
  // What it decided is above.
  const others = events.filter(({ act }) => act !== "decided");
  if (others.length === 0) return [];
  const items = others.map((event) =>
    build("li", {}, build("span", { className: "soft" }, `${time(event.at)} `), build("bdi", {}, eventText(event))),
  );
  return [build("h4", {}, "What else happened"), build("ul", { className: "events" }, ...items)];
}

/** @param {string} patternId */
function patternButton(patternId) {
  const button = build("button", { type: "button", className: "quiet" }, build("bdi", {}, visible(patternId)));
  button.dataset.patternId = patternId;
  return button;
}
