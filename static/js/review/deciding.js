// @ts-check
/** Approving and rejecting, and what to do when the server says no. */
import { painted, say } from "../dom.js";
import { freshKey, post } from "../http.js";
import { toast } from "../toast.js";
import { askComment } from "./comments.js";
import { askEscalation, askOverride, askReject, showConflict } from "./dialogs.js";
import { askMerge, differences, newerFields, putTogether, sameShape } from "./merge.js";
import { remember } from "./previous.js";
import { called, withoutValue } from "./reasons.js";

/**
 * @typedef {import("../http.js").Answer} Answer
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {import("./lease.js").Held} Held
 * @typedef {{next_url: string | null, message: string, undo?: import("../toast.js").Undo}} Told
 * @typedef {object} Desk one document and what is done to it; see desk.js
 * @property {any} data
 * @property {import("./store.js").Store} store
 * @property {import("./drafts.js").Drafts} drafts
 * @property {Flow} flow
 * @property {import("./lease.js").Lease | null} lease
 * @property {import("./lease.js").Claim | null} claim
 * @property {HTMLElement | null} button
 * @property {(entry: Entry) => void} focus
 * @property {(words: string) => void} announce
 * @property {() => void} close
 * @typedef {object} Flow from one document to the next; see flow.js
 * @property {unknown} desk the one that is on the screen
 * @property {() => Promise<any>} next
 * @property {(next: any) => {next: string | null, have: string[]}} onward
 * @property {(answer: Promise<Answer>) => Promise<Answer>} expect
 * @property {(desk: any) => void} show
 * @property {(desk: any) => Promise<void>} comeBack
 * @property {(told: Told) => void} done
 * @property {(told: Told) => void} leave
 * @property {() => Held[]} held
 * @property {(tokens: string[]) => void} lost
 */

/** @type {Record<string, string>} */
const TITLES = { stale_version: "conflict_stale", already_decided: "conflict_decided", taken_over: "conflict_lost", held: "conflict_taken" };

