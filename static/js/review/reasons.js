// @ts-check
/** Why an entry needs a person: one tone, one word. */
import { say } from "../dom.js";

/** @typedef {import("./store.js").Entry} Entry */

const RULES = ["invalid", "failed_rule", "rule"];

/** @param {Entry} entry @returns {"ok" | "you" | "warn" | "bad" | "miss"} */
export function tone(entry) {
  if (entry.state === "certain") return "ok";
  if (entry.state !== "open") return "you";
  if (entry.errors.length || entry.problems.some((problem) => problem.rule || RULES.includes(problem.code))) return "bad";
  return entry.problems.some((problem) => problem.code === "missing") || !entry.machine ? "miss" : "warn";
}

/** @param {"ok" | "you" | "warn" | "bad" | "miss"} name */
export const toneIcon = (name) => ({ ok: "check", you: "done", warn: "warn", bad: "bad", miss: "miss" })[name];

/** @param {number} confidence percent; 99.7 is not shown as 100 */
export const percent = (confidence) => `${Math.floor(confidence)}%`;

/** @param {Entry} entry @returns {string} the word beside an open entry, "" beside the others */
export function reason(entry) {
  if (entry.state !== "open") return "";
  if (entry.errors.length) return say("reason_refused");
  const rule = entry.problems.find((problem) => problem.rule || RULES.includes(problem.code));
  if (rule) return say(ruleWord(rule.rule ?? ""));
  if (tone(entry) === "miss") return say("reason_missing");
  if (entry.problems.some((problem) => problem.code === "ambiguous") && entry.suggestions.length > 1)
    return say("reason_readings", { n: entry.suggestions.length });
  return entry.confidence === null ? say("reason_check") : percent(entry.confidence);
}

/** @param {string} rule */
function ruleWord(rule) {
  if (/sum|total|arithmetic|tax/i.test(rule)) return "reason_sum";
  return /date|due/i.test(rule) ? "reason_dates" : "reason_rule";
}

/** @param {Entry} entry @returns {string} the state in words, for screen readers */
export const stateWords = (entry) => say(`state_${entry.state}`);

/** @param {Entry} entry @returns {string[]} the sentences under an active entry, the server's refusals first */
export function sentences(entry) {
  return [...entry.errors, ...entry.problems.map((problem) => problem.message)].filter(
    (message, index, all) => message && all.indexOf(message) === index,
  );
}
