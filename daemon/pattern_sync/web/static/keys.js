/**
 * @import { VirtualList } from "./list.js"
 * @import { Memory } from "./memory.js"
 */

/**
 * What the keys do.
 * @typedef {object} Actions
 * @property {(step: number) => void} move
 * @property {() => void} open
 * @property {() => void} approve
 * @property {() => void} approveWithNotes
 * @property {() => void} reject
 * @property {() => void} comment
 * @property {() => void} pick
 * @property {() => void} pickRange
 * @property {() => void} pickAll
 * @property {() => void} fold
 * @property {() => void} undo
 * @property {() => void} snooze
 * @property {() => void} object
 * @property {() => void} log
 * @property {() => void} search
 * @property {() => void} order
 * @property {() => void} reverse
 * @property {() => void} group
 * @property {() => void} groupBack
 * @property {() => void} leaveSearch
 * @property {() => void} leave
 * @property {() => void} keys
 *
 * @typedef {Pick<VirtualList, "hasFocus" | "pageRows">} List the list that is shown
 *
 * @typedef {{ actions: Actions, list: List, memory: Memory }} Parts
 *
 * @typedef {Record<string, () => void>} Bindings what is to be done, by the key
 */

/**
 * Single-key shortcuts, for people who spend their day here.
 * @param {Parts} parts
 */
export function listenToKeys(parts) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!(event.target instanceof Element) || document.querySelector("dialog[open], main:not([data-tab=list])")) return;
    const action = isTyping(event.target)
      ? typingAction(event.key, event.target, parts)
      : freeAction(event, event.target, parts);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** @param {Element} target */
function isTyping(target) {
  return target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
}

/**
 * @param {string} key
 * @param {Element} target
 * @param {Parts} parts
 */
function typingAction(key, target, { actions }) {
  return target.id === "search" && ["Escape", "Enter", "ArrowDown"].includes(key) ? actions.leaveSearch : null;
}

/**
 * @param {KeyboardEvent} event
 * @param {Element} target
 * @param {Parts} parts
 */
function freeAction({ key, repeat }, target, { actions, list, memory }) {
  if (key === "Escape") return actions.leave;
  if (memory.keys) {
    const moving = movingLetters(actions)[key];
    if (moving) return moving;
    const once = otherLetters(actions)[key];
    if (once) return repeat ? ignore : once;
  }
  // Elsewhere these keys scroll, press buttons and open selects.
  return target === document.body || list.hasFocus ? listKeys(actions, list)[key] : null;
}

function ignore() {
  // A key that is held down acts once.
}

/**
 * @param {Actions} actions
 * @returns {Bindings}
 */
function movingLetters({ move }) {
  return { j: () => move(1), k: () => move(-1) };
}

/**
 * @param {Actions} actions
 * @returns {Bindings}
 */
function otherLetters(actions) {
  return {
    a: actions.approve,
    A: actions.approveWithNotes,
    r: actions.reject,
    c: actions.comment,
    x: actions.pick,
    X: actions.pickRange,
    "*": actions.pickAll,
    f: actions.fold,
    s: actions.snooze,
    v: actions.object,
    l: actions.log,
    z: actions.undo,
    o: actions.order,
    O: actions.reverse,
    g: actions.group,
    G: actions.groupBack,
    "/": actions.search,
    "?": actions.keys,
  };
}

/**
 * @param {Actions} actions
 * @param {List} list
 * @returns {Bindings}
 */
function listKeys({ move, open }, list) {
  return {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    PageDown: () => move(list.pageRows),
    PageUp: () => move(-list.pageRows),
    Home: () => move(Number.NEGATIVE_INFINITY),
    End: () => move(Number.POSITIVE_INFINITY),
    Enter: open,
    ...(list.hasFocus && { " ": open }),
  };
}
