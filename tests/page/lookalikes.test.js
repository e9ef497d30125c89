import assert from "node:assert/strict";
import test from "node:test";
import { Lookalikes } from "../../daemon/pattern_sync/web/static/lookalikes.js";
import { nameSigns } from "../../daemon/pattern_sync/web/static/name-signs.js";
import { entry } from "./support.js";

/** @param {...string} names */
function list(...names) {
  const held = new Map(names.map((name) => [name, entry(name)]));
  const store = {
    get names() {
      return held.keys();
    },
    get: held.get.bind(held),
  };
  const lookalikes = new Lookalikes({ store });
  lookalikes.refresh();
  return { lookalikes, held };
}

test("names that look alike are found in both directions", () => {
  const { lookalikes } = list("test:pytest", "t\u0435st:pytest", "te\u200bst:pytest", "test:pytost", "lint:eslint");
  assert.deepEqual(lookalikes.of("test:pytest"), ["te\u200bst:pytest", "t\u0435st:pytest"]);
  assert.deepEqual(lookalikes.of("t\u0435st:pytest"), ["test:pytest", "te\u200bst:pytest"]);
  assert.deepEqual(lookalikes.of("te\u200bst:pytest"), ["test:pytest", "t\u0435st:pytest"]);
  assert.deepEqual(lookalikes.of("test:pytost"), []);
});

test("a name that is not in the list is compared with those that are", () => {
  const { lookalikes } = list("test:pytest");
  assert.deepEqual(lookalikes.of("TEST:pytest"), ["test:pytest"]);
});

test("at most three are named", () => {
  const { lookalikes } = list("a:b", "A:b", "a:B", "A:B", "\u0430:b");
  assert.equal(lookalikes.of("a:b").length, 3);
});

test("what leaves the list is not named any more, and what comes is", () => {
  const { lookalikes, held } = list("a:b", "A:b");
  held.delete("A:b");
  lookalikes.refresh();
  assert.deepEqual(lookalikes.of("a:b"), []);
  held.set("a:B", entry("a:B"));
  lookalikes.refresh();
  assert.deepEqual(lookalikes.of("a:b"), ["a:B"]);
  held.delete("a:B");
  held.set("other", entry("other"));
  lookalikes.refresh();
  assert.deepEqual(lookalikes.of("a:b"), []);
});

test("a row is told in short and in words what is odd about its name", () => {
  assert.deepEqual(nameSigns("test:pytest", []), []);
  assert.deepEqual(nameSigns("t\u0435st", ["test"]), [
    { short: "mixed letters", words: "mixes alphabets: \u0435 (U+0435)" },
    { short: "look-alike", words: "looks like “test”" },
  ]);
  assert.deepEqual(nameSigns("a\u200bb ", []), [{ short: "unseen characters", words: "holds unseen characters" }]);
});
