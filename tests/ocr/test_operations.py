"""The operations that name values themselves: each document type says which of Textract's operations reads it."""

from __future__ import annotations

from typing import Any

import pytest

from ocr import costs, readings
from ocr.models import Artifact, Document
from review import decisions
from tenants import scope
from tests import engine as stub
from tests import make
from tests.engine import Engine, Page
from tests.ocr import lives
from tests.ocr.lives import TYPES

pytestmark = pytest.mark.django_db

TILL = stub.receipt()
CARD = Page.of("Driving licence", "Document number: D1234567", "Date of birth: 12/03/1980")
SLIP = Page.of("Payslip", "Current net pay: 1,200.00")


@pytest.fixture(autouse=True)
def types(db: None, settings: Any) -> None:
    settings.SYNCHRONOUS = True
    lives.add_types()


def _read(cast: make.Cast, engine: Engine, name: str, *pages: Page, **given: Any) -> Document:
    engine.reads(*pages)
    content = make.image() if len(pages) == 1 else make.pdf(len(pages))
    return make.run(make.receive(cast.a, content, document_type=name, **given).document)


def _values(document: Document) -> dict[str, str | None]:
    with scope.everything():
        return {field.name: field.value for field in document.fields.all()}


READ_AT_ONCE = [
    ("till", TILL, "AnalyzeExpense", 10_000, {"vendor": "Harbour Cafe", "total": "12.50"}),
    ("card", CARD, "AnalyzeID", 25_000, {"number": "D1234567", "born": "1980-03-12"}),
]


@pytest.mark.parametrize(("name", "page", "operation", "price", "values"), READ_AT_ONCE, ids=["expense", "identity"])
def test_one_page_that_somebody_waits_for_is_read_at_once(
    cast: make.Cast, engine: Engine, name: str, page: Page, operation: str, price: int, values: dict[str, str]
) -> None:
    done = _read(cast, engine, name, page)
    [run] = make.extractions(done)
    assert (done.status, [call.operation for call in engine.calls]) == ("approved", [operation])
    assert (run.operation, run.features, run.micro_dollars, run.pages) == (operation, [], price, 1)
    assert _values(done) == values
    assert make.stored(done, Artifact.Kind.RAW) == engine.sent
    assert make.broken() == []


READ_BY_A_JOB = [
    ("till", TILL, "StartExpenseAnalysis", "GetExpenseAnalysis", 10_000, {"vendor": "Harbour Cafe", "total": "12.50"}),
    ("loan", SLIP, "StartLendingAnalysis", "GetLendingAnalysis", 70_000, {"net": "1200.00"}),
]


@pytest.mark.parametrize(
    ("name", "page", "starts", "gets", "price", "values"), READ_BY_A_JOB, ids=["expense", "lending"]
)
@pytest.mark.parametrize("part_size", [1000, 1], ids=["whole", "parts"])
def test_several_pages_are_read_by_a_job(
    cast: make.Cast,
    engine: Engine,
    name: str,
    page: Page,
    starts: str,
    gets: str,
    price: int,
    values: Any,
    part_size: int,
) -> None:
    engine.part_size = part_size
    done = _read(cast, engine, name, page, Page.of("Note: paid"))
    [run] = make.extractions(done)
    assert (done.status, engine.calls[0].operation, {call.operation for call in engine.calls[1:]}) == (
        "approved",
        starts,
        {gets},
    )
    assert (run.operation, run.micro_dollars, run.pages, run.parts) == (
        starts,
        2 * price,
        2,
        2 if part_size == 1 else 1,
    )
    assert _values(done) == values
    assert make.broken() == []


def test_a_loan_of_one_page_is_read_by_a_job_too(cast: make.Cast, engine: Engine) -> None:
    done = _read(cast, engine, "loan", SLIP)
    assert (done.status, engine.count("StartLendingAnalysis")) == ("approved", 1)


def test_an_identity_document_is_read_at_once_though_nobody_waits(cast: make.Cast, engine: Engine) -> None:
    done = _read(cast, engine, "card", CARD, priority="low")
    assert (done.status, engine.count("AnalyzeID")) == ("approved", 1)


def test_identity_documents_of_several_pages_are_analysed_for_the_types_features(
    cast: make.Cast, engine: Engine
) -> None:
    done = _read(cast, engine, "card", CARD, Page.of("Back"))
    [run] = make.extractions(done)
    assert (run.operation, run.features, run.micro_dollars) == ("StartDocumentAnalysis", ["FORMS"], 100_000)
    assert _values(done) == {"number": "D1234567", "born": "1980-03-12"}


