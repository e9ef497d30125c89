import assert from "node:assert/strict";
import test from "node:test";
import { Daemon, faultOf } from "./fake-daemon.js";
import { entry, settle, visit } from "./support.js";

const NEVER = new AbortController().signal;

test("the first page is the status's own, and the others are where the daemon says", async (context) => {
  const daemon = new Daemon(context);
  daemon.answer = () =>
    Response.json([entry("a")], { headers: { Link: '</api/v1/patterns/pending?cursor=x&limit=50>; rel="next"' } });
  const { entries, next } = await daemon.api.page({ status: "pending" }, null, NEVER);
  assert.deepEqual(entries, [entry("a")]);
  await daemon.api.page({ status: "pending" }, next, NEVER);
  await daemon.api.page({ status: "auto-approved" }, null, NEVER);
  assert.deepEqual(daemon.paths, [
    "GET /api/v1/patterns/pending?limit=500",
    "GET /api/v1/patterns/pending?cursor=x&limit=500",
    "GET /api/v1/patterns?status=auto-approved&limit=500",
  ]);
});

test("the query of the next page is taken from a Link header of any shape, and its place from no header", async (context) => {
  const daemon = new Daemon(context);
  /** @type {[string | null, string | null][]} */
  const links = [
    [null, null],
    ["", null],
    ['</first?x=0>; rel="prev"', null],
    ["</second?x=1>; rel=next", "?x=1"],
    ['</first?x=0>; rel="prev", </third?x=2>; title="x"; rel="next"', "?x=2"],
    ['<http://daemon.test:8002/absolute?x=1&y=2#z>; rel="next"', "?x=1&y=2"],
    ['<?relative>; rel="next"', "?relative"],
    ['</without/a/query>; rel="next"', null],
    ['<//elsewhere.test/steals?the=token>; rel="next"', "?the=token"],
    ['<https://daemon.test:8002/another/scheme?x=1>; rel="next"', "?x=1"],
  ];
  for (const [link, query] of links) {
    daemon.answer = () => Response.json([], link === null ? {} : { headers: { Link: link } });
    const { next } = await daemon.api.page({ status: "pending" }, null, NEVER);
    const expected = query && `http://daemon.test:8002/api/v1/patterns/pending${query}`;
    assert.equal(next, expected, String(link));
  }
});

test("below a path of a proxy's, every request stays below it", async (context) => {
  const daemon = new Daemon(context);
  visit("https://review.test/some/patterns/?x#pattern=a");
  daemon.answer = () => Response.json([], { headers: { Link: '</api/v1/patterns?cursor=x>; rel="next"' } });
  const { next } = await daemon.api.page({ status: "pending" }, null, NEVER);
  await daemon.api.page({ status: "pending" }, next, NEVER);
  await daemon.api.statistics();
  await daemon.api.approve("a:b", { replaces: "pending" }, "key");
  await daemon.api.entry("..");
  assert.deepEqual(daemon.paths, [
    "GET /some/patterns/api/v1/patterns/pending?limit=500",
    "GET /some/patterns/api/v1/patterns/pending?cursor=x&limit=500",
    "GET /some/patterns/api/v1/patterns/statistics",
    "POST /some/patterns/api/v1/patterns/a%3Ab/approve",
    "GET /some/patterns/api/v1/patterns/~?pattern_id=..",
  ]);
});

test("an id that a browser or a proxy would change in a path is in the query", async (context) => {
  const daemon = new Daemon(context);
  for (const id of [
    "",
    ".",
    "..",
    "a/b",
    "a/../b?x=1#y&z+ %2F",
    "\\..\\",
    "pending",
    "statistics",
    "groups",
    "log",
    "~",
    "50%",
    "a;b",
    "a?b",
    "a#b",
  ]) {
    await daemon.api.history(id, NEVER);
    const url = new URL(daemon.sent.at(-1)?.path ?? "", "http://daemon.test:8002");
    assert.equal(url.pathname, "/api/v1/patterns/~/history");
    assert.deepEqual([...url.searchParams], [["pattern_id", id]]);
  }
});

