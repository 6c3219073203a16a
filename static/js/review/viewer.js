// @ts-check
/** The page images: size, position, marks, and the way to a field's region. */
import { calm, el, one, say } from "../dom.js";
import { get } from "../http.js";
import { gestures } from "./gestures.js";
import { boxClass, drawMarks, placeFlag, wordsOf } from "./marks.js";

/**
 * @typedef {import("./store.js").Entry} Entry
 * @typedef {import("./marks.js").Page} Page
 * @typedef {import("./marks.js").Word} Word
 * @typedef {{page: Page, figure: HTMLElement, marks: SVGElement | null, entries: Entry[], asked?: boolean}} Sheet
 */

const STEP = 1.2;
const PAN = 160; // milliseconds
const DECODED = 2000; // milliseconds that a document waits for its first image before it may be shown without
const UNKNOWN = { width: 1240, height: 1754 }; // A4 until the image says otherwise
const MARGIN = { top: 32, bottom: 96, side: 32 }; // the toolbar lies over the bottom

export class Viewer {
  /**
   * @param {Page[]} pages
   * @param {Entry[]} entries
   * @param {{onBox: (name: string) => void, onWord: ((word: Word, append: boolean) => void) | null}} on
   * @param {HTMLElement} root holds the page's parts; it need not be shown yet
   * @param {AbortSignal} over tells that the document was left
   */
  constructor(pages, entries, on, root, over) {
    this.root = root;
    this.scroller = one("[data-scroller]", root);
    this.capture = on.onWord !== null;
    /** @type {Sheet[]} */
    this.sheets = pages.map((page) => ({ page, figure: figure(page, (width, height) => this.#measured(page, width, height)), marks: null, entries: entries.filter((found) => found.page === page.number && found.box) }));
    one("[data-pages]", root).replaceChildren(...this.sheets.map((sheet) => sheet.figure));
    this.flag = el("div", { class: "flag", "aria-hidden": "true", hidden: true });
    /** @type {Entry | null} */
    this.active = null;
    this.scale = 0; // not laid out yet
    this.fitted = true;
    this.#watchSheets();
    this.scroller.addEventListener("click", (event) => this.#clicked(event, on));
    gestures(this.scroller, (factor, x, y) => this.zoom(this.scale * factor, x, y), over);
    new ResizeObserver(() => this.fitted && this.fit()).observe(this.scroller);
    if (this.scroller.isConnected) this.fit(); // otherwise once it is shown
  }

  /** Before it is shown: the first page is decoded, so that it is painted with the first frame. */
  async ready() {
    const [first] = this.sheets;
    if (!first) return;
    void this.#fetchWords(first);
    const image = /** @type {HTMLImageElement} */ (one("img", first.figure));
    const slow = new Promise((resolve) => setTimeout(resolve, DECODED));
    await Promise.race([image.decode().catch(() => undefined), slow]);
    image.decoding = "sync";
  }

  /** Marks are drawn when a page comes near: a long document would cost thousands of rectangles at once. */
  #watchSheets() {
    const near = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) {
        const sheet = this.sheets.find((found) => found.figure === target);
        if (isIntersecting && sheet) this.#draw(sheet);
      }
    }, { root: this.scroller, rootMargin: "800px" });
    for (const sheet of this.sheets) near.observe(sheet.figure);
    const at = new IntersectionObserver(() => this.#showNumber(), { root: this.scroller, threshold: [0, 0.25, 0.5, 0.75, 1] });
    for (const sheet of this.sheets) at.observe(sheet.figure);
    this.scroller.addEventListener("scroll", () => this.#showNumber(), { passive: true });
  }

  /** A page that was never drawn before tells its size with its image. @param {Page} page @param {number} width @param {number} height */
  #measured(page, width, height) {
    const sheet = this.sheets.find((found) => found.page === page);
    if (!sheet || (page.width === width && page.height === height)) return;
    Object.assign(page, { width, height });
    sheet.marks?.remove();
    sheet.marks = null;
    this.#draw(sheet);
    if (this.fitted) this.fit();
    else this.zoom(this.scale);
    if (this.active?.page === page.number) this.show(this.active);
  }

  /** @param {Sheet} sheet */
  #draw(sheet) {
    void this.#fetchWords(sheet);
    if (sheet.marks || !sheet.page.width) return;
    sheet.marks = drawMarks(sheet.page, sheet.entries, this.capture);
    sheet.figure.append(sheet.marks);
  }

  /** The words of a page are fetched when it comes near; when that fails, again the next time. @param {Sheet} sheet */
  async #fetchWords(sheet) {
    if (sheet.page.words || sheet.asked) return;
    sheet.asked = true;
    const answer = await get(sheet.page.words_url);
    sheet.asked = false;
    if (!answer.ok) return;
    sheet.page.words = /** @type {Word[]} */ (answer.body.words);
    if (this.capture) sheet.marks?.prepend(...wordsOf(sheet.page));
    if (this.active?.box && this.active.page === sheet.page.number && sheet.page.width) placeFlag(this.flag, sheet.page, this.active.box, this.scale);
  }

