/** @import { Approval, Comment, Conflict, Rejection, Status, paths } from "wire" */

import { ApiError } from "./api-error.js";

/**
 * What the daemon answers to a GET of a path.
 * @template {keyof paths} Path
 * @typedef {paths[Path] extends { get: { responses: { 200: { content: { "application/json": infer Body } } } } }
 *   ? Body : never} Read
 */

/**
 * What the daemon answers to a POST to a path.
 * @template {keyof paths} Path
 * @typedef {paths[Path] extends { post: { responses: { 200: { content: { "application/json": infer Body } } } } }
 *   ? Body : never} Written
 */

/** @typedef {{ signal?: AbortSignal | undefined, document?: object }} Options */

const READ_SECONDS = 20;
const WRITE_SECONDS = 15;
const PAGE_SIZE = 500;

/** The daemon's HTTP interface. Asks for a token when one is needed, then repeats the request. */
export class Api {
  #token;
  #askToken;
  /** @type {Promise<boolean> | null} */
  #asking = null;

  /**
   * @param {object} options
   * @param {() => string | null} options.token the current token
   * @param {(wrong: boolean) => Promise<boolean>} options.askToken resolves to whether there is another token now;
   *   `wrong`: the current one was refused
   */
  constructor({ token, askToken }) {
    this.#token = token;
    this.#askToken = askToken;
  }

  /**
   * Entries of one status, best impact first.
   * @param {Status} status
   * @param {string | null} place `next` of the page before; null for the first page
   * @param {AbortSignal} signal
   * @returns `next` is null on the last page
   */
  async page(status, place, signal) {
    const { answer, link } = await this.#request(place ?? firstPage(status), { signal });
    return { entries: /** @type {Read<"/api/v1/patterns">} */ (answer), next: nextPage(link) };
  }

  statistics() {
    return this.#get("/api/v1/patterns/statistics");
  }

  /** @param {string} patternId */
  entry(patternId) {
    return this.#get("/api/v1/patterns/{pattern_id}", { patternId });
  }

  /**
   * @param {string} patternId
   * @param {AbortSignal} signal
   */
  history(patternId, signal) {
    return this.#get("/api/v1/patterns/{pattern_id}/history", { patternId, signal });
  }

  /**
   * @param {string} patternId
   * @param {AbortSignal} signal
   */
  explain(patternId, signal) {
    return this.#get("/api/v1/patterns/{pattern_id}/explain", { patternId, signal });
  }

  /**
   * @param {string} patternId
   * @param {Approval} approval
   */
  approve(patternId, approval) {
    return this.#post("/api/v1/patterns/{pattern_id}/approve", patternId, approval);
  }

  /**
   * @param {string} patternId
   * @param {Rejection} rejection
   */
  reject(patternId, rejection) {
    return this.#post("/api/v1/patterns/{pattern_id}/reject", patternId, rejection);
  }

  /**
   * @param {string} patternId
   * @param {Comment} comment
   */
  comment(patternId, comment) {
    return this.#post("/api/v1/patterns/{pattern_id}/comment", patternId, comment);
  }

  /**
   * @template {keyof paths} Path
   * @param {Path} path
   * @param {{ patternId?: string, signal?: AbortSignal }} [options]
   */
  async #get(path, { patternId = "", signal } = {}) {
    const { answer } = await this.#request(address(path, patternId), { signal });
    return /** @type {Read<Path>} */ (answer);
  }

  /**
   * @template {keyof paths} Path
   * @param {Path} path
   * @param {string} patternId
   * @param {object} document
   */
  async #post(path, patternId, document) {
    const { answer } = await this.#request(address(path, patternId), { document });
    return /** @type {Written<Path>} */ (answer);
  }

  /**
   * @param {string} path
   * @param {Options} options
   * @returns {Promise<{ answer: unknown, link: string | null }>}
   */
  async #request(path, options) {
    const token = this.#token();
    const { response, answer } = await exchange(path, options, token);
    if (response.ok) return { answer, link: response.headers.get("Link") };
    if (response.status !== 401 || !(await this.#authorise(token))) throw asRefusal(response, answer);
    return this.#request(path, options);
  }

  /**
   * Requests run side by side: one question serves them all, and none asks once there is a new token.
   * @param {string | null} used
   */
  #authorise(used) {
    if (this.#token() !== used) return true;
    this.#asking ??= this.#askToken(used !== null).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }
}

/** @param {Status} status */
function firstPage(status) {
  return status === "pending"
    ? `/api/v1/patterns/pending?limit=${PAGE_SIZE}`
    : `/api/v1/patterns?status=${status}&limit=${PAGE_SIZE}`;
}

/**
 * @param {keyof paths} path
 * @param {string} patternId
 */
function address(path, patternId) {
  return path.replace("{pattern_id}", encodeURIComponent(patternId));
}

/**
 * @param {string} path
 * @param {Options} options
 * @param {string | null} token
 */
async function exchange(path, { signal, document }, token) {
  const seconds = document ? WRITE_SECONDS : READ_SECONDS;
  const deadline = AbortSignal.timeout(seconds * 1000);
  try {
    const response = await fetch(path, {
      method: document ? "POST" : "GET",
      headers: {
        Accept: "application/json",
        ...(document && { "Content-Type": "application/json" }),
        ...(token !== null && { Authorization: `Bearer ${asBytes(token)}` }),
      },
      body: document ? JSON.stringify(document) : null,
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      credentials: "same-origin",
      redirect: "error",
    });
    // A refusal may come from a proxy, in whatever form.
    const answer = await (response.ok ? response.json() : response.json().catch(() => null));
    return { response, answer };
  } catch (cause) {
    if (signal?.aborted) throw cause;
    const late = `The daemon did not answer within ${seconds} seconds.`;
    // biome-ignore lint/style/useErrorCause: an ApiError takes it among its details
    throw new ApiError(0, deadline.aborted ? late : "The daemon cannot be reached.", { cause });
  }
}

/**
 * @param {Response} response
 * @param {Partial<Conflict> | null} answer
 */
function asRefusal({ status, statusText }, answer) {
  const described = typeof answer?.detail === "string" ? answer.detail : null;
  const bare = `The daemon answered ${`${status} ${statusText}`.trim()}.`;
  return new ApiError(status, described ?? bare, { entry: answer?.entry });
}

/** @param {string | null} link */
function nextPage(link) {
  const target = /<(?<target>[^>]*)>\s*;[^,]*\brel="?next"?/u.exec(link ?? "")?.groups?.target;
  if (target === undefined) return null;
  const url = new URL(target, location.href);
  // The token is sent along, so never to another place.
  return url.origin === location.origin ? url.pathname + url.search : null;
}

/**
 * A header holds bytes: anything outside ASCII is sent as UTF-8.
 * @param {string} text
 */
function asBytes(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
