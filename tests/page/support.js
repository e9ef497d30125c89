/**
 * @import { TestContext } from "node:test"
 * @import { Evidence, QueueEntry } from "wire"
 */

/**
 * An entry of the queue; what a test does not name is unremarkable.
 * @param {string} patternId
 * @param {Partial<QueueEntry>} [fields]
 * @returns {QueueEntry}
 */
export function entry(patternId, fields = {}) {
  return {
    pattern_id: patternId,
    tool_sequence: "Read→Edit→Write",
    status: "pending",
    confidence_score: 0.85,
    occurrence_count: 10,
    estimated_savings_usd: 1000,
    impact_score: 8500,
    pattern_context: null,
    example_sessions: [],
    reviewed_by: null,
    reviewed_at: null,
    approval_notes: null,
    created_at: "2026-11-23T06:43:27.123456Z",
    evidence: evidence(),
    snooze: null,
    likelihood: null,
    folded: false,
    from_pattern: true,
    mark: null,
    ...fields,
  };
}

/**
 * What is recorded of a pattern; what a test does not name leaves no doubt.
 * @param {Partial<Evidence>} [fields]
 * @returns {Evidence}
 */
export function evidence(fields = {}) {
  return {
    recorded: true,
    workflows: 15,
    first_seen: "2026-10-24T06:43:27.123456Z",
    last_seen: "2026-11-23T06:43:27.123456Z",
    days_seen: 30,
    occurrences_a_day: 0.5,
    savings_observed: 1000,
    savings_by_evidence: 1000,
    flags: [],
    ...fields,
  };
}

/**
 * The ids of entries.
 * @param {QueueEntry[]} entries
 */
export function ids(entries) {
  return entries.map(({ pattern_id: patternId }) => patternId);
}

/**
 * Let the modules believe that the page was loaded from an address.
 * @param {string} url
 */
export function visit(url) {
  Object.defineProperty(globalThis, "location", { configurable: true, value: new URL(url) });
}

/** Let everything that has settled take its effect. */
export function settle() {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** All clocks of a page, which stand still until a test moves them. */
export class Clock {
  #timers;
  #milliseconds = 0;

  /** @param {TestContext} context */
  constructor({ mock }) {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    mock.method(performance, "now", () => this.#milliseconds);
    this.#timers = mock.timers;
  }

  /** @param {number} seconds */
  async advance(seconds) {
    this.#milliseconds += seconds * 1000;
    this.#timers.tick(seconds * 1000);
    await settle();
  }
}
