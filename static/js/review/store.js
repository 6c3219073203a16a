// @ts-check
/** The values of one document and what the reviewer did to each. Only explicit acts change a state. */
import { turned } from "./boxes.js";
import { say } from "../dom.js";
import { entry, given, initial, settled, unsure } from "./entries.js";
import { History, standing } from "./history.js";
import { Items } from "./items.js";
import { Judge } from "./judge.js";
import { decisionOf, draftOf, ownFields, putIn } from "./saying.js";

/**
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {import("./entries.js").State} State
 * @typedef {import("./entries.js").Evidence} Evidence
 * @typedef {import("./entries.js").Suggestion} Suggestion
 * @typedef {import("./entries.js").DraftField} DraftField
 */

export class Store {
  /** @param {any} data the page's data, see the review view */
  constructor(data) {
    this.history = new History();
    /** @type {Entry[]} */
    this.fields = data.fields.map((/** @type {any} */ field) => entry(field, field.name, field.label, null));
    this.items = new Items(data.line_items, this.history);
    /** @type {((entry: Entry | null) => void)[]} */
    this.watchers = [];
    /** @type {(() => void)[]} */
    this.reshaped = [];
    this.quiet = false;
    /** @type {Entry[]} */
    this.entries = [];
    /** @type {Map<string, Entry>} */
    this.byName = new Map();
    this.items.onChange = () => this.#reshape();
    this.#reshape();
    this.judge = new Judge(this, data.rules ?? null);
    this.judge.judge();
  }

  /** @param {(entry: Entry | null) => void} watcher null when many changed at once */
  watch(watcher) {
    this.watchers.push(watcher);
  }

  /** @param {() => void} watcher told when fields or rows came or went */
  watchShape(watcher) {
    this.reshaped.push(watcher);
  }

  /** @param {string} name @returns {Entry | undefined} */
  get(name) {
    return this.byName.get(name);
  }

  /** @param {Entry} target @param {string} value */
  type(target, value) {
    const place = target.evidence?.box ? /** @type {Evidence} */ ({ ...target.evidence, source: "typed", word_ids: [] }) : null;
    const evidence = target.machine === "" ? place : null;
    const empty = value.trim() === "";
    const back = target.certain && (value === target.machine || (empty && target.machine === "")) ? "certain" : "open";
    this.#set(target, value, empty || value === target.machine ? back : given(target, evidence), evidence, true);
    const words = empty ? "" : unsure(target);
    if (words) this.refuse([{ field: target.name, message: say(words) }]);
  }

  /** Takes the value as it stands. @param {Entry} target @returns {boolean} false when there is no value to take */
  confirm(target) {
    this.history.settle();
    if (target.held || target.state === "absent" || target.state === "unreadable") return true;
    const empty = target.current.trim() === "";
    if (empty) return target.state === "certain";
    if (unsure(target)) return true; // it stays open, and says what to write instead
    if (target.current !== target.machine) this.#set(target, target.current.trim(), given(target, target.evidence), target.evidence);
    else if (target.state === "open") this.#set(target, target.current, "checked", null);
    return true;
  }

  /** @param {Entry} target @param {Suggestion} suggestion as explicit as typing */
  take(target, suggestion) {
    const evidence = /** @type {Evidence} */ ({ source: "suggested", word_ids: [], page: suggestion.page, box: suggestion.box });
    this.#give(target, suggestion.value, suggestion.page && suggestion.box ? evidence : { ...evidence, page: null, box: null });
  }

  /** A value that was found elsewhere, as in the document before. @param {Entry} target @param {string} value */
  copy(target, value) {
    this.#give(target, value, null);
  }

  /** Words of the page, or a piece of it in which the engine saw none. @param {Entry} target @param {string} text @param {Evidence} evidence */
  capture(target, text, evidence) {
    if (text) this.#give(target, text, evidence, "open");
    else this.#set(target, target.current, target.current.trim() ? given(target, evidence) : target.state, evidence);
  }

  /** @param {Entry} target @param {"absent" | "unreadable"} state */
  without(target, state) {
    this.#set(target, "", state, null);
  }

  /** @param {Entry} target */
  restore(target) {
    this.#set(target, target.machine, initial(target), null);
  }

  /** @param {Entry} target whether there is anything to restore */
  changed(target) {
    return target.current !== target.machine || ["checked", "absent", "unreadable"].includes(settled(target));
  }

  /** Takes the last step back. @returns {Entry | null | undefined} where it was; undefined when there is nothing to take back */
  undo() {
    return this.#moved(this.history.undo());
  }

  redo() {
    return this.#moved(this.history.redo());
  }

  /** Many changes that are one step and told once. @template T @param {() => T} run @returns {T} */
  together(run) {
    this.quiet = true;
    const result = this.history.together(run);
    this.quiet = false;
    this.judge.judge();
    this.#tell(null);
    return result;
  }

