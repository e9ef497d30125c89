import { capital, count, money, plural, visible } from "./format.js";
import { Loader } from "./loader.js";

const LONGEST_TYPE = 60;
const MOST_TYPES = 200;
const SEARCH_SETTLE_SECONDS = 1;

/** The left half of the page: the view's list, its search and filter, and what there is to say about them. */
export class Queue {
  #store;
  #list;
  #views;
  #signs;
  #drawn;
  #reloaded;
  #loader;
  #fault = null;
  #frame = null;
  #settle = null;
  #queue = document.getElementById("queue");
  #title = document.getElementById("queue-title");
  #search = document.getElementById("search");
  #type = document.getElementById("type");
  #summary = document.getElementById("summary");
  #progress = document.getElementById("progress");
  #notice = document.getElementById("fault");
  #noticeText = document.getElementById("fault-text");
  #empty = document.getElementById("empty");
  #emptyText = document.getElementById("empty-text");
  #emptyMore = document.getElementById("empty-more");
  #emptyAction = document.getElementById("empty-action");

  /** `drawn()` is called after the list was drawn, `reloaded()` after the view was loaded completely. */
  constructor({ api, store, list, views, signs, drawn, reloaded }) {
    this.#store = store;
    this.#list = list;
    this.#views = views;
    this.#signs = signs;
    this.#drawn = drawn;
    this.#reloaded = reloaded;
    this.#loader = new Loader({ api, store, report: this.#report() });
    this.#search.addEventListener("input", () => this.#searched());
    this.#search.form.addEventListener("submit", (event) => event.preventDefault());
    this.#type.addEventListener("change", () => this.#filtered());
    document.getElementById("fault-retry").addEventListener("click", () => this.#tryAgain());
    this.#emptyAction.addEventListener("click", () => this.#emptyActionChosen());
  }

  get narrowed() {
    return this.#store.narrowed;
  }

  /** Load and show another view. */
  show(view) {
    this.#fault = null;
    this.#type.selectedIndex = 0;
    this.#store.filterType(null);
    this.#title.textContent = `${capital(view)} patterns`;
    this.#views.showCurrent(view);
    this.#loader.show(view);
    this.#list.restart();
    this.draw();
  }

  reload() {
    this.#loader.reload();
  }

  /** Apply one announced change; `entry` null: it was removed. */
  apply(patternId, entry) {
    const appeared = this.#store.apply(patternId, entry);
    if (appeared && this.#store.complete) this.#arrived([patternId]);
    this.drawSoon();
  }

  focusSearch() {
    this.#search.focus();
    this.#search.select();
  }

  /** Show everything of the view again. */
  clearSearch() {
    this.#search.value = "";
    this.#type.selectedIndex = 0;
    this.#store.search("");
    this.#store.filterType(null);
    this.draw();
  }

  /** However many changes arrive, the page is drawn once a frame. */
  drawSoon() {
    this.#frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = null;
    this.#list.update();
    this.#drawTypes();
    this.#drawSummary();
    this.#drawNotice();
    this.#drawEmpty();
    this.#drawn();
  }

  #report() {
    return {
      progressed: () => this.drawSoon(),
      finished: (appeared) => {
        this.#fault = null;
        this.#arrived(appeared);
        this.draw();
        this.#reloaded();
      },
      failed: (fault, retries) => {
        this.#fault = { message: fault.message, retries };
        this.draw();
      },
    };
  }

  #arrived(patternIds) {
    this.#list.mark(patternIds);
    if (this.#store.view === "pending") this.#signs.arrivals(patternIds.length);
  }

  #searched() {
    this.#store.search(this.#search.value);
    this.#list.restart();
    this.draw();
    this.#announceMatches();
  }

