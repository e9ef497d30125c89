/** @import { Grouping, Status } from "wire" */

/**
 * What the page's address says after the #: which list, and which pattern of it.
 * @typedef {object} Place
 * @property {Status} view
 * @property {Grouping | null} grouping what the list is grouped by
 * @property {string | null} key of the group that is opened; it may be empty
 * @property {string} query
 * @property {string} sort the name of an order, with `-` before it where it is reversed
 * @property {string | null} pattern
 * @property {Tab} tab what is shown
 * @property {string | null} rule the one that is opened
 *
 * @typedef {"list" | "results" | "rules"} Tab the list with its details, or what is shown in place of them
 */

/** @type {readonly Status[]} */
const VIEWS = ["pending", "approved", "rejected", "auto-approved", "auto-rejected"];
/** @type {readonly Tab[]} */
const TABS = ["list", "results", "rules"];
/** @type {readonly Grouping[]} */
export const GROUPINGS = ["kind", "shape", "target", "flag"];
export const USUAL_SORT = "impact";

/**
 * The daemon's path as seen from this page: a proxy may serve both under a path of its own.
 * @param {string} path from the daemon's root, without a slash in front
 */
export function fromRoot(path) {
  return new URL(path, location.href);
}

/**
 * What the address names. Links are typed and shortened by people: what does not make sense counts as not said.
 * @returns {Place}
 */
export function readAddress() {
  const said = parts(location.hash.slice(1));
  const grouping = GROUPINGS.find((name) => name === said.get("group")) ?? null;
  return {
    view: VIEWS.find((view) => view === said.get("view")) ?? "pending",
    grouping,
    key: grouping === null ? null : (said.get("key") ?? null),
    query: said.get("q") ?? "",
    sort: said.get("sort") || USUAL_SORT,
    pattern: said.get("pattern") || null,
    tab: TABS.find((tab) => tab === said.get("tab")) ?? "list",
    rule: said.get("rule") || null,
  };
}

/**
 * Change what the address says; only a step that Back is to undo adds to the browser's history.
 * @param {Partial<Place>} changes
 * @param {{ step?: boolean }} [options]
 */
export function writeAddress(changes, { step = false } = {}) {
  const hash = asHash({ ...readAddress(), ...changes });
  if (location.hash === hash) return;
  const url = location.pathname + location.search + hash;
  if (step) history.pushState(null, "", url);
  else history.replaceState(history.state, "", url);
}

/** @param {Place} place */
function asHash({ view, grouping, key, query, sort, pattern, tab, rule }) {
  const said = [
    view !== "pending" && `view=${view}`,
    grouping !== null && `group=${grouping}`,
    grouping !== null && key !== null && `key=${encodeURIComponent(key)}`,
    query !== "" && `q=${encodeURIComponent(query)}`,
    sort !== USUAL_SORT && `sort=${encodeURIComponent(sort)}`,
    pattern !== null && `pattern=${encodeURIComponent(pattern)}`,
    tab !== "list" && `tab=${tab}`,
    rule !== null && `rule=${encodeURIComponent(rule)}`,
  ].filter(Boolean);
  return said.length > 0 ? `#${said.join("&")}` : "";
}

/**
 * Not URLSearchParams: in a link that was written by hand, a + is a +.
 * @param {string} text
 */
function parts(text) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const part of text.split("&")) {
    const { name, value } = /^(?<name>\w+)=(?<value>.*)$/su.exec(part)?.groups ?? {};
    try {
      if (name !== undefined && value !== undefined) found.set(name, decodeURIComponent(value));
    } catch {
      // Not written by this page.
    }
  }
  return found;
}
