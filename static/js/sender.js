// @ts-check
/** Sends files one per request, three at a time, and tells how each is getting on. */
import { say } from "./dom.js";
import { csrf, freshKey } from "./http.js";

const AT_ONCE = 3;
const TRIES = 3;
const PAUSES = [1000, 4000]; // milliseconds before the second and the third try

/**
 * @typedef {{words: string, share: number, final: boolean, icon: string, tone: string, url?: string, retry?: boolean}} Outcome
 * @typedef {{file: File, fields: Record<string, string>, key: string, tries: number, tell: (outcome: Outcome) => void}} Job
 */

export class Sender {
  /** @param {string} url */
  constructor(url) {
    this.url = url;
    /** @type {Job[]} */
    this.waiting = [];
    this.running = 0;
  }

  /**
   * @param {File} file
   * @param {Record<string, string>} fields
   * @param {(outcome: Outcome) => void} tell called with every step, the last one `final`
   */
  add(file, fields, tell) {
    this.waiting.push({ file, fields, key: freshKey(), tries: 0, tell });
    this.#next();
  }

  #next() {
    while (this.running < AT_ONCE && this.waiting.length) {
      this.running += 1;
      this.#send(/** @type {Job} */ (this.waiting.shift()));
    }
  }

  /** @param {Job} job */
  #send(job) {
    job.tries += 1;
    const body = new FormData();
    for (const [name, value] of Object.entries(job.fields)) if (value) body.append(name, value);
    body.append("file", job.file);
    const request = new XMLHttpRequest();
    request.open("POST", this.url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrf());
    request.setRequestHeader("Idempotency-Key", job.key);
    request.upload.addEventListener("progress", (event) => job.tell(underWay(event)));
    request.addEventListener("load", () => this.#end(job, answered(request)));
    request.addEventListener("error", () => this.#failed(job));
    request.addEventListener("timeout", () => this.#failed(job));
    request.send(body);
  }

  /** The same key makes a repeated request harmless: the server answers it from memory. @param {Job} job */
  #failed(job) {
    if (job.tries >= TRIES) {
      this.#end(job, { words: say("upload_offline"), share: 0, final: true, icon: "bad", tone: "bad", retry: true });
      return;
    }
    job.tell({ words: say("upload_again"), share: 0, final: false, icon: "clock", tone: "warn" });
    setTimeout(() => this.#send(job), PAUSES[job.tries - 1]);
  }

  /** @param {Job} job @param {Outcome} outcome */
  #end(job, outcome) {
    this.running -= 1;
    job.tell(outcome);
    this.#next();
  }
}

/** @param {ProgressEvent} event @returns {Outcome} */
function underWay(event) {
  const share = event.lengthComputable ? event.loaded / event.total : 0;
  const words = share < 1 ? say("upload_sending", { percent: Math.round(share * 100) }) : say("upload_checking");
  return { words, share, final: false, icon: "upload", tone: "you" };
}

/** @param {XMLHttpRequest} request @returns {Outcome} */
function answered(request) {
  const body = parsed(request.responseText);
  if (request.status >= 200 && request.status < 300 && body) return accepted(body);
  const words = body?.detail || body?.title || say(request.status === 413 ? "upload_too_big" : "unexpected");
  return { words, share: 0, final: true, icon: "bad", tone: "bad", retry: request.status >= 500 || request.status === 429 };
}

/** @param {any} body @returns {Outcome} */
function accepted(body) {
  const earlier = body.duplicate;
  if (earlier) {
    const words = `${say("upload_duplicate", { date: earlier.received })} ${price(body.cost)}`;
    return { words, share: 1, final: true, icon: "copies", tone: "warn", url: earlier.url };
  }
  const waits = body.cost?.over_budget;
  const words = `${say(waits ? "upload_over_budget" : "upload_accepted")} ${price(body.cost)}`;
  return { words, share: 1, final: true, icon: waits ? "clock" : "check", tone: waits ? "warn" : "ok", url: body.url };
}

/** @param {{pages: number, usd: string, read_before: boolean} | undefined} cost */
function price(cost) {
  if (!cost) return "";
  return cost.read_before ? say("upload_free") : say("upload_cost", { usd: cost.usd, n: cost.pages });
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
