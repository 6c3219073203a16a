// @ts-check
/** A document as the server renders it for a page that is open already: what differs from one document to the next. */
import { one } from "../dom.js";

/**
 * @typedef {object} Part
 * @property {any} data the page's data, see the review view
 * @property {HTMLElement} main
 * @property {HTMLElement} crumbs
 * @property {string} progress how much is done and how much waits, in words
 */

/** The part that the page was loaded with. @returns {Part} */
export const shownPart = () => partOf(document);

/**
 * What the server rendered, with every value escaped, as it renders the page itself. Nothing in it runs: it is parsed apart.
 * @param {string} text
 * @returns {Part}
 */
export function parsedPart(text) {
  const part = partOf(new DOMParser().parseFromString(text, "text/html"));
  return { ...part, main: document.adoptNode(part.main), crumbs: document.adoptNode(part.crumbs) };
}

/** @param {Document} page @returns {Part} */
const partOf = (page) => ({
  data: JSON.parse(one("#review-data", page).textContent ?? "null"),
  main: one("#main", page),
  crumbs: one("nav.crumbs", page),
  progress: one("[data-progress]", page).textContent ?? "",
});

/** Puts a part in the place of the one that is shown. @param {Part} shown @param {Part} next */
export function swap(shown, next) {
  shown.main.replaceWith(next.main);
  shown.crumbs.replaceWith(next.crumbs);
  one("[data-history]").setAttribute("href", next.data.urls.document);
  document.title = document.title.replace(shown.data.document.filename, () => next.data.document.filename);
}
