// @ts-check
/** What the machine read beside what stands there now, in a table. */
import { el, one, say } from "../dom.js";
import { called, stateWords, withoutValue } from "./reasons.js";

/** @param {import("./store.js").Store} store @param {(entry: import("./entries.js").Entry) => void} go */
export function showCompared(store, go) {
  const node = /** @type {HTMLDialogElement} */ (one("#compare"));
  if (node.open) return node.close();
  const shown = store.entries.filter((entry) => entry.row === null || entry.current !== entry.machine || entry.state !== "certain");
  one("tbody", node).replaceChildren(...shown.map((entry) => line(entry, () => {
    node.close();
    go(entry);
  })));
  node.showModal();
}

/** @param {import("./entries.js").Entry} entry @param {() => void} go */
function line(entry, go) {
  const label = called(entry);
  const button = el("button", { type: "button", class: "link", text: label });
  button.addEventListener("click", go);
  const differs = entry.current !== entry.machine;
  const now = entry.current || withoutValue(entry) || say("none");
  return el("tr", { class: differs ? "differs" : "" }, el("th", { scope: "row" }, button),
    el("td", { class: "value", dir: "auto" }, differs && entry.machine ? el("s", { text: entry.machine }) : (entry.machine || say("none"))),
    el("td", { class: "value", dir: "auto", text: now }), el("td", { text: stateWords(entry) }));
}
