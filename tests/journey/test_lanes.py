"""One field across many documents in a real browser, by the keyboard alone: confirmed, replaced, a block, taken back, an outage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from playwright.sync_api import Browser, Page, Route, expect

import samples
from tests.journey.accessibility import Tree, description, name
from tests.journey.conftest import empty_queue
from tests.journey.pictures import shot
from tests.journey.test_journey import signed_in
from tests.journey.test_languages import german
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.engine]
# No reading is as sure as this type wants it: every document of it waits for its one field.
SLIP = """\
name: lane_slip
label: Lane slip
features: [FORMS]
fields:
  - name: amount_paid
    label: Amount paid
    kind: amount
    required: true
    threshold: 100
    lane: true
    labels: [total]
"""
LANE = "/lanes/lane_slip/amount_paid/"
ALONE = "[...document.querySelectorAll('#rows input')].every((field) => field.form?.elements.length === 1)"
PICTURES = "**/pages/*/crop/**"


@pytest.fixture(scope="module")
def slip(browser: Browser, product: Product) -> str:
    """The type whose field may be confirmed in a lane."""
    page = signed_in(browser, product, "admin", [])
    page.goto(f"{product.url}/document-types/new-type/")
    page.get_by_role("textbox", name="Definition (YAML)").fill(SLIP)
    page.get_by_role("button", name="Save as a new version").click()
    page.wait_for_url("**/document-types/lane_slip/")
    page.context.close()
    return "lane_slip"


@pytest.fixture
def errors(product: Product) -> Iterator[list[str]]:
    """What the pages complain of, but for the network that a test takes away."""
    empty_queue(product)
    found: list[str] = []
    yield found
    assert [line for line in found if not re.search(r"net::ERR_|Failed to load resource", line)] == []


def slips(product: Product, drawn: dict[str, samples.Sample], slip: str, count: int) -> list[str]:
    """The ids of so many documents that wait in the lane, in the order in which they are handed out."""
    content = drawn["receipt-thermal.jpg"].path.read_bytes()
    ids = [product.upload(f"slip-{number}.jpg", content, document_type=slip) for number in range(1, count + 1)]
    for each in ids:
        assert product.wait_for(each)["status"] == "needs_review"
    return ids


def said(product: Product, document_id: str) -> list[tuple[str, Any, Any]]:
    """What the trail has of the field: kind, who, what."""
    events = product.api("GET", f"/api/v1/documents/{document_id}/audit/").json()
    kinds = {"FIELD_CONFIRMED", "FIELD_CORRECTED"}
    return [(each["kind"], each["actor"], each["codes"]["change"]) for each in events if each["kind"] in kinds]


def total(product: Product, document_id: str) -> tuple[str, Any]:
    """The document's status and the value of its field."""
    document = product.api("GET", f"/api/v1/documents/{document_id}/").json()
    return document["status"], document["fields"][0]["value"]


def opened(page: Page, product: Product, count: int) -> None:
    page.goto(product.url + LANE)
    expect(page.locator("#rows > li")).to_have_count(count)
    assert page.evaluate(ALONE), "a browser's autofill goes through the whole form of the field that is entered"
    expect(page.locator("#rows > li[data-drawn]")).to_have_count(count)


def row(page: Page, number: int) -> Any:
    """The row of the document that was uploaded as this one."""
    return page.locator("#rows > li", has_text=f"slip-{number}.jpg")


def at(page: Page, number: int) -> None:
    """That row is active, its value has the focus and is marked, so that typing replaces it."""
    expect(row(page, number)).to_have_attribute("aria-current", "true")
    expect(row(page, number).locator("input")).to_be_focused()


def kept(page: Page, *numbers: int) -> None:
    for number in numbers:
        expect(row(page, number)).to_have_attribute("data-state", "kept")


