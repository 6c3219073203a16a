// @ts-check
/** Panning, drawing an area, zooming by Ctrl and wheel, pinching. Touch scrolling stays the browser's own. */
import { typing } from "../shortcuts.js";

/**
 * @typedef {{x: number, y: number}} Point of the window
 * @typedef {object} On
 * @property {(factor: number, x: number, y: number) => void} zoom about a point of the window
 * @property {(at: Point) => boolean} mayDraw whether an area may begin here; elsewhere dragging pans
 * @property {(from: Point, to: Point, done: boolean) => void} draw
 */

/** @param {HTMLElement} scroller @param {On} on @param {AbortSignal} signal ends it all */
export function gestures(scroller, on, signal) {
  drag(scroller, on, signal);
  pinch(scroller, on.zoom, signal);
  scroller.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    on.zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 240), event.clientX, event.clientY);
  }, { passive: false, signal });
}

/** With the mouse: the middle button, Space held or a beginning beside the page pans; all else draws an area. @param {HTMLElement} scroller @param {On} on @param {AbortSignal} signal */
function drag(scroller, on, signal) {
  /** @type {{x: number, y: number, left: number, top: number, moved: boolean, draws: boolean} | null} */
  let start = null;
  let space = false;
  const held = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== " " || typing(event.target)) return;
    space = event.type === "keydown";
    scroller.classList.toggle("grab", space);
    if (space && event.target === scroller) event.preventDefault(); // else the browser scrolls by a page
  };
  document.addEventListener("keydown", held, { signal });
  document.addEventListener("keyup", held, { signal });
  scroller.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button > 1) return;
    const draws = event.button === 0 && !space && on.mayDraw({ x: event.clientX, y: event.clientY });
    start = { x: event.clientX, y: event.clientY, left: scroller.scrollLeft, top: scroller.scrollTop, moved: false, draws };
  }, { signal });
  // The page keeps the focus in the field while it is dragged or a word is taken.
  scroller.addEventListener("mousedown", (event) => event.preventDefault(), { signal });
  scroller.addEventListener("pointermove", (event) => {
    if (!start) return;
    const [across, down] = [event.clientX - start.x, event.clientY - start.y];
    if (!start.moved && Math.hypot(across, down) < 5) return;
    if (!start.moved) scroller.setPointerCapture(event.pointerId); // only now: a captured click would lose its target
    start.moved = true;
    if (start.draws) return on.draw(start, { x: event.clientX, y: event.clientY }, false);
    scroller.classList.add("dragging");
    scroller.scrollTo(start.left - across, start.top - down);
  }, { signal });
  const end = (/** @type {PointerEvent} */ event) => {
    const begun = start;
    start = null;
    scroller.classList.remove("dragging");
    if (!begun?.moved) return;
    swallowClick();
    if (begun.draws) on.draw(begun, { x: event.clientX, y: event.clientY }, event.type === "pointerup");
  };
  scroller.addEventListener("pointerup", end, { signal });
  scroller.addEventListener("pointercancel", end, { signal });
}

/** The click that ends a drag must not take a word; it comes in the same turn as the pointer's release, if at all. */
function swallowClick() {
  const swallow = (/** @type {Event} */ event) => event.stopPropagation();
  addEventListener("click", swallow, { capture: true });
  setTimeout(() => removeEventListener("click", swallow, { capture: true }), 0);
}

/** @param {HTMLElement} scroller @param {(factor: number, x: number, y: number) => void} zoom @param {AbortSignal} signal */
function pinch(scroller, zoom, signal) {
  let apart = 0;
  /** @param {TouchEvent} event */
  const measure = ({ touches: [one, two] }) => ({
    distance: Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY), x: (one.clientX + two.clientX) / 2, y: (one.clientY + two.clientY) / 2,
  });
  scroller.addEventListener("touchstart", (event) => {
    apart = event.touches.length === 2 ? measure(event).distance : 0;
  }, { passive: true, signal });
  scroller.addEventListener("touchmove", (event) => {
    if (event.touches.length !== 2 || !apart) return;
    event.preventDefault();
    const { distance, x, y } = measure(event);
    zoom(distance / apart, x, y);
    apart = distance;
  }, { passive: false, signal });
}
