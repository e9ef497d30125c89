/**
 * @import { Approval, Comment, DecisionOnMany, Grouping, Objection, Rejection, SnoozeRequest, Snoozed, Status, paths } from "wire"
 * @import { Options } from "./exchange.js"
 */

import { fromRoot } from "./address.js";
import { ApiError } from "./api-error.js";
import { exchange } from "./exchange.js";

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

/**
 * A list as it is asked for.
 * @typedef {object} Listing
 * @property {Status} status
 * @property {string} [sort]
 * @property {string} [q] in the query language
 * @property {Snoozed} [snoozed]
 * @property {number} [limit] the most entries of a page
 * @property {{ by: Grouping, key: string } | null} [group] whose entries only are listed
 */

/** How many entries one request brings. */
export const PAGE_SIZE = 500;
// Browsers and proxies resolve dots in a path, proxies also decode or refuse much of what is encoded, and some words are
// addresses of their own; none of them has a colon, and most signatures have one.
const PLAIN = /^(?=[^:]*:)[\w.:~-]+$/u;

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
   * A page of a list.
   * @param {Listing} listing
   * @param {string | null} place `next` of the page before; null for the first page
   * @param {AbortSignal} signal
   * @returns `next` is null on the last page; `total` counts all pages, and is null where that is not known
   */
  async page(listing, place, signal) {
    const { limit = PAGE_SIZE } = listing;
    const url = asking(place === null ? beginning(listing) : new URL(place), { limit });
    const { answer, link, total } = await this.#request(url, { signal });
    return { entries: /** @type {Read<"/api/v1/patterns">} */ (answer), next: nextPage(url, link), total };
  }

  /**
   * The groups of a list, those worth most first; `total` counts those beyond `limit`, too.
   * @param {{ by: Grouping, status: Status, q?: string, snoozed?: Snoozed, limit: number }} asked
   * @param {AbortSignal} signal
   */
  async groups(asked, signal) {
    const path = "/api/v1/patterns/groups";
    const url = asking(address(path), asked);
    const { answer, total } = await this.#request(url, { signal });
    return { groups: /** @type {Read<typeof path>} */ (answer), total };
  }

  /**
   * The ids of all that a query finds, at most 10,000.
   * @param {Status} status
   * @param {string} q
   * @param {AbortSignal} signal
   */
  ids(status, q, signal) {
    return this.#get("/api/v1/patterns/ids", { query: { status, q }, signal });
  }

  statistics() {
    return this.#get("/api/v1/patterns/statistics");
  }

  /** In whose name this person decides. */
  reviewer() {
    return this.#get("/api/v1/reviewer");
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
   * What waits and is like an entry, with what is different.
   * @param {string} patternId
   * @param {number} limit
   * @param {AbortSignal} signal
   */
  similar(patternId, limit, signal) {
    return this.#get("/api/v1/patterns/{pattern_id}/similar", { patternId, query: { limit }, signal });
  }

  /**
   * @param {string} patternId
   * @param {Approval} approval
   * @param {string} key
   * @returns the entry, and the batch that undoes this
   */
  approve(patternId, approval, key) {
    return this.#decide("/api/v1/patterns/{pattern_id}/approve", patternId, approval, key);
  }

  /**
   * @param {string} patternId
   * @param {Rejection} rejection
   * @param {string} key
   * @returns the entry, and the batch that undoes this
   */
  reject(patternId, rejection, key) {
    return this.#decide("/api/v1/patterns/{pattern_id}/reject", patternId, rejection, key);
  }

  /**
   * @param {string} patternId
   * @param {Comment} comment
   * @param {string} key
   */
  comment(patternId, comment, key) {
    return this.#post("/api/v1/patterns/{pattern_id}/comment", { document: comment, key, patternId });
  }

  /**
   * @param {DecisionOnMany} decision
   * @param {string} key
   */
  decideMany(decision, key) {
    return this.#post("/api/v1/patterns/decisions", { document: decision, key });
  }

  /**
   * @param {number} batchId
   * @param {string | null} reviewer
   * @param {string} key
   */
  undo(batchId, reviewer, key) {
    return this.#post("/api/v1/patterns/batches/{batch_id}/undo", { document: { reviewer }, key, batchId });
  }

  /** @param {{ by?: string, limit: number }} query */
  batches(query) {
    return this.#get("/api/v1/patterns/batches", { query });
  }

  /**
   * @param {string} patternId
   * @param {SnoozeRequest} wish
   */
  snooze(patternId, wish) {
    return this.#post("/api/v1/patterns/{pattern_id}/snooze", { document: wish, patternId });
  }

  /** @param {string} patternId */
  async wake(patternId) {
    const path = "/api/v1/patterns/{pattern_id}/wake";
    const { answer } = await this.#request(address(path, { patternId }), { method: "POST" });
    return /** @type {Written<typeof path>} */ (answer);
  }

  /** @param {string} since midnight here, as a time with its zone */
  progress(since) {
    return this.#get("/api/v1/patterns/progress", { query: { since } });
  }

  /**
   * What was decided since a moment, newest first.
   * @param {{ by?: string, since?: string, limit: number }} query
   */
  log(query) {
    return this.#get("/api/v1/patterns/log", { query });
  }

  /** What was learned from decisions. */
  model() {
    return this.#get("/api/v1/model");
  }

  /**
   * How likely a person approves an entry, and why.
   * @param {string} patternId
   * @param {AbortSignal} signal
   */
  likelihood(patternId, signal) {
    return this.#get("/api/v1/patterns/{pattern_id}/likelihood", { patternId, signal });
  }

  /** What approved patterns have saved. */
  roi() {
    return this.#get("/api/v1/roi");
  }

  /**
   * @param {string} patternId
   * @param {AbortSignal} signal
   */
  roiOf(patternId, signal) {
    return this.#get("/api/v1/roi/{pattern_id}", { patternId, signal });
  }

  /** The rules, and whether they are forbidden. */
  rules() {
    return this.#get("/api/v1/rules");
  }

  /** @param {string} name */
  rule(name) {
    return this.#get("/api/v1/rules/{name}", { name });
  }

  /**
   * What a rule would have decided of what people decided.
   * @param {string} name
   */
  trial(name) {
    return this.#get("/api/v1/rules/{name}/trial", { name });
  }

  /**
   * @param {string} patternId
   * @param {Objection} objection
   */
  veto(patternId, objection) {
    return this.#post("/api/v1/patterns/{pattern_id}/veto", { document: objection, patternId });
  }

  /** What misses the filter by least. */
  nearest() {
    return this.#get("/api/v1/patterns/nearest");
  }

  /**
   * @param {string} patternId
   * @param {string | null} reviewer
   */
  queueAnyway(patternId, reviewer) {
    return this.#post("/api/v1/patterns/{pattern_id}/queue", { document: { reviewer }, patternId });
  }

  /**
   * @template {keyof paths} Path
   * @param {Path} path
   * @param {{ patternId?: string, name?: string, signal?: AbortSignal, query?: Record<string, string | number> }} [options]
   *   `name` of a rule
   */
  async #get(path, { patternId, name, signal, query = {} } = {}) {
    const url = asking(address(path, { patternId, name }), query);
    const { answer } = await this.#request(url, { signal });
    return /** @type {Read<Path>} */ (answer);
  }

  /**
   * @template {keyof paths} Path
   * @param {Path} path
   * @param {{ document: object, key?: string, patternId?: string, batchId?: number }} sent
   */
  async #post(path, { document, key, patternId, batchId }) {
    const { answer } = await this.#request(address(path, { patternId, batchId }), { document, key });
    return /** @type {Written<Path>} */ (answer);
  }

  /**
   * @template {keyof paths} Path
   * @param {Path} path
   * @param {string} patternId
   * @param {object} document
   * @param {string} key
   */
  async #decide(path, patternId, document, key) {
    const { answer, batch } = await this.#request(address(path, { patternId }), { document, key });
    return { entry: /** @type {Written<Path>} */ (answer), batch };
  }

  /**
   * @param {URL} url
   * @param {Options} options
   * @returns {ReturnType<typeof exchange>}
   */
  async #request(url, options) {
    const token = this.#token();
    try {
      return await exchange(url, options, token);
    } catch (fault) {
      if (!(fault instanceof ApiError && fault.status === 401 && (await this.#authorise(token)))) throw fault;
    }
    return this.#request(url, options);
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

/** @param {Listing} listing */
function beginning({ status, group = null, ...rest }) {
  const url = fromRoot(status === "pending" ? "api/v1/patterns/pending" : `api/v1/patterns?status=${status}`);
  const ofGroup = group ? { group_by: group.by, group_key: group.key } : {};
  return asking(url, { ...rest, ...ofGroup });
}

/**
 * An address with query parameters.
 * @param {URL} url
 * @param {Record<string, string | number>} query
 */
function asking(url, query) {
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return url;
}

/**
 * Of a Link only the query is taken: a proxy may serve the page under a path that the daemon does not know, and the token
 * is sent along, so never to another place.
 * @param {URL} current
 * @param {string | null} link
 */
function nextPage(current, link) {
  const query = /<[^>?]*(?<query>\?[^>#]+)[^>]*>\s*;[^,]*\brel="?next"?/u.exec(link ?? "")?.groups?.query;
  return query === undefined ? null : new URL(query, current).href;
}

/**
 * @param {keyof paths} path
 * @param {{ patternId?: string | undefined, batchId?: number | undefined, name?: string | undefined }} [parts]
 */
function address(path, { patternId, batchId, name = "" } = {}) {
  // The name of a rule needs no encoding.
  const relative = path.slice(1).replace("{batch_id}", String(batchId)).replace("{name}", name);
  if (patternId === undefined) return fromRoot(relative);
  if (PLAIN.test(patternId)) return fromRoot(relative.replace("{pattern_id}", () => encodeURIComponent(patternId)));
  const url = fromRoot(relative.replace("{pattern_id}", "~"));
  url.search = `?pattern_id=${encodeURIComponent(patternId)}`;
  return url;
}
