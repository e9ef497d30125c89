/** Single keys for those who live here. `actions` are the things to do, `list` the VirtualList. */
export function listenToKeys({ actions, list, memory }) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const action = isTyping(event.target) ? typingAction(event, actions) : freeAction(event, { actions, list, memory });
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function typingAction({ key, target }, actions) {
  if (target.id !== "search") return null;
  return { Escape: actions.leaveSearch, Enter: actions.leaveSearch, ArrowDown: actions.leaveSearch }[key] ?? null;
}

function freeAction({ key, repeat, target }, { actions, list, memory }) {
  if (key === "Escape") return actions.leave;
  if (memory.keys) {
    const moving = { j: () => actions.move(1), k: () => actions.move(-1) }[key];
    if (moving) return moving;
    const once = { a: actions.approve, r: actions.reject, c: actions.comment, "/": actions.search, "?": actions.keys }[
      key
    ];
    if (once) return repeat ? () => {} : once;
  }
  // Elsewhere these keys scroll, press buttons and open selects.
  if (target !== document.body && !list.hasFocus) return null;
  return (
    {
      ArrowDown: () => actions.move(1),
      ArrowUp: () => actions.move(-1),
      PageDown: () => actions.move(list.pageRows),
      PageUp: () => actions.move(-list.pageRows),
      Home: () => actions.move(-Infinity),
      End: () => actions.move(Infinity),
      Enter: actions.open,
      " ": list.hasFocus ? actions.open : null,
    }[key] ?? null
  );
}

function isTyping(target) {
  return target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
}
