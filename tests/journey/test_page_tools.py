"""The page beside the fields, the fields and the line items, as somebody works with them in a real browser."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import samples
from tests.journey.pictures import kept, shot
from tests.journey.test_journey import signed_in
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.engine]
SLIP = """\
name: paid_slip
label: Paid slip
features: [FORMS]
fields:
  - name: paid_by
    label: Paid by
    choices: [Cash, Card]
    labels: [nothing that is printed]
    required: true
"""


@pytest.fixture
def errors() -> list[str]:
    return []


def waiting(product: Product, drawn: dict[str, samples.Sample], sample: str, document_type: str = "invoice") -> str:
    content = drawn[sample].path.read_bytes()
    document_id = product.upload(sample, content, document_type=document_type)
    assert product.wait_for(document_id)["status"] == "needs_review"
    return document_id


def opened(page: Page, product: Product, document_id: str) -> None:
    page.goto(f"{product.url}/review/{document_id}/")
    expect(page.locator("rect.word").first).to_be_attached()
    # The screen puts the focus where work begins; what is pressed elsewhere before that goes there.
    expect(page.locator("[data-entry]:focus, #main-button:focus")).to_be_attached()


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#fields [name='{name}']")


def word(page: Page, product: Product, document_id: str, which: int | str) -> dict[str, Any]:
    """A word of the first page by its number or text, with its place in the window."""
    found = page.request.get(f"{product.url}/documents/{document_id}/pages/1/words/").json()["words"]
    at = which if isinstance(which, int) else [each["text"] for each in found].index(which)
    page.locator("[data-scroller]").evaluate("node => node.scrollTo(0, 0)")
    sheet = page.locator("figure.page").first.bounding_box()
    assert sheet
    left, top, width, height = found[at]["box"]
    return {
        **found[at],
        "x": sheet["x"] + (left + width / 2) * sheet["width"],
        "y": sheet["y"] + (top + height / 2) * sheet["height"],
    }


def take_all(page: Page) -> None:
    """Confirm whatever is open, until only a reason is missing or nothing is."""
    button = page.locator("#main-button")
    for _ in range(80):
        if "Approve" in button.inner_text():
            return
        page.keyboard.press("Enter")
    raise AssertionError("Enter does not lead to the end of the document")


def approved(product: Product, document_id: str) -> dict[str, Any]:
    """The document once the approval has arrived: the page goes on before it has an answer."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        document: dict[str, Any] = product.api("GET", f"/api/v1/documents/{document_id}/").json()
        if document["status"] == "approved":
            return document
        time.sleep(0.1)
    raise AssertionError(f"{document_id} is {document['status']}")


def approved_with_a_reason(page: Page, document_id: str) -> None:
    page.keyboard.press("Control+Enter")
    page.locator("#override textarea").fill("As it is printed")
    page.locator("#override button[value=yes]").click()
    page.wait_for_url(lambda url: document_id not in url)


def unexpected(errors: list[str]) -> list[str]:
    """A refused approval is part of some journeys, and Chromium writes it into its console."""
    return [error for error in errors if "422" not in error]


def told(product: Product, document_id: str, kind: str) -> list[dict[str, Any]]:
    timeline = product.api("GET", f"/api/v1/documents/{document_id}/audit/").json()
    return [event["codes"] for event in timeline if event["kind"] == kind]


