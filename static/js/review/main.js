// @ts-check
/** The review screen: wires the values, the panel, the page images, the drafts, the lease and the decision together. */
import { one, say } from "../dom.js";
import { listen } from "../shortcuts.js";
import { toast } from "../toast.js";
import { Deciding } from "./deciding.js";
import { digitsPickReasons } from "./dialogs.js";
import { Drafts, forget, kept } from "./drafts.js";
import { fillGrid } from "./grid.js";
import { shortcutTable } from "./keys.js";
import { Lease } from "./lease.js";
import { fillPanel } from "./panel.js";
import { Store } from "./store.js";
import { Summary } from "./summary.js";
import { Viewer } from "./viewer.js";

/** @typedef {import("./store.js").Entry} Entry */

const data = JSON.parse(one("#review-data").textContent ?? "null");
const editable = !data.read_only && Boolean(data.claim);
const store = new Store(data);
const pages = new Map(data.pages.map((/** @type {import("./marks.js").Page} */ page) => [page.number, page]));
/** @type {Entry | null} */
let active = null;

/** @param {string} words */
function announce(words) {
  one("#live").textContent = words;
}

const acts = {
  /** @param {Entry} entry @param {number} index */
  take: (entry, index) => {
    const suggestion = entry.suggestions[index];
    if (suggestion) settle(entry, () => store.take(entry, suggestion.value));
  },
  /** @param {Entry} entry */
  confirm: (entry) => {
    if (store.confirm(entry)) settle(entry, () => {});
    else toast(say("empty_value"));
  },
  /** @param {Entry} entry @param {"absent" | "unreadable"} state */
  without: (entry, state) => settle(entry, () => store.without(entry, state)),
  /** @param {Entry} entry */
  restore: (entry) => {
    store.restore(entry);
    drafts?.now();
    holders.get(entry.name)?.focus();
  },
};

const root = one("#fields");
const holders = new Map(
  [...fillPanel(root, store.fields, pages, editable ? acts : null), ...fillGrid(root, data.line_items, store.cells, pages, editable ? acts : null)]
    .map((holder) => [holder.entry.name, holder]),
);
const button = document.querySelector("#main-button");
const summary = new Summary(store, { map: one("#map"), counts: one("#counts"), button: /** @type {HTMLElement | null} */ (button) }, focus);
const viewer = new Viewer(data.pages, store.entries, {
  onBox: (name) => focus(/** @type {Entry} */ (store.get(name))),
  onWord: editable ? capture : null,
});

/** @type {Drafts | null} */
let drafts = null;
/** @type {Deciding | null} */
let deciding = null;

store.watch((changed) => {
  for (const holder of changed ? [holders.get(changed.name)] : holders.values()) holder?.update();
  for (const entry of changed ? [changed] : store.entries) viewer.refresh(entry);
  summary.show(active);
});

/** @param {Entry} entry */
function activate(entry) {
  if (active === entry) return;
  if (active) holders.get(active.name)?.close();
  active = entry;
  holders.get(entry.name)?.open();
  viewer.show(entry);
  summary.show(entry);
}

/** Nothing is left to check: the panel closes up, the whole page is in view. */
function leave() {
  if (active) holders.get(active.name)?.close();
  active = null;
  viewer.show(null);
  summary.show(null);
}

/** @param {Entry} entry */
function focus(entry) {
  activate(entry);
  holders.get(entry.name)?.focus();
}

/** A value is settled: saves it and goes to the next one that is open. @param {Entry} entry @param {() => void} change */
function settle(entry, change) {
  change();
  drafts?.now();
  next(entry, 1);
}

/** @param {Entry | null} from @param {1 | -1} step */
function next(from, step) {
  const target = store.nextOpen(from, step);
  if (target) {
    focus(target);
    announce(say("jumped", { n: store.open().length, label: target.label }));
  } else if (store.open().length === 0) {
    leave();
    /** @type {HTMLElement | null} */ (button)?.focus();
    announce(say("all_checked"));
  }
}

/** A word of the page into the active field. @param {import("./marks.js").Word} word @param {boolean} append */
function capture(word, append) {
  if (!active) return toast(say("choose_field"));
  store.type(active, append && active.current ? `${active.current} ${word.text}` : word.text);
  drafts?.soon();
  holders.get(active.name)?.focus();
}

function approveOrNext() {
  if (store.open().length === 0) deciding?.approve();
  else if (active?.state === "open" && !document.activeElement?.hasAttribute("data-entry")) focus(active);
  else next(active, 1);
}

for (const holder of holders.values()) {
  const { control } = /** @type {{control: HTMLElement}} */ (/** @type {unknown} */ (holder));
  control.addEventListener("focus", () => activate(holder.entry));
  control.addEventListener("click", () => activate(holder.entry));
  control.addEventListener("input", () => {
    store.type(holder.entry, /** @type {HTMLInputElement} */ (control).value);
    drafts?.soon();
  });
}
const toolbar = { "zoom-in": () => viewer.zoomIn(), "zoom-out": () => viewer.zoomOut(), fit: () => viewer.fit(), boxes: () => viewer.toggleBoxes(), previous: () => viewer.turn(-1), next: () => viewer.turn(1) };
for (const [name, run] of Object.entries(toolbar)) document.querySelector(`[data-do="${name}"]`)?.addEventListener("click", run);
summary.show(null);

if (editable) work();
else listen(shortcutTable({ store, acts, viewer, focus, next, active: () => active, approve: () => {}, reject: () => {}, aside: () => {}, escalate: () => {}, editable }));

/** Everything that only the holder of the document gets. */
function work() {
  const at = { id: data.document.id, url: data.urls.draft, token: data.claim.token, version: data.document.version, revision: data.draft?.revision ?? 0 };
  drafts = new Drafts(store, at, one("#draft-state"), (answer) => (answer.status === 409 ? deciding?.conflict(answer) : toast(answer.words)));
  const lease = new Lease(data.claim, data.urls, one("#lease"), (words) => deciding?.lost(words));
  deciding = new Deciding(data, store, drafts, lease, { button: /** @type {HTMLElement} */ (button), focus, announce });
  bringBack();
  digitsPickReasons();
  button?.addEventListener("click", approveOrNext);
  const aside = () => void deciding?.setAside();
  const escalate = () => void deciding?.escalate();
  one("#reject-button").addEventListener("click", () => deciding?.reject());
  one("#aside-button").addEventListener("click", aside);
  one("#escalate-button").addEventListener("click", escalate);
  addEventListener("online", () => drafts?.resume());
  listen(
    shortcutTable({ store, acts, viewer, focus, next, active: () => active, approve: approveOrNext, reject: () => deciding?.reject(), aside, escalate, editable }),
    (element) => element.hasAttribute("data-entry"),
  );
  const first = store.nextOpen(null);
  if (first) focus(first);
  else /** @type {HTMLElement} */ (button).focus();
}

/** Puts earlier work back: the server's draft, then what this tab had not yet sent. */
function bringBack() {
  if (data.draft) store.putIn(data.draft.fields);
  const mine = kept(data.document.id);
  if (!mine) return;
  const count = store.putIn(mine.fields);
  if (mine.version === data.document.version) drafts?.now();
  else if (count) toast(say("brought_back", { n: count }));
  forget(data.document.id);
}
