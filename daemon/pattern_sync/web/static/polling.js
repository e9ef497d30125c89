const SHORTEST_PAUSE_SECONDS = 5;
// A long list is read again in full: one page must not cost the daemon more than this share of the time.
const LARGEST_SHARE_OF_TIME = 0.05;

/** Looks for changes now and then while no live connection comes about. One look at a time. */
export class Polling {
  #look;
  /** @type {number | undefined} */
  #timer;
  #on = false;

  /** @param {{ look: () => void }} parts `look`: starts a look, after which `looked` is to be called */
  constructor({ look }) {
    this.#look = look;
  }

  /** @param {boolean} on */
  set on(on) {
    if (on === this.#on) return;
    this.#on = on;
    clearTimeout(this.#timer);
    if (on) this.#start();
  }

  /**
   * A look has ended.
   * @param {number} seconds that it took
   */
  looked(seconds) {
    if (this.#on) this.#startIn(Math.max(SHORTEST_PAUSE_SECONDS, seconds / LARGEST_SHARE_OF_TIME));
  }

  /** @param {number} seconds */
  #startIn(seconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#start(), seconds * 1000);
  }

  #start() {
    if (document.hidden) this.#startIn(SHORTEST_PAUSE_SECONDS);
    else this.#look();
  }
}
