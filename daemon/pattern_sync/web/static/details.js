import {
  capital,
  count,
  decider,
  decisionNotes,
  money,
  percent,
  share,
  steps,
  time,
  visible,
  visibleLines,
} from "./format.js";

const SETTLE_MILLISECONDS = 120;
const GONE = "The detector has deleted this pattern; the entry waits for your decision all the same.";
const FOREIGN = "Written by another program, with no pattern behind it; the entry waits for your decision all the same.";
const DONE = { approved: "Approved", rejected: "Rejected", commented: "Comment", flagged: "Flagged" };

/** The selected pattern: its figures at once, and its history and criteria as soon as the daemon has told them. */
export class Details {
  #api;
  #elements = byId([
    "details",
    "overview",
    "overview-figure",
    "overview-text",
    "overview-more",
    "overview-keys",
    "pattern",
    "pattern-status",
    "pattern-since",
    "pattern-id",
    "pattern-elsewhere",
    "actions",
    "approve",
    "reject",
    "comment",
    "facts",
    "decision",
    "decision-title",
    "decision-notes",
    "figure-savings",
    "figure-share",
    "figure-occurrences",
    "figure-confidence",
    "steps",
    "context-section",
    "context",
    "why",
    "why-text",
    "criteria",
    "criteria-rows",
    "history-section",
    "history-text",
    "history",
    "sessions-section",
    "sessions",
    "details-title",
  ]);
  #patternId = null;
  #control = null;
  #timer = null;

  constructor({ api }) {
    this.#api = api;
  }

  /** Nothing is selected: say what the view holds. */
  showOverview({ figure, text, more }) {
    this.#forget();
    this.#patternId = null;
    const { details, overview, pattern } = this.#elements;
    details.dataset.shown = "overview";
    details.setAttribute("aria-labelledby", "overview-figure");
    overview.hidden = false;
    pattern.hidden = true;
    this.#elements["overview-keys"].hidden = !figure;
    this.#write({ "overview-figure": figure, "overview-text": text, "overview-more": more });
  }

  /** Show an entry; `fraction` is its part of the view's value or null, `elsewhere` says why it is not in the list. */
  show(entry, { fraction, elsewhere }) {
    const another = entry.pattern_id !== this.#patternId;
    this.#patternId = entry.pattern_id;
    this.#showFacts(entry, fraction, elsewhere);
    if (another) this.#startAfresh();
  }

  /** Show that an entry is being asked for. */
  showLoading(patternId) {
    this.#showNothing(patternId, "Loading…", []);
  }

  /** Show that there is no such entry. */
  showMissing(patternId) {
    this.#showNothing(patternId, "Not in the queue", ["There is no such entry in the queue."]);
  }

  /** Show that it could not be learnt whether there is such an entry; `retry()` asks again. */
  showUnknown(patternId, reason, retry) {
    this.#showNothing(patternId, "Not known", [`${reason} `, this.#again(retry)]);
  }

  /** Ask the daemon again for history and criteria; what is shown stays until it has answered. */
  refresh() {
    this.#timer ??= setTimeout(() => this.#load(), SETTLE_MILLISECONDS);
  }

  get hasFocus() {
    return this.#elements.details.contains(document.activeElement);
  }

  focusTitle() {
    this.#elements["details-title"].focus();
  }

  // The next entry, were it of the same name, starts afresh: what is known of this one is nothing.
  #showNothing(patternId, status, explanation) {
    this.#forget();
    this.#patternId = null;
    this.#frame("missing", patternId);
    this.#write({ "pattern-status": status, "pattern-since": "" });
    this.#elements["pattern-status"].dataset.status = "missing";
    this.#elements["pattern-elsewhere"].replaceChildren(...explanation);
    this.#elements["pattern-elsewhere"].hidden = false;
    this.#elements.actions.hidden = true;
    this.#elements.facts.hidden = true;
  }

  #again(retry) {
    const button = node("button", { type: "button", className: "small" }, "Try again");
    button.addEventListener("click", () => {
      this.focusTitle(); // the button goes
      retry();
    });
    return button;
  }

  #forget() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#control?.abort();
  }

  #frame(shown, patternId) {
    const { details, overview, pattern } = this.#elements;
    details.dataset.shown = shown;
    details.setAttribute("aria-labelledby", "details-title");
    overview.hidden = true;
    pattern.hidden = false;
    this.#write({ "pattern-id": visible(patternId) });
  }

  #showFacts(entry, fraction, elsewhere) {
    this.#frame("pattern", entry.pattern_id);
    this.#write({
      "pattern-status": capital(entry.status),
      "pattern-since": entry.created_at ? `queued ${time(entry.created_at)}` : "",
      "pattern-elsewhere": elsewhere ?? "",
      "figure-savings": money(entry.estimated_savings_usd),
      "figure-share": fraction === null ? "–" : share(fraction),
      "figure-occurrences": count(entry.occurrence_count),
      "figure-confidence": percent(entry.confidence_score),
      context: visibleLines(entry.pattern_context),
    });
    this.#elements["pattern-status"].dataset.status = entry.status;
    this.#elements["pattern-elsewhere"].hidden = !elsewhere;
    this.#elements.facts.hidden = false;
    this.#elements["context-section"].hidden = !entry.pattern_context;
    this.#showActions(entry);
    this.#showDecision(entry);
    this.#showSteps(entry);
    this.#showSessions(entry.example_sessions ?? []);
  }

  #showActions({ status }) {
    const { actions, approve, reject } = this.#elements;
    const pending = status === "pending";
    actions.hidden = false;
    approve.hidden = status.endsWith("approved");
    reject.hidden = status.endsWith("rejected");
    approve.textContent = pending ? "Approve…" : "Approve instead…";
    reject.textContent = pending ? "Reject…" : "Reject instead…";
  }

  #showDecision(entry) {
    this.#elements.decision.hidden = entry.status === "pending";
    this.#elements.decision.dataset.status = entry.status;
    this.#elements["decision-title"].replaceChildren(...decisionHeading(entry));
    this.#write({ "decision-notes": visibleLines(decisionNotes(entry)) });
  }

  #showSteps({ tool_sequence: toolSequence }) {
    fillList(this.#elements.steps, steps(toolSequence), (step) => node("li", {}, node("bdi", {}, visible(step))));
  }

  #showSessions(sessions) {
    this.#elements["sessions-section"].hidden = sessions.length === 0;
    fillList(this.#elements.sessions, sessions, (session) => node("li", {}, node("bdi", {}, visible(session))));
  }

  #startAfresh() {
    this.#forget();
    this.#elements.details.scrollTop = 0;
    this.#write({ "why-text": "", "history-text": "" });
    this.#elements.criteria.hidden = true;
    this.#elements.history.replaceChildren();
    this.#busy("why", true);
    this.#busy("history-section", true);
    // Someone who runs through the list with a key does not ask for every pattern on the way.
    this.refresh();
  }

  async #load() {
    this.#forget();
    this.#control = new AbortController();
    const { signal } = this.#control;
    const [explanation, history] = [
      this.#api.explain(this.#patternId, signal),
      this.#api.history(this.#patternId, signal),
    ];
    await Promise.all([
      this.#part("why", signal, explanation, (known) => this.#showWhy(known)),
      this.#part("history-section", signal, history, (events) => this.#showHistory(events)),
    ]);
  }

  async #part(section, signal, asked, show) {
    try {
      const answer = await asked;
      if (!signal.aborted) show(answer);
    } catch (fault) {
      if (!signal.aborted) this.#showFault(section, fault);
    }
    if (!signal.aborted) this.#busy(section, false);
  }

  #showFault(section, fault) {
    const text = this.#elements[section === "why" ? "why-text" : "history-text"];
    text.replaceChildren(`${fault.message} `, this.#again(() => this.refresh()));
  }

  #busy(section, busy) {
    this.#elements[section].setAttribute("aria-busy", busy);
  }

  #showWhy(known) {
    const { outcome, reason, criteria, eligible, rejected, automation_status: automationStatus } = known;
    this.#elements.why.dataset.outcome = outcome;
    const gone = known.written_by_us ? GONE : FOREIGN;
    this.#write({ "why-text": outcome === "gone" ? gone : visible(reason) });
    const rows = criteria.map((item) => criterionRow(item));
    // A decision sets the automation status itself; only what still waits can miss it.
    if (criteria.length > 0 && !eligible && outcome !== "decided") {
      const value = rejected ? "rejected before" : (automationStatus ?? "none");
      rows.push(criterionRow({ name: "automation status", value, bound: "detected", met: false }));
    }
    this.#elements["criteria-rows"].replaceChildren(...rows);
    this.#elements.criteria.hidden = rows.length === 0;
  }

  #showHistory(events) {
    this.#write({ "history-text": events.length === 0 ? "No decisions or comments yet." : "" });
    fillList(this.#elements.history, events, historyItem);
  }

  #write(texts) {
    for (const [id, text] of Object.entries(texts)) {
      if (this.#elements[id].textContent !== text) this.#elements[id].textContent = text;
    }
  }
}

