// @ts-check
/** The line items as a table whose cells are edited in place. */
import { el, say } from "../dom.js";
import { control, grow, isNumber } from "./control.js";
import { detail } from "./detail.js";
import { reason, stateWords, tone, withoutValue } from "./reasons.js";

/**
 * @typedef {import("./store.js").Entry} Entry
 * @typedef {import("./panel.js").Holder} Holder
 * @typedef {import("./detail.js").Acts} Acts
 * @typedef {import("./detail.js").Page} Page
 * @typedef {{name: string, label: string, kind: string}} Column
 */

/** @implements {Holder} */
class Cell {
  /**
   * @param {Entry} entry
   * @param {Page | undefined} page
   * @param {Acts | null} acts
   * @param {number} columns
   */
  constructor(entry, page, acts, columns) {
    const id = `cell-${entry.name.replaceAll(".", "-")}`;
    this.entry = entry;
    this.page = page;
    this.acts = acts;
    this.columns = columns;
    const label = say("cell", { label: entry.label, row: entry.row ?? 0 });
    this.control = acts
      ? control(entry, { id, describedBy: `${id}-why`, label, long: 14 })
      : el("button", { type: "button", class: "value shown", id, "aria-describedby": `${id}-why` });
    this.why = el("span", { class: "vh", id: `${id}-why` });
    this.node = el("td", { class: isNumber(entry.kind) ? "end" : "" }, this.control, this.why);
    /** @type {HTMLElement | null} */
    this.detail = null;
    this.update();
  }

  update() {
    const { entry, control: node } = this;
    this.node.className = `${isNumber(entry.kind) ? "end " : ""}${tone(entry)} is-${entry.state}${this.detail ? " active" : ""}`;
    this.why.textContent = `${stateWords(entry)} ${reason(entry)}`.trim();
    if (node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement) {
      if (node.value !== entry.current) node.value = entry.current;
      node.placeholder = withoutValue(entry) && "–";
      node.setAttribute("aria-invalid", String(entry.errors.length > 0));
      grow(node);
    } else node.textContent = entry.current || "–";
    if (this.detail) this.#redetail();
  }

  #redetail() {
    this.detail?.firstElementChild?.replaceChildren(detail(this.entry, this.page, this.acts));
  }

  open() {
    this.detail = el("tr", { class: "opened" }, el("td", { colspan: this.columns }));
    this.node.parentElement?.after(this.detail);
    this.#redetail();
    this.update();
    this.detail.scrollIntoView({ block: "nearest" });
    this.node.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  close() {
    this.detail?.remove();
    this.detail = null;
    this.update();
  }

  focus() {
    this.control.focus({ preventScroll: true });
    if (this.control instanceof HTMLInputElement || this.control instanceof HTMLTextAreaElement) this.control.select();
  }
}

/**
 * @param {HTMLElement} root
 * @param {{columns: Column[], rows: {row: number}[]} | null} items
 * @param {Entry[]} entries
 * @param {Map<number, Page>} pages
 * @param {Acts | null} acts
 * @returns {Holder[]}
 */
export function fillGrid(root, items, entries, pages, acts) {
  if (!items?.rows.length) return [];
  const { columns } = items;
  const holders = entries.map((entry) => new Cell(entry, pages.get(entry.page ?? 0), acts, columns.length));
  const byName = new Map(holders.map((holder) => [holder.entry.name, holder]));
  const head = columns.map((column) => el("th", { scope: "col", class: isNumber(column.kind) ? "end" : "", text: column.label }));
  const body = items.rows.map(({ row }) =>
    el("tr", {}, ...columns.map((column) => byName.get(`line_items.${row}.${column.name}`)?.node ?? el("td"))));
  const table = el("table", { class: "grid" }, widths(columns, entries), el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body));
  const title = el("h2", { text: say("line_items") }, el("span", { class: "number", text: say("rows", { n: items.rows.length }) }));
  const sum = el("p", { class: "sum number" });
  root.append(el("section", { class: "group items" }, title, el("div", { class: "grid-scroll" }, table), sum));
  table.addEventListener("keydown", (event) => moveInColumn(event, table));
  table.addEventListener("input", () => showSum(sum, columns, entries));
  showSum(sum, columns, entries);
  for (const holder of holders) holder.update();
  return holders;
}

/** Columns as wide as their longest words ask for, within reason. @param {Column[]} columns @param {Entry[]} entries */
function widths(columns, entries) {
  const weights = columns.map((column) => {
    const found = entries.filter((entry) => entry.name.endsWith(`.${column.name}`)).map((entry) => entry.machine.length);
    return Math.min(Math.max(column.label.length * 0.9, ...found, 3), 22) + 2;
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return el("colgroup", {}, ...weights.map((weight) => {
    const column = el("col");
    column.style.inlineSize = `${(weight / total) * 100}%`;
    return column;
  }));
}

/** @param {KeyboardEvent} event @param {HTMLElement} table */
function moveInColumn(event, table) {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const cell = event.target instanceof Element ? /** @type {HTMLTableCellElement | null} */ (event.target.closest("td")) : null;
  if (!step || !cell || event.altKey || event.ctrlKey || event.metaKey) return;
  const rows = [...table.querySelectorAll("tbody tr:not(.opened)")];
  const row = rows[rows.indexOf(/** @type {Element} */ (cell.parentElement)) + step];
  const next = row?.children[cell.cellIndex]?.querySelector("input, textarea, button");
  if (!(next instanceof HTMLElement)) return;
  event.preventDefault();
  next.focus();
  if (next instanceof HTMLInputElement || next instanceof HTMLTextAreaElement) next.select();
}

/** @param {HTMLElement} node @param {Column[]} columns @param {Entry[]} entries */
function showSum(node, columns, entries) {
  const column = columns.findLast((found) => found.kind === "money" || found.kind === "amount");
  const values = column ? entries.filter((entry) => entry.name.endsWith(`.${column.name}`)).map((entry) => entry.current) : [];
  const sum = values.length ? decimalSum(values) : null;
  node.hidden = sum === null;
  if (sum !== null) node.replaceChildren(el("span", { text: say("sum_of_rows") }), el("span", { class: "value", text: sum }));
}

/** @param {string[]} values decimal strings; @returns {string | null} null when one is no number: then no sum is shown */
function decimalSum(values) {
  if (!values.every((value) => /^-?\d+(\.\d+)?$/.test(value))) return null;
  const places = Math.max(...values.map((value) => (value.split(".")[1] ?? "").length));
  const whole = values.map((value) => {
    const [units, part = ""] = value.split(".");
    return BigInt(units + part.padEnd(places, "0"));
  });
  const total = whole.reduce((sum, value) => sum + value, 0n);
  const digits = (total < 0n ? -total : total).toString().padStart(places + 1, "0");
  return `${total < 0n ? "-" : ""}${digits.slice(0, digits.length - places)}${places ? `.${digits.slice(-places)}` : ""}`;
}