  /** @param {MouseEvent} event @param {{onBox: (name: string) => void, onWord: ((word: Word, append: boolean) => void) | null}} on */
  #clicked(event, on) {
    const target = event.target instanceof SVGElement ? event.target : null;
    if (target?.dataset.name) on.onBox(target.dataset.name);
    const sheet = this.sheets.find((found) => target && found.figure.contains(target));
    const word = sheet?.page.words?.find((found) => found.id === target?.dataset.word);
    if (word && on.onWord) on.onWord(word, event.shiftKey);
  }

  /** @param {Entry | null} entry shows its region: pans the least distance, never zooms by itself */
  show(entry) {
    const before = this.active;
    this.active = entry;
    if (before) this.refresh(before);
    const sheet = this.sheets.find((found) => found.page.number === entry?.page);
    this.flag.hidden = !entry || !sheet?.page.width || !entry.box;
    if (!entry || !sheet || this.flag.hidden || !entry.box) return;
    this.#draw(sheet);
    this.refresh(entry);
    this.flag.textContent = entry.row === null ? entry.label : say("cell", { label: entry.label, row: entry.row });
    sheet.figure.append(this.flag);
    placeFlag(this.flag, sheet.page, entry.box, this.scale);
    this.#pan(sheet, entry.box);
  }

  /** @param {Entry} entry */
  refresh(entry) {
    const sheet = this.sheets.find((found) => found.page.number === entry.page);
    const box = sheet?.marks?.querySelector(`.box[data-name="${CSS.escape(entry.name)}"]`);
    box?.setAttribute("class", boxClass(entry, entry === this.active));
    if (box && entry === this.active) box.parentNode?.append(box); // the active box is drawn last, above its neighbours
  }

  /** @param {Sheet} sheet @param {number[]} box */
  #pan(sheet, [left, top, width, height]) {
    const view = this.scroller.getBoundingClientRect();
    const page = sheet.figure.getBoundingClientRect();
    const x = page.left - view.left + left * page.width;
    const y = page.top - view.top + top * page.height;
    const across = least(x, x + width * page.width, MARGIN.side, view.width - MARGIN.side);
    const down = least(y, y + height * page.height, MARGIN.top, view.height - MARGIN.bottom);
    if (across || down) this.#scroll(this.scroller.scrollLeft + across, this.scroller.scrollTop + down);
  }

  /** @param {number} left @param {number} top */
  #scroll(left, top) {
    if (calm()) return this.scroller.scrollTo(left, top);
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

  fit() {
    const widest = Math.max(...this.sheets.map((sheet) => sheet.page.width || UNKNOWN.width));
    const room = this.scroller.clientWidth - (this.scroller.clientWidth > 600 ? 72 : 32);
    this.zoom(Math.min(room / widest, 1));
    this.fitted = true;
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
    const anchor = this.sheets.find(({ figure: node }) => node.getBoundingClientRect().bottom > atY) ?? this.sheets[0];
    if (!anchor) return;
    const before = anchor.figure.getBoundingClientRect();
    const share = [(atX - before.left) / (before.width || 1), (atY - before.top) / (before.height || 1)];
    this.scale = Math.min(4, Math.max(0.08, scale));
    this.fitted = false;
    for (const { page, figure: node } of this.sheets) {
      node.style.inlineSize = `${(page.width || UNKNOWN.width) * this.scale}px`;
      node.style.blockSize = `${(page.height || UNKNOWN.height) * this.scale}px`;
    }
    const after = anchor.figure.getBoundingClientRect();
    if (!first) this.scroller.scrollBy(after.left + share[0] * after.width - atX, after.top + share[1] * after.height - atY);
    one("[data-zoom]", this.root).textContent = `${Math.round(this.scale * 100)}%`;
    const sheet = this.sheets.find((found) => found.figure.contains(this.flag));
    if (sheet && this.active?.box && !this.flag.hidden) placeFlag(this.flag, sheet.page, this.active.box, this.scale);
  }

  /** @param {number} step pages forward or back */
  turn(step) {
    const sheet = this.sheets[Math.min(Math.max(this.#at() + step, 0), this.sheets.length - 1)];
    if (sheet) this.#scroll(this.scroller.scrollLeft, sheet.figure.offsetTop - 20);
  }

  /** @returns {number} index of the page in the middle of the view */
  #at() {
    const middle = this.scroller.scrollTop + this.scroller.clientHeight / 2;
    const index = this.sheets.findLastIndex((sheet) => sheet.figure.offsetTop <= middle);
    return Math.max(0, index);
  }

  #showNumber() {
    const count = this.sheets.length;
    one("[data-page-number]", this.root).textContent = count ? say("page_of", { page: this.sheets[this.#at()].page.number, n: count }) : "";
  }

  toggleBoxes() {
    const off = this.scroller.classList.toggle("no-boxes");
    one("[data-boxes]", this.root).setAttribute("aria-pressed", String(!off));
  }
}

/** @param {Page} page @param {(width: number, height: number) => void} onSize */
function figure(page, onSize) {
  const image = el("img", { src: page.image_url, alt: say("page_image", { page: page.number }), loading: page.number === 1 ? "eager" : "lazy", decoding: "async", draggable: "false" });
  image.addEventListener("load", () => onSize(/** @type {HTMLImageElement} */ (image).naturalWidth, /** @type {HTMLImageElement} */ (image).naturalHeight));
  return el("figure", { class: "page", "data-page": page.number }, image);
}

/** The smallest move that brings [from, to] into [low, high]. @param {number} from @param {number} to @param {number} low @param {number} high */
function least(from, to, low, high) {
  if (from < low) return from - low;
  return to > high ? Math.min(to - high, from - low) : 0;
}
