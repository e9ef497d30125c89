import { capital, count, decided, money, percent, visible } from "./format.js";

const LONGEST_TEXT = 10_000;

const ACTIONS = {
  approve: { title: "Approve pattern", button: "Approve", label: "Notes (optional)", done: "approved" },
  reject: {
    title: "Reject pattern",
    button: "Reject",
    label: "Reason",
    done: "rejected",
    needed: "Say why: the reason is kept in the history.",
  },
  comment: { title: "Comment on pattern", button: "Comment", label: "Comment", needed: "Write something first." },
};

/** The dialog that confirms a decision or a comment. What was typed survives every failure, and closing too. */
export class DecisionDialog {
  #dialog = document.getElementById("decide");
  #title = document.getElementById("decide-title");
  #pattern = document.getElementById("decide-pattern");
  #figures = document.getElementById("decide-figures");
  #notice = document.getElementById("decide-notice");
  #label = document.getElementById("decide-label");
  #text = document.getElementById("decide-text");
  #textFault = document.getElementById("decide-text-fault");
  #reviewer = document.getElementById("reviewer");
  #reviewerFault = document.getElementById("reviewer-fault");
  #undo = document.getElementById("decide-undo");
  #cancel = document.getElementById("decide-cancel");
  #submit = document.getElementById("decide-submit");
  #memory;
  #send;
  #drafts = new Map();
  #case = null;
  #busy = false;

  /**
   * `send({entry, action, text, reviewer})` resolves when it is recorded, to what is to be done once the dialog is
   * closed, and throws an ApiError otherwise.
   */
  constructor({ memory, send }) {
    this.#memory = memory;
    this.#send = send;
    this.#cancel.addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("cancel", (event) => this.#busy && event.preventDefault());
    this.#dialog.addEventListener("keydown", (event) => this.#pressed(event));
    this.#text.addEventListener("input", () => this.#drafts.set(this.#draftName, this.#text.value));
    this.#reviewer.addEventListener("input", () => (this.#memory.reviewer = this.#reviewer.value.trim()));
    document.getElementById("decide-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#confirm();
    });
  }

  /** Whether a request is under way. */
  get busy() {
    return this.#busy;
  }

  /** Ask a person to confirm `action` (approve, reject or comment) on an entry as it is shown now. */
  open(entry, action) {
    if (this.#busy || this.#dialog.open) return;
    this.#case = { entry, action, settled: false };
    const { title, button, label, needed } = ACTIONS[action];
    const instead = action !== "comment" && entry.status !== "pending" ? " instead" : "";
    this.#title.textContent = title + instead;
    this.#pattern.textContent = visible(entry.pattern_id);
    this.#figures.textContent = figures(entry);
    this.#label.textContent = label;
    this.#text.value = this.#drafts.get(this.#draftName) ?? "";
    this.#text.toggleAttribute("required", Boolean(needed));
    this.#reviewer.value = this.#memory.reviewer;
    this.#undo.textContent = undoText(entry, action);
    this.#submit.textContent = button + instead;
    this.#submit.className = action === "comment" ? "primary" : action;
    this.#settle(false, null);
    this.#complain(this.#text, this.#textFault, "");
    this.#complain(this.#reviewer, this.#reviewerFault, "");
    this.#dialog.showModal();
    this.#text.focus();
  }

  /** An entry changed (null: it was removed). Tell the person whose dialog is about it. */
  entryChanged(patternId, entry) {
    if (!this.#dialog.open || this.#case.entry.pattern_id !== patternId) return;
    this.#case.latest = entry;
    // While a decision is under way the change is most likely its own.
    if (!this.#busy) this.#compare(entry);
  }

  #compare(entry) {
    const { entry: seen, action } = this.#case;
    if (entry?.status === seen.status && (seen.status === "pending" || entry.reviewed_at === seen.reviewed_at)) {
      if (this.#case.settled) this.#settle(false, null);
      return;
    }
    const news = entry ? `Meanwhile: ${decided(entry)}.` : "Meanwhile the entry was removed from the queue.";
    if (entry && action === "comment") this.#say(news);
    else this.#settle(true, `${news} ${wayOut(action, entry)}`);
  }

  // Settled: there is nothing left to confirm here.
  #settle(settled, text) {
    this.#case.settled = settled;
    this.#cancel.textContent = settled ? "Close" : "Cancel";
    this.#undo.hidden = settled;
    this.#say(text);
    this.#enable();
  }

  async #confirm() {
    if (this.#busy || this.#case.settled || !this.#check()) return;
    const current = this.#case;
    const draftName = this.#draftName;
    const reviewer = this.#reviewer.value.trim();
    this.#busy = true;
    this.#say(null);
    this.#enable();
    try {
      const text = this.#text.value.trim();
      const conclude = await this.#send({ entry: current.entry, action: current.action, text, reviewer });
      this.#busy = false;
      this.#drafts.delete(draftName);
      this.#dialog.close();
      conclude();
    } catch (fault) {
      this.#busy = false;
      this.#failed(fault);
    }
  }

  #failed(fault) {
    const conflict = fault.status === 409 || fault.status === 404;
    const { action } = this.#case;
    // What the database keeps out comes without an entry, and says itself that nothing was written.
    const nothing = fault.status === 409 && !fault.body?.entry ? "" : " Nothing was changed.";
    const refused = () => `${sentence(fault.message)}${nothing} ${wayOut(action, fault.body?.entry)}`;
    this.#settle(conflict, conflict ? refused() : faultText(fault, action));
    if (!conflict && this.#case.latest !== undefined) this.#compare(this.#case.latest);
    // A browser lets nobody be held in a dialog: it may be closed by now, but the answer is due all the same.
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  #check() {
    const { needed } = ACTIONS[this.#case.action];
    const text = this.#text.value.trim();
    const tooLong = `At most ${count(LONGEST_TEXT)} characters; these are ${count(text.length)}.`;
    const textFault = text.length > LONGEST_TEXT ? tooLong : needed && !text ? needed : "";
    const reviewerFault = this.#reviewer.value.trim() ? "" : "Your name goes into the history.";
    this.#complain(this.#text, this.#textFault, textFault);
    this.#complain(this.#reviewer, this.#reviewerFault, reviewerFault);
    if (textFault) this.#text.focus();
    else if (reviewerFault) this.#reviewer.focus();
    return !textFault && !reviewerFault;
  }

  #complain(field, place, text) {
    place.textContent = text;
    field.setAttribute("aria-invalid", text !== "");
  }

  #say(text) {
    this.#notice.hidden = text === null;
    this.#notice.textContent = text ?? "";
  }

  #enable() {
    this.#dialog.setAttribute("aria-busy", this.#busy);
    this.#submit.disabled = this.#busy || this.#case.settled;
    this.#cancel.disabled = this.#busy;
    this.#text.readOnly = this.#busy;
    this.#reviewer.readOnly = this.#busy;
  }

  #pressed(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat || event.isComposing) return;
    event.preventDefault();
    this.#confirm();
  }

  get #draftName() {
    return JSON.stringify([this.#case.action, this.#case.entry.pattern_id]);
  }
}