  #filtered() {
    this.#store.filterType(this.#type.selectedOptions[0].dataset.type ?? null);
    this.#list.restart();
    this.draw();
    this.#announceMatches();
  }

  #announceMatches() {
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => {
      this.#signs.announce(`${plural(this.#store.shown.length, "pattern")} of ${count(this.#store.size)} shown`);
    }, SEARCH_SETTLE_SECONDS * 1000);
  }

  #drawTypes() {
    const known = this.#store.types;
    const types = known.slice(0, MOST_TYPES);
    const chosen = this.#type.selectedOptions[0]?.dataset.type;
    const isChosen = ([type]) => type === chosen;
    if (chosen !== undefined && !types.some(isChosen)) types.push(known.find(isChosen) ?? [chosen, 0]);
    const more = known.length - types.filter(([, entries]) => entries > 0).length;
    const wanted = [
      { text: `All types (${count(this.#store.size)})` },
      ...types.map(([type, entries]) => ({
        type,
        text: `${shortened(visible(type)) || "(empty)"} (${count(entries)})`,
      })),
      ...(more > 0 ? [{ text: `and ${count(more)} more: use the search`, disabled: true }] : []),
    ];
    // Only what differs is touched: a person may have the list of types open.
    while (this.#type.length > wanted.length) this.#type.lastElementChild.remove();
    wanted.forEach((option, index) => this.#drawType(option, index));
    const index = wanted.findIndex(({ type }) => type === chosen);
    if (this.#type.selectedIndex !== index) this.#type.selectedIndex = index;
  }

  #drawType({ type, text, disabled = false }, index) {
    const option = this.#type.options[index] ?? this.#type.appendChild(document.createElement("option"));
    if (option.textContent !== text) option.textContent = text;
    option.disabled = disabled;
    option.value = type ?? "";
    if (type === undefined) delete option.dataset.type;
    else option.dataset.type = type;
  }

  #drawSummary() {
    const { size, shown, complete, narrowed, loading } = this.#store;
    const expected = this.#views.expected(this.#store.view);
    const busy = this.#loader.busy;
    this.#queue.setAttribute("aria-busy", busy && !complete);
    this.#progress.hidden = !busy || !expected || expected <= loading;
    this.#progress.max = expected || 1;
    this.#progress.value = Math.min(loading, expected ?? 0);
    const found = narrowed ? `${count(shown.length)} of ` : "";
    const inAll = expected > size ? `, ${count(expected)} in all` : "";
    const savings = `${money(this.#store.shownSavings)} a month`;
    if (complete) this.#summary.textContent = `${found}${plural(size, "pattern")} · ${savings}`;
    else this.#summary.textContent = size === 0 ? "" : `${found}${count(size)} loaded${inAll}`;
  }

  #drawNotice() {
    const { size, complete } = this.#store;
    this.#notice.hidden = !this.#fault || size === 0;
    if (this.#notice.hidden) return;
    const what = complete ? "The list could not be loaded again" : `Only ${plural(size, "pattern")} could be loaded`;
    this.#noticeText.textContent = `${what}. ${this.#fault.message}`;
  }

  #drawEmpty() {
    const words = this.#emptyWords();
    this.#empty.hidden = words === null;
    if (!words) return;
    this.#empty.dataset.reason = words.reason;
    this.#emptyText.textContent = words.text;
    this.#emptyMore.textContent = words.more ?? "";
    this.#emptyAction.hidden = !words.action;
    this.#emptyAction.textContent = words.action ?? "";
  }

  #emptyWords() {
    const { size, shown, complete, view } = this.#store;
    if (shown.length > 0) return null;
    if (size > 0) return { reason: "no-match", text: "No pattern matches.", action: "Show all" };
    if (complete && view === "pending") {
      return { reason: "done", text: "Nothing to decide.", more: "New patterns appear here by themselves." };
    }
    if (complete) return { reason: "none", text: `No ${view} patterns.` };
    if (!this.#loader.busy && this.#fault) {
      const more = this.#fault.retries ? `${this.#fault.message} The page tries again by itself.` : this.#fault.message;
      return { reason: "fault", text: "The patterns could not be loaded.", more, action: "Try again" };
    }
    return { reason: "loading", text: "Loading…" };
  }

  #emptyActionChosen() {
    if (this.#empty.dataset.reason === "fault") return this.#tryAgain();
    this.clearSearch();
    this.#list.focus();
  }

  #tryAgain() {
    this.#list.focus(); // the button goes
    this.#loader.retry();
    this.draw();
  }
}

function shortened(text) {
  const characters = [...text];
  return characters.length > LONGEST_TYPE ? `${characters.slice(0, LONGEST_TYPE).join("")}…` : text;
}
