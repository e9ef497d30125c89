/** How values are written for people. Numbers are grouped the en-US way whatever the browser's language is. */

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const moment = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

const NOTHING = "–";

// What would be invisible, reorder its surroundings or break a line. The joiners U+200C and U+200D stay: scripts and
// emoji need them.
const TROUBLE =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;

/** 78167 → "78,167" */
export function count(value) {
  return Number.isFinite(value) ? whole.format(value) : NOTHING;
}

/** 183844.06 → "$183,844.06" */
export function money(usd) {
  return Number.isFinite(usd) ? dollars.format(usd) : NOTHING;
}

/** 0.85 → "85 %", 0.8567 → "85.7 %" */
export function percent(fraction) {
  return Number.isFinite(fraction) ? `${oneDecimal.format(fraction * 100)} %` : NOTHING;
}

/** A part of a whole: like percent, but neither something as 0 % nor a part as 100 %. */
export function share(fraction) {
  if (fraction > 0 && fraction < 0.001) return "<0.1 %";
  if (fraction > 0.9995 && fraction < 1) return ">99.9 %";
  return percent(fraction);
}

/** "1 pattern", "12,000 patterns" */
export function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** An ISO 8601 time → "23 Nov 2026, 06:43" in the reader's time zone. */
export function time(iso) {
  return iso ? moment.format(new Date(iso)) : NOTHING;
}

/** A Date → "14:03" in the reader's time zone. */
export function clockTime(date) {
  return clock.format(date);
}

/** Text from elsewhere on one line, with what cannot be seen made visible. */
export function visible(text) {
  return String(text ?? "").replace(TROUBLE, mark);
}

/** Like visible, but lines stay lines. */
export function visibleLines(text) {
  const kept = (character) => ("\n\t".includes(character) ? character : mark(character));
  return String(text ?? "")
    .replaceAll("\r\n", "\n")
    .replace(TROUBLE, kept);
}

function mark(character) {
  if (character === "\n") return "↵";
  if (character === "\t") return "⇥";
  return `[U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`;
}

/** "Read→Edit→Write" → ["Read", "Edit", "Write"] */
export function steps(toolSequence) {
  const text = String(toolSequence ?? "");
  const parts = /→|->|=>/.test(text) ? text.split(/→|->|=>/) : text.split(",");
  return parts.map((part) => part.trim()).filter(Boolean);
}

/** "sdlc:full:all" → "sdlc" */
export function patternType(patternId) {
  const colon = patternId.indexOf(":");
  return colon < 0 ? patternId : patternId.slice(0, colon);
}

/** Whose an entry's decision is: a person's name, "a rule" or null where nobody knows. */
export function decider({ status, reviewed_by: reviewer }) {
  return reviewer || (status.startsWith("auto-") ? "a rule" : null);
}

/** What was said with an entry's decision, without the word that the application's readers want before a reason. */
export function decisionNotes({ status, approval_notes: notes }) {
  return status === "rejected" ? (notes ?? "").replace(/^REJECTED: ?/, "") : notes;
}

/** An entry's decision in words: "Approved by ann on 23 Nov 2026, 06:43". */
export function decided(entry) {
  const who = decider(entry);
  const by = who ? ` by ${visible(who)}` : "";
  const on = entry.reviewed_at ? ` on ${time(entry.reviewed_at)}` : "";
  return `${capital(entry.status)}${by}${on}`;
}

/** "auto-approved" → "Auto-approved" */
export function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
