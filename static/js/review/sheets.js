// @ts-check
/** The page images one below the other: their size, the part in view, and their words. */
import { calm, el, one, painted, say, shows } from "../dom.js";
import { get } from "../http.js";
import { least } from "./boxes.js";

/**
 * @typedef {import("./marks.js").Page} Page
 * @typedef {import("./marks.js").Word} Word
 * @typedef {{page: Page, figure: HTMLElement, image: HTMLImageElement, marks: SVGElement | null, asked?: Promise<void>}} Sheet
 */

const STEP = 1.2;
const PAN = 160; // milliseconds
const DECODED = 2000; // milliseconds that a document waits for its first image before it may be shown without
const UNKNOWN = { width: 1240, height: 1754 }; // A4 until the image says otherwise
const MARGIN = { top: 32, bottom: 96, side: 32 }; // the toolbar lies over the bottom

/** What the viewer stands on. It draws nothing by itself: `near`, `resized` and `worded` tell who does. */
export class Sheets {
  /**
   * @param {Page[]} pages
   * @param {{near: (sheet: Sheet) => void, resized: (sheet: Sheet) => void, worded: (sheet: Sheet) => void, zoomed: () => void, refitted: () => void, onPage: (number: number) => void}} on
   * @param {HTMLElement} root holds the page's parts; it need not be shown yet
   * @param {AbortSignal} over tells that the document was left
   */
  constructor(pages, on, root, over) {
    this.on = on;
    this.root = root;
    this.scroller = one("[data-scroller]", root);
    /** @type {Sheet[]} */
    this.all = pages.map((page) => sheetOf(page, (width, height) => this.#measured(page, width, height)));
    one("[data-pages]", root).replaceChildren(...this.all.map((sheet) => sheet.figure));
    this.scale = 0; // not laid out yet
    this.fitted = true;
    this.fresh = false;
    this.number = 0;
    const sizes = new ResizeObserver(() => {
      if (!this.fitted || !this.scroller.isConnected) return;
      this.fit();
      on.refitted();
    });
    sizes.observe(this.scroller);
    const watching = [sizes, ...this.#watch()];
    over.addEventListener("abort", () => {
      for (const observer of watching) observer.disconnect();
      cancelAnimationFrame(this.panning ?? 0);
    });
    if (this.scroller.isConnected) this.fit(); // otherwise once it is shown
  }

  /** Before it is shown: the first page is decoded, so that it is painted with the first frame. */
  async ready() {
    const [first] = this.all;
    if (!first) return;
    void this.words(first.page);
    const slow = new Promise((resolve) => setTimeout(resolve, DECODED));
    await Promise.race([first.image.decode().catch(() => undefined), slow]);
    first.image.decoding = "sync";
  }

  /** Marks are drawn when a page comes near: a long document would cost thousands of rectangles at once. */
  #watch() {
    const byFigure = new Map(this.all.map((sheet) => [/** @type {Element} */ (sheet.figure), sheet]));
    const near = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) {
        const sheet = byFigure.get(target);
        if (isIntersecting && sheet) this.on.near(sheet);
      }
    }, { root: this.scroller, rootMargin: "800px" });
    const middle = new IntersectionObserver(() => this.#showNumber(), { root: this.scroller, threshold: [0, 0.25, 0.5, 0.75, 1] });
    for (const sheet of this.all) {
      near.observe(sheet.figure);
      middle.observe(sheet.figure);
    }
    this.scroller.addEventListener("scroll", () => this.#showNumber(), { passive: true });
    return [near, middle];
  }

  /** A page that was never drawn before tells its size with its image. @param {Page} page @param {number} width @param {number} height */
  #measured(page, width, height) {
    const sheet = this.of(page.number);
    if (!sheet || (page.width === width && page.height === height)) return;
    Object.assign(page, { width, height });
    this.renew(sheet);
  }

  /** The sheet has another size now. @param {Sheet} sheet */
  renew(sheet) {
    this.on.resized(sheet);
    const { fitted } = this;
    this.fitted = false; // whatever its scale was
    if (fitted) this.fit();
    else this.zoom(this.scale);
  }

  /** @param {number | null | undefined} number */
  of(number) {
    return this.all.find((found) => found.page.number === number);
  }

  /** @param {import("./gestures.js").Point} at */
  under(at) {
    return this.all.find(({ figure: node }) => {
      const { left, right, top, bottom } = node.getBoundingClientRect();
      return at.x >= left && at.x <= right && at.y >= top && at.y <= bottom;
    });
  }

  /** The words of a page, fetched when it comes near or is searched; when that fails, again the next time. @param {Page} page @returns {Promise<Word[]>} */
  async words(page) {
    const sheet = this.of(page.number);
    if (page.words || !sheet) return page.words ?? [];
    sheet.asked ??= this.#fetch(sheet);
    await sheet.asked;
    sheet.asked = undefined;
    return page.words ?? [];
  }

