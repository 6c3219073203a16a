// @ts-check
/** One document type: a moment after each change of its text, what that would change on recent documents. */
import { el, icon, one, say } from "./dom.js";
import { csrf } from "./http.js";

const PAUSE = 600; // milliseconds without a key before it is asked
const form = /** @type {HTMLFormElement} */ (one("[data-type-form]"));
// Not form.action: the buttons are called so too.
const address = form.getAttribute("action") ?? "";
const area = /** @type {HTMLTextAreaElement} */ (one("textarea", form));
const refusal = one("[data-refusal]", form);
const status = one("[data-preview-status]", form);
const list = one("[data-previews]", form);
let asked = area.defaultValue; // what was typed before this ran is asked for at the end
let timer = 0;
let running = new AbortController();

/** @typedef {{field: string, before: string | null, after: string | null}} Change */
/** @typedef {{name: string, url: string, lost: boolean, changes: Change[], new_problems: string[], gone_problems: string[]}} Told */

async function preview() {
  if (area.value === asked) return;
  asked = area.value;
  running.abort();
  running = new AbortController();
  status.textContent = say("type_reading");
  const body = new URLSearchParams({ action: "preview", yaml: area.value });
  let response;
  try {
    response = await fetch(address, {
      method: "POST", body, credentials: "same-origin", signal: running.signal,
      headers: { Accept: "application/json", "X-CSRFToken": csrf() },
    });
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) refuse(say("offline"), 0);
    return;
  }
  const json = (response.headers.get("Content-Type") ?? "").includes("json");
  const told = json ? await response.json().catch(() => null) : null;
  if (!told || !response.ok) return refuse(String(told?.detail ?? say("unexpected")), Number(told?.line ?? 0));
  refuse("", 0);
  status.textContent = say(told.documents.length ? "type_fresh" : "type_none");
  list.replaceChildren(...told.documents.map(item));
}

/** @param {string} sentence @param {number} line */
function refuse(sentence, line) {
  one("span", refusal).textContent = sentence;
  refusal.hidden = !sentence;
  refusal.dataset.line = String(line);
  area.toggleAttribute("aria-invalid", Boolean(sentence));
  if (sentence) status.textContent = list.childElementCount ? say("type_stale") : "";
}

/** @param {Told} told */
function item(told) {
  const quiet = told.lost ? say("type_lost") : told.changes.length + told.new_problems.length + told.gone_problems.length ? "" : say("type_same");
  return el(
    "li", {},
    el("a", { href: told.url, text: told.name }),
    quiet && el("p", { class: "quiet", text: quiet }),
    told.changes.length > 0 && el("dl", {}, ...told.changes.flatMap(pair)),
    ...told.new_problems.map((problem) => el("p", { class: "problem new" }, icon("warn", "warn"), el("span", { text: say("type_new", { problem }) }))),
    ...told.gone_problems.map((problem) => el("p", { class: "problem gone" }, icon("check", "ok"), el("span", { text: say("type_gone", { problem }) }))),
  );
}

/** @param {Change} change */
function pair(change) {
  /** @param {string | null} value */
  const shown = (value) => (value === null ? say("type_unknown") : value || "–");
  const arrow = el("span", { "aria-hidden": "true", text: " → " });
  return [el("dt", { text: change.field }), el("dd", {}, el("del", { text: shown(change.before) }), arrow, el("ins", { text: shown(change.after) }))];
}

/** Selects the line that the refusal names. */
function showLine() {
  const line = Number(refusal.dataset.line);
  if (!line) return;
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  area.scrollTop = Math.max(0, (line - 5) * 18);
}

area.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(preview, PAUSE);
});
refusal.addEventListener("click", showLine);
if (!refusal.hidden) showLine();
preview();
