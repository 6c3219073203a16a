// @ts-check
/** Moving through a list of documents by keys, and opening a row by a click anywhere on it. */
import { calm } from "./dom.js";
import { listen, showSheet } from "./shortcuts.js";
import { undoLast } from "./toast.js";

const rows = /** @type {HTMLTableRowElement[]} */ ([...document.querySelectorAll("tr[data-url]")]);
let at = -1;

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
rows[0]?.classList.add("at");
if (rows.length) at = 0;

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
