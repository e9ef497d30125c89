/** @import { QueueEntry } from "wire" */

import assert from "node:assert/strict";
import test from "node:test";
import { Sort } from "../../daemon/pattern_sync/web/static/order.js";
import { Store } from "../../daemon/pattern_sync/web/static/store.js";
import { entry, ids } from "./support.js";

/**
 * A store that holds the beginning of a long list.
 * @param {QueueEntry[]} entries
 * @param {number} total
 */
function begun(entries, total) {
  const store = new Store();
  store.lengthen();
  store.beginLoad();
  store.addPage(entries);
  store.finishLoad({ partial: true, total });
  return store;
}

/** @param {number} impact */
function ranked(impact) {
  return entry(`i${impact}`, { impact_score: impact });
}

test("of a long list the beginning is held, and what comes before its end joins it", () => {
  const store = begun([ranked(9), ranked(7), ranked(5)], 200_000);
  assert.equal(store.settled, true);
  assert.equal(store.complete, false);
  assert.equal(store.total, 200_000);
  store.apply("i8", ranked(8));
  store.apply("i1", ranked(1));
  assert.deepEqual(ids(store.shown), ["i9", "i8", "i7", "i5"]);
  store.apply("i7", entry("i7", { impact_score: 2 }));
  assert.deepEqual(ids(store.shown), ["i9", "i8", "i5"], "it is further down now");
  store.apply("i9", entry("i9", { status: "approved" }));
  assert.deepEqual(ids(store.shown), ["i8", "i5"]);
});

test("a long list goes on behind what is held, and what was announced meanwhile is there once", () => {
  const store = begun([ranked(9), ranked(7)], 5);
  store.beginLoad({ more: true });
  store.apply("i5", entry("i5", { impact_score: 5, occurrence_count: 99 }));
  store.apply("i1", ranked(1));
  store.apply("i6", entry("i6", { status: "rejected" }));
  assert.deepEqual(ids(store.shown), ["i9", "i7"]);
  store.addPage([ranked(6), ranked(5), ranked(4)]);
  assert.deepEqual(ids(store.shown), ["i9", "i7"], "nothing moves before the page is whole");
  assert.deepEqual(store.finishLoad({ partial: true, total: 5 }), []);
  assert.deepEqual(ids(store.shown), ["i9", "i7", "i5", "i4"], "i1 is behind the new end");
  assert.equal(store.get("i5")?.occurrence_count, 99);
  store.beginLoad({ more: true });
  store.addPage([ranked(1)]);
  store.finishLoad({ partial: false, total: 5 });
  assert.equal(store.complete, true);
  assert.equal(store.total, 5);
});

test("of what the daemon has found or grouped, only the daemon can tell what belongs to it", () => {
  const store = begun([ranked(9), ranked(7)], 3);
  assert.equal(store.apply("i8", ranked(8)).unsure, false);
  store.search("type:test");
  assert.deepEqual(store.apply("new", entry("new")), { appeared: false, unsure: true });
  assert.equal(store.get("new"), undefined);
  assert.equal(store.apply("i9", entry("i9", { impact_score: 10 })).unsure, true);
  assert.equal(store.get("i9")?.impact_score, 10);
  assert.equal(store.apply("i9", entry("i9", { status: "approved" })).unsure, false);
  assert.equal(store.get("i9"), undefined);

  const group = new Store();
  group.reset("pending", { by: "kind", key: "sdlc:full" });
  group.beginLoad();
  group.addPage([ranked(1)]);
  group.finishLoad();
  assert.deepEqual(group.apply("new", entry("new")), { appeared: false, unsure: true });
  assert.deepEqual(ids(group.shown), ["i1"]);
});

test("a long view is asked for as it is shown, a short one as a whole", () => {
  const store = new Store();
  store.sort(new Sort("-savings"));
  store.search(" lint ");
  store.filterType("sdlc");
  assert.deepEqual(store.listing, { status: "pending", group: null });
  store.lengthen();
  const asked = { status: "pending", group: null, sort: "-savings", snoozed: "hide", q: 'lint type:"sdlc"' };
  assert.deepEqual(store.listing, asked);
  store.search("");
  store.filterType(null);
  store.switchAsleep();
  assert.deepEqual(store.listing, { status: "pending", group: null, sort: "-savings", snoozed: "only" });
});

test("the size and the savings of a long view are those of the statistics, without those that are snoozed", () => {
  const store = begun([ranked(9), ranked(7)], 2000);
  assert.equal(store.size, 2000);
  assert.equal(store.totalSavings, null);
  assert.equal(store.share(ranked(9)), null);
  store.learn({ entries: 2100, savings: 100_000 });
  store.learn({ others: 90, types: [["sdlc", 2100]] });
  assert.equal(store.size, 2010);
  assert.equal(store.total, 2010);
  assert.equal(store.others, 90);
  assert.equal(store.share(ranked(9)), 0.01);
  assert.equal(store.shownSavings, 100_000);
  assert.deepEqual(store.types, [["sdlc", 2100]]);
  store.search("lint");
  assert.deepEqual([store.current, store.total], [false, null], "the daemon has not answered yet");
  store.beginLoad();
  store.addPage([ranked(9)]);
  store.finishLoad({ partial: true, total: 700 });
  assert.deepEqual([store.current, store.total], [true, 700]);
  assert.equal(store.size, 2010);
  assert.equal(store.shownSavings, null);
});

test("a share of a group's entry is one of the whole queue", () => {
  const store = new Store();
  store.reset("pending", { by: "kind", key: "sdlc:full" });
  store.beginLoad();
  store.addPage([ranked(1)]);
  store.finishLoad();
  assert.equal(store.share(ranked(1)), null);
  store.learn({ entries: 40, savings: 10_000 });
  assert.equal(store.share(ranked(1)), 0.1);
  assert.equal(store.totalSavings, 1000);
  assert.equal(store.queueSavings, 10_000);
  assert.equal(store.size, 1);
});
