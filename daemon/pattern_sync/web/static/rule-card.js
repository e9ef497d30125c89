/**
 * @import { RuleInFull, RuleShown } from "wire"
 */

import { build } from "./dom.js";
import { capital, reviewerText, time, visible } from "./format.js";
import { didText, guardsText, termsText } from "./rule-texts.js";

/** One rule of the tab: what it decides, how far it has proved itself, what it did; and below, when opened, the rest. */
export class RuleCard {
  #button;
  #state = build("span", { className: "status" });
  #terms = build("p", {});
  #paused = build("p", { className: "notice" });
  #proof = build("p", { className: "proof" });
  #did = build("p", {});
  #guards = build("p", { className: "soft" });
  #fault = build("p", { className: "notice" });
  #more;

  /**
   * @param {string} name
   * @param {() => void} toggle called when a person opens or closes it
   */
  constructor(name, toggle) {
    const moreId = `rule-${name}`;
    this.#button = build("button", { type: "button", className: "quiet", ariaExpanded: "false" }, name);
    this.#button.setAttribute("aria-controls", moreId);
    this.#button.addEventListener("click", toggle);
    this.#more = build("div", { id: moreId, className: "rule-more", hidden: true });
    this.element = build(
      "article",
      { className: "rule" },
      build("h3", {}, this.#button, this.#state),
      this.#paused,
      this.#terms,
      this.#proof,
      this.#did,
      this.#guards,
      this.#fault,
      this.#more,
    );
    this.element.dataset.rule = name;
    this.#fault.hidden = true;
  }

  get opened() {
    return !this.#more.hidden;
  }

  focus() {
    this.#button.focus();
  }

  /** @param {RuleShown} rule */
  draw(rule) {
    const { state, version, paused_because: because, terms, changed_by: who, changed_at: at } = rule;
    this.#state.textContent = capital(state);
    this.#state.dataset.state = state;
    this.#terms.textContent = termsText(rule);
    this.#paused.hidden = because === null;
    this.#paused.textContent = because === null ? "" : `Paused: ${visible(because)}`;
    this.#guards.textContent = `${guardsText(terms)} Version ${version}, changed by ${reviewerText(who)} on ${time(at)}.`;
  }

  /** @param {RuleInFull} view */
  fill({ about }) {
    this.#fault.hidden = true;
    this.#proof.textContent = `Proof: ${about.proof_in_words}`;
    this.#proof.dataset.proven = String(about.is_proven);
    this.#did.textContent = didText(about.counts);
  }

  /** @param {string} message */
  complain(message) {
    this.#fault.hidden = false;
    this.#fault.textContent = message;
  }

  /** @param {HTMLElement[]} content */
  open(content) {
    this.#more.replaceChildren(...content);
    this.#expand(true);
  }

  close() {
    this.#more.replaceChildren();
    this.#expand(false);
  }

  /** @param {boolean} opened */
  #expand(opened) {
    this.#more.hidden = !opened;
    this.#button.ariaExpanded = String(opened);
  }
}
