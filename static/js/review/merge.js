// @ts-check
/** Two versions of one document, field by field: mine, theirs or the machine's value, by arrows and Enter. */
import { el, one, say } from "../dom.js";
import { shown } from "../values.js";
import { settled } from "./entries.js";
import { called, withoutValue } from "./reasons.js";

/**
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {"mine" | "theirs" | "machine"} Side
 * @typedef {{entry: Entry, theirs: any, values: Record<Side, string>, chosen: Side}} Difference `theirs` is the newer field
 */

const SIDES = /** @type {Side[]} */ (["mine", "theirs", "machine"]);

/** @param {Entry} entry whether the reviewer said something of it */
const isMine = (entry) => ["checked", "corrected", "absent", "unreadable", "missed"].includes(settled(entry));

/** @param {any} current the newer reading; @returns {Map<string, any>} its fields and cells by name, their values in the page's language */
export function newerFields(current) {
  const cells = (current?.line_items ?? []).flatMap((/** @type {any} */ item) =>
    item.cells.map((/** @type {any} */ cell) => [`line_items.${item.row}.${cell.name}`, written(cell)]));
  return new Map([...(current?.fields ?? []).map((/** @type {any} */ field) => [field.name, written(field)]), ...cells]);
}

/** @param {any} field as the server tells it */
function written(field) {
  const suggestions = (field.suggestions ?? []).map((/** @type {any} */ each) => ({ ...each, value: shown(each.value, field.kind) }));
  return { ...field, suggestions, stored: field.value, value: shown(field.value, field.kind), machine_value: shown(field.machine_value ?? null, field.kind) };
}

/**
 * Whether both versions have the same fields and rows, but for what the reviewer added and took out.
 * @param {import("./store.js").Store} store
 * @param {Map<string, any>} newer
 */
export function sameShape(store, newer) {
  const { items } = store;
  const gone = (/** @type {string} */ name) => items.removed.has(Number(/^line_items\.(\d+)\./.exec(name)?.[1] ?? -1));
  return store.entries.every((entry) => newer.has(entry.name) || entry.own || items.isAdded(entry.row))
    && [...newer.keys()].every((name) => store.get(name) || gone(name));
}

/**
 * What the reviewer did that says something else than the newer version.
 * @param {import("./store.js").Store} store
 * @param {Map<string, any>} newer
 * @returns {Difference[]}
 */
export function differences(store, newer) {
  return store.entries.flatMap((entry) => {
    const theirs = newer.get(entry.name);
    if (!theirs || !isMine(entry) || entry.current === theirs.value) return [];
    const values = { mine: entry.current, theirs: theirs.value, machine: theirs.machine_value };
    return [{ entry, theirs, values, chosen: /** @type {Side} */ ("mine") }];
  });
}

/**
 * Asks which value counts for each; resolves with whether to send them.
 * @param {Difference[]} found
 * @returns {Promise<boolean>}
 */
export function askMerge(found) {
  const node = /** @type {HTMLDialogElement} */ (one("#merge"));
  const rows = found.map(row);
  one("tbody", node).replaceChildren(...rows.map((made) => made.node));
  node.onkeydown = (event) => move(event, rows, /** @type {HTMLElement} */ (one("[data-send]", node)));
  node.returnValue = "";
  node.showModal();
  rows[0]?.focus();
  return new Promise((resolve) => node.addEventListener("close", () => resolve(node.returnValue === "yes"), { once: true }));
}

/** @typedef {{node: HTMLElement, difference: Difference, pick: (side: Side) => void, focus: () => void}} Row */

/** @param {Difference} difference @param {number} index @returns {Row} */
function row(difference, index) {
  const { entry, values } = difference;
  const label = called(entry);
  const inputs = SIDES.map((side) => /** @type {HTMLInputElement} */ (el("input", { type: "radio", name: `merge-${index}`, value: side, checked: side === difference.chosen, "aria-label": `${label}, ${say(side)}: ${values[side] || say("none")}` })));
  const pick = (/** @type {Side} */ side) => {
    difference.chosen = side;
    inputs[SIDES.indexOf(side)].checked = true;
    inputs[SIDES.indexOf(side)].focus();
  };
  for (const [place, input] of inputs.entries()) input.addEventListener("change", () => pick(SIDES[place]));
  const words = (/** @type {Side} */ side) => values[side] || (side === "mine" && withoutValue(entry)) || say("none");
  const node = el("tr", {}, el("th", { scope: "row", text: label }),
    ...inputs.map((input, place) => el("td", {}, el("label", {}, input, el("small", { "aria-hidden": "true", text: say(SIDES[place]) }), el("span", { class: "value", dir: "auto", text: words(SIDES[place]) })))));
  return { node, difference, pick, focus: () => inputs[SIDES.indexOf(difference.chosen)].focus() };
}

/** @param {KeyboardEvent} event @param {Row[]} rows @param {HTMLElement} send */
function move(event, rows, send) {
  const at = rows.findIndex((made) => made.node.contains(/** @type {Node} */ (event.target)));
  if (at < 0 || event.ctrlKey || event.altKey) return;
  const side = SIDES.indexOf(rows[at].difference.chosen);
  const toward = document.documentElement.dir === "rtl" ? -1 : 1;
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowRight: () => rows[at].pick(SIDES[Math.min(Math.max(side + toward, 0), 2)]),
    ArrowLeft: () => rows[at].pick(SIDES[Math.min(Math.max(side - toward, 0), 2)]),
    ArrowDown: () => rows[Math.min(at + 1, rows.length - 1)].focus(),
    ArrowUp: () => rows[Math.max(at - 1, 0)].focus(),
    Enter: () => (at + 1 < rows.length ? rows[at + 1].focus() : send.focus()),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
}

/**
 * Puts the chosen values into the store, which from now on stands on the newer version.
 * @param {import("./store.js").Store} store
 * @param {Map<string, any>} newer
 * @param {Difference[]} found
 */
export function putTogether(store, newer, found) {
  const asked = new Set(found.map((difference) => difference.entry));
  for (const entry of store.entries) {
    const theirs = newer.get(entry.name);
    if (theirs) rebase(entry, theirs, asked.has(entry));
  }
  for (const { entry, values, chosen } of found) {
    if (chosen === "mine") continue;
    if (values[chosen]) store.copy(entry, values[chosen]);
    else if (chosen === "theirs") store.restore(entry);
    else store.without(entry, "absent");
  }
  store.judge.dropTold();
  store.putIn({});
}

/** @param {Entry} entry @param {any} theirs @param {boolean} asked */
function rebase(entry, theirs, asked) {
  const { value, stored, suggestions } = theirs;
  const mine = isMine(entry);
  const open = theirs.state === "open";
  Object.assign(entry, { machine: value, stored, suggestions, before: theirs.state, certain: !open, text: theirs.text ?? "", problems: theirs.problems ?? [] });
  const state = settled(entry);
  if (!mine) Object.assign(entry, { current: value, state: open ? "open" : "certain", held: null, evidence: null, errors: [] });
  else if (!asked && state === "corrected" && entry.current === value) Object.assign(entry, { state: "checked", held: null });
  else Object.assign(entry, { state: asked && state === "checked" ? "corrected" : state, held: null });
}
