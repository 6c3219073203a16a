// @ts-check
/** Talking to the server in JSON. */
import { say } from "./dom.js";

/**
 * @typedef {{ok: boolean, status: number, body: any, words: string, ahead: number}} Answer
 * `ahead` is by how many milliseconds the server's clock is ahead of ours, to the second; `status` 0 means that the network gave no answer; `words` is the sentence to show when not ok.
 */

const KEPT_ALIVE = 60_000; // browsers refuse to keep more than 64 KiB alive

/** @returns {string} the token that proves a request came from one of our pages */
export function csrf() {
  const meta = /** @type {HTMLMetaElement | null} */ (document.querySelector('meta[name="csrf-token"]'));
  const input = /** @type {HTMLInputElement | null} */ (document.querySelector('input[name="csrfmiddlewaretoken"]'));
  const cookie = document.cookie.split("; ").find((pair) => pair.startsWith("csrftoken="));
  // The cookie first: who signs in again in another tab gets a new one, and this page still holds the old.
  return (cookie ? decodeURIComponent(cookie.slice("csrftoken=".length)) : "") || meta?.content || input?.value || "";
}

/**
 * @param {string} url
 * @param {unknown} body
 * @param {{keepalive?: boolean, key?: string, signal?: AbortSignal}} [options] `signal` gives the request up; requests with the same `key` are done once
 * @returns {Promise<Answer>}
 */
export async function post(url, body, options = {}) {
  const text = JSON.stringify(body);
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf(), ...(options.key ? { "Idempotency-Key": options.key } : {}) },
      body: text,
      credentials: "same-origin",
      keepalive: options.keepalive === true && text.length < KEPT_ALIVE,
      signal: options.signal ? AbortSignal.any([options.signal, AbortSignal.timeout(20000)]) : AbortSignal.timeout(20000),
    });
  } catch {
    return { ok: false, status: 0, body: null, words: say("offline"), ahead: 0 };
  }
  return answered(response);
}

/**
 * @param {string} url
 * @returns {Promise<Answer>}
 */
export async function get(url) {
  try {
    return await answered(await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin", signal: AbortSignal.timeout(20000) }));
  } catch {
    return { ok: false, status: 0, body: null, words: say("offline"), ahead: 0 };
  }
}

/**
 * @param {Response} response
 * @returns {Promise<Answer>}
 */
async function answered(response) {
  const json = (response.headers.get("Content-Type") ?? "").includes("json");
  const body = json ? await response.json().catch(() => null) : null;
  const signedOut = response.status === 401 || (response.redirected && !json);
  const ok = response.ok && !signedOut && (json || response.status === 204);
  const words = body?.detail || body?.title || say(signedOut ? "signed_out" : "unexpected");
  const date = Date.parse(response.headers.get("Date") ?? "");
  const ahead = Math.abs(date - Date.now()) > 2000 ? date - Date.now() : 0;
  return { ok, status: signedOut ? 401 : response.status, body, words: String(words), ahead };
}

/** A fresh random key, also where the page is not served over HTTPS and `randomUUID` is missing. */
export function freshKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
