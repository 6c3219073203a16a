"""How fast the grid of line items is in Chromium, in the review page of the running product.

`paste_500_ms`: from the paste event to the frame that shows 500 more rows; `undo_paste_ms`: from the key to the frame without them.
`type_p95_ms`: from a key press in a cell of the grid with 500 rows to the frame that shows the digit, the sum and what the rules say of it;
`type_1000_p95_ms` the same with 1,000. `next_row_p95_ms` is the arrow to the next row, `scroll_p95_ms` a screenful further, both with
1,000 rows. Keys come KEY_PAUSE apart; the two `burst` figures are of keys without any pause, as no keyboard sends them: what queues up
behind what. All of it is taken in the page, on the clock of the events themselves; a frame counts once it was handed to the compositor
(a task after its animation frame).
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

import samples
from tests.product import Product

ROWS = 500
ROUNDS = 5
LETTERS = 100  # in each round
KEY_PAUSE = 0.08  # seconds between two keys: 150 words a minute, as few people type
SECONDS = 30  # that anything may take before the run is given up
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
LINES = "table.grid tbody tr[data-row]"

_WATCH = """() => {
    const painted = (from) => new Promise((resolve) => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => resolve(performance.now() - from);
        channel.port2.postMessage(null);
    }));
    window.presses = [];
    addEventListener("keydown", (event) => {
        if (!["Control", "Shift"].includes(event.key)) painted(event.timeStamp).then((ms) => window.presses.push(ms));
    }, { capture: true });
    window.paste = (text) => {
        const transfer = new DataTransfer();
        transfer.setData("text/plain", text);
        const from = performance.now();
        document.activeElement.dispatchEvent(
            new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }));
        return painted(from);
    };
    window.further = async () => {
        const list = document.querySelector("#fields");
        const from = performance.now();
        const way = list.scrollTop < list.clientHeight ? 1 : -1;
        list.scrollBy({ top: way * 0.8 * list.clientHeight, behavior: "instant" });
        await new Promise((resolve) => list.addEventListener("scroll", resolve, { once: true }));
        return painted(from);  // what comes into view is drawn in the frame of the scroll event
    };
}"""


def measure(*, quick: bool) -> dict[str, Any]:
    """Milliseconds; each paste but the last is undone, the medians and percentiles are over all rounds."""
    rounds, letters = (1, 30) if quick else (ROUNDS, LETTERS)
    with _review_page() as page:
        page.evaluate(_WATCH)
        columns = page.locator("table.grid thead th").count()
        before = _count(page)
        pastes: list[float] = []
        undos: list[float] = []
        for _round in range(rounds):
            pastes.append(_paste(page, columns))
            undos += _pressed(page, "Control+z")
            _expect_rows(page, before)
        _paste(page, columns)
        typed = [ms for _round in range(rounds) for ms in _typed(page, letters)]
        in_a_burst = _typed(page, letters, pause=0.0)
        shown = page.locator(LINES).count()
        _paste(page, columns)
        typed_more = [ms for _round in range(rounds) for ms in _typed(page, letters)]
        moved = _pressed(page, *["ArrowUp"] * rounds * 20)
        raced = _pressed(page, *["ArrowUp"] * 20 * rounds, pause=0.0)
        scrolled = [float(page.evaluate("() => window.further()")) for _step in range(rounds * 10)]
        count = _count(page)
    figures = {
        "rows": count,
        "rows_in_the_page": shown,
        "columns": columns,
        "paste_500_ms": _percentile(pastes, 50),
        "paste_500_most_ms": round(max(pastes), 1),
        "undo_paste_ms": _percentile(undos, 50),
        "type_p50_ms": _percentile(typed, 50),
        "type_p95_ms": _percentile(typed, 95),
        "type_1000_p95_ms": _percentile(typed_more, 95),
        "type_burst_p95_ms": _percentile(in_a_burst, 95),
        "next_row_p95_ms": _percentile(moved, 95),
        "next_row_burst_p95_ms": _percentile(raced, 95),
        "scroll_p95_ms": _percentile(scrolled, 95),
        "keys": len(typed),
    }
    return {
        "figures": figures,
        "ratios": {
            "type_p95_to_50_ms": round(figures["type_p95_ms"] / 50, 3),
            "paste_to_500_ms": round(figures["paste_500_ms"] / 500, 3),
        },
    }


def _paste(page: Page, columns: int) -> float:
    """500 rows from the first cell of the last row on, all but one of which have to be added."""
    before = _count(page)
    page.locator("#fields").evaluate("node => node.scrollTo({ top: node.scrollHeight, behavior: 'instant' })")
    page.locator(LINES).last.locator("[name]").first.click()
    line = "\t".join(["Hinges, brass", *["12.50"] * (columns - 1)])
    took = float(page.evaluate("text => window.paste(text)", "\n".join([line] * ROWS)))
    _expect_rows(page, before + ROWS - 1)
    return took


def _typed(page: Page, letters: int, *, pause: float = KEY_PAUSE) -> list[float]:
    """Digits typed into the last cell of a row in view; each change is summed and checked against the rules."""
    page.locator(LINES).last.locator("[name]").last.click()
    keys = ("1234567890"[at % 10] if at % 12 < 8 else "Backspace" for at in range(letters))
    return _pressed(page, *keys, pause=pause)


def _pressed(page: Page, *keys: str, pause: float = KEY_PAUSE) -> list[float]:
    """The milliseconds of each. The page is asked again and again: its policy allows no script to wait in it."""
    page.evaluate("() => { window.presses = []; }")
    for key in keys:
        page.keyboard.press(key)
        time.sleep(pause)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found: list[float] = page.evaluate("() => window.presses")
        if len(found) >= len(keys):
            return found
        time.sleep(0.02)
    raise RuntimeError(f"Of {len(keys)} key presses {len(found)} were painted within {SECONDS} s.")


def _count(page: Page) -> int:
    return int(page.locator(".items h2 .number").inner_text().split()[0])


def _expect_rows(page: Page, rows: int) -> None:
    if _count(page) != rows:
        raise RuntimeError(f"The grid should have {rows} rows and has {_count(page)}.")


@contextmanager
def _review_page() -> Iterator[Page]:
    """An invoice with line items, open for review in the product as `make run` starts it."""
    with tempfile.TemporaryDirectory(prefix="dtat-bench-") as folder:
        Path(folder).chmod(0o711)
        product = Product(Path(folder) / "home")
        product.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=_chromium(), args=ARGUMENTS)
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.set_default_timeout(SECONDS * 1000)
                _open(page, product, Path(folder))
                yield page
                browser.close()
        finally:
            product.stop()


def _open(page: Page, product: Product, folder: Path) -> None:
    drawn = {sample.path.name: sample for sample in samples.draw(folder)}
    content = drawn["invoice-wrong-total.jpg"].path.read_bytes()
    document_id = product.upload("invoice.jpg", content, document_type="invoice")
    product.wait_for(document_id)
    person = product.credentials["reviewer"]
    page.goto(f"{product.url}/login/")
    page.get_by_label("Username").fill(person["username"])
    page.get_by_label("Password", exact=True).fill(person["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue/")
    page.goto(f"{product.url}/review/{document_id}/")
    page.locator("rect.word").first.wait_for(state="attached")


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise RuntimeError("This benchmark needs Chromium. Install it and run it again.")
    return found


def _percentile(values: list[float], percent: int) -> float:
    return round(sorted(values)[min(len(values) - 1, len(values) * percent // 100)], 1)
