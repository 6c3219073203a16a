"""Names and types that integrations rely on, exactly."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ocr.models import Artifact, Status
from review import decisions
from tests import engine as stub
from tests import make
from tests.api.calls import DOCUMENTS, of, read
from tests.engine import Engine
from tests.review import papers

pytestmark = pytest.mark.django_db

LINKS = {"self", "result", "raw", "original", "audit", "page"}
SUMMARY = {
    "id", "external_id", "filename", "status", "document_type", "priority", "pages", "received_at", "finished_at", "version",
    "duplicate_of", "split_of", "links",
}  # fmt: skip
DETAIL = SUMMARY | {
    "engine", "fields", "line_items", "problems", "review", "cost", "attempts", "metadata", "error", "error_message",
}  # fmt: skip
FIELD = {
    "name", "label", "value", "text", "confidence", "word_confidence", "page", "box", "source", "state", "required", "threshold",
    "problems",
}  # fmt: skip
PROBLEM = {"code", "field", "message", "rule"}
EVENT = {"seq", "kind", "at", "actor", "step", "codes", "hash", "previous_hash"}
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def detail(cast: make.Cast, document: Any) -> dict[str, Any]:
    answer = cast.api().get(of(document))
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize("status", Status.values)
def test_the_detail_has_the_same_members_in_every_status(cast: make.Cast, engine: Engine, status: str) -> None:
    told = detail(cast, make.document(cast.a, status))
    assert set(told) == DETAIL
    assert told["status"] == status
    assert set(told["links"]) == LINKS
    assert set(told["review"]) == {"required", "reasons", "decision", "reviewer", "decided_at", "reason"}
    assert set(told["cost"]) == {"pages", "usd"}
    assert UTC.fullmatch(told["received_at"])
    assert (told["finished_at"] is not None) == (status in {"approved", "rejected", "failed"})


def test_the_detail_of_a_document_that_waits_for_a_person(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a, filename="inv.png", external_id="ERP-7", priority="high", metadata={"desk": 4})
    told = detail(cast, document)
    plain = {name: told[name] for name in ("filename", "external_id", "priority", "pages", "metadata", "error")}
    assert plain == {
        "filename": "inv.png",
        "external_id": "ERP-7",
        "priority": "high",
        "pages": 1,
        "metadata": {"desk": 4},
        "error": None,
    }
    assert told["document_type"] == "invoice"
    assert told["engine"]["operation"] == "StartDocumentAnalysis"
    assert {"operation", "features", "model_version", "job_id"} <= set(told["engine"])
    assert told["review"] == {
        "required": True,
        "reasons": ["low_confidence"],
        "decision": None,
        "reviewer": None,
        "decided_at": None,
        "reason": None,
    }
    assert told["cost"]["pages"] == 1
    assert re.fullmatch(r"0\.\d{6}", told["cost"]["usd"])
    total = next(field for field in told["fields"] if field["name"] == "total")
    assert set(total) >= FIELD
    assert (total["value"], total["text"], total["page"], total["source"]) == ("48.00", "48.00", 1, "textract")
    assert total["word_confidence"] == 41.0
    assert len(total["box"]) == 4 and all(0 <= side <= 1 for side in total["box"])
    (problem,) = told["problems"]
    assert set(problem) == PROBLEM
    assert (problem["code"], problem["field"]) == ("low_confidence", "total")
    assert total["problems"] == [problem]
    assert [item["row"] for item in told["line_items"]] == [1, 2, 3]
    cells = {cell["name"]: cell["value"] for cell in told["line_items"][2]["cells"]}
    assert cells["amount"] == "20.00"
    assert set(told["line_items"][0]["cells"][0]) >= FIELD


def test_the_detail_of_a_straight_through_document(cast: make.Cast, engine: Engine) -> None:
    told = detail(cast, make.document(cast.a, "approved", pages=[stub.CLEAR]))
    assert (told["review"]["required"], told["review"]["decision"]) == (False, "straight_through")
    assert (told["review"]["reviewer"], told["problems"]) == (None, [])


def test_the_detail_of_a_reviewed_document(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    decided = decisions.decide(document.pk, cast.ada, papers.approve(document, corrected={"total": "13.00"}))
    told = detail(cast, document)
    assert told["version"] == decided.version
    assert (told["review"]["decision"], told["review"]["reviewer"]) == ("approve", "user:ada")
    assert UTC.fullmatch(told["review"]["decided_at"])
    total = next(field for field in told["fields"] if field["name"] == "total")
    assert (total["value"], total["source"], total["state"]) == ("13.00", "person", "corrected")


def test_the_detail_of_a_failed_document_says_why(cast: make.Cast, engine: Engine) -> None:
    assert detail(cast, make.document(cast.a, "failed"))["error"] == "unsupported_document"


def test_every_link_answers(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "approved")
    links = detail(cast, document)["links"]
    page = links.pop("page")
    answers = {name: cast.api().get(link) for name, link in links.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(links, 200)
    assert read(answers["original"]) == make.stored(document, Artifact.Kind.ORIGINAL)[0]
    assert cast.page(cast.ada).get(page).status_code == 200


def test_the_etag_is_the_version(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    assert cast.api().get(of(document))["ETag"] == f'"{document.version}"'


def test_a_list_holds_summaries(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "approved")
    told = cast.api().get(DOCUMENTS).json()
    assert set(told) == {"results", "next", "previous"}
    (row,) = told["results"]
    assert set(row) == SUMMARY
    whole = detail(cast, document)
    assert row == {name: whole[name] for name in SUMMARY}


def test_the_timeline(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    decisions.decide(document.pk, cast.ada, papers.approve(document, corrected={"total": "13.00"}))
    told = cast.api().get(of(document, "audit/")).json()
    assert all(set(event) >= EVENT for event in told)
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
    assert [event["kind"] for event in told] == [
        "INGESTED",
        "WORKFLOW_STARTED",
        "TEXTRACT_STARTED",
        "TEXTRACT_SUCCEEDED",
        "NORMALIZED",
        "HUMAN_REVIEW_REQUIRED",
        "PUBLISHED",
        "FIELD_CORRECTED",
        "HUMAN_REVIEW_APPROVED",
        "PUBLISHED",
    ]
    for before, after in zip(told, told[1:], strict=False):
        assert after["previous_hash"] == before["hash"]
    assert told[0]["previous_hash"] == ""


def test_the_tenants_of_the_caller(cast: make.Cast) -> None:
    assert cast.api().get("/api/v1/tenants/").json() == {"results": [{"slug": "alder", "name": "Alder"}]}
