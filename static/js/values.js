// @ts-check
/** Values as people write them, and back: 1234.50 is 1.234,50 on a German page, 2026-03-01 is 01.03.2026. English pages show what is stored. */

/** @typedef {{value: string} | {ambiguous: string}} Typed `value` is what the server is sent; `ambiguous` is the key of the words that ask for another form. */

const NUMERIC = new Set(["amount", "number", "percent"]);
const CANONICAL = /^-?\d+(\.\d+)?$/;
const PIVOT = 69; // two-digit years below are 20xx, as on the server (ocr/extraction/dates.py)

/**
 * A canonical value as the page's language writes it; what is not canonical stays as it is.
 * @param {string | null} value
 * @param {string} kind the field's kind
 * @param {string} [language] of the page
 */
export function shown(value, kind, language = document.documentElement.lang) {
  if (value === null || language !== "de") return value ?? "";
  if (kind === "amount" && CANONICAL.test(value)) return grouped(value);
  if (NUMERIC.has(kind) && CANONICAL.test(value)) return value.replace(".", ",");
  const day = kind === "date" ? /^(\d{4})-(\d\d)-(\d\d)$/.exec(value) : null;
  return day ? `${day[3]}.${day[2]}.${day[1]}` : value;
}

/**
 * What was typed, as the server is sent it. What the language leaves no doubt about becomes canonical, what might mean two things is refused,
 * and everything else goes as it is: the server understands more forms, and has the last word.
 * @param {string} text
 * @param {string} kind
 * @param {string | null} [known] the value that stands there: written as it is shown, it stays itself
 * @param {string} [language]
 * @returns {Typed}
 */
export function canonical(text, kind, known = null, language = document.documentElement.lang) {
  if (language !== "de") return { value: text };
  const typed = text.trim();
  if (known !== null && typed === shown(known, kind, language)) return { value: known };
  if (NUMERIC.has(kind)) return number(typed, kind);
  return kind === "date" ? day(typed) : { value: typed };
}

/** An amount as the server writes it in its sentences (1,234.50), as the page's language does. @param {string} written */
export const localAmount = (written, language = document.documentElement.lang) =>
  (language === "de" ? grouped(written.replaceAll(",", "")) : written);

/** @param {string} value */
function grouped(value) {
  const [whole, decimals] = value.split(".");
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ".");
  return decimals === undefined ? groups : `${groups},${decimals}`;
}

/**
 * @param {string} typed
 * @param {string} kind
 * @returns {Typed}
 */
function number(typed, kind) {
  const found = /^(-?)([\d.,]+)\s*%?$/.exec(typed);
  if (!found) return { value: typed };
  const [, sign, digits] = found;
  // 1.234 is a thousand and more here, and a little more than one elsewhere; with 1,234 it is the other way round.
  if (kind === "amount" ? /^\d{1,3},\d{3}$/.test(digits) : /^\d{1,3}\.\d{3}$/.test(digits)) return { ambiguous: "ambiguous_number" };
  if (/^\d{1,3}(\.\d{3})+(,\d+)?$/.test(digits)) return { value: sign + digits.replaceAll(".", "").replace(",", ".") };
  if (/^\d+,\d+$/.test(digits)) return { value: sign + digits.replace(",", ".") };
  return { value: typed };
}

/**
 * @param {string} typed
 * @returns {Typed}
 */
function day(typed) {
  const found = /^(\d{1,2})([./])\s?(\d{1,2})\2\s?(\d{4}|\d{2})$/.exec(typed);
  if (!found) return { value: typed };
  const [, first, mark, second, last] = found;
  // With slashes an American date may be meant; with dots nobody writes the month first.
  if (mark === "/" && Number(first) <= 12 && Number(second) <= 12 && first !== second) return { ambiguous: "ambiguous_date" };
  const [date, month] = mark === "/" && Number(second) > 12 ? [second, first] : [first, second];
  const year = last.length === 4 ? last : `${Number(last) < PIVOT ? 20 : 19}${last}`;
  return { value: `${year}-${month.padStart(2, "0")}-${date.padStart(2, "0")}` };
}
