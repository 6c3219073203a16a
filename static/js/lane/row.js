// @ts-check
/** One document of a lane: the crop, the value beside it, and what was said of it. */
import { el, icon, ownForm, say } from "../dom.js";
import { crop } from "../review/crop.js";
import { isNumber } from "../review/control.js";
import { percent } from "../review/reasons.js";
import { canonical, shown } from "../values.js";

/**
 * @typedef {"confirmed" | "corrected" | "absent" | "unreadable"} Act
 * @typedef {"open" | "said" | "kept" | "refused" | "gone"} State `said` is on its way to the server, `kept` is there
 * @typedef {object} Told a document as the server hands it out
 * @property {string} document_id
 * @property {number} version
 * @property {string} token
 * @property {string} claimed_at
 * @property {string} filename
 * @property {string} tenant
 * @property {string} url where the page opens at the field
 * @property {any} field
 * @property {{box: number[], image_url: string} | null} crop the piece of the page around the field, and where it lies on the page
 * @typedef {{document_id: string, version: number, act: Act, value: string}} Said
 */

let serial = 0;
/** @type {Record<State, string>} */
const MARKS = { open: "", said: "check", kept: "done", refused: "bad", gone: "lock" };
/** @type {Record<State, string>} */
const TONES = { open: "warn", said: "you", kept: "you", refused: "bad", gone: "none" };

export class Row {
  /** @param {Told} told @param {{label: string, choices: string[]}} lane */
  constructor(told, { label, choices }) {
    const id = `lane-${(serial += 1)}`;
    this.told = told;
    /** @type {State} */
    this.state = "open";
    /** @type {Act | null} */
    this.act = null;
    this.asked = false; // for the piece of its page
    this.problem = ""; // why the server did not take it
    this.mark = el("span", { class: "mark" });
    this.input = /** @type {HTMLInputElement} */ (el("input", {
      id, name: told.field.name, class: "value", type: "text", dir: "auto", autocomplete: "off", spellcheck: "false", autocapitalize: "off", enterkeyhint: "next",
      inputmode: isNumber(told.field.kind) ? "decimal" : "text", maxlength: 4000, list: choices.length ? "choices" : undefined, "aria-describedby": `${id}-why`,
    }));
    this.input.value = this.machine;
    this.input.addEventListener("input", () => this.touched());
    this.why = el("p", { class: "why", id: `${id}-why` });
    this.confirm = button("check", say("confirm_this", { name: told.filename }));
    this.open = el("a", { class: "button ghost square", href: told.url, target: "_blank", tabindex: -1, "aria-label": say("open_this", { name: told.filename }) }, icon("link"));
    this.node = el("li", { class: "lane-row" }, this.mark, this.#picture(),
      ownForm({ class: "holds" }, el("label", { class: "vh", for: id, text: say("value_of", { label, name: told.filename }) }), this.input, this.why),
      el("div", { class: "row-acts" }, this.confirm, this.open));
    this.update();
  }

  get machine() {
    return shown(this.told.field.value, this.told.field.kind);
  }

  /** Whether something can be said of it. */
  get waits() {
    return this.state === "open" || this.state === "refused";
  }

  /** Whether one can see what the value is compared with: nobody confirms a picture that is still on its way. */
  get isShown() {
    return "drawn" in this.node.dataset;
  }

  /** Whether something was said of it that the server has, or is about to have. */
  get isSaid() {
    return this.state === "said" || this.state === "kept";
  }

