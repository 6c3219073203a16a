"""A new document type in a real browser: written, previewed while it is written, saved, used by the next upload."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

import samples
from tests.journey.pictures import kept
from tests.journey.test_journey import signed_in
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.engine]
SLIP = """\
name: till_slip
label: Till slip
features: [FORMS]
fields:
  - name: amount_paid
    label: Amount paid
    kind: amount
    required: true
    labels: [total]
"""


@pytest.fixture(autouse=True)
def _no_errors(request: pytest.FixtureRequest) -> Iterator[None]:
    request.node.errors = []
    yield
    assert [error for error in request.node.errors if "422" not in error] == []


@pytest.mark.parametrize(
    ("name", "width", "height", "scheme"), [("till_slip", 1440, 900, "light"), ("pocket_slip", 390, 844, "dark")]
)
def test_a_new_type_is_previewed_saved_and_used_by_the_next_upload(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], request: pytest.FixtureRequest,
    name: str, width: int, height: int, scheme: str,
) -> None:  # fmt: skip
    receipt = drawn["receipt-thermal.jpg"]
    first = product.upload(f"{name}.jpg", receipt.path.read_bytes(), document_type="receipt")
    product.wait_for(first)
    page = signed_in(
        browser, product, "admin", request.node.errors, viewport={"width": width, "height": height}, color_scheme=scheme
    )
    page.goto(f"{product.url}/document-types/")
    waiting: list[Route] = []
    page.route("**/js/type*.js", lambda route: waiting.append(route))
    with page.expect_request("**/js/type*.js"):
        page.get_by_role("link", name="New type").click()
    area = page.get_by_role("textbox", name="Definition (YAML)")
    area.fill(SLIP.replace("till_slip", name).replace("amount\n", "money\n", 1))
    waiting.pop().continue_()  # what is typed before the page's script has come is previewed too
    page.unroute("**/js/type*.js")
    expect(page.get_by_text("fields[0].kind must be one of")).to_contain_text("Line 7:", timeout=15000)
    area.fill(SLIP.replace("till_slip", name))
    shown = page.locator("[data-previews] li", has_text=f"{name}.jpg")
    expect(shown).to_contain_text(f"amount_paidnot looked for → {receipt.truth['total']}", timeout=15000)
    expect(page.locator("[data-refusal]")).to_be_hidden()
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    kept(page, f"document-type-preview-{width}-{scheme}")
    page.get_by_role("button", name="Save as a new version").click()
    page.wait_for_url(f"**/document-types/{name}/")
    expect(page.get_by_text("Version 1 is saved.")).to_be_visible()

    second = product.upload(f"{name}-2.jpg", drawn["receipt-faded.jpg"].path.read_bytes(), document_type=name)
    read = product.wait_for(second)
    assert read["document_type"] == name
    assert [field["name"] for field in read["fields"]] == ["amount_paid"]
