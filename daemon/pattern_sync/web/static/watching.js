// As the daemon's record has it. A page may be left open for longer.
const LONGEST_SECONDS = 7 * 86_400;

/**
 * For how many seconds something has been looked at.
 * @param {number} since by the clock of performance.now()
 */
export function secondsSince(since) {
  return Math.min((performance.now() - since) / 1000, LONGEST_SECONDS);
}
