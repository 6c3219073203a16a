// @ts-check
/** Approving and rejecting, and what to do when the server says no. */
import { say } from "../dom.js";
import { post } from "../http.js";
import { toast, toastOnNextPage } from "../toast.js";
import { askEscalation, askOverride, askReject, onConflictReload, showConflict } from "./dialogs.js";
import { forget } from "./drafts.js";
import { withoutValue } from "./reasons.js";

/**
 * @typedef {import("../http.js").Answer} Answer
 * @typedef {import("./store.js").Entry} Entry
 */

/** @type {Record<string, string>} */
const TITLES = { stale_version: "conflict_stale", already_decided: "conflict_decided", taken_over: "conflict_lost", held: "conflict_taken" };

export class Deciding {
  /**
   * @param {any} data the page's data
   * @param {import("./store.js").Store} store
   * @param {import("./drafts.js").Drafts} drafts
   * @param {import("./lease.js").Lease} lease
   * @param {{button: HTMLElement, focus: (entry: Entry) => void, announce: (words: string) => void}} page
   */
  constructor(data, store, drafts, lease, page) {
    this.data = data;
    this.store = store;
    this.drafts = drafts;
    this.lease = lease;
    this.page = page;
    this.busy = false;
    /** @type {string | undefined} */
    this.reloadUrl = undefined;
    onConflictReload(() => location.assign(this.reloadUrl ?? location.href));
  }

  /** @param {string} [reason] why a value may break a rule */
  async approve(reason = "") {
    await this.#send({ decision: "approve", ...this.store.decision(), reason });
  }

  async reject() {
    if (this.busy) return;
    const answer = await askReject();
    if (answer) await this.#send({ decision: "reject", ...this.store.decision(), reason: answer.code, note: answer.note });
  }

  async setAside() {
    await this.#leave(this.data.urls.aside, {});
  }

  async escalate() {
    if (this.busy) return;
    const note = await askEscalation();
    if (note !== null) await this.#leave(this.data.urls.escalate, { note });
  }

  /** Gives the document back undecided, the draft saved. @param {string} url @param {Record<string, unknown>} more */
  async #leave(url, more) {
    if (this.busy) return;
    if (this.lease.lost) return this.lost(say("held_lost_words"));
    this.#wait(true);
    const saved = await this.drafts.flush();
    const answer = saved ? await post(url, { token: this.data.claim.token, ...more }) : null;
    if (answer?.ok) return this.#onward(answer.body);
    this.#wait(false);
    if (answer?.status === 409) return this.conflict(answer);
    toast(answer?.words ?? say("draft_unsaved"));
  }

  /** @param {{next_url: string | null, message: string, undo?: import("../toast.js").Undo}} body */
  #onward(body) {
    this.lease.finish();
    if (body.message) toastOnNextPage(body.message, body.undo?.seconds ? body.undo : undefined);
    location.assign(body.next_url ?? this.data.urls.queue);
  }

  /** @param {Record<string, unknown>} decision */
  async #send(decision) {
    if (this.busy) return;
    if (this.lease.lost) return this.lost(say("held_lost_words"));
    this.#wait(true);
    this.drafts.stop();
    const answer = await post(this.data.urls.decision, {
      token: this.data.claim.token, version: this.data.document.version, ...decision,
    });
    if (answer.ok) return this.#decided(answer.body);
    this.#wait(false);
    if (answer.status === 409) return this.conflict(answer);
    this.drafts.resume();
    if (answer.status === 422 && answer.body?.errors?.length) return this.#refused(answer, decision.decision === "approve");
    toast(answer.words);
  }

  /** @param {{next_url: string | null, message: string, undo: import("../toast.js").Undo}} body */
  #decided(body) {
    forget(this.data.document.id);
    this.#onward(body);
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
    this.page.announce(words);
    if (first) this.page.focus(first);
    else toast(words);
  }

  /** @param {boolean} busy */
  #wait(busy) {
    this.busy = busy;
    this.page.button.classList.toggle("busy", busy);
    this.page.button.setAttribute("aria-disabled", String(busy));
  }

  /** A refusal that cannot be mended by trying again. @param {Answer} answer */
  conflict(answer) {
    this.drafts.stop();
    const code = answer.body?.code ?? "";
    const title = say(TITLES[code] ?? "conflict_other");
    const reload = say(code === "already_decided" ? "conflict_open" : "conflict_reload");
    this.reloadUrl = code === "already_decided" ? this.data.urls.document : location.href;
    showConflict({ title, words: answer.words, rows: this.#differences(answer.body?.current), reload, stay: code !== "already_decided" });
  }

  /** @param {string} words the lease is gone */
  lost(words) {
    this.drafts.stop();
    this.page.announce(words);
    this.reloadUrl = location.href;
    showConflict({ title: say("conflict_lost"), words, rows: [], reload: say("conflict_again"), stay: true });
  }

  /** @param {any} current the newer reading; @returns {{label: string, mine: string, theirs: string}[]} where it differs from ours */
  #differences(current) {
    const cells = (current?.line_items ?? []).flatMap((/** @type {any} */ item) =>
      item.cells.map((/** @type {any} */ cell) => [`line_items.${item.row}.${cell.name}`, cell.value]));
    const newer = [...(current?.fields ?? []).map((/** @type {any} */ field) => [field.name, field.value]), ...cells];
    return newer.flatMap(([name, value]) => {
      const entry = this.store.get(name);
      const theirs = value ?? "";
      if (!entry || entry.current === theirs) return [];
      const label = entry.row === null ? entry.label : say("cell", { label: entry.label, row: entry.row });
      return [{ label, mine: entry.current || withoutValue(entry), theirs }];
    });
  }
}
