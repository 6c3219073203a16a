// @ts-check
/** What must hold between the values of one document: the server's declarations (review/declarations.py), evaluated as it evaluates them. */

/**
 * @typedef {{kind: "sum", name: string, terms: string[], optional: string[], may_be_included: string[], equals: string, tolerance: string}} SumRule
 * @typedef {{kind: "items", name: string, column: string, equals: string[], may_be_added: string[], tolerance: string}} ItemsRule
 * @typedef {{kind: "order", name: string, later: string, earlier: string}} OrderRule
 * @typedef {{required: string[], labels: Record<string, string>, rules: (SumRule | ItemsRule | OrderRule)[], date_order: string}} Declared
 * @typedef {Record<string, string | null>} Values canonical ones
 * @typedef {{code: "missing" | "invalid", field: string, message: string, rule: string}} Found
 * @typedef {{missing: (label: string) => string, sum: (terms: string, sum: string, printed: string) => string, items: (sum: string, printed: string, label: string) => string, order: (later: string, dayLater: string, earlier: string, dayEarlier: string) => string, inside: (label: string) => string}} Told
 * @typedef {{units: bigint, places: number, minusZero?: boolean}} Decimal
 */

/**
 * What is wrong: required fields without a value, then each rule that does not hold. A rule whose values are not all there says nothing.
 * @param {Values} values
 * @param {Values[]} items the rows of the item table
 * @param {Declared} declared
 * @param {Told} [told] how the sentences are said
 * @returns {Found[]}
 */
export function check(values, items, declared, told = ENGLISH) {
  const missing = declared.required.filter((name) => !values[name]).map((name) => /** @type {Found} */ (
    { code: "missing", field: name, message: told.missing(declared.labels[name]), rule: "required" }));
  const amounts = amountsOf(values);
  const broken = declared.rules.map((rule) => {
    const [message, field] = brokenBy(rule, values, amounts, items, declared.labels, told);
    return message ? /** @type {Found} */ ({ code: "invalid", field, message, rule: rule.name }) : null;
  });
  return [...missing, .../** @type {Found[]} */ (broken.filter(Boolean))];
}

/**
 * @param {SumRule | ItemsRule | OrderRule} rule
 * @param {Values} values
 * @param {Map<string, Decimal>} amounts
 * @param {Values[]} items
 * @param {Record<string, string>} labels
 * @param {Told} told
 * @returns {[string, string]} the sentence, "" when it holds, and the field to look at
 */
function brokenBy(rule, values, amounts, items, labels, told) {
  if (rule.kind === "sum") return [brokenSum(rule, amounts, labels, told), rule.equals];
  if (rule.kind === "items") return brokenItems(rule, amounts, items, labels, told);
  return [brokenOrder(rule, values, labels, told), rule.later];
}

/** @param {SumRule} rule @param {Map<string, Decimal>} amounts @param {Record<string, string>} labels @param {Told} told */
function brokenSum(rule, amounts, labels, told) {
  const expected = amounts.get(rule.equals);
  if (rule.terms.includes(rule.equals)) return ""; // it says which of two totals counts, and is no sum to check
  if (!expected || rule.terms.some((name) => !amounts.has(plain(name)))) return "";
  const there = [...rule.terms, ...rule.optional].filter((name) => amounts.has(plain(name)));
  const free = there.filter((name) => rule.may_be_included.includes(plain(name)));
  const needed = there.filter((name) => !rule.may_be_included.includes(plain(name)));
  if (choices(free).some((some) => near(total([...needed, ...some], amounts), expected, rule.tolerance))) return "";
  return told.sum(words(there, labels, told), grouped(total(there, amounts)), grouped(expected));
}

