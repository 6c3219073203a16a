// @ts-check
/** Times in the reader's own time zone. */
import { locale } from "./dom.js";

/** @param {ParentNode} [root] */
export function localTimes(root = document) {
  const today = new Date().toDateString();
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
  const both = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
  for (const node of /** @type {NodeListOf<HTMLTimeElement>} */ (root.querySelectorAll("time[data-time]"))) {
    const at = new Date(node.dateTime);
    if (!Number.isNaN(at.getTime())) node.textContent = (node.dataset.time === "seconds" ? exact : at.toDateString() === today ? time : both).format(at);
  }
}
