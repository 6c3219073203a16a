"""More than one person sees a document: a second look, blind double keying, and a third person where two differ."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.urls import reverse

from ocr import lifecycle
from ocr.models import Document
from review import acts, checks, comments, decisions, worklist
from review.models import Check, Correction, Decision, Draft
from tenants import scope
from tenants.models import Role
from tests import make
from tests.engine import Engine
from tests.review import papers
from tests.review.papers import approve, events, fields, reject, seen_by_two

pytestmark = pytest.mark.django_db

BLIND = {"mode": "blind", "fields": ["total", "date"]}
ABOVE = {"mode": "second", "amount": "total", "above": "10"}


def person(cast: make.Cast, name: str) -> Any:
    return make.user(cast.a, Role.REVIEWER, username=name)


def keyed(document: Document, **values: str) -> decisions.Verdict:
    return approve(document, corrected=values)


def shown_to(cast: make.Cast, who: Any, document: Document) -> dict[str, Any]:
    """The data of the review page, which claims the document; it is given back."""
    data: dict[str, Any] = cast.page(who).get(reverse("review", args=[document.pk])).context["data"]
    if data["claim"]:
        worklist.release(document.pk, data["claim"]["token"])
    return data


def field_of(data: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(field for field in data["fields"] if field["name"] == name)
    return found


# --- A second pair of eyes ----------------------------------------------------------------------------------------


def test_an_amount_above_the_limit_needs_a_second_person(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(ABOVE)
    document = make.document(cast.a, "needs_review")
    first = decisions.decide(document.pk, cast.ada, approve(document, corrected={"merchant": "Harbor"}))
    assert (first.status, first.version) == ("needs_review", document.version)
    assert (worklist.claim_next(cast.ada), papers.holder(document)) == (None, "")
    with pytest.raises(checks.Seen, match="another person"):
        worklist.claim(document.pk, cast.ada)
    with pytest.raises(checks.Seen):
        decisions.decide(document.pk, cast.ada, approve(document))

    data = shown_to(cast, cast.sue, document)
    assert data["check"] == {"number": 2, "kind": "second", "keyed": False}
    assert (field_of(data, "merchant")["value"], field_of(data, "merchant")["state"]) == ("Harbor", "corrected")
    assert (field_of(data, "total")["value"], field_of(data, "total")["state"]) == ("12.50", "open")

    decided = decisions.decide(document.pk, cast.sue, approve(document, confirmed=["total"]))
    assert (decided.status, decided.reviewer) == ("approved", "user:sue")
    assert (fields(document)["merchant"].value, fields(document)["total"].state) == ("Harbor", "checked")
    told = [
        (event.kind, event.actor) for event in events(document, "CHECKED", "FIELD_CORRECTED", "HUMAN_REVIEW_APPROVED")
    ]
    assert told == [
        ("CHECKED", "user:ada"),
        ("CHECKED", "user:sue"),
        ("FIELD_CORRECTED", "user:ada"),
        ("HUMAN_REVIEW_APPROVED", "user:sue"),
    ]
    assert events(document, "CHECKED")[0].codes["corrected"] == ["merchant"]
    assert "Harbor" not in str([event.codes for event in events(document)])
    assert make.broken() == []


def test_below_the_limit_one_person_is_enough(cast: make.Cast, engine: Engine) -> None:
    seen_by_two({**ABOVE, "above": "12.50"})
    document = make.document(cast.a, "needs_review")
    assert decisions.decide(document.pk, cast.ada, approve(document)).status == "approved"
    assert events(document, "CHECKED") == []


def test_an_amount_that_nobody_knows_may_be_any(cast: make.Cast, engine: Engine) -> None:
    seen_by_two({**ABOVE, "above": "1000"})
    document = make.document(cast.a, "needs_review")
    assert decisions.decide(document.pk, cast.ada, approve(document, absent=["total"])).status == "needs_review"
    assert decisions.decide(document.pk, cast.sue, approve(document, absent=["total"])).status == "approved"


@pytest.mark.parametrize(("name", "status"), [("merchant", "needs_review"), ("tax", "approved")])
def test_a_field_that_has_a_value_needs_a_second_person(
    cast: make.Cast, engine: Engine, name: str, status: str
) -> None:
    seen_by_two({"mode": "second", "fields": [name]})
    document = make.document(cast.a, "needs_review")
    assert decisions.decide(document.pk, cast.ada, approve(document)).status == status


def test_where_the_second_says_otherwise_a_third_decides_without_names(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(ABOVE)
    document = make.document(cast.a, "needs_review")
    decisions.decide(document.pk, cast.ada, approve(document))
    second = decisions.decide(document.pk, cast.sue, approve(document, corrected={"total": "13.50"}))
    assert second.status == "needs_review"
    assert events(document, "CHECKED")[-1].codes["differs"] == ["total"]
    third = person(cast, "tim")
    page = cast.page(third).get(reverse("review", args=[document.pk]))
    total = field_of(page.context["data"], "total")
    assert (total["value"], total["machine_value"], total["state"]) == (None, None, "open")
    assert sorted(each["value"] for each in total["suggestions"]) == ["12.50", "13.50"]
    told = {
        name: each for name, each in page.context["data"].items() if name != "people"
    }  # whom one can ask is no secret
    assert not re.search(r"\b(ada|sue)\b", str(told))  # as words: ids may hold the letters
    decided = decisions.decide(document.pk, third, approve(document, corrected={"total": "13.50"}))
    assert (decided.status, fields(document)["total"].value) == ("approved", "13.50")
    assert make.broken() == []


# --- Blind double keying ------------------------------------------------------------------------------------------


def test_blind_keying_shows_the_page_and_nothing_else(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(BLIND)
    document = make.document(cast.a, "needs_review")
    data = shown_to(cast, cast.ada, document)
    assert data["check"] == {"number": 1, "kind": "blind", "keyed": True}
    total = field_of(data, "total")
    assert total["box"] and total["page"] == 1
    told = {name: total[name] for name in ("value", "text", "machine_value", "confidence", "suggestions", "problems")}
    assert told == {
        "value": None, "text": "", "machine_value": None, "confidence": None, "suggestions": [], "problems": [],
    }  # fmt: skip
    assert "12.50" not in str(data)
    assert "12.50" not in cast.page(cast.ada).get(reverse("document", args=[document.pk])).content.decode()
    decisions.decide(document.pk, cast.ada, keyed(document, total="12.50", date="2026-03-12", merchant="Harbor"))
    for_second = shown_to(cast, cast.sue, document)
    assert [field["name"] for field in for_second["fields"]] == ["date", "total"]
    assert not {"12.50", "2026-03-12", "Harbor"} & set(str(for_second).replace("'", " ").split())


def test_two_who_key_the_same_have_it_approved(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(BLIND)
    document = make.document(cast.a, "needs_review")
    first = decisions.decide(document.pk, cast.ada, keyed(document, total="12,50", date="12.3.2026"))
    assert first.status == "needs_review"
    decided = decisions.decide(document.pk, cast.sue, keyed(document, total="12.50", date="2026-03-12"))
    assert decided.status == "approved"
    total = fields(document)["total"]
    assert (total.value, total.state, total.source == "person") == ("12.50", "checked", False)
    with scope.everything():
        assert Correction.objects.get(decision__document=document, field="total").act == "confirmed"
        assert Check.objects.filter(document=document, settled_at=None).count() == 0
    assert make.broken() == []


def test_two_who_differ_are_settled_by_a_third(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(BLIND)
    document = make.document(cast.a, "needs_review")
    decisions.decide(document.pk, cast.ada, keyed(document, total="12.50", date="2026-03-12"))
    decisions.decide(document.pk, cast.sue, approve(document, corrected={"total": "12.60"}, unreadable=["date"]))
    third = person(cast, "tim")
    data = shown_to(cast, third, document)
    assert [field["name"] for field in data["fields"]] == ["date", "total"]
    assert sorted(each["act"] or each["value"] for each in field_of(data, "date")["suggestions"]) == [
        "2026-03-12",
        "unreadable",
    ]
    with pytest.raises(decisions.NotAcceptable) as refusal:
        decisions.decide(document.pk, third, keyed(document, total="12.60"))
    assert [(error.field, error.code) for error in refusal.value.errors] == [("date", "not_keyed")]
    decided = decisions.decide(document.pk, third, keyed(document, total="12.60", date="2026-03-12"))
    assert decided.status == "approved"
    assert (fields(document)["total"].value, fields(document)["date"].value) == ("12.60", "2026-03-12")
    told = [(event.actor, event.codes["count"], event.codes["differs"]) for event in events(document, "CHECKED")]
    assert told == [("user:ada", 1, []), ("user:sue", 2, ["date", "total"]), ("user:tim", 3, [])]
    assert [event.actor for event in events(document, "FIELD_CORRECTED")] == ["user:tim"]
    assert make.broken() == []


def test_nothing_is_confirmed_in_silence_or_beside_the_point(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(BLIND)
    document = make.document(cast.a, "needs_review")
    for verdict in (approve(document), approve(document, confirmed=["total"], corrected={"date": "2026-03-12"})):
        with pytest.raises(decisions.NotAcceptable):
            decisions.decide(document.pk, cast.ada, verdict)
    decisions.decide(document.pk, cast.ada, keyed(document, total="12.50", date="2026-03-12"))
    with pytest.raises(decisions.NotAcceptable) as refusal:
        decisions.decide(document.pk, cast.sue, keyed(document, total="12.50", date="2026-03-12", merchant="Harbor"))
    assert [(error.field, error.code) for error in refusal.value.errors] == [("merchant", "not_asked")]


def test_both_values_stand_in_an_order_that_says_nothing(cast: make.Cast, engine: Engine) -> None:
    seen_by_two({"mode": "blind", "fields": ["total"]})
    firsts = []
    for _ in range(12):
        document = make.document(cast.a, "needs_review")
        decisions.decide(document.pk, cast.ada, keyed(document, total="12.50"))
        decisions.decide(document.pk, cast.sue, keyed(document, total="12.60"))
        with scope.everything():
            round_ = checks.standing(make.reload(document))
            assert round_.candidates("total") == round_.candidates("total")
            firsts.append(round_.candidates("total")[0][1])
    assert set(firsts) == {"12.50", "12.60"}


# --- Never the same person, and what else ends a round ------------------------------------------------------------


def test_the_database_refuses_a_person_s_second_look(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(ABOVE)
    document = make.document(cast.a, "needs_review")
    decisions.decide(document.pk, cast.ada, approve(document))
    with scope.everything(), pytest.raises(IntegrityError, match="check_never_the_same_person"), transaction.atomic():
        Check.objects.create(
            tenant=cast.a, document=document, version=document.version, number=2, person=cast.ada, checked_at=Now()
        )


def test_an_integration_is_the_person_it_acts_as(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(ABOVE)
    document = make.document(cast.a, "needs_review")
    body = {"version": document.version, "decision": "approve"}
    path = reverse("api-review", args=[document.pk])
    first = cast.api(make.key(cast.a, cast.ada)).post(path, body, content_type="application/json")
    assert (first.status_code, first.json()["status"]) == (200, "needs_review")
    again = cast.api(make.key(cast.a, cast.ada)).post(path, body, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "already_checked")
    sue = cast.api(make.key(cast.a, cast.sue))
    unseen = sue.post(path, body, content_type="application/json")  # sue read the document before ada checked it
    assert (unseen.status_code, unseen.json()["code"], unseen.json()["current"]["check"]["number"]) == (
        409,
        "stale_version",
        2,
    )
    other = sue.post(path, {**body, "check": 2}, content_type="application/json")
    assert (other.status_code, other.json()["status"]) == (200, "approved")


def test_who_keys_blind_learns_nothing_over_rest(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(BLIND)
    document = make.document(cast.a, "needs_review")
    api = cast.api(make.key(cast.a, cast.ada))
    told = api.get(reverse("api-document", args=[document.pk])).json()
    total = next(field for field in told["fields"] if field["name"] == "total")
    assert (total["value"], total["text"], total["machine_value"], total["suggestions"]) == (None, "", None, [])
    assert "12.50" not in str(told)
    assert "12.50" not in api.get(reverse("api-result", args=[document.pk])).content.decode()
    raw = api.get(reverse("api-raw", args=[document.pk]))
    assert (raw.status_code, raw.json()["code"]) == (409, "not_possible")
    for user in (cast.ada, cast.sue):
        decided = decisions.decide(document.pk, user, keyed(document, total="12.50", date="2026-03-12"))
    assert decided.status == "approved"
    assert "12.50" in str(api.get(reverse("api-document", args=[document.pk])).json())
    assert "12.50" in api.get(reverse("api-result", args=[document.pk])).content.decode()
    assert api.get(reverse("api-raw", args=[document.pk])).status_code != 409


def test_a_check_is_taken_back_until_somebody_else_has_opened_the_document(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(ABOVE)
    document = make.document(cast.a, "needs_review")
    decisions.decide(document.pk, cast.ada, approve(document, corrected={"merchant": "Harbor"}))
    with pytest.raises(lifecycle.NotPossible):
        decisions.undo(document.pk, cast.sue, version=document.version)
    assert decisions.undo(document.pk, cast.ada, version=document.version).status == "needs_review"
    with scope.everything():
        assert not Check.objects.filter(document=document).exists()
        draft = Draft.objects.get(document=document, holder=cast.ada)
    assert draft.fields["merchant"] == {"value": "Harbor", "state": "corrected"}
    assert [event.step for event in events(document, "CHECKED")] == ["check", "undo"]
    decisions.decide(document.pk, cast.ada, approve(document))
    make.claim(document, cast.sue)
    with pytest.raises(lifecycle.NotPossible, match="opened the document meanwhile"):
        decisions.undo(document.pk, cast.ada, version=document.version)
    assert make.broken() == []


def test_a_check_is_not_taken_back_later(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(ABOVE)
    document = make.document(cast.a, "needs_review")
    decisions.decide(document.pk, cast.ada, approve(document))
    with scope.everything():
        Check.objects.filter(document=document).update(checked_at=Now() - timedelta(minutes=1))
    with pytest.raises(lifecycle.NotPossible, match="handed on"):
        decisions.undo(document.pk, cast.ada, version=document.version)


def test_a_rejection_ends_it_and_a_re_opening_begins_anew(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(ABOVE)
    document = make.document(cast.a, "needs_review")
    decisions.decide(document.pk, cast.ada, approve(document))
    decisions.decide(document.pk, cast.sue, reject(document, "illegible"))
    again = decisions.reopen(document.pk, cast.sue)
    with scope.everything():
        assert checks.standing(again).number == 1
    assert decisions.decide(document.pk, cast.ada, approve(again)).status == "needs_review"
    assert decisions.decide(document.pk, cast.sue, approve(again)).status == "approved"
    assert make.broken() == []


def test_an_undone_decision_keeps_the_looks_of_the_others(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(BLIND)
    document = make.document(cast.a, "needs_review")
    decisions.decide(document.pk, cast.ada, keyed(document, total="12.50", date="2026-03-12"))
    undoable = decisions.Verdict(
        version=document.version,
        decision="approve",
        corrected={"total": "12.50", "date": "2026-03-12"},
        undoable=True,
    )
    decided = decisions.decide(document.pk, cast.sue, undoable)
    back = decisions.undo(document.pk, cast.sue, version=decided.version)
    with scope.everything():
        assert checks.standing(back).number == 2
    with pytest.raises(checks.Seen):
        worklist.claim(document.pk, cast.ada)
    assert decisions.decide(document.pk, cast.sue, keyed(back, total="12.50", date="2026-03-12")).status == "approved"
    with scope.everything():
        assert Decision.objects.filter(document=document, undone_at=None).count() == 1
    assert make.broken() == []


def test_the_queue_lists_what_another_person_has_to_check(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(ABOVE)
    document = make.document(cast.a, "needs_review", filename="twice.png")
    decisions.decide(document.pk, cast.ada, approve(document))
    listed = {
        (who.username, tab): b"twice.png" in cast.page(who).get(reverse("queue"), {"tab": tab}).content
        for who in (cast.ada, cast.sue, cast.ben)
        for tab in ("waiting", "checks")
    }
    assert {name for name, is_there in listed.items() if is_there} == {("sue", "waiting"), ("sue", "checks")}


def test_the_page_hands_on_and_goes_to_the_next(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(ABOVE)
    first, second = (make.document(cast.a, "needs_review", filename=name) for name in ("one.png", "two.png"))
    token = str(make.claim(first, cast.ada))
    body = {"version": first.version, "decision": "approve", "token": token}
    answer = cast.page(cast.ada).post(
        reverse("review-decision", args=[first.pk]), body, content_type="application/json"
    )
    assert answer.json() == {
        "next_url": reverse("review", args=[second.pk]),
        "message": "one.png is checked. Another person looks at it next.",
        "undo": {
            "url": reverse("review-undo", args=[first.pk]),
            "version": first.version,
            "seconds": settings.UNDO_SECONDS,
        },
    }


def test_what_is_built_ahead_for_who_keys_blind_tells_nothing(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(BLIND)
    first, second = (make.document(cast.a, "needs_review") for _ in range(2))
    decisions.decide(second.pk, cast.ada, keyed(second, total="12.50", date="2026-03-12", merchant="Harbor"))
    for who, expected in ((cast.ada, None), (cast.sue, str(second.pk))):
        token = make.claim(first, who)
        answer = cast.page(who).post(
            reverse("review-ahead", args=[first.pk]), {"have": []}, content_type="application/json"
        )
        ready = answer.json()["reserved"]
        assert (ready and ready["document_id"]) == expected
        worklist.release(first.pk, token)
    assert second.filename in ready["part"]
    assert not [value for value in ("12.50", "2026-03-12", "Harbor") if value in ready["part"]]


def test_what_is_only_reserved_for_the_next_person_can_be_taken_back(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(ABOVE)
    first, second = (make.document(cast.a, "needs_review") for _ in range(2))
    decisions.decide(second.pk, cast.ada, approve(second))
    handed = worklist.hand_out(cast.sue)
    assert handed.reserved and handed.reserved.document_id == second.pk
    decisions.undo(second.pk, cast.ada, version=second.version)
    assert papers.holder(second) == ""
    with scope.everything():
        assert checks.standing(make.reload(second)).number == 1


def test_who_keys_blind_is_not_shown_what_others_wrote_of_the_document(cast: make.Cast, engine: Engine) -> None:
    seen_by_two(BLIND)
    document = make.document(cast.a, "needs_review")
    comments.write(document.pk, cast.ada, field="total", text="I think it is 12.50")
    decisions.decide(document.pk, cast.ada, keyed(document, total="12.50", date="2026-03-12"))
    for_sue = shown_to(cast, cast.sue, document)
    assert (for_sue["comments"], for_sue["line_items"], for_sue["may_add_fields"]) == ([], None, False)
    comments.write(document.pk, cast.sue, field="total", text="@ada is this a stamp?")
    comments.answer(document.pk, cast.ada, text="It is.")
    assert [each["text"] for each in shown_to(cast, cast.sue, document)["comments"]] == [
        "@ada is this a stamp?",
        "It is.",
    ]


# --- Rows that come and go ----------------------------------------------------------------------------------------

ROWS = {"mode": "second", "fields": ["total"]}


def rows_of(document: Document) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for path, row in fields(document).items():
        if row.row is not None and row.state != "removed":
            found.setdefault(row.row, {})[path.rpartition(".")[2]] = row.value
    return found


def shown_rows(data: dict[str, Any]) -> dict[int, str | None]:
    """The amounts of the line items in their order."""
    return {row["row"]: row["cells"]["amount"]["value"] for row in data["line_items"]["rows"]}


def hand_on_rows(cast: make.Cast, engine: Engine) -> Document:
    """Ada took out the second line item of a document and added one below the first."""
    seen_by_two(ROWS, "invoice")
    document = papers.invoice(cast.a)
    added = acts.AddedRow({"description": "Latches", "amount": "10.00"}, after=1)
    first = decisions.decide(document.pk, cast.ada, approve(document, added_rows=[added], removed_rows=[2]))
    assert (first.status, sorted(rows_of(document))) == ("needs_review", [1, 2, 3])
    return document


def test_the_next_person_sees_rows_that_the_first_added_and_took_out(cast: make.Cast, engine: Engine) -> None:
    document = hand_on_rows(cast, engine)
    data = shown_to(cast, cast.sue, document)
    assert shown_rows(data) == {1: "10.00", 4: "10.00", 3: "20.00"}
    assert list(shown_rows(data)) == [1, 4, 3]
    assert data["line_items"]["next_row"] == 5
    with pytest.raises(decisions.NotAcceptable) as refusal:
        decisions.decide(document.pk, cast.sue, approve(document, confirmed=["total"], removed_rows=[1]))
    assert [error.code for error in refusal.value.errors] == ["rows_stay"]
    decided = decisions.decide(document.pk, cast.sue, approve(document, confirmed=["total"]))
    assert decided.status == "approved"
    assert {number: row["amount"] for number, row in rows_of(document).items()} == {1: "10.00", 4: "10.00", 3: "20.00"}
    told = [
        (event.actor, event.codes.get("change"), event.codes.get("fields"))
        for event in events(document, "FIELD_CORRECTED")
    ]
    assert ("user:ada", "added", ["line_items.4"]) in told
    assert ("user:ada", "removed", ["line_items.2"]) in told
    assert make.broken() == []


def test_a_cell_of_an_added_row_read_otherwise_goes_to_a_third(cast: make.Cast, engine: Engine) -> None:
    document = hand_on_rows(cast, engine)
    corrected = {"line_items.4.description": "Locks"}
    second = decisions.decide(document.pk, cast.sue, approve(document, confirmed=["total"], corrected=corrected))
    assert second.status == "needs_review"
    third = person(cast, "tim")
    data = shown_to(cast, third, document)
    cell = next(row for row in data["line_items"]["rows"] if row["row"] == 4)["cells"]["description"]
    assert sorted(each["value"] for each in cell["suggestions"]) == ["Latches", "Locks"]
    assert decisions.decide(document.pk, third, approve(document, corrected=corrected)).status == "approved"
    assert rows_of(document)[4]["description"] == "Locks"
    assert make.broken() == []


def test_rows_come_back_with_what_is_taken_back(cast: make.Cast, engine: Engine) -> None:
    document = hand_on_rows(cast, engine)
    decisions.undo(document.pk, cast.ada, version=document.version)
    with scope.everything():
        draft = Draft.objects.get(document=document, holder=cast.ada).fields
    assert (draft["line_items.4"]["state"], draft["line_items.4"]["after"]) == ("added", 1)
    assert draft["line_items.2"]["state"] == "removed"
    added = acts.AddedRow({"description": "Latches", "amount": "10.00"}, after=1)
    decisions.decide(document.pk, cast.ada, approve(document, added_rows=[added], removed_rows=[2]))
    undoable = approve(document, confirmed=["total"], undoable=True)
    decided = decisions.decide(document.pk, cast.sue, undoable)
    assert decided.status == "approved"
    back = decisions.undo(document.pk, cast.sue, version=decided.version)
    assert {number: row["amount"] for number, row in rows_of(back).items()} == {1: "10.00", 2: "10.00", 3: "20.00"}
    with scope.everything():
        assert set(Draft.objects.get(document=document, holder=cast.sue).fields) == {"total"}
    assert shown_rows(shown_to(cast, cast.sue, back)) == {1: "10.00", 4: "10.00", 3: "20.00"}
    assert decisions.decide(document.pk, cast.sue, approve(back, confirmed=["total"])).status == "approved"
    assert make.broken() == []
