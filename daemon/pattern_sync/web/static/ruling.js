/**
 * @import { QueueEntry } from "wire"
 * @import { Api } from "./api.js"
 * @import { Details } from "./details.js"
 * @import { Identity } from "./identity.js"
 * @import { Memory } from "./memory.js"
 * @import { Rulebook } from "./rulebook.js"
 * @import { Selection } from "./selection.js"
 * @import { Signs } from "./signs.js"
 * @import { Undo } from "./undo.js"
 */

import { Objections } from "./objections.js";
import { RuleUndo } from "./rule-undo.js";
import { Rules } from "./rules.js";

/** What people do about rules: object to them, take back what they decided, and look at them in their tab. */
export class Ruling {
  /**
   * @param {object} parts
   * @param {Api} parts.api
   * @param {Rulebook} parts.rulebook
   * @param {Memory} parts.memory
   * @param {Identity} parts.identity
   * @param {Selection} parts.selection
   * @param {Details} parts.details
   * @param {Signs} parts.signs
   * @param {Undo} parts.undo
   * @param {(patternId: string, entry: QueueEntry) => void} parts.changed
   * @param {(patternId: string) => void} parts.visit called with the pattern that a person wants to see
   */
  constructor(parts) {
    this.objections = new Objections(parts);
    this.undo = new RuleUndo(parts);
    this.tab = new Rules(parts);
  }
}
