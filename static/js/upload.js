// @ts-check
/** The drop zone: files by dropping, pasting or choosing; one line per file with what became of it. */
import { el, icon, locale, one, say } from "./dom.js";
import { Sender } from "./sender.js";

const form = /** @type {HTMLFormElement} */ (one("form[data-upload]"));
const drop = one("[data-drop]", form);
const input = /** @type {HTMLInputElement} */ (one("input[type=file]", form));
const list = one("[data-sent-list]", form);
const sum = one("[data-sum]", form);
const sender = new Sender(form.action);
const type = /** @type {HTMLSelectElement | null} */ (form.querySelector("select[name=document_type]"));
const price = form.querySelector("[data-price]");
let total = 0;
let finished = 0;

input.multiple = true;
input.required = false;

/** @param {number} bytes */
const size = (bytes) =>
  new Intl.NumberFormat(locale, {
    style: "unit", unit: bytes < 1e6 ? "kilobyte" : "megabyte", maximumFractionDigits: bytes < 1e6 ? 0 : 1,
  }).format(bytes < 1e6 ? Math.max(1, bytes / 1e3) : bytes / 1e6);

/** @param {Iterable<File>} files */
function add(files) {
  const data = new FormData(form);
  /** @param {string} name */
  const choice = (name) => String(data.get(name) ?? "");
  const choices = { document_type: choice("document_type"), priority: choice("priority"), tenant: choice("tenant") };
  for (const file of files) send(file, choices);
}

/**
 * @param {File} file
 * @param {Record<string, string>} choices
 */
function send(file, choices) {
  total += 1;
  const outcome = el("span", { class: "outcome", text: say("upload_waiting") });
  const progress = /** @type {HTMLProgressElement} */ (el("progress", { max: 1, value: 0, "aria-label": file.name }));
  const mark = el("span", {}, icon("clock"));
  const name = el("span", { class: "name", text: file.name }, el("span", { class: "size", text: size(file.size) }));
  const aside = el("span");
  const line = el("li", {}, mark, name, aside, progress, outcome);
  list.hidden = false;
  list.prepend(line);
  const show = (/** @type {import("./sender.js").Outcome} */ result) => {
    progress.hidden = result.final;
    progress.value = result.share;
    outcome.textContent = result.words;
    outcome.classList.toggle("bad", result.tone === "bad");
    mark.replaceChildren(icon(result.icon, result.tone));
    aside.replaceChildren(...beside(result, () => (total -= 1, finished -= 1, line.remove(), send(file, choices))));
    if (result.final) finished += 1;
    count();
  };
  count();
  sender.add(file, choices, show);
}

/**
 * @param {import("./sender.js").Outcome} result
 * @param {() => void} again
 */
function beside(result, again) {
  if (result.url) return [el("a", { href: result.url, text: say("upload_open") })];
  if (!result.retry) return [];
  const button = el("button", { type: "button", class: "button tiny", text: say("upload_retry") });
  button.addEventListener("click", again);
  return [button];
}

function count() {
  sum.textContent = total ? say("upload_sum", { done: finished, n: total }) : "";
}

/** What a page costs with the chosen type, told before a file is chosen. */
function showPrice() {
  const usd = type?.selectedOptions[0]?.dataset.pageUsd;
  if (price) price.textContent = usd ? say("upload_price", { usd }) : "";
}

type?.addEventListener("change", showPrice);
showPrice();

/** @param {DragEvent} event */
const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

input.addEventListener("change", () => {
  add(input.files ?? []);
  input.value = "";
});
for (const kind of /** @type {const} */ (["dragenter", "dragover"]))
  document.addEventListener(kind, (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    drop.classList.add("over");
  });
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  drop.classList.remove("over");
  add(event.dataTransfer?.files ?? []);
});
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length) add(files);
});
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("beforeunload", (event) => {
  if (finished < total) event.preventDefault();
});
