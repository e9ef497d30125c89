const REVIEWER = "pattern-sync.reviewer";
const KEYS = "pattern-sync.keys";
const REASONS = "pattern-sync.reasons";
const BELL = "pattern-sync.bell";
const TOKEN = "pattern-sync.token";
const DRAFT = "pattern-sync.draft.";

// Merely accessing the storage can throw.
const browserStorage = () => window.localStorage;
const tabStorage = () => window.sessionStorage;

/** What this browser remembers. Where storage is refused (private windows, policies), it lasts as long as the page. */
export class Memory {
  /** @type {Map<string, string>} */
  #values = new Map();

  /** The reviewer's name, "" when not known. */
  get reviewer() {
    return this.#read(browserStorage, REVIEWER) ?? "";
  }

  set reviewer(name) {
    this.#write(browserStorage, REVIEWER, name);
  }

  /** Whether the single-letter shortcuts are on. */
  get keys() {
    return this.#read(browserStorage, KEYS) !== "off";
  }

  set keys(on) {
    this.#write(browserStorage, KEYS, on ? "on" : "off");
  }

  /** The reasons that were given before, as they were written here; "" for none. */
  get reasons() {
    return this.#read(browserStorage, REASONS) ?? "";
  }

  set reasons(text) {
    this.#write(browserStorage, REASONS, text);
  }

  /** Whether the browser is to notify of new patterns. */
  get bell() {
    return this.#read(browserStorage, BELL) === "on";
  }

  set bell(on) {
    this.#write(browserStorage, BELL, on ? "on" : "off");
  }

  /** The token, null when there is none. All tabs share it: another one may have been told a newer one. */
  get token() {
    return this.#read(browserStorage, TOKEN);
  }

  /** @param {string} token */
  rememberToken(token) {
    this.#write(browserStorage, TOKEN, token);
  }

  /**
   * Call with the token that another tab was told.
   * @param {(token: string) => void} told
   */
  onToken(told) {
    window.addEventListener("storage", ({ key }) => key === TOKEN && this.token !== null && told(this.token));
  }

  /**
   * What was typed and not sent yet, also before a reload; "" for nothing.
   * @param {string} name what it is for
   */
  draft(name) {
    return this.#read(tabStorage, DRAFT + name) ?? "";
  }

  /**
   * @param {string} name
   * @param {string} text "" forgets it
   */
  keepDraft(name, text) {
    if (text === "") this.#forget(tabStorage, DRAFT + name);
    else this.#write(tabStorage, DRAFT + name, text);
  }

  /**
   * @param {() => Storage} storage
   * @param {string} name
   */
  #read(storage, name) {
    const remembered = this.#values.get(name) ?? null;
    try {
      return storage().getItem(name) ?? remembered;
    } catch {
      return remembered;
    }
  }

  /**
   * @param {() => Storage} storage
   * @param {string} name
   */
  #forget(storage, name) {
    this.#values.delete(name);
    try {
      storage().removeItem(name);
    } catch {
      // It was never there.
    }
  }

  /**
   * @param {() => Storage} storage
   * @param {string} name
   * @param {string} value
   */
  #write(storage, name, value) {
    this.#values.set(name, value);
    try {
      storage().setItem(name, value);
    } catch {
      // Kept in #values.
    }
  }
}
