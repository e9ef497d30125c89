/** @import { QueueEntry } from "wire" */

/**
 * What folds away of the entries that match.
 * @typedef {object} Folded
 * @property {boolean} active whether the order of the list folds anything
 * @property {boolean} opened whether it is shown
 * @property {boolean} alone whether it is shown alone: the list is too long for its end to be at hand
 * @property {QueueEntry[]} entries those that are held
 * @property {number | null} likelyRejects how many there are; null while that is not known
 * @property {number | null} beside how many entries match and are not shown; null while that is not known
 */

const LIKELY_REJECTS = "likely:reject";

/** Which entries of a list fold away, as likely rejects. Knows nothing of the page or the network. */
export class Folding {
  active = false;
  opened = false;

  /** What a long list is narrowed to, in the query language. */
  get term() {
    if (!this.active) return "";
    return this.opened ? LIKELY_REJECTS : `-${LIKELY_REJECTS}`;
  }

  /** @param {{ folds: boolean }} order the order of the list */
  follow({ folds }) {
    this.active = folds;
    this.opened &&= folds;
  }

  switch() {
    this.opened = !this.opened;
  }

  /**
   * Of entries that match, those that are shown, and those that fold away, shown or not.
   * @param {QueueEntry[]} matching
   * @param {{ long: boolean }} list
   */
  apply(matching, { long }) {
    if (!this.active) return { rows: matching, folded: [] };
    const folded = matching.filter((entry) => entry.folded);
    if (this.opened) return { rows: long ? folded : matching, folded };
    return { rows: matching.filter((entry) => !entry.folded), folded };
  }

  /**
   * @param {object} list
   * @param {boolean} list.long
   * @param {QueueEntry[]} list.folded
   * @param {number | null} list.beside of a long one
   * @param {number | null} list.total how many rows it has
   * @returns {Folded}
   */
  of({ long, folded, beside, total }) {
    const { active, opened } = this;
    const known = { active, opened, alone: long && opened, entries: folded };
    if (!active) return { ...known, likelyRejects: 0, beside: 0 };
    if (long) return { ...known, likelyRejects: opened ? total : beside, beside };
    return { ...known, likelyRejects: folded.length, beside: opened ? 0 : folded.length };
  }
}

/**
 * The query of a long list for what its fold leaves out, in place of what it shows.
 * @param {string} query
 */
export function otherSide(query) {
  const shown = query.endsWith(`-${LIKELY_REJECTS}`) ? `-${LIKELY_REJECTS}` : LIKELY_REJECTS;
  return `${query.slice(0, -shown.length)}${shown.startsWith("-") ? "" : "-"}${LIKELY_REJECTS}`;
}
