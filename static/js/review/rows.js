// @ts-check
/** The rows of a long table: only those in view are in the page, and gaps as high as the others would be. */
import { el } from "../dom.js";

/**
 * @typedef {import("./items.js").Row} Row
 * @typedef {{row: Row, node: HTMLElement, cells: Map<string, import("./grid.js").Cell>}} Shown a row that is in the page
 */

const WHOLE = 60; // so many rows are all in the page, and their texts may take several lines
const AROUND = 6; // rows beyond the edges of the view that are there already
const FIRST_GUESS = 31; // pixels of a row, until one is measured

export class Rows {
  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} table
   * @param {import("./items.js").Items} items
   * @param {(row: Row) => Map<string, import("./grid.js").Cell>} cells makes those of a row
   * @param {AbortSignal} over
   */
  constructor(scroller, table, items, cells, over) {
    this.scroller = scroller;
    this.table = table;
    this.items = items;
    this.cells = cells;
    this.body = el("tbody");
    table.append(this.body);
    /** @type {Map<number, Shown>} by the row's number */
    this.shown = new Map();
    /** @type {number | null} the row that stays in the page wherever the view is, and what is open below it */
    this.active = null;
    /** @type {HTMLElement | null} */
    this.below = null;
    this.height = FIRST_GUESS;
    this.whole = items.rows.length <= WHOLE;
    let due = 0;
    const later = () => {
      if (this.whole) return;
      cancelAnimationFrame(due);
      due = requestAnimationFrame(() => this.#scrolled());
    };
    scroller.addEventListener("scroll", later, { passive: true });
    const sizes = new ResizeObserver(later);
    sizes.observe(scroller);
    over.addEventListener("abort", () => sizes.disconnect());
  }

  /** After rows came or went. */
  draw() {
    const whole = this.items.rows.length <= WHOLE;
    if (whole !== this.whole) for (const number of [...this.shown.keys()]) this.#drop(number);
    this.whole = whole;
    this.table.classList.toggle("light", !whole);
    this.table.setAttribute("aria-rowcount", String(this.items.rows.length + 1));
    for (const [number, shown] of this.shown) if (!this.items.rows.includes(shown.row)) this.#drop(number);
    this.#arrange();
  }

  /** Scrolls to where the row is, or will be, and has it drawn. @param {number} number */
  bringIn(number) {
    const at = this.items.rows.findIndex((row) => row.number === number);
    const top = this.body.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top + at * this.height;
    this.scroller.scrollBy({ top: top - this.scroller.clientHeight / 2, behavior: "instant" });
    this.#arrange();
  }

  #scrolled() {
    const first = [...this.shown.values()].find((shown) => shown.node.offsetHeight);
    if (first) this.height = first.node.getBoundingClientRect().height || this.height;
    this.#arrange();
  }

  /** The rows in view, those around them and the active one; a gap stands for each run of others. */
  #arrange() {
    const rows = this.items.rows;
    const [from, to] = this.whole ? [0, rows.length] : this.#inView();
    /** @type {HTMLElement[]} */
    const nodes = [];
    let gap = 0;
    const close = () => {
      if (gap) nodes.push(this.#gap(gap));
      gap = 0;
    };
    rows.forEach((row, at) => {
      const active = row.number === this.active;
      if ((at < from || at >= to) && !active) return void (gap += 1);
      close();
      nodes.push(this.#row(row, at).node);
      if (active && this.below) nodes.push(this.below);
    });
    close();
    this.#put(nodes);
  }

  /** Moves only what is not in its place: what has the focus would lose it. @param {HTMLElement[]} nodes */
  #put(nodes) {
    const wanted = new Set(nodes);
    for (const [number, shown] of this.shown) if (!wanted.has(shown.node)) this.#drop(number);
    for (const node of [...this.body.children]) if (!wanted.has(/** @type {HTMLElement} */ (node))) node.remove();
    let next = this.body.firstElementChild;
    for (const node of nodes) {
      if (node === next) next = next.nextElementSibling;
      else this.body.insertBefore(node, next);
    }
  }

  /** @returns {[number, number]} */
  #inView() {
    const view = this.scroller.getBoundingClientRect();
    const top = this.body.getBoundingClientRect().top;
    const first = Math.floor((view.top - top) / this.height) - AROUND;
    const last = Math.ceil((view.bottom - top) / this.height) + AROUND;
    const start = Math.min(Math.max(0, first), Math.max(0, this.items.rows.length - 2 * AROUND));
    return [start, Math.min(this.items.rows.length, Math.max(last, start + 2 * AROUND))];
  }

  /** @param {number} rows */
  #gap(rows) {
    const node = el("tr", { class: "gap", "aria-hidden": "true" }, el("td", { colspan: this.items.columns.length }));
    node.style.blockSize = `${rows * this.height}px`;
    return node;
  }

  /** @param {Row} row @param {number} at @returns {Shown} */
  #row(row, at) {
    const there = this.shown.get(row.number) ?? this.#made(row);
    there.node.setAttribute("aria-rowindex", String(at + 2));
    return there;
  }

  /** @param {Row} row @returns {Shown} */
  #made(row) {
    const cells = this.cells(row);
    const node = el("tr", { "data-row": row.number, class: row.added ? "added" : "" }, ...[...cells.values()].map((cell) => cell.node));
    const shown = { row, node, cells };
    this.shown.set(row.number, shown);
    return shown;
  }

  /** @param {number} number */
  #drop(number) {
    this.shown.get(number)?.node.remove();
    this.shown.delete(number);
  }
}
