"""Taking one's decision back: everything stands as before, nobody outside has heard of it, and what was said is not lost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from ocr import lifecycle, publishing
from ocr.models import Document, OutboxEvent
from review import decisions, worklist
from review.models import Draft
from tenants import access, scope
from tests import make
from tests.engine import Engine
from tests.ocr.test_publishing import Bus
from tests.ocr.test_publishing import bus as bus
from tests.review import papers
from tests.review.papers import announced, approve, events, fields, reject

pytestmark = pytest.mark.django_db
STANDING = ("value", "source", "state", "problems")


def standing(of: Document) -> dict[str, Any]:
    """What undo has to put back."""
    now = make.reload(of)
    document = {name: getattr(now, name) for name in ("status", "decision", "reviewer", "decided_at", "problems")}
    rows = {path: [getattr(row, name) for name in STANDING] for path, row in fields(of).items()}
    return document | rows


def decide(of: Document, who: Any, verdict: decisions.Verdict) -> Document:
    """As the review page decides."""
    return decisions.decide(of.pk, who, replace(verdict, undoable=True))


def last_types(of: Document) -> list[tuple[str, bool]]:
    """The document's events since it waits for a person, and whether each was withdrawn."""
    return [(event.type, event.withdrawn_at is not None) for event in announced(of)[3:]]


def test_everything_stands_as_before_and_what_was_said_is_a_draft(cast: make.Cast, engine: Engine, bus: Bus) -> None:
    document = papers.invoice(cast.a)
    publishing.deliver()
    before, heard = standing(document), len(bus.got)
    decided = decide(
        document,
        cast.ada,
        approve(document, corrected={"total": "48"}, confirmed=["invoice_date"], absent=["due_date"]),
    )
    assert standing(document) != before and publishing.deliver() == 0
    undone = decisions.undo(document.pk, cast.ada, version=decided.version)
    assert standing(document) == before and undone.version == decided.version + 1
    with scope.everything():
        draft = Draft.objects.get(document=document, holder=cast.ada)
    assert draft.document_version == undone.version
    assert draft.fields["total"] == {"value": "48.00", "state": "corrected"}
    assert (draft.fields["invoice_date"]["state"], draft.fields["due_date"]["state"]) == ("checked", "absent")
    assert last_types(document) == [("document.processed", True), ("document.review.required", False)]
    assert publishing.deliver() == 1 and [entry["DetailType"] for entry in bus.got[heard:]] == [
        "document.review.required"
    ]
    [told] = events(document, "REOPENED")
    assert (told.step, told.actor, told.version) == ("undo", "user:ada", undone.version)
    assert make.broken() == []


def test_a_decision_after_that_is_the_only_one_that_counts(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a)
    decided = decide(document, cast.ada, approve(document, corrected={"invoice_number": "INV-9"}))
    again = decide(
        decisions.undo(document.pk, cast.ada, version=decided.version), cast.ada, approve(make.reload(document))
    )
    assert (again.status, fields(document)["invoice_number"].value) == ("approved", "INV-2044")
    assert [type_ for type_, _withdrawn in last_types(document)].count("document.corrected") == 0
    assert make.broken() == []


def test_a_rejection_is_taken_back(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    before = standing(document)
    decided = decide(document, cast.ada, reject(document, "illegible"))
    decisions.undo(document.pk, cast.ada, version=decided.version)
    assert standing(document) == before
    assert last_types(document)[0] == ("document.rejected", True)


def test_what_a_second_approval_corrected_is_withdrawn_too(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    decisions.decide(document.pk, cast.ada, approve(document))
    open_again = decisions.reopen(document.pk, cast.sue)
    decided = decide(open_again, cast.ada, approve(open_again, corrected={"total": "13"}))
    decisions.undo(document.pk, cast.ada, version=decided.version)
    withdrawn = [event.type for event in announced(document) if event.withdrawn_at]
    assert sorted(withdrawn) == ["document.corrected", "document.processed"]
    assert make.broken() == []


def _refused(document: Document, who: Any, version: int, error: type[Exception]) -> str:
    before, written = standing(document), len(events(document))
    with pytest.raises(error) as refusal:
        decisions.undo(document.pk, who, version=version)
    assert standing(document) == before and len(events(document)) == written
    return str(refusal.value)


def test_what_was_announced_is_not_taken_back(cast: make.Cast, engine: Engine, bus: Bus) -> None:
    document = make.document(cast.a, "needs_review")
    decided = decide(document, cast.ada, approve(document))
    with scope.everything():
        OutboxEvent.objects.update(due_at=Now())  # the seconds are over
    assert "re-open" in _refused(document, cast.ada, decided.version, lifecycle.NotPossible)
    publishing.deliver()
    assert "re-open" in _refused(document, cast.ada, decided.version, lifecycle.NotPossible)


def test_nobody_elses_and_no_other_version(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    decided = decide(document, cast.ada, approve(document))
    assert "Only the person" in _refused(document, cast.sue, decided.version, lifecycle.NotPossible)
    _refused(document, cast.ada, decided.version - 1, lifecycle.Overtaken)
    decisions.undo(document.pk, cast.ada, version=decided.version)
    _refused(document, cast.ada, decided.version + 1, lifecycle.NotPossible)


def test_who_may_review_no_longer_takes_nothing_back(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    decided = decide(document, cast.ada, approve(document))
    with scope.everything():
        cast.ada.memberships.all().delete()
    now = type(cast.ada).objects.get(pk=cast.ada.pk)  # the next request looks at the roles anew
    with pytest.raises((access.NotAllowed, Document.DoesNotExist)):
        decisions.undo(document.pk, now, version=decided.version)


def test_a_decision_over_rest_is_announced_at_once(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    decided = decisions.decide(document.pk, cast.ada, approve(document))
    event = announced(document)[-1]
    assert event.due_at == event.created_at
    _refused(document, cast.ada, decided.version, lifecycle.NotPossible)


def test_the_page_offers_it_and_goes_back_to_the_document(cast: make.Cast, engine: Engine, settings: Any) -> None:
    settings.UNDO_SECONDS, client = 60, cast.page(cast.ada)
    document = make.document(cast.a, "needs_review")
    claim = worklist.claim(document.pk, cast.ada)
    body = {"version": document.version, "decision": "approve", "token": str(claim.token)}
    told = client.post(reverse("review-decision", args=[document.pk]), json.dumps(body), "application/json").json()
    assert told["undo"]["seconds"] == 60
    answer = client.post(told["undo"]["url"], json.dumps({"version": told["undo"]["version"]}), "application/json")
    assert (answer.status_code, answer.json()) == (
        200,
        {"url": reverse("review", args=[document.pk]), "opened_url": reverse("review-opened", args=[document.pk])},
    )
    assert make.reload(document).status == "needs_review"
    assert (
        client.post(
            told["undo"]["url"], json.dumps({"version": told["undo"]["version"]}), "application/json"
        ).status_code
        == 409
    )
    assert client.post(told["undo"]["url"], "{}", "application/json").status_code == 400
