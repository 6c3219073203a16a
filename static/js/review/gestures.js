// @ts-check
/** Panning by dragging, zooming by Ctrl and wheel, pinching. Touch scrolling stays the browser's own. */

/**
 * @param {HTMLElement} scroller
 * @param {(factor: number, x: number, y: number) => void} zoom about a point of the window
 * @param {AbortSignal} over ends what listens beyond the scroller
 */
export function gestures(scroller, zoom, over) {
  drag(scroller, over);
  pinch(scroller, zoom);
  scroller.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 240), event.clientX, event.clientY);
  }, { passive: false });
}

/** @param {HTMLElement} scroller @param {AbortSignal} over */
function drag(scroller, over) {
  /** @type {{x: number, y: number, left: number, top: number, moved: boolean} | null} */
  let start = null;
  scroller.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button > 1) return;
    start = { x: event.clientX, y: event.clientY, left: scroller.scrollLeft, top: scroller.scrollTop, moved: false };
  });
  // The page keeps the focus in the field while it is dragged or a word is taken.
  scroller.addEventListener("mousedown", (event) => event.preventDefault());
  addEventListener("pointermove", (event) => {
    if (!start) return;
    const [across, down] = [event.clientX - start.x, event.clientY - start.y];
    if (!start.moved && Math.hypot(across, down) < 5) return;
    start.moved = true;
    scroller.classList.add("dragging");
    scroller.scrollTo(start.left - across, start.top - down);
  }, { signal: over });
  addEventListener("pointerup", () => {
    if (start?.moved) swallowClick();
    start = null;
    scroller.classList.remove("dragging");
  }, { signal: over });
}

/** The click that ends a drag must not take a word; it comes in the same turn as the pointer's release, if at all. */
function swallowClick() {
  const swallow = (/** @type {Event} */ event) => event.stopPropagation();
  addEventListener("click", swallow, { capture: true });
  setTimeout(() => removeEventListener("click", swallow, { capture: true }), 0);
}

/** @param {HTMLElement} scroller @param {(factor: number, x: number, y: number) => void} zoom */
function pinch(scroller, zoom) {
  let apart = 0;
  /** @param {TouchEvent} event */
  const measure = ({ touches: [one, two] }) => ({
    distance: Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY), x: (one.clientX + two.clientX) / 2, y: (one.clientY + two.clientY) / 2,
  });
  scroller.addEventListener("touchstart", (event) => {
    apart = event.touches.length === 2 ? measure(event).distance : 0;
  }, { passive: true });
  scroller.addEventListener("touchmove", (event) => {
    if (event.touches.length !== 2 || !apart) return;
    event.preventDefault();
    const { distance, x, y } = measure(event);
    zoom(distance / apart, x, y);
    apart = distance;
  }, { passive: false });
}
