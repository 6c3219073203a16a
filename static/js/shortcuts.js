// @ts-check
/** One table of keys per page: it runs the commands and it is the sheet that `?` shows, so the two cannot differ. */
import { el, one, say } from "./dom.js";

/**
 * @typedef {{keys: string[], show?: string, where: "typing" | "else", words: string, run: (event: KeyboardEvent) => void | boolean}} Shortcut
 * `keys` are chords such as "Enter", "Shift+Enter", "Alt+n", "?"; `show` is what the sheet prints; `words` a key of the
 * page's texts; "else" commands never run while a text control has the focus (WCAG 2.1.4). `run` returns false to let
 * the key through.
 */

/** @param {EventTarget | null} target */
export function typing(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "submit", "file"].includes(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/**
 * The chords of a key press: as typed, and by the place of the key where Option or AltGr changed the letter.
 * @param {KeyboardEvent} event
 */
export function chords(event) {
  const single = event.key.length === 1;
  const before = `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}`;
  // Signs such as ? need Shift on some keyboards and not on others: it counts with letters and named keys only.
  const shift = event.shiftKey && (!single || event.key.toLowerCase() !== event.key.toUpperCase()) ? "Shift+" : "";
  const found = [before + shift + (single ? event.key.toLowerCase() : event.key)];
  const place = /^(?:Key|Digit)(.)$/.exec(event.code);
  if (event.altKey && place && !/^[a-z0-9]$/i.test(event.key)) found.push(before + shift + place[1].toLowerCase());
  return found;
}

/**
 * @param {Shortcut[]} table
 * @param {(element: Element) => boolean} [ownControl] tells which text controls the "typing" commands belong to
 * @param {AbortSignal} [over] ends the listening
 */
export function listen(table, ownControl = () => true, over) {
  fillSheet(table);
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const inText = typing(event.target);
    const inOwn = inText && ownControl(/** @type {Element} */ (event.target));
    const given = chords(event);
    for (const shortcut of table) {
      if (shortcut.where === "typing" ? !inOwn : inText) continue;
      if (!shortcut.keys.some((key) => given.includes(key))) continue;
      if (shortcut.run(event) !== false) event.preventDefault();
      return;
    }
  }, { signal: over });
}

/** @param {Shortcut[]} table */
function fillSheet(table) {
  const columns = /** @type {const} */ (["typing", "else"]).map((where) => {
    const lines = table.filter((shortcut) => shortcut.where === where && shortcut.show).map(line);
    return lines.length ? el("section", {}, el("h3", { text: say(`keys_${where}`) }), el("dl", {}, ...lines)) : null;
  });
  one("[data-sheet]").replaceChildren(.../** @type {HTMLElement[]} */ (columns.filter(Boolean)));
}

/** @param {Shortcut} shortcut */
function line(shortcut) {
  const keys = (shortcut.show ?? "").split(" | ").map((chord) => el("kbd", { text: chord }));
  return el("div", {}, el("dt", { text: say(shortcut.words) }), el("dd", {}, ...keys));
}

export function showSheet() {
  /** @type {HTMLDialogElement} */ (one("#shortcuts")).showModal();
}
