// @ts-check
/** Undo and redo within one document. What the store changes is noted here, step by step. */

/**
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {Pick<Entry, "current" | "state" | "held" | "evidence">} Standing
 * @typedef {{entry: Entry, before: Standing, after: Standing}} Change
 * @typedef {{changes: Change[], rows?: {back: () => void, again: () => void}, typing: boolean}} Step
 */

const MOST = 500; // steps

/** @param {Entry} entry @returns {Standing} */
export const standing = ({ current, state, held, evidence }) => ({ current, state, held, evidence });

export class History {
  constructor() {
    /** @type {Step[]} */
    this.done = [];
    /** @type {Step[]} */
    this.undone = [];
    /** @type {Step | null} the step that several changes belong to */
    this.open = null;
  }

  /** Everything that `run` changes is one step. @template T @param {() => T} run @returns {T} */
  together(run) {
    if (this.open) return run();
    this.open = { changes: [], typing: false };
    try {
      return run();
    } finally {
      const step = this.open;
      this.open = null;
      if (step.changes.length || step.rows) this.#push(step);
    }
  }

  /** @param {Entry} entry @param {Standing} before @param {boolean} typing letters of one value are one step */
  note(entry, before, typing) {
    const after = standing(entry);
    if (before.current === after.current && before.state === after.state && before.evidence === after.evidence) return;
    const change = { entry, before, after };
    if (this.open) return void this.open.changes.push(change);
    const last = this.done.at(-1);
    if (typing && last?.typing && last.changes[0].entry === entry && !this.undone.length) last.changes[0].after = after;
    else this.#push({ changes: [change], typing });
  }

  /** @param {() => void} back @param {() => void} again rows that came or went */
  noteRows(back, again) {
    if (!this.open) return void this.#push({ changes: [], rows: { back, again }, typing: false });
    const earlier = this.open.rows;
    this.open.rows = earlier ? { back: () => (back(), earlier.back()), again: () => (earlier.again(), again()) } : { back, again };
  }

  /** What is typed from now on is a step of its own. */
  settle() {
    const last = this.done.at(-1);
    if (last) last.typing = false;
  }

  /** @returns {Step | undefined} what was taken back */
  undo() {
    const step = this.done.pop();
    if (!step) return undefined;
    this.undone.push(step);
    for (const { entry, before } of step.changes.toReversed()) Object.assign(entry, before, { errors: [] });
    step.rows?.back();
    return step;
  }

  /** @returns {Step | undefined} */
  redo() {
    const step = this.undone.pop();
    if (!step) return undefined;
    this.done.push(step);
    step.rows?.again();
    for (const { entry, after } of step.changes) Object.assign(entry, after, { errors: [] });
    return step;
  }

  /** @param {Step} step */
  #push(step) {
    this.done.push(step);
    if (this.done.length > MOST) this.done.shift();
    this.undone = [];
  }
}
