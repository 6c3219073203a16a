// @ts-check
/** The keys of the review screen: one table, also printed as the sheet that `?` opens. */
import { showSheet } from "../shortcuts.js";
import { undoLast } from "../toast.js";

/**
 * @typedef {import("./store.js").Entry} Entry
 * @typedef {object} Screen
 * @property {import("./store.js").Store} store
 * @property {import("./detail.js").Acts} acts
 * @property {import("./viewer.js").Viewer} viewer
 * @property {(entry: Entry) => void} focus
 * @property {(from: Entry | null, step: 1 | -1) => void} next
 * @property {() => Entry | null} active
 * @property {() => void} approve goes to the next open value while there is one
 * @property {() => void} reject
 * @property {() => void} aside
 * @property {() => void} escalate
 * @property {boolean} editable
 */

/** @param {Screen} screen @returns {import("../shortcuts.js").Shortcut[]} */
export function shortcutTable(screen) {
  return [...(screen.editable ? editing(screen) : []), ...looking(screen)];
}

/** @param {Screen} screen @returns {import("../shortcuts.js").Shortcut[]} */
function editing({ store, acts, next, active, approve, reject, aside, escalate }) {
  /** @param {(entry: Entry) => void} run */
  const onActive = (run) => () => {
    const entry = active();
    if (entry) run(entry);
  };
  const digits = Array.from("123456789", (digit) => `Alt+${digit}`);
  /** @param {KeyboardEvent} event */
  const suggestion = (event) => {
    const digit = /^Digit([1-9])$/.exec(event.code)?.[1] ?? event.key;
    onActive((entry) => acts.take(entry, Number(digit) - 1))();
  };
  const escape = onActive((entry) => {
    const changed = entry.current !== entry.machine || ["checked", "absent", "unreadable"].includes(entry.state);
    if (changed) acts.restore(entry);
    else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  });
  /** @type {("typing" | "else")[]} */
  const both = ["typing", "else"];
  /** @type {import("../shortcuts.js").Shortcut[]} */
  const everywhere = both.flatMap((where) => [
    { keys: digits, show: where === "typing" ? "Alt 1…9" : undefined, where, words: "key_take", run: suggestion },
    { keys: ["Alt+n"], show: where === "typing" ? "Alt N" : undefined, where, words: "key_absent", run: onActive((entry) => acts.without(entry, "absent")) },
    { keys: ["Alt+u"], show: where === "typing" ? "Alt U" : undefined, where, words: "key_unreadable", run: onActive((entry) => acts.without(entry, "unreadable")) },
    { keys: ["Ctrl+Enter"], show: where === "typing" ? "Ctrl ⏎" : undefined, where, words: "key_approve", run: approve },
  ]);
  return [
    { keys: ["Enter"], show: "⏎", where: "typing", words: "key_confirm", run: onActive(acts.confirm) },
    { keys: ["Shift+Enter"], show: "⇧ ⏎", where: "typing", words: "key_back", run: () => next(active(), -1) },
    ...everywhere,
    { keys: ["Escape"], show: "Esc", where: "typing", words: "key_restore", run: escape },
    { keys: ["a"], show: "A", where: "else", words: "key_approve_ready", run: () => (store.open().length ? false : approve()) },
    { keys: ["s"], show: "S", where: "else", words: "key_aside", run: aside },
    { keys: ["e"], show: "E", where: "else", words: "key_escalate", run: escalate },
    { keys: ["r"], show: "R", where: "else", words: "key_reject", run: reject },
  ];
}

/** @param {Screen} screen @returns {import("../shortcuts.js").Shortcut[]} */
function looking({ store, viewer, focus, next, active }) {
  /** @param {number} step */
  const neighbour = (step) => {
    const entry = active();
    const index = entry ? store.entries.indexOf(entry) + step : 0;
    const found = store.entries[Math.min(Math.max(index, 0), store.entries.length - 1)];
    if (found) focus(found);
  };
  return [
    { keys: ["n"], show: "N", where: "else", words: "key_next", run: () => next(active(), 1) },
    { keys: ["p"], show: "P", where: "else", words: "key_previous", run: () => next(active(), -1) },
    { keys: ["j"], show: "J", where: "else", words: "key_down", run: () => neighbour(1) },
    { keys: ["k"], show: "K", where: "else", words: "key_up", run: () => neighbour(-1) },
    { keys: ["+", "="], show: "+", where: "else", words: "key_zoom_in", run: () => viewer.zoomIn() },
    { keys: ["-"], show: "−", where: "else", words: "key_zoom_out", run: () => viewer.zoomOut() },
    { keys: ["0"], show: "0", where: "else", words: "key_fit", run: () => viewer.fit() },
    { keys: ["]"], show: "]", where: "else", words: "key_page_next", run: () => viewer.turn(1) },
    { keys: ["["], show: "[", where: "else", words: "key_page_previous", run: () => viewer.turn(-1) },
    { keys: ["u", "Ctrl+z"], show: "U", where: "else", words: "key_undo", run: undoLast },
    { keys: ["b"], show: "B", where: "else", words: "key_boxes", run: () => viewer.toggleBoxes() },
    { keys: ["?"], show: "?", where: "else", words: "key_help", run: showSheet },
  ];
}