def test_a_lane_is_worked_through_by_the_keyboard(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], slip: str, errors: list[str]
) -> None:
    ids = slips(product, drawn, slip, 9)
    read = total(product, ids[0])[1]
    page = signed_in(browser, product, "reviewer", errors)
    page.goto(f"{product.url}/queue/")
    page.get_by_role("link", name="Lanes").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/lanes/")
    page.get_by_role("link", name="Amount paid").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{LANE}")
    expect(page.locator("#rows > li[data-drawn]")).to_have_count(9)
    shot(page, "lane-journey")

    at(page, 1)
    page.keyboard.press("Enter")
    at(page, 2)
    page.keyboard.type("12,34")
    page.keyboard.press("Enter")
    at(page, 3)
    kept(page, 1, 2)
    expect(row(page, 2).locator("input")).to_have_value("12.34")
    assert [total(product, each) for each in ids[:2]] == [("approved", read), ("approved", "12.34")]
    assert said(product, ids[0]) == [("FIELD_CONFIRMED", "user:reviewer", "confirmed")]
    assert said(product, ids[1]) == [("FIELD_CORRECTED", "user:reviewer", "corrected")]

    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("#live")).to_have_text("A block of 3 rows")
    expect(page.locator("#rows > li.in-block")).to_have_count(3)
    shot(page, "lane-block")
    page.keyboard.press("Control+Enter")
    at(page, 6)
    kept(page, 3, 4, 5)
    for each in ids[2:5]:
        assert total(product, each) == ("approved", read)
        assert said(product, each) == [("FIELD_CONFIRMED", "user:reviewer", "confirmed")]

    # What cannot be a value comes back with a sentence, and is mended where it stands.
    page.keyboard.type("twelve")
    page.keyboard.press("Enter")
    expect(row(page, 6)).to_have_attribute("data-state", "refused")
    expect(row(page, 6).locator(".why")).not_to_be_empty()
    at(page, 7)
    shot(page, "lane-refused")
    page.keyboard.press("ArrowUp")
    at(page, 6)
    page.keyboard.press("Escape")
    expect(row(page, 6).locator("input")).to_have_value(read)
    page.keyboard.press("Enter")
    kept(page, 6)
    at(page, 7)

    page.keyboard.press("Control+z")
    at(page, 6)
    assert (total(product, ids[5])[0], [change for _kind, _who, change in said(product, ids[5])]) == (
        "needs_review", ["confirmed", "taken_back"],
    )  # fmt: skip
    page.keyboard.press("Enter")
    kept(page, 6)

    at(page, 7)
    with page.context.expect_page() as shown:
        page.keyboard.press("Alt+f")
    review = shown.value
    review.wait_for_url(f"**/review/{ids[6]}/**")
    expect(review.locator("[name='amount_paid']")).to_be_focused()
    review.close()
    page.bring_to_front()
    page.keyboard.press("Alt+n")
    kept(page, 7)
    assert total(product, ids[6]) == ("approved", None)
    assert said(product, ids[6]) == [("FIELD_CORRECTED", "user:reviewer", "absent")]
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing waits in this lane")).to_be_visible()
    kept(page, 8, 9)
    shot(page, "lane-done")
    for each in ids:
        assert total(product, each)[0] == "approved"
    checked = product.manage("verify")
    assert checked.returncode == 0, checked.stdout[-2000:]


def test_nothing_is_lost_when_the_network_is_away_or_the_page_is(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], slip: str, errors: list[str]
) -> None:
    ids = slips(product, drawn, slip, 4)
    page = signed_in(browser, product, "reviewer", errors)
    opened(page, product, 4)
    page.context.set_offline(True)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    at(page, 3)
    expect(page.locator("#saved")).to_have_text("Not saved, trying again")
    page.context.set_offline(False)
    kept(page, 1, 2)
    expect(page.locator("#saved")).to_have_text("Saved")

    # The server never answers before the page is gone: the next page sends what this one could not.
    page.route("**/answers/", lambda route: route.abort())
    page.keyboard.press("Enter")
    expect(page.locator("#saved")).to_have_text("Not saved, trying again")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("about:blank")
    page.unroute("**/answers/")
    page.goto(product.url + LANE)
    expect(page.get_by_text("An answer that had not arrived was sent now.")).to_be_visible()
    expect(page.locator("#rows > li")).to_have_count(1)
    assert said(product, ids[2]) == [("FIELD_CONFIRMED", "user:reviewer", "confirmed")]
    assert [total(product, each)[0] for each in ids] == ["approved", "approved", "approved", "needs_review"]


