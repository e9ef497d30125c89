import { count } from "./format.js";

const LONGEST_TEXT = 10_000;

/**
 * Show what is wrong with a field.
 * @param {HTMLElement} field
 * @param {HTMLElement} place
 * @param {string} fault "" for none
 */
export function complain(field, place, fault) {
  place.textContent = fault;
  field.setAttribute("aria-invalid", String(fault !== ""));
}

/**
 * What is wrong with a text; "" for nothing.
 * @param {string} text
 * @param {string} needed what is said where there is none; "" where none is needed
 */
export function textFault(text, needed) {
  const { length } = [...text]; // in code points, as the daemon counts
  if (length > LONGEST_TEXT) return `Too long: ${count(length)} characters; at most ${count(LONGEST_TEXT)} are kept.`;
  return length === 0 ? needed : "";
}
