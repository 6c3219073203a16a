// @ts-check
/** The text control of an entry: one line, or one that grows with its value. */
import { el } from "../dom.js";

/** @typedef {import("./entries.js").Entry} Entry */

const NUMBERS = ["money", "amount", "number", "quantity", "decimal", "integer", "percent"];
/** @type {Record<string, string>} the keyboard that a telephone shows */
const KEYBOARDS = { email: "email", phone: "tel" };
const LONG = 26; // characters that fit beside a label

/** @param {string} kind */
export const isNumber = (kind) => NUMBERS.includes(kind);

/**
 * @param {Entry} entry
 * @param {{id: string, describedBy?: string, label?: string, long?: number}} options
 * @returns {HTMLInputElement | HTMLTextAreaElement}
 */
export function control(entry, options) {
  const many = !isNumber(entry.kind) && (entry.machine.length > (options.long ?? LONG) || entry.machine.includes("\n"));
  const shared = {
    id: options.id, name: entry.name, class: "value", dir: "auto", autocomplete: "off", spellcheck: "false", autocapitalize: "off",
    "aria-describedby": options.describedBy, "aria-label": options.label, "data-entry": true, enterkeyhint: "next",
  };
  if (!many) {
    const input = /** @type {HTMLInputElement} */ (el("input", { ...shared, type: "text", inputmode: isNumber(entry.kind) ? "decimal" : (KEYBOARDS[entry.kind] ?? "text") }));
    input.value = entry.current;
    return input;
  }
  const area = /** @type {HTMLTextAreaElement} */ (el("textarea", { ...shared, rows: 1 }));
  area.value = entry.current;
  return area;
}

const GROWS_BY_ITSELF = CSS.supports("field-sizing", "content");

/** @param {HTMLInputElement | HTMLTextAreaElement} node */
export function grow(node) {
  if (GROWS_BY_ITSELF || !(node instanceof HTMLTextAreaElement)) return;
  node.style.blockSize = "auto";
  node.style.blockSize = `${node.scrollHeight + 2}px`;
}
