// @ts-check
/** Building elements without markup in strings, and the words that scripts show. */

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes] `text` sets the text; false or null leaves one out
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  return /** @type {HTMLElement} */ (filled(document.createElement(tag), attributes, children));
}

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  return /** @type {SVGElement} */ (filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children));
}

/**
 * @param {Element} node
 * @param {Record<string, string | number | boolean | null | undefined>} attributes
 * @param {(Node | string | null | undefined | false)[]} children
 */
function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = String(value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

/**
 * A form for one value, so that browsers that look for addresses to fill in look at one field when it is entered, and not at every
 * field of the page: with sixty of them that took Chromium 23 ms of processor time for each.
 * @param {Record<string, string | number | boolean | null | undefined>} attributes
 * @param {...(Node | string | null | undefined | false)} children
 */
export function ownForm(attributes, ...children) {
  const form = el("form", { ...attributes, autocomplete: "off", novalidate: true }, ...children);
  form.addEventListener("submit", (event) => event.preventDefault()); // Enter means what the page says
  return form;
}

/**
 * Shows these children and leaves alone what stands there already: what comes anew is laid out, painted and put into layers anew.
 * @param {Element} node
 * @param {...(Node | string | null | undefined | false)} children
 */
export function shows(node, ...children) {
  const before = [...node.childNodes];
  const wanted = children.filter((child) => child).map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
  wanted.forEach((child, at) => {
    const there = before[at];
    if (!there) node.append(child);
    else if (there !== child && !there.isEqualNode(child)) there.replaceWith(child);
  });
  for (const rest of before.slice(wanted.length)) rest.remove();
}

/**
 * @param {string} name a symbol of the sprite
 * @param {string} [classes]
 */
export function icon(name, classes = "") {
  const use = svg("use", { href: `${document.documentElement.dataset.icons}#${name}` });
  return svg("svg", { class: `icon ${classes}`.trim(), "aria-hidden": "true" }, use);
}

/** @type {Map<string, string> | null} */
let words = null;

/**
 * The words for a key, in the language of the page. With `n`, the key `<key>_one` is used for exactly one.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function say(key, values = {}) {
  words ??= collected();
  const sentence = (values.n === 1 ? words.get(`${key}_one`) : undefined) ?? words.get(key);
  if (sentence === undefined) throw new Error(`No words for "${key}" in this page`);
  return sentence.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Whether the page has words for a key. @param {string} key */
export function told(key) {
  words ??= collected();
  return words.has(key);
}

/** @returns {Map<string, string>} */
function collected() {
  const found = new Map();
  for (const block of document.querySelectorAll("template[data-text]"))
    for (const span of /** @type {HTMLTemplateElement} */ (block).content.querySelectorAll("[data-key]"))
      found.set(/** @type {HTMLElement} */ (span).dataset.key, (span.textContent ?? "").trim());
  return found;
}

/**
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {HTMLElement}
 */
export function one(selector, root = document) {
  const node = root.querySelector(selector);
  if (!node) throw new Error(`The page has no ${selector}`);
  return /** @type {HTMLElement} */ (node);
}

/** The reader's own variety of the language of the page: British dates for a British browser, German ones on a German page. */
export const locale =
  navigator.languages.find((each) => each.split("-")[0] === document.documentElement.lang) ?? document.documentElement.lang;

/** @param {number} value */
export const number = (value) => value.toLocaleString(locale);

const HIDDEN = 100; // milliseconds after which a page that nobody looks at counts as painted: it gets no frames

/** Once what is in the page by now is on the screen, or the page is left: work that can wait for that does not hold it up. @returns {Promise<void>} */
export const painted = () => new Promise((resolve) => {
  const over = new AbortController();
  const done = () => (over.abort(), resolve());
  setTimeout(done, HIDDEN);
  addEventListener("pagehide", done, { signal: over.signal });
  requestAnimationFrame(() => requestAnimationFrame(done));
});

/** Once the browser has nothing better to do, or half a second has passed. @param {() => void} run */
export const whenIdle = (run) => void ("requestIdleCallback" in window ? requestIdleCallback(run, { timeout: 500 }) : setTimeout(run, 0));

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
