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
    refused: () => this.#learnWhy(),
  });
  #signs = new Signs({ retry: () => this.#retry(), leave: () => this.#list.focus() });
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
  #unwilling = false;
  #sending = null;
  #fromDetails = false;

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
    window.addEventListener("online", () => this.#live.connect());
    window.addEventListener("offline", () => this.#live.connect());
    document.addEventListener("visibilitychange", () => document.hidden || this.#live.wake());
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
    if (this.#sending?.patternId === patternId) this.#sending.latest = entry;
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

  // What it is now, and not what it was when this was offered.
  async #show(patternId) {
    if (await this.#selection.find(patternId)) this.#selection.open();
  }

  #decide(action) {
    const { entry } = this.#selection;
    if (!entry || (action !== "comment" && document.getElementById(action).hidden)) return;
    if (this.#decisionDialog.busy) this.#signs.toast("The last one is still being sent.");
    else {
      this.#fromDetails = this.#details.hasFocus;
      this.#decisionDialog.open(entry, action);
    }
  }

  // Resolves to what is to be done when the dialog is closed: before that, the focus cannot leave it.
  async #send({ entry, action, text, reviewer }) {
    const { pattern_id: patternId, status } = entry;
    const sending = { patternId, latest: null };
    this.#sending = sending;
    const document = {
      approve: { notes: text || undefined, reviewer, replaces: status },
      reject: { reason: text, reviewer, replaces: status },
      comment: { comment: text, reviewer },
    }[action];
    try {
      const answer = await this.#api.write(patternId, action, document);
      if (action === "comment") return () => this.#commented(entry);
      return () => this.#decided(entry, newer(answer, sending.latest), action);
    } catch (fault) {
      if (fault.status === 409 && fault.body?.entry) this.#changed(patternId, fault.body.entry);
      throw fault;
    } finally {
      this.#sending = null;
    }
  }

  #decided(before, after, action) {
    this.#queue.apply(after.pattern_id, after);
    this.#queue.draw();
    if (before.status === this.#store.view) this.#selection.succeed(before, { focus: this.#fromDetails });
    else this.#selection.changed(after.pattern_id, after);
    this.#signs.toast(recorded(action, before), () => this.#show(before.pattern_id));
    this.#refreshCounts();
  }

  #commented(entry) {
    if (entry.pattern_id === this.#selection.patternId) this.#details.refresh();
    this.#signs.toast(recorded("comment", entry));
  }

  async #askToken(wrong) {
    const token = await this.#tokenDialog.ask(wrong);
    this.#unwilling = token === null;
    if (this.#unwilling) return false;
    this.#memory.token = token;
    this.#live.connect();
    return true;
  }

  #retry() {
    this.#unwilling = false;
    this.#live.connect();
  }

  // A browser does not say why a WebSocket was refused. Where it is for want of a token, any request asks for one; but
  // not again and again who has none.
  #learnWhy() {
    if (this.#started && !this.#unwilling) this.#refreshCounts();
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
    const { entry } = this.#selection;
    if (!entry || this.#store.index(entry) < 0) this.#selection.move(-Infinity);
  }

  #leave() {
    if (this.#selection.opened || !this.#list.hasFocus) this.#selection.close();
    else if (this.#queue.narrowed) this.#queue.clearSearch();
  }
}

/** Of an answer and a message that came meanwhile, the one about the later decision. */
function newer(answer, message) {
  return message && Date.parse(message.reviewed_at) > Date.parse(answer.reviewed_at) ? message : answer;
}

new ReviewPage().start();
