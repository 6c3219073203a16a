// @ts-check
/** The keys of the review screen: one table. It runs the commands, and is the sheet that `?` opens and the page where keys are changed. */
import { showSheet } from "../shortcuts.js";

/**
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {{command: string, keys: string[], where: "typing" | "else" | "both", edits?: boolean, fixed?: string}} Command
 * `keys` are the usual chords; `where` as in shortcuts.js; `edits`: only for who holds the document; `fixed` is what the sheet prints of
 * keys that cannot be changed.
 * @typedef {{chords: Record<string, string>, single_letters: boolean}} Own what one person changed
 * @typedef {Record<string, (event: KeyboardEvent) => void | boolean>} Runs by command
 */

/** @type {Command[]} */
export const COMMANDS = [
  { command: "confirm", keys: ["Enter"], where: "typing", edits: true },
  { command: "back", keys: ["Shift+Enter"], where: "typing", edits: true },
  { command: "take", keys: Array.from("123456789", (digit) => `Alt+${digit}`), where: "both", edits: true, fixed: "Alt 1…9" },
  { command: "absent", keys: ["Alt+n"], where: "both", edits: true },
  { command: "unreadable", keys: ["Alt+u"], where: "both", edits: true },
  { command: "missed", keys: ["Alt+m"], where: "both", edits: true },
  { command: "restore", keys: ["Escape"], where: "typing", edits: true },
  { command: "undo", keys: ["Ctrl+z"], where: "both", edits: true },
  { command: "redo", keys: ["Ctrl+Shift+z", "Ctrl+y"], where: "both", edits: true },
  { command: "same", keys: ["Ctrl+'"], where: "both", edits: true },
  { command: "approve", keys: ["Ctrl+Enter"], where: "both", edits: true },
  { command: "row_insert", keys: ["Ctrl+Insert"], where: "typing", edits: true },
  { command: "row_delete", keys: ["Ctrl+Delete"], where: "typing", edits: true },
  { command: "fill_down", keys: ["Ctrl+d"], where: "typing", edits: true },
  { command: "approve_ready", keys: ["a"], where: "else", edits: true },
  { command: "undo_letter", keys: ["u"], where: "else" },
  { command: "aside", keys: ["s"], where: "else", edits: true },
  { command: "escalate", keys: ["e"], where: "else", edits: true },
  { command: "comment", keys: ["m"], where: "else", edits: true },
  { command: "reject", keys: ["r"], where: "else", edits: true },
  { command: "next", keys: ["n"], where: "else" },
  { command: "previous", keys: ["p"], where: "else" },
  { command: "down", keys: ["j"], where: "else" },
  { command: "up", keys: ["k"], where: "else" },
  { command: "zoom_in", keys: ["+", "="], where: "else" },
  { command: "zoom_out", keys: ["-"], where: "else" },
  { command: "fit", keys: ["0"], where: "else" },
  { command: "rotate", keys: ["Shift+r"], where: "else", edits: true },
  { command: "page_next", keys: ["]"], where: "else" },
  { command: "page_previous", keys: ["["], where: "else" },
  { command: "thumbnails", keys: ["t"], where: "else" },
  { command: "boxes", keys: ["b"], where: "else" },
  { command: "history", keys: ["h"], where: "else" },
  { command: "compare", keys: ["c"], where: "else" },
  { command: "search", keys: ["/"], where: "else" },
  { command: "help", keys: ["?"], where: "else" },
];

/**
 * @typedef {object} Screen
 * @property {import("./store.js").Store} store
 * @property {import("./detail.js").Acts} acts
 * @property {import("./viewer.js").Viewer} viewer
 * @property {import("./grid.js").Grid | null} grid
 * @property {(entry: Entry) => void} focus
 * @property {(from: Entry | null, step: 1 | -1) => void} next
 * @property {() => Entry | null} active
 * @property {() => void} approve goes to the next open value while there is one
 * @property {() => void} reject
 * @property {() => void} aside
 * @property {() => void} escalate
 * @property {() => void} comment
 * @property {() => void} undo the last step in this document; with none left, the last decision
 * @property {() => void} takeBack the last decision while the message that tells of it is there; else as `undo`
 * @property {() => void} redo
 * @property {() => void} rotate
 * @property {() => void} thumbnails
 * @property {() => void} search
 * @property {() => void} compare
 * @property {() => void} history
 * @property {boolean} editable
 * @property {Own} own
 */

/** @param {Screen} screen @returns {import("../shortcuts.js").Shortcut[]} */
export function shortcutTable(screen) {
  return bound({ ...looking(screen), ...(screen.editable ? editing(screen) : {}) }, screen.own, screen.editable);
}

