// @ts-check
/** The page images: size, position, marks, and the way to a field's region. */
import { el, one, say, whenIdle } from "../dom.js";
import { around, turned, within } from "./boxes.js";
import { gestures } from "./gestures.js";
import { boxClass, boxOf, layer, outline, placeFlag, placeOf, wordsOf } from "./marks.js";
import { called } from "./reasons.js";
import { Sheets, share } from "./sheets.js";

/**
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {import("./marks.js").Page} Page
 * @typedef {import("./marks.js").Word} Word
 * @typedef {import("./sheets.js").Sheet} Sheet
 * @typedef {object} On
 * @property {(name: string) => void} onBox
 * @property {((words: Word[], page: Page, append: boolean, area: number[] | null) => void) | null} onWords one that was clicked, or those in an area that was drawn; null on a page that can only be read
 * @property {((page: Page, turn: number) => Promise<import("../http.js").Answer>) | null} onTurn
 * @property {(page: number) => void} onPage another page is in the middle of the view
 */

export class Viewer {
  /**
   * @param {Page[]} pages
   * @param {import("./store.js").Store} store
   * @param {On} on
   * @param {HTMLElement} root holds the page's parts; it need not be shown yet
   * @param {AbortSignal} over tells that the document was left
   */
  constructor(pages, store, on, root, over) {
    this.root = root;
    this.over = over;
    this.store = store;
    this.on = on;
    /** @type {Map<string, SVGElement>} the boxes that are drawn, by their entry's name */
    this.boxes = new Map();
    this.flag = el("div", { class: "flag", "aria-hidden": "true", hidden: true });
    this.area = el("div", { class: "area", hidden: true });
    /** @type {SVGElement | null} around the line item of the active cell */
    this.row = null;
    /** @type {Entry | null} */
    this.active = null;
    this.sheets = new Sheets(pages, {
      near: (sheet) => this.#draw(sheet), resized: (sheet) => this.#redraw(sheet), worded: (sheet) => this.#worded(sheet), zoomed: () => this.#reflag(), refitted: () => this.#bringBack(), onPage: on.onPage,
    }, root, over);
    this.scroller = this.sheets.scroller;
    this.scroller.addEventListener("click", (event) => this.#clicked(event));
    gestures(this.scroller, {
      zoom: (factor, x, y) => this.sheets.zoom(this.sheets.scale * factor, x, y),
      mayDraw: (at) => on.onWords !== null && this.sheets.under(at) !== undefined,
      draw: (from, to, done) => this.#drawArea(from, to, done),
    }, over);
  }

  /** @param {Sheet} sheet */
  #redraw(sheet) {
    sheet.marks?.remove();
    sheet.marks = null;
    this.#draw(sheet);
    if (this.active && placeOf(this.active)?.page === sheet.page.number) this.show(this.active);
  }

