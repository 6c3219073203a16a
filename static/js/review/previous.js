// @ts-check
/** The values of the document that was approved before, for "same as there": by type, in this tab only. */
import { shown } from "../values.js";
import { sent } from "./entries.js";

const KEPT = "previous-values";

/** @param {string} type @param {import("./store.js").Store} store */
export function remember(type, store) {
  const values = Object.fromEntries(store.fields.filter((entry) => entry.current).map((entry) => [entry.name, sent(entry)]));
  try {
    sessionStorage.setItem(`${KEPT}:${type}`, JSON.stringify(values));
  } catch {
    // Without storage there is nothing to repeat.
  }
}

/** @param {string} type @param {import("./entries.js").Entry} entry @returns {string} "" for none */
export function before(type, entry) {
  try {
    return shown(JSON.parse(sessionStorage.getItem(`${KEPT}:${type}`) ?? "{}")[entry.name] ?? null, entry.kind);
  } catch {
    return "";
  }
}
