// @ts-check
/** Times in the reader's own time zone. */
import { locale } from "./dom.js";

const time = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
const both = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });

/** @param {ParentNode} [root] */
export function localTimes(root = document) {
  const today = new Date().toDateString();
  for (const node of /** @type {NodeListOf<HTMLTimeElement>} */ (root.querySelectorAll("time[data-time]"))) {
    const at = new Date(node.dateTime);
    if (!Number.isNaN(at.getTime())) node.textContent = (node.dataset.time === "seconds" ? exact : at.toDateString() === today ? time : both).format(at);
  }
}
