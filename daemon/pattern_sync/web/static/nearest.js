/**
 * @import { Reasons } from "wire"
 * @import { Api } from "./api.js"
 * @import { Identity } from "./identity.js"
 * @import { Memory } from "./memory.js"
 * @import { Signs } from "./signs.js"
 * @import { Store } from "./store.js"
 */

import { asApiError } from "./api-error.js";
import { allById, build, setText } from "./dom.js";
import { money, visible } from "./format.js";

/** Below an empty queue: what is watched, and what is nearest to qualifying, which a person may queue anyway. */
export class Nearest {
  #api;
  #memory;
  #identity;
  #signs;
  #elements = allById("nearest", "nearest-watched", "nearest-title", "nearest-list");
  #shown = false;

  /**
   * @param {object} parts
   * @param {Pick<Api, "nearest" | "queueAnyway">} parts.api
   * @param {Memory} parts.memory
   * @param {Identity} parts.identity
   * @param {Pick<Signs, "toast">} parts.signs
   */
  constructor({ api, memory, identity, signs }) {
    this.#api = api;
    this.#memory = memory;
    this.#identity = identity;
    this.#signs = signs;
  }

  /** @param {Store} store */
  draw({ view, group, complete, size, asleep }) {
    const shown = view === "pending" && !group && complete && size === 0 && !asleep;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#elements.nearest.hidden = true;
    if (shown) this.#load();
  }

  async #load() {
    // It is an offer beside the list: without an answer there is none.
    const found = await this.#api.nearest().catch(() => []);
    if (!this.#shown) return;
    setText(this.#elements["nearest-watched"], watched(found));
    this.#elements["nearest-title"].hidden = found.length === 0;
    this.#elements["nearest-list"].replaceChildren(...found.map((each) => this.#item(each)));
    this.#elements.nearest.hidden = found.length === 0;
  }

  /** @param {Reasons} reasons */
  #item({ pattern_id: patternId, shortfalls, evidence }) {
    const button = build(
      "button",
      { type: "button", className: "small", ariaLabel: `Queue ${visible(patternId)} anyway` },
      "Queue it anyway",
    );
    button.addEventListener("click", () => this.#queue(patternId, button));
    const missed = shortfalls.map(
      ({ name, value, bound }) => `${visible(name)} ${visible(value)}, not ${visible(bound)}`,
    );
    const shown = evidence.savings_by_evidence;
    if (shown !== null) missed.push(`${money(shown)} a month by evidence`);
    return build(
      "li",
      {},
      build("bdi", {}, visible(patternId)),
      build("span", { className: "soft" }, missed.join("; ")),
      button,
    );
  }

  /**
   * @param {string} patternId
   * @param {HTMLButtonElement} button
   */
  async #queue(patternId, button) {
    button.disabled = true;
    const { fixed, name } = this.#identity.known;
    try {
      await this.#api.queueAnyway(patternId, (fixed ? name : this.#memory.reviewer) || null);
      this.#signs.toast(`“${visible(patternId)}” is in the queue`);
    } catch (caught) {
      this.#signs.toast(asApiError(caught).message);
      button.disabled = false;
    }
  }
}

/**
 * "Watched for: confidence 70 % or more, occurrences 5 or more, …"; "" where nothing says what the filter is.
 * @param {Reasons[]} found
 */
export function watched([first]) {
  const bounds = first?.criteria.map(({ name, bound }) => `${visible(name)} ${visible(bound)}`) ?? [];
  return bounds.length === 0 ? "" : `Watched for: ${bounds.join(", ")}.`;
}
