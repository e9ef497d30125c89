import assert from "node:assert/strict";
import test from "node:test";
import { Census, typesOf } from "../../daemon/pattern_sync/web/static/census.js";
import { Store } from "../../daemon/pattern_sync/web/static/store.js";
import { settle } from "./support.js";

test("the types of kinds are counted, the most frequent first, without those that cannot be searched for", () => {
  const kinds = [
    { key: "sdlc:full", count: 3 },
    { key: "test:unit", count: 5 },
    { key: "sdlc:fix", count: 4 },
    { key: "", count: 1 },
    { key: ":a", count: 1 },
    { key: 'say "hi":a', count: 1 },
    { key: "fix", count: 5 },
  ];
  assert.deepEqual(typesOf(kinds), [
    ["sdlc", 7],
    ["fix", 5],
    ["test", 5],
  ]);
});

test("what surrounds a long view is learnt once, and what fails leaves the rest", async () => {
  const store = new Store();
  let asked = 0;
  let changes = 0;
  const census = new Census({
    api: {
      page: ({ snoozed, limit }) => {
        asked += 1;
        assert.deepEqual([snoozed, limit], ["only", 1]);
        return Promise.resolve({ entries: [], next: null, total: 7 });
      },
      groups: () => Promise.reject(new Error("not now")),
    },
    store,
    changed: () => {
      changes += 1;
    },
  });
  census.take();
  assert.equal(asked, 0, "a short view holds everything");
  store.lengthen();
  census.take();
  census.take();
  await settle();
  assert.deepEqual([asked, changes, store.others], [1, 1, 7]);
  census.forget();
  census.take();
  assert.equal(asked, 2);
});
