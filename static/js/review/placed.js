// @ts-check
/** Where a piece of a page lies in its frame. It knows no document: whoever cuts in a thread of its own asks it, too. */

/**
 * Where the whole page lies, and how large, so that the box is seen well in a frame of this size.
 * @param {number[]} box @param {{width: number, height: number}} page @param {{width: number, height: number}} frame in CSS pixels, as is the answer
 */
export function placed([left, top, wide, high], page, frame) {
  const ratio = page.height / page.width;
  const byWidth = (frame.width * 0.82) / Math.max(wide, 0.02);
  const byHeight = (frame.height * 0.56) / Math.max(high, 0.005) / ratio;
  const width = Math.min(byWidth, byHeight, page.width * 1.6);
  const height = width * ratio;
  return {
    width, height,
    x: clamp(frame.width / 2 - (left + wide / 2) * width, frame.width - width, 0),
    y: clamp(frame.height / 2 - (top + high / 2) * height, frame.height - height, 0),
  };
}

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.max(Math.min(low, high), Math.min(Math.max(low, high), value));
