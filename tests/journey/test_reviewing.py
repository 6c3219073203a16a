"""From one document to the next in a real browser, without loading a page: approved, refused, taken back, set aside, left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

import samples
from tests.journey.conftest import empty_queue
from tests.journey.pictures import shot
from tests.journey.test_journey import signed_in
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.engine]
# Of a page that was loaded once: what another page load would take away, and what the reviewer has before them.
MARK = "window.loadedOnce = true"
MARKED = "window.loadedOnce === true"
ALONE = """(() => {
  const fields = [...document.querySelectorAll("#main .value[name]")];
  return fields.length > 1 && fields.every((field) => field.form?.elements.length === 1);
})()"""


@pytest.fixture(autouse=True)
def _nothing_else_waits(product: Product) -> None:
    empty_queue(product)


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """What the pages complain of. A refusal that a test provokes is the browser's own line, not an error of ours."""
    found: list[str] = []
    yield found
    assert [line for line in found if not re.search(r"status of (409|422)", line)] == []


def wait_for_review(product: Product, content: bytes, *names: str, document_type: str = "invoice") -> list[str]:
    """The ids of documents that wait for a person, in the order in which they are handed out."""
    ids = [product.upload(name, content, document_type=document_type) for name in names]
    for each in ids:
        assert product.wait_for(each)["status"] == "needs_review"
    return ids


def start(page: Page, product: Product, document_id: str) -> None:
    page.goto(f"{product.url}/queue/")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/review/{document_id}/")
    page.evaluate(MARK)
    ready(page)


def ready(page: Page) -> None:
    """The document after this one is reserved and built."""
    expect(page.locator("#main[data-ahead=ready]")).to_be_attached()


def confirm_all(page: Page, *, approve: bool = True) -> None:
    """Enter, until only a rule is against it, if anything; a required value that is not there is not on the page."""
    button = page.locator("#main-button", has_text="Approve")
    for _ in range(60):
        if button.count():
            break
        page.keyboard.press("Alt+n" if page.evaluate("document.activeElement.value === ''") else "Enter")
    expect(button).to_be_visible()
    if approve:
        page.keyboard.press("Control+Enter")


def status(product: Product, document_id: str) -> str:
    found: dict[str, Any] = product.api("GET", f"/api/v1/documents/{document_id}/").json()
    return str(found["status"])


def claims(product: Product, document_id: str) -> list[str]:
    events = product.api("GET", f"/api/v1/documents/{document_id}/audit/").json()
    return [f"{event['kind']} {event['step']}" for event in events if event["kind"] in {"CLAIMED", "RELEASED"}]