  #picture() {
    const { crop: piece, filename, tenant } = this.told;
    this.spot = piece ? el("div", { class: "crop" }) : el("div", { class: "crop none", text: say("no_crop") });
    return el("div", { class: "picture" }, this.spot, el("p", { class: "of", title: filename }, filename, el("span", { class: "faint", text: tenant })));
  }

  /** Fetches and decodes the piece of its page, then shows it. */
  async ready() {
    const { crop: piece, field } = this.told;
    this.asked = true;
    if (piece) {
      const image = new Image();
      image.src = piece.image_url;
      const came = await image.decode().then(() => true, () => false);
      const sheet = { number: field.page, width: image.naturalWidth, height: image.naturalHeight, image_url: piece.image_url };
      this.spot?.replaceWith(came ? crop(within(field.box, piece.box), sheet, say("crop")) : el("div", { class: "crop none", text: say("crop_failed") }));
    }
    this.node.dataset.drawn = "";
  }

  /** What pressing Enter says now. @returns {Act | null} null where there is no value to confirm, or none that means one thing */
  meant() {
    const value = this.input.value.trim();
    if (!value || this.unsure) return null;
    return value === this.machine ? "confirmed" : "corrected";
  }

  /** The key of the words that ask for another form, where what was typed may mean two things; "" where it does not. */
  get unsure() {
    const read = this.#read();
    return "ambiguous" in read ? read.ambiguous : "";
  }

  #read() {
    const { kind, value } = this.told.field;
    return canonical(this.input.value.trim(), kind, value);
  }

  /** @param {Act} act @returns {Said} */
  say(act) {
    const read = this.#read();
    const value = act === "corrected" && "value" in read ? read.value : "";
    if (act === "absent" || act === "unreadable") this.input.value = "";
    this.#become("said", act, "");
    return { document_id: this.told.document_id, version: this.told.version, act, value };
  }

  /** @param {{code: string, message: string, value: string | null}} outcome */
  answered(outcome) {
    if (outcome.code === "kept" || outcome.code === "approved") {
      if (outcome.value !== null) this.input.value = shown(outcome.value, this.told.field.kind);
      return this.#become("kept", this.act, "");
    }
    // What the person typed is wrong, and can be mended here; anything else is another's now.
    const mended = /^(invalid_|empty|too_long|not_a_choice)/.test(outcome.code);
    this.#become(mended ? "refused" : "gone", null, outcome.message);
  }

  /** It is in our hands again, as handed out anew. @param {Told} [told] */
  again(told) {
    if (told) this.told = { ...told, crop: this.told.crop ?? told.crop };
    this.input.value = this.machine;
    this.#become("open", null, "");
  }

  restore() {
    this.input.value = this.machine;
    this.touched();
  }

  /** The value is another one now: what the server said against it is over. */
  touched() {
    if (this.state === "refused") this.#become("open", null, "");
  }

  /** @param {State} state @param {Act | null} act @param {string} problem */
  #become(state, act, problem) {
    this.state = state;
    this.act = act;
    this.problem = problem;
    this.update();
  }

  update() {
    const { state } = this;
    this.node.dataset.state = state;
    this.mark.replaceChildren(icon(MARKS[state] || "warn", TONES[state]));
    this.input.readOnly = !this.waits;
    this.input.placeholder = this.act ? "–" : "";
    this.input.setAttribute("aria-invalid", String(state === "refused"));
    this.confirm.hidden = !this.waits;
    this.why.replaceChildren(...this.#words());
  }

  /** @returns {(string | Node)[]} */
  #words() {
    if (this.problem) return [this.problem];
    if (this.act) return [say(`said_${this.act}`)];
    const { field } = this.told;
    const score = field.word_confidence ?? field.confidence;
    const sentence = field.problems?.[0]?.message ?? "";
    const read = score === null || score === undefined ? say("check") : say("read", { percent: percent(score) });
    return [el("span", { class: "number", text: read }), sentence ? el("span", { class: "sentence", text: sentence }) : ""];
  }
}

/** Where a box of the page lies on a piece of it. @param {number[]} box @param {number[]} piece @returns {number[]} */
function within([left, top, wide, high], [x, y, width, height]) {
  return [(left - x) / width, (top - y) / height, wide / width, high / height];
}

/** A button of a row; the keys do the same, so Tab goes from value to value. @param {string} symbol @param {string} label */
function button(symbol, label) {
  const node = el("button", { type: "button", class: "button square", tabindex: -1, "aria-label": label }, icon(symbol));
  node.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the value
  return node;
}
