/** @import { Message } from "wire" */

import { fromRoot } from "./address.js";

/** @typedef {"connecting" | "live" | "reconnecting" | "polling" | "outage"} State */

const PROTOCOL = "pattern-sync.v1";
const CONNECT_TIMEOUT_SECONDS = 10;
// The daemon sends a heartbeat every 15 seconds. After two missed ones and some slack the connection is dead, whatever
// the browser reports.
const HEARTBEAT_TIMEOUT_SECONDS = 40;
const STALE_SECONDS = 20;
const FIRST_BACKOFF_SECONDS = 0.5;
const LONGEST_BACKOFF_SECONDS = 10;

/** Keeps a WebSocket open: connects, gives up connections that hang or fall silent, and reconnects. */
export class Live {
  #token;
  #receive;
  #change;
  #refused;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {number | undefined} */
  #timer;
  #failures = 0;
  /** @type {State} */
  #state = "connecting";
  #heardAt = 0;

  /**
   * @param {object} options
   * @param {() => string | null} options.token the current token
   * @param {(message: Message) => void} options.receive
   * @param {(state: State) => void} options.change called with each new state
   * @param {(times: number) => void} options.refused called when a connection ends without a message, with how many
   *   have failed in a row
   */
  constructor({ token, receive, change, refused }) {
    this.#token = token;
    this.#receive = receive;
    this.#change = change;
    this.#refused = refused;
  }

  get state() {
    return this.#state;
  }

  /**
   * Send a message; returns whether there is a connection to send it on.
   * @param {object} message
   */
  send(message) {
    if (this.#state !== "live" || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Connect now, in place of any earlier connection. */
  connect() {
    clearTimeout(this.#timer);
    const previous = this.#socket;
    const socket = new WebSocket(address(), protocols(this.#token()));
    this.#socket = socket;
    this.#heardAt = 0;
    if (previous && this.#state !== "polling") this.#enter("reconnecting");
    previous?.close();
    socket.onmessage = ({ data }) => this.#heard(socket, JSON.parse(data));
    socket.onclose = () => this.#lost(socket);
    this.#timer = setTimeout(() => this.#lost(socket), CONNECT_TIMEOUT_SECONDS * 1000);
  }

  /**
   * Whether the page looks for changes by itself, because only the live connection does not come about. The attempts go
   * on, and the first message ends it.
   * @param {boolean} polls
   */
  set polls(polls) {
    if (this.#state !== "live" && this.#state !== "outage") this.#enter(polls ? "polling" : "reconnecting");
  }

  /** Reconnect unless a message has just arrived: the browser may have slept. */
  wake() {
    // The wall clock: others may stop while a machine sleeps.
    if (this.#state !== "live" || Date.now() - this.#heardAt > STALE_SECONDS * 1000) this.connect();
  }

  /**
   * @param {WebSocket} socket
   * @param {Message} message
   */
  #heard(socket, message) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lost(socket), HEARTBEAT_TIMEOUT_SECONDS * 1000);
    this.#failures = 0;
    this.#heardAt = Date.now();
    if (message.type === "outage") this.#enter("outage");
    else if (message.type === "state") this.#enter("live");
    this.#receive(message);
  }

  /** @param {WebSocket} socket */
  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.close();
    if (this.#state !== "polling") this.#enter("reconnecting");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.connect(), this.#backoff());
    if (this.#heardAt === 0) this.#refused(this.#failures);
  }

  // Full jitter: browsers that lost the same daemon must not come back at the same moment.
  #backoff() {
    const seconds = Math.min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** this.#failures);
    this.#failures += 1;
    return Math.random() * seconds * 1000;
  }

  /** @param {State} state */
  #enter(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#change(state);
  }
}

function address() {
  const url = fromRoot("api/v1/ws/patterns");
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** @param {string | null} token */
function protocols(token) {
  return token === null ? [PROTOCOL] : [PROTOCOL, `bearer.${base64url(token)}`];
}

/** @param {string} text */
function base64url(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
