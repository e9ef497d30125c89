/** @import { Action } from "../../daemon/pattern_sync/web/static/decision-texts.js" */

import assert from "node:assert/strict";
import test from "node:test";
import { ApiError } from "../../daemon/pattern_sync/web/static/api-error.js";
import {
  faultText,
  figures,
  insteadText,
  newsText,
  recordedText,
  refusalText,
  renamedText,
  stillText,
  undoText,
  wayOut,
} from "../../daemon/pattern_sync/web/static/decision-texts.js";
import { summary } from "../../daemon/pattern_sync/web/static/overview.js";
import { Store } from "../../daemon/pattern_sync/web/static/store.js";
import { entry } from "./support.js";

const APPROVED = entry("a", { status: "approved", reviewed_by: "bob" });
const KEPT = "What you typed is kept.";

/** @param {...number} savings of as many entries, most impact first */
function saving(...savings) {
  const store = new Store();
  store.beginLoad();
  store.addPage(
    savings.map((usd, place) =>
      entry(`p${place}`, { estimated_savings_usd: usd, impact_score: savings.length - place }),
    ),
  );
  store.finishLoad();
  return store;
}

test("only another decision replaces one", () => {
  /** @type {Action[]} */
  const actions = ["approve", "reject", "comment"];
  assert.deepEqual(
    actions.map((action) => [insteadText(entry("a"), action), insteadText(APPROVED, action)]),
    [
      ["", " instead"],
      ["", " instead"],
      ["", ""],
    ],
  );
});

test("a dialog names the figures, and whether there is a way back", () => {
  assert.equal(figures(entry("a")), "1,000.00 USD a month · 10 occurrences · 85 % confidence");
  assert.equal(undoText(entry("a"), "comment"), "A comment cannot be deleted.");
  assert.equal(undoText(entry("a"), "reject"), "It can be undone for seven days.");
  assert.equal(undoText(APPROVED, "reject"), "This replaces a decision: Approved by bob. Both stay in the history.");
});

test("a decision that another one overtook can be replaced, one that agrees with it need not", () => {
  assert.equal(newsText(APPROVED), "Meanwhile: Approved by bob.");
  assert.equal(newsText(null), "Meanwhile, the entry was removed from the queue.");
  const hint = "To replace that decision, close this and choose “Reject instead…”.";
  assert.equal(wayOut(APPROVED, "reject"), `${hint} ${KEPT}`);
  assert.equal(wayOut(APPROVED, "approve"), KEPT);
  assert.equal(wayOut(entry("a", { status: "auto-approved" }), "approve"), KEPT);
  assert.equal(wayOut(entry("a"), "reject"), KEPT);
  assert.equal(wayOut(APPROVED, "comment"), KEPT);
  assert.equal(wayOut(null, "reject"), KEPT);
});

test("a refusal says that nothing was changed, unless the daemon did", () => {
  const faster = new ApiError(409, "it was approved by bob", { entry: APPROVED });
  const hint = "To replace that decision, close this and choose “Reject instead…”.";
  assert.equal(refusalText(faster, "reject"), `it was approved by bob. Nothing was changed. ${hint} ${KEPT}`);
  const keptOut = new ApiError(409, "The application kept it out; nothing was written.");
  assert.equal(refusalText(keptOut, "reject"), `The application kept it out; nothing was written. ${KEPT}`);
  const gone = new ApiError(404, "no such entry");
  assert.equal(refusalText(gone, "comment"), `no such entry. Nothing was changed. ${KEPT}`);
});

test("a fault says what is known of the decision", () => {
  assert.equal(
    faultText(new ApiError(0, "The daemon cannot be reached."), "approve"),
    "The daemon cannot be reached. It is not known whether the decision was recorded: sending it again does no harm." +
      ` ${KEPT}`,
  );
  assert.match(faultText(new ApiError(0, "No answer."), "comment"), /look at the history before you send it again/u);
  assert.equal(
    faultText(new ApiError(503, "The database cannot be used now"), "approve"),
    `The database cannot be used now. Nothing was recorded. ${KEPT}`,
  );
  assert.match(
    faultText(new ApiError(504, "The database was lost."), "reject"),
    /^The database was lost\. It is not known/u,
  );
  assert.equal(faultText(new ApiError(422, "reviewer: too long!"), "approve"), `reviewer: too long! ${KEPT}`);
});

test("after a decision in doubt, the page says what the queue shows", () => {
  assert.equal(stillText(APPROVED), "A moment later, the queue still showed the entry as approved.");
});

test("what was recorded is named on one line", () => {
  const names = { said: "ann", recorded: "ann" };
  assert.equal(recordedText(entry("a\nb"), "approve", names), "Approved “a↵b”");
  assert.equal(recordedText(entry("a"), "reject", names), "Rejected “a”");
  assert.equal(recordedText(entry("a"), "comment", names), "Commented on “a”");
  assert.equal(recordedText(entry("a"), "comment", { said: "", recorded: null }), "Commented on “a”");
  assert.equal(recordedText(entry("a"), "reject", { said: "ann", recorded: "bob" }), "Rejected “a” as bob");
});

test("where another person has signed in meanwhile, nothing is sent in that name unasked", () => {
  assert.equal(
    renamedText("bob"),
    `You are signed in as bob now. Nothing was sent. Confirm again to record it in that name. ${KEPT}`,
  );
  assert.equal(renamedText(""), `You are not signed in any more. Nothing was sent. ${KEPT}`);
});

test("nothing is claimed of a view before it is complete", () => {
  const store = new Store();
  store.beginLoad();
  store.addPage([entry("a")]);
  assert.deepEqual(summary(store), { figure: "", text: "", more: "" });
});

test("a view is summed up by its number, its savings and how few hold most of them", () => {
  const store = saving(900, 50, 30, 15, 5);
  assert.deepEqual(summary(store), {
    figure: "5 patterns",
    text: "wait for a decision, 1,000.00 USD a month in all.",
    more: "The first one holds 90 % of the value.",
  });
  store.search("p1");
  assert.equal(summary(store).more, "", "of a part of the view that would be wrong");
  assert.equal(summary(saving(500, 400, 50, 30, 20)).more, "The first 2 hold 90 % of the value.");
  assert.equal(summary(saving(900, 50, 30, 20)).more, "", "too few to compare");
  assert.equal(summary(saving(0, 0, 0, 0, 0)).more, "");
});

test("a single pattern is singular, and an empty view has nothing to sum up", () => {
  assert.equal(summary(saving(5)).figure, "1 pattern");
  assert.match(summary(saving(5)).text, /^waits for a decision, /u);
  assert.deepEqual(summary(saving()), { figure: "", text: "Select a pattern to see its details here.", more: "" });
});

test("entries of other programs are named beside the savings that leave them out", () => {
  const store = saving(700);
  store.apply("foreign", entry("foreign", { estimated_savings_usd: 1_000_000, from_pattern: false }));
  assert.equal(
    summary(store).text,
    "wait for a decision, 700.00 USD a month in all, not counting 1 written by other programs.",
  );
});
