import assert from "node:assert/strict";
import test from "node:test";
import { Loading } from "./fake-loading.js";
import { entry } from "./support.js";

/** @param {number} count */
function many(count) {
  return Array.from({ length: count }, (_, index) => entry(`p${index}`, { impact_score: 1e6 - index }));
}

test("of a view that is too long the beginning is loaded, in the order and with the search that are shown", async (context) => {
  const loading = new Loading(context);
  loading.store.search("lint");
  loading.loader.show("pending");
  await loading.last.answer(many(500), "/second", 200_000);
  assert.ok(loading.reports.includes("lengthened"));
  assert.deepEqual(loading.last.listing, {
    status: "pending",
    group: null,
    sort: "impact",
    snoozed: "hide",
    q: "lint",
    limit: 50,
  });
  await loading.last.answer(many(500), "/second", 700);
  assert.equal(loading.outcome, "finished ");
  assert.equal(loading.requests.length, 2);
  assert.equal(loading.store.complete, false);
  assert.equal(loading.store.total, 700);
});

test("a view that is known to be too long is asked for once", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending", null, 5001);
  await loading.last.answer(many(500), "/second", 5001);
  assert.equal(loading.requests.length, 1);
  assert.equal(loading.store.long, true);
  loading.loader.show("approved", null, 5000);
  await loading.last.answer(many(1), null, 1);
  assert.equal(loading.store.long, false);
});

test("in the usual order the first page of a view that turns out to be long is its beginning", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending");
  await loading.last.answer(many(500), "/second", 200_000);
  assert.equal(loading.requests.length, 1);
  assert.equal(loading.store.long, true);
  assert.equal(loading.shown.length, 500);
  loading.loader.more();
  assert.equal(loading.last.place, "/second");
});

test("the short first page of a long list is filled up, so that whole pages are held", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending", null, 9000);
  await loading.last.answer(many(500).slice(0, 50), "/second", 9000);
  const filled = loading.loader.more();
  assert.deepEqual([loading.last.place, loading.last.limit], ["/second", 450]);
  await loading.last.answer(many(500).slice(50), "/third", 9000);
  await filled;
  loading.loader.more();
  assert.deepEqual([loading.last.place, loading.last.limit], ["/third", undefined]);
});

test("a view whose length the daemon does not know yet is not loaded as a whole", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending");
  await loading.last.answer(many(500), "/second", null);
  assert.equal(loading.store.long, true);
});

test("a long list goes on when it is seen to its end, once at a time, until there is no more", async (context) => {
  const loading = new Loading(context);
  await loading.loader.more();
  assert.equal(loading.requests.length, 0);
  loading.loader.show("pending", null, 9000);
  await loading.last.answer(many(2), "/second", 9000);
  const both = Promise.all([loading.loader.more(), loading.loader.more()]);
  assert.equal(loading.requests.length, 2);
  assert.equal(loading.last.place, "/second");
  await loading.last.answer([entry("z", { impact_score: 1 })], null, 3);
  await both;
  assert.deepEqual(loading.shown, ["p0", "p1", "z"]);
  assert.equal(loading.store.complete, true);
  await loading.loader.more();
  assert.equal(loading.requests.length, 2);
});

test("what could not be read on is tried again by a person or after a pause, not by each look at the list", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending", null, 9000);
  await loading.last.answer(many(2), "/second", 9000);
  const more = loading.loader.more();
  await loading.last.refuse(503);
  await more;
  assert.equal(loading.outcome, "failed refused true");
  await loading.loader.more();
  assert.equal(loading.requests.length, 2);
  loading.loader.retry();
  assert.equal(loading.last.place, "/second");
  await loading.last.answer([entry("z", { impact_score: 1 })], null, 3);
  assert.deepEqual(loading.shown, ["p0", "p1", "z"]);
});

test("another part of a long list takes the place of what is shown when it is there, and nothing in it is new", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending", null, 9000);
  await loading.last.answer(many(2), null, 2);
  loading.store.search("other");
  loading.loader.relist();
  assert.deepEqual(loading.shown, ["p0", "p1"]);
  await loading.last.answer([entry("other")], null, 1);
  assert.deepEqual(loading.shown, ["other"]);
  assert.equal(loading.outcome, "finished ");
});

test("a reload of a long list brings as much as is held", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending", null, 9000);
  await loading.last.answer(many(500), "/second", 9000);
  loading.loader.more();
  await loading.last.answer([entry("z", { impact_score: 1 })], "/third", 9000);
  loading.loader.reload();
  await loading.clock.advance(2);
  await loading.last.answer(many(500), "/second", 9000);
  await loading.last.answer([entry("y", { impact_score: 1 })], "/third", 9000);
  assert.equal(loading.requests.length, 4);
  assert.equal(loading.shown.at(-1), "y");
});
