const PROTOCOL = "pattern-sync.v1";
const PATIENCE_SECONDS = 10;
const FIRST_BACKOFF_SECONDS = 0.5;
const LONGEST_BACKOFF_SECONDS = 10;

/** The life of the WebSocket: connects, gives up attempts that hang, and connects again. */
export class Live {
  #token;
  #receive;
  #change;
  #socket = null;
  #timer = null;
  #failures = 0;
  #state = "connecting";
  #heardAt = 0;

  /** `receive(message)` gets each message; `change(state)` gets live, reconnecting or outage as it comes. */
  constructor({ token, receive, change }) {
    this.#token = token;
    this.#receive = receive;
    this.#change = change;
  }

  get state() {
    return this.#state;
  }

  /** When the daemon was last heard, in milliseconds of performance.now(). */
  get heardAt() {
    return this.#heardAt;
  }

  /** Connect now, in place of whatever there is. */
  connect() {
    clearTimeout(this.#timer);
    const previous = this.#socket;
    const socket = new WebSocket(address(), protocols(this.#token()));
    this.#socket = socket;
    previous?.close();
    socket.onmessage = ({ data }) => this.#heard(socket, JSON.parse(data));
    socket.onclose = () => this.#lost(socket);
    this.#timer = setTimeout(() => this.#lost(socket), PATIENCE_SECONDS * 1000);
  }

  /** The connection is known to be dead, whatever the browser believes. */
  distrust() {
    this.#enter("reconnecting");
    this.connect();
  }

  #heard(socket, message) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timer);
    this.#failures = 0;
    this.#heardAt = performance.now();
    if (message.type === "outage") this.#enter("outage");
    else if (message.type === "state" || this.#state !== "outage") this.#enter("live");
    this.#receive(message);
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.close();
    this.#enter("reconnecting");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.connect(), this.#backoff());
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
