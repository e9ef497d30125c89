/** @import { Reviewer } from "wire" */

import assert from "node:assert/strict";
import test from "node:test";
import { Identity } from "../../daemon/pattern_sync/web/static/identity.js";

test("who a person is to the daemon is asked anew, and kept while there is no answer", async () => {
  /** @type {(Reviewer | null)[]} */
  const answers = [
    { name: "ann", fixed: true, detail: null },
    null,
    { name: null, fixed: true, detail: "The header is missing." },
  ];
  const identity = new Identity({
    api: {
      reviewer: async () => answers.shift() ?? Promise.reject(new Error("no answer")),
    },
  });
  assert.deepEqual(identity.known, { name: null, fixed: false, detail: null }, "people name themselves");
  await identity.refresh();
  assert.equal(identity.known.name, "ann");
  await identity.refresh();
  assert.equal(identity.known.name, "ann");
  await identity.refresh();
  assert.deepEqual(identity.known, { name: null, fixed: true, detail: "The header is missing." });
});
