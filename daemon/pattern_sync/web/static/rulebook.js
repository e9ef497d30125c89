/**
 * @import { EntryMark, QueueEntry, RuleList } from "wire"
 * @import { Api } from "./api.js"
 */

/** The rules as far as they are known here. Nobody asks for them before an entry is marked, or the tab is opened. */
export class Rulebook {
  #api;
  #changed;
  /** @type {RuleList | null} */
  #known = null;
  /** @type {Set<string>} */
  #sought = new Set();

  /**
   * @param {object} parts
   * @param {Pick<Api, "rules">} parts.api
   * @param {() => void} parts.changed called when more is known of marks
   */
  constructor({ api, changed }) {
    this.#api = api;
    this.#changed = changed;
  }

  /**
   * What a rule is about to decide of an entry; null for nothing. Where rules are forbidden, what they have marked
   * before comes to nothing.
   * @param {Pick<QueueEntry, "mark">} entry
   */
  markOf({ mark }) {
    if (mark && !this.#ruleOf(mark)) this.#seek(mark);
    return this.#known === null || this.#known.forbidden ? null : mark;
  }

  /**
   * What the rule of a mark is bound to, in words; "" while that is not known.
   * @param {EntryMark} mark
   */
  boundsOf(mark) {
    return this.#ruleOf(mark)?.bounds ?? "";
  }

  /** Ask for the rules as they are now. Throws an ApiError. */
  async load() {
    this.#known = await this.#api.rules();
    return this.#known;
  }

  /** @param {EntryMark} mark */
  #ruleOf({ rule, version }) {
    return this.#known?.rules.find((each) => each.name === rule && each.version === version);
  }

  /**
   * A version is asked for once: it may have been changed meanwhile.
   * @param {EntryMark} mark
   */
  async #seek({ rule, version }) {
    const wanted = `${rule}@${version}`;
    if (this.#sought.has(wanted)) return;
    this.#sought.add(wanted);
    // The entry says that it is marked: that is told also where nothing else is known.
    await this.load().catch(() => {
      this.#known ??= { forbidden: false, rules: [] };
    });
    this.#changed();
  }
}
