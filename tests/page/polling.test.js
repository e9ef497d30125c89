import assert from "node:assert/strict";
import test from "node:test";
import { Polling } from "../../daemon/pattern_sync/web/static/polling.js";
import { Clock } from "./support.js";

/** @param {import("node:test").TestContext} context */
function polling(context) {
  const clock = new Clock(context);
  const page = { hidden: false, looks: 0 };
  Object.defineProperty(globalThis, "document", { configurable: true, value: page });
  const parts = new Polling({
    look: () => {
      page.looks += 1;
    },
  });
  return { clock, page, parts };
}

test("a page that polls looks at once, and five seconds after each look", async (context) => {
  const { clock, page, parts } = polling(context);
  parts.on = true;
  assert.equal(page.looks, 1);
  await clock.advance(60);
  assert.equal(page.looks, 1, "one look at a time");
  parts.looked(0.1);
  await clock.advance(4.9);
  assert.equal(page.looks, 1);
  await clock.advance(0.2);
  assert.equal(page.looks, 2);
});

test("a long list is looked at less often", async (context) => {
  const { clock, page, parts } = polling(context);
  parts.on = true;
  parts.looked(1);
  await clock.advance(19);
  assert.equal(page.looks, 1);
  await clock.advance(2);
  assert.equal(page.looks, 2);
});

test("a page that nobody sees does not look, and looks soon after it is seen", async (context) => {
  const { clock, page, parts } = polling(context);
  page.hidden = true;
  parts.on = true;
  await clock.advance(60);
  assert.equal(page.looks, 0);
  page.hidden = false;
  await clock.advance(5);
  assert.equal(page.looks, 1);
});

test("a page that is live does not look", async (context) => {
  const { clock, page, parts } = polling(context);
  parts.looked(0.1);
  await clock.advance(60);
  assert.equal(page.looks, 0);
  parts.on = true;
  parts.looked(0.1);
  parts.on = false;
  parts.looked(0.1);
  await clock.advance(60);
  assert.equal(page.looks, 1);
});