/** @param {ItemsRule} rule @param {Map<string, Decimal>} amounts @param {Values[]} items @param {Record<string, string>} labels @param {Told} told @returns {[string, string]} */
function brokenItems(rule, amounts, items, labels, told) {
  const names = rule.equals.filter((each) => amounts.has(each));
  const name = names[0] ?? "";
  const sum = name ? sumOf(items.map((item) => item[rule.column] ?? null)) : null;
  const expected = amounts.get(name);
  if (!sum || !expected) return ["", name];
  const free = rule.may_be_added.filter((term) => amounts.has(plain(term)));
  const sums = choices(free).map((some) => plus(sum, total(some, amounts)));
  if (names.some((each) => sums.some((one) => near(one, /** @type {Decimal} */ (amounts.get(each)), rule.tolerance)))) return ["", name];
  return [told.items(grouped(sum), grouped(expected), told.inside(labels[name])), name];
}

/** @param {OrderRule} rule @param {Values} values @param {Record<string, string>} labels @param {Told} told */
function brokenOrder(rule, values, labels, told) {
  const [later, earlier] = [values[rule.later], values[rule.earlier]];
  if (!later || !earlier || later >= earlier) return "";
  return told.order(labels[rule.later], later, told.inside(labels[rule.earlier]), earlier);
}

/** @param {Values} values */
function amountsOf(values) {
  /** @type {Map<string, Decimal>} */
  const found = new Map();
  for (const [name, value] of Object.entries(values)) {
    const amount = decimal(value);
    if (amount) found.set(name, amount);
  }
  return found;
}

/** Every choice of some of them, the smaller ones first. @param {string[]} names @returns {string[][]} */
function choices(names) {
  const found = Array.from({ length: 2 ** names.length }, (_, bits) => names.filter((_name, place) => bits & (2 ** place)));
  return found.sort((one, other) => one.length - other.length);
}

/** What is subtracted counts without its sign: a discount is printed as 5.00 or as -5.00. @param {string[]} terms @param {Map<string, Decimal>} amounts */
function total(terms, amounts) {
  return terms.reduce((sum, name) => {
    const amount = /** @type {Decimal} */ (amounts.get(plain(name)));
    const units = name.startsWith("-") ? -(amount.units < 0n ? -amount.units : amount.units) : amount.units;
    return plus(sum, { units, places: amount.places });
  }, ZERO);
}

/** @param {string} term */
const plain = (term) => term.replace(/^-/, "");

/** 'Subtotal plus tax minus discount'. @param {string[]} terms @param {Record<string, string>} labels @param {Told} told */
function words(terms, labels, told) {
  return terms.map((name, place) => {
    const label = labels[plain(name)];
    return place ? (name.startsWith("-") ? " minus " : " plus ") + told.inside(label) : label;
  }).join("");
}

/** 'Tax' becomes 'tax'; an abbreviation such as 'GST' stays. @param {string} label */
function inside(label) {
  const begin = label.slice(0, 2);
  const upper = begin === begin.toUpperCase() && begin !== begin.toLowerCase();
  return upper ? label : label.slice(0, 1).toLowerCase() + label.slice(1);
}

/** @type {Told} as the server says it */
export const ENGLISH = {
  missing: (label) => `${label} was not found on the document.`,
  sum: (terms, sum, printed) => `${terms} is ${sum}, not ${printed}.`,
  items: (sum, printed, label) => `The line items add up to ${sum}, not ${printed} (${label}).`,
  order: (later, dayLater, earlier, dayEarlier) => `${later} ${dayLater} is before ${earlier} ${dayEarlier}.`,
  inside,
};

// --- Exact numbers

/** @type {Decimal} */
const ZERO = { units: 0n, places: 0 };
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;

/** @param {string | null | undefined} value @returns {Decimal | null} */
export function decimal(value) {
  const text = (value ?? "").trim();
  if (!DECIMAL.test(text)) return null;
  const [units, part = ""] = text.split(".");
  const size = BigInt(units.replace(/^[+-]/, "") + part);
  const below = units.startsWith("-");
  return { units: below ? -size : size, places: part.length, minusZero: below && !size };
}

/** @param {(string | null)[]} values @returns {Decimal | null} null when one is no number, or there is none */
export function sumOf(values) {
  if (!values.length) return null;
  let sum = ZERO;
  for (const value of values) {
    const amount = decimal(value);
    if (!amount) return null;
    sum = plus(sum, amount);
  }
  return sum;
}

