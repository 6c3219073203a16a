"""The product in German, and turned around: every page as in test_pages, and values as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

import samples
from tests.journey.test_journey import signed_in
from tests.journey.test_pages import at_every_look
from tests.journey.test_pages import axe as axe
from tests.journey.test_pages import batch as batch
from tests.journey.test_pages import waiting as waiting
from tests.product import ROOT, Product

pytestmark = [pytest.mark.browser, pytest.mark.engine]
TURNED = "document.documentElement.dir = 'rtl'"


def german(browser: Browser, product: Product, who: str, errors: list[str]) -> Page:
    """Somebody whose browser asks for German, signed in."""
    return signed_in(browser, product, who, errors, labels=("Benutzername", "Passwort"), locale="de-DE")


@pytest.mark.parametrize("turned", [False, True], ids=["german", "turned"])
def test_pages(browser: Browser, product: Product, waiting: str, batch: str, axe: str, *, turned: bool) -> None:
    errors: list[str] = []
    page = german(browser, product, "reviewer", errors)
    addresses = {
        "queue": "/queue/",
        "documents": "/documents/",
        "upload": "/documents/upload/",
        "document": f"/documents/{waiting}/",
        "dashboard": "/dashboard/",
        "batches": "/batches/",
        "batch": f"/batches/{batch}/",
        "review": f"/review/{waiting}/",
    }
    found: list[str] = []
    for name, address in addresses.items():
        answer = page.goto(product.url + address)
        assert answer and answer.status == 200, name
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.lang") == "de"
        if turned:
            page.evaluate(TURNED)
        found += at_every_look(page, axe, f"{'rtl' if turned else 'de'}-{name}")
    assert found == []
    assert errors == []


def test_pages_of_an_administrator(browser: Browser, product: Product, axe: str) -> None:
    errors: list[str] = []
    page = german(browser, product, "admin", errors)
    found: list[str] = []
    for name, address in {"types": "/document-types/", "type": "/document-types/invoice/"}.items():
        page.goto(product.url + address)
        page.wait_for_load_state("networkidle")
        found += at_every_look(page, axe, f"de-{name}")
    assert found == []
    assert errors == []


def test_the_language_is_chosen_in_the_account_menu(browser: Browser, product: Product) -> None:
    errors: list[str] = []
    page = german(browser, product, "reviewer", errors)
    expect(page.get_by_role("heading", level=1)).to_have_text("Warteschlange")
    page.locator("details[data-menu] > summary:has(.avatar)").click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Review queue")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert errors == []


def in_german(amount: str) -> str:
    return f"{float(amount):,.2f}".translate(str.maketrans(",.", ".,"))


def test_amounts_are_shown_and_typed_as_germans_write_them(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample]
) -> None:
    sample = drawn["invoice-wrong-total.jpg"].path
    document_id = product.upload("falsche-summe.jpg", sample.read_bytes())
    before = {each["name"]: each["value"] for each in product.wait_for(document_id)["fields"]}
    right = f"{float(before['subtotal']) + float(before['tax']):.2f}"
    assert right != before["total"], "the sample's printed total is wrong on purpose"
    errors: list[str] = []
    page = german(browser, product, "reviewer", errors)
    page.goto(f"{product.url}/review/{document_id}/")
    field = page.locator("[data-field='total'] input, input[name='total']").first
    expect(page.locator("rect.word").first).to_be_attached()
    for _ in range(40):
        if field.evaluate("input => input === document.activeElement"):
            break
        page.keyboard.press("Enter")
    expect(field).to_have_value(in_german(before["total"]))
    page.keyboard.press("Control+a")
    page.keyboard.type(in_german(right))
    page.keyboard.press("Enter")
    for _ in range(40):
        if page.get_by_text("Bereit zur Freigabe").count():
            break
        page.keyboard.press("Enter")
    expect(page.locator("#counts")).to_contain_text("Bereit zur Freigabe")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("falsche-summe.jpg freigegeben.")).to_be_visible(timeout=15000)
    approved = product.wait_for(document_id)
    assert approved["status"] == "approved"
    total = next(each for each in approved["fields"] if each["name"] == "total")
    assert (total["value"], total["source"], total["label"]) == (right, "person", "Total")
    assert errors == []


# --- Values -------------------------------------------------------------------------------------------------------

# kind, canonical, as a German page shows it
SHOWN = [
    ("amount", "1234.50", "1.234,50"),
    ("amount", "-1234567.891", "-1.234.567,891"),
    ("number", "1234.5", "1234,5"),
    ("percent", "7.5", "7,5"),
    ("date", "2026-03-01", "01.03.2026"),
    ("identifier", "INV-1.5", "INV-1.5"),
    ("amount", "no amount", "no amount"),
]
# kind, typed on a German page, what the server is sent (None: refused, since it may mean two things)
TYPED = [
    ("amount", "1.234,50", "1234.50"),
    ("amount", "1234,5", "1234.5"),
    ("amount", "12.50", "12.50"),
    ("amount", "1.234", "1234"),
    ("amount", "1,234", None),
    ("amount", "-1.234.567,89", "-1234567.89"),
    ("amount", "1,234.50", "1,234.50"),  # nothing German; the server reads it
    ("number", "1,234", "1.234"),
    ("number", "1.234", None),
    ("percent", "7,5 %", "7.5"),
    ("date", "01.03.2026", "2026-03-01"),
    ("date", "1.3.26", "2026-03-01"),
    ("date", "1.3.68", "2068-03-01"),
    ("date", "1.3.69", "1969-03-01"),
    ("date", "15/03/2026", "2026-03-15"),
    ("date", "03/15/2026", "2026-03-15"),
    ("date", "01/03/2026", None),
    ("date", "3/3/2026", "2026-03-03"),
    ("date", "1. März 2026", "1. März 2026"),
    ("identifier", "1,234", "1,234"),
]


# The module alone, without a page of the product.
def test_values_are_shown_and_read_back(browser: Browser) -> None:
    page = browser.new_context().new_page()
    page.set_content("<html lang='de'></html>")
    source = (ROOT / "static" / "js" / "values.js").read_text(encoding="utf-8")
    page.add_script_tag(type="module", content=f"{source}\nwindow.values = {{ shown, canonical }};")
    page.wait_for_function("window.values")
    found: dict[str, Any] = page.evaluate(
        """([shown, typed]) => ({
          shown: shown.map(([kind, value]) => window.values.shown(value, kind)),
          back: shown.map(([kind, value, written]) => window.values.canonical(written, kind, value).value),
          english: shown.map(([kind, value]) => window.values.shown(value, kind, "en")),
          typed: typed.map(([kind, text]) => window.values.canonical(text, kind)),
          plain: typed.map(([kind, text]) => window.values.canonical(text, kind, null, "en").value),
        })""",
        [SHOWN, TYPED],
    )
    assert found["shown"] == [written for _kind, _value, written in SHOWN]
    assert found["back"] == found["english"] == [value for _kind, value, _written in SHOWN]
    assert [told.get("value") for told in found["typed"]] == [sent for _kind, _text, sent in TYPED]
    assert {told["ambiguous"] for told in found["typed"] if "ambiguous" in told} == {
        "ambiguous_number",
        "ambiguous_date",
    }
    assert found["plain"] == [text for _kind, text, _sent in TYPED]
