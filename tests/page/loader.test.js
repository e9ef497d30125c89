import assert from "node:assert/strict";
import test from "node:test";
import { Loading } from "./fake-loading.js";
import { entry } from "./support.js";

test("every page is asked for in turn, from the place that the one before names", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending");
  assert.equal(loading.loader.busy, true);
  await loading.last.answer([entry("a")], "/second");
  assert.deepEqual(loading.shown, ["a"]);
  await loading.last.answer([entry("b")], "/third");
  assert.equal(loading.store.complete, false);
  await loading.last.answer([entry("c")]);
  assert.deepEqual(
    loading.requests.map(({ status, place, limit }) => [status, place, limit]),
    [
      ["pending", null, 50],
      ["pending", "/second", undefined],
      ["pending", "/third", undefined],
    ],
    "what fills the screen comes first",
  );
  assert.deepEqual(loading.shown, ["a", "b", "c"]);
  assert.equal(loading.loader.busy, false);
  assert.deepEqual(loading.reports, ["progressed", "progressed", "progressed", "progressed", "finished "]);
});

test("an empty view is complete after one page", async (context) => {
  const loading = new Loading(context);
  await loading.loadOnce();
  assert.equal(loading.store.complete, true);
  assert.equal(loading.outcome, "finished ");
});

test("reloads that are asked for during a load become one, after a pause", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending");
  for (let times = 0; times < 5; times += 1) loading.loader.reload();
  await loading.last.answer([entry("a")]);
  await loading.clock.advance(1.9);
  assert.equal(loading.requests.length, 1);
  await loading.clock.advance(0.1);
  assert.equal(loading.requests.length, 2);
  await loading.last.answer([entry("a"), entry("b")]);
  await loading.clock.advance(60);
  assert.equal(loading.requests.length, 2);
  assert.equal(loading.outcome, "finished b");
});

test("a reload comes at once where the last load began long ago, and replaces what is shown when it is complete", async (context) => {
  const loading = new Loading(context);
  await loading.loadOnce("old", "kept");
  await loading.clock.advance(30);
  loading.loader.reload();
  await loading.clock.advance(0);
  await loading.last.answer([entry("kept")], "/second");
  assert.deepEqual(loading.shown, ["kept", "old"]);
  await loading.last.answer([entry("new")]);
  assert.deepEqual(loading.shown, ["kept", "new"]);
  assert.equal(loading.outcome, "finished new");
});

test("a flood of reloads loads once in two seconds", async (context) => {
  const loading = new Loading(context);
  await loading.loadOnce("a");
  for (let times = 0; times < 100; times += 1) {
    loading.loader.reload();
    await loading.clock.advance(0.1);
    if (loading.loader.busy) await loading.last.answer([entry("a")]);
  }
  assert.equal(loading.requests.length, 6, "one at first, and five in ten seconds");
});

test("what a person asks for again is asked without a pause, and once", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending");
  await loading.last.refuse(403);
  loading.loader.retry();
  loading.loader.retry();
  assert.equal(loading.requests.length, 2);
  await loading.last.answer([entry("a")]);
  assert.deepEqual(loading.shown, ["a"]);
  await loading.clock.advance(60);
  assert.equal(loading.requests.length, 2);
});

test("an outage keeps what has come, and is tried again until it is over", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending");
  await loading.last.answer([entry("a")], "/second");
  await loading.last.refuse(0);
  assert.equal(loading.outcome, "failed refused true");
  assert.deepEqual(loading.shown, ["a"]);
  assert.equal(loading.loader.busy, false);
  assert.equal(loading.store.loading, 0);
  for (const status of [503, 500, 0]) {
    await loading.clock.advance(5);
    assert.equal(loading.last.place, null, "from the first page");
    await loading.last.refuse(status);
    assert.equal(loading.outcome, "failed refused true");
  }
  await loading.clock.advance(5);
  await loading.last.answer([entry("b")]);
  assert.deepEqual(loading.shown, ["b"]);
  assert.equal(loading.store.complete, true);
});

test("a refusal is not tried again by itself", async (context) => {
  for (const status of [400, 401, 403, 404, 422]) {
    const { mock } = context;
    mock.reset();
    const loading = new Loading(context);
    loading.loader.show("pending");
    await loading.last.refuse(status);
    assert.equal(loading.outcome, "failed refused false");
    await loading.clock.advance(60);
    assert.equal(loading.requests.length, 1);
  }
});

test("a refusal is tried again where a reload was asked for meanwhile", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending");
  loading.loader.reload();
  await loading.last.refuse(403);
  assert.equal(loading.outcome, "failed refused true");
  await loading.clock.advance(5);
  assert.equal(loading.requests.length, 2);
});

test("the failure of a reload leaves a complete list complete", async (context) => {
  const loading = new Loading(context);
  await loading.loadOnce("a");
  loading.loader.retry();
  await loading.last.answer([entry("b")], "/second");
  await loading.last.refuse(503);
  assert.deepEqual(loading.shown, ["a"]);
  assert.equal(loading.store.complete, true);
});

test("another view takes the place of a load under way, whose answer is of no use any more", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending");
  const outdated = loading.last;
  loading.loader.reload();
  loading.loader.show("approved");
  assert.equal(outdated.signal.aborted, true);
  await loading.last.answer([entry("right", { status: "approved" })], "/second");
  await outdated.answer([entry("wrong")], "/wrong");
  assert.equal(loading.last.place, "/second");
  await loading.last.answer([]);
  assert.deepEqual(loading.shown, ["right"]);
  await loading.clock.advance(60);
  assert.equal(loading.requests.length, 3, "and what was asked of the old view is forgotten");
});

test("the failure of a load that was replaced is nobody's business", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending");
  const outdated = loading.last;
  loading.loader.show("rejected");
  await outdated.fail(new DOMException("aborted", "AbortError"));
  assert.ok(!loading.reports.some((report) => report.startsWith("failed")));
  assert.equal(loading.loader.busy, true);
  await loading.last.answer([]);
  assert.equal(loading.outcome, "finished ");
});

test("a retry that waits is not made beside a load that was begun meanwhile", async (context) => {
  const loading = new Loading(context);
  loading.loader.show("pending");
  await loading.last.refuse(503);
  loading.loader.show("approved");
  await loading.clock.advance(5);
  assert.equal(loading.requests.length, 2);
  assert.equal(loading.last.status, "approved");
});

test("a bug is shown like a failure, goes to the console, and is not tried again", async (context) => {
  const loading = new Loading(context);
  const reported = context.mock.fn();
  Object.assign(globalThis, { reportError: reported });
  loading.loader.show("pending");
  const bug = new TypeError("x is undefined");
  await loading.last.fail(bug);
  assert.equal(loading.outcome, "failed This is a bug in the page: TypeError: x is undefined. false");
  assert.deepEqual(reported.mock.calls[0]?.arguments, [bug]);
  await loading.clock.advance(60);
  assert.equal(loading.requests.length, 1);
});
