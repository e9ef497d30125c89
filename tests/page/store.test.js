/** @import { QueueEntry } from "wire" */

import assert from "node:assert/strict";
import test from "node:test";
import { Sort } from "../../daemon/pattern_sync/web/static/order.js";
import { Store } from "../../daemon/pattern_sync/web/static/store.js";
import { entry, ids } from "./support.js";

/** @param {...QueueEntry} entries */
function loaded(...entries) {
  const store = new Store();
  store.beginLoad();
  store.addPage(entries);
  store.finishLoad();
  return store;
}

test("most impact comes first, and the ids decide between equals", () => {
  const mixed = [
    entry("b", { impact_score: 5 }),
    entry("a", { impact_score: 5 }),
    entry("none", { impact_score: 0 }),
    entry("below", { impact_score: -1 }),
    entry("best", { impact_score: 1e30 }),
  ];
  assert.deepEqual(ids(loaded(...mixed).shown), ["best", "a", "b", "none", "below"]);
});

test("another order shows the same entries, and finds each where it is", () => {
  const store = loaded(entry("a", { occurrence_count: 1 }), entry("b", { occurrence_count: 3 }), entry("c"));
  store.sort(new Sort("-occurrences"));
  assert.deepEqual(ids(store.shown), ["a", "b", "c"]);
  store.apply("d", entry("d", { occurrence_count: 2 }));
  assert.deepEqual(ids(store.shown), ["a", "d", "b", "c"]);
  for (const [index, shown] of store.shown.entries()) assert.equal(store.index(shown), index);
});

test("the pages of a first load are shown as they come", () => {
  const store = new Store();
  store.beginLoad();
  store.addPage([entry("a")]);
  assert.deepEqual(ids(store.shown), ["a"]);
  assert.equal(store.loading, 1);
  assert.equal(store.complete, false);
  store.addPage([entry("b")]);
  assert.deepEqual(ids(store.shown), ["a", "b"]);
  assert.deepEqual(store.finishLoad(), [], "nothing is new to a view that nobody has seen");
  assert.equal(store.loading, 0);
  assert.equal(store.complete, true);
});

test("a view that was complete stays as it is until it has been loaded again", () => {
  const store = loaded(entry("kept"), entry("gone"));
  store.beginLoad();
  store.addPage([entry("kept", { occurrence_count: 99 }), entry("new")]);
  assert.deepEqual(ids(store.shown), ["gone", "kept"]);
  assert.equal(store.get("kept")?.occurrence_count, 10);
  assert.deepEqual(store.finishLoad(), ["new"]);
  assert.deepEqual(ids(store.shown), ["kept", "new"]);
  assert.equal(store.get("kept")?.occurrence_count, 99);
});

test("a change that was announced during a load is newer than its pages", () => {
  const store = loaded(entry("changed"), entry("removed"), entry("decided"));
  store.beginLoad();
  store.apply("changed", entry("changed", { occurrence_count: 99 }));
  store.apply("removed", null);
  store.apply("decided", entry("decided", { status: "approved" }));
  store.addPage([entry("changed"), entry("removed"), entry("decided")]);
  store.finishLoad();
  assert.deepEqual(ids(store.shown), ["changed"]);
  assert.equal(store.get("changed")?.occurrence_count, 99);
  assert.equal(store.get("removed"), undefined);
});

test("a change that was announced after its page is taken, too", () => {
  const store = new Store();
  store.beginLoad();
  store.addPage([entry("changed"), entry("removed")]);
  store.apply("changed", entry("changed", { occurrence_count: 99 }));
  store.apply("removed", null);
  store.apply("new", entry("new"));
  store.finishLoad();
  assert.deepEqual(ids(store.shown), ["changed", "new"]);
  assert.equal(store.get("changed")?.occurrence_count, 99);
});

test("an entry that moves to a later page while the pages are read is there once, with its newest figures", () => {
  const store = new Store();
  store.beginLoad();
  store.addPage([entry("mover", { impact_score: 9 }), entry("b", { impact_score: 8 })]);
  store.addPage([entry("mover", { impact_score: 1 }), entry("c", { impact_score: 0 })]);
  store.finishLoad();
  assert.deepEqual(ids(store.shown), ["b", "mover", "c"]);
  assert.equal(store.get("mover")?.impact_score, 1);
});

