import { Api } from "./api.js";
import { DecisionDialog, KeysDialog, recorded, TokenDialog } from "./dialogs.js";
import { Details } from "./details.js";
import { listenToKeys } from "./keys.js";
import { VirtualList } from "./list.js";
import { Live } from "./live.js";
import { Memory } from "./memory.js";
import { Queue } from "./queue.js";
import { Selection } from "./selection.js";
import { Signs } from "./signs.js";
import { Store } from "./store.js";
import { Views } from "./views.js";

const FIRST_WORD_SECONDS = 0.3;
const PROBE_SECONDS = 60;
const PROBE_GRACE_SECONDS = 3;

/** The parts of the page, and what they tell each other. */
class ReviewPage {
  #memory = new Memory();
  #store = new Store();
  #tokenDialog = new TokenDialog();
  #keysDialog = new KeysDialog({ memory: this.#memory });
  #api = new Api({ token: () => this.#memory.token, askToken: (wrong) => this.#askToken(wrong) });
  #live = new Live({
    token: () => this.#memory.token,
    receive: (message) => this.#receive(message),
    change: (state) => this.#signs.connection(state),
  });
  #signs = new Signs({ retry: () => this.#live.connect() });
  #views = new Views({ choose: (view) => this.#showView(view) });
  #list = new VirtualList({ store: this.#store, choose: (entry) => this.#choose(entry) });
  #details = new Details({ api: this.#api });
  #selection = new Selection({ api: this.#api, store: this.#store, list: this.#list, details: this.#details });
  #queue = new Queue({
    api: this.#api,
    store: this.#store,
    list: this.#list,
    views: this.#views,
    signs: this.#signs,
    drawn: () => this.#selection.draw(),
    reloaded: () => this.#reloaded(),
  });
  #decisionDialog = new DecisionDialog({ memory: this.#memory, send: (decision) => this.#send(decision) });
  #started = false;

  start() {
    for (const action of ["approve", "reject", "comment"]) {
      document.getElementById(action).addEventListener("click", () => this.#decide(action));
    }
    document.getElementById("decide").addEventListener("close", () => {
      const at = document.activeElement;
      // The button that it was opened with may have gone with the last entry.
      if (at === document.body || !at.checkVisibility()) this.#list.focus();
    });
    document.getElementById("skip").addEventListener("click", (event) => {
      event.preventDefault();
      this.#list.focus();
    });
    listenToKeys({ actions: this.#keyActions(), list: this.#list, memory: this.#memory });
    window.addEventListener("online", () => this.#wake());
    window.addEventListener("offline", () => this.#probe());
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake());
    setInterval(() => document.hidden || this.#probe(), PROBE_SECONDS * 1000);
    this.#live.connect();
    // The first message says that everything from now on will be announced: loading after it loads once. A daemon
    // that cannot be heard is asked all the same.
    setTimeout(() => this.#begin(), FIRST_WORD_SECONDS * 1000);
    this.#selection.draw();
    this.#selection.follow();
  }

  #begin() {
    if (this.#started) return false;
    this.#started = true;
    this.#queue.show("pending");
    this.#refreshCounts();
    return true;
  }

  #receive(message) {
    if (message.counts) this.#views.showCounts(message.counts);
    if (message.type === "state" && !this.#begin()) this.#queue.reload();
    for (const { pattern_id: patternId, entry } of message.changes ?? []) this.#changed(patternId, entry);
  }

  #changed(patternId, entry) {
    this.#queue.apply(patternId, entry);
    this.#selection.changed(patternId, entry);
    this.#decisionDialog.entryChanged(patternId, entry);
  }

  #reloaded() {
    this.#selection.reloaded();
    this.#refreshCounts();
  }

  // While live, the messages bring the counts.
  async #refreshCounts() {
    if (this.#live.state === "live") return;
    const counts = await this.#api.statistics().catch(() => null);
    if (counts && this.#live.state !== "live") this.#views.showCounts(counts);
    this.#queue.drawSoon();
  }

  #showView(view) {
    this.#selection.select(null);
    this.#queue.show(view);
  }

  #choose(entry) {
    this.#selection.select(entry);
    this.#selection.open({ focus: false });
  }

  #decide(action) {
    const { entry } = this.#selection;
    if (!entry || (action !== "comment" && document.getElementById(action).hidden)) return;
    if (this.#decisionDialog.busy) this.#signs.toast("The last one is still being sent.");
    else this.#decisionDialog.open(entry, action);
  }

  async #send({ entry, action, text, reviewer }) {
    const { pattern_id: patternId, status } = entry;
    const document = {
      approve: { notes: text || undefined, reviewer, replaces: status },
      reject: { reason: text, reviewer, replaces: status },
      comment: { comment: text, reviewer },
    }[action];
    try {
      const answer = await this.#api.write(patternId, action, document);
      if (action === "comment") this.#commented(entry);
      else this.#decided(entry, answer, action);
    } catch (fault) {
      if (fault.status === 409 && fault.body?.entry) this.#changed(patternId, fault.body.entry);
      throw fault;
    }
  }

  #decided(before, after, action) {
    this.#queue.apply(after.pattern_id, after);
    this.#queue.draw();
    if (before.status === this.#store.view) this.#selection.succeed(before);
    else this.#selection.changed(after.pattern_id, after);
    this.#signs.toast(recorded(action, after), () => this.#choose(after));
    this.#refreshCounts();
  }

  #commented(entry) {
    if (entry.pattern_id === this.#selection.patternId) this.#details.refresh();
    this.#signs.toast(recorded("comment", entry));
  }

  async #askToken(wrong) {
    const token = await this.#tokenDialog.ask(wrong);
    if (token === null) return false;
    this.#memory.token = token;
    this.#live.connect();
    return true;
  }

  #wake() {
    if (this.#live.state === "live" || this.#live.state === "outage") this.#probe();
    else this.#live.connect();
  }

  // A connection can die without anybody telling the browser. A daemon that answers otherwise, or counts that changed
  // unannounced, give it away.
  async #probe() {
    if (this.#live.state !== "live") return;
    const heardAt = this.#live.heardAt;
    const before = { ...this.#views.counts };
    const counts = await this.#api.statistics().catch((fault) => (fault.status === 0 ? null : this.#views.counts));
    if (counts && sameCounts(counts, before)) return;
    if (counts) await new Promise((resolve) => setTimeout(resolve, PROBE_GRACE_SECONDS * 1000));
    if (this.#live.state === "live" && this.#live.heardAt === heardAt) this.#live.distrust();
  }

  #keyActions() {
    return {
      move: (step) => this.#selection.move(step),
      open: () => this.#selection.open(),
      approve: () => this.#decide("approve"),
      reject: () => this.#decide("reject"),
      comment: () => this.#decide("comment"),
      search: () => (this.#selection.opened ? null : this.#queue.focusSearch()),
      leaveSearch: () => this.#leaveSearch(),
      leave: () => this.#leave(),
      keys: () => this.#keysDialog.open(),
    };
  }

  #leaveSearch() {
    this.#list.focus();
    if (this.#selection.patternId === null) this.#selection.move(1);
  }

  #leave() {
    if (this.#selection.opened || !this.#list.hasFocus) this.#selection.close();
    else if (this.#queue.narrowed) this.#queue.clearSearch();
  }
}

function sameCounts(one, other) {
  return Object.keys(one).every((name) => one[name] === other?.[name]);
}

new ReviewPage().start();
