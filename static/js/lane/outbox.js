// @ts-check
/** What was said, until the server has it: on this computer at once, sent together, and sent again after an outage. */
import { post } from "../http.js";
import { forget, keep, kept } from "../review/local.js";

/**
 * @typedef {import("./row.js").Said} Said
 * @typedef {{document_id: string, code: string, message: string, value: string | null}} Outcome
 */

const GATHERED = 100; // milliseconds: what is said within them goes together
const MOST = 50; // answers in one request
const BACKOFF = [1000, 2000, 4000, 8000, 15000];

export class Outbox {
  /**
   * @param {{url: string, key: string}} at `key` names the copy on this computer
   * @param {{outcome: (outcome: Outcome) => void, state: (state: "saving" | "saved" | "unsaved", words: string) => void}} on
   */
  constructor(at, on) {
    this.at = at;
    this.on = on;
    /** @type {Map<string, Said>} */
    this.waiting = new Map();
    /** @type {Map<string, Said>} */
    this.underway = new Map();
    /** @type {Set<string>} those that were sent at least once: the server may have them, whatever we heard */
    this.tried = new Set();
    /** @type {Promise<void> | null} */
    this.sending = null;
    this.failures = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    addEventListener("online", () => this.#later(0));
    addEventListener("pagehide", () => this.#lastly());
  }

  /** What an earlier page could not send any more. @returns {Promise<number>} how many answers */
  async bringBack() {
    const copy = await kept(this.at.key);
    const found = /** @type {Said[]} */ (/** @type {unknown} */ (Object.values(copy?.fields ?? {})));
    for (const said of found) this.waiting.set(said.document_id, said);
    if (found.length) await this.#send();
    return found.length;
  }

  /** @param {Said[]} said */
  add(said) {
    for (const each of said) this.waiting.set(each.document_id, each);
    void this.#keep();
    this.on.state("saving", "");
    this.#later(GATHERED);
  }

  /** Sends it no more. @param {string} id @returns {boolean} whether the server cannot have it */
  cancel(id) {
    const never = this.waiting.delete(id) && !this.tried.has(id);
    void this.#keep();
    return never;
  }

  /** Nothing is on its way any more. */
  async settled() {
    while (this.sending) await this.sending;
  }

  /** The documents whose answers are still here. */
  get ids() {
    return [...this.underway.keys(), ...this.waiting.keys()];
  }

  /** @param {number} pause */
  #later(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.#send(), pause);
  }

  async #keep() {
    const all = new Map([...this.underway, ...this.waiting]);
    if (!all.size) return forget(this.at.key);
    await keep(this.at.key, { version: 0, revision: 0, fields: /** @type {any} */ (Object.fromEntries(all)) }, true);
  }

  #send() {
    if (this.sending || !this.waiting.size) return this.sending;
    for (const [id, said] of [...this.waiting].slice(0, MOST)) {
      this.underway.set(id, said);
      this.tried.add(id);
      this.waiting.delete(id);
    }
    this.sending = this.#sent().finally(() => {
      this.sending = null;
      if (this.waiting.size) this.#later(this.failures ? BACKOFF[Math.min(this.failures, BACKOFF.length) - 1] : 0);
    });
    return this.sending;
  }

  async #sent() {
    const answer = await post(this.at.url, { answers: [...this.underway.values()] });
    const lasting = answer.status >= 400 && answer.status < 500 && ![401, 408, 429].includes(answer.status);
    if (answer.ok || lasting) {
      this.failures = 0;
      /** @type {Outcome[]} */
      const outcomes = answer.ok ? answer.body.answers : [...this.underway.keys()].map((id) => ({ document_id: id, code: "refused", message: answer.words, value: null }));
      this.underway.clear();
      for (const outcome of outcomes) this.on.outcome(outcome);
      this.on.state(this.waiting.size ? "saving" : "saved", "");
    } else {
      this.failures += 1;
      for (const [id, said] of this.underway) if (!this.waiting.has(id)) this.waiting.set(id, said);
      this.underway.clear();
      this.on.state("unsaved", answer.words);
    }
    await this.#keep();
  }

  /** The page goes away: what is left is sent without waiting for an answer. The copy stays until there is one. */
  #lastly() {
    const left = [...new Map([...this.underway, ...this.waiting]).values()].slice(0, MOST);
    if (left.length) void post(this.at.url, { answers: left }, { keepalive: true });
  }
}
