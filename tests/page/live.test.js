import assert from "node:assert/strict";
import test from "node:test";
import { Connection } from "./fake-socket.js";
import { visit } from "./support.js";

test("the connection leads to where the page came from, encrypted where the page is", (context) => {
  const { live, sockets } = new Connection(context);
  visit("https://review.example/some/where?x=1#pattern=a");
  live.connect();
  assert.deepEqual(
    sockets.map(({ url }) => url),
    ["ws://daemon.test:8002/api/v1/ws/patterns", "wss://review.example/some/api/v1/ws/patterns"],
  );
});

test("the token goes along as a subprotocol that every token fits in", (context) => {
  const connection = new Connection(context);
  assert.deepEqual(connection.socket.protocols, ["pattern-sync.v1"]);
  for (const token of ["plain-token", "ÿþ?>~", "šifra → 🔑"]) {
    connection.token = token;
    connection.live.connect();
    const [protocol, bearer = ""] = connection.socket.protocols;
    assert.equal(protocol, "pattern-sync.v1");
    assert.match(bearer, /^bearer\.[\w-]+$/u);
    assert.equal(Buffer.from(bearer.slice("bearer.".length), "base64url").toString(), token);
  }
});

test("a page is live when it has the state of the queue, not before", (context) => {
  const connection = new Connection(context);
  assert.equal(connection.live.state, "connecting");
  connection.socket.send("heartbeat");
  assert.equal(connection.live.state, "connecting");
  connection.socket.send("state", "changes", "heartbeat", "state");
  assert.deepEqual(connection.states, ["live"], "and reports each state once");
  assert.deepEqual(connection.received, ["heartbeat", "state", "changes", "heartbeat", "state"]);
});

test("the daemon's outage is not the connection's, and ends with the next state", (context) => {
  const connection = new Connection(context);
  connection.socket.send("state", "outage", "heartbeat", "outage", "state");
  assert.deepEqual(connection.states, ["live", "outage", "live"]);
  assert.equal(connection.sockets.length, 1);
});

test("a connection that is not answered within ten seconds is given up", async (context) => {
  const connection = new Connection(context);
  await connection.clock.advance(9.9);
  assert.equal(connection.socket.closed, false);
  await connection.clock.advance(0.1);
  assert.equal(connection.socket.closed, true);
  assert.deepEqual(connection.states, ["reconnecting"]);
  await connection.clock.advance(0.5);
  assert.equal(connection.sockets.length, 2);
});

test("a silent connection is given up after two heartbeats and some patience", async (context) => {
  const connection = new Connection(context);
  connection.socket.send("state");
  await connection.clock.advance(39.9);
  assert.equal(connection.live.state, "live");
  await connection.clock.advance(0.1);
  assert.equal(connection.live.state, "reconnecting");
  assert.equal(connection.socket.closed, true);
});

test("any message is a heartbeat", async (context) => {
  const connection = new Connection(context);
  connection.socket.send("state");
  for (const type of ["heartbeat", "changes", "outage", "heartbeat", "state"]) {
    await connection.clock.advance(39);
    connection.socket.send(type);
  }
  await connection.clock.advance(39);
  assert.equal(connection.sockets.length, 1);
  assert.equal(connection.live.state, "live");
});

test("failures are further and further apart, but never more than ten seconds", async (context) => {
  const connection = new Connection(context);
  for (const seconds of [0.5, 1, 2, 4, 8, 10, 10, 10]) {
    const made = connection.sockets.length;
    connection.socket.end();
    await connection.clock.advance(seconds - 0.01);
    assert.equal(connection.sockets.length, made, `before ${seconds} s`);
    await connection.clock.advance(0.01);
    assert.equal(connection.sockets.length, made + 1, `after ${seconds} s`);
  }
  assert.deepEqual(connection.states, ["reconnecting"]);
});

test("a message ends the row of failures", async (context) => {
  const connection = new Connection(context);
  for (let times = 0; times < 6; times += 1) {
    connection.socket.end();
    await connection.clock.advance(10);
  }
  connection.socket.send("state");
  connection.socket.end();
  await connection.clock.advance(0.5);
  assert.equal(connection.sockets.length, 8);
});

