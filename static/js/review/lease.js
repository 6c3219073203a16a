// @ts-check
/** The document is held for one person: renewed while the page is used, given back when it is left. So are those kept after it. */
import { icon, say } from "../dom.js";
import { post } from "../http.js";

const BEAT = 30_000; // milliseconds; sooner where the server holds documents for less than three beats
const HIDDEN = 600_000; // a tab nobody looks at keeps the document this long
const SHORT = 30; // seconds

/**
 * @typedef {{document_id: string, token: string, claimed_at: string, expires_at: string, until?: number}} Claim
 * `until` is the end by our clock, in milliseconds
 * @typedef {{heartbeat: string, release: string}} Urls
 * @typedef {{claim: Claim, urls: Urls}} Held
 */

export class Lease {
  /**
   * @param {Held} held
   * @param {HTMLElement} pill
   * @param {{onLost: (words: string) => void, ahead: () => Held[], onAhead: (lost: string[]) => void}} on
   * `ahead` tells what is kept after the document, `onAhead` hears what no longer is
   */
  constructor(held, pill, on) {
    this.held = held;
    this.claim = held.claim;
    this.claim.until ??= Date.parse(this.claim.expires_at);
    this.pill = pill;
    this.on = on;
    this.lost = false;
    this.done = false;
    this.hiddenSince = document.hidden ? Date.now() : 0;
    this.left = new AbortController();
    this.ticks = setInterval(() => this.#show(), 1000);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.next = undefined;
    const { signal } = this.left;
    document.addEventListener("visibilitychange", () => {
      this.hiddenSince = document.hidden ? Date.now() : 0;
      if (!document.hidden) this.beat();
    }, { signal });
    addEventListener("pagehide", () => this.#release(), { signal });
    pill.className = "pill number";
    this.#show();
    this.#soon();
  }

  async beat() {
    if (this.lost || this.done || (this.hiddenSince && Date.now() - this.hiddenSince > HIDDEN)) return;
    clearTimeout(this.next);
    const ahead = this.on.ahead().map(({ claim }) => claim.token);
    const answer = await post(this.held.urls.heartbeat, { token: this.claim.token, ahead });
    if (this.done) return;
    if (answer.ok) this.#kept(answer, ahead);
    else if ([403, 404, 409, 410].includes(answer.status)) return this.#lose(answer.words);
    this.#soon();
    this.#show();
  }

  /** @param {import("../http.js").Answer} answer @param {string[]} asked */
  #kept(answer, asked) {
    // The lease counts from the server's clock, and the two clocks may differ.
    const until = Date.parse(answer.body.expires_at) - answer.ahead;
    this.claim.until = until;
    for (const { claim } of this.on.ahead()) if (answer.body.ahead.includes(claim.token)) claim.until = until;
    this.on.onAhead(asked.filter((token) => !answer.body.ahead.includes(token)));
  }

  #soon() {
    const left = (this.claim.until ?? 0) - Date.now();
    clearTimeout(this.next);
    this.next = setTimeout(() => this.beat(), left > 0 ? Math.min(BEAT, Math.max(1000, left / 3)) : 5000);
  }

  #show() {
    if (this.lost || this.done) return;
    const left = Math.max(0, Math.round(((this.claim.until ?? 0) - Date.now()) / 1000));
    this.pill.hidden = false;
    this.pill.classList.toggle("warn", left < SHORT);
    const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    this.pill.replaceChildren(icon("clock", "small"), left ? say("held", { clock }) : say("held_over"));
  }

  /** @param {string} words */
  #lose(words) {
    this.lost = true;
    this.#stop();
    this.pill.className = "pill bad";
    this.pill.replaceChildren(icon("lock", "small"), say("held_lost"));
    this.on.onLost(words);
  }

  /** The document is not on the screen any more: it is decided, or held on as one of those ahead. */
  finish() {
    this.done = true;
    this.left.abort();
    this.#stop();
  }

  #stop() {
    clearInterval(this.ticks);
    clearTimeout(this.next);
  }

  #release() {
    giveBack([...(this.lost ? [] : [this.held]), ...this.on.ahead()]);
  }
}

/** While the page goes away. @param {Held[]} held */
export function giveBack(held) {
  for (const { claim, urls } of held) {
    const { token, claimed_at } = claim;
    navigator.sendBeacon(urls.release, new Blob([JSON.stringify({ token, claimed_at })], { type: "application/json" }));
  }
}
