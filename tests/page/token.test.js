import assert from "node:assert/strict";
import test from "node:test";
import { Daemon, faultOf } from "./fake-daemon.js";
import { settle } from "./support.js";

test("the token is sent as bytes, whatever its letters", async (context) => {
  const daemon = new Daemon(context);
  for (const token of ["plain", "ÿþ", "šifra 🔑"]) {
    daemon.token = token;
    await daemon.api.statistics();
    const header = daemon.sent.at(-1)?.headers.Authorization ?? "";
    assert.equal(Buffer.from(header, "latin1").toString(), `Bearer ${token}`);
    assert.ok(new Headers({ Authorization: header }), "a browser takes it");
  }
});

test("who has no token is asked for one, and the same request goes on", async (context) => {
  const daemon = new Daemon(context);
  daemon.requireToken("right");
  daemon.giveTokens("right");
  await daemon.api.statistics();
  assert.deepEqual(daemon.asked, [false]);
  assert.equal(daemon.sent.length, 2);
  assert.equal(daemon.sent[0]?.path, daemon.sent[1]?.path);
});

test("a decision waits for the token and is sent again as it was", async (context) => {
  const daemon = new Daemon(context);
  daemon.requireToken("right");
  daemon.giveTokens("right");
  await daemon.api.reject("a", { reason: "a one-off", replaces: "pending" }, "key");
  assert.deepEqual(daemon.sent[1]?.body, { reason: "a one-off", replaces: "pending" });
});

test("a wrong token is said to be wrong, again and again", async (context) => {
  const daemon = new Daemon(context);
  daemon.requireToken("right");
  daemon.giveTokens("wrong", "wrong too", "right");
  await daemon.api.statistics();
  assert.deepEqual(daemon.asked, [false, true, true]);
  assert.equal(daemon.sent.length, 4);
});

test("a person who gives no token gets the daemon's refusal", async (context) => {
  const daemon = new Daemon(context);
  daemon.requireToken("right");
  const { status, message } = await faultOf(daemon.api.statistics());
  assert.deepEqual([status, message], [401, "The API token is wrong."]);
  assert.deepEqual(daemon.asked, [false]);
});

test("one question serves every request that waits for a token", async (context) => {
  const daemon = new Daemon(context);
  /** @type {() => void} */
  let enter = () => assert.fail("nobody was asked");
  daemon.requireToken("right");
  daemon.person = () =>
    new Promise((resolve) => {
      enter = () => {
        daemon.token = "right";
        resolve(true);
      };
    });
  const requests = Promise.all([daemon.api.statistics(), daemon.api.entry("a"), daemon.api.entry("b")]);
  await settle();
  assert.deepEqual(daemon.asked, [false]);
  enter();
  await requests;
  assert.equal(daemon.sent.length, 6);
  assert.deepEqual(daemon.asked, [false]);
});

test("a request that was refused with the old token is sent again with the new one, without a question", async (context) => {
  const daemon = new Daemon(context);
  /** @type {(response: Response) => void} */
  let refuse = () => assert.fail("nothing was sent");
  daemon.token = "old";
  daemon.answer = () =>
    new Promise((resolve) => {
      refuse = resolve;
    });
  const slow = daemon.api.statistics();
  daemon.token = "new";
  daemon.requireToken("new");
  refuse(Response.json({ detail: "The API token is wrong." }, { status: 401 }));
  await slow;
  assert.deepEqual(daemon.asked, []);
  assert.equal(daemon.sent.length, 2);
});

test("a question that was declined may be asked again by the next request", async (context) => {
  const daemon = new Daemon(context);
  daemon.requireToken("right");
  await faultOf(daemon.api.statistics());
  daemon.giveTokens("right");
  await daemon.api.statistics();
  assert.deepEqual(daemon.asked, [false, false]);
});
