// @ts-check
/** What opens under the active entry: the crop of the page, why it is open, suggestions, and what can be done. */
import { el, icon, say, shows, svg, told } from "../dom.js";
import { crop } from "./crop.js";
import { settled } from "./entries.js";
import { placeOf } from "./marks.js";
import { percent, sentences, tone } from "./reasons.js";

/**
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {object} Acts
 * @property {(entry: Entry, index: number) => void} take
 * @property {(entry: Entry) => void} confirm
 * @property {(entry: Entry, state: "absent" | "unreadable") => void} without
 * @property {(entry: Entry) => void} miss marks the place of what the engine did not see
 * @property {(entry: Entry) => void} repeat takes the value of the document before
 * @property {(entry: Entry) => void} restore
 * @typedef {{number: number, width: number, height: number, image_url: string}} Page
 */

/**
 * @param {Entry} entry
 * @param {Page | undefined} page
 * @param {Acts | null} acts null on a page that can only be read
 */
export function detail(entry, page, acts) {
  const place = placeOf(entry);
  const parts = [page && place?.page === page.number ? crop(place.box, page, say("crop")) : null, why(entry)];
  if (acts && entry.suggestions.length) parts.push(chips(entry, acts));
  if (acts) parts.push(buttons(entry, acts));
  return el("div", { class: "detail" }, ...parts);
}

/** The same as it is now, in its place. @param {HTMLElement} node made by `detail` for the same entry @param {Entry} entry @param {Page | undefined} page @param {Acts | null} acts */
export function redetail(node, entry, page, acts) {
  const fresh = detail(entry, page, acts);
  const [before, now] = [node, fresh].map((each) => /** @type {HTMLElement | null} */ (each.querySelector(".crop")));
  if (before && now && before.dataset.place === now.dataset.place) now.replaceWith(before); // its picture is there
  shows(node, ...fresh.childNodes);
}

/** @param {Entry} entry */
function why(entry) {
  const lines = sentences(entry).map((sentence, index) => el("p", { class: index ? "" : "first", text: sentence }));
  const printed = entry.text && entry.text !== entry.current ? el("p", { text: say("printed", { text: entry.text }), dir: "auto" }) : null;
  const [seen, read] = [witness(entry), meter(entry)];
  if (!lines.length && !printed && !seen && !read) return null;
  return el("div", { class: "because" }, el("div", {}, ...lines, printed, seen), read);
}

/** What a second reading of the same piece of the page says. @param {Entry} entry */
function witness(entry) {
  if (!entry.witness || entry.witness.agrees === null) return null;
  if (entry.witness.agrees) return el("p", { class: "witness agrees", text: say("witness_agrees") });
  return el("p", { class: "witness differs", text: say("witness_differs", { text: entry.witness.text }), dir: "auto" });
}

/** @param {Entry} entry */
function meter(entry) {
  // A doubtful match has a bar of its own, which its sentence tells.
  const matched = entry.problems.some((problem) => problem.rule === "pair_confidence");
  if (entry.score === null || !entry.machine || matched) return null;
  const needed = entry.threshold;
  const words = needed === null
    ? say("meter_read", { read: percent(entry.score) })
    : say("meter", { read: percent(entry.score), needed: percent(needed) });
  const bar = svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true", class: tone(entry) },
    svg("rect", { class: "rail", y: 3, width: 100, height: 4, rx: 2 }),
    svg("rect", { class: "fill", y: 3, width: entry.score, height: 4, rx: 2 }),
    needed === null ? null : svg("rect", { class: "tick", x: Math.min(needed, 98.5), width: 1.5, height: 10 }));
  return el("div", { class: "meter" }, el("span", { class: "number", text: words }), bar);
}

/** @param {Entry} entry @param {Acts} acts */
function chips(entry, acts) {
  const list = entry.suggestions.slice(0, 9).map((suggestion, index) => {
    const button = el("button", { type: "button", class: "suggestion", tabindex: -1 },
      el("kbd", { text: `Alt ${index + 1}` }), suggestion.act ? el("span", { class: "value", text: say(`state_${suggestion.act}`) }) : marked(suggestion.value, entry.machine),
      told(`why_${suggestion.why}`) ? el("small", { text: say(`why_${suggestion.why}`) }) : null);
    return pressed(button, () => acts.take(entry, index));
  });
  return el("div", { class: "suggestions", role: "group", "aria-label": say("suggestions") }, ...list);
}

/** The value with what differs from the machine's underlined. @param {string} value @param {string} machine */
function marked(value, machine) {
  const [from, to] = difference(value, machine);
  const node = el("span", { class: "value", dir: "auto" }, value.slice(0, from));
  if (to > from) node.append(el("u", { text: value.slice(from, to) }));
  node.append(value.slice(to));
  return node;
}

/** @param {string} value @param {string} other @returns {[number, number]} the part of value that other does not share */
function difference(value, other) {
  if (!other || value === other) return [0, 0];
  let from = 0;
  while (from < value.length && value[from] === other[from]) from += 1;
  let back = 0;
  while (back < value.length - from && back < other.length - from && value.at(-1 - back) === other.at(-1 - back)) back += 1;
  // Another value altogether has no differing part to point at.
  return value.length - back - from > value.length * 0.7 ? [0, 0] : [from, value.length - back];
}

/** @param {Entry} entry @param {Acts} acts */
function buttons(entry, acts) {
  const state = settled(entry);
  const changed = entry.current !== entry.machine || ["checked", "absent", "unreadable"].includes(state);
  const open = entry.state === "open" || entry.errors.length > 0;
  const unseen = entry.machine === "" && !entry.text && !entry.keyed;
  return el("div", { class: "acts" },
    open && entry.current ? act("confirm", "⏎", "check", () => acts.confirm(entry)) : null,
    unseen && state !== "missed" ? act("missed", "Alt M", "plus", () => acts.miss(entry)) : null,
    state === "absent" ? null : act("absent", "Alt N", "miss", () => acts.without(entry, "absent")),
    state === "unreadable" ? null : act("unreadable", "Alt U", "", () => acts.without(entry, "unreadable")),
    changed ? act("restore", "Esc", "history", () => acts.restore(entry)) : null);
}

/** @param {string} key @param {string} chord @param {string} symbol @param {() => void} run */
function act(key, chord, symbol, run) {
  const button = el("button", { type: "button", class: "button ghost tiny", tabindex: -1 },
    symbol ? icon(symbol, "small") : null, say(`act_${key}`), el("kbd", { text: chord }));
  return pressed(button, run);
}

/** A press keeps the focus in the text control. @param {HTMLElement} button @param {() => void} run */
function pressed(button, run) {
  button.addEventListener("pointerdown", (event) => event.preventDefault());
  button.addEventListener("mousedown", (event) => event.preventDefault());
  button.addEventListener("click", run);
  return button;
}
