"""A supervisor gives documents to people; and what else the queue lists, counts and orders."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.urls import reverse

from ocr.models import Document
from review import assigning, decisions, worklist
from review.models import Assignment, OwnReason
from tenants import access, scope
from tenants.models import Role
from tests import make
from tests.engine import DOUBTFUL, Engine, Line, Page
from tests.review.papers import approve, events, reject

pytestmark = pytest.mark.django_db

WORSE = Page.of("Harbour Cafe", "Receipt", "Date: 12/03/2026", Line("Total: 12.50", doubtful={"12.50": 7.0}))


def handed_to(who: Any) -> Any:
    claim = worklist.claim_next(who)
    if claim:
        worklist.release(claim.document_id, claim.token)
    return claim.document_id if claim else None


def assigned() -> dict[Any, str]:
    with scope.everything():
        return dict(Assignment.objects.values_list("document", "person__username"))


def test_what_is_given_to_somebody_comes_first_for_them_and_for_nobody_else(cast: make.Cast, engine: Engine) -> None:
    first, second = (make.document(cast.a, "needs_review") for _ in range(2))
    assert assigning.assign([second.pk], cast.sue, person_id=cast.ada.pk) == 1
    other = make.user(cast.a, Role.REVIEWER)
    assert (handed_to(cast.ada), handed_to(other)) == (second.pk, first.pk)
    assert assigning.assign([first.pk, second.pk], cast.sue, person_id=cast.ada.pk) == 2
    assert (handed_to(cast.ada), handed_to(other)) == (first.pk, None)
    assert assigning.free([second.pk], cast.sue) == 1
    assert handed_to(other) == second.pk
    told = [(event.step, event.actor, event.codes) for event in events(second, "ASSIGNED")]
    assert told == [
        ("assign", "user:sue", {"person": cast.ada.pk}),
        ("assign", "user:sue", {"person": cast.ada.pk, "previous_holder": cast.ada.pk}),
        ("free", "user:sue", {"previous_holder": cast.ada.pk}),
    ]
    assert make.broken() == []


def test_what_is_only_reserved_goes_to_whom_it_is_given(cast: make.Cast, engine: Engine) -> None:
    first, second = (make.document(cast.a, "needs_review") for _ in range(2))
    other = make.user(cast.a, Role.REVIEWER)
    handed = worklist.hand_out(cast.ada)
    assert handed.reserved and handed.reserved.document_id == second.pk
    assert assigning.assign([first.pk, second.pk], cast.sue, person_id=other.pk) == 2
    held = worklist.hand_out(cast.ada, opened=first.pk)
    assert held.current and held.reserved is None  # what is open stays with whoever has it open
    assert handed_to(other) == second.pk


def test_documents_are_spread_evenly_and_again(cast: make.Cast, engine: Engine) -> None:
    documents = [make.document(cast.a, "needs_review") for _ in range(5)]
    make.user(cast.a, Role.REVIEWER, username="tim")
    keyholder = 1  # the integration's own user reviews as well
    ids = [document.pk for document in documents]
    assigning.assign(ids, cast.sue, person_id=cast.ada.pk)
    assert assigning.spread(ids, cast.sue) == 5
    shares = Counter(assigned().values())
    assert len(shares) == 3 + keyholder
    assert sorted(shares.values()) == [1, 1, 1, 2]


def test_only_supervisors_give_and_only_to_who_reviews_there(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    with pytest.raises(access.NotAllowed):
        assigning.assign([document.pk], cast.ada, person_id=cast.ada.pk)
    for person in (cast.ben, cast.cleo):
        with pytest.raises(assigning.Unfit, match="does not review"):
            assigning.assign([document.pk], cast.sue, person_id=person.pk)
    with pytest.raises(assigning.Unfit, match="at least one"):
        assigning.spread([], cast.sue)
    with pytest.raises(assigning.Unfit, match="at most"):
        assigning.free([document.pk] * 501, cast.sue)
    elsewhere = make.document(cast.b, "needs_review")
    assert assigning.assign([elsewhere.pk], cast.sue, person_id=cast.ada.pk) == 0
    assert (assigned(), events(document, "ASSIGNED")) == ({}, [])


def test_it_is_nobody_s_once_it_is_decided_or_passed_on(cast: make.Cast, engine: Engine) -> None:
    decided, passed_on = (make.document(cast.a, "needs_review") for _ in range(2))
    assigning.assign([decided.pk, passed_on.pk], cast.sue, person_id=cast.ada.pk)
    decisions.decide(decided.pk, cast.ada, approve(decided))
    worklist.escalate(passed_on.pk, cast.ada, token=make.claim(passed_on, cast.ada), note="")
    assert assigned() == {}
    assert handed_to(cast.sue) == passed_on.pk


def test_the_page_gives_spreads_frees_and_goes_back(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    browser, path = cast.page(cast.sue), reverse("queue-assign")
    chosen = [str(document.pk), "no id"]
    back = "?tab=soon&order=doubt"
    answer = browser.post(path, {"document": chosen, "to": str(cast.ada.pk), "back": back})
    assert answer.headers["Location"] == f"{reverse('queue')}{back}"
    assert assigned() == {document.pk: "ada"}
    assert b"for ada" in browser.get(reverse("queue"), {"tab": "assigned"}).content
    browser.post(path, {"document": chosen, "to": "free"})
    assert assigned() == {}
    told = browser.post(path, {"document": chosen, "to": "0"}, follow=True).content
    assert b"does not review" in told
    cast.page(cast.ada).post(path, {"document": chosen, "to": str(cast.ada.pk)})
    assert assigned() == {}
    assert b"queue-assign" not in cast.page(cast.ada).get(reverse("queue")).content


# --- The lists ----------------------------------------------------------------------------------------------------


def test_what_is_nearly_late_is_listed_oldest_first(cast: make.Cast, engine: Engine, settings: Any) -> None:
    new, old, older = (
        make.document(cast.a, "needs_review", filename=name) for name in ("new.png", "old.png", "older.png")
    )
    for document, minutes in ((old, 50), (older, 70)):
        with scope.everything():
            Document.objects.filter(pk=document.pk).update(received_at=F("received_at") - timedelta(minutes=minutes))
    page = cast.page(cast.ada).get(reverse("queue"), {"tab": "soon"})
    assert [row["filename"] for row in page.context["rows"]] == ["older.png", "old.png"]
    assert next(tab["count"] for tab in page.context["tabs"] if tab["name"] == "soon") == "2"


def test_the_most_likely_wrong_comes_first_and_the_address_keeps_it(cast: make.Cast, engine: Engine) -> None:
    make.document(cast.a, "needs_review", pages=[DOUBTFUL], filename="first.png")
    make.document(cast.a, "needs_review", pages=[WORSE], filename="worse.png")
    browser = cast.page(cast.ada)
    usual, doubt = (
        browser.get(reverse("queue"), {"document_type": "receipt", "order": order}) for order in ("", "doubt")
    )
    assert [row["filename"] for row in usual.context["rows"]] == ["first.png", "worse.png"]
    assert [row["filename"] for row in doubt.context["rows"]] == ["worse.png", "first.png"]
    addresses = {tab["name"]: tab["url"] for tab in doubt.context["tabs"]}
    assert addresses["soon"] == "?document_type=receipt&order=doubt&tab=soon"


# --- Reasons for rejecting ----------------------------------------------------------------------------------------


def test_a_tenant_s_own_reasons_take_the_place_of_the_usual_ones(cast: make.Cast, engine: Engine) -> None:
    admin = make.user(cast.a, Role.TENANT_ADMIN)
    browser = cast.page(admin)
    body = {"tenant": str(cast.a.pk), "label": "Stamp is missing", "code": "no_stamp", "position": "1"}
    assert browser.post(reverse("admin:review_ownreason_add"), body).status_code == 302
    document = make.document(cast.a, "needs_review")
    data = cast.page(cast.ada).get(reverse("review", args=[document.pk])).context["data"]
    assert data["reject_reasons"] == [{"code": "no_stamp", "label": "Stamp is missing"}]
    with pytest.raises(decisions.NotAcceptable, match="no_stamp"):
        decisions.decide(document.pk, cast.ada, reject(document, "illegible"))
    assert decisions.decide(document.pk, cast.ada, reject(document, "no_stamp")).decision_reason == "no_stamp"
    others = make.document(cast.b, "needs_review")
    assert decisions.decide(others.pk, cast.ben, reject(others, "illegible")).status == "rejected"
    with scope.everything():
        reason = OwnReason.objects.get()
    browser.post(reverse("admin:review_ownreason_delete", args=[reason.pk]), {"post": "yes"})
    again = decisions.reopen(document.pk, cast.sue)
    assert decisions.decide(again.pk, cast.ada, reject(again, "illegible")).status == "rejected"
    with scope.everything():
        from audit.models import AuditEvent

        told = AuditEvent.objects.filter(kind="TENANT_CHANGED", codes__target="reject_reason").order_by("id")
        assert [(event.codes["change"], event.codes["code"]) for event in told] == [
            ("added", "no_stamp"),
            ("removed", "no_stamp"),
        ]


def test_the_admin_shows_what_people_did_without_their_words(cast: make.Cast, engine: Engine) -> None:
    from review import comments

    document = make.document(cast.a, "needs_review")
    comments.write(document.pk, cast.ada, field="total", text="Whose heron is that?")
    assigning.assign([document.pk], cast.sue, person_id=cast.ada.pk)
    browser = cast.page(cast.cleo)
    for name in ("aside", "escalation", "assignment", "check", "comment", "laneanswer"):
        listed = browser.get(reverse(f"admin:review_{name}_changelist"))
        assert (listed.status_code, b"heron" in listed.content) == (200, False)
        assert browser.get(reverse(f"admin:review_{name}_add")).status_code == 403
    with scope.everything():
        comment = document.comments.get()
    one = browser.get(reverse("admin:review_comment_change", args=[comment.pk]))
    assert (one.status_code, b"heron" in one.content, b"total" in one.content) == (200, False, True)
