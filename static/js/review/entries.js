// @ts-check
/** What the screen knows of one value: a field, or a cell of the line items. Values are in the page's language; the server's are canonical. */
import { canonical, shown } from "../values.js";

/**
 * @typedef {{code: string, field: string | null, message: string, rule: string | null}} Problem
 * @typedef {{value: string, text: string, confidence: number | null, page: number | null, box: number[] | null, why: string, act?: "absent" | "unreadable" | ""}} Suggestion `act` where somebody said that there is no value
 * @typedef {"certain" | "open" | "checked" | "corrected" | "absent" | "unreadable" | "missed"} State
 * @typedef {{source: "captured" | "suggested" | "typed", word_ids: string[], page: number | null, box: number[] | null}} Evidence where a value came from
 * @typedef {{value: string | null, state: string, source?: string, word_ids?: string[], page?: number | null, box?: number[] | null, after?: number, label?: string}} DraftField
 * @typedef {object} Entry one field, or one cell of the line items
 * @property {string} name
 * @property {string} label
 * @property {string} group
 * @property {string} kind
 * @property {string} machine what the machine read, "" for nothing
 * @property {string | null} stored the same as the server tells it
 * @property {string} text the words as printed
 * @property {number | null} score percent: how sure the machine is, as it is compared with the threshold
 * @property {number | null} threshold percent
 * @property {number | null} page
 * @property {number[] | null} box
 * @property {boolean} required
 * @property {string[]} choices the only values it may have; none where any will do
 * @property {Problem[]} problems
 * @property {Suggestion[]} suggestions
 * @property {string} before the state that the server told
 * @property {boolean} certain before the reviewer did anything
 * @property {number | null} row the line item it is in
 * @property {string} current
 * @property {State} state
 * @property {State | null} held what it would be, did every rule hold
 * @property {Evidence | null} evidence where the value came from that the reviewer gave it
 * @property {string[]} rules the sentences of the rules that do not hold now
 * @property {string[]} errors what the server said against it
 * @property {boolean} own added here: the document has no such field yet
 * @property {boolean} keyed to be typed from the page, without a colour or a word that would tell something
 * @property {{text: string, agrees: boolean | null} | null} witness what a second reading of the same piece says
 * @property {{by: string, act: string, value: string | null} | null} lane what somebody said of it in a lane
 */

/** What the reviewer made of it, whatever the rules say. @param {Entry} target @returns {State} */
export const settled = (target) => target.held ?? target.state;

/** @param {Entry} target @returns {State} */
export const initial = (target) => (target.certain ? "certain" : "open");

/** The state of a value that is not the machine's: missed where the machine saw nothing and we know the place. @param {Entry} target @param {Evidence | null} evidence @returns {State} */
export const given = (target, evidence) => (target.machine === "" && !target.text && evidence?.box ? "missed" : "corrected");

/** What the server is told of the value. Words of the page are in the document's own notation, which the server knows. @param {Entry} found */
export function sent(found) {
  if (found.evidence?.source === "captured") return found.current;
  const read = canonical(found.current, found.kind, found.stored);
  return "value" in read ? read.value : found.current;
}

/** The key of the words that ask for another form, where the value may mean two things. @param {Entry} found @returns {string} "" where it does not */
export function unsure(found) {
  if (found.evidence?.source === "captured") return "";
  const read = canonical(found.current, found.kind, found.stored);
  return "ambiguous" in read ? read.ambiguous : "";
}

/** @param {Entry} found @returns {DraftField} */
export function drafted(found) {
  return { value: sent(found), state: settled(found), ...(found.evidence ?? {}), ...(found.own ? { label: found.label } : {}) };
}

/**
 * @param {any} field
 * @param {string} name
 * @param {string} label
 * @param {number | null} row
 * @returns {Entry}
 */
export function entry(field, name, label, row) {
  const kind = field.kind ?? "text";
  const machine = shown(field.value ?? null, kind);
  const suggestions = (field.suggestions ?? []).map((/** @type {Suggestion} */ each) => ({ ...each, value: shown(each.value, kind) }));
  return {
    name, label, row, machine, kind, suggestions, stored: field.value ?? null,
    group: field.group ?? "", text: field.text ?? "", required: field.required ?? false, choices: field.choices ?? [],
    score: score(field), before: field.state, threshold: field.threshold ?? null, page: field.page ?? null, box: field.box ?? null,
    problems: field.problems ?? [], certain: field.state !== "open",
    current: machine, state: field.state === "open" ? "open" : "certain", held: null, evidence: null, rules: [], errors: [], own: false, keyed: field.keyed ?? false,
    witness: field.witness ?? null, lane: field.lane ?? null,
  };
}

/** The words' confidence decides, unless it is the match with the field that is in doubt. @param {any} field */
function score(field) {
  const matched = (field.problems ?? []).some((/** @type {Problem} */ problem) => problem.rule === "pair_confidence");
  return (matched ? null : field.word_confidence) ?? field.confidence ?? null;
}
