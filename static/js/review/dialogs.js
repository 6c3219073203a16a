// @ts-check
/** Questions and announcements in native dialogs. */
import { el, one, say } from "../dom.js";
import { typing } from "../shortcuts.js";

/** @param {string} selector @returns {HTMLDialogElement} */
const dialog = (selector) => /** @type {HTMLDialogElement} */ (one(selector));

let leave = () => {}; // the question that was asked before

/**
 * Opens a dialog whose form has `method=dialog`; resolves with the form's data, or null when it was left.
 * @param {HTMLDialogElement} node
 * @returns {Promise<FormData | null>}
 */
function asked(node) {
  leave();
  const form = /** @type {HTMLFormElement} */ (one("form", node));
  const over = new AbortController();
  node.returnValue = "";
  node.showModal();
  return new Promise((resolve) => {
    leave = () => (over.abort(), resolve(null));
    node.addEventListener("close", () => {
      if (node.open) return; // told late of the time before: who closes and asks again at once is asked
      over.abort();
      resolve(node.returnValue === "yes" ? new FormData(form) : null);
    }, { signal: over.signal });
  });
}

/** Lets a digit pick one of the reasons, as printed beside them. */
export function digitsPickReasons() {
  const node = dialog("#reject");
  node.addEventListener("keydown", (event) => {
    const picks = /** @type {NodeListOf<HTMLInputElement>} */ (node.querySelectorAll("input[type=radio]"));
    const pick = typing(event.target) || event.ctrlKey || event.altKey ? undefined : picks[Number(event.key) - 1];
    if (!pick) return;
    event.preventDefault();
    pick.checked = true;
    pick.focus();
  });
}

/**
 * @param {{code: string, label: string}[]} reasons those of the document's tenant
 * @returns {Promise<{code: string, note: string} | null>}
 */
export async function askReject(reasons) {
  const choices = one("#reject .choices");
  choices.replaceChildren(one("legend", choices), ...reasons.map(({ code, label }, index) =>
    el("label", {}, el("input", { type: "radio", name: "reason", value: code, required: true }), el("span", { text: label }), el("kbd", { text: String(index + 1) }))));
  const data = await asked(dialog("#reject"));
  return data && { code: String(data.get("reason") ?? ""), note: String(data.get("note") ?? "").trim() };
}

/** @returns {Promise<string | null>} a word for the supervisors, which may be empty */
export async function askEscalation() {
  const data = await asked(dialog("#escalate"));
  return data && String(data.get("note") ?? "").trim();
}

/** @returns {Promise<string | null>} what a field that the engine missed is called on the page */
export async function askLabel() {
  const data = await asked(dialog("#add-field-dialog"));
  return data && String(data.get("label") ?? "").trim();
}

/** @param {string[]} rules what does not hold; @returns {Promise<string | null>} why it is right all the same */
export async function askOverride(rules) {
  const node = dialog("#override");
  one("[data-rules]", node).replaceChildren(...rules.map((words) => el("li", { text: words })));
  const data = await asked(node);
  return data && String(data.get("note") ?? "").trim();
}

/**
 * Somebody else changed the document, or holds it now.
 * @param {{title: string, words: string, rows: {label: string, mine: string, theirs: string}[], reload: string, stay: boolean}} what
 */
export function showConflict({ title, words, rows, reload, stay }) {
  const node = dialog("#conflict");
  one("h2", node).textContent = title;
  one("[data-words]", node).textContent = words;
  const table = one("table", node);
  table.hidden = rows.length === 0;
  one("tbody", table).replaceChildren(...rows.map((row) =>
    el("tr", {}, el("th", { scope: "row", text: row.label }),
      el("td", { class: "value", dir: "auto", text: row.mine || say("none") }), el("td", { class: "value", dir: "auto", text: row.theirs || say("none") }))));
  one("[data-kept]", node).hidden = rows.length === 0;
  one("[data-reload]", node).textContent = reload;
  one("[data-stay]", node).hidden = !stay;
  if (!node.open) node.showModal();
}

/** @param {() => void} onReload */
export function onConflictReload(onReload) {
  one("#conflict [data-reload]").addEventListener("click", onReload);
  dialog("#conflict").addEventListener("cancel", (event) => {
    if (one("#conflict [data-stay]").hidden) event.preventDefault();
  });
}
