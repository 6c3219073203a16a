// @ts-check
/**
 * Copies of what a reviewer did that the server has not acknowledged: at once in the tab's own storage, and in IndexedDB, which
 * outlives a browser that is killed.
 */

/**
 * @typedef {import("./entries.js").DraftField} DraftField
 * @typedef {{version: number, revision: number, at?: number, fields: Record<string, DraftField>}} Kept `at` in milliseconds of the clock
 */

const NAME = "dtat-drafts";
const OLDEST = 7 * 24 * 3600_000; // milliseconds; older copies are nobody's work any more
/** @type {Promise<IDBDatabase | null> | undefined} */
let opened;

/** @returns {Promise<IDBDatabase | null>} */
function database() {
  opened ??= new Promise((resolve) => {
    try {
      const asked = indexedDB.open(NAME, 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore(NAME);
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = asked.onblocked = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
  return opened;
}

/**
 * Runs one act on the store; resolves once it is on the disk. `lasting` waits for the disk itself.
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} act
 * @param {boolean} lasting
 * @returns {Promise<any>} rejects where that cannot be
 */
async function run(mode, act, lasting) {
  const base = await database();
  if (!base) throw new Error("no database");
  return new Promise((resolve, reject) => {
    const work = base.transaction(NAME, mode, { durability: lasting ? "strict" : "relaxed" });
    const asked = act(work.objectStore(NAME));
    work.oncomplete = () => resolve(asked.result);
    work.onerror = work.onabort = () => reject(work.error);
    work.commit();
  });
}

/** @param {string} key @param {Kept} draft @param {boolean} lasting @returns {Promise<boolean>} whether it is kept */
export async function keep(key, draft, lasting) {
  const copy = { ...draft, at: Date.now() };
  const inThisTab = inTab(() => sessionStorage.setItem(key, JSON.stringify(copy)));
  try {
    await run("readwrite", (store) => store.put(copy, key), lasting);
    return true;
  } catch {
    return inThisTab;
  }
}

/** @param {string} key @returns {Promise<Kept | null>} work that the server has not acknowledged */
export async function kept(key) {
  /** @type {Kept | null} */
  let inThisTab = null;
  inTab(() => (inThisTab = JSON.parse(sessionStorage.getItem(key) ?? "null")));
  const lasting = await run("readonly", (store) => store.get(key), false).catch(() => null);
  const copy = [inThisTab, lasting].reduce((one, other) => ((other?.at ?? 0) > (one?.at ?? 0) ? other : one));
  return copy && Date.now() - (copy.at ?? 0) < OLDEST ? copy : null;
}

/** @param {string} key */
export async function forget(key) {
  inTab(() => sessionStorage.removeItem(key));
  await run("readwrite", (store) => store.delete(key), false).catch(() => undefined);
}

/** @param {() => void} act @returns {boolean} false where the browser lets nothing be kept: the server's copy is then the only one */
function inTab(act) {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
