/**
 * A part of a drawing: an element of SVG with its attributes and what is in it.
 * @typedef {{ name: string, attributes: Record<string, string | number>, children: (Drawing | string)[] }} Drawing
 */

const NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {...(Drawing | string)} children
 * @returns {Drawing}
 */
export function part(name, attributes, ...children) {
  return { name, attributes, children };
}

/**
 * The element that shows a drawing.
 * @param {Drawing} drawing
 * @returns {Element}
 */
export function draw({ name, attributes, children }) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children.map((child) => (typeof child === "string" ? child : draw(child))));
  return element;
}

/**
 * A length in pixels, to a tenth.
 * @param {number} value
 */
export function px(value) {
  return Math.round(value * 10) / 10;
}
