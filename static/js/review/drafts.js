// @ts-check
/** Keeps the reviewer's work: on this computer at once, on the server after each confirmation and each pause. */
import { icon, say } from "../dom.js";
import { post } from "../http.js";
import { forget, keep, kept } from "./local.js";

/** @typedef {import("../http.js").Answer} Answer */

const PAUSE = 2000; // milliseconds of not typing
const TYPED = 150; // milliseconds of typing before they are copied
const RARELY = 20; // times as long as a copy takes pass between two: that of a long document would hold the letters up
const BACKOFF = [1000, 2000, 4000, 8000, 15000, 30000];

export class Drafts {
  /**
   * @param {import("./store.js").Store} store
   * @param {{key: string, url: string, token: string, version: number, revision: number}} at `key` names the copy on this computer
   * @param {(answer: Answer) => void} onRefused
   */
  constructor(store, at, onRefused) {
    this.store = store;
    this.at = at;
    this.onRefused = onRefused;
    /** @type {HTMLElement | null} where the state is told, while the document is on the screen */
    this.place = null;
    this.failures = 0;
    this.sending = false;
    this.dirty = false;
    this.stopped = false;
    this.copies = 0;
    this.rest = TYPED; // milliseconds from typing to the next copy
    /** @type {string[]} what was sent since the last answer */
    this.sent = [];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} the copy that is due */
    this.copying = undefined;
    /** @type {AbortController | undefined} the save that is on its way */
    this.underway = undefined;
  }

  /**
   * Puts earlier work back: the server's draft, then what this computer has that the server had not yet acknowledged.
   * @param {{revision: number, fields: Record<string, import("./entries.js").DraftField>} | null} theirs
   * @returns {Promise<string>} what to say of it
   */
  async bringBack(theirs) {
    if (theirs) this.store.putIn(theirs.fields);
    const before = this.store.draft();
    const mine = await kept(this.at.key);
    if (!mine) return "";
    const same = mine.version === this.at.version;
    // Where the work went on elsewhere since, its values are the later ones.
    const later = same && theirs && theirs.revision > mine.revision + 1 ? theirs.fields : {};
    const now = this.store.draft();
    // The disk may be slow: what was done meanwhile stands.
    const untouched = (/** @type {string} */ name) => JSON.stringify(now[name]) === JSON.stringify(before[name]);
    const wanted = Object.entries(mine.fields).filter(([name]) => !(name in later) && untouched(name));
    const count = this.store.putIn(Object.fromEntries(wanted));
    if (same) this.now();
    else void forget(this.at.key);
    return !same && count ? say("brought_back", { n: count }) : "";
  }

  /** After typing: saves here in a moment, on the server when the typing pauses. */
  soon() {
    this.dirty = true;
    this.#here(false);
    this.copying ??= setTimeout(() => void this.#keep(false), this.rest);
    this.#later(PAUSE);
  }

  /** After a confirmation. */
  now() {
    void this.#keep(true);
    this.#later(0);
  }

  /** @param {number} pause */
  #later(pause) {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#send(), pause);
  }

  /** @param {boolean} lasting */
  async #keep(lasting) {
    clearTimeout(this.copying);
    this.copying = undefined;
    this.dirty = true;
    this.#here(false);
    const copy = (this.copies += 1);
    const { key, version, revision } = this.at;
    const began = performance.now();
    const copied = keep(key, { version, revision, fields: this.store.draft() }, lasting);
    this.rest = Math.min(PAUSE / 2, Math.max(TYPED, RARELY * (performance.now() - began)));
    const done = await copied;
    if (copy === this.copies) this.#here(done);
  }

  async #send() {
    if (this.sending || this.stopped || !this.dirty) return;
    if (this.copying) void this.#keep(false);
    this.sending = true;
    this.dirty = false;
    this.#tell("saving");
    const { token, version, revision } = this.at;
    const fields = this.store.draft();
    this.sent.push(sorted(fields));
    this.underway = new AbortController();
    const answer = await post(this.at.url, { token, version, revision, fields }, { signal: this.underway.signal });
    this.sending = false;
    if (this.stopped) return;
    if (answer.ok) this.#saved(answer.body.revision);
    else if (this.#arrived(answer)) this.#saved(answer.body.draft.revision);
    else this.#failed(answer);
  }

  /** Whether the server refuses only since it has an earlier save, whose answer was lost. @param {Answer} answer */
  #arrived(answer) {
    const theirs = answer.status === 409 ? answer.body?.draft : null;
    // Of a document that has a newer version the same draft is refused each time.
    if (!theirs || answer.body.current?.version !== this.at.version || !this.sent.includes(sorted(theirs.fields))) return false;
    this.dirty = true; // what was refused is sent again, as the next revision
    return true;
  }

  /** @param {number} revision */
  #saved(revision) {
    this.failures = 0;
    this.sent = [];
    this.at.revision = revision;
    if (this.dirty) return this.#later(0);
    void forget(this.at.key);
    this.#tell("saved");
  }

  /** @param {Answer} answer */
  #failed(answer) {
    this.dirty = true;
    this.#tell("unsaved");
    // Who is signed out signs in again in another tab, and what was typed meanwhile goes the way of the rest.
    const signedOut = answer.status === 401;
    if (signedOut && !this.failures) this.onRefused(answer);
    if (answer.status >= 400 && answer.status < 500 && answer.status !== 429 && !signedOut) {
      this.stop();
      this.onRefused(answer);
      return;
    }
    this.#later(BACKOFF[Math.min(this.failures, BACKOFF.length - 1)]);
    this.failures += 1;
  }

  /** Saves what is not saved yet. @returns {Promise<boolean>} whether the server has everything now */
  async flush() {
    clearTimeout(this.timer);
    for (let tries = 0; (this.dirty || this.sending) && tries < 50 && !this.stopped; tries += 1) {
      if (this.sending) await new Promise((resolve) => setTimeout(resolve, 100));
      else await this.#send();
      if (this.failures) return false;
    }
    return !this.dirty && !this.stopped;
  }

  /** No more saving: decided, or no longer ours. What was not acknowledged stays on this computer. */
  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    if (this.copying) void this.#keep(false);
    // A save that arrives after the decision would be refused, and nobody needs it any more.
    if (this.sending) this.dirty = true;
    this.underway?.abort();
  }

  /** The document has a newer version, into which the reviewer's values were put. @param {number} version */
  moveTo(version) {
    this.at.version = version;
    this.stopped = false;
    this.now();
  }

  /** After an answer that could be mended (signed out, gone offline): tries again with what there is. */
  resume() {
    this.stopped = false;
    if (this.dirty) this.#later(0);
  }

  /** The document is decided: nothing is left to keep. */
  done() {
    this.stop();
    this.dirty = false;
    void forget(this.at.key);
  }

  /** @param {HTMLElement | null} place where the state is told from now on */
  tellIn(place) {
    this.place = place;
    if (!place) return;
    place.hidden = true;
    delete place.dataset.state;
    delete place.dataset.here;
  }

  /** @param {"saving" | "saved" | "unsaved"} state */
  #tell(state) {
    if (!this.place) return;
    this.place.dataset.state = state;
    this.place.hidden = false;
    this.place.classList.toggle("bad", state === "unsaved");
    const words = say(`draft_${state}`);
    if (this.place.textContent !== words) this.place.replaceChildren(icon(state === "unsaved" ? "unsaved" : "saved"), words);
  }

  /** Whether this computer has all of it; not said aloud at every step. @param {boolean} done */
  #here(done) {
    if (this.place) this.place.dataset.here = String(done);
  }
}

/** The same text for the same values, in whatever order they come. @param {Record<string, import("./entries.js").DraftField>} fields */
const sorted = (fields) => JSON.stringify(Object.keys(fields).sort().map((name) => [name, fields[name].value, fields[name].state]));
