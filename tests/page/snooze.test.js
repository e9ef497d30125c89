import assert from "node:assert/strict";
import test from "node:test";
import { isAsleep, morning } from "../../daemon/pattern_sync/web/static/snooze-texts.js";
import { Store } from "../../daemon/pattern_sync/web/static/store.js";
import { entry, ids } from "./support.js";

const FOR_EVER = { until: null, until_doubled: true, by: "ann", since: "2026-11-26T09:00:00Z", reason: null };

test("tomorrow is the next morning, and next week begins on Monday", () => {
  const thursday = new Date(2026, 10, 26, 17, 30);
  assert.deepEqual(morning(thursday, "tomorrow"), new Date(2026, 10, 27, 9));
  assert.deepEqual(morning(thursday, "week"), new Date(2026, 10, 30, 9));
  assert.deepEqual(morning(new Date(2026, 10, 29), "week"), new Date(2026, 10, 30, 9), "a Sunday");
  assert.deepEqual(morning(new Date(2026, 10, 30), "week"), new Date(2026, 11, 7, 9), "a Monday");
});

test("a snooze ends with its time, whatever was announced", () => {
  const snooze = { ...FOR_EVER, until: "2026-11-27T09:00:00Z" };
  const before = Date.parse("2026-11-27T08:59:59Z");
  assert.equal(isAsleep(entry("a", { snooze }), before), true);
  assert.equal(isAsleep(entry("a", { snooze }), before + 1000), false);
  assert.equal(isAsleep(entry("a", { snooze: FOR_EVER }), before), true);
  assert.equal(isAsleep(entry("a"), before), false);
});

test("the list holds who is awake, or who is asleep", () => {
  const store = new Store();
  store.beginLoad();
  store.addPage([entry("a"), entry("b", { snooze: FOR_EVER }), entry("c")]);
  store.finishLoad();
  assert.deepEqual(ids(store.shown), ["a", "c"]);
  assert.equal(store.others, 1);
  assert.equal(store.apply("a", entry("a", { snooze: FOR_EVER })).appeared, false);
  store.switchAsleep();
  assert.deepEqual(ids(store.shown), ["a", "b"]);
  store.apply("b", entry("b"));
  assert.deepEqual(ids(store.shown), ["a"]);
  store.reset("pending");
  assert.equal(store.asleep, false);
});
