// @ts-check
/** The fields in their groups: one row each, the active one open. */
import { el, icon, ownForm, say, shows } from "../dom.js";
import { control, grow, isControl, selectAll, show } from "./control.js";
import { detail, redetail } from "./detail.js";
import { percent, reason, stateWords, tone, toneIcon, withoutValue } from "./reasons.js";

/**
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {import("./detail.js").Acts} Acts
 * @typedef {import("./detail.js").Page} Page
 * @typedef {object} Holder what shows an entry, a row here or a cell of the grid
 * @property {Entry} entry
 * @property {() => void} update shows the entry as it is now
 * @property {() => void} open
 * @property {() => void} close
 * @property {() => void} focus
 */

let serial = 0;

/** @implements {Holder} */
class Row {
  /**
   * @param {Entry} entry
   * @param {Map<number, Page>} pages
   * @param {Acts | null} acts
   */
  constructor(entry, pages, acts) {
    const id = `field-${(serial += 1)}`;
    this.entry = entry;
    this.pages = pages;
    this.acts = acts;
    this.mark = el("span", { class: "mark" });
    this.why = el("span", { class: "why number", id: `${id}-why` });
    this.was = el("p", { class: "was", hidden: true });
    this.control = acts ? control(entry, { id, describedBy: `${id}-why` }) : el("button", { type: "button", class: "value shown", id, dir: "auto", "aria-describedby": `${id}-why` });
    /** @type {HTMLElement | null} */
    this.detail = null;
    this.stood = ""; // what was shown last
    const name = el("label", { for: id, class: "name", text: entry.label });
    this.node = el("div", { class: "row", "data-name": entry.name }, this.mark, name, ownForm({ class: "holds" }, this.control, this.was), this.why);
    this.update();
  }

  update() {
    const { entry, control: node } = this;
    const stands = JSON.stringify([entry.current, entry.state, entry.rules, entry.errors, entry.evidence, entry.box, this.detail !== null]);
    if (stands === this.stood) return;
    this.stood = stands;
    const kind = tone(entry);
    this.node.className = `row ${kind} is-${entry.state}${this.detail ? " active" : ""}`;
    shows(this.mark, icon(toneIcon(kind), kind));
    this.#value(node);
    const word = reason(entry) || (this.detail && entry.state === "certain" && entry.score !== null ? percent(entry.score) : "");
    shows(this.why, el("span", { class: "vh", text: `${stateWords(entry)}${word ? ":" : ""} ` }), word);
    const changed = entry.machine !== "" && entry.current !== entry.machine && entry.state !== "open";
    this.was.hidden = !changed;
    if (changed) shows(this.was, `${say("machine_read")} `, el("s", { class: "value", text: entry.machine }));
    if (this.detail) redetail(this.detail, entry, this.#pageOf(), this.acts);
  }

  /** @param {HTMLElement} node */
  #value(node) {
    const { entry } = this;
    const without = withoutValue(entry);
    if (!isControl(node)) {
      node.textContent = entry.current || without || "–";
      node.classList.toggle("empty-value", !entry.current);
      return;
    }
    show(node, entry, without);
    grow(node);
  }

  grow() {
    if (isControl(this.control)) grow(this.control);
  }

  /** The page that the value stands on. */
  #pageOf() {
    return this.pages.get(this.entry.evidence?.page ?? this.entry.page ?? 0);
  }

  open() {
    this.detail = detail(this.entry, this.#pageOf(), this.acts);
    this.node.append(this.detail);
    this.update();
    this.node.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.detail?.remove();
    this.detail = null;
    this.update();
  }

  focus() {
    this.control.focus({ preventScroll: true });
    selectAll(this.control);
  }
}

export class Panel {
  /**
   * @param {HTMLElement} root
   * @param {import("./store.js").Store} store
   * @param {Map<number, Page>} pages
   * @param {Acts | null} acts
   */
  constructor(root, store, pages, acts) {
    this.store = store;
    this.pages = pages;
    this.acts = acts;
    this.place = el("div");
    root.append(this.place); // below the comments
    /** @type {Map<Entry, Row>} */
    this.rows = new Map();
    this.draw();
  }

  /** After fields came or went. */
  draw() {
    if (this.store.fields.length === this.rows.size && this.store.fields.every((entry) => this.rows.has(entry))) return;
    /** @type {Map<string, Row[]>} */
    const groups = new Map();
    for (const entry of this.store.fields) groups.set(entry.group, [...(groups.get(entry.group) ?? []), this.#row(entry)]);
    for (const entry of this.rows.keys()) if (!this.store.fields.includes(entry)) this.rows.delete(entry);
    const sections = [...groups].map(([name, members]) => {
      const title = name ? el("h2", { text: name }) : el("h2", { class: "vh", text: say("fields") });
      return el("section", { class: "group" }, title, ...members.map((row) => row.node));
    });
    this.place.replaceChildren(...sections);
    for (const row of this.rows.values()) row.grow(); // now that textareas have a width to grow in
  }

  update() {
    for (const row of this.rows.values()) row.update();
  }

  /** @param {Entry} entry @returns {Holder | undefined} */
  holder(entry) {
    return this.rows.get(entry);
  }

  /** @param {{activate: (entry: Entry) => void, typed: () => void}} on */
  listen(on) {
    const rowAt = (/** @type {Event} */ event) => {
      const node = event.target instanceof Element ? event.target.closest(".value[name], button.shown") : null;
      return node ? [...this.rows.values()].find((row) => row.control === node) : undefined;
    };
    const enter = (/** @type {Event} */ event) => {
      const row = rowAt(event);
      if (row) on.activate(row.entry);
    };
    this.place.addEventListener("focusin", enter);
    this.place.addEventListener("click", enter);
    this.place.addEventListener("input", (event) => {
      const row = rowAt(event);
      if (!row) return;
      this.store.type(row.entry, /** @type {HTMLInputElement} */ (event.target).value);
      on.typed();
    });
  }

  /** @param {Entry} entry @returns {Row} */
  #row(entry) {
    const row = this.rows.get(entry) ?? new Row(entry, this.pages, this.acts);
    this.rows.set(entry, row);
    return row;
  }
}
