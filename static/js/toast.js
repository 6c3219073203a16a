// @ts-check
/** Short messages at the foot of the page; one may be left for the page that comes next, with a way to take back what it tells. */
import { one } from "./dom.js";
import { post } from "./http.js";

/**
 * @typedef {{url: string, version: number, seconds: number}} Undo where to take a decision back, which, and for how long
 * @typedef {{words: string, undo?: Undo, until?: number}} Left `until` in milliseconds of the clock
 */

const NEXT = "toast-for-next-page";
const SHOWN = 8000; // milliseconds
/** @type {(() => void) | null} */
let takeBack = null;

/** @param {string} words @param {() => void} [undo] @param {number} [shown] milliseconds */
export function toast(words, undo, shown = SHOWN) {
  const template = /** @type {HTMLTemplateElement} */ (one("#toast"));
  const node = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  one("[data-words]", node).textContent = words;
  const run = undo ? () => (close(), undo()) : null; // once
  const close = () => {
    node.remove();
    if (takeBack === run) takeBack = null;
  };
  one("[data-close]", node).addEventListener("click", close);
  const button = /** @type {HTMLButtonElement} */ (one("[data-undo]", node));
  button.hidden = !run;
  if (run) button.addEventListener("click", run);
  takeBack = run;
  one("#toasts").replaceChildren(node);
  setTimeout(close, shown);
}

/** Takes back what the message on the page tells of. @returns {boolean} whether there is anything to take back */
export function undoLast() {
  if (!takeBack) return false;
  takeBack();
  return true;
}

/** @param {string} words @param {Undo} [undo] */
export function toastOnNextPage(words, undo) {
  try {
    const until = undo ? Date.now() + undo.seconds * 1000 : undefined;
    sessionStorage.setItem(NEXT, JSON.stringify({ words, undo, until }));
  } catch {
    // Without storage the next page simply says nothing.
  }
}

export function showWaitingToast() {
  const left = waiting();
  if (!left) return;
  const { undo, until } = left;
  const remaining = (until ?? 0) - Date.now();
  if (undo && remaining > 0) toast(left.words, () => send(undo), remaining);
  else toast(left.words);
}

/** @returns {Left | null} */
function waiting() {
  try {
    const told = sessionStorage.getItem(NEXT);
    sessionStorage.removeItem(NEXT);
    return told ? JSON.parse(told) : null;
  } catch {
    return null; // Without storage nothing can be waiting.
  }
}

/** @param {Undo} undo */
async function send(undo) {
  const answer = await post(undo.url, { version: undo.version });
  if (answer.ok) location.assign(answer.body.url);
  else toast(answer.words);
}
