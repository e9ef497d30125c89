/**
 * The element of index.html that has an id.
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`index.html has no ${kind.name} with the id "${id}".`);
  return element;
}

/**
 * Several elements of index.html, under their ids.
 * @template {string} Id
 * @param {...Id} ids
 * @returns {Record<Id, HTMLElement>}
 */
export function allById(...ids) {
  const entries = ids.map((id) => [id, byId(id, HTMLElement)]);
  return Object.fromEntries(entries);
}

/**
 * The first element below `root` that matches a selector.
 * @template {Element} Kind
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function find(root, selector, kind) {
  const element = root.querySelector(selector);
  if (!(element instanceof kind)) throw new Error(`index.html has no ${kind.name} that matches "${selector}".`);
  return element;
}

/**
 * All elements below `root` that match a selector.
 * @param {ParentNode} root
 * @param {string} selector
 */
export function findAll(root, selector) {
  return [...root.querySelectorAll(selector)].filter((element) => element instanceof HTMLElement);
}

/**
 * The element that an event happened in, or the closest one around it, that matches a selector.
 * @param {Event} event
 * @param {string} selector
 */
export function closest({ target }, selector) {
  const element = target instanceof Element ? target.closest(selector) : null;
  return element instanceof HTMLElement ? element : null;
}

/**
 * A new element with properties and children.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Partial<HTMLElementTagNameMap[Name]>} properties
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function build(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/**
 * Set an element's text where it differs: rewriting it would drop a person's selection in that text.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Set an attribute where it differs.
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean} value
 */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

/**
 * Fill a list with one element per item. An unchanged list is left alone, for the same reason.
 * @template Item
 * @param {HTMLElement} list
 * @param {Item[]} items
 * @param {(item: Item) => HTMLElement} draw
 */
export function fillList(list, items, draw) {
  const key = JSON.stringify(items);
  if (list.dataset.key === key && list.childElementCount > 0) return;
  list.dataset.key = key;
  list.replaceChildren(...items.map(draw));
}