function decisionHeading(entry) {
  const { status, reviewed_at: reviewedAt } = entry;
  const who = decider(entry);
  return [
    capital(status),
    ...(who ? [" by ", node("bdi", {}, visible(who))] : []),
    ...(reviewedAt ? [" on ", node("time", { dateTime: reviewedAt }, time(reviewedAt))] : []),
  ];
}

function criterionRow({ name, value, bound, met }) {
  return node(
    "tr",
    { className: met ? "met" : "missed" },
    node("th", { scope: "row" }, capital(visible(name))),
    node("td", {}, node("bdi", {}, visible(value))),
    node("td", {}, node("bdi", {}, visible(bound))),
    node("td", {}, met ? "✓ met" : "✗ missed"),
  );
}

function historyItem({ action, reviewer, notes, created_at: createdAt }) {
  const head = node(
    "p",
    {},
    node("b", {}, DONE[action] ?? capital(visible(action))),
    " by ",
    node("bdi", {}, visible(reviewer ?? "unknown")),
    " ",
    node("time", { dateTime: createdAt ?? "", className: "soft" }, time(createdAt)),
  );
  const item = node("li", {}, head);
  item.dataset.action = action;
  if (notes) item.append(node("p", { className: "prose", dir: "auto" }, visibleLines(notes)));
  return item;
}

function fillList(list, items, build) {
  const key = JSON.stringify(items);
  // An unchanged list is left alone, or a selection of text in it would be lost with every observation.
  if (list.dataset.key === key && list.childElementCount > 0) return;
  list.dataset.key = key;
  list.replaceChildren(...items.map(build));
}

function node(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function byId(ids) {
  return Object.fromEntries(ids.map((id) => [id, document.getElementById(id)]));
}
