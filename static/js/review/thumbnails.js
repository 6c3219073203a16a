// @ts-check
/** The pages in small beside the page images; each is fetched when it comes into view. */
import { el, one, say } from "../dom.js";

const OPEN = "review-thumbnails";

export class Thumbnails {
  /** @param {import("./marks.js").Page[]} pages @param {(number: number) => void} go @param {HTMLElement} root */
  constructor(pages, go, root) {
    this.rail = one("[data-thumbnails]", root);
    this.canvas = one(".canvas", root);
    this.button = root.querySelector("[data-do=thumbnails]");
    /** @type {Map<number, HTMLButtonElement>} */
    this.buttons = new Map(pages.map((page) => [page.number, thumbnail(page, go)]));
    this.rail.replaceChildren(...this.buttons.values());
    this.few = pages.length < 2;
    this.#show(!this.few && localStorage.getItem(OPEN) === "yes");
  }

  toggle() {
    if (this.few) return;
    const open = this.rail.hidden;
    localStorage.setItem(OPEN, open ? "yes" : "no");
    this.#show(open);
  }

  /** @param {number} number the page in the middle of the view */
  at(number) {
    for (const [page, button] of this.buttons) {
      if (page === number) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    if (!this.rail.hidden) this.buttons.get(number)?.scrollIntoView({ block: "nearest" });
  }

  /** A page was turned. @param {import("./marks.js").Page} page */
  renew(page) {
    this.buttons.get(page.number)?.querySelector("img")?.setAttribute("src", page.thumbnail_url);
  }

  /** @param {boolean} open */
  #show(open) {
    this.rail.hidden = !open;
    this.canvas.classList.toggle("with-thumbnails", open);
    this.button?.setAttribute("aria-pressed", String(open));
  }
}

/** @param {import("./marks.js").Page} page @param {(number: number) => void} go */
function thumbnail(page, go) {
  const image = el("img", { src: page.thumbnail_url, alt: "", loading: "lazy", decoding: "async", width: 84, height: 110 });
  const button = el("button", { type: "button", "aria-label": say("go_to_page", { page: page.number }) }, image, el("span", { class: "number", text: page.number }));
  button.addEventListener("click", () => go(page.number));
  return /** @type {HTMLButtonElement} */ (button);
}
