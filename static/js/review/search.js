// @ts-check
/** Looking for words on the pages, from the page in view on; pages whose words are not here yet are asked for one after the other. */
import { one, say } from "../dom.js";

/**
 * @typedef {import("./marks.js").Page} Page
 * @typedef {import("./marks.js").Word} Word
 * @typedef {{page: Page, words: Word[]}} Hit
 */

const AT_ONCE = 4; // pages
const MOST = 500;

export class Search {
  /**
   * @param {Page[]} pages
   * @param {import("./viewer.js").Viewer} viewer
   * @param {((words: Word[], page: Page) => void) | null} take puts what was found into the active field
   * @param {HTMLElement} root
   */
  constructor(pages, viewer, take, root) {
    this.pages = pages;
    this.viewer = viewer;
    this.take = take;
    this.bar = one("[data-search]", root);
    this.input = /** @type {HTMLInputElement} */ (one("input", this.bar));
    this.told = one("[data-found]", this.bar);
    /** @type {Hit[]} */
    this.hits = [];
    this.at = -1;
    this.turn = 0; // a later search ends an earlier one
    this.input.addEventListener("input", () => void this.#look());
    this.bar.addEventListener("keydown", (event) => this.#pressed(event));
    for (const [name, run] of Object.entries({ before: () => this.step(-1), after: () => this.step(1), close: () => this.close() }))
      one(`[data-search-${name}]`, this.bar).addEventListener("click", run);
  }

  open() {
    this.bar.hidden = false;
    this.back = document.activeElement;
    this.input.focus();
    this.input.select();
    if (this.input.value) void this.#look();
  }

  close() {
    this.turn += 1;
    this.bar.hidden = true;
    this.viewer.showHit(null);
    if (this.back instanceof HTMLElement) this.back.focus({ preventScroll: true });
  }

  /** @param {1 | -1} by */
  step(by) {
    if (!this.hits.length) return;
    this.at = (this.at + by + this.hits.length) % this.hits.length;
    const hit = this.hits[this.at];
    this.viewer.showHit({ page: hit.page.number, boxes: hit.words.map((word) => word.box) });
    this.#tell(true);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && event.altKey) this.#take();
    else if (event.key === "Enter" && event.target === this.input) this.step(event.shiftKey ? -1 : 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #take() {
    const hit = this.hits[this.at];
    if (!hit || !this.take) return;
    this.close();
    this.take(hit.words, hit.page);
  }

  async #look() {
    const turn = (this.turn += 1);
    const wanted = folded(this.input.value);
    this.hits = [];
    this.at = -1;
    this.viewer.showHit(null);
    if (!wanted) return void (this.told.textContent = "");
    const begin = Math.max(0, this.pages.findIndex((page) => page.number === this.viewer.sheets.number));
    const order = [...this.pages.slice(begin), ...this.pages.slice(0, begin)];
    for (let at = 0; at < order.length && this.hits.length < MOST; at += AT_ONCE) {
      const some = order.slice(at, at + AT_ONCE);
      const words = await Promise.all(some.map((page) => this.viewer.sheets.words(page)));
      if (turn !== this.turn) return;
      some.forEach((page, index) => this.hits.push(...found(words[index], wanted).map((hit) => ({ page, words: hit }))));
      if (this.at < 0 && this.hits.length) this.step(1);
      else this.#tell(false);
    }
    this.#tell(true);
  }

  /** @param {boolean} done */
  #tell(done) {
    if (this.hits.length) this.told.textContent = say("found_at", { at: this.at + 1, n: this.hits.length });
    else this.told.textContent = say(done ? "found_none" : "searching");
  }
}

/** @param {string} text */
const folded = (text) => text.trim().toLowerCase().replace(/\s+/g, " ");

/** The runs of words in which the text stands. @param {Word[]} words @param {string} wanted @returns {Word[][]} */
function found(words, wanted) {
  /** @type {number[]} */
  const starts = [];
  let all = "";
  for (const word of words) {
    starts.push(all.length);
    all += `${word.text.toLowerCase()} `;
  }
  const hits = [];
  for (let at = all.indexOf(wanted); at >= 0; at = all.indexOf(wanted, at + wanted.length)) {
    const end = at + wanted.length;
    hits.push(words.filter((word, index) => starts[index] < end && starts[index] + word.text.length > at));
  }
  return hits;
}
