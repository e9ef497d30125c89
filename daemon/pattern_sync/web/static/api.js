const READ_SECONDS = 20;
const WRITE_SECONDS = 15;
const PAGE_SIZE = 500;

/** What went wrong with a request; `status` is 0 when there was no answer, `body` the parsed answer or null. */
export class ApiError extends Error {
  constructor(status, detail, body = null) {
    super(detail);
    this.status = status;
    this.body = body;
  }
}

/** The daemon's HTTP interface. Asks for a token when one is needed, and goes on with the same request. */
export class Api {
  #token;
  #askToken;
  #asking = null;

  /** `token()` returns the token or null; `askToken(wrong)` resolves to whether there is another one now. */
  constructor({ token, askToken }) {
    this.#token = token;
    this.#askToken = askToken;
  }

  /** The first page of a status; `next` of its answer leads to the others. */
  firstPage(status) {
    return status === "pending"
      ? `/api/v1/patterns/pending?limit=${PAGE_SIZE}`
      : `/api/v1/patterns?status=${encodeURIComponent(status)}&limit=${PAGE_SIZE}`;
  }

  /** Resolves to {entries, next}; next is null on the last page. */
  async page(path, signal) {
    const response = await this.#request(path, { signal });
    return { entries: await body(response), next: nextPage(response.headers.get("Link")) };
  }

  async statistics() {
    return body(await this.#request("/api/v1/patterns/statistics"));
  }

  async entry(patternId) {
    return body(await this.#request(address(patternId)));
  }

  async history(patternId, signal) {
    return body(await this.#request(`${address(patternId)}/history`, { signal }));
  }

  async explain(patternId, signal) {
    return body(await this.#request(`${address(patternId)}/explain`, { signal }));
  }

  /** `action` is approve, reject or comment; resolves to the daemon's answer. */
  async write(patternId, action, document) {
    return body(await this.#request(`${address(patternId)}/${action}`, { document }));
  }

  async #request(path, { signal, document } = {}) {
    for (;;) {
      const token = this.#token();
      const response = await send(path, { signal, document, token });
      if (response.ok) return response;
      const fault = await asError(response);
      if (response.status !== 401 || !(await this.#authorise(token))) throw fault;
    }
  }

  // Requests run side by side: one question serves all of them, and none asks when another has got a token meanwhile.
  #authorise(used) {
    if (this.#token() !== used) return true;
    this.#asking ??= this.#askToken(used !== null).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }
}

function address(patternId) {
  return `/api/v1/patterns/${encodeURIComponent(patternId)}`;
}

async function send(path, { signal, document, token }) {
  const seconds = document ? WRITE_SECONDS : READ_SECONDS;
  const deadline = AbortSignal.timeout(seconds * 1000);
  const headers = { Accept: "application/json" };
  if (document) headers["Content-Type"] = "application/json";
  if (token !== null) headers.Authorization = `Bearer ${asBytes(token)}`;
  try {
    return await fetch(path, {
      method: document ? "POST" : "GET",
      headers,
      body: document && JSON.stringify(document),
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      credentials: "same-origin",
      redirect: "error",
    });
  } catch (fault) {
    throw asUnanswered(fault, signal, seconds);
  }
}

async function body(response) {
  try {
    return await response.json();
  } catch (fault) {
    throw asUnanswered(fault, null, READ_SECONDS);
  }
}

function asUnanswered(fault, signal, seconds) {
  if (signal?.aborted || fault.name === "AbortError") return fault;
  if (fault.name === "TimeoutError") return new ApiError(0, `The daemon did not answer within ${seconds} seconds.`);
  return new ApiError(0, "The daemon cannot be reached.");
}

async function asError(response) {
  const answer = await response.json().catch(() => null);
  const detail = answer?.detail;
  if (typeof detail === "string") return new ApiError(response.status, detail, answer);
  return new ApiError(
    response.status,
    `The daemon answered ${response.status} ${response.statusText}`.trim() + ".",
    answer,
  );
}

function nextPage(link) {
  const match = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? "");
  if (!match) return null;
  const url = new URL(match[1], location.href);
  // The token goes along: never to another place.
  return url.origin === location.origin ? url.pathname + url.search : null;
}

// A header holds bytes: anything outside ASCII goes as UTF-8.
function asBytes(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
