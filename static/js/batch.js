// @ts-check
/** A batch while it runs: asks how far it is every two seconds and shows what it hears. */
import { el, locale, number, one, say } from "./dom.js";

const EVERY = 2000; // milliseconds
const LONGEST = 30000; // while the server does not answer
const card = one("[data-batch]");
const url = card.dataset.batch ?? "";
/** @param {number} value 0 to 100 */
const percents = (value) => new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(value / 100);
const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
let pause = EVERY;
let failed = -1;
let said = -1;

async function look() {
  if (document.visibilityState === "visible") {
    const told = await asked();
    pause = told ? EVERY : Math.min(pause * 2, LONGEST);
    if (told) show(told);
    else one("[data-forecast]").textContent = say("batch_lost");
  }
  setTimeout(look, pause);
}

/** @returns {Promise<any>} null without an answer */
async function asked() {
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(10000) });
    const json = (response.headers.get("Content-Type") ?? "").includes("json");
    return response.ok && json ? await response.json() : null;
  } catch {
    return null;
  }
}

/** @param {any} told */
function show(told) {
  // Buttons, notices and the end belong to the server: the page is fetched again, unless somebody is about to choose something.
  if ((told.status !== card.dataset.status || told.finished_at) && !document.querySelector("details[open]")) location.reload();
  one("[data-percent]").textContent = percents(told.percent);
  /** @type {HTMLProgressElement} */ (one("[data-bar]")).value = told.percent;
  for (const [state, count] of Object.entries(told.counts)) {
    const node = document.querySelector(`[data-count="${state}"]`);
    if (node) node.textContent = number(Number(count));
  }
  one("[data-forecast]").textContent = forecast(told);
  announce(Math.floor(told.percent / 10) * 10);
  if (told.counts.failed !== failed) list(told);
  failed = told.counts.failed;
}

/** @param {any} told */
function forecast(told) {
  if (told.status !== "running") return say("batch_resting");
  if (!told.estimated_end_at) return say("batch_measuring");
  const end = new Date(told.estimated_end_at);
  const today = end.toDateString() === new Date().toDateString();
  return say("batch_rate", { rate: number(told.documents_per_minute), end: (today ? clock : day).format(end) });
}

/** Every tenth is said aloud, not every change. @param {number} percent */
function announce(percent) {
  if (said >= 0 && percent !== said) one("[data-say]").textContent = say("batch_said", { percent });
  said = percent;
}

/** @param {any} told */
function list(told) {
  one("[data-failures]").hidden = !told.failures.length;
  one("[data-failed]").textContent = number(told.counts.failed);
  one("[data-more]").hidden = told.counts.failed <= told.failures.length;
  if (told.failures.length) document.querySelector("[data-no-failures]")?.remove();
  one("[data-failure-rows]").replaceChildren(...told.failures.map(row));
}

/** @param {{row: number, file: string, url: string, message: string}} failure */
function row(failure) {
  const file = failure.url ? el("a", { href: failure.url, text: failure.file }) : failure.file;
  return el(
    "tr",
    {},
    el("td", { class: "end number" }, el("span", { class: "in-stack", text: `${say("batch_row")} ` }), number(failure.row)),
    el("td", { class: "break" }, file),
    el("td", { text: failure.message }),
  );
}

setTimeout(look, EVERY);
