// @ts-check
/** Boxes are [left, top, width, height] in fractions of the page as it is shown. */

/** @typedef {number[]} Box */

/** @param {Box[]} boxes @returns {Box | null} the smallest box around them all */
export function around(boxes) {
  if (!boxes.length) return null;
  const left = Math.min(...boxes.map((box) => box[0]));
  const top = Math.min(...boxes.map((box) => box[1]));
  const right = Math.max(...boxes.map((box) => box[0] + box[2]));
  const bottom = Math.max(...boxes.map((box) => box[1] + box[3]));
  return [left, top, right - left, bottom - top];
}

/** The box on the page after a quarter turn clockwise, as often as asked. @param {Box} box @param {number} quarters @returns {Box} */
export function turned([left, top, width, height], quarters) {
  for (let done = 0; done < ((quarters % 4) + 4) % 4; done += 1) [left, top, width, height] = [1 - top - height, left, height, width];
  return [left, top, width, height];
}

/** @template {{box: Box}} Word @param {Word[]} words in reading order @param {Box} area @returns {Word[]} those whose centre lies in it */
export function within(words, [left, top, width, height]) {
  return words.filter(({ box }) => {
    const [x, y] = [box[0] + box[2] / 2, box[1] + box[3] / 2];
    return x >= left && x <= left + width && y >= top && y <= top + height;
  });
}

/** The smallest move that brings [from, to] into [low, high]. @param {number} from @param {number} to @param {number} low @param {number} high */
export function least(from, to, low, high) {
  if (from < low) return from - low;
  return to > high ? Math.min(to - high, from - low) : 0;
}
