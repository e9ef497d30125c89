/**
 * @import { UndoneBatch } from "wire"
 * @import { ApiError } from "./api-error.js"
 */

import { count, plural } from "./format.js";

/** Why a decision of a batch stays, in the order in which it is told. */
const REASONS = {
  touched: "decided again since",
  "gone-on": "taken further by somebody",
  busy: "locked by somebody: try again",
  unknown: "not there any more",
  refused: "refused by the database",
};

/**
 * "“sdlc:full:all” is as it was before", "34 of 37 are as they were before; 2 decided again since, 1 locked …"
 * @param {string} name of what was decided, as a toast says it
 * @param {UndoneBatch} answer
 */
export function undoneText(name, { undone, counts, outcomes }) {
  const left = Object.entries(REASONS).flatMap(([outcome, reason]) => {
    const number = counts[/** @type {keyof typeof REASONS} */ (outcome)] ?? 0;
    return number > 0 ? [{ number, reason }] : [];
  });
  const [first] = left;
  if (!first) return outcomes.length === 1 ? `${name} is undone.` : `${plural(undone, "decision")} undone.`;
  if (outcomes.length === 1) return `Not undone: ${name} is ${first.reason}.`;
  const stays = left.map(({ number, reason }) => `${count(number)} ${reason}`).join(", ");
  return `${count(undone)} of ${plural(outcomes.length, "decision")} undone; ${stays}.`;
}

/** @param {ApiError} fault */
export function undoFaultText({ message, inDoubt }) {
  const unknown = " It is not known whether it was undone: trying again does no harm.";
  return `Not undone. ${message}${inDoubt ? unknown : ""}`;
}
