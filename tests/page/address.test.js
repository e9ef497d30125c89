import assert from "node:assert/strict";
import test from "node:test";
import { readAddress } from "../../daemon/pattern_sync/web/static/address.js";
import { visit } from "./support.js";

const USUAL = {
  view: "pending",
  grouping: null,
  key: null,
  query: "",
  sort: "impact",
  pattern: null,
  tab: "list",
  rule: null,
};

/** @param {string} hash */
function read(hash) {
  visit(`http://daemon.test:8002/${hash}`);
  return readAddress();
}

test("an address names a list and a pattern of it", () => {
  assert.deepEqual(read(""), USUAL);
  assert.deepEqual(read("#pattern=a%26b%3D1"), { ...USUAL, pattern: "a&b=1" });
  assert.deepEqual(read("#view=auto-approved&q=type%3Atest%20-lint&sort=-savings&pattern=a"), {
    ...USUAL,
    view: "auto-approved",
    query: "type:test -lint",
    sort: "-savings",
    pattern: "a",
  });
});

test("an address names a grouping, and the group of it that is opened", () => {
  assert.deepEqual(read("#group=shape"), { ...USUAL, grouping: "shape" });
  assert.deepEqual(read("#group=kind&key=sdlc%3Afull"), { ...USUAL, grouping: "kind", key: "sdlc:full" });
  assert.deepEqual(read("#group=target&key="), { ...USUAL, grouping: "target", key: "" });
  assert.deepEqual(read("#group=colour&key=red"), USUAL);
  assert.deepEqual(read("#key=sdlc"), USUAL);
});

test("what an address says without sense is not said", () => {
  for (const hash of ["#", "#&&=", "#view=everything", "#pattern=", "#q=%", "#pattern", "#nobody=knows", "#list"]) {
    assert.deepEqual(read(hash), USUAL, hash);
  }
  assert.deepEqual(read("#pattern=a+b=c"), { ...USUAL, pattern: "a+b=c" });
});
