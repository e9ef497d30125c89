/**
 * @import { QueueEntry } from "wire"
 * @import { ApiError } from "./api-error.js"
 */

import { capital, count, decided, money, percent, visible } from "./format.js";

/** @typedef {"approve" | "reject" | "comment"} Action */

/**
 * @typedef {object} Words
 * @property {string} title
 * @property {string} button
 * @property {string} label of the text
 * @property {string} [needed] shown when there is no text; absent where none is needed
 */

/** @type {Record<Action, Words>} */
export const ACTIONS = {
  approve: { title: "Approve pattern", button: "Approve", label: "Notes (optional)" },
  reject: {
    title: "Reject pattern",
    button: "Reject",
    label: "Reason",
    needed: "Enter a reason: it is kept in the history.",
  },
  comment: { title: "Comment on pattern", button: "Comment", label: "Comment", needed: "Enter a comment." },
};

const DONE = { approve: "approved", reject: "rejected" };
const KEPT = "What you typed is kept.";

/**
 * " instead" where an action replaces a decision.
 * @param {QueueEntry} entry
 * @param {Action} action
 */
export function insteadText({ status }, action) {
  return action !== "comment" && status !== "pending" ? " instead" : "";
}

/**
 * "9,000.00 USD a month · 120 occurrences · 85 % confidence"
 * @param {QueueEntry} entry
 */
export function figures(entry) {
  return [
    `${money(entry.estimated_savings_usd)} a month`,
    `${count(entry.occurrence_count)} occurrences`,
    `${percent(entry.confidence_score)} confidence`,
  ].join(" · ");
}

/**
 * Whether an action can be undone.
 * @param {QueueEntry} entry
 * @param {Action} action
 */
export function undoText(entry, action) {
  if (action === "comment") return "A comment cannot be deleted.";
  if (entry.status === "pending") return "It can be undone for seven days.";
  return `This replaces a decision: ${decided(entry)}. Both stay in the history.`;
}

/**
 * What happened to an entry while its dialog was open.
 * @param {QueueEntry | null} entry null when it was removed
 */
export function newsText(entry) {
  return entry ? `Meanwhile: ${decided(entry)}.` : "Meanwhile, the entry was removed from the queue.";
}

/**
 * What a person can do when an action is no longer possible.
 * @param {QueueEntry | null} entry
 * @param {Action} action
 */
export function wayOut(entry, action) {
  const replaceable =
    entry !== null && action !== "comment" && entry.status !== "pending" && !entry.status.endsWith(DONE[action]);
  const hint = `To replace that decision, close this and choose “${ACTIONS[action].button} instead…”. `;
  return `${replaceable ? hint : ""}${KEPT}`;
}

/**
 * Why an action was refused for good.
 * @param {ApiError} fault
 * @param {Action} action
 */
export function refusalText({ status, message, entry }, action) {
  // A conflict without an entry is the database's refusal; its message already includes that nothing was written.
  const nothing = status === 409 && !entry ? "" : " Nothing was changed.";
  return `${sentence(message)}${nothing} ${wayOut(entry, action)}`;
}

/**
 * Why an action failed, perhaps only for now.
 * @param {ApiError} fault
 * @param {Action} action
 */
export function faultText({ status, message, inDoubt }, action) {
  if (status === 503) return `${sentence(message)} Nothing was recorded. ${KEPT}`;
  if (!inDoubt) return `${sentence(message)} ${KEPT}`;
  const unknown =
    action === "comment"
      ? "It is not known whether the comment was recorded: look at the history before you send it again."
      : "It is not known whether the decision was recorded: sending it again does no harm.";
  return `${sentence(message)} ${unknown} ${KEPT}`;
}

/**
 * What the queue holds after a decision whose outcome is not known, if it shows nothing of it.
 * @param {QueueEntry} entry
 */
export function stillText({ status }) {
  return `A moment later, the queue still showed the entry as ${status}.`;
}

/**
 * The toast after an action was recorded: "Approved “sdlc:full:all”".
 * @param {QueueEntry} entry
 * @param {Action} action
 * @param {{ said: string, recorded: string | null }} names what the page said, and what the daemon recorded
 */
export function recordedText(entry, action, { said, recorded }) {
  const word = action === "comment" ? "Commented on" : capital(DONE[action]);
  const another = recorded === null || recorded === said ? "" : ` as ${visible(recorded)}`;
  return `${word} ${quoted(entry)}${another}`;
}

/**
 * "“sdlc:full:all”"
 * @param {QueueEntry} entry
 */
export function quoted({ pattern_id: patternId }) {
  return `“${visible(patternId)}”`;
}

/**
 * Why nothing was sent: somebody else has signed in since the dialog was opened.
 * @param {string} name "" where nobody has
 */
export function renamedText(name) {
  const now = name ? `You are signed in as ${visible(name)} now` : "You are not signed in any more";
  const way = name ? "Confirm again to record it in that name." : "";
  return [`${now}. Nothing was sent.`, way, KEPT].filter(Boolean).join(" ");
}

/**
 * The daemon's messages may or may not end in a full stop.
 * @param {string} text
 */
function sentence(text) {
  return /[.!?…]$/u.test(text) ? text : `${text}.`;
}
