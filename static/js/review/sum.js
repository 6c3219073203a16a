// @ts-check
/** The last column of money added up, beside the field that it should make. */
import { el, say, shows } from "../dom.js";
import { localAmount } from "../values.js";
import { decimal, grouped, minus, near, plus, sumOf } from "./rules.js";

/** @param {HTMLElement} node @param {import("./store.js").Store} store */
export function showSum(node, store) {
  const place = store.items.columns.findLastIndex((found) => found.kind === "money" || found.kind === "amount");
  const spec = store.items.columns[place];
  const cells = spec ? store.items.rows.map((row) => row.cells[place]).filter((cell) => cell.current.trim() || cell.machine) : [];
  const sum = sumOf(cells.map((cell) => store.judge.meant(cell)));
  node.hidden = sum === null;
  if (!sum) return;
  const rule = store.judge.declared?.rules.find((found) => found.kind === "items" && found.column === spec?.name);
  const target = (rule?.kind === "items" ? rule.equals : []).map((name) => store.get(name)).find((found) => found && decimal(store.judge.meant(found)));
  const wanted = target ? decimal(store.judge.meant(target)) : null;
  const right = wanted !== null && near(sum, wanted, rule?.kind === "items" ? rule.tolerance : "0");
  node.classList.toggle("bad", wanted !== null && !right);
  const beside = !target || !wanted ? ""
    : el("span", { text: right ? say("sum_right", { label: target.label }) : say("sum_off", { label: target.label, value: localAmount(grouped(wanted)), apart: localAmount(grouped(plus(sum, minus(wanted)))) }) });
  shows(node, el("span", { text: say("sum_of_rows") }), el("span", { class: "value", text: localAmount(grouped(sum)) }), beside);
}
