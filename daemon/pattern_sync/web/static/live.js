const PROTOCOL = "pattern-sync.v1";
const PATIENCE_SECONDS = 10;
// The daemon says something every 15 seconds; after some more than two of them its connection is dead, whatever the
// browser believes.
const SILENCE_SECONDS = 40;
const STALE_SECONDS = 20;
const FIRST_BACKOFF_SECONDS = 0.5;
const LONGEST_BACKOFF_SECONDS = 10;

/** The life of the WebSocket: connects, gives up what hangs or is silent, and connects again. */
export class Live {
  #token;
  #receive;
  #change;
  #refused;
  #socket = null;
  #timer = null;
  #failures = 0;
  #state = "connecting";
  #heardAt = 0;

  /**
   * `receive(message)` gets each message; `change(state)` gets live, reconnecting or outage as it comes; `refused()` is
   * called when a connection ends on which nothing was said.
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

  /** Connect now, in place of whatever there is. */
  connect() {
    clearTimeout(this.#timer);
    const previous = this.#socket;
    const socket = new WebSocket(address(), protocols(this.#token()));
    this.#socket = socket;
    this.#heardAt = 0;
    if (previous) this.#enter("reconnecting");
    previous?.close();
    socket.onmessage = ({ data }) => this.#heard(socket, JSON.parse(data));
    socket.onclose = () => this.#lost(socket);
    this.#timer = setTimeout(() => this.#lost(socket), PATIENCE_SECONDS * 1000);
  }

  /** The browser may have slept: connect anew unless the daemon was heard just now. */
  wake() {
    // Of the wall clock: others stand still while a machine sleeps.
    if (this.#state !== "live" || Date.now() - this.#heardAt > STALE_SECONDS * 1000) this.connect();
  }

  #heard(socket, message) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lost(socket), SILENCE_SECONDS * 1000);
    this.#failures = 0;
    this.#heardAt = Date.now();
    if (message.type === "outage") this.#enter("outage");
    else if (message.type === "state") this.#enter("live");
    this.#receive(message);
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.close();
    this.#enter("reconnecting");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.connect(), this.#backoff());
    if (this.#heardAt === 0) this.#refused();
  }

  // Full jitter: browsers that lost the same daemon must not come back at the same moment.
  #backoff() {
    const seconds = Math.min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** this.#failures);
    this.#failures += 1;
    return Math.random() * seconds * 1000;
  }

  #enter(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#change(state);
  }
}

function address() {
  const url = new URL("/api/v1/ws/patterns", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

function protocols(token) {
  return token === null ? [PROTOCOL] : [PROTOCOL, `bearer.${base64url(token)}`];
}

function base64url(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
