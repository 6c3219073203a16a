// @ts-check
/** The control of an entry: one line, one that grows with its value, or a list where only some values may be chosen. */
import { el } from "../dom.js";

/** @typedef {import("./entries.js").Entry} Entry */
/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Control */

const NUMBERS = ["money", "amount", "number", "quantity", "decimal", "integer", "percent"];
/** @type {Record<string, string>} the keyboard that a telephone shows */
const KEYBOARDS = { email: "email", phone: "tel" };
const LONG = 26; // characters that fit beside a label

/** @param {string} kind */
export const isNumber = (kind) => NUMBERS.includes(kind);

/**
 * @param {Entry} entry
 * @param {{id: string, describedBy?: string, label?: string, long?: number}} options
 * @returns {Control}
 */
export function control(entry, options) {
  const many = !isNumber(entry.kind) && (entry.machine.length > (options.long ?? LONG) || entry.machine.includes("\n"));
  const shared = {
    id: options.id, name: entry.name, class: "value", dir: "auto", autocomplete: "off", spellcheck: "false", autocapitalize: "off",
    "aria-describedby": options.describedBy, "aria-label": options.label, "data-entry": true, enterkeyhint: "next",
  };
  if (entry.choices.length) {
    const choices = ["", ...entry.choices].map((choice) => el("option", { value: choice, text: choice }));
    return /** @type {HTMLSelectElement} */ (el("select", shared, ...choices));
  }
  if (!many) {
    const input = /** @type {HTMLInputElement} */ (el("input", { ...shared, type: "text", inputmode: isNumber(entry.kind) ? "decimal" : (KEYBOARDS[entry.kind] ?? "text") }));
    input.value = entry.current;
    return input;
  }
  const area = /** @type {HTMLTextAreaElement} */ (el("textarea", { ...shared, rows: 1 }));
  area.value = entry.current;
  return area;
}

/** @param {unknown} node @returns {node is Control} */
export const isControl = (node) => node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement || node instanceof HTMLSelectElement;

/** Shows the entry's value; `without` stands where there is none. @param {Control} node @param {Entry} entry @param {string} without */
export function show(node, entry, without) {
  if (node instanceof HTMLSelectElement) {
    const known = [...node.options].some((option) => option.value === entry.current);
    if (!known) node.append(el("option", { value: entry.current, text: entry.current })); // what the machine read is none of the choices
    node.options[0].text = without;
  } else {
    set(node, "placeholder", without);
  }
  set(node, "value", entry.current);
  set(node, "ariaInvalid", String(entry.errors.length + entry.rules.length > 0));
}

/** Writes only what differs: even the same text again has the browser lay out anew. @template {HTMLElement} T @template {keyof T} K @param {T} node @param {K} key @param {T[K]} value */
export function set(node, key, value) {
  if (node[key] !== value) node[key] = value;
}

/** Ready to be typed over. @param {unknown} node */
export function selectAll(node) {
  if (node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement) node.select();
}

const GROWS_BY_ITSELF = CSS.supports("field-sizing", "content");

/** @param {Control} node */
export function grow(node) {
  if (GROWS_BY_ITSELF || !(node instanceof HTMLTextAreaElement)) return;
  node.style.blockSize = "auto";
  node.style.blockSize = `${node.scrollHeight + 2}px`;
}
