/** What this browser remembers. Where storage is refused (private windows, policies), it lasts as long as the page. */
export class Memory {
  #values = new Map();

  /** The reviewer's name, "" when not known. */
  get reviewer() {
    return this.#read(inBrowser, "pattern-sync.reviewer") ?? "";
  }

  set reviewer(name) {
    this.#write(inBrowser, "pattern-sync.reviewer", name);
  }

  /** Whether single letters work as keys. */
  get keys() {
    return this.#read(inBrowser, "pattern-sync.keys") !== "off";
  }

  set keys(on) {
    this.#write(inBrowser, "pattern-sync.keys", on ? "on" : "off");
  }

  /** The token, null when there is none; forgotten with the tab. */
  get token() {
    return this.#read(inTab, "pattern-sync.token");
  }

  set token(token) {
    this.#write(inTab, "pattern-sync.token", token);
  }

  #read(place, name) {
    try {
      return place().getItem(name) ?? this.#values.get(name) ?? null;
    } catch {
      return this.#values.get(name) ?? null;
    }
  }

  #write(place, name, value) {
    this.#values.set(name, value);
    try {
      place().setItem(name, value);
    } catch {
      // Kept in #values.
    }
  }
}

// Merely naming the storage can throw.
const inBrowser = () => window.localStorage;
const inTab = () => window.sessionStorage;
