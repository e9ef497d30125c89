/**
 * @import { Counts } from "./counts.js"
 * @import { Live } from "./live.js"
 * @import { Queue } from "./queue.js"
 * @import { Signs } from "./signs.js"
 * @import { TokenDialog } from "./token-dialog.js"
 */

// One connection may fail by chance, as when the daemon restarts.
const REFUSALS_BEFORE_POLLING = 2;

/** What is done when the daemon, or something on the way to it, does not let this page in. */
export class Admission {
  #parts;

  /**
   * @param {object} parts
   * @param {Pick<Live, "connect" | "state" | "polls">} parts.live
   * @param {TokenDialog} parts.tokenDialog
   * @param {Pick<Queue, "paused">} parts.queue
   * @param {Pick<Counts, "refresh">} parts.counts
   * @param {Signs} parts.signs
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /**
   * Ask for a token; resolves to whether there is another one now.
   * @param {boolean} wrong
   */
  async askToken(wrong) {
    const { live, tokenDialog } = this.#parts;
    const told = await tokenDialog.obtain(wrong);
    if (told) live.connect();
    return told;
  }

  /** A person wants to connect now. */
  retry() {
    const { live, tokenDialog } = this.#parts;
    tokenDialog.declined = false;
    live.connect();
  }

  /**
   * A browser does not report why a WebSocket was refused. If a token is missing, any request asks for one; a person who
   * has declined is not asked again. If the daemon answers as usual, something on the way keeps WebSockets out, or the
   * daemon itself refuses this one.
   * @param {number} times
   */
  async learnWhy(times) {
    const { live, tokenDialog, queue, counts, signs } = this.#parts;
    if (tokenDialog.declined || queue.paused) return;
    const fault = await counts.refresh();
    if (live.state === "live") return;
    signs.inTheWay = fault?.strange ? fault.message : "";
    live.polls = fault === null && times >= REFUSALS_BEFORE_POLLING;
  }
}
