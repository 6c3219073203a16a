"""Every page at three widths, in light or dark: no error, nothing wider than the screen or without a name, nothing that axe-core finds.

DTAT_SCREENSHOTS=DIR keeps a picture of each, at every width in both themes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

import samples
from tests.journey.accessibility import Tree
from tests.journey.pictures import EVERY, FOLDER, SIZES, kept
from tests.journey.test_journey import signed_in
from tests.product import ROOT, Product

pytestmark = [pytest.mark.browser, pytest.mark.engine]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS: list[tuple[int, Literal["light", "dark"]]] = (
    EVERY if FOLDER else [(1440, "light"), (820, "dark"), (390, "light")]
)


@pytest.fixture(scope="module")
def axe() -> str:
    """The checker's own script, which runs in the page."""
    if not AXE.exists():
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1, but axe-core is not installed: npm ci")
        pytest.skip("axe-core is not installed: npm ci")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def waiting(product: Product, drawn: dict[str, samples.Sample]) -> str:
    """A document that needs a person."""
    noisy = drawn["invoice-noisy-scan.jpg"].path
    document_id = product.upload(noisy.name, noisy.read_bytes())
    assert product.wait_for(document_id)["status"] == "needs_review"
    return document_id


@pytest.fixture(scope="module")
def bundle(product: Product, drawn: dict[str, samples.Sample], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file that holds an invoice and a receipt, and waits for a person."""
    path = tmp_path_factory.mktemp("bundle") / "bundle.pdf"
    first, second = (
        Image.open(drawn[name].path).convert("L") for name in ("invoice-noisy-scan.jpg", "receipt-thermal.jpg")
    )
    first.save(path, save_all=True, append_images=[second], resolution=200)
    document_id = product.upload(path.name, path.read_bytes())
    assert product.wait_for(document_id)["status"] == "needs_review"
    return document_id


@pytest.fixture(scope="module")
def batch(product: Product, drawn: dict[str, samples.Sample]) -> str:
    """A batch of two rows, one of which names a file that is not there."""
    slug = product.api("GET", "/api/v1/tenants/").json()["results"][0]["slug"]
    folder = product.home / "imports" / slug
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "one.jpg").write_bytes(drawn["receipt-thermal.jpg"].path.read_bytes())
    items = [{"bucket": slug, "key": name} for name in ("one.jpg", "missing.jpg")]
    told = product.api("POST", "/api/v1/batches/", json={"items": items}, headers={"Idempotency-Key": "pages"})
    assert told.status_code == 202, told.text
    batch_id: str = told.json()["id"]
    return batch_id


def problems(page: Page, axe: str) -> Iterator[str]:
    """What is wrong with the page as it stands."""
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if overflow > 0:
        yield f"{overflow} px wider than the screen"
    yield from Tree(page).nameless()
    page.evaluate(
        f"window.axe || (() => {{ {axe} }})()"
    )  # not by a script tag: the page's policy allows none but its own
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"], "preload": False}
    for found in page.evaluate("options => axe.run(document, options)", options)["violations"]:
        yield f"{found['id']}: {found['help']}: {[node['html'][:200] for node in found['nodes'][:3]]}"


def at_every_look(page: Page, axe: str, name: str) -> Iterator[str]:
    for width, theme in LOOKS:
        page.set_viewport_size({"width": width, "height": SIZES[width]})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        yield from (f"{name} at {width}, {theme}: {told}" for told in problems(page, axe))
        kept(page, f"{name}-{width}-{theme}")


def test_pages_of_a_reviewer(browser: Browser, product: Product, waiting: str, batch: str, axe: str) -> None:
    errors: list[str] = []
    page = signed_in(browser, product, "reviewer", errors)
    addresses = {
        "queue": "/queue/",
        "queue-doubt-first": "/queue/?order=doubt",
        "queue-checks": "/queue/?tab=checks",
        "queue-nothing": "/queue/?tab=aside",
        "queue-done": "/queue/?tab=done",
        "documents-nothing": "/documents/?q=nothing-is-called-so",
        "documents": "/documents/",
        "upload": "/documents/upload/",
        "document": f"/documents/{waiting}/",
        "dashboard": "/dashboard/",
        "batches": "/batches/",
        "batch": f"/batches/{batch}/",
        "lanes": "/lanes/",
        "lane": "/lanes/invoice/invoice_number/",
        "review": f"/review/{waiting}/",
        "keys": "/keys/",
    }
    assert _visited(page, product, addresses, axe) == []
    assert errors == []


def test_the_page_that_splits_a_document(browser: Browser, product: Product, bundle: str, axe: str) -> None:
    errors: list[str] = []
    page = signed_in(browser, product, "reviewer", errors)
    assert _visited(page, product, {"split": f"/documents/{bundle}/split/"}, axe) == []
    assert page.locator(".split li").all_inner_texts() == ["Page 1: Invoice", "Page 2: Receipt"]
    assert page.locator("#ranges").input_value() == "1, 2"
    assert errors == []


def test_pages_of_an_administrator(browser: Browser, product: Product, axe: str) -> None:
    errors: list[str] = []
    page = signed_in(browser, product, "admin", errors)
    addresses = {
        "document-types": "/document-types/",
        "new-document-type": "/document-types/new-type/",
        "document-type": "/document-types/invoice/",
    }
    assert _visited(page, product, addresses, axe) == []
    assert errors == []


def test_dialogs_of_a_review(browser: Browser, product: Product, waiting: str, axe: str) -> None:
    errors: list[str] = []
    page = signed_in(browser, product, "reviewer", errors)
    page.goto(f"{product.url}/review/{waiting}/")
    page.wait_for_load_state("networkidle")
    found: list[str] = []
    for name, button in {
        "reject": "#reject-button",
        "escalate": "#escalate-button",
        "comment": "#comment-button",
    }.items():
        page.locator(button).first.click()
        page.locator("dialog[open]").wait_for()
        found += at_every_look(page, axe, f"review-{name}")
        page.keyboard.press("Escape")
        page.set_viewport_size({"width": 1440, "height": 900})
    assert found == []
    assert errors == []


def test_pages_without_an_account(browser: Browser, product: Product, axe: str) -> None:
    page = browser.new_context().new_page()
    assert _visited(page, product, {"login": "/login/"}, axe) == []


def test_pages_that_refuse(browser: Browser, product: Product, axe: str) -> None:
    page = signed_in(browser, product, "reviewer", [])
    assert _visited(page, product, {"not-found": "/documents/no-such-page/"}, axe, status=404) == []
    assert _visited(page, product, {"not-allowed": "/document-types/new-type/"}, axe, status=403) == []


def _visited(page: Page, product: Product, addresses: dict[str, str], axe: str, *, status: int = 200) -> list[str]:
    found: list[str] = []
    for name, address in addresses.items():
        answer = page.goto(product.url + address)
        assert answer and answer.status == status, name
        page.wait_for_load_state("networkidle")
        found += at_every_look(page, axe, name)
    return found
