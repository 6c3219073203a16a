// @ts-check
/** One document and all that is done to it: its values, panel, page images, drafts and decision. Built before it is shown. */
import { one, say } from "../dom.js";
import { listen } from "../shortcuts.js";
import { localTimes } from "../times.js";
import { toast } from "../toast.js";
import { Deciding } from "./deciding.js";
import { Drafts } from "./drafts.js";
import { fillGrid } from "./grid.js";
import { shortcutTable } from "./keys.js";
import { Lease } from "./lease.js";
import { fillPanel } from "./panel.js";
import { Store } from "./store.js";
import { Summary } from "./summary.js";
import { Viewer } from "./viewer.js";

/**
 * @typedef {import("./store.js").Entry} Entry
 * @typedef {import("./lease.js").Claim} Claim
 * @typedef {import("./lease.js").Held} Held
 */

const FOUND = 1000; // milliseconds

export class Desk {
  /**
   * @param {import("./part.js").Part} part
   * @param {import("./deciding.js").Flow} flow
   */
  constructor(part, flow) {
    const { data, main } = part;
    this.part = part;
    this.data = data;
    this.flow = flow;
    /** @type {string} */
    this.id = data.document.id;
    /** @type {Claim | null} */
    this.claim = data.claim;
    this.editable = !data.read_only && Boolean(data.claim);
    this.store = new Store(data);
    /** @type {Entry | null} */
    this.active = null;
    this.over = new AbortController();
    /** @type {AbortController | null} while it is on the screen */
    this.shown = null;
    const pages = new Map(data.pages.map((/** @type {import("./marks.js").Page} */ page) => [page.number, page]));
    const acts = this.editable ? this.#acts() : null;
    const root = one("#fields", main);
    const holders = [...fillPanel(root, this.store.fields, pages, acts), ...fillGrid(root, data.line_items, this.store.cells, pages, acts)];
    this.holders = new Map(holders.map((holder) => [holder.entry.name, holder]));
    /** @type {HTMLElement | null} */
    this.button = main.querySelector("#main-button");
    this.summary = new Summary(this.store, { map: one("#map", main), counts: one("#counts", main), button: this.button }, (entry) => this.focus(entry));
    this.viewer = new Viewer(data.pages, this.store.entries, {
      onBox: (name) => this.focus(/** @type {Entry} */ (this.store.get(name))),
      onWord: this.editable ? (word, append) => this.#capture(word, append) : null,
    }, main, this.over.signal);
    this.#wire(main);
    this.store.watch((changed) => {
      for (const holder of changed ? [this.holders.get(changed.name)] : this.holders.values()) holder?.update();
      for (const entry of changed ? [changed] : this.store.entries) this.viewer.refresh(entry);
      this.summary.show(this.active);
    });
    this.summary.show(null);
    const at = { key: `${data.person}:${this.id}`, url: data.urls.draft, token: this.claim?.token ?? "", version: data.document.version, revision: data.draft?.revision ?? 0 };
    this.drafts = new Drafts(this.store, at, (answer) => this.#unsaved(answer));
    this.deciding = new Deciding(this);
    this.news = ""; // what is said when it is shown
    /** @type {Lease | null} */
    this.lease = null;
  }

  /** Everything that it needs to be shown at once is here. */
  async ready() {
    await Promise.all([this.viewer.ready(), this.restored()]);
    return this;
  }

  /** Earlier work is back in, unless this computer takes too long to find it: then it comes a little later. */
  async restored() {
    if (!this.editable) return;
    const back = this.drafts.bringBack(this.data.draft).then((words) => this.#tell(words));
    await Promise.race([back, new Promise((resolve) => setTimeout(resolve, FOUND))]);
  }

  /** Says it now, or once the document is shown. @param {string} words */
  #tell(words) {
    this.news = this.shown ? "" : words;
    if (this.shown && words) toast(words);
  }

  /** @returns {import("./detail.js").Acts} */
  #acts() {
    return {
      take: (entry, index) => {
        const suggestion = entry.suggestions[index];
        if (suggestion) this.#settle(entry, () => this.store.take(entry, suggestion.value));
      },
      confirm: (entry) => {
        if (this.store.confirm(entry)) this.#settle(entry, () => {});
        else toast(say("empty_value"));
      },
      without: (entry, state) => this.#settle(entry, () => this.store.without(entry, state)),
      restore: (entry) => {
        this.store.restore(entry);
        this.drafts.now();
        this.holders.get(entry.name)?.focus();
      },
    };
  }

