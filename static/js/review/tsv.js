// @ts-check
/** What a spreadsheet puts on the clipboard: cells between tabs, rows between line ends, quotes around what holds either. */

/** @param {string} text @returns {string[][]} */
export function parsed(text) {
  /** @type {string[][]} */
  const rows = [];
  let [row, cell, quoted, begun] = [/** @type {string[]} */ ([]), "", false, false];
  const endCell = () => {
    row.push(cell);
    [cell, begun] = ["", false];
  };
  const endRow = () => {
    endCell();
    rows.push(row);
    row = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[at + 1] === '"') cell += text[(at += 1)];
      else quoted = false;
    } else if (letter === '"' && !begun) [quoted, begun] = [true, true];
    else if (letter === "\t") endCell();
    else if (letter === "\n") endRow();
    else if (letter !== "\r") [cell, begun] = [cell + letter, true];
  }
  if (cell || row.length) endRow();
  return rows;
}
