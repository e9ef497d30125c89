/** @import { TestContext } from "node:test" */

import assert from "node:assert/strict";
import { Api } from "../../daemon/pattern_sync/web/static/api.js";
import { ApiError } from "../../daemon/pattern_sync/web/static/api-error.js";
import { visit } from "./support.js";

/**
 * A request as the browser is asked to send it.
 * @typedef {{ path: string, method: string, headers: Record<string, string>, body: unknown, options: RequestInit }} Sent
 */

/** The daemon as the page sees it, and a person who may be asked for a token. */
export class Daemon {
  /** @type {Sent[]} */
  sent = [];
  /** @type {boolean[]} */
  asked = [];
  /** @type {string | null} */
  token = null;
  /** @type {(sent: Sent) => Response | Promise<Response>} */
  answer = () => Response.json([]);
  /** Whether somebody in between answers, and not the daemon. */
  strange = false;
  /** @type {() => boolean | Promise<boolean>} */
  person = () => false;
  api = new Api({
    token: () => this.token,
    askToken: async (wrong) => {
      this.asked.push(wrong);
      return await this.person();
    },
  });

  /** @param {TestContext} context */
  constructor({ mock }) {
    visit("http://daemon.test:8002/#pattern=a");
    mock.method(globalThis, "fetch", async (/** @type {string} */ path, /** @type {RequestInit} */ options) => {
      const { method = "GET", body } = options;
      const headers = /** @type {Record<string, string>} */ (options.headers);
      const sent = { path, method, headers, body: body ? JSON.parse(String(body)) : null, options };
      this.sent.push(sent);
      const response = await this.answer(sent);
      if (!this.strange) response.headers.set("Pattern-Sync", "daemon");
      return response;
    });
  }

  /** Where the requests went. */
  get paths() {
    return this.sent.map(({ method, path }) => `${method} ${path}`);
  }

  /**
   * Admit only requests with a token.
   * @param {string} right
   */
  requireToken(right) {
    this.answer = ({ headers }) =>
      headers.Authorization === `Bearer ${right}`
        ? Response.json([])
        : Response.json({ detail: "The API token is wrong." }, { status: 401 });
  }

  /**
   * Let the person who is asked give one token after the other.
   * @param {...string} tokens
   */
  giveTokens(...tokens) {
    this.person = () => {
      this.token = tokens.shift() ?? null;
      return this.token !== null;
    };
  }
}

/**
 * What a request failed with.
 * @param {Promise<unknown>} request
 */
export async function faultOf(request) {
  const fault = await request.then(
    () => null,
    (/** @type {unknown} */ reason) => reason,
  );
  assert.ok(fault instanceof ApiError);
  return fault;
}
