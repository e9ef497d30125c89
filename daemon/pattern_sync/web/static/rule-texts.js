/** @import { Disagreement, RuleCounts, RuleEvent, RuleShown, RuleState, RuleTerms, RuleTrial, VetoOutcome } from "wire" */

import { capital, count, money, plural, reviewerText, share, visible } from "./format.js";

const DONE = { approve: "approved", reject: "rejected" };

/**
 * What a rule decides: "Approves confidence at least 90 %; savings at most 500 USD a month."
 * @param {Pick<RuleShown, "terms" | "bounds">} rule
 */
export function termsText({ terms: { verdict }, bounds }) {
  return `${verdict === "approve" ? "Approves" : "Rejects"}: ${visible(bounds)}.`;
}

/** @param {RuleTerms} terms */
export function guardsText({ wait_hours: hours, per_day: most, check_share: checked, agreement }) {
  const guards = [
    `${plural(hours, "hour")} to object`,
    `at most ${count(most)} a day`,
    `${share(checked)} left to people`,
    `people have to agree in ${share(agreement)}`,
  ];
  return `${capital(guards.join(", "))}.`;
}

/**
 * What a rule does now, and has done.
 * @param {RuleCounts} counts
 */
export function didText(counts) {
  const { marked, left_as_checks: left, decided, decided_today: today, vetoed, taken_back: back } = counts;
  if (marked + left + decided + vetoed + back === 0) return "It has marked and decided nothing.";
  const sentences = [
    `${count(marked)} marked now, ${count(left)} left to people as checks.`,
    `${count(decided)} decided, ${count(today)} of them within 24 hours; ${count(vetoed)} objected to, ${count(back)} taken back.`,
  ];
  if (counts.checks_judged > 0) {
    sentences.push(
      `Of ${plural(counts.checks_judged, "check")}, people decided ${count(counts.checks_agreed)} likewise.`,
    );
  }
  return sentences.join(" ");
}

/**
 * What a rule would have decided, and what people decided instead.
 * @param {RuleTrial} trial
 */
export function trialText({ rule, measured: { decided, fitting, agreed, largest_usd: largest } }) {
  const would = `It would have ${DONE[rule.terms.verdict]} ${count(fitting)} of ${plural(decided, "pattern")} that people decided`;
  if (fitting === 0) return `${would}.`;
  const worth = largest === null ? "" : `, the largest worth ${money(largest)} a month`;
  return `${would}${worth}. People decided ${count(agreed)} of them likewise, ${count(fitting - agreed)} otherwise.`;
}

/** @param {RuleTrial} trial */
export function pendingText({ rule, pending, fitting_pending: fitting, fitting_savings_usd: usd }) {
  const of = `Of ${count(pending)} pending ${pending === 1 ? "entry" : "entries"} it would decide ${count(fitting)}`;
  if (fitting === 0) return `${of}.`;
  return `${of}, worth ${money(usd)} a month; ${share(rule.terms.check_share)} of them are left to people.`;
}

/**
 * How many disagreements there are beside those that are listed; "" for none.
 * @param {RuleTrial} trial
 */
export function unlistedText({ measured: { fitting, agreed }, disagreements }) {
  const others = fitting - agreed - disagreements.length;
  return others > 0 ? `${count(others)} more, worth less, are not listed.` : "";
}

/**
 * Why a person decided otherwise, without the prefix that the application's readers expect before a reason.
 * @param {Pick<Disagreement, "reason">} disagreement
 */
export function whyText({ reason }) {
  return visible((reason ?? "").replace(/^REJECTED: ?/u, "")) || "–";
}

/**
 * What is typed in a shell to have a rule do something else.
 * @param {Pick<RuleShown, "name" | "state">} rule
 * @returns {{ does: string, command: string }[]}
 */
export function commandsOf({ name, state }) {
  /** @type {Record<RuleState, string[]>} */
  const sensible = {
    off: ["watch"],
    watching: ["on", "off"],
    on: ["watch", "off", "revert"],
    paused: ["on", "off", "revert"],
  };
  /** @type {Record<string, string>} */
  const does = {
    watch: "mark what it would decide, and decide nothing",
    on: "decide; refused until people agree",
    off: "do nothing",
    revert: "take back all it decided in seven days",
  };
  return sensible[state].map((act) => ({ does: does[act] ?? "", command: `pattern-sync rules ${act} ${name}` }));
}

/**
 * Something in the life of a rule: "ann objected to “test:pytest:a”: it is in use"
 * @param {RuleEvent} event
 */
export function eventText({ act, version, pattern_id: patternId, reviewer, reason }) {
  const who = reviewerText(reviewer) || "Somebody";
  const name = `“${visible(patternId)}”`;
  const why = reason ? `: ${visible(reason)}` : "";
  switch (act) {
    case "vetoed":
      return `${who} objected to ${name}${why}`;
    case "reverted":
      return `${who} took ${name} back${why}`;
    case "decided":
      return `Version ${count(version)} decided ${name}`;
    case "paused":
      return `Paused${why}`;
    default:
      return `${who} switched version ${count(version)} to ${act}`;
  }
}

/**
 * What came of an objection, and what that means.
 * @param {string} name in quotation marks
 * @param {VetoOutcome} outcome
 */
export function objectedText(name, outcome) {
  return outcome === "taken-back"
    ? `Objected: what a rule had decided of ${name} is taken back, and no rule ever decides it again.`
    : `Objected: ${name} waits for a person, and no rule ever decides it.`;
}
