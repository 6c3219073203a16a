"""What the engine did not see, what is not there, where a value came from, and rows that come and go: four different truths."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse

from ocr import contract
from ocr.models import Document, Field
from review import decisions
from review.acts import AddedRow, Evidence
from review.models import Correction, Draft
from tenants import scope
from tests import make
from tests.engine import Engine, Line, Page
from tests.review import papers
from tests.review.papers import approve, events, fields

pytestmark = pytest.mark.django_db
BOX = [0.1, 0.2, 0.3, 0.05]
WORDS = ["0a1b2c3d-0000-5000-8000-000000000001", "0a1b2c3d-0000-5000-8000-000000000002"]


def no_total(where: Any) -> Document:
    page = Page.of("Harbour Cafe", "Receipt", Line("Date: 12/03/2026", doubtful={"12/03/2026": 41.0}), "Thank you")
    return make.document(where, "needs_review", pages=[page])


def refused(of: Document, who: Any, verdict: decisions.Verdict) -> list[tuple[str, str]]:
    with pytest.raises(decisions.NotAcceptable) as refusal:
        decisions.decide(of.pk, who, verdict)
    assert make.reload(of).status == "needs_review"
    return [(error.field, error.code) for error in refusal.value.errors]


def corrections(of: Document) -> dict[str, Correction]:
    with scope.everything():
        return {each.field: each for each in Correction.objects.filter(decision__document=of)}


# --- Missed and absent --------------------------------------------------------------------------------------------


def test_missed_and_absent_are_told_apart_everywhere(cast: make.Cast, engine: Engine) -> None:
    document = no_total(cast.a)
    seen = Evidence(word_ids=WORDS, page=1, box=BOX)
    verdict = approve(document, missed={"total": "12,50"}, evidence={"total": seen}, absent=["merchant"])
    decisions.decide(document.pk, cast.ada, verdict)
    total, merchant = fields(document)["total"], fields(document)["merchant"]
    assert (total.value, total.machine_value, total.state, total.source) == ("12.50", None, "missed", "person")
    assert (total.page, total.box, total.word_ids) == (1, BOX, WORDS)
    assert (merchant.value, merchant.state, merchant.box is None) == (None, "absent", False)
    told = cast.api().get(f"/api/v1/documents/{document.pk}/").json()
    assert {each["name"]: each["state"] for each in told["fields"]} | {"total": "missed", "merchant": "absent"} == {
        each["name"]: each["state"] for each in told["fields"]
    }
    said = corrections(document)
    assert (said["total"].act, said["total"].source, said["total"].word_ids) == ("missed", "captured", WORDS)
    assert (said["merchant"].act, said["merchant"].source) == ("absent", "")
    [approved] = events(document, "HUMAN_REVIEW_APPROVED")
    assert (approved.codes["missed"], approved.codes["absent"]) == (["total"], ["merchant"])
    [changed] = events(document, "FIELD_CORRECTED")
    assert changed.codes == {"field": "total", "change": "missed", "source": "captured", "words": WORDS, "pages": [1]}
    assert make.broken() == []


def test_what_was_missed_needs_a_place_and_an_engine_that_saw_nothing(cast: make.Cast, engine: Engine) -> None:
    document = no_total(cast.a)
    assert refused(document, cast.ada, approve(document, missed={"total": "1"})) == [("total", "place_missing")]
    for seen in (Evidence(page=1), Evidence(box=BOX)):
        said = approve(document, missed={"total": "1"}, evidence={"total": seen})
        assert refused(document, cast.ada, said) == [("total", "place_missing")]
    there = {"merchant": Evidence(page=1, box=BOX), "total": Evidence(page=9, box=BOX)}
    said = approve(document, missed={"merchant": "Cafe"}, evidence=there, absent=["total"])
    assert refused(document, cast.ada, said) == [("total", "no_such_page"), ("merchant", "not_missed")]
    said = approve(document, missed={"total": "a lot"}, evidence={"total": Evidence(page=1, box=BOX)})
    assert refused(document, cast.ada, said) == [("total", "invalid_amount")]


def test_a_form_without_fixed_fields_gets_a_field_that_was_missed(cast: make.Cast, engine: Engine) -> None:
    pages = [Page.of("Request", Line("Name: Ada", doubtful={"Ada": 41.0}))]
    document = make.document(cast.a, "needs_review", pages=pages, document_type="generic_form")
    seen = {"shoe_size": Evidence(page=1, box=BOX)}
    said = approve(document, missed={"shoe_size": "38"}, labels={"shoe_size": "Shoe size"}, evidence=seen)
    decided = decisions.decide(document.pk, cast.ada, replace(said, undoable=True))
    added = fields(document)["shoe_size"]
    assert (added.label, added.value, added.state, added.box) == ("Shoe size", "38", "missed", BOX)
    assert make.broken() == []
    decisions.undo(document.pk, cast.ada, version=decided.version)
    assert "shoe_size" not in fields(document)
    with scope.everything():
        draft = Draft.objects.get(document=document)
    assert draft.fields["shoe_size"] == {
        "value": "38", "state": "missed", "source": "typed", "word_ids": [], "page": 1, "box": BOX, "label": "Shoe size",
    }  # fmt: skip
    assert make.broken() == []


def test_a_type_with_fixed_fields_gets_no_others(cast: make.Cast, engine: Engine) -> None:
    document = no_total(cast.a)
    seen = {"shoe_size": Evidence(page=1, box=BOX)}
    said = approve(document, missed={"shoe_size": "38"}, labels={"shoe_size": "Shoe"}, evidence=seen, absent=["total"])
    assert refused(document, cast.ada, said) == [("shoe_size", "unknown_field")]


@pytest.mark.parametrize(
    ("said", "source"),
    [({}, "typed"), ({"word_ids": WORDS}, "captured"), ({"source": "suggested"}, "suggested")],
)
def test_where_a_correction_came_from(cast: make.Cast, engine: Engine, said: dict[str, Any], source: str) -> None:
    document = make.document(cast.a, "needs_review")
    body = {
        "version": document.version, "decision": "approve", "corrected_fields": {"total": "13.00"},
        "confirmed_fields": ["merchant"], "evidence": {"total": said},
    }  # fmt: skip
    answer = cast.api().post(f"/api/v1/documents/{document.pk}/review/", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    kept = corrections(document)
    assert (kept["total"].source, kept["merchant"].source) == (source, "confirmed")
    [changed] = events(document, "FIELD_CORRECTED")
    assert changed.codes["source"] == source and ("words" in changed.codes) == ("word_ids" in said)
    [approved] = events(document, "HUMAN_REVIEW_APPROVED")
    assert approved.codes["sources"] == {source: 1, "confirmed": 1}


@pytest.mark.parametrize(
    "said", [{"word_ids": ["12.50"]}, {"box": [0, 0, 2, 1]}, {"box": [0, 0]}, {"page": 0}, {"source": "guessed"}]
)
def test_evidence_that_is_none_is_refused(cast: make.Cast, engine: Engine, said: dict[str, Any]) -> None:
    document = make.document(cast.a, "needs_review")
    body = {"version": document.version, "decision": "approve", "evidence": {"total": said}}
    answer = cast.api().post(f"/api/v1/documents/{document.pk}/review/", body, content_type="application/json")
    assert answer.status_code == 400
    assert make.reload(document).status == "needs_review"


# --- Rows ---------------------------------------------------------------------------------------------------------


def items(of: Document) -> list[tuple[int, str | None]]:
    """The line items as they are told: numbers and amounts, in order."""
    with scope.everything():
        told = contract.reading(make.reload(of))["line_items"]
    return [(item["row"], next(cell["value"] for cell in item["cells"] if cell["name"] == "amount")) for item in told]


def test_rows_are_added_where_they_stand_and_taken_out(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a)
    added = [
        AddedRow({"description": "Nails", "amount": "1.234,50"}, after=1),
        AddedRow({"amount": "5"}, after=0, row=9),
    ]
    verdict = approve(document, added_rows=added, removed_rows=[2], reason="As printed")
    decided = decisions.decide(document.pk, cast.ada, replace(verdict, undoable=True))
    assert items(document) == [(9, "5.00"), (1, "10.00"), (4, "1234.50"), (3, "20.00")]
    row = fields(document)["line_items.4.description"]
    assert (row.value, row.machine_value, row.state, row.source) == ("Nails", None, "missed", "person")
    assert fields(document)["line_items.2.amount"].state == "removed"
    [changed, gone] = events(document, "FIELD_CORRECTED")
    assert changed.codes == {"fields": ["line_items.4", "line_items.9"], "change": "added", "count": 2}
    assert gone.codes == {"fields": ["line_items.2"], "change": "removed", "count": 1}
    [approved] = events(document, "HUMAN_REVIEW_APPROVED")
    assert (approved.codes["added"], approved.codes["removed"]) == ([4, 9], [2])
    assert "1234" not in json.dumps([event.codes for event in events(document)])
    assert make.broken() == []

    decisions.undo(document.pk, cast.ada, version=decided.version)
    assert items(document) == [(1, "10.00"), (2, "10.00"), (3, "20.00")]
    with scope.everything():
        draft = Draft.objects.get(document=document)
    assert draft.fields["line_items.4"] == {"value": None, "state": "added", "after": 1}
    assert draft.fields["line_items.9"] == {"value": None, "state": "added", "after": 0}
    assert draft.fields["line_items.4.amount"] == {"value": "1234.50", "state": "corrected"}
    assert draft.fields["line_items.2"] == {"value": None, "state": "removed"}
    assert make.broken() == []


def test_rules_count_the_rows_as_they_will_be(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a)
    assert refused(document, cast.ada, approve(document, removed_rows=[2])) == [("subtotal", "invalid")]
    swapped = approve(document, removed_rows=[2], added_rows=[AddedRow({"amount": "10"})])
    assert decisions.decide(document.pk, cast.ada, swapped).status == "approved"


@pytest.mark.parametrize(
    ("added", "error"),
    [
        (AddedRow({"amount": "1"}, row=2), ("line_items.2", "row_taken")),
        (AddedRow({"amount": " ", "description": ""}), ("line_items.4", "empty_row")),
        (AddedRow({"colour": "red"}), ("line_items.4.colour", "unknown_field")),
        (AddedRow({"amount": "much"}), ("line_items.4.amount", "invalid_amount")),
    ],
)
def test_rows_that_cannot_be_added(cast: make.Cast, engine: Engine, added: AddedRow, error: tuple[str, str]) -> None:
    document = papers.invoice(cast.a)
    assert refused(document, cast.ada, approve(document, added_rows=[added])) == [error]


def test_a_row_that_is_not_there_cannot_be_taken_out(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a)
    assert refused(document, cast.ada, approve(document, removed_rows=[7])) == [("line_items.7", "unknown_field")]
    receipt = make.document(cast.a, "needs_review")
    said = approve(receipt, added_rows=[AddedRow({"amount": "1"})])
    assert refused(receipt, cast.ada, said) == [("line_items.1", "no_line_items")]


def test_a_row_that_was_taken_out_stays_out_and_keeps_its_number(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a)
    decisions.decide(document.pk, cast.ada, approve(document, removed_rows=[3], reason="Twice"))
    decisions.reopen(document.pk, cast.sue)
    again = make.reload(document)
    assert items(document) == [(1, "10.00"), (2, "10.00")]
    assert refused(again, cast.ada, approve(again, corrected={"line_items.3.amount": "1"})) == [
        ("line_items.3.amount", "unknown_field")
    ]
    decisions.decide(document.pk, cast.ada, approve(again, added_rows=[AddedRow({"amount": "20"})]))
    assert items(document) == [(1, "10.00"), (2, "10.00"), (4, "20.00")]
    assert make.broken() == []


def test_five_hundred_rows_in_one_decision(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a)
    added = [AddedRow({"description": f"Part {number}", "amount": "0.00"}) for number in range(500)]
    decisions.decide(document.pk, cast.ada, approve(document, added_rows=added))
    with scope.everything():
        assert Field.objects.filter(document=document, name="amount").count() == 503
    too_many = papers.invoice(cast.a)
    assert refused(too_many, cast.ada, approve(too_many, added_rows=added * 5)) == [("line_items", "too_many_rows")]


# --- Turned pages -------------------------------------------------------------------------------------------------


def turn(cast: make.Cast, of: Document, token: Any, angle: int, *, who: Any = None) -> Any:
    client = cast.page(who or cast.ada)
    body = {"token": str(token), "turn": angle}
    return client.post(reverse("review-turn", args=[of.pk, 1]), body, content_type="application/json")


def test_a_page_is_turned_once_for_everybody(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    token = make.claim(document, cast.ada)
    before = cast.page(cast.ada).get(reverse("page-image", args=[document.pk, 1]))
    box = fields(document)["total"].box
    assert box
    told = turn(cast, document, token, 90).json()
    assert (told["turn"], told["image_url"]) == (
        90,
        f"{told['image_url'].split('?')[0]}?v={document.sha256[:16]}-{document.version}-90",
    )
    client = cast.page(cast.sue)
    image = client.get(told["image_url"])
    assert image.content != before.content and "immutable" in image["Cache-Control"]
    shown = next(
        each for each in cast.api().get(f"/api/v1/documents/{document.pk}/").json()["fields"] if each["name"] == "total"
    )
    left, top, width, height = box
    assert shown["box"] == pytest.approx([1 - top - height, left, height, width])
    words = client.get(reverse("page-words", args=[document.pk, 1])).json()["words"]
    assert all(word["box"][3] > word["box"][2] for word in words if len(word["text"]) > 6)
    [event] = events(document, "PAGE_TURNED")
    assert (event.codes, event.actor) == ({"pages": [1], "from": 0, "to": 90}, "user:ada")
    assert turn(cast, document, token, 90).status_code == 200
    assert len(events(document, "PAGE_TURNED")) == 1
    assert make.broken() == []


def test_what_is_captured_on_a_turned_page_is_kept_as_the_engine_sees_it(cast: make.Cast, engine: Engine) -> None:
    document = no_total(cast.a)
    turn(cast, document, make.claim(document, cast.ada), 90)
    shown = [1 - 0.2 - 0.05, 0.1, 0.05, 0.3]
    said = approve(document, missed={"total": "1"}, evidence={"total": Evidence(page=1, box=shown)})
    decisions.decide(document.pk, cast.ada, said)
    assert fields(document)["total"].box == pytest.approx(BOX)


def test_only_who_holds_the_document_turns_its_pages(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    token = make.claim(document, cast.ada)
    assert turn(cast, document, token, 90, who=cast.sue).status_code == 409
    assert turn(cast, document, token, 45).status_code == 400
    assert turn(cast, document, token, 90, who=cast.ben).status_code == 404
    answer = cast.page(cast.ada).post(
        reverse("review-turn", args=[document.pk, 7]),
        {"token": str(token), "turn": 90},
        content_type="application/json",
    )
    assert answer.status_code == 404
    assert events(document, "PAGE_TURNED") == []
