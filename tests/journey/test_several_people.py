"""More than one person on a document, in a real browser: blind keying, a second pair of eyes, a merge, a re-opening, questions."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from playwright.sync_api import Browser, Page, expect

import samples
from tests.journey.test_journey import signed_in
from tests.journey.test_pages import AXE, at_every_look
from tests.product import Product

pytestmark = [
    pytest.mark.browser,
    pytest.mark.engine,
    pytest.mark.skipif(
        not AXE.exists() and os.environ.get("REQUIRE_BROWSER") != "1", reason="axe-core is not installed: npm ci"
    ),
]
TYPE = """\
name: {name}
label: {label}
features: [FORMS]
four_eyes: {four_eyes}
fields:
  - {{name: amount_paid, label: Amount paid, kind: amount, required: true, threshold: 100, labels: [total]}}
  - {{name: paid_on, label: Paid on, kind: date, labels: [date]}}
"""


@pytest.fixture(autouse=True)
def errors() -> Iterator[list[str]]:
    found: list[str] = []
    yield found
    assert [error for error in found if not re.search(r"\b(409|422)\b", error)] == []


def add_type(browser: Browser, product: Product, errors: list[str], name: str, four_eyes: str) -> None:
    page = signed_in(browser, product, "admin", errors)
    page.goto(f"{product.url}/document-types/new-type/")
    text = TYPE.format(name=name, label=name.replace("_", " ").capitalize(), four_eyes=four_eyes)
    page.get_by_role("textbox", name="Definition (YAML)").fill(text)
    page.get_by_role("button", name="Save as a new version").click()
    page.wait_for_url(f"**/document-types/{name}/")
    page.context.close()


def waiting(product: Product, sample: samples.Sample, name: str, document_type: str) -> str:
    document_id = product.upload(name, sample.path.read_bytes(), document_type=document_type)
    assert product.wait_for(document_id)["status"] == "needs_review"
    return document_id


def told(product: Product, document_id: str, *kinds: str) -> list[dict[str, Any]]:
    timeline = product.api("GET", f"/api/v1/documents/{document_id}/audit/").json()
    return [event for event in timeline if event["kind"] in kinds]


def stands(product: Product, document_id: str) -> dict[str, Any]:
    found: dict[str, Any] = product.api("GET", f"/api/v1/documents/{document_id}/").json()
    return found


def value(document: dict[str, Any], name: str) -> str:
    found: str = next(field["value"] for field in document["fields"] if field["name"] == name)
    return found


def opened(page: Page, product: Product, document_id: str) -> Any:
    page.goto(f"{product.url}/review/{document_id}/")
    return keyed(page)


def keyed(page: Page) -> Any:
    """The field under test, once the screen takes keys: what is typed before goes nowhere."""
    expect(page.locator("[data-entry]:focus, #main-button:focus")).to_be_attached(timeout=15000)
    return page.locator("[data-name='amount_paid'] :is(input, textarea)")


def approve(page: Page, document_id: str) -> None:
    """Confirm what is open, then approve; all by keyboard."""
    confirm_all(page)
    # The next document is shown before the server has answered.
    with page.expect_response(f"**/review/{document_id}/decision/"):
        page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: document_id not in url, timeout=15000)


def confirm_all(page: Page) -> None:
    for _ in range(40):
        if page.get_by_text("Ready to approve").count():
            break
        page.keyboard.press("Enter")


def shots(page: Page, name: str) -> None:
    """At every look: nothing wider than the screen, nothing that axe-core finds."""
    assert list(at_every_look(page, AXE.read_text(encoding="utf-8"), name)) == []
    page.set_viewport_size({"width": 1440, "height": 900})


def test_two_key_blind_and_a_third_decides_without_names(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    add_type(browser, product, errors, "counted_slip", "{mode: blind, fields: [amount_paid]}")
    document_id = waiting(product, drawn["receipt-thermal.jpg"], "blind.jpg", "counted_slip")
    assert value(stands(product, document_id), "amount_paid") is None
    machine = read_by_the_machine(product, document_id, "amount_paid")

    page = signed_in(browser, product, "reviewer", errors)
    field = opened(page, product, document_id)
    expect(page.get_by_text("Blind check")).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    expect(page.locator("[data-name='amount_paid'] .crop")).to_be_visible()
    assert page.locator("rect.word, .suggestion").count() == 0
    assert machine not in page.content()
    shots(page, "four-eyes-blind")
    page.keyboard.type(machine)
    page.keyboard.press("Enter")
    approve(page, document_id)
    page.goto(f"{product.url}/review/{document_id}/")
    expect(page.get_by_text("You have checked this document").first).to_be_visible()

    second = signed_in(browser, product, "second_reviewer", errors)
    second.goto(f"{product.url}/queue/?tab=checks")
    second.get_by_role("link", name="blind.jpg").click()
    expect(second.get_by_text("Blind check")).to_be_visible()
    expect(keyed(second)).to_be_focused()
    assert machine not in second.content()
    second.keyboard.type("1.23")
    second.keyboard.press("Enter")
    approve(second, document_id)
    assert stands(product, document_id)["status"] == "needs_review"

    third = signed_in(browser, product, "supervisor", errors)
    opened(third, product, document_id)
    expect(third.get_by_text("Two people read these values in two ways")).to_be_visible()
    chips = third.locator(".suggestion .value")
    assert sorted(chips.all_inner_texts()) == sorted([machine, "1.23"])
    shown = third.locator("main").inner_text()
    assert not any(name in shown for name in ("Mira", "Jonas", "reviewer"))
    shots(third, "four-eyes-third")
    third.keyboard.press(f"Alt+{chips.all_inner_texts().index(machine) + 1}")
    approve(third, document_id)

    decided = product.wait_for(document_id)
    assert (decided["status"], decided["review"]["reviewer"]) == ("approved", "user:supervisor")
    assert value(decided, "amount_paid") == machine
    checks = [
        (each["actor"], each["codes"]["count"], each["codes"]["differs"])
        for each in told(product, document_id, "CHECKED")
    ]
    assert checks == [
        ("user:reviewer", 1, []), ("user:second_reviewer", 2, ["amount_paid"]), ("user:supervisor", 3, []),
    ]  # fmt: skip
    assert [each["actor"] for each in told(product, document_id, "HUMAN_REVIEW_APPROVED")] == ["user:supervisor"]
    trail = json.dumps(product.api("GET", f"/api/v1/documents/{document_id}/audit/").json())
    assert '"1.23"' not in trail and f'"{machine}"' not in trail


def test_an_amount_above_the_limit_has_a_second_pair_of_eyes(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    add_type(browser, product, errors, "big_slip", "{mode: second, amount: amount_paid, above: '1'}")
    document_id = waiting(product, drawn["receipt-thermal.jpg"], "big.jpg", "big_slip")
    page = signed_in(browser, product, "reviewer", errors)
    opened(page, product, document_id)
    approve(page, document_id)
    assert stands(product, document_id)["status"] == "needs_review"
    second = signed_in(browser, product, "second_reviewer", errors)
    field = opened(second, product, document_id)
    expect(second.get_by_text("Second check")).to_be_visible()
    expect(field).to_have_value(value(stands(product, document_id), "amount_paid"))
    shots(second, "four-eyes-second")
    approve(second, document_id)
    assert product.wait_for(document_id)["status"] == "approved"
    kinds = [(each["kind"], each["actor"]) for each in told(product, document_id, "CHECKED", "HUMAN_REVIEW_APPROVED")]
    assert kinds == [
        ("CHECKED", "user:reviewer"),
        ("CHECKED", "user:second_reviewer"),
        ("HUMAN_REVIEW_APPROVED", "user:second_reviewer"),
    ]


@pytest.mark.parametrize("refused", ["draft", "decision"])
def test_both_versions_are_merged_by_keyboard_and_a_re_opening_tells_what_changed(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str], refused: str
) -> None:
    document_id = waiting(product, drawn["invoice-wrong-total.jpg"], "merged.jpg", "invoice")
    before = stands(product, document_id)
    right = f"{float(value(before, 'subtotal')) + float(value(before, 'tax')):.2f}"
    page = signed_in(browser, product, "reviewer", errors)
    page.goto(f"{product.url}/review/{document_id}/")
    keyed(page)
    page.locator("[data-name='total'] :is(input, textarea)").fill(right)
    page.locator("[data-name='invoice_number'] :is(input, textarea)").fill("MERGED-1")
    expect(page.locator("#draft-state")).to_contain_text("Draft saved", timeout=15000)

    supervisor = signed_in(browser, product, "supervisor", errors)
    supervisor.goto(f"{product.url}/documents/{document_id}/")
    supervisor.locator(f"form[action$='/{document_id}/replay/'] button").click()
    expect(supervisor.get_by_text(re.compile("found again")).first).to_be_visible()

    if refused == "decision":  # no draft reaches the server before it
        page.route("**/draft/", lambda _route: None)
    page.keyboard.press("Enter")
    if refused == "decision":
        confirm_all(page)
        page.keyboard.press("Control+Enter")
    merge = page.locator("#merge")
    expect(merge).to_be_visible(timeout=15000)
    page.unroute("**/draft/")
    rows = merge.locator("tbody tr")
    expect(rows).to_have_count(2)
    shots(page, "merge")
    # Fields stand in the document's order: the number is theirs, the total is mine.
    first_is_number = "number" in rows.nth(0).locator("th").inner_text().lower()
    if not first_is_number:
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp" if not first_is_number else "ArrowDown")
    page.keyboard.press("Enter")
    if not first_is_number:
        page.keyboard.press("Enter")
    if refused == "decision":
        with page.expect_response(f"**/review/{document_id}/decision/") as answer:
            page.keyboard.press("Enter")
        assert answer.value.ok
    else:
        page.keyboard.press("Enter")
        expect(merge).to_be_hidden()
        approve(page, document_id)
    decided = product.wait_for(document_id)
    assert decided["status"] == "approved"
    assert (value(decided, "total"), value(decided, "invoice_number")) == (right, value(before, "invoice_number"))
    assert [each["codes"]["field"] for each in told(product, document_id, "FIELD_CORRECTED")] == ["total"]
    assert len(told(product, document_id, "REPLAYED")) == 1

    supervisor.goto(f"{product.url}/documents/{document_id}/")
    supervisor.locator(f"form[action$='/{document_id}/reopen/'] button").click()
    expect(supervisor.get_by_text("back in the queue")).to_be_visible()
    page.goto(f"{product.url}/review/{document_id}/")
    keyed(page)
    page.locator("[data-name='invoice_number'] :is(input, textarea)").fill("AGAIN-2")
    page.keyboard.press("Enter")
    approve(page, document_id)
    again = product.wait_for(document_id)
    assert (again["status"], again["version"]) == ("approved", decided["version"] + 2)
    assert [each["actor"] for each in told(product, document_id, "REOPENED")] == ["user:supervisor"]
    assert corrected(product, document_id) == [["invoice_number"]]


def read_by_the_machine(product: Product, document_id: str, name: str) -> str:
    """What REST tells nobody while the document is keyed blind."""
    rows = asked(product, "SELECT value FROM ocr_field WHERE document_id = %s AND name = %s", [document_id, name])
    found: str = rows[0][0]
    return found


def asked(product: Product, query: str, parameters: list[str]) -> list[Any]:
    with psycopg2.connect(product.credentials["database"]["auditor"]) as connection, connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows = cursor.fetchall()
    connection.close()
    return rows


def corrected(product: Product, document_id: str) -> list[list[str]]:
    """What each document.corrected event of the document says has changed."""
    query = (
        "SELECT data FROM ocr_outboxevent WHERE document_id = %s AND type = 'document.corrected' ORDER BY created_at"
    )
    return [data["fields"] for (data,) in asked(product, query, [document_id])]


def test_a_question_parks_the_document_until_it_is_answered_and_work_is_given_out(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample], errors: list[str]
) -> None:
    before = waiting(product, drawn["invoice-wrong-total.jpg"], "before.jpg", "invoice")
    document_id = waiting(product, drawn["invoice-noisy-scan.jpg"], "asked.jpg", "invoice")
    page = signed_in(browser, product, "reviewer", errors)
    page.goto(f"{product.url}/review/{before}/")
    expect(page.locator("#main[data-ahead=ready]")).to_be_attached()
    page.locator("#aside-button").click()
    page.wait_for_url(lambda url: document_id in url)  # without loading a page
    page.locator("[data-name='total'] :is(input, textarea)").click()
    page.locator("#comment-button").click()
    page.keyboard.type("Is this stamp a heron? @supervi")
    page.locator("[data-mentions] button").first.click()
    expect(page.locator("#comment-text")).to_have_value("Is this stamp a heron? @supervisor ")
    shots(page, "comment")
    page.locator("#comment button[value=yes]").click()
    page.wait_for_url(lambda url: document_id not in url)

    supervisor = signed_in(browser, product, "supervisor", errors)
    expect(supervisor.get_by_text("waits for your answer")).to_be_visible()
    supervisor.goto(f"{product.url}/queue/?tab=answers")
    expect(supervisor.get_by_text("Mira Okafor asks you")).to_be_visible()
    shots(supervisor, "queue-answers")
    supervisor.get_by_role("link", name="asked.jpg").click()
    expect(supervisor.get_by_text("Is this stamp a heron?")).to_be_visible()
    shots(supervisor, "answer")
    supervisor.get_by_label("Your answer").fill("It is an ibis.")
    supervisor.get_by_role("button", name="Answer").click()
    expect(supervisor.get_by_text("back in the queue")).to_be_visible()

    supervisor.goto(f"{product.url}/queue/")
    supervisor.locator("[data-pick-all]").check()
    shots(supervisor, "queue-assign")
    supervisor.get_by_label("Give the chosen documents").select_option(label="Mira Okafor")
    supervisor.get_by_role("button", name="Assign").click()
    expect(supervisor.get_by_text("assigned").first).to_be_visible()

    page.goto(f"{product.url}/review/{document_id}/")
    expect(page.get_by_text("It is an ibis.")).to_be_visible()
    expect(page.locator("#main-button")).to_be_visible()
    steps = [
        (each["kind"], each["step"], each["actor"]) for each in told(product, document_id, "COMMENTED", "ASSIGNED")
    ]
    assert ("COMMENTED", "ask", "user:reviewer") in steps
    assert ("COMMENTED", "answer", "user:supervisor") in steps
    trail = json.dumps(product.api("GET", f"/api/v1/documents/{document_id}/audit/").json())
    assert "heron" not in trail and "ibis" not in trail
