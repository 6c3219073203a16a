// @ts-check
/** What is said in a lane, and what the server says to it; more documents are fetched before the last row is reached. */
import { one, say } from "../dom.js";
import { post } from "../http.js";
import { toast } from "../toast.js";
import { Holding } from "./holding.js";
import { List } from "./list.js";
import { Outbox } from "./outbox.js";
import { Row } from "./row.js";

/**
 * @typedef {import("./row.js").Act} Act
 * @typedef {{person: string, lane: {document_type: string, field: string, label: string, choices: string[]}, urls: Record<string, string>}} Data
 */

const AHEAD = 30; // documents in our hands
const FEW = 20; // when fewer are left, more are asked for
const COUNTED_EVERY = 5; // requests for more: how many wait takes longer to say than which come next
const REMEMBERED = 100; // answers, or blocks of them, that can be taken back
const AGAIN = 5000; // milliseconds before rows that did not come are asked for once more

export class Lane {
  /** @param {Data} data */
  constructor(data) {
    this.data = data;
    this.list = new List(one("#rows"), (words) => this.announce(words));
    /** @type {Row[][]} what was said together, the last at the end */
    this.said = [];
    this.waiting = 0;
    this.done = 0;
    this.asking = false;
    this.asked = 0; // so many times
    this.dry = false; // fewer came than were asked for: there are no more for now
    const { person, lane, urls } = data;
    this.outbox = new Outbox({ url: urls.answers, key: `${person}:lane:${lane.document_type}:${lane.field}` }, {
      outcome: (outcome) => this.#answered(outcome),
      state: (state, words) => this.#tell(state, words),
    });
    this.holding = new Holding({ heartbeat: urls.heartbeat, release: urls.release }, () => this.list.open(), (lost) => this.#lost(lost));
    one("#look-again").addEventListener("click", () => void this.more());
    one("#confirm-block").addEventListener("click", () => this.confirmBlock());
    addEventListener("beforeunload", (event) => {
      if (this.outbox.ids.length && this.outbox.failures) event.preventDefault(); // the copy is sent only from this lane
    });
  }

  async start() {
    const count = await this.outbox.bringBack();
    if (count) toast(say("brought_back", { n: count }));
    await this.more();
  }

  /** Asks for as many documents as are missing in our hands. */
  async more() {
    const wanted = AHEAD - this.list.open().length;
    if (this.asking || wanted <= 0) return;
    this.asking = true;
    const here = this.list.rows.filter((row) => row.state !== "kept").map((row) => row.told.document_id);
    const counted = this.asked++ % COUNTED_EVERY === 0 || this.dry;
    const answer = await post(this.data.urls.rows, { wanted, counted, without: [...here, ...this.outbox.ids].slice(-500) });
    this.asking = false;
    if (answer.ok) {
      const fresh = answer.body.rows.map((/** @type {import("./row.js").Told} */ told) => new Row(told, this.data.lane));
      for (const row of fresh) row.confirm.addEventListener("click", (/** @type {Event} */ event) => this.confirm(row, byTouch(event)));
      if (counted) this.waiting = Math.max(0, answer.body.waiting - this.outbox.ids.length); // it does not know of them yet
      this.dry = fresh.length < wanted;
      this.list.add(fresh);
    } else {
      this.announce(answer.words);
      setTimeout(() => void this.more(), AGAIN);
    }
    this.#show();
  }

  // --- Saying ---

  /** Takes the value as it stands, and goes on. @param {Row | null} [row] @param {boolean} [touch] */
  confirm(row = this.list.active, touch = false) {
    if (!row) return;
    if (row.waits && !row.isShown) return this.announce(say("not_shown"));
    const act = row.meant();
    if (row.waits && !act) return toast(say(row.unsure || "empty_value"));
    if (row.waits && act) this.#say([[row, act]]);
    this.list.focus(this.list.next(row), touch);
  }

  confirmBlock() {
    const open = this.list.block().filter((row) => row.waits);
    if (open.some((row) => !row.isShown)) return this.announce(say("not_shown"));
    const empty = open.filter((row) => !row.meant());
    const full = open.filter((row) => row.meant());
    this.#say(full.map((row) => [row, /** @type {Act} */ (row.meant())]));
    this.list.anchor = null;
    this.list.focus(empty[0] ?? this.list.next(this.list.active));
    this.list.showBlock();
    this.announce(say("block_done", { n: full.length }));
    if (empty.length) toast(say(empty[0].unsure || "empty_value"));
  }

  /** @param {"absent" | "unreadable"} act */
  without(act) {
    const row = this.list.active;
    if (!row?.waits) return;
    if (!row.isShown) return this.announce(say("not_shown"));
    this.#say([[row, act]]);
    this.list.focus(this.list.next(row));
  }

  /** @param {[Row, Act][]} acts */
  #say(acts) {
    if (!acts.length) return;
    this.outbox.add(acts.map(([row, act]) => row.say(act)));
    this.said = [...this.said, acts.map(([row]) => row)].slice(-REMEMBERED);
    this.#count(acts.length);
    const left = this.list.open().length;
    if (left === 0 || (left < FEW && !this.dry)) void this.more();
  }

