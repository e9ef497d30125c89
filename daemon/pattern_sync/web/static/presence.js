/**
 * @import { Identity } from "./identity.js"
 * @import { Memory } from "./memory.js"
 */

import { byId, setText } from "./dom.js";
import { visible } from "./format.js";

// Somebody who has not touched the page for so long reads nothing any more.
const IDLE_SECONDS = 300;

/** Who else reads which pattern, and the word to the others of what is read here. Without a name, nobody is told. */
export class Presence {
  #send;
  #memory;
  #identity;
  #changed;
  #place = byId("pattern-readers", HTMLElement);
  /** @type {Map<string, string[]>} */
  #readers = new Map();
  /** @type {string | null} */
  #patternId = null;
  #told = "";
  #idle = false;
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {object} parts
   * @param {(message: object) => boolean} parts.send returns whether there was a connection to send on
   * @param {Pick<Memory, "reviewer">} parts.memory
   * @param {Pick<Identity, "known">} parts.identity
   * @param {() => void} parts.changed called when others read other patterns
   */
  constructor({ send, memory, identity, changed }) {
    this.#send = send;
    this.#memory = memory;
    this.#identity = identity;
    this.#changed = changed;
    for (const event of ["keydown", "pointerdown", "visibilitychange"]) {
      document.addEventListener(event, () => this.#stir(), { passive: true });
    }
  }

  /**
   * The daemon told who reads what.
   * @param {Record<string, string[]>} readers
   */
  receive(readers) {
    this.#readers = new Map(Object.entries(readers));
    this.#draw();
    this.#changed();
  }

  /** A new connection knows nothing of this page. */
  reconnected() {
    this.#told = "";
    this.#tell();
  }

  /**
   * The page shows another pattern now; null for none.
   * @param {string | null} patternId
   */
  reads(patternId) {
    this.#patternId = patternId;
    this.#tell();
    this.#draw();
  }

  /**
   * The names of the others who read a pattern.
   * @param {string} patternId
   */
  others(patternId) {
    const own = this.#name;
    return (this.#readers.get(patternId) ?? []).filter((name) => name !== own);
  }

  get #name() {
    const { fixed, name } = this.#identity.known;
    return (fixed ? name : this.#memory.reviewer) ?? "";
  }

  #tell() {
    const reviewer = this.#name;
    if (!reviewer) return;
    const patternId = document.hidden || this.#idle ? null : this.#patternId;
    const message = { type: "reading", pattern_id: patternId, reviewer };
    const told = JSON.stringify(message);
    if (told !== this.#told && this.#send(message)) this.#told = told;
  }

  #stir() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#idle = true;
      this.#tell();
    }, IDLE_SECONDS * 1000);
    this.#idle = false;
    this.#tell();
  }

  #draw() {
    const names = this.#patternId === null ? [] : this.others(this.#patternId);
    this.#place.hidden = names.length === 0;
    setText(this.#place, names.length === 0 ? "" : readersText(names));
  }
}

/**
 * "ann is reading this", "ann and bob are reading this"
 * @param {string[]} names
 */
export function readersText(names) {
  const shown = names.map(visible);
  const last = shown.pop() ?? "";
  return shown.length === 0 ? `${last} is reading this` : `${shown.join(", ")} and ${last} are reading this`;
}
