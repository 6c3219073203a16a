"""What a decision does, what it refuses and what it leaves behind."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.db import connection

from ocr import lifecycle
from ocr.models import Artifact, Document
from review import decisions, worklist
from review.models import Claim, Correction, Decision
from tenants import access, scope
from tests import engine as stub
from tests import make
from tests.engine import Engine, Line, Page
from tests.review import papers
from tests.review.papers import approve, fields, reject

pytestmark = pytest.mark.django_db

NO_TOTAL = Page.of("Harbour Cafe", "Receipt", "Date: 12/03/2026", "Thank you")


def errors_of(document: Document, who: object, verdict: decisions.Verdict) -> list[tuple[str, str, str]]:
    """The refused decision's errors; nothing may have been written."""
    before = (make.reload(document).version, len(papers.events(document)), len(papers.announced(document)))
    with pytest.raises(decisions.NotAcceptable) as refusal:
        decisions.decide(document.pk, who, verdict)  # type: ignore[arg-type]
    assert (make.reload(document).version, len(papers.events(document)), len(papers.announced(document))) == before
    with scope.everything():
        assert not Decision.objects.filter(document=document).exists()
    return [(error.field, error.code, error.message) for error in refusal.value.errors]


# --- Approving ----------------------------------------------------------------------------------------------------