  /** @param {Sheet} sheet */
  async #fetch(sheet) {
    const answer = await get(sheet.page.words_url);
    if (!answer.ok || sheet.page.words) return;
    sheet.page.words = /** @type {Word[]} */ (answer.body.words);
    this.on.worded(sheet);
  }

  /** @param {Sheet} sheet @param {number[]} box */
  pan(sheet, [left, top, width, height]) {
    const view = this.scroller.getBoundingClientRect();
    const page = sheet.figure.getBoundingClientRect();
    const x = page.left - view.left + left * page.width;
    const y = page.top - view.top + top * page.height;
    const across = least(x, x + width * page.width, MARGIN.side, view.width - MARGIN.side);
    const down = least(y, y + height * page.height, MARGIN.top, view.height - MARGIN.bottom);
    if (across || down) this.scroll(this.scroller.scrollLeft + across, this.scroller.scrollTop + down);
  }

  /** @param {number} left @param {number} top */
  scroll(left, top) {
    if (this.fresh || calm()) return this.scroller.scrollTo(left, top);
    const from = [this.scroller.scrollLeft, this.scroller.scrollTop];
    const began = performance.now();
    const step = (/** @type {number} */ now) => {
      const share = Math.min(1, Math.max(0, now - began) / PAN);
      const eased = 1 - (1 - share) ** 3;
      this.scroller.scrollTo(from[0] + (left - from[0]) * eased, from[1] + (top - from[1]) * eased);
      if (share < 1) this.panning = requestAnimationFrame(step);
    };
    cancelAnimationFrame(this.panning ?? 0);
    this.panning = requestAnimationFrame(step);
  }

  /** @param {number} [width] of the view, in pixels, where that is known before it is laid out */
  fit(width = this.scroller.clientWidth) {
    const widest = Math.max(...this.all.map((sheet) => sheet.page.width || UNKNOWN.width));
    const room = width - (width > 600 ? 72 : 32);
    const scale = possible(Math.min(room / widest, 1));
    if (!this.fitted || scale !== this.scale) this.zoom(scale);
    this.fitted = true;
  }

  /** It is in the page now. Nothing of it was on the screen yet from where it could move. */
  shown() {
    if (this.scale === 0) this.fit();
    this.fresh = true;
    void painted().then(() => (this.fresh = false));
  }

  /** Takes the place of another, before it is laid out: once is enough then. @param {Sheets} other */
  expect(other) {
    if (this.scale === 0) this.fit(other.scroller.clientWidth);
  }

  zoomIn() {
    this.zoom(this.scale * STEP);
  }

  zoomOut() {
    this.zoom(this.scale / STEP);
  }

  /** @param {number} scale @param {number} [x] @param {number} [y] the point of the window that stays where it is */
  zoom(scale, x, y) {
    const view = this.scroller.getBoundingClientRect();
    const [atX, atY] = [x ?? view.left + view.width / 2, y ?? view.top + view.height / 3];
    const first = this.scale === 0;
    const anchor = this.all.find(({ figure: node }) => node.getBoundingClientRect().bottom > atY) ?? this.all[0];
    if (!anchor) return;
    const before = anchor.figure.getBoundingClientRect();
    const share = [(atX - before.left) / (before.width || 1), (atY - before.top) / (before.height || 1)];
    this.scale = possible(scale);
    this.fitted = false;
    for (const { page, figure: node } of this.all) {
      node.style.inlineSize = `${(page.width || UNKNOWN.width) * this.scale}px`;
      node.style.blockSize = `${(page.height || UNKNOWN.height) * this.scale}px`;
    }
    const after = anchor.figure.getBoundingClientRect();
    if (!first) this.scroller.scrollBy(after.left + share[0] * after.width - atX, after.top + share[1] * after.height - atY);
    shows(one("[data-zoom]", this.root), `${Math.round(this.scale * 100)}%`);
    this.on.zoomed();
  }

  /** @param {number} step pages forward or back */
  turn(step) {
    const sheet = this.all[Math.min(Math.max(this.current() + step, 0), this.all.length - 1)];
    if (sheet) this.scroll(this.scroller.scrollLeft, sheet.figure.offsetTop - 20);
  }

  /** @returns {number} index of the page in the middle of the view */
  current() {
    const middle = this.scroller.scrollTop + this.scroller.clientHeight / 2;
    const index = this.all.findLastIndex((sheet) => sheet.figure.offsetTop <= middle);
    return Math.max(0, index);
  }

  /** @param {number} number */
  goTo(number) {
    const sheet = this.of(number);
    if (sheet) this.scroll(this.scroller.scrollLeft, sheet.figure.offsetTop - 20);
  }

  #showNumber() {
    const count = this.all.length;
    const number = count ? this.all[this.current()].page.number : 0;
    if (number === this.number) return;
    this.number = number;
    one("[data-page-number]", this.root).textContent = count ? say("page_of", { page: number, n: count }) : "";
    this.on.onPage(number);
  }
}

/** @param {Page} page @param {(width: number, height: number) => void} onSize @returns {Sheet} */
function sheetOf(page, onSize) {
  const image = /** @type {HTMLImageElement} */ (el("img", { src: page.image_url, alt: say("page_image", { page: page.number }), loading: page.number === 1 ? "eager" : "lazy", decoding: "async", draggable: "false" }));
  image.addEventListener("load", () => onSize(image.naturalWidth, image.naturalHeight));
  return { page, image, figure: el("figure", { class: "page", "data-page": page.number }, image), marks: null };
}

/** Where on the page a point of the window is, in fractions. @param {Sheet} sheet @param {import("./gestures.js").Point} at @returns {number[]} */
export function share({ figure: node }, at) {
  const { left, top, width, height } = node.getBoundingClientRect();
  return [(at.x - left) / width, (at.y - top) / height];
}

/** @param {number} scale one that can be shown */
const possible = (scale) => Math.min(4, Math.max(0.08, scale));
