"""Whole documents and their money: what is sent is paid within the cap, once, and told everywhere alike."""

from __future__ import annotations

from typing import Any

import pytest

from ocr import costs, lifecycle
from ocr.models import Document
from tenants import scope
from tenants.models import Role
from tests import engine as stub
from tests import make
from tests.costs import books
from tests.engine import START, SYNC, Engine

pytestmark = pytest.mark.django_db
FORM = 50_000


def told(cast: make.Cast, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = cast.api().get(f"/api/v1/documents/{document.pk}/").json()
    return found


@pytest.mark.parametrize("document_type", ["receipt", "invoice", ""])
def test_a_document_costs_what_was_estimated(cast: make.Cast, engine: Engine, document_type: str) -> None:
    expected = costs.estimate(document_type, pages=2).micro_dollars
    done = make.document(cast.a, "needs_review", pages=[stub.DOUBTFUL, stub.CLEAR], document_type=document_type)
    [run], [line] = make.extractions(done), books.lines(cast.a)
    assert (line.kind, line.extraction_id, line.document_id) == ("billed", run.pk, done.pk)
    assert expected == run.estimate_micro_dollars == run.micro_dollars == line.micro_dollars
    assert told(cast, done)["cost"] == {"pages": 2, "usd": costs.usd(expected)}
    assert make.broken() == []


def test_the_same_file_again_costs_nothing_even_without_money(cast: make.Cast, engine: Engine) -> None:
    content = make.image("again")
    first = make.run(make.receive(cast.a, content).document)
    books.cap(cast.a, 0)
    second = make.run(make.receive(cast.a, content).document)
    assert (second.status, engine.count(START)) == ("approved", 1)
    assert [(line.kind, line.micro_dollars) for line in books.lines(cast.a)] == [("billed", FORM), ("reused", 0)]
    assert told(cast, second)["cost"] == {"pages": 0, "usd": "0.000000"}
    page = " ".join(cast.page(cast.ada).get(f"/documents/{second.pk}/").content.decode().split())
    assert "whose answer serves this one too: reading it cost nothing." in page
    assert f'href="/documents/{first.pk}/"' in page
    assert "nothing, read before" in page
    assert make.broken() == []


def test_the_cap_stops_what_is_new_and_nothing_else(cast: make.Cast, engine: Engine) -> None:
    begun = make.document(cast.a, "reading")
    waiting_for_a_person = make.document(cast.a, "needs_review")
    sent = engine.count(START)
    books.cap(cast.a, 2 * FORM)
    new = make.advance(make.receive(cast.a).document)
    assert (new.status, new.step, new.error_code, new.attempts) == ("received", "start", "monthly_cap", 0)
    assert engine.count(START) == sent
    assert make.extractions(new) == []
    assert told(cast, new)["error"] == "monthly_cap"
    assert make.run(begun).status == "approved"
    reviewer = make.user(cast.a, Role.REVIEWER)
    assert make._decided(waiting_for_a_person, "approved", reviewer).status == "approved"
    other = make.run(make.receive(cast.b).document)
    assert other.status == "approved"
    assert make.broken() == []


def test_a_higher_cap_lets_it_go_on(cast: make.Cast, engine: Engine) -> None:
    books.cap(cast.a, FORM - 1)
    documents = [make.advance(make.receive(cast.a).document) for _ in range(2)]
    assert {document.error_code for document in documents} == {"monthly_cap"}
    assert books.cap(cast.a, 3 * FORM) == 2
    with scope.everything():
        now = lifecycle.database_now()
    for document in documents:
        due_at = make.reload(document).due_at
        assert due_at is not None
        assert due_at <= now
        done = make.run(document)
        assert (done.status, done.error_code, done.attempts) == ("approved", "", 0)
    assert books.left(cast.a) == FORM
    assert make.broken() == []


def test_no_more_is_started_than_the_cap_pays_for(cast: make.Cast, engine: Engine) -> None:
    books.cap(cast.a, 2 * FORM + 1)
    documents = [make.receive(cast.a).document for _ in range(5)]
    stand = [make.advance(document).status for document in documents]
    assert sorted(stand) == ["reading"] * 2 + ["received"] * 3
    assert engine.count(START) == 2
    assert books.left(cast.a) == 1
    for document in documents:
        make.advance(document)
    assert engine.count(START) == 2


def test_throttled_work_keeps_its_place_and_a_refused_one_gives_it_back(cast: make.Cast, engine: Engine) -> None:
    books.cap(cast.a, FORM)
    first, second = (make.receive(cast.a).document for _ in range(2))
    engine.fail(START, stub.error("ThrottlingException"))
    make.advance(first)
    assert make.advance(second).error_code == "monthly_cap"
    engine.fail("", stub.error("UnsupportedDocumentException"))
    assert make.run(first).status == "failed"
    assert books.left(cast.a) == FORM
    assert make.run(second).status == "approved"
    assert make.broken() == []


def test_a_lost_answer_is_an_uncertain_line_and_the_retry_another(
    cast: make.Cast, engine: Engine, settings: Any
) -> None:
    from ocr import pipeline

    settings.TEXTRACT_ENDPOINT = ""  # storage that Textract cannot reach: no token
    books.cap(cast.a, 2 * FORM)
    engine.fail(SYNC, stub.lost_after)
    failed = make.run(make.receive(cast.a).document)
    assert (failed.status, failed.error_code) == ("failed", "charge_uncertain")
    assert [(line.kind, line.micro_dollars) for line in books.lines(cast.a)] == [("uncertain", FORM)]
    assert (books.left(cast.a), told(cast, failed)["cost"]["usd"]) == (FORM, "0.000000")
    with scope.scope([cast.a.pk]):
        pipeline.retry(failed, actor="user:sue")
    done = make.run(failed)
    assert done.status == "approved"
    assert [(line.kind, line.number) for line in books.lines(cast.a)] == [("uncertain", 1), ("billed", 2)]
    assert (books.left(cast.a), make.broken()) == (0, [])