test("browsers that lost the same daemon come back at any moment of the pause", async (context) => {
  const connection = new Connection(context);
  connection.jitter = 0;
  connection.socket.end();
  await connection.clock.advance(0);
  assert.equal(connection.sockets.length, 2);
  connection.jitter = 0.25;
  connection.socket.end();
  await connection.clock.advance(0.24);
  assert.equal(connection.sockets.length, 2);
  await connection.clock.advance(0.01);
  assert.equal(connection.sockets.length, 3);
});

test("only a connection that ended without a message may have been refused", async (context) => {
  const connection = new Connection(context);
  connection.socket.end();
  assert.equal(connection.refusals, 1);
  await connection.clock.advance(0.5);
  connection.socket.send("state");
  connection.socket.end();
  assert.equal(connection.refusals, 1);
  await connection.clock.advance(0.5);
  connection.socket.send("outage");
  connection.socket.end();
  assert.equal(connection.refusals, 1);
  await connection.clock.advance(0.5);
  await connection.clock.advance(10);
  assert.equal(connection.refusals, 2, "nor was it answered");
});

test("a new token is used from the next connection on", async (context) => {
  const connection = new Connection(context);
  connection.socket.end();
  connection.token = "new";
  await connection.clock.advance(0.5);
  assert.deepEqual(connection.socket.protocols, ["pattern-sync.v1", "bearer.bmV3"]);
});

test("connecting anew replaces the connection, and what the old one brings late is not heard", async (context) => {
  const connection = new Connection(context);
  connection.socket.send("state");
  const outdated = connection.socket;
  connection.live.connect();
  assert.equal(outdated.closed, true);
  assert.deepEqual(connection.states, ["live", "reconnecting"]);
  outdated.send("outage");
  outdated.end();
  await connection.clock.advance(5);
  assert.deepEqual(connection.received, ["state"]);
  assert.equal(connection.sockets.length, 2);
  connection.socket.send("state");
  assert.equal(connection.live.state, "live");
  await connection.clock.advance(35.1);
  assert.equal(connection.live.state, "live", "the old one's patience is over, not the new one's");
});

test("connecting during the pause after a failure makes one connection, not two", async (context) => {
  const connection = new Connection(context);
  connection.socket.end();
  connection.live.connect();
  await connection.clock.advance(5);
  assert.equal(connection.sockets.length, 2);
});

test("a connection that ends twice is lost once", async (context) => {
  const connection = new Connection(context);
  const ended = connection.socket;
  ended.end();
  ended.end();
  await connection.clock.advance(0.5);
  ended.end();
  await connection.clock.advance(5);
  assert.equal(connection.sockets.length, 2);
  assert.equal(connection.refusals, 1);
});

test("a browser that wakes keeps a connection that was heard just now, and replaces every other", async (context) => {
  const connection = new Connection(context);
  connection.live.wake();
  assert.equal(connection.sockets.length, 2, "not live yet");
  connection.socket.send("state");
  await connection.clock.advance(20);
  connection.live.wake();
  assert.equal(connection.sockets.length, 2, "heard 20 seconds ago");
  await connection.clock.advance(0.001);
  connection.live.wake();
  assert.equal(connection.sockets.length, 3, "silent for longer than that");
  connection.socket.send("state", "outage");
  connection.live.wake();
  assert.equal(connection.sockets.length, 4, "in an outage");
});

test("while the page polls, failed attempts change nothing, and the first message ends it", async (context) => {
  const connection = new Connection(context);
  const { live, states } = connection;
  connection.socket.end();
  live.polls = true;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await connection.clock.advance(11);
    connection.socket.end();
  }
  live.connect();
  live.connect();
  assert.deepEqual(states, ["reconnecting", "polling"]);
  connection.socket.send("state");
  live.polls = true;
  assert.deepEqual(states, ["reconnecting", "polling", "live"]);
  connection.socket.end();
  assert.equal(states.at(-1), "reconnecting");
});

test("a page that cannot poll either reconnects", (context) => {
  const { live, states } = new Connection(context);
  live.polls = true;
  live.polls = false;
  assert.deepEqual(states, ["polling", "reconnecting"]);
});
