"""A reviewer who never touches the mouse: how many keys a field takes, counted in the page.

KEYBOARD_DOCUMENTS=20 takes twenty; with DTAT_SHARED=DIR it takes real ones too. `-s` prints the counts.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, expect

import samples
from tests.journey.test_journey import signed_in
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.engine]
DOCUMENTS = int(os.environ.get("KEYBOARD_DOCUMENTS", "5"))
MOST_KEYS = 400  # of one document: more is no work but a loop
DRAWN = ("invoice-noisy-scan.jpg", "invoice-rotated.jpg", "invoice-wrong-total.jpg", "receipt-crumpled.jpg")
REAL = {"invoices": "invoice", "receipts": "receipt", "receipt-variants": "receipt"}
COUNTERS = """
window.counted = { keys: 0, mouse: 0 };
addEventListener("keydown", () => { window.counted.keys += 1; }, { capture: true });
for (const kind of ["pointerdown", "mousedown", "wheel", "touchstart"])
  addEventListener(kind, () => { window.counted.mouse += 1; }, { capture: true });
"""
BEFORE_ME = """() => {
  const active = document.querySelector(".row.active, td.active"), control = active?.querySelector("[data-entry]");
  return {
    path: location.pathname,
    dialog: document.querySelector("dialog[open]")?.id ?? "",
    ready: document.activeElement?.id === "main-button",
    value: control?.value ?? "",
    settled: document.querySelectorAll(".is-checked, .is-corrected, .is-absent, .is-unreadable, .is-missed").length,
  };
}"""


@dataclass
class Typist:
    """Presses keys by what is on the screen."""

    page: Page
    keys: int = 0
    fields: int = 0
    documents: int = 0
    mouse: int = 0

    def clear(self, documents: int) -> None:
        while self.documents < documents:
            self._document()

    def _document(self) -> None:
        """Until another one is on the screen, or the queue."""
        path, settled = self._seen()["path"], 0
        for _ in range(MOST_KEYS):
            before = self._seen()
            if before["path"] != path:
                self.documents, self.fields = self.documents + 1, self.fields + settled
                return
            settled = max(settled, before["settled"])
            self._answer(before)
        raise AssertionError(f"no end of {path}: {before}")

    def _answer(self, seen: dict[str, Any]) -> None:
        if seen["dialog"] == "override":
            self._press("o", "k", "Tab", "Tab", "Enter")
            expect(self.page.locator("dialog[open]")).to_have_count(0)
        elif seen["ready"]:
            self._press("Enter")  # the button has the focus now
            self._until_answered(seen["path"])
        else:
            self._press("Enter" if seen["value"] else "Alt+n")

    def _until_answered(self, path: str) -> None:
        """Another document is on the screen, or the queue, or a question about this one."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            seen = self._seen()
            if seen["path"] != path or seen["dialog"] or not seen["ready"]:
                return
        raise AssertionError(f"nothing came of the approval of {path}")

    def _press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += len(key.split("+"))

    def _seen(self) -> dict[str, Any]:
        """Asked again when another page comes in between: the last document leads to one."""
        for _ in range(20):
            self.page.wait_for_load_state()
            with suppress(Error):
                seen: dict[str, Any] = self.page.evaluate(BEFORE_ME)
                return seen
        raise AssertionError("the page does not hold still")


def files(kind: str, drawn: dict[str, samples.Sample]) -> list[tuple[Path, str]]:
    if kind == "drawn":
        chosen = [(drawn[name].path, drawn[name].document_type or "") for name in DRAWN]
        return list(islice(cycle(chosen), 3 * DOCUMENTS))  # some of them need nobody
    if "DTAT_SHARED" not in os.environ or "KEYBOARD_DOCUMENTS" not in os.environ:
        pytest.skip("DTAT_SHARED does not say where real documents are, or KEYBOARD_DOCUMENTS how many")
    folders = Path(os.environ["DTAT_SHARED"]) / "data" / "documents"
    return [
        (path, type_)
        for name, type_ in REAL.items()
        for path in sorted((folders / name).rglob("*"))
        if path.suffix.lower() in {".jpg", ".jpeg", ".png"}
    ]


@pytest.mark.parametrize("kind", ["drawn", "real"])
def test_documents_without_a_mouse(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], kind: str
) -> None:
    waiting = 0
    for number, (path, type_) in enumerate(files(kind, drawn)):
        document_id = product.upload(f"{number}-{path.name}", path.read_bytes(), document_type=type_)
        waiting += product.wait_for(document_id, seconds=120)["status"] == "needs_review"
        if waiting == DOCUMENTS:
            break
    assert waiting == DOCUMENTS
    errors: list[str] = []
    page = signed_in(browser, product, "reviewer", errors)
    page.add_init_script(COUNTERS)
    page.reload()
    page.keyboard.press("Enter")
    page.wait_for_url("**/review/**")
    page.wait_for_selector("#main-button:has(kbd)")
    typist = Typist(page)
    typist.clear(DOCUMENTS)
    counted = page.evaluate("window.counted")
    per_field = typist.keys / typist.fields
    sys.stdout.write(
        f"\n{kind}: {typist.documents} documents, {typist.fields} fields, {typist.keys} keys, {per_field:.2f} keys a field\n"
    )
    assert per_field < 3
    assert counted["mouse"] == 0
    assert [line for line in errors if "422" not in line] == []
