/**
 * @import { Api } from "./api.js"
 * @import { Store } from "./store.js"
 */

import { patternType } from "./format.js";
import { isSearchable } from "./narrowing.js";

const MOST_KINDS = 500;

/** Learns of a long view what its beginning does not show: how many entries are snoozed, and which types there are. */
export class Census {
  #api;
  #store;
  #changed;
  #asked = "";
  #control = new AbortController();

  /** @param {{ api: Pick<Api, "page" | "groups">, store: Store, changed: () => void }} parts */
  constructor({ api, store, changed }) {
    this.#api = api;
    this.#store = store;
    this.#changed = changed;
  }

  /** Learn it, once for each view. Both are offers beside the list: without an answer there are none. */
  take() {
    const { view: status, group, asleep, long } = this.#store;
    const asked = JSON.stringify([status, group, asleep]);
    if (!long || asked === this.#asked) return;
    this.#control.abort();
    this.#control = new AbortController();
    const { signal } = this.#control;
    this.#asked = asked;
    /** @type {Parameters<Api["page"]>[0]} */
    const others = { status, group, snoozed: asleep ? "hide" : "only", limit: 1 };
    this.#learn(signal, async () => ({ others: (await this.#api.page(others, null, signal)).total ?? 0 }));
    if (group) return;
    this.#learn(signal, async () => {
      const { groups } = await this.#api.groups({ by: "kind", status, limit: MOST_KINDS }, signal);
      return { types: typesOf(groups) };
    });
  }

  /** The view is another one: what was asked of the one before is of no use any more. */
  forget() {
    this.#control.abort();
    this.#asked = "";
  }

  /**
   * @param {AbortSignal} signal
   * @param {() => Promise<Parameters<Store["learn"]>[0]>} ask
   */
  async #learn(signal, ask) {
    const known = await ask().catch(() => null);
    if (signal.aborted || known === null) return;
    this.#store.learn(known);
    this.#changed();
  }
}

/**
 * The types of a view, the most frequent first; without those that the query language has no words for.
 * @param {{ key: string, count: number }[]} kinds
 * @returns {[string, number][]}
 */
export function typesOf(kinds) {
  /** @type {Map<string, number>} */
  const types = new Map();
  for (const { key, count } of kinds) {
    const type = patternType(key);
    if (isSearchable(type)) types.set(type, (types.get(type) ?? 0) + count);
  }
  return [...types].sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
}
