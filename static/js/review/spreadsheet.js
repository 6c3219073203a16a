// @ts-check
/** What people do in the grid as in a spreadsheet: go, mark a range, fill it, add and take out rows, paste. */
import { say } from "../dom.js";
import { column } from "./items.js";
import { parsed } from "./tsv.js";

/**
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {import("./items.js").Row} Row
 */

/** @type {Record<string, [number, number]>} rows down and cells across */
const ARROWS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };

export class Spreadsheet {
  /** @param {import("./grid.js").Grid} grid */
  constructor(grid) {
    this.grid = grid;
    this.store = grid.store;
    this.items = grid.store.items;
    /** @type {Row | null} where a range begins, in the active cell's column */
    this.anchor = null;
  }

  /** Arrows go from cell to cell; within a text only from its ends. @param {KeyboardEvent} event @param {Entry} entry */
  moves(event, entry) {
    const [down, across] = ARROWS[event.key] ?? [0, 0];
    if ((!down && !across) || event.altKey || event.ctrlKey || event.metaKey) return;
    if (across && (event.shiftKey || !atEdge(event.target, across))) return;
    const next = this.#neighbour(entry, down, across);
    if (!next) return;
    event.preventDefault();
    const anchor = event.shiftKey ? (this.anchor ?? this.#rowOf(entry)) : null;
    this.grid.hooks.focus(next);
    this.anchor = anchor;
    if (anchor) this.grid.update();
  }

  /** @param {Entry} entry @param {number} down @param {number} across */
  #neighbour(entry, down, across) {
    const at = this.#indexOf(entry);
    const place = this.items.rows[at]?.cells.indexOf(entry) ?? -1;
    const rtl = across && getComputedStyle(this.grid.table).direction === "rtl" ? -1 : 1;
    return this.items.rows[at + down]?.cells[place + across * rtl];
  }

  /** @param {Entry} entry */
  #indexOf(entry) {
    return this.items.rows.findIndex((row) => row.number === entry.row);
  }

  /** @param {Entry} entry @returns {Row | null} */
  #rowOf(entry) {
    return this.items.rows[this.#indexOf(entry)] ?? null;
  }

  // --- A range of cells in one column

  /** @returns {[number, number] | null} */
  #range() {
    const { active } = this.grid;
    if (!this.anchor || !active) return null;
    const ends = [this.items.rows.indexOf(this.anchor), this.#indexOf(active)];
    return ends.includes(-1) ? null : [Math.min(...ends), Math.max(...ends)];
  }

  /** @param {Entry} entry */
  inRange(entry) {
    const range = this.#range();
    if (!range || !this.grid.active || column(entry) !== column(this.grid.active)) return false;
    const at = this.#indexOf(entry);
    return at >= range[0] && at <= range[1];
  }

  unmark() {
    if (!this.anchor) return;
    this.anchor = null;
    this.grid.update();
  }

  /** The range gets the value of its first cell; a single cell that of the one above. @returns {boolean} */
  fillDown() {
    const entry = this.grid.active;
    if (!entry) return false;
    const rows = this.items.rows;
    const at = this.#indexOf(entry);
    const [from, to] = this.#range() ?? [at - 1, at];
    if (from < 0) return false;
    const place = rows[at].cells.indexOf(entry);
    const value = rows[from].cells[place].current;
    this.store.together(() => rows.slice(from + 1, to + 1).forEach((row) => this.store.type(row.cells[place], value)));
    this.grid.hooks.saved();
    this.unmark();
    return true;
  }

  // --- Rows

  /** A row below the active one, or at the end. @returns {boolean} */
  insertRow() {
    const at = this.grid.active ? this.#indexOf(this.grid.active) : this.items.rows.length - 1;
    const [fresh] = this.items.insert(at + 1);
    this.grid.hooks.saved();
    this.grid.hooks.focus(fresh.cells[0]);
    this.grid.hooks.announce(say("row_added", { row: fresh.number }));
    return true;
  }

  /** @returns {boolean} */
  removeRow() {
    const { active } = this.grid;
    const row = active && this.#rowOf(active);
    if (!row) return false;
    const at = this.items.rows.indexOf(row);
    const place = row.cells.indexOf(active);
    this.store.together(() => this.items.remove(row));
    this.grid.hooks.saved();
    const next = this.items.rows[Math.min(at, this.items.rows.length - 1)];
    if (next) this.grid.hooks.focus(next.cells[place]);
    this.grid.hooks.announce(say("row_removed", { row: row.number }));
    return true;
  }

  /** A piece of a spreadsheet goes in from the cell on; rows that are not there are added. @param {ClipboardEvent} event @param {Entry} entry */
  pastes(event, entry) {
    const table = parsed(event.clipboardData?.getData("text/plain") ?? "");
    if (table.length < 2 && (table[0]?.length ?? 0) < 2) return;
    event.preventDefault();
    const count = this.store.together(() => this.#putIn(entry, table));
    this.grid.hooks.saved();
    this.grid.hooks.announce(say("pasted", { n: count }));
  }

  /** @param {Entry} from @param {string[][]} table @returns {number} rows */
  #putIn(from, table) {
    const rows = this.items.rows;
    const at = this.#indexOf(from);
    const headed = this.#headed(table[0]);
    const lines = headed ? table.slice(1) : table;
    const first = rows[at].cells.indexOf(from);
    const missing = at + lines.length - rows.length;
    if (missing > 0) this.items.insert(rows.length, missing);
    lines.forEach((line, down) => line.forEach((value, index) => {
      const cell = rows[at + down].cells[headed ? headed[index] : first + index];
      if (cell) this.store.type(cell, value.trim());
    }));
    return lines.length;
  }

  /** @param {string[]} line @returns {number[] | null} the columns that a line of headings names, -1 for none */
  #headed(line) {
    const names = this.items.columns.map((spec) => [spec.name.replaceAll("_", " "), spec.label.toLowerCase()]);
    const places = line.map((heading) => names.findIndex((known) => known.includes(heading.trim().toLowerCase())));
    return places.filter((place) => place >= 0).length >= 2 ? places : null;
  }
}

/** Whether an arrow in this direction leaves the text, or the whole of it is selected. @param {EventTarget | null} target @param {number} across */
function atEdge(target, across) {
  if (!(target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement)) return true;
  const { selectionStart, selectionEnd, value } = target;
  if (value && selectionStart === 0 && selectionEnd === value.length) return true;
  return selectionStart === selectionEnd && selectionStart === (across > 0 ? value.length : 0);
}
