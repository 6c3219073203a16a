// @ts-check
/** The document is held for one person: renewed while the page is used, given back when it is left. */
import { icon, say } from "../dom.js";
import { post } from "../http.js";

const BEAT = 30_000; // milliseconds; sooner where the server holds documents for less than three beats
const HIDDEN = 600_000; // a tab nobody looks at keeps the document this long
const SHORT = 30; // seconds

export class Lease {
  /**
   * @param {{token: string, expires_at: string}} claim
   * @param {{heartbeat: string, release: string}} urls
   * @param {HTMLElement} pill
   * @param {(words: string) => void} onLost
   */
  constructor(claim, urls, pill, onLost) {
    this.token = claim.token;
    this.until = Date.parse(claim.expires_at);
    this.urls = urls;
    this.pill = pill;
    this.onLost = onLost;
    this.lost = false;
    this.done = false;
    this.hiddenSince = 0;
    this.ticks = setInterval(() => this.#show(), 1000);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.next = undefined;
    document.addEventListener("visibilitychange", () => {
      this.hiddenSince = document.hidden ? Date.now() : 0;
      if (!document.hidden) this.beat();
    });
    addEventListener("pagehide", () => this.#release());
    // A page that the Back button brings back gave its claim away when it was left.
    addEventListener("pageshow", (event) => event.persisted && location.reload());
    this.#show();
    this.beat();
  }

  async beat() {
    if (this.lost || this.done || (this.hiddenSince && Date.now() - this.hiddenSince > HIDDEN)) return;
    clearTimeout(this.next);
    const answer = await post(this.urls.heartbeat, { token: this.token });
    if (this.done) return;
    // The lease counts from the server's clock, and the two clocks may differ.
    if (answer.ok) this.until = Date.parse(answer.body.expires_at) - answer.ahead;
    else if ([403, 404, 409, 410].includes(answer.status)) return this.#lose(answer.words);
    const left = this.until - Date.now();
    this.next = setTimeout(() => this.beat(), left > 0 ? Math.min(BEAT, Math.max(1000, left / 3)) : 5000);
    this.#show();
  }

  #show() {
    if (this.lost || this.done) return;
    const left = Math.max(0, Math.round((this.until - Date.now()) / 1000));
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
    this.onLost(words);
  }

  /** After a decision: nothing left to hold or to give back. */
  finish() {
    this.done = true;
    this.#stop();
  }

  #stop() {
    clearInterval(this.ticks);
    clearTimeout(this.next);
  }

  #release() {
    if (this.lost || this.done) return;
    const body = new Blob([JSON.stringify({ token: this.token })], { type: "application/json" });
    navigator.sendBeacon(this.urls.release, body);
  }
}
