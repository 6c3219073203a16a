// @ts-check
/** From the page into a field: words that are clicked or drawn around, and places that the engine did not see. */
import { say } from "../dom.js";
import { toast } from "../toast.js";
import { around } from "./boxes.js";

/**
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {import("./marks.js").Word} Word
 * @typedef {import("./marks.js").Page} Page
 */

export class Capturing {
  /**
   * @param {import("./store.js").Store} store
   * @param {{active: () => Entry | null, focus: (entry: Entry) => void, saved: () => void, announce: (words: string) => void, mark: (on: boolean) => void}} screen
   */
  constructor(store, screen) {
    this.store = store;
    this.screen = screen;
    /** @type {Entry | null} the value whose place is being marked */
    this.marking = null;
  }

  /** The next area or word says where the value stands that the engine did not see. @param {Entry} entry */
  miss(entry) {
    if (entry.machine || entry.text || entry.keyed) return toast(say("not_missed"));
    this.marking = entry;
    this.screen.mark(true);
    this.screen.announce(say("mark_place", { label: entry.label }));
    toast(say("mark_place", { label: entry.label }));
  }

  /** @returns {boolean} whether there was anything to leave */
  leave() {
    const was = this.marking !== null;
    this.marking = null;
    this.screen.mark(false);
    return was;
  }

  /** @param {Word[]} words @param {Page} page @param {boolean} append @param {number[] | null} area that was drawn */
  take(words, page, append, area) {
    const entry = this.marking ?? this.screen.active();
    if (!entry) return toast(say("choose_field"));
    const box = around(words.map((word) => word.box)) ?? area;
    if (!words.length && !this.marking) return toast(say("no_words"));
    this.leave();
    this.store.capture(entry, this.#text(entry, words, append), this.#evidence(entry, words, page, append, box));
    this.screen.saved();
    this.screen.focus(entry);
  }

  /** @param {Entry} entry @param {Word[]} words @param {boolean} append */
  #text(entry, words, append) {
    const text = words.map((word) => word.text).join(" ");
    return append && entry.current ? `${entry.current} ${text}` : text;
  }

  /** @param {Entry} entry @param {Word[]} words @param {Page} page @param {boolean} append @param {number[] | null} box @returns {import("./entries.js").Evidence} */
  #evidence(entry, words, page, append, box) {
    const before = append && entry.evidence?.page === page.number ? entry.evidence : null;
    const ids = [...(before?.word_ids ?? []), ...words.map((word) => word.id)];
    const both = before?.box && box ? around([before.box, box]) : box;
    return { source: ids.length ? "captured" : "typed", word_ids: ids, page: page.number, box: both };
  }
}