  /** @param {Sheet} sheet */
  #draw(sheet) {
    void this.sheets.words(sheet.page);
    if (sheet.marks || !sheet.page.width) return;
    sheet.marks = layer(sheet.page);
    for (const entry of this.store.entries) this.#place(entry, sheet);
    sheet.figure.append(sheet.marks);
    this.#drawWords(sheet);
  }

  /** Draws the entry's box if it stands on this sheet. @param {Entry} entry @param {Sheet} sheet */
  #place(entry, sheet) {
    const place = placeOf(entry);
    if (place?.page !== sheet.page.number || !sheet.marks) return;
    const box = boxOf(sheet.page, entry, place.box, entry === this.active);
    this.boxes.get(entry.name)?.remove();
    this.boxes.set(entry.name, box);
    sheet.marks.append(box);
  }

  /** The words of a sheet are here. @param {Sheet} sheet */
  #worded(sheet) {
    this.#drawWords(sheet);
    this.#reflag();
  }

  /** Nobody sees them, and there are hundreds: they are laid out when there is time for it. @param {Sheet} sheet */
  #drawWords(sheet) {
    const { marks } = sheet;
    if (!this.on.onWords || !marks || !sheet.page.words) return;
    whenIdle(() => {
      if (marks === sheet.marks && !this.over.aborted && !marks.querySelector(".word")) marks.prepend(...wordsOf(sheet.page));
    });
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const target = event.target instanceof SVGElement ? event.target : null;
    const word = this.#wordAt(target, event);
    if (word && this.on.onWords) return this.on.onWords([word.word], word.page, event.shiftKey, null);
    if (target?.dataset.name) this.on.onBox(target.dataset.name);
  }

  /** A word that is clicked. Above a field's box the box is meant, unless words are being taken: with Shift, or while a place is marked. @param {SVGElement | null} target @param {MouseEvent} event */
  #wordAt(target, event) {
    const sheet = this.sheets.all.find((found) => target && found.figure.contains(target));
    if (!sheet) return null;
    const taking = event.shiftKey || this.scroller.classList.contains("marking");
    if (target?.dataset.name && !taking) return null;
    const [x, y] = share(sheet, { x: event.clientX, y: event.clientY });
    const word = sheet.page.words?.find(({ id, box }) => (target?.dataset.word ? id === target.dataset.word : x >= box[0] && x <= box[0] + box[2] && y >= box[1] && y <= box[1] + box[3]));
    return word ? { word, page: sheet.page } : null;
  }

  /** @param {import("./gestures.js").Point} from @param {import("./gestures.js").Point} to @param {boolean} done */
  #drawArea(from, to, done) {
    const sheet = this.sheets.under(from);
    if (!sheet || !this.on.onWords) return;
    const [a, b] = [share(sheet, from), share(sheet, to)].map((point) => point.map((part) => Math.min(1, Math.max(0, part))));
    const box = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1])];
    this.area.hidden = done;
    if (done) return this.on.onWords(within(sheet.page.words ?? [], box), sheet.page, false, box);
    Object.assign(this.area.style, { left: `${box[0] * 100}%`, top: `${box[1] * 100}%`, width: `${box[2] * 100}%`, height: `${box[3] * 100}%` });
    if (this.area.parentElement !== sheet.figure) sheet.figure.append(this.area);
  }

  /** While a place is marked for a value that the engine did not see. @param {boolean} on */
  mark(on) {
    this.scroller.classList.toggle("marking", on);
  }

  /** @param {Entry | null} entry shows its region: pans the least distance, never zooms by itself */
  show(entry) {
    const before = this.active;
    this.active = entry;
    if (before) this.refresh(before);
    this.row?.remove();
    const place = entry && placeOf(entry);
    const sheet = this.sheets.of(place?.page);
    this.flag.hidden = !place || !sheet?.page.width;
    if (!entry || !place || !sheet || this.flag.hidden) return;
    this.#draw(sheet);
    this.#outlineRow(entry, sheet);
    this.refresh(entry);
    this.flag.textContent = called(entry);
    sheet.figure.append(this.flag);
    placeFlag(this.flag, sheet.page, place.box, this.sheets.scale);
    this.sheets.pan(sheet, place.box);
  }

  /** The whole line item that a cell is in. @param {Entry} entry @param {Sheet} sheet */
  #outlineRow(entry, sheet) {
    if (entry.row === null) return;
    const places = this.store.items.cellsOf(entry.row).map(placeOf).filter((found) => found?.page === sheet.page.number);
    const box = around(places.map((found) => /** @type {number[]} */ (found?.box)));
    if (!box) return;
    this.row = outline(sheet.page, box, "row-box");
    sheet.marks?.append(this.row);
  }

  #reflag() {
    if (!this.active) return;
    const place = placeOf(this.active);
    const sheet = this.sheets.of(place?.page);
    if (place && sheet?.page.width && this.flag.parentElement === sheet.figure) placeFlag(this.flag, sheet.page, place.box, this.sheets.scale);
  }

  /** Where the view has another size, the active field is in it again. */
  #bringBack() {
    const place = this.active && placeOf(this.active);
    const sheet = this.sheets.of(place?.page);
    if (place && sheet) this.sheets.pan(sheet, place.box);
  }

  /** @param {Entry} entry */
  refresh(entry) {
    const box = this.boxes.get(entry.name);
    const place = placeOf(entry);
    const sheet = this.sheets.of(place?.page);
    if (!place || !this.store.get(entry.name)) {
      box?.remove();
      this.boxes.delete(entry.name);
    } else if (sheet?.marks && (!box?.isConnected || entry.evidence)) this.#place(entry, sheet);
    else if (box) box.setAttribute("class", boxClass(entry, entry === this.active));
    const drawn = this.boxes.get(entry.name);
    if (drawn && entry === this.active) drawn.parentNode?.append(drawn); // the active box is drawn last, above its neighbours
  }

  /** Everything anew, after many changes or when fields came and went. */
  refreshAll() {
    for (const name of [...this.boxes.keys()]) if (!this.store.get(name)) {
      this.boxes.get(name)?.remove();
      this.boxes.delete(name);
    }
    for (const entry of this.store.entries) if (this.boxes.has(entry.name) || entry.evidence) this.refresh(entry);
  }

  /** Turns the page in view by a quarter, for good: image, boxes and words. @returns {Promise<Page | null>} */
  async rotate() {
    const sheet = this.sheets.all[this.sheets.current()];
    if (!sheet || !this.on.onTurn || this.rotating) return null;
    this.rotating = true;
    const answer = await this.on.onTurn(sheet.page, (sheet.page.turn + 90) % 360);
    if (answer.ok) await this.#turnedTo(sheet, answer.body);
    this.rotating = false;
    return answer.ok ? sheet.page : null;
  }

  /** @param {Sheet} sheet @param {any} told */
  async #turnedTo(sheet, told) {
    const image = new Image();
    image.src = told.image_url;
    await image.decode().catch(() => undefined); // a page that cannot be drawn shows its empty frame
    const quarters = (told.turn - sheet.page.turn) / 90;
    if (!this.over.aborted) sheet.image.src = told.image_url;
    sheet.page.words?.forEach((word) => Object.assign(word, { box: turned(word.box, quarters) }));
    this.store.turnBoxes(sheet.page.number, quarters);
    Object.assign(sheet.page, told, image.naturalWidth ? { width: image.naturalWidth, height: image.naturalHeight } : {});
    this.sheets.renew(sheet);
  }

  /** @param {{page: number, boxes: number[][]} | null} hit of a search: outlined and brought into view */
  showHit(hit) {
    for (const node of this.hits ?? []) node.remove();
    const sheet = this.sheets.of(hit?.page);
    if (!hit || !sheet) return;
    if (!sheet.page.width) return this.sheets.scroll(this.scroller.scrollLeft, sheet.figure.offsetTop);
    this.#draw(sheet);
    this.hits = hit.boxes.map((box) => outline(sheet.page, box, "hit"));
    sheet.marks?.append(...this.hits);
    this.sheets.pan(sheet, /** @type {number[]} */ (around(hit.boxes)));
  }

  toggleBoxes() {
    const off = this.scroller.classList.toggle("no-boxes");
    one("[data-boxes]", this.root).setAttribute("aria-pressed", String(!off));
  }
}
