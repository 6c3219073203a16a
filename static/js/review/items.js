// @ts-check
/** The line items: rows of cells in their order, some added and some taken out by the reviewer. */
import { entry, sent } from "./entries.js";

/**
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {import("./entries.js").DraftField} DraftField
 * @typedef {{name: string, label: string, kind: string, choices: string[]}} Column
 * @typedef {{number: number, cells: Entry[], added: boolean}} Row
 */

export class Items {
  /** @param {{columns: Column[], rows: any[], next_row?: number} | null} told @param {import("./history.js").History} history */
  constructor(told, history) {
    this.columns = told?.columns ?? [];
    this.history = history;
    /** @type {Row[]} */
    this.rows = (told?.rows ?? []).map((row) => ({ number: row.row, cells: cells(row, this.columns), added: false }));
    /** @type {Set<number>} */
    this.removed = new Set();
    this.next = told?.next_row ?? Math.max(0, ...this.rows.map((row) => row.number)) + 1;
    /** @type {() => void} */
    this.onChange = () => {};
  }

  /** @returns {Entry[]} */
  cells() {
    return this.rows.flatMap((row) => row.cells);
  }

  /** @param {number} number */
  cellsOf(number) {
    return this.rows.find((row) => row.number === number)?.cells ?? [];
  }

  /** @param {number | null} number */
  isAdded(number) {
    return number !== null && this.rows.some((row) => row.added && row.number === number);
  }

  /** @param {string[]} columns @param {(cell: Entry) => string | null} meant @returns {Record<string, string | null>[]} */
  values(columns, meant) {
    const places = columns.map((name) => this.columns.findIndex((column) => column.name === name));
    return this.rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row.cells[places[at]] ? meant(row.cells[places[at]]) : null])));
  }

  /** New empty rows at an index. @param {number} at @param {number} [count] @returns {Row[]} */
  insert(at, count = 1) {
    const fresh = Array.from({ length: count }, () => this.#made(this.next++));
    this.#put(at, fresh);
    return fresh;
  }

  /** @param {Row} row */
  remove(row) {
    const at = this.rows.indexOf(row);
    const take = () => {
      this.rows.splice(this.rows.indexOf(row), 1);
      if (!row.added) this.removed.add(row.number);
      this.onChange();
    };
    const back = () => {
      this.rows.splice(at, 0, row);
      this.removed.delete(row.number);
      this.onChange();
    };
    take();
    this.history.noteRows(back, take);
  }

  /** @returns {{added_rows: {row: number, after: number, cells: Record<string, string>}[], removed_rows: number[]}} */
  decision() {
    const added = this.rows.flatMap((row, at) => {
      const filled = row.cells.filter((cell) => cell.current.trim());
      if (!row.added || !filled.length) return [];
      return [{ row: row.number, after: this.#above(at), cells: Object.fromEntries(filled.map((cell) => [column(cell), sent(cell)])) }];
    });
    return { added_rows: added, removed_rows: [...this.removed] };
  }

  /** @returns {Record<string, DraftField>} */
  draft() {
    const removed = [...this.removed].map((number) => [`line_items.${number}`, { value: null, state: "removed" }]);
    const added = this.rows.flatMap((row, at) =>
      (row.added ? [[`line_items.${row.number}`, { value: null, state: "added", after: at ? this.rows[at - 1].number : 0 }]] : []));
    return Object.fromEntries([...removed, ...added]);
  }

  /** Rows as a draft tells of them. @param {Record<string, DraftField>} fields */
  putIn(fields) {
    for (const [name, said] of Object.entries(fields)) {
      const number = Number(/^line_items\.(\d+)$/.exec(name)?.[1] ?? 0);
      if (!number) continue;
      const there = this.rows.findIndex((row) => row.number === number);
      if (said.state === "removed" && there >= 0) {
        this.rows.splice(there, 1);
        this.removed.add(number);
      } else if (said.state === "added" && there < 0 && this.columns.length) {
        const above = this.rows.findIndex((row) => row.number === said.after);
        this.rows.splice(said.after === 0 ? 0 : above < 0 ? this.rows.length : above + 1, 0, this.#made(number));
        this.next = Math.max(this.next, number + 1);
      }
    }
  }

  /** @param {number} at @param {Row[]} fresh */
  #put(at, fresh) {
    const put = () => {
      this.rows.splice(at, 0, ...fresh);
      this.onChange();
    };
    const take = () => {
      this.rows.splice(this.rows.indexOf(fresh[0]), fresh.length);
      this.onChange();
    };
    put();
    this.history.noteRows(take, put);
  }

  /** The row that stands above, of those that the server will have. @param {number} at */
  #above(at) {
    const row = this.rows.slice(0, at).findLast((each) => !each.added || each.cells.some((cell) => cell.current.trim()));
    return row?.number ?? 0;
  }

  /** @param {number} number @returns {Row} */
  #made(number) {
    return { number, added: true, cells: cells({ row: number, cells: {} }, this.columns) };
  }
}

/** @param {Entry} cell */
export const column = (cell) => cell.name.slice(cell.name.lastIndexOf(".") + 1);

/** @param {any} row @param {Column[]} columns @returns {Entry[]} one for each column */
function cells(row, columns) {
  return columns.map((spec) => {
    const cell = { kind: spec.kind, choices: spec.choices, state: "certain", ...row.cells[spec.name] };
    return entry(cell, `line_items.${row.row}.${spec.name}`, spec.label, row.row);
  });
}
