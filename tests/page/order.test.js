import assert from "node:assert/strict";
import test from "node:test";
import { ORDER_NAMES, Sort } from "../../daemon/pattern_sync/web/static/order.js";
import { entry, ids } from "./support.js";

const early = entry("early", { created_at: "2026-11-23T06:43:27Z", occurrence_count: 3, confidence_score: 0.9 });
const late = entry("late", { created_at: "2026-11-23T06:43:27.5Z", occurrence_count: 1, estimated_savings_usd: 5 });
const never = entry("never", { created_at: null, occurrence_count: 2, impact_score: 9e9 });
const all = [late, never, early];

/** @param {string} sort */
function sorted(sort) {
  const order = new Sort(sort);
  return ids(all.toSorted((one, other) => order.compare(one, other)));
}

test("each order begins with what is looked for, and the other way round with the opposite", () => {
  assert.deepEqual(sorted("impact"), ["never", "early", "late"]);
  assert.deepEqual(sorted("occurrences"), ["early", "never", "late"]);
  assert.deepEqual(sorted("-occurrences"), ["late", "never", "early"]);
  assert.deepEqual(sorted("confidence"), ["early", "late", "never"], "names decide between equals");
  assert.deepEqual(sorted("-savings"), ["late", "early", "never"]);
  assert.deepEqual(sorted("name"), ["early", "late", "never"]);
  assert.deepEqual(sorted("-name"), ["never", "late", "early"]);
});

test("what has no figure comes last in either direction", () => {
  assert.deepEqual(sorted("queued"), ["late", "early", "never"]);
  assert.deepEqual(sorted("-queued"), ["early", "late", "never"]);
  assert.deepEqual(sorted("reviewed"), ["early", "late", "never"]);
});

test("an order reads back as it was written, and what is none counts as the usual one", () => {
  for (const name of ORDER_NAMES) {
    for (const text of [name, `-${name}`]) assert.equal(`${new Sort(text)}`, text);
  }
  for (const text of ["", "-", "size", "-size", "toString", "__proto__"]) assert.equal(`${new Sort(text)}`, "impact");
});

test("an order says what comes first", () => {
  assert.equal(new Sort("savings").direction, "largest first");
  assert.equal(new Sort("-savings").direction, "smallest first");
  assert.equal(new Sort("name").direction, "A first");
  assert.equal(new Sort("queued").direction, "newest first");
  assert.equal(new Sort("-queued").direction, "oldest first");
  assert.equal(new Sort("name").rising, true);
  assert.equal(new Sort("-name").rising, false);
  assert.equal(`${new Sort("-name").opposite}`, "name");
});