  /** @param {{field: string | null, message: string}[]} errors the server's; @returns {Entry | null} the first field opened again */
  refuse(errors) {
    const named = errors.map((error) => [this.#named(error.field), error.message]).filter(([target]) => target);
    for (const [target, message] of /** @type {[Entry, string][]} */ (named)) {
      target.errors = [...target.errors.filter((earlier) => earlier !== message), message];
      target.state = "open";
      target.held = null;
    }
    this.#tell(null);
    return this.entries.find((found) => found.errors.length > 0) ?? null;
  }

  open() {
    return this.entries.filter((found) => found.state === "open");
  }

  /** Whether nothing but rules that do not hold keeps the document from being approved: then a reason may overrule them. */
  heldOnly() {
    const open = this.open();
    return open.length > 0 && open.every((found) => found.held);
  }

  /** @param {Entry | null} from @param {1 | -1} step @returns {Entry | null} the nearest open entry, going round; what only a rule holds open is come to until it was confirmed */
  nextOpen(from, step = 1) {
    const start = from ? this.entries.indexOf(from) : step > 0 ? -1 : 0;
    const count = this.entries.length;
    for (let hop = 1; hop <= count; hop += 1) {
      const found = this.entries[(((start + step * hop) % count) + count) % count];
      if (found?.state === "open" && found !== from && !(found.held && this.judge.isHeard(found))) return found;
    }
    return null;
  }

  /** A field that the engine did not see, of a form without fixed ones. @param {string} label @returns {Entry} */
  addField(label) {
    const base = label.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "_").replace(/^[_0-9]+|_+$/g, "").slice(0, 40) || "field";
    let name = base;
    for (let number = 2; this.byName.has(name); number += 1) name = `${base}_${number}`;
    const added = entry({ state: "certain", group: this.fields[0]?.group }, name, label, null);
    added.own = true;
    const put = () => void (this.fields.push(added), this.#reshape());
    const take = () => void (this.fields.splice(this.fields.indexOf(added), 1), this.#reshape());
    put();
    this.history.noteRows(take, put);
    return added;
  }

  /** A page was turned: the boxes on it go with it, those of earlier steps too. @param {number} page @param {number} quarters clockwise */
  turnBoxes(page, quarters) {
    const steps = [...this.history.done, ...this.history.undone].flatMap((step) => step.changes.flatMap((change) => [change.before.evidence, change.after.evidence]));
    const places = new Set([...this.entries.flatMap((found) => [found, found.evidence, ...found.suggestions]), ...steps]);
    for (const place of places) if (place?.page === page && place.box) place.box = turned(place.box, quarters);
  }

  draft() {
    return draftOf(this);
  }

  /** @param {Record<string, DraftField>} fields of a draft @returns {number} how many were put in */
  putIn(fields) {
    this.items.putIn(fields);
    this.fields.push(...ownFields(this, fields));
    this.#reshape();
    const count = putIn(this, fields);
    this.judge.judge();
    this.#tell(null);
    return count;
  }

  decision() {
    return decisionOf(this);
  }

  /** @param {Entry} target @param {string} value @param {Evidence | null} evidence @param {State} [same] the state when it is the machine's value */
  #give(target, value, evidence, same = "checked") {
    this.history.settle();
    const kept = value === target.machine ? null : evidence;
    this.#set(target, value, value === target.machine ? (same === "open" ? initial(target) : same) : given(target, kept), kept);
  }

  /** @param {Entry} target @param {string} current @param {State} state @param {Evidence | null} evidence @param {boolean} [typing] */
  #set(target, current, state, evidence, typing = false) {
    const before = standing(target);
    Object.assign(target, { current, state, held: null, evidence, errors: [] });
    this.history.note(target, before, typing);
    if (this.quiet) return;
    const others = this.judge.judge();
    this.#tell(others ? null : target);
  }

  /** @param {import("./history.js").Step | undefined} step */
  #moved(step) {
    if (!step) return undefined;
    this.judge.judge();
    this.#tell(null);
    const places = step.changes.map((change) => change.entry);
    return places.find((found) => this.byName.get(found.name) === found) ?? null;
  }

  /** @param {string | null} path @returns {Entry | undefined} a row's errors go to its first cell */
  #named(path) {
    return this.byName.get(path ?? "") ?? this.items.cellsOf(Number(/^line_items\.(\d+)$/.exec(path ?? "")?.[1] ?? -1))[0];
  }

  #reshape() {
    this.entries = [...this.fields, ...this.items.cells()];
    this.byName = new Map(this.entries.map((found) => [found.name, found]));
    for (const watcher of this.reshaped) watcher();
  }

  /** @param {Entry | null} changed */
  #tell(changed) {
    for (const watcher of this.watchers) watcher(changed);
  }
}