  restore() {
    this.list.active?.restore();
    this.list.active?.input.select();
  }

  /** Opens the page of the active row, beside this one. */
  openPage() {
    if (this.list.active) window.open(this.list.active.told.url, "_blank");
  }

  // --- Taking back ---

  /** Takes back what was said last. @returns {boolean} false when the key is the text's own: something is being typed */
  takeBack() {
    const { active } = this.list;
    if (active?.waits && document.activeElement === active.input && active.input.value !== active.machine) return false;
    const rows = this.said.pop();
    if (rows) void this.#takenBack(rows);
    else this.announce(say("nothing_said"));
    return true;
  }

  /** @param {Row[]} rows */
  async #takenBack(rows) {
    for (const row of rows.filter((each) => each.isSaid)) {
      const words = await this.#back(row);
      if (words) toast(words);
      else if (row.waits) this.#count(-1);
    }
    const first = rows.find((row) => row.waits);
    this.list.focus(first ?? null);
    if (first) this.announce(say("taken_back", { n: rows.length }));
  }

  /** @param {Row} row @returns {Promise<string>} why it cannot be, "" when it is */
  async #back(row) {
    const { document_id, version } = row.told;
    const said = this.outbox.waiting.get(document_id);
    if (this.outbox.cancel(document_id)) return row.again(), "";
    await this.outbox.settled();
    if (!row.isSaid) return ""; // it was refused meanwhile
    const answer = await post(this.data.urls["take-back"], { document_id, version });
    if (answer.ok) return row.again(answer.body.row), "";
    if (said && answer.body?.code === "not_possible") return row.again(), ""; // it had never arrived
    if (said) this.outbox.add([said]);
    return answer.words;
  }

  // --- Hearing ---

  /** @param {import("./outbox.js").Outcome} outcome */
  #answered(outcome) {
    const row = this.list.rows.find((each) => each.told.document_id === outcome.document_id);
    if (!row) return;
    row.answered(outcome);
    if (row.state === "kept") return;
    if (row.waits && !this.list.active?.waits) this.list.focus(row); // it was the last one
    const words = say("not_taken", { name: row.told.filename, why: outcome.message });
    toast(words);
    this.#count(-1);
  }

  /**
   * Rows that are no longer held for us: decided in another tab, or given back. Those that are still free come again.
   * @param {Row[]} lost
   */
  #lost(lost) {
    const going = lost.filter((row) => row.input.value === row.machine);
    this.list.remove(going);
    if (going.length) this.announce(say("gone", { n: going.length }));
    this.#show();
    void this.more();
  }

  /** @param {"saving" | "saved" | "unsaved"} state @param {string} words */
  #tell(state, words) {
    const place = one("#saved");
    place.hidden = false;
    place.dataset.state = state;
    place.classList.toggle("bad", state === "unsaved");
    place.title = words;
    const told = say(`answers_${state}`);
    if (place.textContent !== told) place.textContent = told;
  }

  /** @param {number} more so many were done, or are to be done again */
  #count(more) {
    this.done = Math.max(0, this.done + more);
    this.waiting = Math.max(0, this.waiting - more);
    this.#show();
  }

  #show() {
    const left = this.list.open().length;
    one("#count").textContent = say("count", { waiting: Math.max(left, this.waiting), done: this.done });
    one("#loading").hidden = true;
    const over = left === 0 && !this.asking;
    one("#none-left").hidden = !over;
    if (over && this.said.length) one("#look-again").focus();
    one("#lane-keys").hidden = left === 0;
    this.list.trim();
  }

  /** @param {string} words */
  announce(words) {
    one("#live").textContent = words;
  }
}

/** @param {Event} event */
const byTouch = (event) => event instanceof PointerEvent && event.pointerType === "touch";
