"""What people see of money: before they send a file, while a document waits, and on the dashboard."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ocr import costs
from ocr.models import Charge, Extraction
from tenants import scope
from tests import make
from tests.costs import books

pytestmark = pytest.mark.django_db
FORM = 50_000


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def send(cast: make.Cast, content: bytes, **fields: str) -> Any:
    """What the page's script gets for an upload."""
    file = SimpleUploadedFile("new.pdf", content, "application/pdf")
    answer = cast.page(cast.ada).post(
        "/documents/upload/", {"file": file, **fields}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 202
    return answer.json()


def test_the_upload_page_tells_the_price_of_each_type(cast: make.Cast) -> None:
    page = text(cast.page(cast.ada).get("/documents/upload/"))
    assert '<option value="" data-page-usd="0.065">' in page
    assert '<option value="receipt" data-page-usd="0.05">' in page
    assert "data-price" in page


def test_an_accepted_file_tells_what_its_pages_cost(cast: make.Cast) -> None:
    told = send(cast, make.pdf(3), document_type="receipt")
    assert told["cost"] == {"pages": 3, "usd": "0.15", "read_before": False, "over_budget": False}
    assert "duplicate" not in told


def test_a_file_that_was_read_before_costs_nothing(cast: make.Cast) -> None:
    content = make.pdf(2, "again")
    first = send(cast, content, document_type="receipt")
    assert send(cast, content, document_type="receipt")["cost"]["read_before"] is False  # received, not yet read
    with scope.everything():
        Extraction.objects.create(
            tenant=cast.a, document_id=first["id"], number=1, operation="StartDocumentAnalysis", features=["FORMS"],
            token="t", state="collected", pages=2, micro_dollars=2 * FORM, collected_at="2026-01-01T00:00:00Z",
        )  # fmt: skip
    again = send(cast, content, document_type="receipt")
    assert again["cost"] == {"pages": 2, "usd": "0.00", "read_before": True, "over_budget": False}
    assert again["duplicate"]["url"] == first["url"]
    other = send(cast, content)  # other questions are another bill
    assert other["cost"] == {"pages": 2, "usd": "0.13", "read_before": False, "over_budget": False}


def test_a_file_beyond_the_budget_is_accepted_and_told_to_wait(cast: make.Cast) -> None:
    books.cap(cast.a, 2 * FORM)
    assert send(cast, make.pdf(2), document_type="receipt")["cost"]["over_budget"] is False
    assert send(cast, make.pdf(3), document_type="receipt")["cost"]["over_budget"] is True


@pytest.mark.parametrize("path", ["/documents/", "/documents/upload/", "/dashboard/"])
def test_the_notice_comes_at_80_percent_and_says_when_documents_wait(cast: make.Cast, path: str) -> None:
    books.cap(cast.a, 10 * FORM)
    books.cap(cast.b, FORM)
    books.charge(costs.entry(books.saved(cast.b), pages=1))
    client = cast.page(cast.ada)
    run = books.saved(cast.a)
    books.charge(costs.entry(run, pages=7))
    assert "Budget of this month used" not in text(client.get(path))
    books.reserve(books.planned(cast.a))
    page = text(client.get(path))
    assert (
        "Budget of this month used: $0.40 of $0.50. Once it is used up, new documents wait; reviewing goes on." in page
    )
    books.charge(costs.entry(books.saved(cast.a), pages=2))
    page = text(client.get(path))
    assert "Budget of this month used: $0.50 of $0.50. New documents wait; reviewing goes on." in page
    assert "Birch" not in page


def test_documents_that_wait_below_the_cap_are_told_too(cast: make.Cast) -> None:
    books.cap(cast.a, 2 * FORM)
    books.charge(costs.entry(books.saved(cast.a), pages=1))
    make.receive(cast.a)
    with scope.everything():
        costs.put_off([cast.a.pk])
    page = text(cast.page(cast.ada).get("/documents/"))
    assert "Budget of this month used: $0.05 of $0.10. New documents wait" in page


def test_the_page_of_a_document_that_waits_says_why(cast: make.Cast) -> None:
    document = make.receive(cast.a).document
    books.cap(cast.a, 0)
    with scope.everything():
        costs.put_off([cast.a.pk])
    page = text(cast.page(cast.ada).get(f"/documents/{document.pk}/"))
    assert '<p class="notice warn">' in page
    assert "The budget of this month is used up. The document waits" in page
    assert "notice bad" not in page


def test_the_dashboard_tells_this_months_money_of_ones_own_tenants(cast: make.Cast) -> None:
    assert "Nothing was read in this month so far." in text(cast.page(cast.sue).get("/dashboard/"))
    for pages, kind in ((7, Charge.Kind.BILLED), (2, Charge.Kind.REUSED), (1, Charge.Kind.UNCERTAIN)):
        books.charge(costs.entry(books.saved(cast.a), pages=pages, kind=kind))
    books.charge(costs.entry(books.saved(cast.b, []), pages=999))
    books.cap(cast.a, 10 * FORM)
    page = text(cast.page(cast.sue).get("/dashboard/?period=7d"))
    assert "$0.35 · 7 pages · 2 read before, not billed again · perhaps $0.05 more for lost answers" in page
    assert "Budget of Alder: $0.40 of $0.50" in page
    assert "Forms · $0.35 · 7 pages" in page
    assert "999" not in page
