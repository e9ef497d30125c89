/** @import { QueueEntry } from "wire" */

import assert from "node:assert/strict";
import test from "node:test";
import { togetherText } from "../../daemon/pattern_sync/web/static/bulk-texts.js";
import { foldText } from "../../daemon/pattern_sync/web/static/fold.js";
import { otherSide } from "../../daemon/pattern_sync/web/static/folding.js";
import { modelText } from "../../daemon/pattern_sync/web/static/learned.js";
import { likely } from "../../daemon/pattern_sync/web/static/likelihood.js";
import { Sort } from "../../daemon/pattern_sync/web/static/order.js";
import { allText, selectedText } from "../../daemon/pattern_sync/web/static/picks-bar.js";
import { Store } from "../../daemon/pattern_sync/web/static/store.js";
import { entry, evidence, ids } from "./support.js";

/**
 * @param {string} name
 * @param {number | null} likelihood
 * @param {Partial<QueueEntry>} [fields]
 */
function foretold(name, likelihood, fields = {}) {
  return entry(name, {
    likelihood,
    folded: (likelihood ?? 1) < 0.1,
    estimated_savings_usd: 100,
    evidence: evidence({ savings_by_evidence: null }),
    ...fields,
  });
}

const LIKELY = foretold("likely", 0.9);
const SMALL = foretold("small", 0.9, { evidence: evidence({ savings_by_evidence: 1 }) });
const UNLIKELY = foretold("unlikely", 0.2);
const DRAWN = foretold("drawn", 0.05, { folded: false });
const REJECT = foretold("reject", 0.05, { estimated_savings_usd: 90_000 });
const LESS = foretold("less", 0.01);
const NEW = foretold("new", null);
const ALL = [NEW, LESS, REJECT, DRAWN, UNLIKELY, SMALL, LIKELY];
const IN_PLACE = ["likely", "unlikely", "drawn", "small", "new"];

/** @param {{ long?: boolean, total?: number }} [options] */
function folding({ long = false, total = ALL.length } = {}) {
  const store = new Store();
  store.sort(new Sort("expected"));
  if (long) store.lengthen();
  store.beginLoad();
  store.addPage(ALL);
  store.finishLoad({ partial: long, total });
  return store;
}

test("what is expected is the likelihood times what evidence shows, else what is claimed; likely rejects come last", () => {
  const sorted = [...ALL].sort((one, other) => new Sort("expected").compare(one, other));
  assert.deepEqual(ids(sorted), ["likely", "unlikely", "drawn", "small", "reject", "less", "new"]);
  const backwards = [...ALL].sort((one, other) => new Sort("-expected").compare(one, other));
  assert.deepEqual(ids(backwards), ["less", "reject", "small", "drawn", "unlikely", "likely", "new"]);
});

test("likely rejects are folded away in that order, in its natural direction, and nowhere else", () => {
  const store = folding();
  assert.deepEqual(ids(store.shown), IN_PLACE);
  assert.deepEqual([store.size, store.total, store.fold.beside, store.fold.likelyRejects], [7, 5, 2, 2]);
  assert.deepEqual(ids(store.fold.entries), ["reject", "less"]);
  assert.equal(store.index(REJECT), -1);
  for (const order of ["impact", "-expected"]) {
    store.sort(new Sort(order));
    assert.equal(store.shown.length, 7, order);
    assert.equal(store.fold.active, false);
  }
});

test("the fold is opened and closed, and another view or order closes it", () => {
  const store = folding();
  const savings = store.shownSavings;
  store.switchFold();
  assert.deepEqual(ids(store.shown), ["likely", "unlikely", "drawn", "small", "reject", "less", "new"]);
  assert.deepEqual([store.total, store.fold.beside, store.fold.likelyRejects], [7, 0, 2]);
  assert.equal(store.shownSavings, savings, "they are in the sums, folded away or not");
  store.sort(new Sort("impact"));
  store.sort(new Sort("expected"));
  assert.deepEqual(ids(store.shown), IN_PLACE);
  store.switchFold();
  store.reset("pending");
  assert.equal(store.fold.opened, false);
});

