/**
 * @import { Decisions } from "./decisions.js"
 * @import { Fold } from "./fold.js"
 * @import { Grouping } from "./grouping.js"
 * @import { Actions } from "./keys.js"
 * @import { KeysDialog } from "./keys-dialog.js"
 * @import { VirtualList } from "./list.js"
 * @import { Log } from "./log.js"
 * @import { Objections } from "./objections.js"
 * @import { Picks } from "./picks.js"
 * @import { Queue } from "./queue.js"
 * @import { Selection } from "./selection.js"
 * @import { Signs } from "./signs.js"
 * @import { Snooze } from "./snooze.js"
 * @import { Together } from "./together.js"
 * @import { Undo } from "./undo.js"
 */

/**
 * The parts of the page that keys act on.
 * @typedef {object} Parts
 * @property {Selection} selection
 * @property {Together} together
 * @property {Decisions} decisions
 * @property {Picks} picks
 * @property {VirtualList} list
 * @property {Fold} fold
 * @property {Snooze} snooze
 * @property {Objections} objections
 * @property {Log} log
 * @property {Undo} undo
 * @property {Queue} queue
 * @property {Grouping} grouping
 * @property {Signs} signs
 * @property {KeysDialog} keysDialog
 */

/**
 * What the keys do.
 * @param {Parts} parts
 * @returns {Actions}
 */
export function keyActions(parts) {
  const { selection, together, decisions, fold, snooze, objections, log, undo, queue, grouping, signs, keysDialog } =
    parts;
  /** @type {(groups: () => void, patterns: () => void) => () => void} */
  const either = (groups, patterns) => () => (grouping.listing && !selection.opened ? groups() : patterns());
  return {
    move: (step) => (grouping.listing ? grouping.move(step) : selection.move(step)),
    open: either(
      () => grouping.open(),
      () => selection.open(),
    ),
    approve: either(
      () => grouping.decide("approve"),
      () => together.begin("approve"),
    ),
    approveWithNotes: either(
      () => grouping.decide("approve"),
      () => together.begin("approve", { asks: true }),
    ),
    reject: either(
      () => grouping.decide("reject"),
      () => together.begin("reject"),
    ),
    comment: () => decisions.begin("comment"),
    pick: either(
      () => grouping.pick(),
      () => together.pick(),
    ),
    pickRange: () => together.pickRange(),
    pickAll: either(
      () => signs.toast("Open a group, or leave the groups, to select all."),
      () => together.pickAll(),
    ),
    fold: () => fold.toggle(),
    snooze: () => snooze.begin(),
    object: () => objections.begin(),
    log: () => log.open(),
    undo: () => undo.last(),
    search: () => selection.opened || queue.focusSearch(),
    order: () => queue.cycleSort(),
    reverse: () => queue.reverseSort(),
    group: () => grouping.cycle(1),
    groupBack: () => grouping.cycle(-1),
    leaveSearch: () => leaveSearch(parts),
    leave: () => leave(parts),
    keys: () => keysDialog.open(),
  };
}

// The next key is meant for what the search finds, whether that is there yet or not.
/** @param {Parts} parts */
async function leaveSearch({ selection, list, queue, grouping }) {
  grouping.focus();
  await queue.arrive();
  if (list.hasFocus) selection.enter();
}

/** @param {Parts} parts */
function leave({ selection, together, picks, queue, grouping }) {
  if (picks.size > 0 && !selection.opened) together.clear();
  else if (selection.opened) selection.close();
  else if (!grouping.hasFocus) grouping.focus();
  else if (queue.narrowed) queue.clearSearch();
  else if (grouping.opened) grouping.leave();
}
