// @ts-check
/** The rules of the document's type over its values as they are now: what does not hold keeps its field open. */
import { say } from "../dom.js";
import { localAmount, shown } from "../values.js";
import { sent, unsure } from "./entries.js";
import { ENGLISH, check, understood } from "./rules.js";

/** @typedef {import("./entries.js").Entry} Entry */

export class Judge {
  /** @param {import("./store.js").Store} store @param {import("./rules.js").Declared | null} declared */
  constructor(store, declared) {
    this.store = store;
    this.declared = declared;
    /** @type {Map<string, string>} what rules said of a value when it was confirmed, by its name */
    this.heard = new Map();
    /** @type {WeakMap<Entry, {current: string, evidence: Entry["evidence"], stored: string | null, means: string | null}>} a long document has thousands of values, and a key changes one */
    this.known = new WeakMap();
    this.dropTold();
  }

  /** Holds open what a rule speaks against, and lets go what it no longer speaks against. @returns {boolean} whether anything changed */
  judge() {
    if (!this.declared?.rules.length) return false;
    /** @type {Map<string, string[]>} */
    const broken = new Map();
    for (const found of check(this.#values(), this.#rows(), this.declared, TOLD))
      if (found.code === "invalid") broken.set(found.field, [...(broken.get(found.field) ?? []), found.message]);
    let changed = false;
    for (const target of this.store.fields) {
      const told = broken.get(target.name) ?? [];
      if (told.join() !== target.rules.join()) changed = true;
      target.rules = told;
      if (told.length && target.state !== "open") Object.assign(target, { held: target.state, state: "open" });
      else if (!told.length && target.held) Object.assign(target, { state: target.held, held: null });
      else continue;
      changed = true;
    }
    return changed;
  }

  /** The value was confirmed all the same. @param {Entry} target @returns {string} what the rules say */
  hear(target) {
    this.heard.set(target.name, target.rules.join(" "));
    return target.rules.join(" ");
  }

  /** Whether no rule speaks against it, or none that did not when it was confirmed. @param {Entry} target */
  isHeard(target) {
    return !target.held || this.heard.get(target.name) === target.rules.join(" ");
  }

  /** The server told of rules as problems of the values it read; from here on they are judged as the values are now. */
  dropTold() {
    const live = new Set((this.declared?.rules ?? []).map((rule) => rule.name));
    for (const target of this.store.fields) target.problems = target.problems.filter((problem) => !(problem.rule && live.has(problem.rule)));
  }

  #values() {
    return Object.fromEntries(this.store.fields.map((found) => [found.name, this.meant(found)]));
  }

  #rows() {
    const columns = (this.declared?.rules ?? []).flatMap((rule) => (rule.kind === "items" ? [rule.column] : []));
    return columns.length ? this.store.items.values(columns, (cell) => this.meant(cell)) : [];
  }

  /** @param {Entry} target @returns {string | null} its canonical value, as far as we can tell */
  meant(target) {
    const { current, evidence, stored } = target;
    const known = this.known.get(target);
    if (known && known.current === current && known.evidence === evidence && known.stored === stored) return known.means;
    const means = this.#understood(target);
    this.known.set(target, { current, evidence, stored, means });
    return means;
  }

  /** @param {Entry} target @returns {string | null} */
  #understood(target) {
    if (!target.current.trim()) return null;
    if (target.current === target.machine) return target.stored;
    return unsure(target) ? null : understood(target.kind, sent(target), this.declared?.date_order ?? "day_first");
  }
}

/** @type {import("./rules.js").Told} the sentences in the page's language */
const TOLD = {
  ...ENGLISH,
  sum: (terms, sum, printed) => say("rule_sum", { terms, sum: localAmount(sum), printed: localAmount(printed) }),
  items: (sum, printed, label) => say("rule_items", { sum: localAmount(sum), printed: localAmount(printed), label }),
  order: (later, dayLater, earlier, dayEarlier) =>
    say("rule_order", { later, day_later: shown(dayLater, "date"), earlier, day_earlier: shown(dayEarlier, "date") }),
  inside: (label) => (document.documentElement.lang === "en" ? ENGLISH.inside(label) : label),
};