test("an id with a colon and nothing odd is one part of the path whatever it holds", async (context) => {
  const daemon = new Daemon(context);
  for (const id of ["sdlc:full:all", ":", "a:...", "~:~", "a.b:-c_d"]) {
    await daemon.api.entry(id);
    const encoded = daemon.sent.at(-1)?.path.slice("/api/v1/patterns/".length) ?? "";
    assert.doesNotMatch(encoded, /[/?#]/u);
    assert.equal(decodeURIComponent(encoded), id);
  }
});

test("a decision brings the entry, and the batch that undoes it", async (context) => {
  const daemon = new Daemon(context);
  const { api } = daemon;
  daemon.answer = ({ path }) => Response.json({ path }, { headers: { "Pattern-Sync-Batch": "17" } });
  const approved = await api.approve("a:b", { notes: null, reviewer: "ann", replaces: "pending" }, "key");
  assert.deepEqual(approved, { entry: { path: "/api/v1/patterns/a%3Ab/approve" }, batch: 17 });
  const rejected = await api.reject("a:b", { reason: "a one-off", reviewer: "ann", replaces: "approved" }, "key");
  assert.deepEqual(rejected, { entry: { path: "/api/v1/patterns/a%3Ab/reject" }, batch: 17 });
  assert.deepEqual(daemon.sent.at(-1)?.body, { reason: "a one-off", reviewer: "ann", replaces: "approved" });
});

test("every question and every decision has its path, and brings the daemon's answer", async (context) => {
  const daemon = new Daemon(context);
  const { api } = daemon;
  daemon.answer = ({ path }) => Response.json({ path });
  const answers = [
    await api.statistics(),
    await api.entry("a:b"),
    await api.history("a:b", NEVER),
    await api.explain("a:b", NEVER),
    await api.comment("a:b", { comment: "who owns this?", reviewer: "ann" }, "key"),
    await api.decideMany(
      { pattern_ids: ["a:b"], decision: "approved", replaces: "pending", dry_run: false, positions: {} },
      "bulk",
    ),
    await api.undo(17, "ann", "undo"),
    await api.batches({ limit: 20 }),
    await api.progress("2026-11-26T00:00:00+01:00"),
    await api.log({ by: "ann", limit: 9 }),
    await api.nearest(),
    await api.queueAnyway("a:b", "ann"),
    await api.snooze("a:b", { until: null, until_doubled: true, reason: null, reviewer: "ann" }),
    await api.wake("a:b"),
  ];
  assert.deepEqual(
    answers,
    daemon.sent.map(({ path }) => ({ path })),
  );
  assert.deepEqual(daemon.paths, [
    "GET /api/v1/patterns/statistics",
    "GET /api/v1/patterns/a%3Ab",
    "GET /api/v1/patterns/a%3Ab/history",
    "GET /api/v1/patterns/a%3Ab/explain",
    "POST /api/v1/patterns/a%3Ab/comment",
    "POST /api/v1/patterns/decisions",
    "POST /api/v1/patterns/batches/17/undo",
    "GET /api/v1/patterns/batches?limit=20",
    "GET /api/v1/patterns/progress?since=2026-11-26T00%3A00%3A00%2B01%3A00",
    "GET /api/v1/patterns/log?by=ann&limit=9",
    "GET /api/v1/patterns/nearest",
    "POST /api/v1/patterns/a%3Ab/queue",
    "POST /api/v1/patterns/a%3Ab/snooze",
    "POST /api/v1/patterns/a%3Ab/wake",
  ]);
  assert.deepEqual(daemon.sent.map(({ headers }) => headers["Idempotency-Key"] ?? null).filter(Boolean), [
    "key",
    "bulk",
    "undo",
  ]);
});

test("only what has a body is said to be JSON", async (context) => {
  const daemon = new Daemon(context);
  daemon.answer = () => Response.json({});
  await daemon.api.statistics();
  await daemon.api.comment("a", { comment: "hm", reviewer: "ann" }, "key");
  const [read, written] = daemon.sent;
  assert.deepEqual(read?.headers, { Accept: "application/json" });
  assert.equal(read?.options.body, null);
  assert.deepEqual(written?.headers, {
    Accept: "application/json",
    "Content-Type": "application/json",
    "Idempotency-Key": "key",
  });
});

test("a request follows no redirect and sends no cookie to others", async (context) => {
  const daemon = new Daemon(context);
  await daemon.api.statistics();
  const { redirect, credentials } = daemon.sent[0]?.options ?? {};
  assert.deepEqual({ redirect, credentials }, { redirect: "manual", credentials: "same-origin" });
});

test("a refusal is the daemon's own sentence", async (context) => {
  const daemon = new Daemon(context);
  daemon.answer = () => Response.json({ detail: "reason: it is blank.", fields: [] }, { status: 422 });
  const { status, message, entry: now } = await faultOf(daemon.api.statistics());
  assert.deepEqual([status, message, now], [422, "reason: it is blank.", null]);
});

test("a conflict brings the entry as it is now", async (context) => {
  const daemon = new Daemon(context);
  const decided = entry("a", { status: "approved", reviewed_by: "bob" });
  daemon.answer = () => Response.json({ detail: "bob was faster", entry: decided }, { status: 409 });
  const fault = await faultOf(daemon.api.reject("a", { reason: "no", replaces: "pending" }, "key"));
  assert.deepEqual([fault.status, fault.entry], [409, decided]);
  daemon.answer = () => Response.json({ detail: "kept out", entry: null }, { status: 409 });
  assert.equal((await faultOf(daemon.api.reject("a", { reason: "no", replaces: "pending" }, "key"))).entry, null);
});

test("a refusal of the daemon without a sentence is named by its status", async (context) => {
  const daemon = new Daemon(context);
  for (const body of ["<h1>Bad Gateway</h1>", "", "null", '"down"', '{"detail": ["x"]}', "[]"]) {
    daemon.answer = () => new Response(body, { status: 502, statusText: "Bad Gateway" });
    const { status, message } = await faultOf(daemon.api.statistics());
    assert.deepEqual([status, message], [502, "The daemon answered 502 Bad Gateway."], body);
  }
  daemon.answer = () => new Response("", { status: 500 });
  assert.equal((await faultOf(daemon.api.statistics())).message, "The daemon answered 500.");
});

test("without an answer, or with half of one, the daemon cannot be reached", async (context) => {
  const daemon = new Daemon(context);
  for (const answer of [
    () => Promise.reject(new TypeError("Failed to fetch")),
    () => new Response('{"pending": 1, "appr'),
  ]) {
    daemon.answer = answer;
    const fault = await faultOf(daemon.api.statistics());
    assert.deepEqual([fault.status, fault.message], [0, "The daemon cannot be reached."]);
    assert.ok(fault.cause instanceof Error, "and the console can show why");
  }
});

test("a read is waited for 20 seconds, a decision 15", async (context) => {
  const daemon = new Daemon(context);
  const deadline = new AbortController();
  /** @type {number[]} */
  const waited = [];
  context.mock.method(AbortSignal, "timeout", (/** @type {number} */ milliseconds) => {
    waited.push(milliseconds);
    return deadline.signal;
  });
  daemon.answer = ({ options }) =>
    new Promise((_, reject) => {
      options.signal?.addEventListener("abort", () => reject(options.signal?.reason));
    });
  const read = faultOf(daemon.api.history("a", NEVER));
  const written = faultOf(daemon.api.comment("a", { comment: "hm" }, "key"));
  deadline.abort(new DOMException("too late", "TimeoutError"));
  assert.deepEqual(waited, [20_000, 15_000]);
  assert.equal((await read).message, "The daemon did not answer within 20 seconds.");
  assert.equal((await written).message, "The daemon did not answer within 15 seconds.");
  assert.equal((await written).status, 0);
});

test("the body of an answer is waited for no longer than its head", async (context) => {
  const daemon = new Daemon(context);
  const deadline = new AbortController();
  context.mock.method(AbortSignal, "timeout", () => deadline.signal);
  daemon.answer = ({ options }) =>
    new Response(
      new ReadableStream({
        start: (stream) => options.signal?.addEventListener("abort", () => stream.error(options.signal?.reason)),
      }),
    );
  const written = faultOf(daemon.api.comment("a", { comment: "hm" }, "key"));
  await settle();
  deadline.abort(new DOMException("too late", "TimeoutError"));
  assert.equal((await written).message, "The daemon did not answer within 15 seconds.");
});

test("a request that is not wanted any more fails as that, not as the daemon's fault", async (context) => {
  const daemon = new Daemon(context);
  daemon.answer = ({ options }) =>
    new Promise((_, reject) => {
      options.signal?.addEventListener("abort", () => reject(options.signal?.reason));
    });
  const control = new AbortController();
  const request = daemon.api.history("a", control.signal);
  control.abort();
  await assert.rejects(request, { name: "AbortError" });
});
