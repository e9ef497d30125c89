/**
 * @import { Message, QueueEntry, Status } from "wire"
 * @import { State } from "./live.js"
 */

import { keyActions } from "./actions.js";
import { readAddress, writeAddress } from "./address.js";
import { Admission } from "./admission.js";
import { Api } from "./api.js";
import { Asleep } from "./asleep.js";
import { Bell } from "./bell.js";
import { Counts } from "./counts.js";
import { Decisions } from "./decisions.js";
import { Details } from "./details.js";
import { Fold } from "./fold.js";
import { Grouping } from "./grouping.js";
import { Identity } from "./identity.js";
import { listenToKeys } from "./keys.js";
import { KeysDialog } from "./keys-dialog.js";
import { VirtualList } from "./list.js";
import { Live } from "./live.js";
import { Log } from "./log.js";
import { Lookalikes } from "./lookalikes.js";
import { Memory } from "./memory.js";
import { Nearest } from "./nearest.js";
import { Picks } from "./picks.js";
import { Polling } from "./polling.js";
import { Presence } from "./presence.js";
import { Queue } from "./queue.js";
import { Reasons } from "./reasons.js";
import { Results } from "./results.js";
import { Rulebook } from "./rulebook.js";
import { Ruling } from "./ruling.js";
import { Selection } from "./selection.js";
import { Signs } from "./signs.js";
import { Snooze } from "./snooze.js";
import { Store } from "./store.js";
import { Tabs } from "./tabs.js";
import { Today } from "./today.js";
import { Together } from "./together.js";
import { TokenDialog } from "./token-dialog.js";
import { Undo } from "./undo.js";
import { Views } from "./views.js";

const FIRST_MESSAGE_SECONDS = 0.05;

