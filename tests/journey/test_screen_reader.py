"""The route of somebody who hears the screen: names, reasons, states and what is announced, read from the browser's accessibility tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

import samples
from tests.journey.accessibility import Tree, description, name, prop, role
from tests.journey.test_journey import signed_in
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.engine]


@pytest.fixture
def errors() -> Iterator[list[str]]:
    found: list[str] = []
    yield found
    assert [error for error in found if not re.search(r"\b(409|422)\b", error)] == []


@pytest.fixture
def document(product: Product, drawn: dict[str, samples.Sample]) -> dict[str, Any]:
    """An invoice whose total a person has to see."""
    return waiting(product, drawn["invoice-wrong-total.jpg"])


def waiting(product: Product, sample: samples.Sample) -> dict[str, Any]:
    found = product.wait_for(product.upload("heard.jpg", sample.path.read_bytes(), document_type="invoice"))
    assert found["status"] == "needs_review"
    return found


def opened(page: Page, product: Product, document_id: str) -> None:
    page.goto(f"{product.url}/review/{document_id}/")
    expect(page.locator("[data-entry]:focus, #main-button:focus")).to_be_attached(timeout=15_000)


def test_each_open_field_is_heard_with_its_name_and_reason_until_all_are_checked(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    document = waiting(product, drawn["invoice-noisy-scan.jpg"])
    labels = {field["label"] for field in document["fields"]}
    page = signed_in(browser, product, "reviewer", errors)
    opened(page, product, document["id"])
    heard: list[str] = []
    for _ in range(60):
        tree = Tree(page)
        at = tree.focused
        if role(at) == "button":
            break
        assert role(at) in {"textbox", "combobox"}
        assert description(at).strip(), f"why {name(at)} is to be looked at"
        assert not heard or name(at) in tree.aloud(), "where Enter led to"
        heard.append(name(at))
        page.keyboard.press("Enter" if page.locator("[data-entry]:focus").input_value() else "Alt+n")
    assert len(set(heard)) > 1
    assert labels & set(heard)
    tree = Tree(page)
    assert list(tree.nameless()) == []
    assert re.search("Ready to approve|does not hold", tree.aloud())
    assert "Approve" in name(tree.focused)


def test_what_happens_is_said_aloud(
    browser: Browser, product: Product, document: dict[str, Any], errors: list[str]
) -> None:
    page = signed_in(browser, product, "reviewer", errors)
    opened(page, product, document["id"])
    page.keyboard.press("Alt+n")
    assert "Ready to approve" in Tree(page).aloud()
    page.keyboard.press("Control+z")
    expect(page.locator("[data-entry]:focus")).to_be_attached()
    assert name(Tree(page).focused) == "Total"

    total = page.locator("[data-name='total'] :is(input, textarea)")
    total.fill("1.00")
    page.keyboard.press("Enter")
    broken = Tree(page)
    assert name(broken.focused) == "Total"
    assert prop(broken.focused, "invalid") == "true"
    assert "sum is off" in description(broken.focused)
    assert re.search(r" is [\d.,]+, not 1\.00", broken.aloud()), broken.aloud()

    page.locator("#reject-button").click()
    dialog = [node for node in Tree(page).nodes if role(node) == "dialog"]
    assert [name(node) for node in dialog if prop(node, "modal")] != [""]
    page.keyboard.press("Escape")
