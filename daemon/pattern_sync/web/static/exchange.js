/** @import { Conflict } from "wire" */

import { ApiError } from "./api-error.js";

/**
 * `key` names a request: sent again, it is answered as before, and done once.
 * @typedef {{ signal?: AbortSignal | undefined, document?: object | undefined, key?: string | undefined, method?: "GET" | "POST" }} Options
 */

const READ_SECONDS = 20;
const WRITE_SECONDS = 15;
const LONGEST_WAIT_SECONDS = 300;
// On every answer of the daemon. A proxy's own 401, 404 or 503 means something else than the daemon's.
const OURS = "Pattern-Sync";
const SIGN_IN = "You may have to sign in again: open this page in a new tab, sign in there, and come back to this one.";

/**
 * Send one request and return what the daemon answers. Everything else is an ApiError.
 * @param {URL} url
 * @param {Options} options
 * @param {string | null} token
 */
export async function exchange(url, { signal, document, key, method = document ? "POST" : "GET" }, token) {
  const seconds = method === "POST" ? WRITE_SECONDS : READ_SECONDS;
  const deadline = AbortSignal.timeout(seconds * 1000);
  try {
    const response = await fetch(url.pathname + url.search, {
      method,
      headers: headersOf({ document, key }, token),
      body: document ? JSON.stringify(document) : null,
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      credentials: "same-origin",
      redirect: "manual",
    });
    if (!response.headers.has(OURS)) throw asStrange(response);
    const answer = await (response.ok ? response.json() : response.json().catch(() => null));
    if (!response.ok) throw asRefusal(response, answer);
    return {
      answer,
      link: response.headers.get("Link"),
      total: number(response.headers, "Total-Count"),
      batch: number(response.headers, "Pattern-Sync-Batch"),
    };
  } catch (cause) {
    if (signal?.aborted || cause instanceof ApiError) throw cause;
    const late = `The daemon did not answer within ${seconds} seconds.`;
    // biome-ignore lint/style/useErrorCause: an ApiError takes it among its details
    throw new ApiError(0, deadline.aborted ? late : "The daemon cannot be reached.", { cause });
  }
}

/**
 * The headers of a request.
 * @param {Options} options
 * @param {string | null} token
 */
function headersOf({ document, key }, token) {
  return {
    Accept: "application/json",
    ...(document && { "Content-Type": "application/json" }),
    ...(key !== undefined && { "Idempotency-Key": key }),
    ...(token !== null && { Authorization: `Bearer ${asBytes(token)}` }),
  };
}

/**
 * The daemon's own refusal.
 * @param {Response} response
 * @param {Partial<Conflict> | null} answer
 */
function asRefusal({ status, statusText, headers }, answer) {
  const described = typeof answer?.detail === "string" ? answer.detail : null;
  const bare = `The daemon answered ${`${status} ${statusText}`.trim()}.`;
  return new ApiError(status, described ?? bare, { entry: answer?.entry, waitSeconds: wait(headers) });
}

/**
 * The answer of somebody in between. Whether the daemon got the request is not known, whatever the status.
 * @param {Response} response
 */
function asStrange(response) {
  const waitSeconds = wait(response.headers);
  const pause = waitSeconds > 0 ? ` It asks to wait for ${waitSeconds} s.` : "";
  const advice = wantsToSignIn(response) ? ` ${SIGN_IN}` : "";
  return new ApiError(0, `A proxy answered in place of the daemon: ${nameOf(response)}.${pause}${advice}`, {
    waitSeconds,
    strange: true,
  });
}

/** @param {Response} response */
function wantsToSignIn({ type, status, ok }) {
  return type === "opaqueredirect" || ok || [401, 403, 407, 511].includes(status);
}

/** @param {Response} response */
function nameOf({ type, status, statusText, ok }) {
  if (type === "opaqueredirect") return "a redirect";
  return ok ? "another page" : `${status} ${statusText}`.trim();
}

/**
 * A number that the daemon says in a header; null where it says none.
 * @param {Headers} headers
 * @param {string} name
 */
function number(headers, name) {
  const said = headers.get(name) ?? "";
  return /^\d+$/u.test(said) ? Number(said) : null;
}

/**
 * What Retry-After asks for, in seconds; 0 when it asks for nothing. It may also be a date.
 * @param {Headers} headers
 */
function wait(headers) {
  const asked = headers.get("Retry-After") ?? "";
  const seconds = /^\d+$/u.test(asked) ? Number(asked) : Math.ceil((Date.parse(asked) - Date.now()) / 1000);
  return seconds > 0 ? Math.min(seconds, LONGEST_WAIT_SECONDS) : 0;
}

/**
 * A header holds bytes: anything outside ASCII is sent as UTF-8.
 * @param {string} text
 */
function asBytes(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
