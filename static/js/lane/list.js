// @ts-check
/** The rows of a lane in their order: which one is active, and the block that goes from there. */
import { one, say } from "../dom.js";

/** @typedef {import("./row.js").Row} Row */

const KEPT = 60; // rows that stay above the active one

export class List {
  /** @param {HTMLElement} root @param {(words: string) => void} announce */
  constructor(root, announce) {
    this.root = root;
    this.announce = announce;
    /** @type {Row[]} */
    this.rows = [];
    /** @type {Row | null} */
    this.active = null;
    /** @type {Row | null} where the block begins that goes on to the active row */
    this.anchor = null;
    this.extending = false;
    this.drawing = 0; // images that are on their way
  }

  /** @param {Row[]} fresh */
  add(fresh) {
    for (const row of fresh) {
      row.input.addEventListener("focus", () => this.activate(row));
      row.open.addEventListener("click", () => this.activate(row));
      row.node.addEventListener("click", (event) => this.#clicked(row, event));
    }
    this.rows.push(...fresh);
    this.root.append(...fresh.map((row) => row.node));
    if (!this.active?.waits) this.focus(this.next(this.active));
    for (const _ of [1, 2]) void this.#draw();
  }

  /** The images two at a time, that of the next row first: who is faster than they come sees the one they look at. */
  async #draw() {
    if (this.drawing >= 2) return;
    this.drawing += 1;
    for (let row = this.#undrawn(); row; row = this.#undrawn()) await row.ready();
    this.drawing -= 1;
  }

  /** @returns {Row | undefined} the next row whose image was not asked for */
  #undrawn() {
    const at = this.active ? this.rows.indexOf(this.active) : 0;
    const left = this.open().filter((row) => !row.asked);
    return left.find((row) => this.rows.indexOf(row) >= at) ?? left[0];
  }

  /** @param {Row[]} going */
  remove(going) {
    const next = this.active && going.includes(this.active) ? this.next(this.active, going) : null;
    for (const row of going) row.node.remove();
    this.rows = this.rows.filter((row) => !going.includes(row));
    if (next) this.focus(next);
  }

  /** Those of which something can be said. */
  open() {
    return this.rows.filter((row) => row.waits);
  }

  /** @param {Row} row */
  activate(row) {
    if (this.active === row) return;
    this.active?.node.removeAttribute("aria-current");
    this.active = row;
    row.node.setAttribute("aria-current", "true");
    if (!this.extending) this.anchor = null;
    this.showBlock();
  }

  /** @param {Row | null} row @param {boolean} [touch] a finger needs no focus, which would bring up a keyboard */
  focus(row, touch = false) {
    if (!row) return;
    this.activate(row);
    if (!touch) {
      row.input.focus({ preventScroll: true });
      row.input.select();
    }
    row.node.scrollIntoView({ block: "nearest", behavior: "auto" });
    void this.#draw();
  }

  /** @param {Row | null} from @param {Row[]} [without] @returns {Row | null} the next one that waits, else the first that does */
  next(from, without = []) {
    const at = from ? this.rows.indexOf(from) : -1;
    const open = this.open().filter((row) => !without.includes(row));
    return open.find((row) => this.rows.indexOf(row) > at) ?? open[0] ?? null;
  }

  /** @param {1 | -1} step */
  move(step) {
    const at = this.active ? this.rows.indexOf(this.active) + step : 0;
    this.focus(this.rows[at] ?? null);
  }

  /** @param {1 | -1} step the block grows or shrinks by a row */
  extend(step) {
    this.#extended(() => this.move(step));
    this.announce(say("block", { n: this.block().length }));
  }

  /** @param {() => void} run */
  #extended(run) {
    this.anchor ??= this.active;
    this.extending = true;
    run();
    this.extending = false;
    this.showBlock();
  }

  /** @returns {Row[]} from where the block begins to the active row */
  block() {
    if (!this.active) return [];
    const ends = [this.rows.indexOf(this.anchor ?? this.active), this.rows.indexOf(this.active)].sort((one, other) => one - other);
    return this.rows.slice(ends[0], ends[1] + 1);
  }

  showBlock() {
    const block = this.anchor ? this.block() : [];
    for (const row of this.rows) row.node.classList.toggle("in-block", block.length > 1 && block.includes(row));
    const button = one("#confirm-block");
    button.hidden = block.length < 2;
    one("span", button).textContent = say("confirm_block", { n: block.filter((row) => row.waits).length });
  }

  /** @param {Row} row @param {MouseEvent} event */
  #clicked(row, event) {
    if (event.target instanceof Element && event.target.closest("a, button")) return;
    if (event.shiftKey && this.active) this.#extended(() => this.focus(row));
    else if (event.target !== row.input) this.focus(row);
  }

  /** Rows that were settled long ago go from the page; they can be taken back as before. */
  trim() {
    const at = this.active ? this.rows.indexOf(this.active) : 0;
    if (at < 2 * KEPT) return;
    const going = this.rows.slice(0, at - KEPT).filter((row) => !row.waits && row.state !== "said");
    for (const row of going) row.node.remove();
    this.rows = this.rows.filter((row) => !going.includes(row));
  }
}
