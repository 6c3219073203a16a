// @ts-check
/** Keeps the reviewer's work: in this tab at once, on the server after each confirmation and each pause. */
import { icon, say } from "../dom.js";
import { post } from "../http.js";

/**
 * @typedef {import("./store.js").DraftField} DraftField
 * @typedef {{version: number, revision: number, fields: Record<string, DraftField>}} Kept
 */

const PAUSE = 2000; // milliseconds of not typing
const BACKOFF = [1000, 2000, 4000, 8000, 15000, 30000];

export class Drafts {
  /**
   * @param {import("./store.js").Store} store
   * @param {{id: string, url: string, token: string, version: number, revision: number}} at
   * @param {HTMLElement} place where the state is told
   * @param {(answer: import("../http.js").Answer) => void} onRefused
   */
  constructor(store, at, place, onRefused) {
    this.store = store;
    this.at = at;
    this.place = place;
    this.onRefused = onRefused;
    this.failures = 0;
    this.sending = false;
    this.dirty = false;
    this.stopped = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {AbortController | undefined} the save that is on its way */
    this.underway = undefined;
  }

  /** After typing: saves in this tab now, on the server when the typing pauses. */
  soon() {
    this.#keep();
    this.#later(PAUSE);
  }

  /** After a confirmation. */
  now() {
    this.#keep();
    this.#later(0);
  }

  /** @param {number} pause */
  #later(pause) {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#send(), pause);
  }

  #keep() {
    this.dirty = true;
    store(this.at.id, { version: this.at.version, revision: this.at.revision, fields: this.store.draft() });
  }

  async #send() {
    if (this.sending || this.stopped || !this.dirty) return;
    this.sending = true;
    this.dirty = false;
    this.#tell("saving");
    const { token, version, revision } = this.at;
    this.underway = new AbortController();
    const answer = await post(this.at.url, { token, version, revision, fields: this.store.draft() }, { signal: this.underway.signal });
    this.sending = false;
    if (this.stopped) return;
    if (answer.ok) this.#saved(answer.body.revision);
    else this.#failed(answer);
  }

  /** @param {number} revision */
  #saved(revision) {
    this.failures = 0;
    this.at.revision = revision;
    if (this.dirty) return this.#later(0);
    forget(this.at.id);
    this.#tell("saved");
  }

  /** @param {import("../http.js").Answer} answer */
  #failed(answer) {
    this.dirty = true;
    this.#tell("unsaved");
    if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
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

  /** No more saving: decided, or no longer ours. What was not acknowledged stays in this tab. */
  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    // A save that arrives after the decision would be refused, and nobody needs it any more.
    this.underway?.abort();
  }

  /** After an answer that could be mended (signed out, gone offline): tries again with what there is. */
  resume() {
    this.stopped = false;
    if (this.dirty) this.#later(0);
  }

  /** @param {"saving" | "saved" | "unsaved"} state */
  #tell(state) {
    this.place.hidden = false;
    this.place.classList.toggle("bad", state === "unsaved");
    const words = say(`draft_${state}`);
    if (this.place.textContent !== words) this.place.replaceChildren(icon(state === "unsaved" ? "unsaved" : "saved"), words);
  }
}

/** @param {string} id @returns {Kept | null} work in this tab that the server has not acknowledged */
export function kept(id) {
  try {
    return JSON.parse(sessionStorage.getItem(`draft:${id}`) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} id */
export function forget(id) {
  try {
    sessionStorage.removeItem(`draft:${id}`);
  } catch {
    // Nothing was kept where nothing can be kept.
  }
}

/** @param {string} id @param {Kept} draft */
function store(id, draft) {
  try {
    sessionStorage.setItem(`draft:${id}`, JSON.stringify(draft));
  } catch {
    // The server's copy is then the only one.
  }
}