def test_the_next_document_comes_without_a_page_load_and_undo_goes_back(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    first, second, third = wait_for_review(
        product, drawn["invoice-rotated.jpg"].path.read_bytes(), "one.jpg", "two.jpg", "three.jpg"
    )
    page = signed_in(browser, product, "reviewer", errors)
    start(page, product, first)
    assert page.evaluate(ALONE), "a browser's autofill goes through the whole form of the field that is entered"
    assert claims(product, second) == [], "what is only reserved was shown to nobody"
    confirm_all(page)
    page.wait_for_url(f"**/review/{second}/")
    assert page.title().startswith("two.jpg")
    expect(page.locator("nav.crumbs .here")).to_have_text("two.jpg")
    expect(page.locator("[data-history]")).to_have_attribute("href", f"/documents/{second}/")
    expect(page.get_by_text("one.jpg approved.")).to_be_visible()
    assert status(product, first) == "approved"
    ready(page)
    assert (claims(product, second), claims(product, third)) == (["CLAIMED claim"], [])

    # What was typed in the second meanwhile is there again when its turn comes.
    field = page.locator("input[data-entry], textarea[data-entry]").first
    field.fill("typed in the meantime")
    name = field.get_attribute("name")
    field.blur()
    page.keyboard.press("u")
    page.wait_for_url(f"**/review/{first}/")
    expect(page.locator("#counts")).to_contain_text("Ready to approve")
    assert status(product, first) == "needs_review"
    shot(page, "review-undone")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/review/{second}/")
    expect(page.locator(f"[name='{name}']")).to_have_value("typed in the meantime")
    expect(page.get_by_text("one.jpg approved.")).to_be_visible()
    assert status(product, first) == "approved"
    assert page.evaluate(MARKED)

    page.locator("#aside-button").click()
    page.wait_for_url(f"**/review/{third}/")
    expect(page.get_by_text("Set aside.")).to_be_visible()
    assert page.evaluate(MARKED)
    page.locator("#reject-button").click()
    page.keyboard.press("2")
    page.locator("#reject button[value=yes]").click()
    page.wait_for_url("**/queue/")
    expect(page.get_by_text("three.jpg rejected.")).to_be_visible()


NEVER_PAINTED = """() => {
  window.requestAnimationFrame = () => 0;
  const later = window.setTimeout;
  window.setTimeout = (run, milliseconds) => (milliseconds === 100 ? 0 : later(run, milliseconds));
}"""


def test_who_leaves_before_the_next_is_painted_has_approved(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    """The decision waits until the next document is on the screen, but not for a page that goes away."""
    first, second = wait_for_review(product, drawn["invoice-rotated.jpg"].path.read_bytes(), "one.jpg", "two.jpg")
    page = signed_in(browser, product, "reviewer", errors)
    start(page, product, first)
    confirm_all(page, approve=False)
    page.evaluate(NEVER_PAINTED)
    page.keyboard.press("Control+Enter")
    expect(page.locator("nav.crumbs .here")).to_have_text("two.jpg")
    page.wait_for_timeout(300)
    assert status(product, first) == "needs_review"
    page.goto(f"{product.url}/documents/")
    for _ in range(50):  # the answer is for nobody any more
        if status(product, first) == "approved":
            break
        page.wait_for_timeout(100)
    assert (status(product, first), status(product, second)) == ("approved", "needs_review")
    page.context.close()


def test_a_refused_approval_comes_back_with_what_was_typed(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    content = drawn["invoice-wrong-total.jpg"].path.read_bytes()
    first, second = wait_for_review(product, content, "off.jpg", "off-too.jpg")
    page = signed_in(browser, product, "reviewer", errors)
    start(page, product, first)
    number = page.locator("[name='invoice_number']")
    # The page leaves it to the server what an amount with a currency is, and so whether it adds up.
    for field, typed in ((number, "TYPED-77"), (page.locator("[name='total']"), "USD 1.00")):
        field.fill(typed)
        field.press("Enter")
    confirm_all(page)
    dialog = page.locator("#override")
    expect(dialog).to_be_visible()
    page.wait_for_url(f"**/review/{first}/")
    expect(number).to_have_value("TYPED-77")
    assert status(product, first) == "needs_review"
    page.keyboard.type("Printed so.")
    dialog.get_by_role("button", name="Approve all the same").click()
    page.wait_for_url(f"**/review/{second}/")
    expect(page.get_by_text("off.jpg approved.")).to_be_visible()
    assert status(product, first) == "approved"
    assert page.evaluate(MARKED)


# Before the browser has told anybody that the dialog was closed.
CLOSED_AND_ASKED_AGAIN = """() => {
  document.querySelector("#override").close();
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true }));
}"""


def test_what_only_a_rule_is_against_is_approved_with_a_reason(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    content = drawn["invoice-wrong-total.jpg"].path.read_bytes()
    first, second = wait_for_review(product, content, "odd.jpg", "odd-too.jpg")
    page = signed_in(browser, product, "reviewer", errors)
    start(page, product, first)
    confirm_all(page)
    dialog = page.locator("#override")
    expect(dialog.get_by_role("listitem")).not_to_have_count(0)
    shot(page, "review-override")
    assert page.url.endswith(f"/review/{first}/"), "nothing is sent before there is a reason"
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("Control+Enter")
    expect(dialog).to_be_visible()
    page.evaluate(CLOSED_AND_ASKED_AGAIN)
    page.keyboard.type("Printed so.")
    dialog.get_by_role("button", name="Approve all the same").click()
    page.wait_for_url(f"**/review/{second}/")
    expect(page.get_by_text("odd.jpg approved.")).to_be_visible()
    assert status(product, first) == "approved"


def test_undo_goes_back_through_this_document_and_then_to_the_one_before(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    first, second = wait_for_review(product, drawn["invoice-rotated.jpg"].path.read_bytes(), "undo.jpg", "undo-too.jpg")
    page = signed_in(browser, product, "reviewer", errors)
    start(page, product, first)
    confirm_all(page)
    page.wait_for_url(f"**/review/{second}/")
    expect(page.get_by_text("undo.jpg approved.")).to_be_visible()
    field = page.locator("[name='invoice_number']")
    read = field.input_value()
    field.fill("one")
    field.press("Enter")
    field.fill("two")
    page.keyboard.press("Control+z")
    expect(field).to_have_value("one")
    page.keyboard.press("Control+z")
    expect(field).to_have_value(read)
    assert page.url.endswith(f"/review/{second}/")
    page.keyboard.press("Control+z")
    page.wait_for_url(f"**/review/{first}/")
    assert status(product, first) == "needs_review"
    assert page.evaluate(MARKED)


def test_who_was_overtaken_is_told_on_the_document_itself(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    first, second = wait_for_review(product, drawn["invoice-rotated.jpg"].path.read_bytes(), "fast.jpg", "slow.jpg")
    page = signed_in(browser, product, "reviewer", errors)
    start(page, product, first)
    confirm_all(page, approve=False)  # before it is decided: afterwards a dialog takes the keys
    rejected = {"version": product.wait_for(first)["version"], "decision": "reject", "reason": "other"}
    page.request.post(
        f"{product.url}/api/v1/documents/{first}/review/",
        data=rejected,
        headers={"X-CSRFToken": cookie(page, "csrftoken")},
    )
    page.keyboard.press("Control+Enter")
    expect(page.locator("#conflict")).to_be_visible()
    page.wait_for_url(f"**/review/{first}/")
    expect(page.locator("#conflict h2")).to_have_text("This document is already decided")
    shot(page, "review-conflict")
    assert status(product, second) == "needs_review"


def cookie(page: Page, name: str) -> str:
    return next(str(each["value"]) for each in page.context.cookies() if each["name"] == name)


def test_both_are_given_back_when_the_page_is_left_and_kept_when_it_is_loaded_again(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    first, second = wait_for_review(product, drawn["invoice-rotated.jpg"].path.read_bytes(), "here.jpg", "there.jpg")
    page = signed_in(browser, product, "reviewer", errors)
    start(page, product, first)
    other = signed_in(browser, product, "second_reviewer", errors)
    other.goto(f"{product.url}/review/{second}/")
    expect(other.get_by_text("is working on this document")).to_be_visible()
    page.reload()
    ready(page)
    page.wait_for_timeout(500)  # the beacon of the page that was left comes whenever it likes
    with page.expect_response("**/heartbeat/") as answered:
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert answered.value.status == 200
    assert len(answered.value.json()["ahead"]) == 1

    page.goto(f"{product.url}/queue/")
    for document_id in (first, second):
        expect(reopened(other, f"{product.url}/review/{document_id}/").locator("#main-button")).to_be_visible()


# This computer never tells of earlier work, and the page waits for it longer than a second.
NEVER_READY = """
indexedDB.open = () => ({});
const later = window.setTimeout;
window.setTimeout = (run, ms, ...more) => later(run, ms === 1000 ? 600_000 : ms, ...more);
"""


def test_a_page_that_is_left_at_once_gives_its_document_back(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    [document_id] = wait_for_review(product, drawn["invoice-rotated.jpg"].path.read_bytes(), "glance.jpg")
    address = f"{product.url}/review/{document_id}/"
    page = signed_in(browser, product, "reviewer", errors)
    page.add_init_script(NEVER_READY)
    page.goto(address)
    expect(page.locator("#lease")).to_be_hidden()  # the document is not on the page yet
    page.goto(f"{product.url}/queue/")
    other = signed_in(browser, product, "second_reviewer", errors)
    expect(reopened(other, address).locator("#main-button")).to_be_visible()


def reopened(page: Page, address: str) -> Page:
    """The page at the address, loaded until it is not held by anybody else any more."""
    for _ in range(50):
        page.goto(address)
        if not page.get_by_text("is working on this document").count():
            return page
    return page


def test_back_shows_the_document_as_it_is_now(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    first, second = wait_for_review(product, drawn["invoice-rotated.jpg"].path.read_bytes(), "was.jpg", "is.jpg")
    page = signed_in(browser, product, "reviewer", errors)
    start(page, product, first)
    confirm_all(page)
    page.wait_for_url(f"**/review/{second}/")
    expect(page.get_by_text("was.jpg approved.")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("The document was already approved")).to_be_visible()
    expect(page.locator("#counts")).to_contain_text("certain")
    expect(page.locator("#counts")).not_to_contain_text("Ready to approve")
    page.go_forward()
    expect(page.locator("#main-button")).to_be_visible()
    assert page.url.endswith(f"/review/{second}/")