def test_words_of_the_page_go_into_a_field_and_out_again(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    document_id = waiting(product, drawn, "invoice-wrong-total.jpg")
    page = signed_in(browser, product, "reviewer", errors, reduced_motion="reduce")
    opened(page, product, document_id)
    number = field(page, "invoice_number")
    number.click()
    first, second = word(page, product, document_id, 0), word(page, product, document_id, 1)
    before = number.input_value()
    crop = page.locator("[data-name='invoice_number'] .crop")
    shown = crop.get_attribute("data-place") or ""
    page.keyboard.down("Shift")
    page.mouse.click(first["x"], first["y"])
    page.keyboard.up("Shift")
    expect(number).to_have_value(f"{before} {first['text']}")
    expect(number).to_be_focused()
    expect(crop).not_to_have_attribute("data-place", shown)
    page.keyboard.press("Control+z")
    expect(number).to_have_value(before)
    expect(crop).to_have_attribute("data-place", shown)
    page.keyboard.press("Control+Shift+z")
    expect(number).to_have_value(f"{before} {first['text']}")

    page.mouse.move(min(first["x"], second["x"]) - 30, min(first["y"], second["y"]) - 12)
    page.mouse.down()
    page.mouse.move(max(first["x"], second["x"]) + 10, max(first["y"], second["y"]) + 12, steps=4)
    kept(page, "review-area-1440-light")  # in another size the pointer would be elsewhere
    page.mouse.up()
    expect(number).to_have_value(f"{first['text']} {second['text']}")
    take_all(page)
    approved_with_a_reason(page, document_id)
    approved(product, document_id)
    [codes] = [each for each in told(product, document_id, "FIELD_CORRECTED") if each["field"] == "invoice_number"]
    assert codes == {
        "field": "invoice_number", "change": "corrected", "source": "captured", "words": [first["id"], second["id"]], "pages": [1],
    }  # fmt: skip
    assert unexpected(errors) == []


def test_a_rule_holds_a_field_open_and_says_why(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    document_id = waiting(product, drawn, "invoice-wrong-total.jpg")
    page = signed_in(browser, product, "reviewer", errors, reduced_motion="reduce")
    opened(page, product, document_id)
    total = field(page, "total")
    total.click()
    sentence = page.locator("#fields .row.active .because .first")
    expect(sentence).to_contain_text("not")
    page.keyboard.press("Enter")
    expect(total).to_be_focused()
    expect(page.locator("#live")).to_contain_text("not")
    fields = {each["name"]: each for each in product.api("GET", f"/api/v1/documents/{document_id}/").json()["fields"]}
    right = f"{float(fields['subtotal']['value']) + float(fields['tax']['value']):.2f}"
    total.fill(right)
    expect(page.locator("#fields .row.active.bad")).to_have_count(0)
    shot(page, "review-rule-holds")
    page.keyboard.press("Enter")
    take_all(page)
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: document_id not in url)
    approved(product, document_id)
    assert unexpected(errors) == []


def test_what_the_engine_missed_gets_its_place(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    document_id = waiting(product, drawn, "invoice-wrong-total.jpg")
    missing, gone = "shipping", "discount"
    page = signed_in(browser, product, "reviewer", errors, reduced_motion="reduce")
    opened(page, product, document_id)
    target = field(page, missing)
    target.click()
    page.keyboard.press("Alt+m")
    expect(page.locator(".scroller.marking")).to_be_visible()
    first = word(page, product, document_id, "148.50")
    page.mouse.click(first["x"], first["y"])
    expect(target).to_have_value(first["text"])
    shot(page, "review-missed")
    field(page, gone).click()
    page.keyboard.press("Alt+n")
    take_all(page)
    approved_with_a_reason(page, document_id)
    decided = {each["name"]: each for each in approved(product, document_id)["fields"]}
    assert (decided[missing]["state"], decided[missing]["value"]) == ("missed", first["text"])
    assert decided[missing]["box"] == pytest.approx(first["box"])
    assert (decided[gone]["state"], decided[gone]["value"]) == ("absent", None)
    [codes] = told(product, document_id, "HUMAN_REVIEW_APPROVED")
    assert (codes["missed"], codes["absent"]) == ([missing], [gone])
    assert unexpected(errors) == []


def test_a_page_is_turned_and_searched(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    document_id = waiting(product, drawn, "invoice-wrong-total.jpg")
    page = signed_in(browser, product, "reviewer", errors, reduced_motion="reduce")
    opened(page, product, document_id)
    box = page.locator("figure.page").first.bounding_box()
    page.locator("[data-scroller]").focus()
    page.keyboard.press("Shift+R")
    expect(page.locator("figure.page img").first).to_have_attribute("src", ending("-90"))
    turned = page.locator("figure.page").first.bounding_box()
    assert box and turned and (box["height"] > box["width"]) != (turned["height"] > turned["width"])
    shot(page, "review-turned")
    page.reload()
    expect(page.locator("figure.page img").first).to_have_attribute("src", ending("-90"))
    field(page, "total").click()
    expect(page.locator(".flag")).to_be_visible()
    covered = page.evaluate(
        """() => {
            const flag = document.querySelector(".flag").getBoundingClientRect();
            return [...document.querySelectorAll("rect.word")].filter((word) => {
                const at = word.getBoundingClientRect();
                return Math.min(at.right - 2, flag.right) > Math.max(at.left + 2, flag.left)
                    && Math.min(at.bottom - 2, flag.bottom) > Math.max(at.top + 2, flag.top);
            }).length;
        }"""
    )
    assert covered == 0, "the flag covers a word"
    first = word(page, product, document_id, 0)
    page.locator("[data-scroller]").focus()
    page.keyboard.press("/")
    page.keyboard.type(first["text"].lower())
    expect(page.locator("rect.hit").first).to_be_attached()
    expect(page.locator("[data-found]")).to_contain_text("1 of")
    shot(page, "review-search")
    page.keyboard.press("Escape")
    expect(page.locator("rect.hit")).to_have_count(0)
    assert [codes["to"] for codes in told(product, document_id, "PAGE_TURNED")] == [90]
    assert unexpected(errors) == []


def ending(end: str) -> re.Pattern[str]:
    return re.compile(rf"{end}$")


def paste(page: Page, text: str) -> None:
    page.evaluate(
        """(text) => {
            const transfer = new DataTransfer();
            transfer.setData("text/plain", text);
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }));
        }""",
        text,
    )


def test_line_items_are_worked_on_as_in_a_spreadsheet(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    document_id = waiting(product, drawn, "invoice-wrong-total.jpg")
    before = product.api("GET", f"/api/v1/documents/{document_id}/").json()["line_items"]
    columns = [cell["name"] for cell in before[0]["cells"]]
    last = before[-1]["row"]
    page = signed_in(browser, product, "reviewer", errors, reduced_motion="reduce")
    opened(page, product, document_id)

    def cell(row: int, name: str) -> Locator:
        return field(page, f"line_items.{row}.{name}")

    cell(1, "amount").click()
    expect(page.locator("rect.row-box")).to_be_attached()
    page.keyboard.press("ArrowDown")
    expect(cell(2, "amount")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(cell(2, columns[columns.index("amount") - 1])).to_be_focused()
    page.keyboard.press("Control+Insert")
    expect(cell(last + 1, columns[0])).to_be_focused()
    # The map of the document has a colour for every row, the new one included.
    expect(page.locator("#map .segment:not(.ok, .none, .you, .warn, .bad, .miss)")).to_have_count(0)
    expect(page.locator("#map .segment.at")).to_have_count(1)
    page.keyboard.type("Postage")
    cell(last + 1, "amount").fill("5,00")
    shot(page, "review-grid")
    page.keyboard.press("Control+z")
    expect(cell(last + 1, "amount")).to_have_value("")
    page.keyboard.press("Control+Shift+z")
    expect(cell(last + 1, "amount")).to_have_value("5,00")
    cell(1, "amount").click()
    page.keyboard.press("Control+Delete")
    expect(cell(1, "amount")).to_have_count(0)

    cell(last, columns[0]).click()
    rows = [[f"Part {number}", *["1.00"] * (len(columns) - 1)] for number in range(500)]
    page.keyboard.press("Control+Insert")
    begin = last + 2
    expect(cell(begin, columns[0])).to_be_focused()
    paste(page, "\n".join("\t".join(row) for row in rows))
    expect(page.locator(".items h2 .number")).to_have_text(f"{len(before) + 500} rows")
    assert page.locator("table.grid tbody tr[data-row]").count() < 120, "only the rows in view are in the page"
    shot(page, "review-grid-500")
    page.keyboard.press("Control+z")
    expect(page.locator(".items h2 .number")).to_have_text(f"{len(before) + 1} rows")

    cell(begin, columns[0]).fill("Packing")
    cell(begin, "amount").click()
    page.keyboard.press("Control+d")
    take_all(page)
    approved_with_a_reason(page, document_id)
    after = approved(product, document_id)["line_items"]
    values = {item["row"]: {each["name"]: each["value"] for each in item["cells"]} for item in after}
    assert 1 not in values
    assert (values[last + 1][columns[0]], values[last + 1]["amount"]) == ("Postage", "5.00")
    assert values[begin][columns[0]] == "Packing"
    changes = {
        codes["change"]: codes["fields"] for codes in told(product, document_id, "FIELD_CORRECTED") if "fields" in codes
    }
    assert changes == {"added": [f"line_items.{last + 1}", f"line_items.{begin}"], "removed": ["line_items.1"]}
    assert "Postage" not in json.dumps(product.api("GET", f"/api/v1/documents/{document_id}/audit/").json())
    assert unexpected(errors) == []


def test_keys_are_changed_in_a_page_and_count_in_the_review(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    document_id = waiting(product, drawn, "invoice-wrong-total.jpg")
    page = signed_in(browser, product, "second_reviewer", errors)
    page.goto(f"{product.url}/keys/")
    page.locator("[data-command='compare']").press("F8")
    page.locator("[data-command='search']").press("c")
    expect(page.locator("[data-command='search']")).to_have_value("C")
    page.locator("[data-command='boxes']").press("F8")
    expect(page.locator("[data-told]")).to_contain_text("belongs to")
    shot(page, "keys")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-told]")).to_contain_text("Saved")

    opened(page, product, document_id)
    page.locator("[data-scroller]").focus()
    page.keyboard.press("F8")
    expect(page.locator("#compare")).to_be_visible()
    shot(page, "review-compare")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    sheet = page.locator("#shortcuts")
    expect(sheet.locator("dl > div", has_text="Compare with what the machine read").locator("kbd")).to_have_text("F8")
    shot(page, "review-keys")
    page.keyboard.press("Escape")
    page.goto(f"{product.url}/keys/")
    page.get_by_label("Single letters and signs").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-told]")).to_contain_text("Saved")
    opened(page, product, document_id)
    page.locator("[data-scroller]").focus()
    page.keyboard.press("c")
    expect(page.locator("[data-search]")).to_be_hidden()
    page.keyboard.press("F8")
    expect(page.locator("#compare")).to_be_visible()
    assert unexpected(errors) == []


def test_a_value_is_chosen_where_only_few_are_possible(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    admin = signed_in(browser, product, "admin", errors)
    admin.goto(f"{product.url}/document-types/new-type/")
    admin.get_by_role("textbox", name="Definition (YAML)").fill(SLIP)
    admin.get_by_role("button", name="Save as a new version").click()
    admin.wait_for_url("**/document-types/paid_slip/")
    document_id = waiting(product, drawn, "receipt-thermal.jpg", "paid_slip")
    page = signed_in(browser, product, "reviewer", errors)
    opened(page, product, document_id)
    paid_by = field(page, "paid_by")
    expect(paid_by).to_be_focused()
    expect(paid_by.locator("option")).to_have_text(["", "Cash", "Card"])
    page.keyboard.type("Car")
    expect(paid_by).to_have_value("Card")
    shot(page, "review-choice")
    page.keyboard.press("Control+z")
    expect(paid_by).to_have_value("")
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    assert [(each["value"], each["state"]) for each in approved(product, document_id)["fields"]] == [
        ("Card", "corrected")
    ]
    assert unexpected(errors) == []
