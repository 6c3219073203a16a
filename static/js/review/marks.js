// @ts-check
/** What is drawn on a page image: a box per field in the style of its state, the words, and the flag of the active field. */
import { svg } from "../dom.js";
import { tone } from "./reasons.js";

/**
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {{id: string, text: string, box: number[], confidence: number}} Word
 * @typedef {{number: number, turn: number, width: number, height: number, image_url: string, thumbnail_url: string, words_url: string, turn_url: string, words?: Word[]}} Page
 * @typedef {{page: number, box: number[]}} Place
 */

const ROOM = 0.0035; // of the page's width: boxes stand off from the ink by this

/** @param {Page} page @param {number[]} box @param {number} [room] */
function geometry(page, [left, top, width, height], room = ROOM) {
  const off = room * page.width;
  return {
    x: left * page.width - off, y: top * page.height - off, width: width * page.width + 2 * off, height: height * page.height + 2 * off, rx: off,
  };
}

/** Where the value stands: where the reviewer took it from, else where the machine read it. @param {Entry} entry @returns {Place | null} */
export function placeOf(entry) {
  const { evidence } = entry;
  if (evidence?.page && evidence.box) return { page: evidence.page, box: evidence.box };
  return entry.page && entry.box ? { page: entry.page, box: entry.box } : null;
}

/** The layer of marks of a page, with nothing in it yet. @param {Page} page */
export const layer = (page) => svg("svg", { class: "marks", viewBox: `0 0 ${page.width} ${page.height}`, "aria-hidden": "true" });

/** @param {Page} page @param {Entry} entry @param {number[]} box @param {boolean} active */
export const boxOf = (page, entry, box, active) => svg("rect", { class: boxClass(entry, active), "data-name": entry.name, ...geometry(page, box) });

/** @param {Page} page @param {number[]} box @param {string} kind `row` around the cells of a line item, `hit` of a search */
export const outline = (page, box, kind) => svg("rect", { class: kind, ...geometry(page, box) });

/** The words that can be clicked, none before they are fetched. @param {Page} page */
export const wordsOf = (page) => (page.words ?? []).map((word) => svg("rect", { class: "word", "data-word": word.id, ...geometry(page, word.box, 0.001) }));

/** @param {Entry} entry @param {boolean} active */
export const boxClass = (entry, active) => `box ${tone(entry)}${active ? " active" : ""}`;

const GAP = 4; // pixels between the box and its flag
const NEAR = 5; // heights of the flag, up and down along the edges: further off nobody sees what it belongs to

/**
 * Puts the flag on the first side of the box where it covers no word: below, above, right, left, and their corners. Where every side
 * has words it goes to the nearest free place of the page's edge, and where there is none it is not shown at all.
 * @param {HTMLElement} flag
 * @param {Page} page
 * @param {number[]} box
 * @param {number} scale screen pixels per image pixel
 */
export function placeFlag(flag, page, box, scale) {
  flag.hidden = false;
  const size = { width: flag.offsetWidth, height: flag.offsetHeight };
  const sheet = { width: page.width * scale, height: page.height * scale };
  const at = [box[0] * sheet.width, box[1] * sheet.height, box[2] * sheet.width, box[3] * sheet.height];
  const words = (page.words ?? []).map((word) => [word.box[0] * sheet.width, word.box[1] * sheet.height, word.box[2] * sheet.width, word.box[3] * sheet.height]);
  const free = [...sides(at, size, sheet), ...edges(at, size, sheet)].find(([x, y]) =>
    x >= 0 && y >= 0 && x + size.width <= sheet.width && y + size.height <= sheet.height
    && !words.some((word) => overlap([x, y, size.width, size.height], word)));
  flag.hidden = !free;
  if (!free) return;
  flag.style.insetInlineStart = `${free[0]}px`;
  flag.style.insetBlockStart = `${free[1]}px`;
}

/** @typedef {{width: number, height: number}} Size */

/** @param {number[]} box @param {Size} size @param {Size} sheet @returns {number[][]} */
function sides([left, top, width, height], size, sheet) {
  const inside = (/** @type {number} */ x) => Math.max(2, Math.min(x, sheet.width - size.width - 2));
  const [below, above, middle] = [top + height + GAP, top - size.height - GAP, top + (height - size.height) / 2];
  const [start, end, centre] = [inside(left - GAP), inside(left + width - size.width + GAP), inside(left + (width - size.width) / 2)];
  return [
    [start, below], [start, above], [left + width + GAP, middle], [left - size.width - GAP, middle], [end, below], [end, above],
    [centre, below], [centre, above], [left + width + GAP, below], [left + width + GAP, above], [left - size.width - GAP, below], [left - size.width - GAP, above],
  ];
}

/** Beside the page's edges at the height of the box, then higher and lower. @param {number[]} box @param {Size} size @param {Size} sheet @returns {number[][]} */
function edges([, top], size, sheet) {
  const steps = Array.from({ length: NEAR }, (_, step) => top + (step % 2 ? -1 : 1) * Math.ceil(step / 2) * size.height);
  return steps.flatMap((y) => [[sheet.width - size.width - 2, y], [2, y]]);
}

/** @param {number[]} one @param {number[]} other @returns {boolean} whether they have any area in common */
function overlap([x1, y1, w1, h1], [x2, y2, w2, h2]) {
  return Math.min(x1 + w1, x2 + w2) > Math.max(x1, x2) && Math.min(y1 + h1, y2 + h2) > Math.max(y1, y2);
}
