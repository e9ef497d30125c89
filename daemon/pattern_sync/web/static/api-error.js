/** @import { QueueEntry } from "wire" */

/** A request that failed. The message is a sentence for a person. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 when there was no answer, NaN when the page itself failed
   * @param {string} message
   * @param {{ entry?: QueueEntry | null | undefined, cause?: unknown }} [details] `entry`: after a conflict, the entry
   *   as it is now
   */
  constructor(status, message, { entry = null, cause } = {}) {
    super(message, { cause });
    this.status = status;
    this.entry = entry;
  }
}

/**
 * What a request was rejected with. Anything but an ApiError is a bug in the page: the console gets it, too.
 * @param {unknown} fault
 */
export function asApiError(fault) {
  if (fault instanceof ApiError) return fault;
  reportError(fault);
  return new ApiError(Number.NaN, `This is a bug in the page: ${fault}.`, { cause: fault });
}
