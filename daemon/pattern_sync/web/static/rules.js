/**
 * @import { RuleShown } from "wire"
 * @import { Api } from "./api.js"
 * @import { Rulebook } from "./rulebook.js"
 * @import { Undo } from "./undo.js"
 */

import { readAddress, writeAddress } from "./address.js";
import { asApiError } from "./api-error.js";
import { allById, byId, closest } from "./dom.js";
import { plural, ruleOf, visible } from "./format.js";
import { RuleCard } from "./rule-card.js";
import { ruleDetails } from "./rule-details.js";

const DAYS = 7;
const DAY_MILLISECONDS = 86_400_000;
// As many as one answer has.
const MOST = 500;

/** The rules that decide for people: a tab. One of them is opened, with its trial and what it did lately. */
export class Rules {
  #api;
  #rulebook;
  #undo;
  #elements = allById(
    "rules",
    "rules-summary",
    "rules-fault",
    "rules-fault-text",
    "rules-forbidden",
    "rules-list",
    "rules-how",
  );
  /** @type {Map<string, RuleCard>} */
  #cards = new Map();
  #asked = 0;

  /**
   * @param {object} parts
   * @param {Pick<Api, "rule" | "trial" | "batches" | "log">} parts.api
   * @param {Pick<Rulebook, "load">} parts.rulebook
   * @param {Pick<Undo, "undo">} parts.undo
   * @param {(patternId: string) => void} parts.visit called with the pattern that a person wants to see
   */
  constructor({ api, rulebook, undo, visit }) {
    this.#api = api;
    this.#rulebook = rulebook;
    this.#undo = undo;
    byId("rules-retry", HTMLButtonElement).addEventListener("click", () => this.show());
    this.#elements["rules-list"].addEventListener("click", (event) => {
      const patternId = closest(event, "[data-pattern-id]")?.dataset.patternId;
      if (patternId !== undefined) visit(patternId);
    });
  }

  /** Show them as they are now, and the one that the address names opened. */
  async show() {
    this.#asked += 1;
    const turn = this.#asked;
    const isLatest = () => turn === this.#asked;
    this.#elements.rules.setAttribute("aria-busy", "true");
    try {
      const { forbidden, rules } = await this.#rulebook.load();
      if (isLatest()) await this.#draw(rules, forbidden, isLatest);
    } catch (caught) {
      if (isLatest()) this.#showFault(asApiError(caught).message);
    }
    if (isLatest()) this.#elements.rules.setAttribute("aria-busy", "false");
  }

  /**
   * @param {RuleShown[]} rules
   * @param {boolean} forbidden
   * @param {() => boolean} isLatest
   */
  async #draw(rules, forbidden, isLatest) {
    const { rule: opened } = readAddress();
    this.#elements["rules-fault"].hidden = true;
    this.#elements["rules-forbidden"].hidden = !forbidden;
    this.#elements["rules-how"].hidden = rules.length > 0;
    this.#elements["rules-summary"].textContent = summaryOf(rules, opened);
    this.#deal(rules);
    // One after the other: each is measured on all that people have decided.
    for (const { name } of rules) {
      if (isLatest()) await this.#fill(name, name === opened, isLatest);
    }
  }

  /** @param {RuleShown[]} rules */
  #deal(rules) {
    const names = rules.map(({ name }) => name);
    const list = this.#elements["rules-list"];
    if (names.join() !== [...this.#cards.keys()].join()) {
      this.#cards = new Map(names.map((name) => [name, new RuleCard(name, () => this.#toggle(name))]));
      list.replaceChildren(...[...this.#cards.values()].map(({ element }) => element));
    }
    for (const rule of rules) this.#cards.get(rule.name)?.draw(rule);
  }

  /**
   * @param {string} name
   * @param {boolean} opened
   * @param {() => boolean} isLatest
   */
  async #fill(name, opened, isLatest) {
    const card = this.#cards.get(name);
    try {
      const [view, more] = await Promise.all([this.#api.rule(name), opened ? this.#ask(name) : null]);
      if (!isLatest()) return;
      card?.fill(view);
      if (more) card?.open(ruleDetails({ view, ...more }, (batchId, what) => this.#takeBack(batchId, what, name)));
      else card?.close();
    } catch (caught) {
      if (isLatest()) card?.complain(asApiError(caught).message);
    }
  }

  /** @param {string} name */
  async #ask(name) {
    const since = new Date(Date.now() - DAYS * DAY_MILLISECONDS).toISOString();
    const [trial, batches, decisions] = await Promise.all([
      this.#api.trial(name),
      this.#api.batches({ limit: MOST }),
      this.#api.log({ since, limit: MOST }),
    ]);
    const own = batches.filter(
      ({ reviewer, decided_at: at }) => ruleOf(reviewer)?.name === name && Date.parse(at) >= Date.parse(since),
    );
    return { trial, batches: own, decisions };
  }

  /** @param {string} name */
  #toggle(name) {
    const rule = this.#cards.get(name)?.opened ? null : name;
    writeAddress({ rule }, { step: true });
    this.show();
  }

  /**
   * @param {number} batchId
   * @param {string} what
   * @param {string} name of the rule
   */
  async #takeBack(batchId, what, name) {
    this.#cards.get(name)?.focus(); // the button goes away
    await this.#undo.undo(batchId, what);
    await this.show();
  }

  /** @param {string} message */
  #showFault(message) {
    this.#elements["rules-fault"].hidden = false;
    this.#elements["rules-fault-text"].textContent = message;
    if (this.#cards.size === 0) this.#elements["rules-summary"].textContent = "";
  }
}

/**
 * @param {RuleShown[]} rules
 * @param {string | null} opened
 */
function summaryOf(rules, opened) {
  const missing = opened !== null && !rules.some(({ name }) => name === opened);
  const unknown = missing ? ` There is no rule “${visible(opened)}”.` : "";
  if (rules.length === 0) return `No rule is written: people decide everything.${unknown}`;
  const at = (/** @type {RuleShown["state"]} */ state) => rules.filter((rule) => rule.state === state).length;
  return `${plural(rules.length, "rule")}: ${at("on")} on, ${at("watching")} watching, ${at("paused")} paused, ${at("off")} off.${unknown}`;
}