test("what was announced during a load of a complete view is not new a second time", () => {
  const store = loaded();
  store.beginLoad();
  assert.equal(store.apply("announced", entry("announced")).appeared, true);
  store.addPage([entry("announced"), entry("unheard")]);
  assert.deepEqual(store.finishLoad(), ["unheard"]);
});

test("a load that is given up leaves what is shown", () => {
  const first = new Store();
  first.beginLoad();
  first.addPage([entry("a")]);
  first.abandonLoad();
  assert.deepEqual(ids(first.shown), ["a"]);
  assert.equal(first.complete, false);

  const again = loaded(entry("a"));
  again.beginLoad();
  again.addPage([entry("b")]);
  again.abandonLoad();
  assert.equal(again.loading, 0);
  assert.deepEqual(ids(again.shown), ["a"]);
  assert.equal(again.complete, true);
});

test("what a failed first load left behind goes with the next one", () => {
  const store = new Store();
  store.beginLoad();
  store.addPage([entry("decided meanwhile"), entry("still there")]);
  store.abandonLoad();
  store.beginLoad();
  store.addPage([entry("still there")]);
  store.finishLoad();
  assert.deepEqual(ids(store.shown), ["still there"]);
});

test("only an entry that was not in the view is new to it", () => {
  const store = loaded(entry("known"));
  assert.equal(store.apply("new", entry("new")).appeared, true);
  assert.equal(store.apply("known", entry("known", { occurrence_count: 11 })).appeared, false);
  assert.equal(store.apply("elsewhere", entry("elsewhere", { status: "rejected" })).appeared, false);
  assert.equal(store.apply("never there", null).appeared, false);
  assert.deepEqual(ids(store.shown), ["known", "new"]);
});

test("an entry leaves its view with its status, and comes to the one of the new status", () => {
  const store = new Store();
  store.reset("approved");
  store.beginLoad();
  store.finishLoad();
  assert.deepEqual(store.shown, []);
  assert.equal(store.apply("a", entry("a", { status: "approved" })).appeared, true);
  assert.deepEqual(ids(store.shown), ["a"]);
  assert.equal(store.apply("a", entry("a", { status: "rejected" })).appeared, false);
  assert.deepEqual(store.shown, []);
  assert.equal(store.size, 0);
});

test("another view starts empty, and what was asked for the old one finds no load", () => {
  const store = loaded(entry("a"));
  assert.deepEqual(ids(store.shown), ["a"]);
  store.beginLoad();
  store.reset("rejected");
  assert.equal(store.view, "rejected");
  assert.deepEqual(store.shown, []);
  assert.equal(store.size, 0);
  assert.equal(store.complete, false);
  assert.throws(() => store.addPage([entry("late")]), /No load has begun/u);
  assert.equal(store.size, 0);
});

test("a search finds every word anywhere in signature, tools and context, in whatever case", () => {
  const store = loaded(
    entry("sdlc:alpha", { pattern_context: "Ship it", tool_sequence: "Read" }),
    entry("sdlc:beta", { pattern_context: null, tool_sequence: "Grep" }),
    entry("docs:gamma", { pattern_context: "ship the NOTES", tool_sequence: "Write" }),
  );
  /** @type {[string, string[]][]} */
  const searches = [
    ["BETA", ["sdlc:beta"]],
    ["grep", ["sdlc:beta"]],
    ["  ship\tsdlc ", ["sdlc:alpha"]],
    ["ship", ["docs:gamma", "sdlc:alpha"]],
    ["null", []],
    ["10", []],
    ["", ["docs:gamma", "sdlc:alpha", "sdlc:beta"]],
  ];
  for (const [text, found] of searches) {
    store.search(text);
    assert.deepEqual(ids(store.shown), found, text);
    assert.equal(store.narrowed, text.trim() !== "");
    assert.equal(store.size, 3);
  }
});

test("a search finds a letter however its accent is encoded", () => {
  const store = loaded(entry("caf\u00e9"), entry("re\u0301sume\u0301"));
  store.search("CAFE\u0301");
  assert.deepEqual(ids(store.shown), ["café"]);
  store.search("r\u00e9sum\u00e9");
  assert.deepEqual(ids(store.shown), ["re\u0301sume\u0301"]);
});

