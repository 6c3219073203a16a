// @ts-check
/** A piece of a page, cut out by the position of a background: no further request. */
import { el } from "../dom.js";

/** @typedef {{number: number, width: number, height: number, image_url: string}} Page */

/** @param {number[]} box @param {Page} page @param {string} label */
export function crop(box, page, label) {
  const node = el("div", { class: "crop", role: "img", "aria-label": label, "data-place": [page.image_url, ...box].join() });
  const draw = async () => {
    if (!page.width) await measure(page);
    const { width, height } = node.getBoundingClientRect();
    if (!width || !page.width) return;
    const [left, top, wide, high] = box;
    const ratio = page.height / page.width;
    const byWidth = (width * 0.82) / Math.max(wide, 0.02);
    const byHeight = (height * 0.56) / Math.max(high, 0.005) / ratio;
    const shown = Math.min(byWidth, byHeight, page.width * 1.6);
    node.style.backgroundImage = `url("${page.image_url}")`;
    node.style.backgroundSize = `${shown}px ${shown * ratio}px`;
    const x = clamp(width / 2 - (left + wide / 2) * shown, width - shown, 0);
    const y = clamp(height / 2 - (top + high / 2) * shown * ratio, height - shown * ratio, 0);
    node.style.backgroundPosition = `${x}px ${y}px`;
  };
  new ResizeObserver(draw).observe(node);
  return node;
}

/** The size of a page that was never drawn before is known once its image is here. @param {Page} page */
async function measure(page) {
  const image = new Image();
  image.src = page.image_url;
  await image.decode().catch(() => undefined);
  Object.assign(page, { width: image.naturalWidth, height: image.naturalHeight });
}

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.max(Math.min(low, high), Math.min(Math.max(low, high), value));
