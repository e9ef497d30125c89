/**
 * What is known of the entries that are not held: of a group those around it, of a long view most.
 * @typedef {object} Around
 * @property {number | null} entries how many have the view's status
 * @property {number | null} savings of all of them, USD a month
 * @property {number} others how many are snoozed or, where those are shown, how many are not
 * @property {number | null} beside how many match that the fold leaves out
 * @property {[string, number][] | null} types with the number of their entries, the most frequent first
 */

/** @type {Readonly<Around>} */
export const NOTHING_KNOWN = { entries: null, savings: null, others: 0, beside: null, types: null };
