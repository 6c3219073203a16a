// @ts-check
/** Cuts pieces out of page images, in a thread of its own: decoding a whole page would hold up the keys. */
import { placed } from "../review/placed.js";

/**
 * @typedef {{width: number, height: number}} Size
 * @typedef {object} Ask
 * @property {string} url of the page's image
 * @property {Size} page in pixels, 0 for one that was never drawn before
 * @property {number[]} box
 * @property {Size} frame in CSS pixels
 * @property {number} fine device pixels to a CSS pixel
 */

addEventListener("message", async ({ data: { number, ask } }) => {
  const piece = await cutOut(ask).catch(() => null); // whoever asked says that no image came
  postMessage({ number, piece });
});

/** @param {Ask} ask @returns {Promise<Blob>} a picture of the frame */
async function cutOut({ url, page, box, frame, fine }) {
  const answer = await fetch(url, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(String(answer.status));
  const picture = await answer.blob();
  const size = page.width ? page : await sizeOf(picture);
  const at = placed(box, size, frame);
  const [left, top] = [Math.max(0, -at.x), Math.max(0, -at.y)];
  const [width, height] = [Math.min(at.width - left, frame.width), Math.min(at.height - top, frame.height)];
  const scale = size.width / at.width;
  // Cut first, then made smaller: the whole page would take twenty times as long.
  const piece = await createImageBitmap(picture, ...[left, top, width, height].map((each) => Math.round(each * scale)));
  const sheet = new OffscreenCanvas(Math.round(frame.width * fine), Math.round(frame.height * fine));
  const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (sheet.getContext("2d"));
  pen.imageSmoothingQuality = "medium";
  pen.drawImage(piece, Math.max(0, at.x) * fine, Math.max(0, at.y) * fine, width * fine, height * fine);
  piece.close();
  return sheet.convertToBlob();
}

/** @param {Blob} picture @returns {Promise<Size>} */
async function sizeOf(picture) {
  const whole = await createImageBitmap(picture);
  const { width, height } = whole;
  whole.close();
  return { width, height };
}
