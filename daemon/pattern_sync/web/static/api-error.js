/** @import { QueueEntry } from "wire" */

/** A request that failed. The message is a sentence for a person. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 when the daemon gave no answer, NaN when the page itself failed
   * @param {string} message
   * @param {{ entry?: QueueEntry | null | undefined, waitSeconds?: number, strange?: boolean, cause?: unknown }} [details]
   *   `entry`: after a conflict, the entry as it is now; `waitSeconds`: how long the page was asked to wait; `strange`:
   *   somebody else than the daemon answered
   */
  constructor(status, message, { entry = null, waitSeconds = 0, strange = false, cause } = {}) {
    super(message, { cause });
    this.status = status;
    this.entry = entry;
    this.waitSeconds = waitSeconds;
    this.strange = strange;
  }

  /** Whether nobody knows if the request took effect: there was no answer, the database gave none, or it met a bug. */
  get inDoubt() {
    return this.status === 0 || (this.status >= 500 && this.status !== 503);
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
