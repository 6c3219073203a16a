// @ts-check
/** The page where a person changes the keys of the review screen: the table of review/keys.js, a field for each command. */
import { el, one, say } from "./dom.js";
import { post } from "./http.js";
import { COMMANDS, shown } from "./review/keys.js";
import { chords } from "./shortcuts.js";

/** @typedef {import("./review/keys.js").Command} Command */

/** @type {import("./review/keys.js").Own} */
const own = JSON.parse(one("#keys-data").textContent ?? "null");
const form = /** @type {HTMLFormElement} */ (one("#keys"));
const letters = /** @type {HTMLInputElement} */ (form.elements.namedItem("single_letters"));
const told = one("[data-told]");
const changeable = COMMANDS.filter((each) => !each.fixed);

/** @param {Command} each */
const keyOf = (each) => own.chords[each.command] ?? each.keys[0];

function draw() {
  letters.checked = own.single_letters;
  const groups = /** @type {const} */ (["typing", "else"]).map((where) => {
    const members = changeable.filter((each) => (where === "typing" ? each.where !== "else" : each.where === "else"));
    return [el("tr", { class: "where" }, el("th", { colspan: 3, scope: "colgroup", text: say(`keys_${where}`) })), ...members.map(line)];
  });
  one("[data-commands]").replaceChildren(...groups.flat());
}

/** @param {Command} each */
function line(each) {
  const words = say(`key_${each.command}`);
  const changed = each.command in own.chords;
  const field = /** @type {HTMLInputElement} */ (el("input", { class: "press", "aria-label": say("press_key", { words }), autocomplete: "off", readonly: true, "data-command": each.command }));
  field.value = keyOf(each) ? shown(keyOf(each)) : say("no_key");
  field.addEventListener("keydown", (event) => press(event, each));
  const usual = el("button", { type: "button", class: "button ghost tiny", text: say("usual") });
  usual.addEventListener("click", () => change(each, undefined));
  return el("tr", { class: changed ? "changed" : "" }, el("th", { scope: "row", text: words }), el("td", {}, field), el("td", {}, changed ? usual : null));
}

/** Tab leaves the field, Backspace takes the key away. @param {KeyboardEvent} event @param {Command} each */
function press(event, each) {
  if (event.key === "Tab" || ["Shift", "Control", "Alt", "Meta", "AltGraph", "Dead"].includes(event.key)) return;
  event.preventDefault();
  event.stopPropagation();
  change(each, event.key === "Backspace" ? "" : chords(event)[0]);
}

/** @param {Command} each @param {string | undefined} chord undefined for the usual one */
function change(each, chord) {
  const wanted = chord ?? each.keys[0];
  const other = wanted && changeable.find((found) => found !== each && keysNow(found).includes(wanted) && meets(found, each));
  if (other) return void (told.textContent = say("taken", { chord: shown(wanted), words: say(`key_${other.command}`) }));
  if (chord === undefined || chord === each.keys[0]) delete own.chords[each.command];
  else own.chords[each.command] = chord;
  told.textContent = say("not_kept");
  draw();
  one(`[data-command="${each.command}"]`).focus();
}

/** @param {Command} each @returns {string[]} */
const keysNow = (each) => (each.command in own.chords ? [own.chords[each.command]] : each.keys);

/** Whether two commands could be meant by the same key press. @param {Command} one @param {Command} other */
const meets = (one, other) => one.where === "both" || other.where === "both" || one.where === other.where;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await post(form.dataset.url ?? "", { chords: own.chords, single_letters: letters.checked });
  told.textContent = answer.ok ? say("saved") : answer.words;
});
letters.addEventListener("change", () => {
  own.single_letters = letters.checked;
  told.textContent = say("not_kept");
});
one("[data-all-usual]").addEventListener("click", () => {
  own.chords = {};
  told.textContent = say("not_kept");
  draw();
});
draw();
