/**
 * @import { QueueEntry } from "wire"
 * @import { Api } from "./api.js"
 * @import { Rulebook } from "./rulebook.js"
 * @import { Store } from "./store.js"
 */

import { Background } from "./background.js";
import { allById, build, fillList, setText } from "./dom.js";
import { EvidenceBlock, shownExactly } from "./evidence.js";
import { Expectation } from "./expectation.js";
import {
  capital,
  count,
  decider,
  decisionNotes,
  money,
  percent,
  ruleOf,
  share,
  steps,
  time,
  visible,
  visibleLines,
} from "./format.js";
import { Likelihood } from "./likelihood.js";
import { MarkNote } from "./mark-note.js";
import { nameSigns } from "./name-signs.js";
import { Overview } from "./overview.js";
import { Similar } from "./similar.js";
import { isAsleep } from "./snooze-texts.js";

const UNDO_MILLISECONDS = 7 * 86_400_000;

/** The right half of the page: the selected pattern's figures, or what the view holds when none is selected. */
export class Details {
  #elements = allById(
    "details",
    "pattern",
    "pattern-status",
    "pattern-since",
    "details-title",
    "pattern-rank",
    "pattern-id",
    "pattern-elsewhere",
    "actions",
    "approve",
    "approve-notes",
    "reject",
    "snooze-button",
    "facts",
    "decision",
    "decision-title",
    "decision-notes",
    "decision-undo",
    "figure-savings",
    "figure-shown",
    "figure-share",
    "figure-occurrences",
    "figure-confidence",
    "steps",
    "pattern-oddities",
    "context-section",
    "context",
    "sessions-section",
    "sessions",
  );
  /** @type {string | null} */
  #patternId = null;
  #overview = new Overview();
  #evidence = new EvidenceBlock();
  #background;
  #similar;
  #expectation;
  #likelihood;
  #markNote;

  /**
   * @param {object} parts
   * @param {Api} parts.api
   * @param {Rulebook} parts.rulebook
   * @param {(patternId: string) => void} parts.choose called with another pattern that a person wants to see
   */
  constructor({ api, rulebook, choose }) {
    this.#background = new Background({ api, retryButton: (retry) => this.#retryButton(retry) });
    this.#similar = new Similar({ api, choose });
    this.#expectation = new Expectation({ api });
    this.#likelihood = new Likelihood({ api });
    this.#markNote = new MarkNote({ rulebook });
  }

  /**
   * Nothing is selected: show what the view holds.
   * @param {Store} store
   */
  showOverview(store) {
    const { details, pattern } = this.#elements;
    this.#forget();
    details.dataset.shown = "overview";
    details.setAttribute("aria-labelledby", "overview-figure");
    pattern.hidden = true;
    this.#overview.show(store);
  }

  /**
   * @param {QueueEntry} entry
   * @param {object} context
   * @param {number | null} context.fraction its part of the view's value
   * @param {string | null} context.elsewhere why it is not in the list
   * @param {string[]} context.alike the names of others that look like its own
   * @param {{ place: string, rule: string }} context.rank why it stands where it does
   */
  show(entry, { fraction, elsewhere, alike, rank }) {
    const another = entry.pattern_id !== this.#patternId;
    this.#patternId = entry.pattern_id;
    this.#showFacts(entry, fraction, elsewhere);
    this.#showRank(rank);
    this.#likelihood.show(entry);
    this.#showOddities(oddities(entry.pattern_id, alike));
    this.#markNote.show(entry);
    if (!another) return;
    this.#elements.details.scrollTop = 0;
    this.#background.start(entry.pattern_id);
    this.#similar.start(entry.pattern_id);
    this.#expectation.start(entry.pattern_id);
  }

  /**
   * The entry has been asked for.
   * @param {string} patternId
   */
  showLoading(patternId) {
    this.#showNothing(patternId, "Loading…", []);
  }

  /**
   * There is no such entry.
   * @param {string} patternId
   */
  showMissing(patternId) {
    this.#showNothing(patternId, "Not in the queue", ["The queue has no such entry."]);
  }

  /**
   * It is not known whether there is such an entry.
   * @param {string} patternId
   * @param {string} reason
   * @param {() => void} retry
   */
  showUnknown(patternId, reason, retry) {
    this.#showNothing(patternId, "Unknown", [`${reason} `, this.#retryButton(retry)]);
  }

  /** Ask the daemon again for history and criteria; what is shown stays until it has answered. */
  refresh() {
    this.#background.refresh();
  }

  get hasFocus() {
    return this.#elements.details.contains(document.activeElement);
  }

  focusTitle() {
    this.#elements["details-title"].focus();
  }

  /**
   * @param {string} patternId
   * @param {string} status
   * @param {(string | Node)[]} explanation
   */
  #showNothing(patternId, status, explanation) {
    const { "pattern-elsewhere": elsewhere, actions, facts } = this.#elements;
    this.#forget();
    this.#frame("missing", patternId);
    this.#showStatus("missing", status, "");
    elsewhere.replaceChildren(...explanation);
    elsewhere.hidden = false;
    actions.hidden = true;
    facts.hidden = true;
    this.#elements["pattern-rank"].hidden = true;
  }

  // The next entry starts afresh, even one with the same id: nothing is known of this one.
  #forget() {
    this.#background.stop();
    this.#similar.stop();
    this.#expectation.stop();
    this.#likelihood.stop();
    this.#markNote.hide();
    this.#patternId = null;
  }

  /** @param {() => void} retry */
  #retryButton(retry) {
    const button = build("button", { type: "button", className: "small" }, "Try again");
    button.addEventListener("click", () => {
      this.focusTitle(); // the button goes away
      retry();
    });
    return button;
  }

  /**
   * @param {"pattern" | "missing"} shown
   * @param {string} patternId
   */
  #frame(shown, patternId) {
    const { details, pattern, "pattern-id": id } = this.#elements;
    details.dataset.shown = shown;
    details.setAttribute("aria-labelledby", "details-title");
    this.#overview.hide();
    pattern.hidden = false;
    setText(id, visible(patternId));
  }

  /**
   * @param {QueueEntry} entry
   * @param {number | null} fraction
   * @param {string | null} elsewhere
   */
  #showFacts(entry, fraction, elsewhere) {
    const { facts, context, "context-section": contextSection, "sessions-section": sessionsSection } = this.#elements;
    this.#frame("pattern", entry.pattern_id);
    this.#showStatus(entry.status, capital(entry.status), entry.created_at ? `queued ${time(entry.created_at)}` : "");
    setText(this.#elements["pattern-elsewhere"], elsewhere ?? "");
    this.#elements["pattern-elsewhere"].hidden = !elsewhere;
    facts.hidden = false;
    setText(this.#elements["figure-savings"], money(entry.estimated_savings_usd));
    setText(this.#elements["figure-shown"], shownExactly(entry.evidence));
    setText(this.#elements["figure-share"], share(fraction));
    setText(this.#elements["figure-occurrences"], count(entry.occurrence_count));
    setText(this.#elements["figure-confidence"], percent(entry.confidence_score));
    this.#evidence.show(entry.evidence);
    setText(context, visibleLines(entry.pattern_context));
    contextSection.hidden = !entry.pattern_context;
    sessionsSection.hidden = entry.example_sessions.length === 0;
    this.#showActions(entry);
    this.#showDecision(entry);
    fillList(this.#elements.steps, steps(entry.tool_sequence), textItem);
    fillList(this.#elements.sessions, entry.example_sessions, textItem);
  }

  /**
   * @param {string} status
   * @param {string} text
   * @param {string} since
   */
  #showStatus(status, text, since) {
    this.#elements["pattern-status"].dataset.status = status;
    setText(this.#elements["pattern-status"], text);
    setText(this.#elements["pattern-since"], since);
  }

  /** @param {QueueEntry} entry */
  #showActions(entry) {
    const { status } = entry;
    const { actions, approve, "approve-notes": notes, reject } = this.#elements;
    const instead = status === "pending" ? "" : " instead…";
    actions.hidden = false;
    approve.hidden = status.endsWith("approved");
    reject.hidden = status.endsWith("rejected");
    this.#elements["snooze-button"].hidden = status !== "pending";
    setText(this.#elements["snooze-button"], isAsleep(entry, Date.now()) ? "Wake" : "Snooze…");
    notes.hidden = status !== "pending";
    setText(approve, `Approve${instead}`);
    setText(reject, `Reject${instead || "…"}`);
  }

  /** @param {{ place: string, rule: string }} rank */
  #showRank({ place, rule }) {
    const { "pattern-rank": element } = this.#elements;
    const text = place ? `${place}: ${rule}` : `Impact: ${rule}`;
    // Only what differs: rewriting it would drop a person's selection in it.
    if (element.textContent !== text) element.replaceChildren(build("b", {}, place || "Impact"), `: ${rule}`);
    element.hidden = false;
  }

  /** @param {string} text */
  #showOddities(text) {
    setText(this.#elements["pattern-oddities"], text);
    this.#elements["pattern-oddities"].hidden = text === "";
  }

  /** @param {QueueEntry} entry */
  #showDecision(entry) {
    const { decision, "decision-title": title, "decision-notes": notes } = this.#elements;
    decision.hidden = entry.status === "pending";
    decision.dataset.status = entry.status;
    title.replaceChildren(...decisionHeading(entry));
    setText(notes, visibleLines(decisionNotes(entry)));
    this.#elements["decision-undo"].hidden = !isUndoable(entry);
  }
}

/**
 * What makes a name easy to take for another one.
 * @param {string} patternId
 * @param {string[]} alike
 */
function oddities(patternId, alike) {
  return nameSigns(patternId, alike)
    .map(({ words }) => `It ${words}.`)
    .join(" ");
}

/**
 * Whether a rule has decided an entry within the days in which that can be undone.
 * @param {QueueEntry} entry
 */
function isUndoable({ reviewed_by: reviewer, reviewed_at: at }) {
  return ruleOf(reviewer) !== null && at !== null && Date.now() - Date.parse(at) < UNDO_MILLISECONDS;
}

/** @param {QueueEntry} entry */
function decisionHeading(entry) {
  const { status, reviewed_at: reviewedAt } = entry;
  const who = decider(entry);
  return [
    capital(status),
    ...(who ? [" by ", build("bdi", {}, who)] : []),
    ...(reviewedAt ? [" on ", build("time", { dateTime: reviewedAt }, time(reviewedAt))] : []),
  ];
}

/** @param {string} text */
function textItem(text) {
  return build("li", {}, build("bdi", {}, visible(text)));
}
