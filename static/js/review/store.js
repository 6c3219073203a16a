// @ts-check
/** The values of one document and what the reviewer did to each. Only explicit acts change a state. */

/**
 * @typedef {{code: string, field: string | null, message: string, rule: string | null}} Problem
 * @typedef {{value: string, text: string, confidence: number | null, page: number | null, box: number[] | null, why: string}} Suggestion
 * @typedef {"certain" | "open" | "checked" | "corrected" | "absent" | "unreadable"} State
 * @typedef {{value: string | null, state: State}} DraftField
 * @typedef {object} Entry one field, or one cell of the line items
 * @property {string} name
 * @property {string} label
 * @property {string} group
 * @property {string} kind
 * @property {string} machine what the machine read, "" for nothing
 * @property {string} text the words as printed
 * @property {number | null} score percent: how sure the machine is, as it is compared with the threshold
 * @property {number | null} threshold percent
 * @property {number | null} page
 * @property {number[] | null} box
 * @property {boolean} required
 * @property {Problem[]} problems
 * @property {Suggestion[]} suggestions
 * @property {string} before the state that the server told
 * @property {boolean} certain before the reviewer did anything
 * @property {number | null} row the line item it is in
 * @property {string} current
 * @property {State} state
 * @property {string[]} errors what the server said against it
 * @property {{text: string, agrees: boolean | null} | null} witness what a second reading of the same piece says
 */

/** @type {State[]} */
const DONE = ["checked", "corrected", "absent", "unreadable"];

export class Store {
  /** @param {any} data the page's data, see the review view */
  constructor(data) {
    /** @type {Entry[]} */
    this.fields = data.fields.map((/** @type {any} */ field) => entry(field, field.name, field.label, null));
    /** @type {Entry[]} */
    this.cells = (data.line_items?.rows ?? []).flatMap((/** @type {any} */ row) => cells(row, data.line_items.columns));
    this.entries = [...this.fields, ...this.cells];
    this.byName = new Map(this.entries.map((found) => [found.name, found]));
    /** @type {((entry: Entry | null) => void)[]} */
    this.watchers = [];
  }

  /** @param {(entry: Entry | null) => void} watcher null when many changed at once */
  watch(watcher) {
    this.watchers.push(watcher);
  }

  /** @param {string} name @returns {Entry | undefined} */
  get(name) {
    return this.byName.get(name);
  }

  /** @param {Entry} target @param {string} value */
  type(target, value) {
    const state = value.trim() === "" ? (target.certain && target.machine === "" ? "certain" : "open") : initial(target);
    this.#set(target, value, value.trim() !== "" && value !== target.machine ? "corrected" : state);
  }

  /** Takes the value as it stands. @param {Entry} target @returns {boolean} false when there is no value to take */
  confirm(target) {
    if (target.state === "absent" || target.state === "unreadable") return true;
    const empty = target.current.trim() === "";
    if (empty) return target.state === "certain";
    if (target.current !== target.machine) this.#set(target, target.current.trim(), "corrected");
    else if (target.state === "open") this.#set(target, target.current, "checked");
    return true;
  }

  /** @param {Entry} target @param {string} value a suggestion or words of the page: as explicit as typing */
  take(target, value) {
    this.#set(target, value, value === target.machine ? "checked" : "corrected");
  }

  /** @param {Entry} target @param {"absent" | "unreadable"} state */
  without(target, state) {
    this.#set(target, "", state);
  }

  /** @param {Entry} target */
  restore(target) {
    this.#set(target, target.machine, initial(target));
  }

  /** @param {{field: string | null, message: string}[]} errors the server's; @returns {Entry | null} the first field opened again */
  refuse(errors) {
    const named = errors.filter((error) => error.field && this.byName.has(error.field));
    for (const error of named) {
      const target = /** @type {Entry} */ (this.get(/** @type {string} */ (error.field)));
      target.errors = [...target.errors.filter((message) => message !== error.message), error.message];
      target.state = "open";
    }
    this.#tell(null);
    return this.entries.find((found) => found.errors.length > 0) ?? null;
  }

  open() {
    return this.entries.filter((found) => found.state === "open");
  }

  /** @param {Entry | null} from @param {1 | -1} step @returns {Entry | null} the nearest open entry, going round */
  nextOpen(from, step = 1) {
    const start = from ? this.entries.indexOf(from) : step > 0 ? -1 : 0;
    const count = this.entries.length;
    for (let hop = 1; hop <= count; hop += 1) {
      const found = this.entries[(((start + step * hop) % count) + count) % count];
      if (found?.state === "open" && found !== from) return found;
    }
    return null;
  }

  /** @returns {Record<string, DraftField>} what the reviewer did so far */
  draft() {
    const done = this.entries.filter((found) => DONE.includes(found.state));
    return Object.fromEntries(done.map((found) => [found.name, { value: found.current, state: found.state }]));
  }

  /** @param {Record<string, DraftField>} fields @returns {number} how many were put in */
  putIn(fields) {
    const known = Object.entries(fields).filter(([name, saved]) => this.byName.has(name) && DONE.includes(saved.state));
    for (const [name, saved] of known) {
      const target = /** @type {Entry} */ (this.get(name));
      Object.assign(target, { current: saved.value ?? "", state: saved.state, errors: [] });
    }
    this.#tell(null);
    return known.length;
  }

  decision() {
    /** @param {State} state */
    const names = (state) => this.entries.filter((found) => found.state === state).map((found) => found.name);
    const corrected = this.entries.filter((found) => found.state === "corrected");
    return {
      corrected_fields: Object.fromEntries(corrected.map((found) => [found.name, found.current])),
      confirmed_fields: names("checked"),
      absent_fields: names("absent"),
      unreadable_fields: names("unreadable"),
    };
  }

  /** @param {Entry} target @param {string} current @param {State} state */
  #set(target, current, state) {
    Object.assign(target, { current, state, errors: [] });
    this.#tell(target);
  }

  /** @param {Entry | null} changed */
  #tell(changed) {
    for (const watcher of this.watchers) watcher(changed);
  }
}

/** @param {Entry} target @returns {State} */
const initial = (target) => (target.certain ? "certain" : "open");

/**
 * @param {any} field
 * @param {string} name
 * @param {string} label
 * @param {number | null} row
 * @returns {Entry}
 */
function entry(field, name, label, row) {
  const machine = field.value ?? "";
  return {
    name, label, row, machine,
    group: field.group ?? "", kind: field.kind ?? "text", text: field.text ?? "", required: field.required ?? false,
    score: score(field), before: field.state, threshold: field.threshold ?? null, page: field.page ?? null, box: field.box ?? null,
    problems: field.problems ?? [], suggestions: field.suggestions ?? [], certain: field.state !== "open",
    current: machine, state: field.state === "open" ? "open" : "certain", errors: [], witness: field.witness ?? null,
  };
}

/** The words' confidence decides, unless it is the match with the field that is in doubt. @param {any} field */
function score(field) {
  const matched = (field.problems ?? []).some((/** @type {Problem} */ problem) => problem.rule === "pair_confidence");
  return (matched ? null : field.word_confidence) ?? field.confidence ?? null;
}

/** @param {any} row @param {any[]} columns @returns {Entry[]} */
function cells(row, columns) {
  return columns
    .filter((column) => row.cells[column.name])
    .map((column) => {
      const cell = { kind: column.kind, ...row.cells[column.name] };
      return entry(cell, `line_items.${row.row}.${column.name}`, column.label, row.row);
    });
}
