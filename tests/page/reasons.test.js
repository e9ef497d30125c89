import assert from "node:assert/strict";
import test from "node:test";
import { Reasons } from "../../daemon/pattern_sync/web/static/reasons.js";

test("the last reason comes first, then the most frequent, then common ones", () => {
  const memory = { reasons: "" };
  const reasons = new Reasons({ memory });
  assert.equal(reasons.last, null);
  assert.ok(reasons.offered.includes("a one-off"));
  for (const reason of ["too small", "noise", "noise", "mine"]) reasons.remember(reason);
  assert.deepEqual(new Reasons({ memory }).offered.slice(0, 4), ["mine", "noise", "too small", "a one-off"]);
  assert.equal(reasons.last, "mine");
  reasons.remember("a one-off");
  assert.equal(reasons.offered.filter((each) => each === "a one-off").length, 1);
});

test("at most nine are offered, and a text for one pattern is not", () => {
  const reasons = new Reasons({ memory: { reasons: "" } });
  for (let number = 0; number < 40; number += 1) reasons.remember(`reason ${number}`);
  assert.equal(reasons.offered.length, 9);
  for (const text of ["", "x".repeat(81), "two\nlines"]) reasons.remember(text);
  assert.equal(reasons.last, "reason 39");
});

test("what somebody else has written to the storage does no harm", () => {
  for (const strange of ["{", "null", "7", '{"text":"a"}', '[null,3,{"text":7,"times":1},{"text":"a"}]']) {
    const reasons = new Reasons({ memory: { reasons: strange } });
    assert.equal(reasons.last, null, strange);
    assert.ok(reasons.offered.length > 0, strange);
  }
});