@pytest.mark.parametrize(
    ("name", "pages", "code"), [("till", 2, "needs_bucket"), ("loan", 1, "needs_bucket"), ("till", 1, "")]
)
def test_without_a_bucket_a_job_is_refused_and_one_page_is_sent(
    cast: make.Cast, engine: Engine, settings: Any, name: str, pages: int, code: str
) -> None:
    settings.TEXTRACT_ENDPOINT = ""
    done = _read(cast, engine, name, *[TILL] * pages)
    assert (done.error_code, engine.count()) == (code, 0 if code else 1)


WRONG: dict[str, stub.Fault] = {
    "blocks_instead": stub.changed(lambda told: told.update(Blocks=told.pop("ExpenseDocuments"))),
    "null": stub.changed(lambda told: told.update(ExpenseDocuments=None)),
    "object": stub.changed(lambda told: told.update(ExpenseDocuments={})),
    "missing_page": stub.changed(lambda told: told["ExpenseDocuments"].pop()),
    "confidence_200": stub.changed(
        lambda told: told["ExpenseDocuments"][0]["SummaryFields"][0]["ValueDetection"].update(Confidence=200)
    ),
    "block_without_id": stub.changed(lambda told: told["ExpenseDocuments"][0]["Blocks"][1].pop("Id")),
    "more_pages": stub.changed(lambda told: told["DocumentMetadata"].update(Pages=7)),
    "html": stub.html,
    "cut": stub.cut,
}


@pytest.mark.parametrize("fault", WRONG.values(), ids=WRONG)
def test_an_answer_that_is_not_whole_is_asked_for_again(cast: make.Cast, engine: Engine, fault: stub.Fault) -> None:
    engine.fail("GetExpenseAnalysis", fault)
    done = _read(cast, engine, "till", TILL, TILL)
    assert (done.status, engine.billed_pages(), engine.billed_twice()) == ("approved", 2, [])
    assert make.broken() == []


def test_an_older_answer_without_blocks_is_whole(cast: make.Cast, engine: Engine) -> None:
    engine.fail("AnalyzeExpense", stub.changed(lambda told: told["ExpenseDocuments"][0].pop("Blocks")))
    done = _read(cast, engine, "till", TILL)
    assert (done.status, _values(done)["total"]) == ("approved", "12.50")


def test_a_lost_identity_answer_is_asked_for_again_by_a_person_only(cast: make.Cast, engine: Engine) -> None:
    engine.fail("AnalyzeID", stub.lost_after)
    done = _read(cast, engine, "card", CARD)
    assert (done.error_code, engine.count()) == ("charge_uncertain", 1)
    decisions.retry(done.pk, cast.sue)
    assert (make.run(done).status, engine.count("AnalyzeID")) == ("approved", 2)
    assert [run.charge_uncertain for run in make.extractions(done)] == [True, False]
    assert make.broken() == []


def test_an_earlier_answer_serves_only_where_the_same_was_asked(cast: make.Cast, engine: Engine) -> None:
    engine.reads(TILL)
    content = make.image()
    first = make.run(make.receive(cast.a, content, document_type="till").document)
    again = make.run(make.receive(cast.a, content, document_type="till").document)
    other = make.run(make.receive(cast.a, content, document_type="receipt").document)
    assert [run.reused_from for done in (again, other) for run in make.extractions(done)] == [first.pk, None]
    assert [call.operation for call in engine.calls] == ["AnalyzeExpense", "AnalyzeDocument"]


def test_a_stored_answer_is_read_again_without_a_call(cast: make.Cast, engine: Engine) -> None:
    engine.reads(stub.receipt(confidence=41.0))
    done = make.run(make.receive(cast.a, document_type="till").document)
    asked = engine.count()
    assert done.status == "needs_review"
    again = decisions.replay(done.pk, cast.sue)
    assert (again.status, _values(again)["total"], engine.count()) == ("needs_review", "12.50", asked)
    assert make.broken() == []


def test_estimates_go_by_the_operation(cast: make.Cast) -> None:
    found = {name: costs.estimate(name, pages=2).micro_dollars for name in TYPES}
    assert found == {"till": 20_000, "card": 100_000, "loan": 140_000}
    assert costs.estimate("card", pages=1).micro_dollars == 25_000


def test_the_words_inside_its_documents_are_shown(cast: make.Cast, engine: Engine) -> None:
    done = _read(cast, engine, "till", TILL)
    assert [word["text"] for word in readings.words(done, 1)] == [
        word for line in TILL.lines for word in line.text.split()
    ]
