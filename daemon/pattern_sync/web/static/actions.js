/**
 * @import { Decisions } from "./decisions.js"
 * @import { Actions } from "./keys.js"
 * @import { KeysDialog } from "./keys-dialog.js"
 * @import { VirtualList } from "./list.js"
 * @import { Log } from "./log.js"
 * @import { Picks } from "./picks.js"
 * @import { Queue } from "./queue.js"
 * @import { Selection } from "./selection.js"
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
 * @property {Snooze} snooze
 * @property {Log} log
 * @property {Undo} undo
 * @property {Queue} queue
 * @property {KeysDialog} keysDialog
 */

/**
 * What the keys do.
 * @param {Parts} parts
 * @returns {Actions}
 */
export function keyActions(parts) {
  const { selection, together, decisions, snooze, log, undo, queue, keysDialog } = parts;
  return {
    move: (step) => selection.move(step),
    open: () => selection.open(),
    approve: () => together.begin("approve"),
    approveWithNotes: () => together.begin("approve", { asks: true }),
    reject: () => together.begin("reject"),
    comment: () => decisions.begin("comment"),
    pick: () => together.pick(),
    pickRange: () => together.pickRange(),
    pickAll: () => together.pickAll(),
    snooze: () => snooze.begin(),
    log: () => log.open(),
    undo: () => undo.last(),
    search: () => selection.opened || queue.focusSearch(),
    order: () => queue.cycleSort(),
    reverse: () => queue.reverseSort(),
    leaveSearch: () => leaveSearch(parts),
    leave: () => leave(parts),
    keys: () => keysDialog.open(),
  };
}

// The next key is meant for what the search finds, whether that is there yet or not.
/** @param {Parts} parts */
async function leaveSearch({ selection, list, queue }) {
  list.focus();
  await queue.arrive();
  if (list.hasFocus) selection.enter();
}

/** @param {Parts} parts */
function leave({ selection, together, picks, list, queue }) {
  if (picks.size > 0 && !selection.opened) together.clear();
  else if (selection.opened || !list.hasFocus) selection.close();
  else if (queue.narrowed) queue.clearSearch();
}
