// @ts-check
/** The line items as a grid whose cells are edited in place. */
import { el, ownForm, say } from "../dom.js";
import { control, grow, isControl, isNumber, selectAll, set, show } from "./control.js";
import { detail, redetail } from "./detail.js";
import { placeOf } from "./marks.js";
import { reason, stateWords, tone, withoutValue } from "./reasons.js";
import { Rows } from "./rows.js";
import { Spreadsheet } from "./spreadsheet.js";
import { showSum } from "./sum.js";

/**
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {import("./store.js").Store} Store
 * @typedef {import("./detail.js").Acts} Acts
 * @typedef {import("./detail.js").Page} Page
 * @typedef {{activate: (entry: Entry) => void, focus: (entry: Entry) => void, saved: () => void, announce: (words: string) => void}} Hooks
 * @typedef {{entry: Entry, node: HTMLTableCellElement, control: HTMLElement, why: HTMLElement}} Cell
 */

export class Grid {
  /**
   * @param {HTMLElement} root what scrolls
   * @param {Store} store
   * @param {Map<number, Page>} pages
   * @param {Acts | null} acts null on a page that can only be read
   * @param {Hooks} hooks
   * @param {AbortSignal} over tells that the document was left
   */
  constructor(root, store, pages, acts, hooks, over) {
    this.store = store;
    this.pages = pages;
    this.acts = acts;
    this.hooks = hooks;
    /** @type {Entry | null} */
    this.active = null;
    this.sheet = new Spreadsheet(this);
    const { columns } = store.items;
    /** @type {{entry: Entry, node: HTMLElement} | null} what is open below the active cell's row */
    this.detailed = null;
    this.opened = el("tr", { class: "opened" }, el("td", { colspan: columns.length }));
    this.count = el("span", { class: "number" });
    this.sum = el("p", { class: "sum number" });
    const head = columns.map((spec) => el("th", { scope: "col", class: isNumber(spec.kind) ? "end" : "", text: spec.label }));
    this.table = el("table", { class: "grid", "aria-label": say("line_items") }, this.#widths(), el("thead", {}, el("tr", {}, ...head)));
    this.rows = new Rows(root, this.table, store.items, (row) => new Map(row.cells.map((entry) => [entry.name, this.#cell(entry)])), over);
    root.append(el("section", { class: "group items" },
      el("h2", { text: say("line_items") }, this.count), el("div", { class: "grid-scroll" }, this.table), this.#foot()));
    this.#listen();
    this.draw();
  }

  /** What the panel calls a holder. @param {Entry} entry @returns {import("./panel.js").Holder} */
  holder(entry) {
    return { entry, update: () => this.#changed(entry), open: () => this.#open(entry), close: () => this.#close(), focus: () => this.#focus(entry) };
  }

  /** After rows came or went. */
  draw() {
    this.count.textContent = say("rows", { n: this.store.items.rows.length });
    const within = this.table.contains(document.activeElement);
    this.rows.draw();
    if (within && this.active && this.store.get(this.active.name) && !this.table.contains(document.activeElement)) this.#focus(this.active);
    showSum(this.sum, this.store);
  }

  /** Everything that is in the page as it is now. */
  update() {
    for (const shown of this.rows.shown.values()) for (const cell of shown.cells.values()) this.#show(cell);
    this.#redetail();
    showSum(this.sum, this.store);
  }

  /** @param {Entry} entry @returns {Cell} */
  #cell(entry) {
    const id = `cell-${entry.name.replaceAll(".", "-")}`;
    const label = say("cell", { label: entry.label, row: entry.row ?? 0 });
    const node = this.acts
      ? control(entry, { id, describedBy: `${id}-why`, label, long: this.rows.whole ? 14 : Infinity })
      : el("button", { type: "button", class: "value shown", id, name: entry.name, "aria-describedby": `${id}-why` });
    const why = el("span", { class: "vh", id: `${id}-why` });
    const cell = { entry, control: node, why, node: /** @type {HTMLTableCellElement} */ (el("td", {}, ownForm({}, node, why))) };
    this.#show(cell);
    return cell;
  }

  /** @param {Cell} cell */
  #show({ entry, node, control: input, why }) {
    const marked = `${entry === this.active ? " active" : ""}${this.sheet.inRange(entry) ? " range" : ""}`;
    set(node, "className", `${isNumber(entry.kind) ? "end " : ""}${tone(entry)} is-${entry.state}${marked}`);
    set(why, "textContent", `${stateWords(entry)} ${reason(entry)}`.trim());
    if (isControl(input)) {
      show(input, entry, withoutValue(entry) && "–");
      if (this.rows.whole) grow(input);
    } else input.textContent = entry.current || "–";
  }

  /** @param {Entry} entry @returns {Cell | undefined} */
  #cellOf(entry) {
    return this.rows.shown.get(entry.row ?? -1)?.cells.get(entry.name);
  }

  /** @param {Entry} entry */
  #changed(entry) {
    this.#reshow(entry);
    if (entry === this.active) this.#redetail();
    showSum(this.sum, this.store);
  }

  /** @param {Entry} entry */
  #reshow(entry) {
    const cell = this.#cellOf(entry);
    if (cell) this.#show(cell);
  }

  // --- The active cell

  /** @param {Entry} entry */
  #open(entry) {
    this.active = entry;
    Object.assign(this.rows, { active: entry.row, below: this.opened });
    if (!this.#cellOf(entry)) this.rows.bringIn(entry.row ?? 0);
    this.#redetail();
    const cell = this.#cellOf(entry);
    cell?.node.parentElement?.after(this.opened);
    this.#reshow(entry);
    if (entry.state === "open") this.opened.scrollIntoView({ block: "nearest" });
    cell?.node.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #close() {
    const before = this.active;
    this.active = null;
    this.detailed = null;
    Object.assign(this.rows, { active: null, below: null });
    this.opened.remove();
    if (before) this.#reshow(before);
  }

  #redetail() {
    const { active } = this;
    if (!active) return;
    const page = this.pages.get(placeOf(active)?.page ?? 0);
    if (this.detailed?.entry === active) return redetail(this.detailed.node, active, page, this.acts);
    this.detailed = { entry: active, node: detail(active, page, this.acts) };
    this.opened.firstElementChild?.replaceChildren(this.detailed.node);
  }

  /** @param {Entry} entry */
  #focus(entry) {
    if (!this.#cellOf(entry)) this.rows.bringIn(entry.row ?? 0);
    const node = this.#cellOf(entry)?.control;
    node?.focus({ preventScroll: true });
    selectAll(node);
  }

  #listen() {
    /** @param {string} type @param {(entry: Entry, event: any) => void} run */
    const on = (type, run) => this.table.addEventListener(type, (event) => {
      const node = event.target instanceof Element ? event.target.closest("[name]") : null;
      const entry = node ? this.store.get(node.getAttribute("name") ?? "") : undefined;
      if (entry) run(entry, event);
    });
    const enter = (/** @type {Entry} */ entry) => {
      if (entry === this.active) return;
      this.sheet.unmark();
      this.hooks.activate(entry);
    };
    on("focusin", enter);
    on("click", enter);
    on("keydown", (entry, event) => this.sheet.moves(event, entry));
    if (!this.acts) return;
    on("input", (entry, event) => {
      this.store.type(entry, event.target.value);
      this.hooks.saved();
    });
    on("paste", (entry, event) => this.sheet.pastes(event, entry));
  }

  #foot() {
    const button = (/** @type {string} */ words, /** @type {() => void} */ run) => {
      const node = el("button", { type: "button", class: "button ghost tiny", text: say(words) });
      node.addEventListener("mousedown", (event) => event.preventDefault());
      node.addEventListener("click", run);
      return node;
    };
    const buttons = this.acts ? [button("add_row", () => this.sheet.insertRow()), button("remove_row", () => this.sheet.removeRow())] : [];
    return el("div", { class: "grid-foot" }, ...buttons, this.sum);
  }

  /** Columns as wide as their longest words ask for, within reason, and numbers wider. */
  #widths() {
    const { columns, rows } = this.store.items;
    const weights = columns.map((spec, place) => {
      const found = rows.slice(0, 100).map((row) => row.cells[place].machine.length);
      return Math.min(Math.max(spec.label.length * 0.9, ...found, 3), 18) + (isNumber(spec.kind) ? 3.5 : 2);
    });
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return el("colgroup", {}, ...weights.map((weight) => {
      const node = el("col");
      node.style.inlineSize = `${(weight / total) * 100}%`;
      return node;
    }));
  }
}
