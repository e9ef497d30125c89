import assert from "node:assert/strict";
import test from "node:test";
import { similarText } from "../../daemon/pattern_sync/web/static/similar.js";
import { entry } from "./support.js";

test("what is like a pattern is told by its savings and by what is different", () => {
  const other = entry("test:docs", { estimated_savings_usd: 2300 });
  assert.equal(
    similarText(other, [
      { tool: "Read", change: "missing" },
      { tool: "Gr\u200bep", change: "added" },
    ]),
    "test:docs, 2,300.00 USD a month, without Read, with Gr[U+200B]ep",
  );
  assert.equal(similarText(other, []), "test:docs, 2,300.00 USD a month, the same steps");
});
