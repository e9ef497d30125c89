import assert from "node:assert/strict";
import test from "node:test";
import { Loader } from "../../daemon/pattern_sync/web/static/loader.js";
import { Store } from "../../daemon/pattern_sync/web/static/store.js";
import { Daemon, faultOf } from "./fake-daemon.js";
import { Clock, settle } from "./support.js";

const SIGN_IN = "You may have to sign in again: open this page in a new tab, sign in there, and come back to this one.";

/** @param {import("node:test").TestContext} context */
function behindAProxy(context) {
  const daemon = new Daemon(context);
  daemon.strange = true;
  return daemon;
}

test("an answer without the daemon's header is a proxy's, whatever its status and its body", async (context) => {
  const daemon = behindAProxy(context);
  /** @type {[number, string, boolean][]} */
  const answers = [
    [200, "another page", true],
    [401, "401", true],
    [403, "403", true],
    [404, "404", false],
    [407, "407", true],
    [409, "409", false],
    [422, "422", false],
    [429, "429", false],
    [500, "500", false],
    [502, "502", false],
    [503, "503", false],
    [504, "504", false],
    [511, "511", true],
  ];
  for (const [status, named, signsIn] of answers) {
    for (const body of ["<h1>Sign in</h1>", '{"detail": "The API token is wrong.", "entry": null}', "[]", ""]) {
      daemon.answer = () => new Response(body, { status });
      const fault = await faultOf(daemon.api.statistics());
      const advice = signsIn ? ` ${SIGN_IN}` : "";
      assert.equal(fault.message, `A proxy answered in place of the daemon: ${named}.${advice}`);
      assert.deepEqual([fault.status, fault.inDoubt, fault.entry], [0, true, null]);
    }
  }
  assert.deepEqual(daemon.asked, [], "a proxy's 401 asks for no token");
});

test("a redirect is not followed, and is taken for an expired session", async (context) => {
  const daemon = behindAProxy(context);
  daemon.answer = () => {
    const redirect = new Response("", { status: 200 });
    Object.defineProperties(redirect, {
      type: { value: "opaqueredirect" },
      status: { value: 0 },
      ok: { value: false },
    });
    return redirect;
  };
  const { status, message } = await faultOf(daemon.api.statistics());
  assert.deepEqual([status, message], [0, `A proxy answered in place of the daemon: a redirect. ${SIGN_IN}`]);
});

test("the pause that a proxy asks for is kept, within reason", async (context) => {
  const daemon = behindAProxy(context);
  context.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-11-26T08:00:00Z") });
  /** @type {[string, number][]} */
  const pauses = [
    ["30", 30],
    ["0", 0],
    ["86400", 300],
    ["Thu, 26 Nov 2026 08:00:20 GMT", 20],
    ["Thu, 26 Nov 2026 07:00:00 GMT", 0],
    ["soon", 0],
    ["-5", 0],
  ];
  for (const [asked, expected] of pauses) {
    daemon.answer = () => new Response("", { status: 429, headers: { "Retry-After": asked } });
    const { message, waitSeconds } = await faultOf(daemon.api.statistics());
    const pause = expected > 0 ? ` It asks to wait for ${expected} s.` : "";
    assert.deepEqual(
      [message, waitSeconds],
      [`A proxy answered in place of the daemon: 429.${pause}`, expected],
      asked,
    );
  }
});

test("only where nobody knows the outcome is it in doubt", async (context) => {
  const daemon = new Daemon(context);
  for (const status of [400, 401, 403, 404, 409, 422, 503]) {
    daemon.answer = () => Response.json({ detail: "no" }, { status });
    assert.equal((await faultOf(daemon.api.comment("a", { comment: "x" }, "key"))).inDoubt, false, String(status));
  }
  for (const status of [500, 504]) {
    daemon.answer = () => Response.json({ detail: "lost" }, { status });
    assert.equal((await faultOf(daemon.api.comment("a", { comment: "x" }, "key"))).inDoubt, true, String(status));
  }
});

test("the list is not loaded again before the pause that a proxy asked for", async (context) => {
  const clock = new Clock(context);
  const daemon = behindAProxy(context);
  daemon.answer = () => new Response("", { status: 429, headers: { "Retry-After": "30" } });
  const progressed = context.mock.fn();
  const report = {
    lengthened: progressed,
    progressed,
    finished: () => assert.fail("nothing was loaded"),
    failed: context.mock.fn(),
  };
  const loader = new Loader({ api: daemon.api, store: new Store(), report });
  loader.show("pending");
  await settle();
  loader.reload();
  assert.equal(loader.paused, true);
  await clock.advance(29);
  assert.equal(daemon.sent.length, 1);
  await clock.advance(2);
  assert.equal(daemon.sent.length, 2);
});
