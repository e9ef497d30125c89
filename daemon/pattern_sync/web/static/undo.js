/**
 * @import { UndoneBatch } from "wire"
 * @import { Api } from "./api.js"
 * @import { Identity } from "./identity.js"
 * @import { Memory } from "./memory.js"
 * @import { Offer, Signs } from "./signs.js"
 */

import { asApiError } from "./api-error.js";
import { RequestKey } from "./request-key.js";
import { undoFaultText, undoneText } from "./undo-texts.js";

/**
 * A decision of this page that can be taken back: its batch, what it is called, and when it was made.
 * @typedef {{ batchId: number, name: string, at: number }} Undoable
 */

const BY_KEY_MINUTES = 10;

/** Takes decisions back: the last ones of this page by a key, and any by its batch. */
export class Undo {
  #api;
  #memory;
  #identity;
  #signs;
  #undone;
  /** @type {Undoable[]} */
  #own = [];
  /** @type {Map<number, RequestKey>} */
  #keys = new Map();
  /** @type {Set<number>} */
  #running = new Set();

  /**
   * @param {object} parts
   * @param {Pick<Api, "undo">} parts.api
   * @param {Pick<Memory, "reviewer">} parts.memory
   * @param {Pick<Identity, "known">} parts.identity
   * @param {Pick<Signs, "toast">} parts.signs
   * @param {(patternIds: string[]) => Promise<void> | void} parts.undone called with what is pending again
   */
  constructor({ api, memory, identity, signs, undone }) {
    this.#api = api;
    this.#memory = memory;
    this.#identity = identity;
    this.#signs = signs;
    this.#undone = undone;
  }

  /**
   * A decision was recorded here.
   * @param {number} batchId
   * @param {string} name
   */
  made(batchId, name) {
    this.#own.push({ batchId, name, at: performance.now() });
  }

  /**
   * What a toast offers for a batch.
   * @param {number} batchId
   * @param {string} name
   * @returns {Offer}
   */
  offer(batchId, name) {
    return { label: "Undo", key: "z", run: () => this.undo(batchId, name) };
  }

  /** Take back the last decision of this page that still stands, unless it is long ago. */
  last() {
    const latest = this.#own.at(-1);
    if (latest && performance.now() - latest.at <= BY_KEY_MINUTES * 60_000) {
      this.undo(latest.batchId, latest.name);
      return;
    }
    this.#signs.toast(`Nothing was decided here within ${BY_KEY_MINUTES} minutes. Older decisions are in the log (l).`);
  }

  /**
   * Resolves to what came of it; null when that is not known, or when it was refused.
   * @param {number} batchId
   * @param {string} name
   * @returns {Promise<UndoneBatch | null>}
   */
  async undo(batchId, name) {
    if (this.#running.has(batchId)) return null;
    this.#running.add(batchId);
    try {
      const answer = await this.#send(batchId);
      if (!answer.counts.busy) this.#forget(batchId);
      // What is asked for again, after a part of it was busy, is another request.
      this.#keys.delete(batchId);
      const again = answer.counts.busy ? [this.offer(batchId, name)] : [];
      this.#signs.toast(undoneText(name, answer), ...again);
      const pending = answer.outcomes.filter(({ outcome }) => outcome === "undone");
      await this.#undone(pending.map(({ pattern_id: patternId }) => patternId));
      return answer;
    } catch (caught) {
      const fault = asApiError(caught);
      const refused = fault.status === 404 || fault.status === 409;
      if (refused) this.#forget(batchId);
      this.#signs.toast(
        undoFaultText(fault),
        ...(refused ? [] : [{ ...this.offer(batchId, name), label: "Try again" }]),
      );
      return null;
    } finally {
      this.#running.delete(batchId);
    }
  }

  /** @param {number} batchId */
  #send(batchId) {
    const { fixed, name } = this.#identity.known;
    const reviewer = (fixed ? name : this.#memory.reviewer) || null;
    const key = this.#keys.get(batchId) ?? new RequestKey();
    this.#keys.set(batchId, key);
    return this.#api.undo(batchId, reviewer, key.of({ reviewer }));
  }

  /** @param {number} batchId */
  #forget(batchId) {
    this.#own = this.#own.filter((each) => each.batchId !== batchId);
  }
}