/** @param {Decimal} one @param {Decimal} other @returns {Decimal} */
export function plus(one, other) {
  const places = Math.max(one.places, other.places);
  return { units: scaled(one, places) + scaled(other, places), places };
}

/** @param {Decimal} one @returns {Decimal} */
export const minus = (one) => ({ units: -one.units, places: one.places });

/** @param {Decimal} number @param {number} places */
const scaled = (number, places) => number.units * 10n ** BigInt(places - number.places);

/** @param {Decimal} one @param {Decimal} other @param {string} tolerance */
export function near(one, other, tolerance) {
  const apart = plus(one, minus(other));
  const room = plus({ units: apart.units < 0n ? -apart.units : apart.units, places: apart.places }, minus(decimal(tolerance) ?? ZERO));
  return room.units <= 0n;
}

/** With two decimals, a half to the even one, and commas: as the server writes it in its sentences. @param {Decimal} number */
export function grouped(number) {
  const cents = rounded(number.units, number.places);
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, "0");
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${number.units < 0n || number.minusZero ? "-" : ""}${whole}.${digits.slice(-2)}`;
}

/** @param {bigint} units @param {number} places @returns {bigint} in hundredths */
function rounded(units, places) {
  if (places <= 2) return units * 10n ** BigInt(2 - places);
  const step = 10n ** BigInt(places - 2);
  const size = units < 0n ? -units : units;
  const [whole, rest] = [size / step, size % step];
  const up = rest * 2n > step || (rest * 2n === step && whole % 2n === 1n);
  const result = whole + (up ? 1n : 0n);
  return units < 0n ? -result : result;
}

// --- What was typed, where its meaning leaves no doubt

const WHOLE = "-?(?:0|[1-9]\\d*)";
const AMOUNTS = [`${WHOLE}(?:[.,]\\d{1,2})?`, "-?[1-9]\\d{0,2}(?:,\\d{3})+\\.\\d{2}", "-?[1-9]\\d{0,2}(?:\\.\\d{3})+,\\d{2}"].map((form) => new RegExp(`^${form}$`));
const NUMBERS = [new RegExp(`^${WHOLE}(?:\\.\\d{1,2})?$`)];
const DATE = /^(\d{1,2})([./])(\d{1,2})\2(\d{4})$/;

/**
 * The canonical value of what somebody typed, or null where only the server can tell: then no rule speaks of it.
 * @param {string} kind
 * @param {string} typed
 * @param {string} dateOrder
 */
export function understood(kind, typed, dateOrder) {
  const text = typed.trim();
  if (kind === "amount") return AMOUNTS.some((form) => form.test(text)) ? amount(text) : null;
  if (kind === "number" || kind === "percent") return NUMBERS.some((form) => form.test(text)) ? text : null;
  return kind === "date" ? day(text, dateOrder) : text;
}

/** @param {string} text */
function amount(text) {
  const comma = text.lastIndexOf(",") > text.lastIndexOf(".");
  const [units, part = ""] = (comma ? text.replaceAll(".", "").replace(",", ".") : text.replaceAll(",", "")).split(".");
  return `${units}.${part.padEnd(2, "0")}`;
}

/** @param {string} text @param {string} dateOrder */
function day(text, dateOrder) {
  const written = DATE.exec(text);
  const iso = /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : null;
  if (!written || dateOrder === "year_first") return iso && real(iso) ? iso : null;
  const [, one, , two, year] = written;
  const [dayOf, month] = dateOrder === "day_first" ? [one, two] : [two, one];
  const found = `${year}-${month.padStart(2, "0")}-${dayOf.padStart(2, "0")}`;
  return real(found) ? found : null;
}

/** @param {string} iso whether there is such a day, in the years that papers are from */
function real(iso) {
  const date = new Date(`${iso}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso) && iso >= "1900" && iso < "2100";
}
