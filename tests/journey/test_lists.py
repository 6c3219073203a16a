"""Another tab, order, filter or page of a list comes without another page, and whatever else the answer is, is gone to."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

import samples
from tests.journey.pictures import shot
from tests.journey.test_journey import signed_in
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.engine]


@pytest.fixture
def errors() -> Iterator[list[str]]:
    found: list[str] = []
    yield found
    assert found == []


def is_same_page(page: Page) -> bool:
    """Whether what was noted on the page is still there."""
    return bool(page.evaluate("window.noted === true"))


def note(page: Page) -> None:
    page.evaluate("window.noted = true")


def test_a_list_changes_where_it_stands(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    for name in ("heron-1.jpg", "heron-2.jpg", "other.jpg"):
        document_id = product.upload(name, drawn["receipt-thermal.jpg"].path.read_bytes(), document_type="receipt")
        product.wait_for(document_id)
    page = signed_in(browser, product, "reviewer", errors)
    page.goto(f"{product.url}/queue/")
    note(page)
    page.locator("#tab-mine").press("Enter")
    page.wait_for_url("**/queue/?tab=mine")
    expect(page.locator("#tab-mine")).to_have_attribute("aria-current", "page")
    expect(page.locator("#tab-mine")).to_be_focused()
    expect(page.locator("#list-told")).to_have_text(re.compile(r"Shown: \S+"))
    assert is_same_page(page)
    page.go_back()
    page.wait_for_url("**/queue/")
    expect(page.locator("#tab-waiting")).to_have_attribute("aria-current", "page")

    page.goto(f"{product.url}/documents/")
    note(page)
    search = page.get_by_role("search")
    search.locator("input[type=search], input[type=text]").first.fill("heron")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="other.jpg")).to_have_count(0)
    expect(page.get_by_role("link", name=re.compile("heron"))).to_have_count(2)
    assert is_same_page(page)
    assert "heron" in page.url
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url(re.compile(r"/documents/[0-9a-f-]{36}/"))
    page.go_back()
    expect(page.get_by_role("link", name=re.compile("heron"))).to_have_count(2)


def test_without_an_answer_the_list_stays_and_signed_out_one_signs_in(browser: Browser, product: Product) -> None:
    page = signed_in(browser, product, "reviewer", [])
    page.goto(f"{product.url}/queue/")
    page.context.set_offline(True)
    page.locator("#tab-done").click()
    expect(page.get_by_text("The network did not answer")).to_be_visible()
    shot(page, "queue-without-a-network")
    expect(page.locator("#tab-waiting")).to_have_attribute("aria-current", "page")
    page.context.set_offline(False)
    page.context.clear_cookies()
    page.locator("#tab-done").click()
    page.wait_for_url("**/login/**")
    expect(page.get_by_label("Username")).to_be_visible()
