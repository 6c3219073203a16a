// @ts-check
/** The state of the whole document: a segment per field, the counts in words, and the main button. */
import { el, icon, say } from "../dom.js";
import { tone } from "./reasons.js";

/** @typedef {import("./store.js").Entry} Entry */

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
    /** @type {Entry[][]} */
    this.segments = [...store.fields.map((entry) => [entry]), ...rowsOf(store.cells)];
    this.bars = this.segments.map((entries) => {
      const bar = el("span", { class: "segment" });
      bar.addEventListener("click", () => go(entries.find((entry) => entry.state === "open") ?? entries[0]));
      return bar;
    });
    places.map.replaceChildren(...this.bars);
    this.at = /** @type {Entry | null} */ (null);
  }

  /** @param {Entry | null} at */
  show(at = this.at) {
    this.at = at;
    const open = this.store.open().length;
    for (const [index, entries] of this.segments.entries()) {
      const tones = entries.map(tone);
      const here = at !== null && entries.includes(at);
      this.bars[index].className = `segment ${WORST.find((name) => tones.includes(name))}${here ? " at" : ""}`;
    }
    const done = this.store.entries.filter((entry) => !["open", "certain"].includes(entry.state)).length;
    const certain = this.segments.filter((entries) => entries.every((entry) => entry.state === "certain") && entries.some((entry) => entry.current)).length;
    this.places.counts.replaceChildren(
      el("strong", {}, icon(open ? "warn" : "done", open ? "warn" : "you"), open ? say("to_check", { n: open }) : say("ready")),
      el("span", { text: say("certain", { n: certain }) }),
      done ? el("span", { text: say("by_you", { n: done }) }) : "");
    this.places.map.setAttribute("aria-label", say("map", { n: this.segments.length, open }));
    if (this.places.button) this.#button(this.places.button, open);
  }

  /** @param {HTMLElement} button @param {number} open */
  #button(button, open) {
    button.classList.toggle("primary", open === 0);
    button.replaceChildren(
      el("span", { text: open ? say("left", { n: open }) : say("approve") }),
      el("kbd", { "aria-hidden": "true", text: open ? "⏎" : "Ctrl ⏎" }));
  }
}

/** @param {Entry[]} cells @returns {Entry[][]} the cells of each line item */
function rowsOf(cells) {
  /** @type {Map<number, Entry[]>} */
  const rows = new Map();
  for (const cell of cells) rows.set(cell.row ?? 0, [...(rows.get(cell.row ?? 0) ?? []), cell]);
  return [...rows.values()];
}
