// @ts-check
/** What can be done to a document on the desk, by keys and by buttons. */
import { say } from "../dom.js";
import { toast, undoLast } from "../toast.js";
import { showCompared } from "./compare.js";
import { askLabel } from "./dialogs.js";
import { before } from "./previous.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {import("./entries.js").Entry} Entry
 */

/** @param {Desk} desk @returns {import("./detail.js").Acts} */
export function actsOf(desk) {
  const { store } = desk;
  return {
    take: (entry, index) => {
      const suggestion = entry.suggestions[index];
      if (suggestion) desk.settle(entry, () => (suggestion.act ? store.without(entry, suggestion.act) : store.take(entry, suggestion)));
    },
    confirm: (entry) => {
      if (store.confirm(entry)) desk.settle(entry, () => {});
      else toast(say("empty_value"));
    },
    without: (entry, state) => desk.settle(entry, () => store.without(entry, state)),
    miss: (entry) => desk.capturing.miss(entry),
    repeat: (entry) => {
      const value = before(desk.data.document.document_type, entry);
      if (value) desk.settle(entry, () => store.copy(entry, value));
      else toast(say("nothing_before"));
    },
    restore: (entry) => {
      if (desk.capturing.leave()) return;
      store.restore(entry);
      desk.drafts.now();
      desk.holder(entry)?.focus();
    },
  };
}

/** The buttons under the page, by their names. @param {Desk} desk @returns {Record<string, () => void>} */
export function toolbar(desk) {
  const { sheets } = desk.viewer;
  return {
    "zoom-in": () => sheets.zoomIn(), "zoom-out": () => sheets.zoomOut(), fit: () => sheets.fit(), boxes: () => desk.viewer.toggleBoxes(),
    previous: () => sheets.turn(-1), next: () => sheets.turn(1), rotate: () => void rotate(desk), thumbnails: () => desk.thumbnails.toggle(),
    search: () => desk.search.open(),
  };
}

/** What the keys need. @param {Desk} desk @returns {import("./keys.js").Screen} */
export function screenOf(desk) {
  const { store, viewer, grid, editable } = desk;
  const deciding = editable ? desk.deciding : null;
  return {
    store, viewer, grid, editable, acts: desk.acts ?? actsOf(desk), own: desk.data.keys, active: () => desk.active,
    focus: (entry) => desk.focus(entry), next: (from, step) => desk.next(from, step), approve: () => deciding && desk.approveOrNext(),
    reject: () => void deciding?.reject(), aside: () => void deciding?.setAside(), escalate: () => void deciding?.escalate(),
    comment: () => deciding?.comment(desk.active),
    undo: () => void (undone(desk) || undoLast() || nothing(desk)), takeBack: () => void (undoLast() || undone(desk) || nothing(desk)),
    redo: () => void stepped(desk, store.redo()), rotate: () => void rotate(desk),
    thumbnails: () => desk.thumbnails.toggle(), search: () => desk.search.open(), compare: () => showCompared(store, (entry) => desk.focus(entry)),
    history: () => location.assign(desk.data.urls.document),
  };
}

/** A field that the engine missed, in a form without fixed ones. @param {Desk} desk */
export async function addField(desk) {
  const label = await askLabel();
  if (!label) return;
  const added = desk.store.addField(label);
  desk.focus(added);
  desk.capturing.miss(added);
}

/** The last step in this document. @param {Desk} desk @returns {boolean} whether there was one */
const undone = (desk) => desk.editable && stepped(desk, desk.store.undo());

/** @param {Desk} desk */
const nothing = (desk) => desk.announce(say("nothing_to_undo"));

/** @param {Desk} desk @param {Entry | null | undefined} place undefined when there was nothing to do */
function stepped(desk, place) {
  if (place === undefined) return false;
  desk.drafts.now();
  if (place) desk.focus(place);
  return true;
}

/** @param {Desk} desk */
async function rotate(desk) {
  const page = await desk.viewer.rotate();
  if (!page) return;
  desk.thumbnails.renew(page);
  desk.drafts.now();
  if (desk.active) desk.holder(desk.active)?.update();
}