def test_approval_with_corrections_keeps_canonical_and_machine_values(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    verdict = approve(document, corrected={"total": "1.213,50", "date": "13.3.2026"})
    decided = decisions.decide(document.pk, cast.ada, verdict)
    assert (decided.status, decided.version, decided.decision) == ("approved", document.version + 1, "approve")
    assert (decided.reviewer, decided.straight_through) == ("user:ada", False)
    total, date, merchant = (fields(document)[name] for name in ("total", "date", "merchant"))
    assert (total.value, total.machine_value, total.source, total.state) == ("1213.50", "12.50", "person", "corrected")
    assert (date.value, date.machine_value, date.source, date.state) == (
        "2026-03-13",
        "2026-03-12",
        "person",
        "corrected",
    )
    assert (merchant.value, merchant.source == "person", merchant.state) == ("Harbour Cafe", False, "certain")
    assert total.problems == []
    assert make.reload(document).problems == []


def test_an_approval_confirms_the_open_fields_it_does_not_name(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    decisions.decide(document.pk, cast.ada, approve(document))
    total = fields(document)["total"]
    assert (total.value, total.state, total.source == "person") == ("12.50", "checked", False)
    with scope.everything():
        said = Correction.objects.get(decision__document=document)
    assert (said.field, said.act, said.value) == ("total", "confirmed", "12.50")


def test_what_is_not_on_the_page_and_what_cannot_be_read(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    verdict = approve(document, confirmed=["total"], absent=["merchant"], unreadable=["date"])
    decisions.decide(document.pk, cast.ada, verdict)
    found = fields(document)
    assert (found["merchant"].value, found["merchant"].state, found["merchant"].source) == (None, "absent", "person")
    assert (found["date"].value, found["date"].state, found["date"].source) == (None, "unreadable", "person")
    assert (found["total"].value, found["total"].state) == ("12.50", "checked")
    assert found["merchant"].machine_value == "Harbour Cafe"


def test_line_items_are_corrected_by_their_path(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a, total="49.50")
    verdict = approve(
        document, corrected={"line_items.3.amount": "21.50", "subtotal": "41.50"}, absent=["line_items.1.quantity"]
    )
    decisions.decide(document.pk, cast.ada, verdict)
    found = fields(document)
    amount = found["line_items.3.amount"]
    assert (amount.value, amount.machine_value, amount.state, amount.source) == (
        "21.50",
        "20.00",
        "corrected",
        "person",
    )
    assert found["line_items.2.amount"].value == "10.00"
    assert (found["line_items.1.quantity"].value, found["line_items.1.quantity"].state) == (None, "absent")
    assert [event.codes["field"] for event in papers.events(document, "FIELD_CORRECTED")] == [
        "line_items.3.amount",
        "subtotal",
    ]


def test_a_missing_required_field_is_named(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review", pages=[NO_TOTAL])
    assert fields(document)["total"].value is None
    found = errors_of(document, cast.ada, approve(document))
    assert [(field, code) for field, code, _sentence in found] == [("total", "missing")]
    assert "Total" in found[0][2]
    assert errors_of(document, cast.ada, approve(document, reason="It is fine"))  # no reason makes up for it
    decisions.decide(document.pk, cast.ada, approve(document, absent=["total"]))
    assert make.reload(document).status == "approved"


def test_a_required_field_cannot_be_emptied(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    found = errors_of(document, cast.ada, approve(document, corrected={"total": "  "}))
    assert [field for field, _code, _sentence in found] == ["total"]


def test_confirming_nothing_is_refused(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    found = errors_of(document, cast.ada, approve(document, confirmed=["subtotal"]))
    assert found == [
        ("subtotal", "missing", "Subtotal has no value to confirm. Type it or mark it as not on the page.")
    ]


@pytest.mark.parametrize("typed", ["a lot", "12..5", "1e5", "NaN"])
def test_a_value_of_the_wrong_kind_is_refused_with_a_sentence(cast: make.Cast, engine: Engine, typed: str) -> None:
    document = make.document(cast.a, "needs_review")
    found = errors_of(document, cast.ada, approve(document, corrected={"total": typed}, reason="because"))
    ((field, code, sentence),) = found
    assert field == "total"
    assert code
    assert sentence.endswith(".") and len(sentence) > 20


def test_every_wrong_value_is_told_at_once(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    found = errors_of(document, cast.ada, approve(document, corrected={"total": "much", "date": "31.2.2026"}))
    assert {field for field, _code, _sentence in found} == {"total", "date"}


@pytest.mark.parametrize("path", ["totale", "line_items.1.amount", "", "total.value", "document_id"])
def test_an_unknown_field_is_refused(cast: make.Cast, engine: Engine, path: str) -> None:
    document = make.document(cast.a, "needs_review")
    for verdict in (
        approve(document, corrected={path: "1"}),
        approve(document, confirmed=[path]),
        approve(document, absent=[path]),
        approve(document, unreadable=[path]),
    ):
        found = errors_of(document, cast.ada, verdict)
        assert [(field, code) for field, code, _sentence in found] == [(path, "unknown_field")]


def test_a_broken_rule_is_overruled_only_with_a_reason(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a)
    verdict = approve(document, corrected={"total": "50.00"})
    with pytest.raises(decisions.NotAcceptable) as refusal:
        decisions.decide(document.pk, cast.ada, verdict)
    assert refusal.value.overridable
    ((field, code, sentence),) = errors_of(document, cast.ada, verdict)
    assert (field, code, sentence) == ("total", "invalid", "Subtotal plus tax is 48.00, not 50.00.")
    reason = "The supplier added a fee by hand"
    decided = decisions.decide(document.pk, cast.ada, approve(document, corrected={"total": "50.00"}, reason=reason))
    with scope.everything():
        decision = Decision.objects.get(document=document)
    assert (decision.reason, decision.note) == ("override", reason)
    assert decided.decision_reason == "override"
    (event,) = papers.events(document, "HUMAN_REVIEW_APPROVED")
    assert event.codes["overridden"] == ["invalid"]


def test_a_missing_field_beside_a_broken_rule_stays_a_refusal(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a)
    verdict = approve(document, corrected={"total": "50.00", "invoice_number": ""}, reason="because")
    with pytest.raises(decisions.NotAcceptable) as refusal:
        decisions.decide(document.pk, cast.ada, verdict)
    assert not refusal.value.overridable


# --- Rejecting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["", "because", "ILLEGIBLE"])
def test_a_rejection_needs_one_of_the_reason_codes(cast: make.Cast, engine: Engine, reason: str) -> None:
    document = make.document(cast.a, "needs_review")
    ((field, code, sentence),) = errors_of(document, cast.ada, reject(document, reason))
    assert (field, code) == ("reason", "reason_missing")
    assert "illegible" in sentence


def test_a_rejection(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    before = fields(document)["total"].value
    decided = decisions.decide(
        document.pk, cast.ada, reject(document, "illegible", corrected={"total": "99"}, note="Wet")
    )
    assert (decided.status, decided.decision, decided.decision_reason) == ("rejected", "reject", "illegible")
    assert fields(document)["total"].value == before
    (event,) = papers.events(document, "HUMAN_REVIEW_REJECTED")
    assert (event.actor, event.codes["code"]) == ("user:ada", "illegible")
    assert "document.rejected" in [each.type for each in papers.announced(document)]


# --- Who and when -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["received", "reading", "failed"])
def test_there_is_nothing_to_decide_yet(cast: make.Cast, engine: Engine, status: str) -> None:
    document = make.document(cast.a, status)
    with pytest.raises(lifecycle.NotPossible, match="nothing to decide yet"):
        decisions.decide(document.pk, cast.ada, approve(document))


@pytest.mark.parametrize("status", ["approved", "rejected"])
def test_a_decision_is_final_until_it_is_reopened(cast: make.Cast, engine: Engine, status: str) -> None:
    document = make.document(cast.a, status, decided_by=cast.sue)
    with pytest.raises(decisions.AlreadyDecided, match=f"already {status} by sue"):
        decisions.decide(document.pk, cast.ada, approve(document))


@pytest.mark.parametrize("off", [-1, 1])
def test_another_version_than_the_present_is_refused(cast: make.Cast, engine: Engine, off: int) -> None:
    document = make.document(cast.a, "needs_review")
    verdict = decisions.Verdict(version=document.version + off, decision="approve")
    with pytest.raises(lifecycle.Overtaken):
        decisions.decide(document.pk, cast.ada, verdict)
    assert make.reload(document).status == "needs_review"


def test_who_may_decide(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    with pytest.raises(Document.DoesNotExist):
        decisions.decide(document.pk, cast.ben, approve(document))
    for who in (cast.cleo, make.user(cast.a, "uploader"), make.user(cast.a, "tenant_admin")):
        with pytest.raises(access.NotAllowed, match="reviewing"):
            decisions.decide(document.pk, who, approve(document))
    assert decisions.decide(document.pk, cast.sue, approve(document)).reviewer == "user:sue"


def test_a_held_document_is_decided_by_its_holder_only(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    token = make.claim(document, cast.ada)
    with pytest.raises(worklist.Held, match="ada"):
        decisions.decide(document.pk, cast.sue, approve(document))
    with pytest.raises(worklist.ClaimLost):
        decisions.decide(document.pk, cast.ada, approve(document, claim_token=uuid4()))
    decisions.decide(document.pk, cast.ada, approve(document, claim_token=token))
    with scope.everything():
        assert not Claim.objects.filter(document=document).exists()


def test_a_lost_claim_does_not_decide(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    token = make.claim(document, cast.ada)
    papers.claim_ended(document)
    with pytest.raises(worklist.ClaimLost, match="What you typed is kept"):
        decisions.decide(document.pk, cast.ada, approve(document, claim_token=token))


# --- What stays ---------------------------------------------------------------------------------------------------


def test_the_audit_trail_tells_who_decided_what_and_corrected_which_fields(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    verdict = approve(document, corrected={"total": "13.00", "merchant": "Harbor"}, absent=["date"])
    decided = decisions.decide(document.pk, cast.ada, verdict)
    told = papers.events(document, "FIELD_CORRECTED", "HUMAN_REVIEW_APPROVED", "PUBLISHED")[-4:]
    assert [(event.kind, event.actor) for event in told] == [
        ("FIELD_CORRECTED", "user:ada"),
        ("FIELD_CORRECTED", "user:ada"),
        ("HUMAN_REVIEW_APPROVED", "user:ada"),
        ("PUBLISHED", "system"),
    ]
    assert [event.codes["field"] for event in told[:2]] == ["total", "merchant"]
    assert told[2].version == decided.version
    assert told[2].codes["corrected"] == ["merchant", "total"]
    assert told[2].codes["absent"] == ["date"]


def test_no_value_reaches_the_audit_trail_or_the_events(cast: make.Cast, engine: Engine) -> None:
    page = Page.of("Quillfeather Cafe", "Receipt", "Date: 12/03/2026", Line("Total: 77.31", doubtful={"77.31": 41.0}))
    document = make.document(cast.a, "needs_review", pages=[page], filename="zebrafile.png", external_id="okapi-1")
    verdict = approve(
        document,
        corrected={"merchant": "Wolfhound Grill", "total": "88.42"},
        reason="Narwhal override",
        note="Heron note",
    )
    decisions.decide(document.pk, cast.ada, verdict)
    decisions.reopen(document.pk, cast.sue)
    again = make.reload(document)
    decisions.decide(document.pk, cast.sue, reject(again, "other", note="Ibis note"))
    with scope.everything(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(row_to_json(e)::text, ' ') FROM audit_auditevent e "
            "UNION ALL SELECT string_agg(row_to_json(o)::text, ' ') FROM ocr_outboxevent o"
        )
        written = [row[0] for row in cursor.fetchall()]
    assert all(str(document.pk) in text for text in written)
    canaries = ("quillfeather", "77.31", "wolfhound", "88.42", "narwhal", "heron", "ibis", "zebrafile", "okapi")
    assert [canary for canary in canaries for text in written if canary in text.lower()] == []


def test_the_event_names_the_corrected_fields_and_the_reviewer(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    decided = decisions.decide(document.pk, cast.ada, approve(document, corrected={"total": "13.00"}))
    event = papers.announced(document)[-1]
    assert (event.type, event.version) == ("document.processed", decided.version)
    assert event.data["corrected"] == ["total"]
    assert event.data["actor"] == "user:ada"


def test_the_result_of_the_decided_version_is_stored_and_served_as_it_is(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    decided = decisions.decide(document.pk, cast.ada, approve(document, corrected={"total": "13.00"}))
    with scope.everything():
        newest = Artifact.objects.filter(document=document, kind=Artifact.Kind.RESULT).latest("number")
    assert newest.number == decided.version
    stored = make.stored(document, Artifact.Kind.RESULT)[-1]
    served = cast.api().get(f"/api/v1/documents/{document.pk}/result/")
    assert served.content == stored
    told = json.loads(stored)
    assert (told["version"], told["review"]["decision"], told["review"]["reviewer"]) == (
        decided.version,
        "approve",
        "user:ada",
    )
    assert {field["name"]: field["value"] for field in told["fields"]}["total"] == "13.00"


def test_the_machines_values_and_the_decision_give_the_final_values(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a)
    machine = {path: row.machine_value for path, row in fields(document).items()}
    verdict = approve(document, corrected={"due_date": "2026-05-01"}, absent=["tax_id"], unreadable=["supplier"])
    decisions.decide(document.pk, cast.ada, verdict)
    with scope.everything():
        said = {row.field: row for row in Correction.objects.filter(decision__document=document)}
    replayed = {path: said[path].value if path in said else value for path, value in machine.items()}
    assert {path: row.value for path, row in fields(document).items()} == replayed
    assert said["due_date"].machine_value == "2026-04-12"


# --- Again --------------------------------------------------------------------------------------------------------


def test_reopening_makes_a_new_version_that_is_decided_again(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    first = decisions.decide(document.pk, cast.ada, approve(document, corrected={"total": "13.00"}))
    reopened = decisions.reopen(document.pk, cast.sue)
    assert (reopened.status, reopened.version) == ("needs_review", first.version + 1)
    assert (reopened.decision, reopened.reviewer, reopened.finished_at) == ("", "", None)
    assert fields(document)["total"].value == "13.00"
    again = decisions.decide(document.pk, cast.ada, approve(reopened, corrected={"total": "14.00"}))
    assert again.version == reopened.version + 1
    types = [event.type for event in papers.announced(document)]
    assert types.count("document.processed") == 2
    (corrected,) = [event for event in papers.announced(document) if event.type == "document.corrected"]
    assert corrected.data == {"fields": ["total"], "actor": "user:ada", "version": again.version}
    with scope.everything():
        assert Decision.objects.filter(document=document).count() == 2
    assert fields(document)["total"].machine_value == "12.50"


def test_what_went_straight_through_can_be_reopened(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "approved", pages=[stub.CLEAR])
    assert document.straight_through
    reopened = decisions.reopen(document.pk, cast.sue)
    decided = decisions.decide(document.pk, cast.ada, approve(reopened, corrected={"total": "1.00"}))
    assert (decided.straight_through, decided.decision) == (False, "approve")


def test_reopening_is_for_supervisors_and_decided_documents(cast: make.Cast, engine: Engine) -> None:
    waiting = make.document(cast.a, "needs_review")
    with pytest.raises(lifecycle.NotPossible, match="Only an approved or rejected document"):
        decisions.reopen(waiting.pk, cast.sue)
    decided = decisions.decide(waiting.pk, cast.ada, approve(waiting))
    with pytest.raises(access.NotAllowed, match="supervisor"):
        decisions.reopen(decided.pk, cast.ada)
    with pytest.raises(Document.DoesNotExist):
        decisions.reopen(decided.pk, cast.ben)


def test_replaying_and_retrying_are_for_supervisors_too(cast: make.Cast, engine: Engine) -> None:
    waiting = make.document(cast.a, "needs_review")
    billed = engine.billed_pages()
    with pytest.raises(access.NotAllowed, match="supervisor"):
        decisions.replay(waiting.pk, cast.ada)
    replayed = decisions.replay(waiting.pk, cast.sue)
    assert (replayed.status, replayed.version) == ("needs_review", waiting.version + 1)
    with pytest.raises(lifecycle.NotPossible):
        decisions.retry(waiting.pk, cast.sue)
    assert engine.billed_pages() == billed
    failed = make.document(cast.a, "failed")
    with pytest.raises(access.NotAllowed, match="supervisor"):
        decisions.retry(failed.pk, cast.ada)
    with pytest.raises(lifecycle.NotPossible):
        decisions.replay(failed.pk, cast.sue)
    assert decisions.retry(failed.pk, cast.sue).status == "received"


def test_the_page_and_the_act_agree_on_what_is_possible(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    assert decisions.can(decisions.check_decide, document, cast.ada)
    assert not decisions.can(decisions.check_decide, document, cast.cleo)
    assert not decisions.can(decisions.check_reopen, document, cast.sue)
    decided = decisions.decide(document.pk, cast.ada, approve(document))
    assert not decisions.can(decisions.check_decide, decided, cast.ada)
    assert decisions.can(decisions.check_reopen, decided, cast.sue)


def test_a_document_that_went_straight_through_tells_what_a_person_changed_in_it(
    cast: make.Cast, engine: Engine
) -> None:
    document = make.document(cast.a, "approved")
    again = decisions.reopen(document.pk, cast.sue)
    verdict = approve(again, corrected={"merchant": "Harbor"}, confirmed=["total"], absent=["date"])
    decided = decisions.decide(document.pk, cast.sue, verdict)
    told = [event.data for event in papers.announced(document) if event.type == "document.corrected"]
    assert told == [{"fields": ["date", "merchant"], "actor": "user:sue", "version": decided.version}]


def test_a_first_decision_corrects_nothing_that_was_announced(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    decisions.decide(document.pk, cast.ada, approve(document, corrected={"merchant": "Harbor"}))
    assert "document.corrected" not in [event.type for event in papers.announced(document)]