/** The commands with a person's own keys. @param {Runs} runs @param {Own} own @param {boolean} editable @returns {import("../shortcuts.js").Shortcut[]} */
export function bound(runs, own, editable) {
  const possible = COMMANDS.filter((each) => editable || !each.edits);
  return possible.flatMap((each) => {
    const keys = keysOf(each, own);
    if (!keys.length || !runs[each.command]) return [];
    /** @type {("typing" | "else")[]} */
    const places = each.where === "both" ? ["typing", "else"] : [each.where];
    return places.map((where, at) => ({ keys, show: at ? undefined : (each.fixed ?? shown(keys[0])), where, words: `key_${each.command}`, run: runs[each.command] }));
  });
}

/** @param {Command} each @param {Own} own @returns {string[]} */
function keysOf(each, own) {
  const given = each.fixed ? undefined : own.chords[each.command];
  const keys = given === undefined ? each.keys : [given].filter(Boolean);
  // A key that somebody gave to another command is that one's alone.
  const taken = new Set(Object.entries(own.chords).filter(([command, chord]) => chord && command !== each.command).map(([, chord]) => chord));
  return keys.filter((key) => (given !== undefined || !taken.has(key)) && (own.single_letters || !isLetter(key) || each.where !== "else"));
}

/** A key by itself, which speech input and shaking hands press by mistake (WCAG 2.1.4). @param {string} chord */
export const isLetter = (chord) => [...chord.replace(/^Shift\+/, "")].length === 1;

/** @type {Record<string, string>} */
const NAMES = { Enter: "⏎", Escape: "Esc", ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", "-": "−", Delete: "Del", Insert: "Ins", " ": "␣" };

/** @param {string} chord as people know it: "Ctrl ⏎" */
export function shown(chord) {
  const parts = chord === "+" ? ["+"] : chord.split(/\+(?!$)/);
  return parts.map((part) => NAMES[part] ?? (part === "Shift" ? "⇧" : [...part].length === 1 ? part.toUpperCase() : part)).join(" ");
}

/** @param {Screen} screen @returns {Runs} */
function editing({ store, acts, grid, next, active, approve, reject, aside, escalate, comment, undo, redo, rotate }) {
  /** @param {(entry: Entry) => void} run */
  const onActive = (run) => () => {
    const entry = active();
    if (entry) run(entry);
  };
  /** Grid commands are let through where no cell is active. @param {() => boolean | undefined} run */
  const inGrid = (run) => () => (active()?.row === null || !active() ? false : run() ?? false);
  return {
    confirm: onActive(acts.confirm),
    back: () => next(active(), -1),
    take: (event) => {
      const digit = /^Digit([1-9])$/.exec(event.code)?.[1] ?? event.key;
      onActive((entry) => acts.take(entry, Number(digit) - 1))();
    },
    absent: onActive((entry) => acts.without(entry, "absent")),
    unreadable: onActive((entry) => acts.without(entry, "unreadable")),
    missed: onActive((entry) => acts.miss(entry)),
    restore: onActive((entry) => {
      if (store.changed(entry)) acts.restore(entry);
      else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    }),
    undo,
    redo,
    same: onActive((entry) => acts.repeat(entry)),
    approve,
    row_insert: inGrid(() => grid?.sheet.insertRow()),
    row_delete: inGrid(() => grid?.sheet.removeRow()),
    fill_down: inGrid(() => grid?.sheet.fillDown()),
    approve_ready: () => (store.open().length ? false : approve()),
    aside,
    escalate,
    comment,
    reject,
    rotate,
  };
}

/** @param {Screen} screen @returns {Runs} */
function looking({ store, viewer, focus, next, active, takeBack, thumbnails, search, compare, history }) {
  /** @param {number} step */
  const neighbour = (step) => {
    const entry = active();
    const index = entry ? store.entries.indexOf(entry) + step : 0;
    const found = store.entries[Math.min(Math.max(index, 0), store.entries.length - 1)];
    if (found) focus(found);
  };
  return {
    undo_letter: takeBack,
    next: () => next(active(), 1),
    previous: () => next(active(), -1),
    down: () => neighbour(1),
    up: () => neighbour(-1),
    zoom_in: () => viewer.sheets.zoomIn(),
    zoom_out: () => viewer.sheets.zoomOut(),
    fit: () => viewer.sheets.fit(),
    page_next: () => viewer.sheets.turn(1),
    page_previous: () => viewer.sheets.turn(-1),
    thumbnails,
    boxes: () => viewer.toggleBoxes(),
    history,
    compare,
    search,
    help: showSheet,
  };
}
