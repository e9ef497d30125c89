/**
 * @import { TestContext } from "node:test"
 * @import { Message, QueueCounts } from "wire"
 */

import assert from "node:assert/strict";
import { Live } from "../../daemon/pattern_sync/web/static/live.js";
import { Clock, entry, visit } from "./support.js";

/** @type {QueueCounts} */
const COUNTS = {
  pending: 1,
  approved: 0,
  rejected: 0,
  auto_approved: 0,
  auto_rejected: 0,
  total: 1,
  claimed_usd: 1000,
  shown_usd: null,
};
/** @type {Record<string, Message>} */
const MESSAGES = {
  state: { type: "state", counts: COUNTS, entries: [entry("a")] },
  changes: {
    type: "changes",
    counts: COUNTS,
    changes: [{ change: "refreshed", pattern_id: "a", entry: entry("a") }],
  },
  outage: { type: "outage" },
  heartbeat: { type: "heartbeat" },
};

/** A WebSocket whose other end is the test. */
export class Socket {
  /** @type {((event: { data: string }) => void) | null} */
  onmessage = null;
  /** @type {(() => void) | null} */
  onclose = null;
  closed = false;

  /**
   * @param {string} url
   * @param {string[]} protocols
   */
  constructor(url, protocols) {
    this.url = url;
    this.protocols = protocols;
  }

  close() {
    this.closed = true;
  }

  /** @param {...string} types */
  send(...types) {
    for (const type of types) this.onmessage?.({ data: JSON.stringify(MESSAGES[type]) });
  }

  /** The daemon, or the network, ends the connection. */
  end() {
    this.onclose?.();
  }
}

/** The live connection of a page, with everything that it does. */
export class Connection {
  /** @type {Socket[]} */
  sockets = [];
  /** @type {string[]} */
  states = [];
  /** @type {string[]} */
  received = [];
  refusals = 0;
  /** @type {string | null} */
  token = null;
  jitter = 1;
  live = new Live({
    token: () => this.token,
    receive: (message) => this.received.push(message.type),
    change: (state) => this.states.push(state),
    refused: () => {
      this.refusals += 1;
    },
  });

  /** @param {TestContext} context */
  constructor(context) {
    const { sockets } = this;
    this.clock = new Clock(context);
    context.mock.method(Math, "random", () => this.jitter);
    visit("http://daemon.test:8002/#pattern=a");
    class WebSocket extends Socket {
      /**
       * @param {string} url
       * @param {string[]} protocols
       */
      constructor(url, protocols) {
        super(url, protocols);
        sockets.push(this);
      }
    }
    Object.assign(globalThis, { WebSocket });
    this.live.connect();
  }

  get socket() {
    const socket = this.sockets.at(-1);
    assert.ok(socket);
    return socket;
  }
}