/** The dialog that asks for the token. */
export class TokenDialog {
  #dialog = document.getElementById("token-dialog");
  #field = document.getElementById("token");
  #notice = document.getElementById("token-notice");
  #answer = null;

  constructor() {
    document.getElementById("token-cancel").addEventListener("click", () => this.#dialog.close());
    // The event comes a moment after the close; by then it may be asked, and open, again.
    this.#dialog.addEventListener("close", () => this.#dialog.open || this.#resolve(null));
    document.getElementById("token-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submitted();
    });
  }

  /** Resolves to the token, or to null when the person gives none. `wrong`: the last one was refused. */
  ask(wrong) {
    this.#field.value = "";
    this.#notice.hidden = !wrong;
    this.#notice.textContent = wrong
      ? "That token was not accepted. Try again, or ask the operator for the current one."
      : "";
    this.#dialog.showModal();
    this.#field.focus();
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  #submitted() {
    const token = this.#field.value.trim();
    if (!token) return this.#field.focus();
    this.#resolve(token);
    this.#dialog.close();
  }

  #resolve(token) {
    this.#answer?.(token);
    this.#answer = null;
    this.#field.value = "";
  }
}

/** The dialog that shows the keys, and switches the single letters off for those whom they disturb. */
export class KeysDialog {
  #dialog = document.getElementById("keys-dialog");

  constructor({ memory }) {
    const on = document.getElementById("keys-on");
    on.checked = memory.keys;
    on.addEventListener("change", () => {
      memory.keys = on.checked;
    });
    this.#dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#dialog.close();
    });
    document.getElementById("keys-button").addEventListener("click", () => this.open());
  }

  open() {
    this.#dialog.showModal();
  }
}

function figures(entry) {
  return [
    `${money(entry.estimated_savings_usd)} a month`,
    `${count(entry.occurrence_count)} occurrences`,
    `${percent(entry.confidence_score)} confidence`,
  ].join(" · ");
}

function undoText(entry, action) {
  if (action === "comment") return "A comment cannot be taken back.";
  if (entry.status === "pending") return "It can be undone only by a new decision.";
  return `This replaces a decision: ${decided(entry)}. Both stay in the history.`;
}

function faultText(fault, action) {
  const message = sentence(fault.message);
  const kept = "What you typed is kept here.";
  if (fault.status === 0) {
    const thing = action === "comment" ? "the comment" : "the decision";
    const risk =
      action === "comment" ? "look at the history before you send it again" : "sending it again does no harm";
    return `${message} Whether ${thing} was recorded is not known: ${risk}. ${kept}`;
  }
  if (fault.status === 503) return `${message} Nothing was recorded. ${kept} Try again in a moment.`;
  return `${message} ${kept}`;
}

function wayOut(action, entry) {
  const other = entry && entry.status !== "pending" && !entry.status.endsWith(ACTIONS[action].done);
  const instead = `To replace that decision, close this and choose “${ACTIONS[action].button} instead…”. `;
  return `${other ? instead : ""}What you typed is kept.`;
}

// What the daemon says may or may not end in a full stop.
function sentence(text) {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** What a toast says of a recorded action: "Approved “sdlc:full:all”". */
export function recorded(action, entry) {
  const word = action === "comment" ? "Commented on" : capital(ACTIONS[action].done);
  return `${word} “${visible(entry.pattern_id)}”`;
}
