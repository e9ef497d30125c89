const BYTES = 16;

/**
 * The key of a request that may have to be sent again: the same for the same content, so that it is done once, and
 * another one for another.
 */
export class RequestKey {
  #content = "";
  #key = "";

  /** @param {object} content */
  of(content) {
    const written = JSON.stringify(content);
    if (written !== this.#content || this.#key === "") this.#key = random();
    this.#content = written;
    return this.#key;
  }
}

// crypto.randomUUID() exists only where the page came over TLS or from this machine.
function random() {
  return [...crypto.getRandomValues(new Uint8Array(BYTES))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
