/** @import { QueueEntry } from "wire" */

/**
 * One order of a list.
 * @typedef {object} Order
 * @property {string} label
 * @property {string} first what its natural direction begins with
 * @property {string} last what it begins with when it is reversed
 * @property {boolean} rising whether the natural direction begins with the least
 * @property {(entry: QueueEntry) => number | string | null} figure null comes last, whatever the direction
 */

/** @type {Record<string, Order>} */
const ORDERS = {
  impact: largest("Impact", (entry) => entry.impact_score),
  evidence: largest("Shown by evidence", (entry) => entry.evidence.savings_by_evidence),
  expected: largest("Expected", expected),
  savings: largest("USD a month", (entry) => entry.estimated_savings_usd),
  confidence: largest("Confidence", (entry) => entry.confidence_score),
  occurrences: largest("Occurrences", (entry) => entry.occurrence_count),
  workflows: largest("Workflows", (entry) => entry.evidence.workflows),
  "last-seen": newest("Last seen", (entry) => entry.evidence.last_seen),
  queued: newest("Queued", (entry) => entry.created_at),
  reviewed: newest("Decided", (entry) => entry.reviewed_at),
  name: { label: "Name", first: "A first", last: "Z first", rising: true, figure: (entry) => entry.pattern_id },
};

/** The order that is offered only while likelihoods are shown. */
export const EXPECTED = "expected";

/** The names of all orders, as the list offers them. */
export const ORDER_NAMES = Object.keys(ORDERS);

/**
 * How a list is sorted: "impact", or "-impact" for the least first.
 */
export class Sort {
  #name;
  #order;
  #reversed;

  /** @param {string} text what is no order counts as the usual one */
  constructor(text) {
    const name = text.replace(/^-/u, "");
    const order = Object.hasOwn(ORDERS, name) ? ORDERS[name] : undefined;
    this.#name = order ? name : "impact";
    this.#order = order ?? orderOf("impact");
    this.#reversed = order !== undefined && text.startsWith("-");
  }

  /** Without its direction. */
  get name() {
    return this.#name;
  }

  get reversed() {
    return this.#reversed;
  }

  /** Whether likely rejects come last, and fold away. */
  get folds() {
    return this.#name === EXPECTED && !this.#reversed;
  }

  get label() {
    return this.#order.label;
  }

  /** What comes first: "largest first". */
  get direction() {
    return this.#reversed ? this.#order.last : this.#order.first;
  }

  /** Whether the least comes first. */
  get rising() {
    return this.#order.rising !== this.#reversed;
  }

  /** The same order the other way round. */
  get opposite() {
    return new Sort(this.#reversed ? this.#name : `-${this.#name}`);
  }

  toString() {
    return this.#reversed ? `-${this.#name}` : this.#name;
  }

  /**
   * Negative when `one` comes first. The daemon's own rule: what has no figure is last, and names decide between equals.
   * @param {QueueEntry} one
   * @param {QueueEntry} other
   */
  compare(one, other) {
    const [figure, otherFigure] = [this.#order.figure(one), this.#order.figure(other)];
    if (figure !== otherFigure) {
      if (figure === null) return 1;
      if (otherFigure === null) return -1;
      return figure < otherFigure === this.rising ? -1 : 1;
    }
    if (one.pattern_id === other.pattern_id) return 0;
    return one.pattern_id < other.pattern_id ? -1 : 1;
  }

  /**
   * Where an entry is, or would be, among others that are in this order.
   * @param {QueueEntry} entry
   * @param {QueueEntry[]} sorted
   */
  place(entry, sorted) {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const other = sorted[middle];
      if (other && this.compare(other, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * What an entry is expected to bring, USD a month: what folds away comes after all others, in the same order. It is the
 * daemon's own rule; null where nothing was foretold.
 * @param {QueueEntry} entry
 */
function expected({ likelihood, folded, evidence, estimated_savings_usd: claimed }) {
  if (likelihood === null) return null;
  const brings = likelihood * Math.max(evidence.savings_by_evidence ?? claimed, 0);
  return folded ? -1 / (1 + brings) : brings;
}

/** @param {string} name */
export function orderOf(name) {
  const order = ORDERS[name];
  if (!order) throw new Error(`There is no order "${name}".`);
  return order;
}

/**
 * @param {string} label
 * @param {(entry: QueueEntry) => number | null} figure
 * @returns {Order}
 */
function largest(label, figure) {
  return { label, first: "largest first", last: "smallest first", rising: false, figure };
}

/**
 * @param {string} label
 * @param {(entry: QueueEntry) => string | null} time
 * @returns {Order}
 */
function newest(label, time) {
  /** @param {QueueEntry} entry */
  const moment = (entry) => {
    const said = time(entry);
    return said === null ? null : Date.parse(said);
  };
  return { label, first: "newest first", last: "oldest first", rising: false, figure: moment };
}
