// @ts-check
/** What is drawn on a page image: a box per field in the style of its state, the words, and the flag of the active field. */
import { svg } from "../dom.js";
import { tone } from "./reasons.js";

/**
 * @typedef {import("./store.js").Entry} Entry
 * @typedef {{id: string, text: string, box: number[], confidence: number}} Word
 * @typedef {{number: number, width: number, height: number, image_url: string, words_url: string, words?: Word[]}} Page
 */

const ROOM = 0.0035; // of the page's width: boxes stand off from the ink by this

/** @param {Page} page @param {number[]} box @param {number} [room] */
function geometry(page, [left, top, width, height], room = ROOM) {
  const off = room * page.width;
  return {
    x: left * page.width - off, y: top * page.height - off, width: width * page.width + 2 * off, height: height * page.height + 2 * off, rx: off,
  };
}

/** @param {Page} page @param {Entry[]} entries @param {boolean} capture whether words can be clicked */
export function drawMarks(page, entries, capture) {
  const words = capture ? wordsOf(page) : [];
  const boxes = entries.map((entry) =>
    svg("rect", { class: boxClass(entry, false), "data-name": entry.name, ...geometry(page, /** @type {number[]} */ (entry.box)) }));
  return svg("svg", { class: "marks", viewBox: `0 0 ${page.width} ${page.height}`, "aria-hidden": "true" }, ...words, ...boxes);
}

/** The words that can be clicked, none before they are fetched. @param {Page} page */
export const wordsOf = (page) => (page.words ?? []).map((word) => svg("rect", { class: "word", "data-word": word.id, ...geometry(page, word.box, 0.001) }));

/** @param {Entry} entry @param {boolean} active */
export const boxClass = (entry, active) => `box ${tone(entry)}${active ? " active" : ""}`;

/**
 * Puts the flag on the first free side of the box: below, above, right, left; it never covers a word if a side is free.
 * @param {HTMLElement} flag
 * @param {Page} page
 * @param {number[]} box
 * @param {number} scale screen pixels per image pixel
 */
export function placeFlag(flag, page, box, scale) {
  const size = { width: flag.offsetWidth, height: flag.offsetHeight };
  const [left, top, width, height] = [box[0] * page.width, box[1] * page.height, box[2] * page.width, box[3] * page.height].map((n) => n * scale);
  const gap = 4;
  const sheet = { width: page.width * scale, height: page.height * scale };
  const inside = (/** @type {number} */ x) => Math.max(2, Math.min(x, sheet.width - size.width - 2));
  const sides = [
    [inside(left - 4), top + height + gap], [inside(left - 4), top - size.height - gap],
    [left + width + gap, top + (height - size.height) / 2], [left - size.width - gap, top + (height - size.height) / 2],
    [inside(left + width - size.width + 4), top + height + gap], [inside(left + width - size.width + 4), top - size.height - gap],
  ];
  const words = (page.words ?? []).map((word) => [word.box[0] * sheet.width, word.box[1] * sheet.height, word.box[2] * sheet.width, word.box[3] * sheet.height]);
  const costs = sides.map(([x, y]) => {
    const out = x < 0 || y < 0 || x + size.width > sheet.width || y + size.height > sheet.height;
    return (out ? 1e9 : 0) + words.reduce((sum, word) => sum + overlap([x, y, size.width, size.height], word), 0);
  });
  const [x, y] = sides[costs.indexOf(Math.min(...costs))];
  flag.style.insetInlineStart = `${x}px`;
  flag.style.insetBlockStart = `${y}px`;
}

/** @param {number[]} one @param {number[]} other @returns {number} the common area */
function overlap([x1, y1, w1, h1], [x2, y2, w2, h2]) {
  const wide = Math.min(x1 + w1, x2 + w2) - Math.max(x1, x2);
  const high = Math.min(y1 + h1, y2 + h2) - Math.max(y1, y2);
  return wide > 0 && high > 0 ? wide * high : 0;
}
