// @ts-check
/** What the reviewer said of the document, as a draft keeps it and as a decision sends it. */
import { shown } from "../values.js";
import { drafted, entry, sent, settled } from "./entries.js";

/**
 * @typedef {import("./store.js").Store} Store
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {import("./entries.js").DraftField} DraftField
 */

/** @type {string[]} */
const DONE = ["checked", "corrected", "absent", "unreadable", "missed"];

/** @param {Store} store @returns {Record<string, DraftField>} what the reviewer did so far */
export function draftOf(store) {
  const done = store.entries.filter((found) => DONE.includes(settled(found)));
  return { ...store.items.draft(), ...Object.fromEntries(done.map((found) => [found.name, drafted(found)])) };
}

/** Values as a draft tells of them; rows and fields that it adds are there already. @param {Store} store @param {Record<string, DraftField>} fields @returns {number} how many were put in */
export function putIn(store, fields) {
  const known = Object.entries(fields).filter(([name, saved]) => store.get(name) && DONE.includes(saved.state));
  for (const [name, saved] of known) {
    const evidence = saved.source ? { source: saved.source, word_ids: saved.word_ids ?? [], page: saved.page ?? null, box: saved.box ?? null } : null;
    const target = /** @type {Entry} */ (store.get(name));
    Object.assign(target, { current: shown(saved.value, target.kind), state: saved.state, held: null, evidence, errors: [] });
  }
  return known.length;
}

/** Fields that a draft adds to the document. @param {Store} store @param {Record<string, DraftField>} fields @returns {Entry[]} */
export const ownFields = (store, fields) => Object.entries(fields)
  .filter(([name, saved]) => saved.label && !store.get(name))
  .map(([name, saved]) => Object.assign(entry({ state: "certain" }, name, saved.label ?? "", null), { own: true }));

/** @param {Store} store */
export function decisionOf(store) {
  const said = store.entries.filter((found) => !store.items.isAdded(found.row));
  /** @param {string} state */
  const names = (state) => said.filter((found) => settled(found) === state).map((found) => found.name);
  /** @param {string} state */
  const values = (state) => Object.fromEntries(said.filter((found) => settled(found) === state).map((found) => [found.name, sent(found)]));
  const given = store.entries.filter((found) => ["corrected", "missed"].includes(settled(found)) && found.evidence);
  const own = store.fields.filter((found) => found.own && found.state === "missed");
  return {
    corrected_fields: values("corrected"),
    confirmed_fields: names("checked"),
    absent_fields: names("absent"),
    unreadable_fields: names("unreadable"),
    missed_fields: values("missed"),
    labels: Object.fromEntries(own.map((found) => [found.name, found.label])),
    evidence: Object.fromEntries(given.map((found) => [found.name, found.evidence])),
    ...store.items.decision(),
  };
}