test("a search follows the texts of an entry as they change", () => {
  const store = loaded(entry("a", { pattern_context: "old words" }));
  store.search("new");
  assert.deepEqual(ids(store.shown), []);
  store.apply("a", entry("a", { pattern_context: "new words" }));
  assert.deepEqual(ids(store.shown), ["a"]);
  store.apply("a", entry("a", { pattern_context: "new words", occurrence_count: 11 }));
  assert.equal(store.shown[0]?.occurrence_count, 11);
  store.apply("a", entry("a", { pattern_context: "new words", tool_sequence: "Grep" }));
  store.search("grep");
  assert.deepEqual(ids(store.shown), ["a"]);
});

test("types are counted over the whole view, the most frequent first", () => {
  const store = loaded(entry("test:a"), entry("sdlc:a"), entry("sdlc:b"), entry("docs:a"), entry(":untyped"));
  store.search("nothing like it");
  assert.deepEqual(store.types, [
    ["sdlc", 2],
    ["", 1],
    ["docs", 1],
    ["test", 1],
  ]);
});

test("a type narrows what is shown, even an empty one, together with a search", () => {
  const store = loaded(entry("sdlc:a"), entry("sdlc:b"), entry(":a"));
  assert.deepEqual(ids(store.shown), [":a", "sdlc:a", "sdlc:b"]);
  store.filterType("");
  assert.deepEqual(ids(store.shown), [":a"]);
  store.filterType("sdlc");
  assert.deepEqual(ids(store.shown), ["sdlc:a", "sdlc:b"]);
  store.search("b");
  assert.deepEqual(ids(store.shown), ["sdlc:b"]);
  store.search("");
  store.filterType(null);
  assert.equal(store.narrowed, false);
});

test("what other programs wrote is no pattern's saving", () => {
  const foreign = entry("foreign", { estimated_savings_usd: 1_000_000, impact_score: 9e9, from_pattern: false });
  const ours = entry("ours", { estimated_savings_usd: 750 });
  const small = entry("small", { estimated_savings_usd: 250 });
  const store = loaded(foreign, ours, small);
  assert.equal(store.totalSavings, 1000);
  assert.equal(store.foreign, 1);
  assert.equal(store.share(ours), 0.75);
  assert.equal(store.share(foreign), null);
  assert.equal(store.proportion(ours), 1);
  assert.equal(store.proportion(foreign), 0);
  store.search("small");
  assert.equal(store.shownSavings, 250);
  assert.equal(store.totalSavings, 1000);
});

test("a share is not known before everything is loaded, of what is elsewhere, or where there are no savings", () => {
  const store = new Store();
  const one = entry("one");
  store.beginLoad();
  store.addPage([one]);
  assert.equal(store.share(one), null);
  store.finishLoad();
  assert.equal(store.share(one), 1);
  assert.equal(store.share(entry("elsewhere")), null);
  const worthless = entry("worthless", { estimated_savings_usd: 0 });
  assert.equal(loaded(worthless).share(worthless), null);
});

test("a bar is never longer than the whole and never below nothing", () => {
  const loss = entry("loss", { impact_score: -500 });
  const gain = entry("gain", { impact_score: 500 });
  assert.equal(loaded(loss, gain).proportion(loss), 0);
  assert.equal(loaded(loss, gain).proportion(gain), 1);
  assert.equal(loaded(loss).proportion(loss), 0);
  const nothing = entry("nothing", { impact_score: 0 });
  assert.equal(loaded(nothing).proportion(nothing), 0);
});

test("an entry has a place among those shown whether it is there or not", () => {
  const first = entry("a", { impact_score: 9 });
  const last = entry("c", { impact_score: 1 });
  const store = loaded(first, last);
  const between = entry("b", { impact_score: 5 });
  assert.equal(store.position(between), 1);
  assert.equal(store.index(between), -1);
  assert.equal(store.index(first), 0);
  assert.equal(store.index(last), 1);
  const behind = entry("z", { impact_score: 0 });
  assert.equal(store.position(behind), 2);
  assert.equal(store.index(behind), -1);
  store.search("c");
  assert.equal(store.index(first), -1);
  assert.equal(store.index(last), 0);
});

test("every one of many entries is found where it is", () => {
  const entries = Array.from({ length: 1000 }, (_, number) => entry(`p${number}`, { impact_score: number % 37 }));
  const store = loaded(...entries);
  for (const [index, shown] of store.shown.entries()) assert.equal(store.index(shown), index);
});
