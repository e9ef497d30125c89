/** @import { Batch, LoggedDecision } from "wire" */

import { build } from "./dom.js";
import { capital, count, money, plural, reviewerText, time, visible } from "./format.js";

const NAMED = 3;

/**
 * A batch with its patterns, and the way back where there is one.
 * @param {Batch} batch
 * @param {LoggedDecision[]} all of which some are the batch's
 * @param {(batchId: number, what: string) => Promise<void>} undo
 */
export function logItem(batch, all, undo) {
  const { id, decision, reviewer, reason, decided_at: decidedAt, items, undone_by: undoneBy, undoable } = batch;
  const decisions = all.filter(({ batch_id: batchId }) => batchId === id);
  const names = decisions.slice(0, NAMED).map(({ pattern_id: patternId }) => visible(patternId));
  const more = items > names.length && names.length > 0 ? ` and ${count(items - names.length)} more` : "";
  const what = items === 1 && names[0] ? `“${names[0]}”` : plural(items, "pattern");
  const savings = decisions.reduce((sum, { savings_usd: usd }) => sum + (usd ?? 0), 0);
  const worth = decisions.length === items ? ` · ${money(savings)} a month` : "";
  const done = `${capital(visible(decision))} ${what}`;
  const item = build(
    "li",
    {},
    build("p", {}, build("b", {}, done), worth),
    build("p", { className: "soft" }, "by ", build("bdi", {}, reviewerText(reviewer)), `, ${time(decidedAt)}`),
  );
  if (items > 1 && names.length > 0) item.append(build("p", { className: "soft" }, `${names.join(", ")}${more}`));
  if (reason) item.append(build("p", { className: "prose", dir: "auto" }, visible(reason)));
  if (undoneBy) item.append(build("p", { className: "soft" }, `Undone by ${reviewerText(undoneBy)}.`));
  if (undoable) item.append(undoButton(done, () => undo(id, what)));
  return item;
}

/**
 * @param {string} done
 * @param {() => Promise<void>} undo
 */
function undoButton(done, undo) {
  const button = build("button", { type: "button", className: "small", ariaLabel: `Undo: ${done}` }, "Undo");
  button.addEventListener("click", () => {
    button.disabled = true;
    undo();
  });
  return button;
}