/** The parts of the page, and how they reach each other. */
class ReviewPage {
  #memory = new Memory();
  #bell = new Bell({ memory: this.#memory });
  #store = new Store();
  #tokenDialog = new TokenDialog({ memory: this.#memory });
  #keysDialog = new KeysDialog({ memory: this.#memory });
  #api = new Api({ token: () => this.#memory.token, askToken: (wrong) => this.#admission.askToken(wrong) });
  #live = new Live({
    token: () => this.#memory.token,
    receive: (message) => this.#receive(message),
    change: (state) => this.#connectionChanged(state),
    refused: (times) => this.#started && this.#admission.learnWhy(times),
  });
  #polling = new Polling({ look: () => this.#queue.reload() });
  #signs = new Signs({ retry: () => this.#admission.retry(), leave: () => this.#list.focus() });
  #views = new Views({ choose: (view) => this.#showView(view) });
  #picks = new Picks({ changed: () => this.#together.changed() });
  #lookalikes = new Lookalikes({ store: this.#store });
  #rulebook = new Rulebook({ api: this.#api, changed: () => this.#queue.drawSoon() });
  #list = new VirtualList({
    store: this.#store,
    picks: this.#picks,
    lookalikes: this.#lookalikes,
    readers: (patternId) => this.#presence.others(patternId),
    markOf: (entry) => this.#rulebook.markOf(entry),
    choose: (entry) => this.#choose(entry),
    seenToEnd: () => this.#queue.more(),
  });
  #details = new Details({ api: this.#api, rulebook: this.#rulebook, choose: (patternId) => this.#visit(patternId) });
  #identity = new Identity({ api: this.#api });
  #presence = new Presence({
    send: (message) => this.#live.send(message),
    memory: this.#memory,
    identity: this.#identity,
    changed: () => this.#list.redraw(),
  });
  #selection = new Selection({
    api: this.#api,
    store: this.#store,
    lookalikes: this.#lookalikes,
    list: this.#list,
    details: this.#details,
    isTaken: (patternId) => this.#presence.others(patternId).length > 0,
    selected: (patternId) => this.#presence.reads(patternId),
  });
  #queue = new Queue({
    api: this.#api,
    store: this.#store,
    list: this.#list,
    views: this.#views,
    signs: this.#signs,
    drawn: () => this.#drawn(),
    reloaded: () => this.#reloaded(),
  });
  #counts = new Counts({
    api: this.#api,
    views: this.#views,
    isLive: () => this.#isLive,
    isPaused: () => this.#queue.paused,
    asked: () => this.#queue.drawSoon(),
  });
  /** @type {Admission} */
  #admission = new Admission({
    live: this.#live,
    tokenDialog: this.#tokenDialog,
    queue: this.#queue,
    counts: this.#counts,
    signs: this.#signs,
  });
  #person = { api: this.#api, memory: this.#memory, identity: this.#identity };
  #shown = {
    store: this.#store,
    list: this.#list,
    details: this.#details,
    selection: this.#selection,
    picks: this.#picks,
    queue: this.#queue,
    signs: this.#signs,
  };
  #reasons = new Reasons({ memory: this.#memory });
  #today = new Today({ api: this.#api });
  #undo = new Undo({ ...this.#person, ...this.#shown, undone: (patternIds) => this.#undone(patternIds) });
  #log = new Log({ ...this.#person, undo: this.#undo });
  #nearest = new Nearest({ ...this.#person, ...this.#shown });
  #snooze = new Snooze({
    ...this.#person,
    ...this.#shown,
    changed: (patternId, entry) => this.#changed(patternId, entry),
  });
  #ruling = new Ruling({
    ...this.#person,
    ...this.#shown,
    rulebook: this.#rulebook,
    undo: this.#undo,
    changed: (patternId, entry) => this.#changed(patternId, entry),
    visit: (patternId) => this.#visit(patternId),
  });
  #asleep = new Asleep(this.#shown);
  #decisions = new Decisions({
    ...this.#person,
    ...this.#shown,
    reasons: this.#reasons,
    undo: this.#undo,
    changed: (patternId, entry) => this.#changed(patternId, entry),
    decided: () => this.#counts.refresh(),
  });
  #together = new Together({
    ...this.#person,
    ...this.#shown,
    reasons: this.#reasons,
    undo: this.#undo,
    decisions: this.#decisions,
    decided: () => this.#decidedTogether(),
  });
  #results = new Results({ api: this.#api, visit: (patternId) => this.#visit(patternId) });
  #tabs = new Tabs({ views: this.#views, pages: { results: this.#results, rules: this.#ruling.tab } });
  #fold = new Fold({ ...this.#person, ...this.#shown });
  #grouping = new Grouping({ ...this.#person, ...this.#shown, together: this.#together });
  #started = false;

  start() {
    const acted = {
      ...this.#shown,
      together: this.#together,
      decisions: this.#decisions,
      fold: this.#fold,
      snooze: this.#snooze,
      objections: this.#ruling.objections,
      log: this.#log,
      undo: this.#undo,
      grouping: this.#grouping,
      keysDialog: this.#keysDialog,
    };
    listenToKeys({ actions: keyActions(acted), list: this.#grouping, memory: this.#memory });
    window.addEventListener("online", () => this.#live.connect());
    window.addEventListener("offline", () => this.#live.connect());
    document.addEventListener("visibilitychange", () => document.hidden || this.#live.wake());
    window.addEventListener("hashchange", () => this.#followAddress());
    this.#live.connect();
    // After the first message every change is announced, so loading then means loading once. If no message arrives, the
    // patterns are loaded anyway.
    setTimeout(() => this.#begin(), FIRST_MESSAGE_SECONDS * 1000);
    this.#selection.draw();
    this.#selection.follow();
  }

  #begin() {
    if (this.#started) return false;
    this.#started = true;
    this.#grouping.follow(readAddress());
    this.#queue.go(readAddress());
    this.#tabs.follow();
    this.#identity.refresh();
    this.#today.refresh();
    this.#fold.begin();
    return true;
  }

  /** @param {Message} message */
  #receive(message) {
    if (message.type === "readers") this.#presence.receive(message.readers);
    if (message.type === "state" || message.type === "changes") this.#today.refresh();
    if (message.type === "state") this.#presence.reconnected();
    this.#fold.receive(message);
    if ("counts" in message) this.#views.showCounts(message.counts);
    if (message.type === "state" && !this.#begin()) this.#queue.reload();
    if (message.type !== "changes") return;
    this.#bell.heard(message.changes);
    for (const { pattern_id: patternId, entry } of message.changes) this.#changed(patternId, entry);
  }

  /**
   * @param {string} patternId
   * @param {QueueEntry | null} entry
   */
  #changed(patternId, entry) {
    this.#queue.apply(patternId, entry);
    this.#picks.changed(patternId, entry);
    this.#selection.changed(patternId, entry);
    this.#decisions.changed(patternId, entry);
    this.#grouping.changed();
  }

  #drawn() {
    this.#selection.draw();
    this.#together.draw();
    this.#grouping.draw();
    this.#asleep.draw();
    this.#fold.draw();
    this.#nearest.draw(this.#store);
  }

  #decidedTogether() {
    this.#today.refresh();
    if (!this.#isLive) this.#queue.reload();
    this.#counts.refresh();
  }

  /** @param {string[]} patternIds */
  async #undone(patternIds) {
    const [patternId] = patternIds;
    this.#counts.refresh();
    if (patternIds.length > 1 && !this.#isLive) this.#queue.reload();
    if (patternIds.length !== 1 || patternId === undefined) return;
    this.#changed(patternId, await this.#api.entry(patternId));
    await this.#selection.find(patternId);
  }

  /** @param {State} state */
  #connectionChanged(state) {
    this.#signs.connection(state);
    this.#polling.on = state === "polling";
  }

  #reloaded() {
    this.#polling.looked(this.#queue.loadSeconds);
    this.#grouping.changed();
    this.#fold.recount();
    this.#selection.reloaded();
    this.#counts.refresh();
  }

  // While live, the messages bring the counts.
  get #isLive() {
    return this.#live.state === "live";
  }

  /** @param {Status} view */
  #showView(view) {
    writeAddress({ view, key: null, pattern: null, tab: "list", rule: null }, { step: true });
    this.#tabs.follow();
    this.#picks.clear();
    this.#selection.select(null);
    this.#grouping.follow(readAddress());
    this.#queue.show(view);
  }

  // A link, Back or Forward.
  #followAddress() {
    this.#grouping.follow(readAddress());
    this.#queue.go(readAddress());
    this.#tabs.follow();
    this.#selection.follow();
  }

  /** @param {QueueEntry} entry */
  #choose(entry) {
    this.#selection.select(entry);
    this.#selection.open({ focus: false });
  }

  /** @param {string} patternId */
  async #visit(patternId) {
    this.#tabs.go("list");
    if (await this.#selection.find(patternId)) this.#selection.open();
  }
}

new ReviewPage().start();
