// @ts-check
/** Short messages at the foot of the page; one may be left for the page that comes next. */
import { one } from "./dom.js";

const NEXT = "toast-for-next-page";

/** @param {string} words */
export function toast(words) {
  const template = /** @type {HTMLTemplateElement} */ (one("#toast"));
  const node = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  one("span", node).textContent = words;
  const close = () => node.remove();
  one("button", node).addEventListener("click", close);
  one("#toasts").replaceChildren(node);
  setTimeout(close, 8000);
}

/** @param {string} words */
export function toastOnNextPage(words) {
  try {
    sessionStorage.setItem(NEXT, words);
  } catch {
    // Without storage the next page simply says nothing.
  }
}

export function showWaitingToast() {
  try {
    const words = sessionStorage.getItem(NEXT);
    sessionStorage.removeItem(NEXT);
    if (words) toast(words);
  } catch {
    // Without storage nothing can be waiting.
  }
}
