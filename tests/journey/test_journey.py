"""A reviewer's first hour in a real browser: log in, drop a file, open it from the queue, correct by keyboard, approve."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any

import psycopg2
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

import samples
from tests.journey.pictures import shot
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.engine]


def signed_in(
    browser: Browser,
    product: Product,
    who: str,
    errors: list[str],
    *,
    labels: tuple[str, str] = ("Username", "Password"),
    **options: Any,
) -> Page:
    person = product.credentials[who]
    page = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options)).new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(f"{product.url}/login/")
    page.get_by_label(labels[0]).fill(person["username"])
    page.get_by_label(labels[1], exact=True).fill(person["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue/")
    return page


def test_a_dropped_file_is_corrected_by_keyboard_and_approved(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample]
) -> None:
    errors: list[str] = []
    sample = drawn["invoice-wrong-total.jpg"]
    page = signed_in(browser, product, "reviewer", errors)

    page.goto(f"{product.url}/documents/upload/")
    hand_over(page, "drop", {sample.path.name: sample.path.read_bytes()})
    expect(page.get_by_text(sample.path.name).first).to_be_visible()
    link = page.locator("a[href^='/documents/']", has_text=re.compile("Open|received|invoice", re.IGNORECASE)).last
    expect(link).to_be_visible(timeout=15000)
    listed = product.api("GET", "/api/v1/documents/").json()["results"]
    document_id = next(row["id"] for row in listed if row["filename"] == sample.path.name)
    waiting = product.wait_for(document_id)
    assert waiting["status"] == "needs_review", waiting["problems"]

    page.goto(f"{product.url}/queue/")
    expect(page.get_by_text(sample.path.name)).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/review/{document_id}/")
    field = page.locator("[data-field='total'] input, input[name='total']").first
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("rect.word").first).to_be_attached()  # the words of the page come after it

    right = next(row["value"] for row in waiting["fields"] if row["name"] == "total")
    subtotal = next(row["value"] for row in waiting["fields"] if row["name"] == "subtotal")
    tax = next(row["value"] for row in waiting["fields"] if row["name"] == "tax")
    corrected = f"{float(subtotal) + float(tax):.2f}"
    assert corrected != right, "the sample's printed total is wrong on purpose"
    for _ in range(40):
        if field.evaluate("input => input === document.activeElement"):
            break
        page.keyboard.press("Enter")
    field_focused = field.evaluate("input => input === document.activeElement")
    assert field_focused, "Enter leads to the field that needs a person"
    page.keyboard.press("Control+a")
    page.keyboard.type(corrected)
    page.keyboard.press("Enter")
    for _ in range(40):
        if page.locator("text=Ready to approve").count():
            break
        page.keyboard.press("Enter")
    with page.expect_response(f"**/review/{document_id}/decision/"):  # the next document may be shown before
        page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: document_id not in url, timeout=15000)

    approved = product.wait_for(document_id)
    assert approved["status"] == "approved"
    assert approved["review"]["decision"] == "approve"
    assert approved["review"]["reviewer"] == "user:reviewer"
    total = next(row for row in approved["fields"] if row["name"] == "total")
    assert (total["value"], total["source"]) == (corrected, "person")
    sources = {row["source"] for row in approved["fields"]}
    assert sources <= {"local", "rule", "person"}, "nobody takes the local engine's answers for AWS's"
    assert approved["engine"]["model_version"].startswith("local-")
    result = product.api("GET", f"/api/v1/documents/{document_id}/result/").json()
    assert result["review"]["reviewer"] == "user:reviewer"
    assert next(row for row in result["fields"] if row["name"] == "total")["value"] == corrected

    timeline = product.api("GET", f"/api/v1/documents/{document_id}/audit/").json()
    correction = next(event for event in timeline if event["kind"] == "FIELD_CORRECTED")
    assert (correction["codes"]["field"], correction["actor"]) == ("total", "user:reviewer")
    assert corrected not in json.dumps(timeline), "the trail holds names, never values"
    event = outbox_event(product, document_id)
    assert "total" in event["corrected"]
    assert event["actor"] == "user:reviewer"
    assert errors == []


def hand_over(page: Page, how: str, files: dict[str, bytes]) -> None:
    """Drop or paste files onto the page, as the browser tells a script of it."""
    told = [{"name": name, "content": base64.b64encode(content).decode()} for name, content in files.items()]
    page.evaluate(
        """([how, files]) => {
            const transfer = new DataTransfer();
            for (const { name, content } of files) {
                const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
                transfer.items.add(new File([bytes], name));
            }
            const told = how === "paste"
                ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
                : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
            document.body.dispatchEvent(told);
        }""",
        [how, told],
    )


def saved_again(sample: samples.Sample) -> bytes:
    """The sample as a file of its own: another journey may have sent the sample itself before."""
    written = io.BytesIO()
    Image.open(sample.path).save(written, "JPEG", quality=77)
    return written.getvalue()


def test_many_files_at_once_each_get_their_own_answer(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample]
) -> None:
    """A good one, the same again, and two that are refused with a sentence each."""
    good = saved_again(drawn["receipt-thermal.jpg"])
    errors: list[str] = []
    page = signed_in(browser, product, "reviewer", errors)
    page.goto(f"{product.url}/documents/upload/")
    hand_over(page, "paste", {"good.jpg": good})
    expect(page.get_by_role("link", name=re.compile("good.jpg|Open|receiv", re.IGNORECASE)).first).to_be_visible(
        timeout=15000
    )
    expect(page.get_by_text("The same file was received")).to_have_count(0)
    hand_over(
        page, "drop", {"again.jpg": good, "empty.png": b"", "page.html": b"<html><script>alert(1)</script></html>"}
    )
    expect(page.get_by_text("The same file was received")).to_be_visible(timeout=15000)
    expect(page.get_by_text(re.compile("is empty", re.IGNORECASE))).to_be_visible()
    expect(page.get_by_text("This is a web page")).to_be_visible()
    names = {row["filename"] for row in product.api("GET", "/api/v1/documents/").json()["results"]}
    assert {"good.jpg", "again.jpg"} <= names
    assert not {"empty.png", "page.html"} & names
    assert [error for error in errors if "422" not in error] == []
    shot(page, "upload-answers")


def outbox_event(product: Product, document_id: str) -> dict[str, Any]:
    with psycopg2.connect(product.credentials["database"]["auditor"]) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT data FROM ocr_outboxevent WHERE document_id = %s AND type = 'document.processed'", [document_id]
        )
        (data,) = cursor.fetchone() or (None,)
    connection.close()
    assert data
    found: dict[str, Any] = data
    return found


def test_the_second_reviewer_is_told_who_holds_the_document(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample]
) -> None:
    document_id = product.upload("rotated.jpg", drawn["invoice-rotated.jpg"].path.read_bytes(), document_type="invoice")
    assert product.wait_for(document_id)["status"] in {"needs_review", "approved"}
    errors: list[str] = []
    if product.api("GET", f"/api/v1/documents/{document_id}/").json()["status"] == "approved":
        pytest.fail("the sample was meant for a person")
    first = signed_in(browser, product, "reviewer", errors)
    first.goto(f"{product.url}/review/{document_id}/")
    second = signed_in(browser, product, "second_reviewer", errors)
    second.goto(f"{product.url}/review/{document_id}/")
    expect(second.get_by_text("is working on this document").first).to_be_visible()
    assert second.locator("input:not([type=hidden]):visible").count() == 0
    shot(second, "review-held-by-another")
    assert errors == []


def test_a_decision_is_taken_back_and_the_document_set_aside_and_passed_on(
    browser: Browser, product: Product, drawn: dict[str, samples.Sample]
) -> None:
    document_id = product.upload(
        "taken-back.jpg", drawn["invoice-rotated.jpg"].path.read_bytes(), document_type="invoice"
    )
    assert product.wait_for(document_id)["status"] == "needs_review"
    errors: list[str] = []
    page = signed_in(browser, product, "reviewer", errors)
    address = f"{product.url}/review/{document_id}/"

    page.goto(address)
    page.locator("#reject-button").click()
    page.keyboard.press("2")
    page.locator("#reject button[value=yes]").click()
    page.wait_for_url(lambda url: document_id not in url)
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url(address)
    assert product.api("GET", f"/api/v1/documents/{document_id}/").json()["status"] == "needs_review"
    shot(page, "review-taken-back")

    page.locator("#aside-button").click()
    page.wait_for_url(lambda url: document_id not in url)
    expect(page.get_by_text("Set aside.")).to_be_visible()
    page.goto(f"{product.url}/queue/?tab=aside")
    expect(page.get_by_text("taken-back.jpg")).to_be_visible()
    shot(page, "queue-aside")

    page.goto(address)
    page.locator("#escalate-button").click()
    page.keyboard.type("Whose signature is that?")
    shot(page, "review-escalate")
    page.locator("#escalate button[value=yes]").click()
    page.wait_for_url(lambda url: document_id not in url)
    page.goto(address)
    expect(page.get_by_text("Nobody else can decide it now")).to_be_visible()

    supervisor = signed_in(browser, product, "supervisor", errors)
    supervisor.goto(f"{product.url}/queue/?tab=escalated")
    supervisor.get_by_role("link", name="taken-back.jpg").click()
    expect(supervisor.get_by_text("Whose signature is that?")).to_be_visible()
    shot(supervisor, "review-escalated")

    timeline = product.api("GET", f"/api/v1/documents/{document_id}/audit/").json()
    told = [(event["kind"], event["step"]) for event in timeline]
    assert {("REOPENED", "undo"), ("RELEASED", "aside"), ("ESCALATED", "escalate")} <= set(told)
    assert "signature" not in json.dumps(timeline)
    assert errors == []
