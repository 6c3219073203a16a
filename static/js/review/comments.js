// @ts-check
/** Remarks and questions about the document: writing one, offering the people whom `@` can name, and answering. */
import { el, one, say } from "../dom.js";
import { post } from "../http.js";
import { toastOnNextPage } from "../toast.js";

/** @typedef {import("./entries.js").Entry} Entry */

/**
 * The dialog that writes about an entry, or about the whole document.
 * @param {{username: string, name: string}[]} people
 * @param {Entry | null} entry
 * @param {(text: string) => Promise<string>} send answers with why it was refused, or ""
 */
export function askComment(people, entry, send) {
  const node = /** @type {HTMLDialogElement} */ (one("#comment"));
  const form = /** @type {HTMLFormElement} */ (one("form", node));
  const text = /** @type {HTMLTextAreaElement} */ (one("textarea", node));
  const refusal = one("[data-refusal]", node);
  one("[data-about]", node).textContent = entry ? entry.label : say("about_document");
  refusal.textContent = "";
  const offer = () => offerPeople(one("[data-mentions]", node), text, people);
  text.oninput = offer;
  offer();
  let sending = false;
  form.onsubmit = async (event) => {
    const sends = /** @type {HTMLButtonElement | null} */ (event.submitter)?.value === "yes";
    if (!sends) return;
    event.preventDefault();
    if (sending) return;
    sending = true;
    refusal.textContent = await send(text.value);
    sending = false;
    if (refusal.textContent) return;
    text.value = "";
    node.close();
  };
  node.showModal();
}

/**
 * The people whose name begins like what follows the last `@`; a press writes the name.
 * @param {HTMLElement} place
 * @param {HTMLTextAreaElement} text
 * @param {{username: string, name: string}[]} people
 */
function offerPeople(place, text, people) {
  const begun = /(?:^|\s)@([^\s@]*)$/.exec(text.value.slice(0, text.selectionStart));
  const start = begun ? begun[1].toLowerCase() : null;
  const found = start === null ? [] : people.filter((person) => `${person.username} ${person.name}`.toLowerCase().includes(start)).slice(0, 6);
  place.replaceChildren(...found.map((person) => {
    const button = el("button", { type: "button", class: "button tiny" }, `@${person.username}`, el("small", { text: ` ${person.name}` }));
    button.addEventListener("click", () => {
      const at = text.selectionStart;
      text.setRangeText(`@${person.username} `, at - (start ?? "").length - 1, at, "end");
      text.focus();
      place.replaceChildren();
    });
    return button;
  }));
}

/** The form below an open question, which anybody who may answer has. @param {any} data the page's data @param {HTMLElement} main */
export function answering(data, main) {
  const form = /** @type {HTMLFormElement | null} */ (main.querySelector("form[data-answer]"));
  if (!form) return;
  /** @type {HTMLButtonElement} */ (one("button", form)).disabled = false; // from here on the answer is sent by us
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = String(new FormData(form).get("text") ?? "");
    const answer = await post(data.urls.answer, { text });
    toastOnNextPage(answer.ok ? answer.body.message : answer.words);
    location.reload();
  });
}
