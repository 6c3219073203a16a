// @ts-check
/** From one document to the next without loading a page: the next is kept ready while this one is read. */
import { one, painted, say, whenIdle } from "../dom.js";
import { post } from "../http.js";
import { toast, toastOnNextPage } from "../toast.js";
import { Desk } from "./desk.js";
import { giveBack } from "./lease.js";
import { parsedPart, swap } from "./part.js";

/**
 * @typedef {import("../http.js").Answer} Answer
 * @typedef {import("../toast.js").Undo} Undo
 * @typedef {import("./lease.js").Claim} Claim
 * @typedef {Claim & {part?: string}} Ready
 */

const MARGIN = 3000; // milliseconds of its lease that a document must have left to be shown without asking

/** @returns {Promise<void>} */
const idle = () => new Promise((resolve) => whenIdle(resolve));

export class Flow {
  /** @param {import("./part.js").Part} part what the page was loaded with */
  constructor(part) {
    this.desk = new Desk(part, this);
    /** @type {Desk[]} those that come next, held for this person */
    this.ahead = [];
    /** @type {Promise<unknown>} what may add to them */
    this.pending = Promise.resolve();
    /** @type {Promise<void>} the address is that of the document on the screen */
    this.addressed = Promise.resolve();
    addEventListener("popstate", () => location.pathname === this.#path() || location.reload());
    // A page that the Back button brings back gave its claims away when it was left.
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  async start() {
    const early = new AbortController(); // the page may be left before the document is on it
    if (this.desk.editable) addEventListener("pagehide", () => giveBack([this.desk.held()]), { signal: early.signal });
    await this.desk.restored();
    early.abort();
    this.desk.start();
    if (this.desk.editable) this.#reserve();
  }

  #path() {
    return new URL(this.desk.data.urls.review, location.href).pathname;
  }

  #reserve() {
    this.expect(post(this.desk.data.urls.ahead, { have: this.ahead.map((desk) => desk.id) }));
  }

  /** The next document, as soon as it can be shown; null when none is ready. @returns {Promise<Desk | null>} */
  async next() {
    if (!this.ahead.length) await this.pending;
    const now = Date.now();
    this.ahead = this.ahead.filter((desk) => (desk.claim?.until ?? 0) > now + MARGIN);
    return this.ahead[0] ?? null;
  }

  /** What the server is told of where this page goes on. @param {Desk | null} next */
  onward(next) {
    return { next: next?.id ?? null, have: this.ahead.filter((desk) => desk !== next).map((desk) => desk.id) };
  }

  /** An answer that tells what is reserved: it is built when it comes. @param {Promise<Answer>} answer @returns {Promise<Answer>} */
  expect(answer) {
    const before = this.pending;
    this.pending = answer.then(async (told) => {
      await before;
      if (told.ok) await this.#prepare(told);
    }).catch((error) => console.warn(error)); // without it the next document is loaded as a page
    return answer;
  }

  /** @param {Answer} told */
  async #prepare(told) {
    const { current, reserved } = /** @type {{current?: Claim | null, reserved?: Ready | null}} */ (told.body);
    for (const claim of [current, reserved]) if (claim) this.#renew(claim, told.ahead);
    if (reserved?.part && !this.ahead.some((desk) => desk.id === reserved.document_id)) this.ahead.push(await this.#built(reserved, told.ahead));
    this.#told();
  }

  /** Whether the next document can be shown at once, for whoever looks from outside. */
  #told() {
    this.desk.part.main.dataset.ahead = this.ahead.length ? "ready" : "none";
  }

  /** @param {Claim} claim @param {number} ours by how much the server's clock is ahead */
  #renew(claim, ours) {
    for (const desk of [this.desk, ...this.ahead])
      if (desk.id === claim.document_id && desk.claim?.token === claim.token) desk.claim.until = Date.parse(claim.expires_at) - ours;
  }

  /** @param {Ready} told @param {number} ours @returns {Promise<Desk>} */
  async #built(told, ours) {
    await idle();
    const part = parsedPart(told.part ?? "");
    await idle();
    const desk = new Desk(part, this);
    if (desk.claim) desk.claim.until = Date.parse(desk.claim.expires_at) - ours;
    one("[data-progress]").textContent = part.progress;
    return desk.ready();
  }

  /** Shows a document that is ready. @param {Desk} desk */
  show(desk) {
    this.ahead = this.ahead.filter((other) => other !== desk);
    this.#swap(desk);
    this.addressed = painted().then(() => {
      if (this.desk === desk) history.pushState(null, "", this.#path());
    });
  }

  /** Back to a document that was left; the one on the screen comes after it. @param {Desk} desk */
  async comeBack(desk) {
    await dialogsClosed();
    await this.addressed;
    if (this.desk === desk) return;
    this.ahead = [...(this.desk.editable ? [this.desk] : []), ...this.ahead.filter((other) => other !== desk)];
    this.#swap(desk);
    history.replaceState(null, "", this.#path());
  }

  /** @param {Desk} desk */
  #swap(desk) {
    const before = this.desk;
    desk.viewer.sheets.expect(before.viewer.sheets);
    before.leave();
    this.desk = desk;
    swap(before.part, desk.part);
    desk.start();
    desk.announce(say("document_shown", { name: desk.data.document.filename, n: desk.store.open().length }));
    this.#told();
  }

  /** A document was decided or given back, and the next is on the screen. @param {{message: string, undo?: Undo}} told */
  done({ message, undo }) {
    if (undo?.seconds) toast(message, () => void this.#takeBack(undo), undo.seconds * 1000);
    else if (message) toast(message);
  }

  /** The same where no next document was ready: the server says which page comes. @param {{next_url: string | null, message: string, undo?: Undo}} told */
  leave({ next_url, message, undo }) {
    if (message) toastOnNextPage(message, undo?.seconds ? undo : undefined);
    location.assign(next_url ?? this.desk.data.urls.queue);
  }

  /** @param {Undo} undo */
  async #takeBack(undo) {
    const answer = await post(undo.url, { version: undo.version });
    if (!answer.ok) return toast(answer.words);
    const again = await post(answer.body.opened_url, {});
    if (!again.ok) return location.assign(answer.body.url);
    await this.comeBack(await this.#built(again.body, again.ahead));
  }

  /** What is held for later, whatever the state of the page. */
  held() {
    return this.ahead.map((desk) => desk.held());
  }

  /** Those that are not held any more; when none is left ready, another is asked for. @param {string[]} tokens */
  lost(tokens) {
    this.ahead = this.ahead.filter((desk) => !tokens.includes(desk.claim?.token ?? ""));
    if (!this.ahead.length) this.#reserve();
  }
}

/** What is asked on the screen is answered first. @returns {Promise<void>} */
async function dialogsClosed() {
  const open = document.querySelector("dialog[open]");
  if (open) await new Promise((resolve) => open.addEventListener("close", resolve, { once: true }));
}
