// @ts-check
/** The fields in their groups: one row each, the active one open. */
import { el, icon, say } from "../dom.js";
import { control, grow } from "./control.js";
import { detail } from "./detail.js";
import { percent, reason, stateWords, tone, toneIcon, withoutValue } from "./reasons.js";

/**
 * @typedef {import("./store.js").Entry} Entry
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
   * @param {Page | undefined} page
   * @param {Acts | null} acts
   */
  constructor(entry, page, acts) {
    const id = `field-${(serial += 1)}`;
    this.entry = entry;
    this.page = page;
    this.acts = acts;
    this.mark = el("span", { class: "mark" });
    this.why = el("span", { class: "why number", id: `${id}-why` });
    this.was = el("p", { class: "was", hidden: true });
    this.control = acts ? control(entry, { id, describedBy: `${id}-why` }) : el("button", { type: "button", class: "value shown", id, dir: "auto", "aria-describedby": `${id}-why` });
    const name = el("label", { for: id, class: "name", text: entry.label });
    this.node = el("div", { class: "row", "data-name": entry.name }, this.mark, name, el("div", { class: "holds" }, this.control, this.was), this.why);
    /** @type {HTMLElement | null} */
    this.detail = null;
    this.update();
  }

  update() {
    const { entry, control: node } = this;
    const kind = tone(entry);
    this.node.className = `row ${kind} is-${entry.state}${this.detail ? " active" : ""}`;
    this.mark.replaceChildren(icon(toneIcon(kind), kind));
    this.#value(node);
    const word = reason(entry) || (this.detail && entry.state === "certain" && entry.score !== null ? percent(entry.score) : "");
    this.why.replaceChildren(el("span", { class: "vh", text: `${stateWords(entry)}${word ? ":" : ""} ` }), word);
    const changed = entry.machine !== "" && entry.current !== entry.machine && entry.state !== "open";
    this.was.hidden = !changed;
    if (changed) this.was.replaceChildren(`${say("machine_read")} `, el("s", { class: "value", text: entry.machine }));
    if (this.detail) this.#redetail();
  }

  /** @param {HTMLElement} node */
  #value(node) {
    const { entry } = this;
    const without = withoutValue(entry);
    if (!(node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement)) {
      node.textContent = entry.current || without || "–";
      node.classList.toggle("empty-value", !entry.current);
      return;
    }
    if (node.value !== entry.current) node.value = entry.current;
    node.placeholder = without;
    node.setAttribute("aria-invalid", String(entry.errors.length > 0));
    grow(node);
  }

  #redetail() {
    const fresh = detail(this.entry, this.page, this.acts);
    const kept = this.detail?.querySelector(".crop");
    if (kept) fresh.querySelector(".crop")?.replaceWith(kept);
    this.detail?.replaceWith(fresh);
    this.detail = fresh;
  }

  open() {
    this.detail = detail(this.entry, this.page, this.acts);
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
    if (this.control instanceof HTMLInputElement || this.control instanceof HTMLTextAreaElement) this.control.select();
  }
}

/**
 * @param {HTMLElement} root
 * @param {Entry[]} entries
 * @param {Map<number, Page>} pages
 * @param {Acts | null} acts
 * @returns {Holder[]}
 */
export function fillPanel(root, entries, pages, acts) {
  const rows = entries.map((entry) => new Row(entry, pages.get(entry.page ?? 0), acts));
  /** @type {Map<string, Row[]>} */
  const groups = new Map();
  for (const row of rows) groups.set(row.entry.group, [...(groups.get(row.entry.group) ?? []), row]);
  for (const [name, members] of groups) {
    const title = name ? el("h2", { text: name }) : el("h2", { class: "vh", text: say("fields") });
    root.append(el("section", { class: "group" }, title, ...members.map((row) => row.node)));
  }
  for (const row of rows) row.update(); // once more, now that textareas have a width to grow in
  return rows;
}