  /** @param {HTMLElement} main */
  #wire(main) {
    for (const holder of this.holders.values()) {
      const { control } = /** @type {{control: HTMLElement}} */ (/** @type {unknown} */ (holder));
      control.addEventListener("focus", () => this.#activate(holder.entry));
      control.addEventListener("click", () => this.#activate(holder.entry));
      control.addEventListener("input", () => {
        this.store.type(holder.entry, /** @type {HTMLInputElement} */ (control).value);
        this.drafts.soon();
      });
    }
    const { viewer } = this;
    const toolbar = { "zoom-in": () => viewer.zoomIn(), "zoom-out": () => viewer.zoomOut(), fit: () => viewer.fit(), boxes: () => viewer.toggleBoxes(), previous: () => viewer.turn(-1), next: () => viewer.turn(1) };
    for (const [name, run] of Object.entries(toolbar)) main.querySelector(`[data-do="${name}"]`)?.addEventListener("click", run);
    if (!this.editable) return;
    this.button?.addEventListener("click", () => this.approveOrNext());
    one("#reject-button", main).addEventListener("click", () => this.deciding.reject());
    one("#aside-button", main).addEventListener("click", () => void this.deciding.setAside());
    one("#escalate-button", main).addEventListener("click", () => void this.deciding.escalate());
  }

  /** It is on the screen now. */
  start() {
    this.shown = new AbortController();
    const { signal } = this.shown;
    localTimes(this.part.main);
    this.viewer.fit();
    const deciding = this.editable ? this.deciding : null;
    listen(shortcutTable({
      store: this.store, acts: this.#acts(), viewer: this.viewer, editable: this.editable,
      focus: (entry) => this.focus(entry), next: (from, step) => this.#next(from, step), active: () => this.active,
      approve: () => deciding && this.approveOrNext(), reject: () => deciding?.reject(), aside: () => void deciding?.setAside(), escalate: () => void deciding?.escalate(),
    }), this.editable ? (element) => element.hasAttribute("data-entry") : undefined, signal);
    if (!this.editable) return;
    this.lease = new Lease(this.held(), one("#lease"), { onLost: (words) => this.deciding.lost(words), ahead: () => this.flow.held(), onAhead: (lost) => this.flow.lost(lost) });
    this.drafts.tellIn(one("#draft-state"));
    addEventListener("online", () => this.drafts.resume(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.drafts.resume(), { signal });
    this.#tell(this.news);
    const first = this.active ?? this.store.nextOpen(null);
    if (this.active) this.#leaveFields();
    if (first) this.focus(first);
    else this.button?.focus();
  }

  /** It is not on the screen any more, and may come back. */
  leave() {
    this.shown?.abort();
    this.shown = null;
    this.lease?.finish();
    this.drafts.tellIn(null);
  }

  /** It does not come back. */
  close() {
    this.leave();
    this.over.abort();
  }

  /** @param {string} words */
  announce(words) {
    if (this.shown) one("#live").textContent = words;
  }

  /** @returns {Held} */
  held() {
    return { claim: /** @type {Claim} */ (this.claim), urls: this.data.urls };
  }

  /** @param {Entry} entry */
  #activate(entry) {
    if (this.active === entry) return;
    if (this.active) this.holders.get(this.active.name)?.close();
    this.active = entry;
    this.holders.get(entry.name)?.open();
    this.viewer.show(entry);
    this.summary.show(entry);
  }

  /** Nothing is left to check: the panel closes up, the whole page is in view. */
  #leaveFields() {
    if (this.active) this.holders.get(this.active.name)?.close();
    this.active = null;
    this.viewer.show(null);
    this.summary.show(null);
  }

  /** @param {Entry} entry */
  focus(entry) {
    this.#activate(entry);
    this.holders.get(entry.name)?.focus();
  }

  /** A value is settled: saves it and goes to the next one that is open. @param {Entry} entry @param {() => void} change */
  #settle(entry, change) {
    change();
    this.drafts.now();
    this.#next(entry, 1);
  }

  /** @param {Entry | null} from @param {1 | -1} step */
  #next(from, step) {
    const target = this.store.nextOpen(from, step);
    if (target) {
      this.focus(target);
      this.announce(say("jumped", { n: this.store.open().length, label: target.label }));
    } else if (this.store.open().length === 0) {
      this.#leaveFields();
      this.button?.focus();
      this.announce(say("all_checked"));
    }
  }

  /** A word of the page into the active field. @param {import("./marks.js").Word} word @param {boolean} append */
  #capture(word, append) {
    const entry = this.active;
    if (!entry) return toast(say("choose_field"));
    this.store.type(entry, append && entry.current ? `${entry.current} ${word.text}` : word.text);
    this.drafts.soon();
    this.holders.get(entry.name)?.focus();
  }

  approveOrNext() {
    if (this.store.open().length === 0) this.deciding.approve();
    else if (this.active?.state === "open" && !document.activeElement?.hasAttribute("data-entry")) this.focus(this.active);
    else this.#next(this.active, 1);
  }

  /** @param {import("../http.js").Answer} answer */
  #unsaved(answer) {
    if (!this.shown) return; // its copy on this computer waits until the document is shown again
    if (answer.status === 409) this.deciding.conflict(answer);
    else toast(answer.words);
  }
}