def test_two_people_in_a_lane_are_shown_different_documents(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], slip: str, errors: list[str]
) -> None:
    slips(product, drawn, slip, 3)
    page = signed_in(browser, product, "reviewer", errors)
    opened(page, product, 3)
    other = signed_in(browser, product, "second_reviewer", errors)
    other.goto(product.url + LANE)
    expect(other.get_by_role("heading", name="Nothing waits in this lane")).to_be_visible()
    page.goto(f"{product.url}/queue/")
    for _ in range(100):  # the page that was left gives its documents back when it likes
        if not claims(product):
            break
        other.wait_for_timeout(100)
    other.get_by_role("button", name="Look again").click()
    expect(other.locator("#rows > li")).to_have_count(3)


def claims(product: Product) -> int:
    """How many documents anybody holds."""
    with psycopg2.connect(product.credentials["database"]["superuser"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM review_claim")
        found = cursor.fetchall()
    connection.close()
    return int(found[0][0])


def test_nothing_is_confirmed_before_its_picture_is_there(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], slip: str, errors: list[str]
) -> None:
    ids = slips(product, drawn, slip, 1)
    page = signed_in(browser, product, "reviewer", errors)
    held: list[Route] = []
    page.route(PICTURES, lambda route: held.append(route))
    page.goto(product.url + LANE)
    at(page, 1)
    for keys in ("Enter", "Alt+n"):
        page.keyboard.press(keys)
        expect(page.locator("#live")).to_contain_text("still on its way")
    expect(row(page, 1)).to_have_attribute("data-state", "open")
    assert said(product, ids[0]) == []
    for each in held:
        each.continue_()
    expect(page.locator("#rows > li[data-drawn]")).to_have_count(1)
    page.keyboard.press("Enter")
    kept(page, 1)
    page.context.close()


def test_a_lane_is_heard_row_by_row(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], slip: str, errors: list[str]
) -> None:
    slips(product, drawn, slip, 2)
    page = signed_in(browser, product, "reviewer", errors)
    opened(page, product, 2)
    at(page, 1)
    for number in (1, 2):
        tree = Tree(page)
        assert list(tree.nameless()) == []
        assert name(tree.focused) == f"Amount paid of slip-{number}.jpg"
        assert description(tree.focused).strip(), "how sure the machine is"
        page.keyboard.press("Enter")


def test_values_are_shown_and_typed_as_germans_write_them(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], slip: str, errors: list[str]
) -> None:
    ids = slips(product, drawn, slip, 2)
    read = total(product, ids[0])[1]
    page = german(browser, product, "reviewer", errors)
    opened(page, product, 2)
    at(page, 1)
    expect(row(page, 1).locator("input")).to_have_value(read.replace(".", ","))
    page.keyboard.type("1,234")  # one and a bit here, a thousand and more elsewhere
    page.keyboard.press("Enter")
    expect(page.get_by_text("kann zwei Zahlen bedeuten")).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.type("1.234,50")
    page.keyboard.press("Enter")
    kept(page, 1)
    expect(row(page, 1).locator("input")).to_have_value("1.234,50")
    assert total(product, ids[0]) == ("approved", "1234.50")
    at(page, 2)
    page.keyboard.press("Enter")
    kept(page, 2)
    assert total(product, ids[1]) == ("approved", read)
