import assert from "node:assert/strict";
import test from "node:test";
import { readAddress } from "../../daemon/pattern_sync/web/static/address.js";
import { visit } from "./support.js";

const USUAL = { view: "pending", query: "", sort: "impact", pattern: null };

/** @param {string} hash */
function read(hash) {
  visit(`http://daemon.test:8002/${hash}`);
  return readAddress();
}

test("an address names a list and a pattern of it", () => {
  assert.deepEqual(read(""), USUAL);
  assert.deepEqual(read("#pattern=a%26b%3D1"), { ...USUAL, pattern: "a&b=1" });
  assert.deepEqual(read("#view=auto-approved&q=type%3Atest%20-lint&sort=-savings&pattern=a"), {
    view: "auto-approved",
    query: "type:test -lint",
    sort: "-savings",
    pattern: "a",
  });
});

test("what an address says without sense is not said", () => {
  for (const hash of ["#", "#&&=", "#view=everything", "#pattern=", "#q=%", "#pattern", "#nobody=knows", "#list"]) {
    assert.deepEqual(read(hash), USUAL, hash);
  }
  assert.deepEqual(read("#pattern=a+b=c"), { ...USUAL, pattern: "a+b=c" });
});
