// @ts-check
/** A list of documents: moving through it by keys, opening a row by a click anywhere on it, another part of it without another page. */
import { calm, one, say } from "./dom.js";
import { listen, showSheet } from "./shortcuts.js";
import { toast, undoLast } from "./toast.js";

/** @type {HTMLTableRowElement[]} */
let rows = [];
let at = -1;

/** The list is here, or another part of it is. */
function wire() {
  rows = [...document.querySelectorAll("tr[data-url]")].map((row) => /** @type {HTMLTableRowElement} */ (row));
  at = rows.length ? 0 : -1;
  rows[0]?.classList.add("at");
  for (const [index, row] of rows.entries()) {
    row.addEventListener("focusin", () => {
      rows[at]?.classList.remove("at");
      at = index;
      row.classList.add("at");
    });
    row.addEventListener("click", (event) => {
      if (event.target instanceof Element && event.target.closest("a, button, input, .pick")) return;
      if (!getSelection()?.toString()) row.querySelector("a")?.click();
    });
  }
  const all = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-pick-all]"));
  all?.addEventListener("change", () => {
    for (const pick of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("td.pick input"))) pick.checked = all.checked;
  });
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

/** @param {number} index */
function move(index) {
  if (!rows.length) return;
  rows[at]?.classList.remove("at");
  at = Math.min(Math.max(index, 0), rows.length - 1);
  rows[at].classList.add("at");
  rows[at].querySelector("a")?.focus({ preventScroll: true });
  rows[at].scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
}

const open = () => rows[at]?.querySelector("a")?.click();

function start() {
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector("#start"));
  const button = form?.querySelector("button");
  if (form && button && !button.disabled) form.requestSubmit();
}

/** @param {KeyboardEvent} event Enter on a link or a button keeps its own meaning */
const startUnlessOnControl = (event) =>
  event.target instanceof Element && event.target.closest("a, button, summary, select, input") ? false : start();

/**
 * An answer without a list (signed out, refused, broken) is a page of its own: the browser goes there.
 * @param {Event} event
 */
function orGoThere(event) {
  const { xhr, pathInfo } = /** @type {CustomEvent<{xhr: XMLHttpRequest, pathInfo: {finalRequestPath: string}}>} */ (event).detail;
  if (xhr.status === 200 && xhr.responseText.includes('id="list"')) return;
  event.preventDefault();
  location.assign(pathInfo.finalRequestPath);
}

/** Says what is there now to those who do not see it change, and keeps their place: the link that they followed may be gone. */
function tell() {
  if (document.activeElement === document.body) one("#list").focus({ preventScroll: true });
  const words = document.querySelector("#list .pager .number") ?? document.querySelector("#list .empty h2");
  one("#list-told").textContent = say("list_shown", { words: words?.textContent?.trim() ?? "" });
}

wire();
document.addEventListener("htmx:beforeSwap", orGoThere);
document.addEventListener("htmx:sendError", () => toast(say("offline")));
document.addEventListener("htmx:afterSettle", () => {
  wire();
  tell();
});

/** @type {import("./shortcuts.js").Shortcut[]} */
const startKey = document.querySelector("#start")
  ? [
      { keys: ["Enter"], show: "⏎", where: "else", words: "key_start", run: startUnlessOnControl },
      { keys: ["u", "Ctrl+z"], show: "U", where: "else", words: "key_undo", run: undoLast },
    ]
  : [];
listen([
  ...startKey,
  { keys: ["j"], show: "J", where: "else", words: "key_down", run: () => move(at + 1) },
  { keys: ["k"], show: "K", where: "else", words: "key_up", run: () => move(at - 1) },
  { keys: ["o"], show: "O", where: "else", words: "key_open", run: open },
  { keys: ["?"], show: "?", where: "else", words: "key_help", run: showSheet },
]);