test("a search is counted with what it finds in the fold", () => {
  const store = folding();
  store.search("e");
  store.only(new Set(["reject", "likely"]));
  assert.deepEqual([ids(store.shown), store.fold.beside, store.size], [["likely"], 1, 7]);
});

test("a decision takes an entry out of the fold", () => {
  const store = folding();
  store.apply("reject", { ...REJECT, status: "approved" });
  assert.equal(store.fold.likelyRejects, 1);
  assert.equal(store.size, 6);
});

test("of a long list the daemon leaves out what folds away, and then lists it alone", () => {
  const store = folding({ long: true, total: 20_000 });
  assert.equal(store.listing.q, "-likely:reject");
  assert.deepEqual(ids(store.shown), IN_PLACE);
  assert.equal(store.total, 20_000);
  assert.equal(store.fold.likelyRejects, null, "not before the daemon has counted them");
  store.learn({ beside: 300, entries: 20_300 });
  assert.deepEqual([store.size, store.fold.likelyRejects, store.fold.beside], [20_300, 300, 300]);
  store.search("type:test");
  assert.equal(store.listing.q, "type:test -likely:reject");
  store.switchFold();
  assert.equal(store.listing.q, "type:test likely:reject");
  assert.equal(store.fold.alone, true);
  assert.equal(store.apply("reject", REJECT).unsure, true);
});

test("what a long list leaves out is asked for by the other side of its query", () => {
  assert.equal(otherSide("-likely:reject"), "likely:reject");
  assert.equal(otherSide("type:test likely:reject"), "type:test -likely:reject");
});

test("texts say how likely, what is folded away, and what a selection holds", () => {
  assert.equal(likely(LIKELY), "90 % likely");
  assert.equal(likely(REJECT), "likely reject, 5 %");
  assert.equal(likely(NEW), "");
  assert.equal(likely({ likelihood: 0.0999, folded: true }), "likely reject, 9 %");
  assert.equal(likely({ likelihood: 0.0001, folded: true }), "likely reject, under 1 %");
  assert.equal(likely({ likelihood: 0.999, folded: false }), "99 % likely");
  const { fold } = folding();
  assert.equal(foldText(fold, false), "folded away, 90,100.00 USD a month");
  assert.equal(foldText({ ...fold, opened: true }, false), "shown at the end of the list");
  assert.equal(foldText({ ...fold, opened: true, alone: true }, true), "shown alone");
  assert.equal(allText(fold, 5), "All 5 shown, without 2 likely rejects");
  assert.equal(allText({ ...fold, opened: true, beside: 0 }, 7), "All 7 shown, with 2 likely rejects");
  assert.equal(allText({ ...fold, beside: 0 }, 5), "All 5 shown");
  assert.equal(selectedText(2, 12, 0), "2 selected · 12.00 USD a month");
  assert.equal(selectedText(2, 12, 1), "2 selected · 12.00 USD a month · 1 likely reject");
});

test("how learning stands is a sentence, with what the fold costs while there is one", () => {
  const words = "learned from 41 decisions; not better than the base rate yet (z = 1.1; needs 2)";
  const fold = { entries: 12, savings_usd: 1, drawn: 1, tried: 0, lost: 0, lost_share_at_most: 1 };
  assert.equal(
    modelText({ words, shown: false, fold }),
    "Learned from 41 decisions; not better than the base rate yet (z = 1.1; needs 2).",
  );
  assert.match(
    modelText({ words, shown: true, fold }),
    /folds 12 likely rejects away; none was decided in place yet\.$/u,
  );
  const tried = { ...fold, tried: 20, lost: 1, lost_share_at_most: 0.22 };
  assert.match(
    modelText({ words, shown: true, fold: tried }),
    /1 of 20 that were decided in place was approved, so at most 22 % are lost\.$/u,
  );
});

test("a decision on many says how many likely rejects it would approve", () => {
  assert.equal(
    togetherText([LIKELY, REJECT], "approve", null),
    "90,100.00 USD a month together, with 1 likely reject.",
  );
  assert.equal(togetherText([LIKELY, REJECT], "reject", null), "90,100.00 USD a month together.");
});
