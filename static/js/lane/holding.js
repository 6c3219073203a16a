// @ts-check
/** The documents of the lane are held for one person: renewed while the page is used, given back when it is left. */
import { post } from "../http.js";

/** @typedef {import("./row.js").Row} Row */

const BEAT = 30_000; // milliseconds; sooner where the server holds documents for less than three beats
const FIRST = 5_000;
const HIDDEN = 600_000; // a tab nobody looks at keeps the documents this long

export class Holding {
  /**
   * @param {{heartbeat: string, release: string}} urls
   * @param {() => Row[]} held the rows that nobody has said anything about yet
   * @param {(lost: Row[]) => void} onLost
   */
  constructor(urls, held, onLost) {
    this.urls = urls;
    this.held = held;
    this.onLost = onLost;
    this.hiddenSince = document.hidden ? Date.now() : 0;
    this.next = setTimeout(() => void this.beat(), FIRST);
    document.addEventListener("visibilitychange", () => {
      this.hiddenSince = document.hidden ? Date.now() : 0;
      if (!document.hidden) void this.beat();
    });
    addEventListener("pagehide", () => this.#release());
  }

  async beat() {
    clearTimeout(this.next);
    const rows = this.held();
    let pause = BEAT;
    if (rows.length && !(this.hiddenSince && Date.now() - this.hiddenSince > HIDDEN)) {
      const answer = await post(this.urls.heartbeat, { tokens: rows.map((row) => row.told.token) });
      if (answer.ok) {
        const left = Date.parse(answer.body.expires_at) - answer.ahead - Date.now();
        pause = Math.min(BEAT, Math.max(1000, left / 3));
        const lost = rows.filter((row) => row.waits && !answer.body.tokens.includes(row.told.token));
        if (lost.length) this.onLost(lost);
      } else pause = 5000;
    }
    clearTimeout(this.next);
    this.next = setTimeout(() => void this.beat(), pause);
  }

  #release() {
    const claims = this.held().map(({ told: { document_id, token, claimed_at } }) => ({ document_id, token, claimed_at }));
    if (claims.length) navigator.sendBeacon(this.urls.release, new Blob([JSON.stringify({ claims })], { type: "application/json" }));
  }
}
