// @ts-check
/** Why an entry needs a person: one tone, one word. */
import { locale, say } from "../dom.js";

/** @typedef {import("./entries.js").Entry} Entry */

/** What an entry is called where it stands alone: a cell with its row. @param {Entry} entry */
export const called = (entry) => (entry.row === null ? entry.label : say("cell", { label: entry.label, row: entry.row }));

/** @param {Entry} entry @returns {"ok" | "none" | "you" | "warn" | "bad" | "miss"} */
export function tone(entry) {
  if (entry.state === "certain") return entry.current ? "ok" : "none";
  if (entry.state !== "open") return "you";
  if (entry.keyed && !entry.errors.length && !entry.rules.length) return "none";
  if (entry.errors.length || entry.rules.length || entry.problems.some((problem) => problem.code === "invalid")) return "bad";
  return entry.problems.some((problem) => problem.code === "missing") || !entry.machine ? "miss" : "warn";
}

/** @param {"ok" | "none" | "you" | "warn" | "bad" | "miss"} name */
export const toneIcon = (name) => ({ ok: "check", none: "minus", you: "done", warn: "warn", bad: "bad", miss: "miss" })[name];

const WHOLE = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });

/** @param {number} confidence percent; 99.7 is not shown as 100 */
export const percent = (confidence) => WHOLE.format(Math.floor(confidence) / 100);

/** @param {Entry} entry @returns {string} the word beside an open entry, "" beside the others */
export function reason(entry) {
  if (entry.state !== "open") return "";
  if (entry.errors.length) return say("reason_refused");
  if (entry.rules.length) return say(/\d{4}-\d{2}-\d{2}/.test(entry.rules[0]) ? "reason_dates" : "reason_sum");
  if (entry.keyed) return say(entry.suggestions.length ? "reason_choose" : "reason_keyed");
  const broken = entry.problems.find((problem) => problem.code === "invalid");
  if (broken) return say(ruleWord(broken.rule ?? ""));
  if (tone(entry) === "miss") return say("reason_missing");
  const others = entry.suggestions.filter((suggestion) => suggestion.value !== entry.machine).length;
  if (entry.problems.some((problem) => problem.code === "ambiguous")) return say("reason_readings", { n: others + 1 });
  return entry.score === null ? say("reason_check") : percent(entry.score);
}

/** @param {string} rule the rule's name, or the code of what is wrong with the value's form */
function ruleWord(rule) {
  if (/^(invalid_|empty|too_long|not_a_choice)/.test(rule)) return "reason_form";
  if (/sum|total|plus|tax/.test(rule)) return "reason_sum";
  return /before|after|date/.test(rule) ? "reason_dates" : "reason_rule";
}

/** @param {Entry} entry @returns {string} who said in a lane what stands here, "" when nobody did */
const inLane = (entry) => (entry.lane && entry.state !== "open" && (entry.lane.value ?? "") === entry.current ? say("said_in_lane", { by: entry.lane.by }) : "");

/** @param {Entry} entry @returns {string} the state in words, for screen readers */
export const stateWords = (entry) => inLane(entry) || say(entry.state === "certain" && !entry.current ? "not_found" : `state_${entry.state}`);

/** @param {Entry} entry @returns {string[]} the sentences under an active entry, the server's refusals first */
export function sentences(entry) {
  return [inLane(entry), ...entry.errors, ...entry.rules, ...entry.problems.map((problem) => problem.message)].filter(
    (message, index, all) => message && all.indexOf(message) === index,
  );
}

/** @param {Entry} entry @returns {string} why an entry has no value, now or since an earlier decision */
export function withoutValue(entry) {
  const state = entry.state === "certain" ? entry.before : entry.state;
  if (state === "absent" || state === "unreadable") return say(`state_${state}`);
  return entry.state === "certain" && !entry.machine ? say("not_found") : "";
}
