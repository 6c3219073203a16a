// @ts-check
/** One document and all that is done to it: its values, panel, page images, drafts and decision. Built before it is shown. */
import { one, say } from "../dom.js";
import { post } from "../http.js";
import { listen } from "../shortcuts.js";
import { localTimes } from "../times.js";
import { toast } from "../toast.js";
import { Capturing } from "./capturing.js";
import { answering } from "./comments.js";
import { Deciding } from "./deciding.js";
import { Drafts } from "./drafts.js";
import { Grid } from "./grid.js";
import { shortcutTable } from "./keys.js";
import { Lease } from "./lease.js";
import { Panel } from "./panel.js";
import { called } from "./reasons.js";
import { Search } from "./search.js";
import { Store } from "./store.js";
import { Summary } from "./summary.js";
import { Thumbnails } from "./thumbnails.js";
import { actsOf, addField, screenOf, toolbar } from "./tools.js";
import { Viewer } from "./viewer.js";

/**
 * @typedef {import("./entries.js").Entry} Entry
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
    const acts = this.editable ? actsOf(this) : null;
    this.acts = acts;
    const root = one("#fields", main);
    this.panel = new Panel(root, this.store, pages, acts);
    this.grid = data.line_items && (this.editable || data.line_items.rows.length)
      ? new Grid(root, this.store, pages, acts, { activate: (entry) => this.#activate(entry), focus: (entry) => this.focus(entry), saved: () => this.drafts.soon(), announce: (words) => this.announce(words) }, this.over.signal)
      : null;
    /** @type {HTMLElement | null} */
    this.button = main.querySelector("#main-button");
    this.summary = new Summary(this.store, { map: one("#map", main), counts: one("#counts", main), button: this.button }, (entry) => this.focus(entry));
    this.capturing = new Capturing(this.store, { active: () => this.active, focus: (entry) => this.focus(entry), saved: () => this.drafts.now(), announce: (words) => this.announce(words), mark: (on) => this.viewer.mark(on) });
    this.viewer = new Viewer(data.pages, this.store, {
      onBox: (name) => this.focus(/** @type {Entry} */ (this.store.get(name))),
      // Who keys blind reads for themselves.
      onWords: this.editable && !data.check?.keyed ? (words, page, append, area) => this.capturing.take(words, page, append, area) : null,
      onTurn: this.editable ? (page, turn) => post(page.turn_url, { token: this.claim?.token, turn }) : null,
      onPage: (number) => this.thumbnails.at(number),
    }, main, this.over.signal);
    this.thumbnails = new Thumbnails(data.pages, (number) => this.viewer.sheets.goTo(number), main);
    this.search = new Search(data.pages, this.viewer, this.editable && !data.check?.keyed ? (words, page) => this.capturing.take(words, page, false, null) : null, main);
    localTimes(main);
    this.#wire(main);
    this.#watch();
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
    await Promise.all([this.viewer.sheets.ready(), this.restored()]);
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

  /** What shows an entry: a row of the panel or a cell of the grid. @param {Entry} entry */
  holder(entry) {
    return entry.row === null ? this.panel.holder(entry) : this.grid?.holder(entry);
  }

  #watch() {
    this.store.watch((changed) => {
      if (changed) this.holder(changed)?.update();
      else {
        this.panel.update();
        this.grid?.update();
      }
      if (changed) this.viewer.refresh(changed);
      else this.viewer.refreshAll();
      this.summary.show(this.active);
    });
    this.store.watchShape(() => {
      this.panel.draw();
      this.grid?.draw();
      this.summary.reshape();
      this.viewer.refreshAll();
      if (this.active && this.store.get(this.active.name) !== this.active) this.#leaveFields();
    });
  }

  /** @param {HTMLElement} main */
  #wire(main) {
    this.panel.listen({ activate: (entry) => this.#activate(entry), typed: () => this.drafts.soon() });
    for (const [name, run] of Object.entries(toolbar(this))) main.querySelector(`[data-do="${name}"]`)?.addEventListener("click", run);
    answering(this.data, main);
    if (!this.editable) return;
    one("#comment-button", main).addEventListener("click", () => this.deciding.comment(this.active));
    this.button?.addEventListener("click", () => this.approveOrNext());
    one("#reject-button", main).addEventListener("click", () => this.deciding.reject());
    one("#aside-button", main).addEventListener("click", () => void this.deciding.setAside());
    one("#escalate-button", main).addEventListener("click", () => void this.deciding.escalate());
    main.querySelector("#add-field")?.addEventListener("click", () => void addField(this));
  }

  /** It is on the screen now. */
  start() {
    this.shown = new AbortController();
    const { signal } = this.shown;
    this.viewer.sheets.shown();
    listen(shortcutTable(screenOf(this)), this.editable ? (element) => element.hasAttribute("data-entry") : undefined, signal);
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
    if (this.active) this.holder(this.active)?.close();
    if (this.capturing.marking !== entry) this.capturing.leave();
    this.active = entry;
    this.holder(entry)?.open();
    this.viewer.show(entry);
    this.summary.move(entry);
  }

  /** Nothing is left to check: the panel closes up, the whole page is in view. */
  #leaveFields() {
    if (this.active) this.holder(this.active)?.close();
    this.active = null;
    this.viewer.show(null);
    this.summary.move(null);
  }

  /** @param {Entry} entry */
  focus(entry) {
    if (entry === this.active) this.viewer.show(entry);
    else this.#activate(entry);
    this.holder(entry)?.focus();
  }

  /** A value is settled: saves it and goes to the next one that is open, unless a rule speaks against it. @param {Entry} entry @param {() => void} change */
  settle(entry, change) {
    change();
    this.drafts.now();
    // Told once, Enter goes on: the mistake may be in another field.
    if (this.store.judge.isHeard(entry)) return this.next(entry, 1);
    this.announce(this.store.judge.hear(entry));
    this.focus(entry);
  }

  /** @param {Entry | null} from @param {1 | -1} step */
  next(from, step) {
    const target = this.store.nextOpen(from, step);
    if (target) {
      this.focus(target);
      this.announce(say("jumped", { n: this.store.open().length, label: called(target) }));
    } else if (this.store.open().length === 0 || this.store.heldOnly()) {
      this.#leaveFields();
      this.button?.focus();
      this.announce(say(this.store.heldOnly() ? "held_by_rules" : "all_checked"));
    }
  }

  approveOrNext() {
    if (this.store.open().length === 0) void this.deciding.approve();
    else if (this.store.heldOnly()) void this.deciding.overrule();
    else if (this.active?.state === "open" && !document.activeElement?.hasAttribute("data-entry")) this.focus(this.active);
    else this.next(this.active, 1);
  }

  /** @param {import("../http.js").Answer} answer */
  #unsaved(answer) {
    if (!this.shown) return; // its copy on this computer waits until the document is shown again
    if (answer.status === 409) this.deciding.conflict(answer);
    else toast(answer.words);
  }
}
