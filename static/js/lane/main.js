// @ts-check
/** The page of one lane. */
import { one } from "../dom.js";
import { listen, showSheet } from "../shortcuts.js";
import { Lane } from "./lane.js";

const lane = new Lane(JSON.parse(one("#lane-data").textContent ?? "null"));

/** @param {KeyboardEvent} event Enter on a link or a button keeps its own meaning */
const unlessOnControl = (event) =>
  event.target instanceof Element && event.target.closest("a, button, summary") ? false : lane.confirm();

listen(
  [
    { keys: ["Enter"], show: "⏎", where: "typing", words: "key_confirm", run: () => lane.confirm() },
    { keys: ["Ctrl+Enter"], show: "Ctrl ⏎", where: "typing", words: "key_block", run: () => lane.confirmBlock() },
    { keys: ["Shift+ArrowDown"], show: "⇧ ↓", where: "typing", words: "key_extend", run: () => lane.list.extend(1) },
    { keys: ["Shift+ArrowUp"], show: "⇧ ↑", where: "typing", words: "key_shrink", run: () => lane.list.extend(-1) },
    { keys: ["ArrowDown"], show: "↓", where: "typing", words: "key_down", run: () => lane.list.move(1) },
    { keys: ["ArrowUp"], show: "↑", where: "typing", words: "key_up", run: () => lane.list.move(-1) },
    { keys: ["Alt+n"], show: "Alt N", where: "typing", words: "key_absent", run: () => lane.without("absent") },
    { keys: ["Alt+u"], show: "Alt U", where: "typing", words: "key_unreadable", run: () => lane.without("unreadable") },
    { keys: ["Escape"], show: "Esc", where: "typing", words: "key_restore", run: () => lane.restore() },
    { keys: ["Ctrl+z"], show: "Ctrl Z", where: "typing", words: "key_take_back", run: () => lane.takeBack() },
    { keys: ["Alt+f"], show: "Alt F", where: "typing", words: "key_page", run: () => lane.openPage() },
    { keys: ["Enter"], show: "⏎", where: "else", words: "key_confirm", run: unlessOnControl },
    { keys: ["Ctrl+Enter"], show: "Ctrl ⏎", where: "else", words: "key_block", run: () => lane.confirmBlock() },
    { keys: ["j", "ArrowDown"], show: "J", where: "else", words: "key_down", run: () => lane.list.move(1) },
    { keys: ["k", "ArrowUp"], show: "K", where: "else", words: "key_up", run: () => lane.list.move(-1) },
    { keys: ["u", "Ctrl+z"], show: "U", where: "else", words: "key_take_back", run: () => lane.takeBack() },
    { keys: ["f"], show: "F", where: "else", words: "key_page", run: () => lane.openPage() },
    { keys: ["?"], show: "?", where: "else", words: "key_help", run: showSheet },
  ],
  (element) => Boolean(element.closest("#rows")),
);
// A page that the Back button brings back gave its claims away when it was left.
addEventListener("pageshow", (event) => event.persisted && location.reload());
void lane.start();
