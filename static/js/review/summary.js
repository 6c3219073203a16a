// @ts-check
/** The state of the whole document: a segment per field, the counts in words, and the main button. */
import { el, icon, say, shows } from "../dom.js";
import { tone } from "./reasons.js";

/** @typedef {import("./entries.js").Entry} Entry */

const MOST = 60; // rows with a segment of their own

const WORST = /** @type {const} */ (["bad", "miss", "warn", "you", "ok", "none"]);

export class Summary {
  /**
   * @param {import("./store.js").Store} store
   * @param {{map: HTMLElement, counts: HTMLElement, button: HTMLElement | null}} places
   * @param {(entry: Entry) => void} go
   */
  constructor(store, places, go) {
    this.store = store;
    this.places = places;
    this.go = go;
    /** @type {Entry[][]} */
    this.segments = [];
    /** @type {HTMLElement[]} */
    this.bars = [];
    /** @type {Map<Entry, HTMLElement>} */
    this.barOf = new Map();
    this.at = /** @type {Entry | null} */ (null);
    this.reshape();
  }

  /** After fields or rows came or went: a segment for each of them, and beyond MOST rows one for all rows. */
  reshape() {
    const rows = this.store.items.rows.map((row) => row.cells);
    this.segments = [...this.store.fields.map((entry) => [entry]), ...(rows.length > MOST ? [rows.flat()] : rows)];
    this.bars = this.segments.map((entries) => {
      const bar = el("span", { class: "segment" });
      bar.addEventListener("click", () => this.go(entries.find((entry) => entry.state === "open") ?? entries[0]));
      return bar;
    });
    this.barOf = new Map(this.segments.flatMap((entries, index) => entries.map((entry) => [entry, this.bars[index]])));
    this.places.map.replaceChildren(...this.bars);
    this.show();
  }

  /** Another entry is the active one, and nothing else changed. @param {Entry | null} at */
  move(at) {
    this.at = at;
    const bar = at ? this.barOf.get(at) : undefined;
    for (const each of this.bars) if (each.classList.contains("at") !== (each === bar)) each.classList.toggle("at");
  }

  /** @param {Entry | null} at */
  show(at = this.at) {
    const open = this.store.open().length;
    for (const [index, entries] of this.segments.entries()) {
      const tones = new Set(entries.map(tone));
      const here = this.bars[index].classList.contains("at");
      const name = `segment ${WORST.find((each) => tones.has(each))}${here ? " at" : ""}`;
      if (this.bars[index].className !== name) this.bars[index].className = name;
    }
    this.move(at);
    const done = this.store.entries.filter((entry) => !["open", "certain"].includes(entry.state)).length;
    const certain = this.segments.filter((entries) => entries.every((entry) => entry.state === "certain") && entries.some((entry) => entry.current)).length;
    const mine = this.places.button !== null; // who can only read has nothing to approve, and checked nothing
    shows(this.places.counts,
      mine || open ? el("strong", {}, icon(open ? "warn" : "done", open ? "warn" : "you"), open ? say("to_check", { n: open }) : say("ready")) : "",
      el("span", { text: say("certain", { n: certain }) }),
      mine && done ? el("span", { text: say("by_you", { n: done }) }) : "");
    this.places.map.setAttribute("aria-label", say("map", { n: this.segments.length, open }));
    if (this.places.button) this.#button(this.places.button, open);
  }

  /** @param {HTMLElement} button @param {number} open */
  #button(button, open) {
    const held = this.store.heldOnly();
    button.classList.toggle("primary", open === 0);
    shows(button,
      el("span", { text: held ? say("approve_reason") : open ? say("left", { n: open }) : say("approve") }),
      el("kbd", { "aria-hidden": "true", text: open && !held ? "⏎" : "Ctrl ⏎" }));
  }
}