export class Deciding {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.data = desk.data;
    this.store = desk.store;
    this.drafts = desk.drafts;
    this.flow = desk.flow;
    this.busy = false;
    /** @type {{words: string, key: string} | null} the decision that no answer came to */
    this.unanswered = null;
    /** @type {string | undefined} */
    this.reloadUrl = undefined;
  }

  /** @param {string} [reason] why a value may break a rule */
  async approve(reason = "") {
    remember(this.data.document.document_type, this.store);
    await this.#send({ decision: "approve", ...this.store.decision(), reason });
  }

  /** Nothing but rules keeps the document from being approved: asks at once for the reason that the server would ask for. */
  async overrule() {
    if (this.busy) return;
    const broken = this.store.open().flatMap((entry) => entry.rules);
    const reason = await askOverride([...new Set(broken)]);
    if (reason) await this.approve(reason);
  }

  async reject() {
    if (this.busy) return;
    const answer = await askReject(this.data.reject_reasons);
    if (answer) await this.#send({ decision: "reject", ...this.store.decision(), reason: answer.code, note: answer.note });
  }

  async setAside() {
    await this.#giveBack(this.data.urls.aside, {});
  }

  async escalate() {
    if (this.busy) return;
    const note = await askEscalation();
    if (note !== null) await this.#giveBack(this.data.urls.escalate, { note });
  }

  /** A remark; with a name in it a question, which gives the document away. @param {Entry | null} entry what it is about, null for the document */
  comment(entry) {
    if (!this.busy) askComment(this.data.people, entry, (text) => this.#said(entry, text));
  }

  /** @param {Entry | null} entry @param {string} text @returns {Promise<string>} why it was refused, or "" */
  async #said(entry, text) {
    if (!(await this.drafts.flush())) return say("draft_unsaved");
    const next = await this.flow.next();
    const answer = await this.flow.expect(post(this.data.urls.comment, { field: entry?.name ?? "", text, ...this.flow.onward(next) }));
    if (!answer.ok) return answer.words;
    if ("next_url" in answer.body) this.#onward(next, answer.body);
    else toast(answer.body.message);
    return "";
  }

  /** Gives the document back undecided, the draft saved. @param {string} url @param {Record<string, unknown>} more */
  async #giveBack(url, more) {
    if (this.busy) return;
    if (this.desk.lease?.lost) return this.lost(say("held_lost_words"));
    this.#wait(true);
    const saved = await this.drafts.flush();
    const next = await this.flow.next();
    const answer = saved ? await this.flow.expect(post(url, { token: this.desk.claim?.token, ...more, ...this.flow.onward(next) })) : null;
    this.#wait(false);
    if (answer?.ok) return this.#onward(next, answer.body);
    if (answer?.status === 409) return this.conflict(answer);
    toast(answer?.words ?? say("draft_unsaved"));
  }

  /** @param {any} next the desk of the next document, or null @param {Told} body */
  #onward(next, body) {
    this.desk.lease?.finish();
    if (!next) return this.flow.leave(body);
    if (this.flow.desk === this.desk) this.flow.show(next);
    this.desk.close();
    this.flow.done(body);
  }

  /** The next document is shown before the answer is here; when the answer is no, this one comes back. @param {Record<string, unknown>} decision */
  async #send(decision) {
    if (this.busy) return;
    if (this.desk.lease?.lost) return this.lost(say("held_lost_words"));
    this.#wait(true);
    this.drafts.stop();
    const next = await this.flow.next();
    const body = { token: this.desk.claim?.token, version: this.data.document.version, ...decision };
    const onward = this.flow.onward(next);
    const send = () => post(this.data.urls.decision, { ...body, ...onward }, { keepalive: true, key: this.#key(JSON.stringify(body)) });
    const shown = next && navigator.onLine ? this.#shown(next) : null;
    const answer = await this.flow.expect(shown ? shown.then(send) : send());
    this.#wait(false);
    if (answer.status) this.unanswered = null;
    if (answer.ok) {
      this.drafts.done();
      return this.#onward(next, answer.body);
    }
    await this.flow.comeBack(this.desk);
    if (answer.status === 409) return this.conflict(answer, () => void this.#send({ ...decision, ...this.store.decision() }));
    this.drafts.resume();
    if (answer.status === 422 && answer.body?.errors?.length) return this.#refused(answer, decision.decision === "approve");
    this.desk.announce(answer.words);
    toast(answer.words);
  }

  /** Puts the next document on the screen; a request begun at once would have it painted later. @param {any} next */
  #shown(next) {
    this.flow.show(next);
    return painted();
  }

  /** The same decision sent again is the same one to the server: its answer may have been lost. @param {string} words */
  #key(words) {
    if (this.unanswered?.words !== words) this.unanswered = { words, key: freshKey() };
    return this.unanswered.key;
  }

  /** @param {Answer} answer @param {boolean} approving */
  async #refused(answer, approving) {
    const { errors, overridable } = answer.body;
    if (overridable && approving) {
      const reason = await askOverride(errors.map((/** @type {{message: string}} */ error) => error.message));
      if (reason) return this.approve(reason);
    }
    const first = this.store.refuse(errors);
    const words = errors.map((/** @type {{message: string}} */ error) => error.message).join(" ");
    this.desk.announce(words);
    if (first) this.desk.focus(first);
    else toast(words);
  }

  /** @param {boolean} busy */
  #wait(busy) {
    this.busy = busy;
    this.desk.button?.classList.toggle("busy", busy);
    this.desk.button?.setAttribute("aria-disabled", String(busy));
  }

  /**
   * A refusal that cannot be mended by trying again. A newer version is put together with this one field by field, where both have the same fields.
   * @param {Answer} answer
   * @param {() => void} [again] sends what was refused against the newer version
   */
  conflict(answer, again) {
    this.drafts.stop();
    const code = answer.body?.code ?? "";
    const current = answer.body?.current;
    if (code === "stale_version" && current?.status === "needs_review" && sameShape(this.store, newerFields(current))) return void this.#merge(current, again);
    const title = say(TITLES[code] ?? "conflict_other");
    const reload = say(code === "already_decided" ? "conflict_open" : "conflict_reload");
    this.reloadUrl = code === "already_decided" ? this.data.urls.document : location.href;
    showConflict({ title, words: answer.words, rows: this.#differences(answer.body?.current), reload, stay: code !== "already_decided" });
  }

  /** @param {any} current the newer version @param {() => void} [again] */
  async #merge(current, again) {
    const newer = newerFields(current);
    const found = differences(this.store, newer);
    if (found.length && !(await askMerge(found))) return;
    putTogether(this.store, newer, found);
    this.data.document.version = current.version;
    this.drafts.moveTo(current.version);
    if (again && (!this.store.open().length || this.store.heldOnly())) return again();
    const first = this.store.nextOpen(null);
    if (first) this.desk.focus(first);
    toast(say("merged"));
  }

  /** @param {string} words the lease is gone */
  lost(words) {
    this.drafts.stop();
    this.desk.announce(words);
    this.reloadUrl = location.href;
    showConflict({ title: say("conflict_lost"), words, rows: [], reload: say("conflict_again"), stay: true });
  }

  /** @param {any} current the newer reading; @returns {{label: string, mine: string, theirs: string}[]} where it differs from ours */
  #differences(current) {
    return [...newerFields(current)].flatMap(([name, { value: theirs }]) => {
      const entry = this.store.get(name);
      if (!entry || entry.current === theirs) return [];
      const label = called(entry);
      return [{ label, mine: entry.current || withoutValue(entry), theirs }];
    });
  }
}
