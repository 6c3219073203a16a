"""What cannot be decided now: set aside, passed on to the supervisors, taken over by one of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.urls import reverse

from ocr import lifecycle
from review import decisions, worklist
from review.models import Aside, Claim, Draft, TakeoverReason
from tenants import access, scope
from tests import make
from tests.engine import Engine
from tests.review import papers
from tests.review.papers import approve, events, holder

pytestmark = pytest.mark.django_db


def later() -> None:
    """The time of everything that was set aside is over."""
    with scope.everything():
        Aside.objects.update(until=F("until") - timedelta(days=1))


def handed_to(who: Any) -> Any:
    claim = worklist.claim_next(who)
    return claim.document_id if claim else None


def test_what_was_set_aside_comes_back_later_and_goes_to_others_meanwhile(cast: make.Cast, engine: Engine) -> None:
    first, second = (make.document(cast.a, "needs_review") for _ in range(2))
    claim = worklist.claim(first.pk, cast.ada)
    assert worklist.set_aside(first.pk, cast.ada, token=claim.token) is False
    assert (holder(first), handed_to(cast.ada), handed_to(cast.sue)) == ("", second.pk, first.pk)
    told = events(first, "RELEASED")[-1]
    assert (told.step, told.actor, told.codes) == ("aside", "user:ada", {"count": 1})
    with scope.everything():
        Claim.objects.all().delete()
    later()
    assert handed_to(cast.ada) == first.pk


def test_the_third_time_it_goes_to_the_supervisors(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    passed_on = []
    for _ in range(worklist.ASIDE_MOST):
        passed_on.append(worklist.set_aside(document.pk, cast.ada, token=worklist.claim(document.pk, cast.ada).token))
        later()
    assert passed_on == [False, False, True]
    assert (handed_to(cast.ada), handed_to(cast.sue)) == (None, document.pk)
    assert [event.codes for event in events(document, "ESCALATED")] == [{"count": 3}]


def test_what_was_passed_on_is_decided_by_a_supervisor_only(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    claim = worklist.claim(document.pk, cast.ada)
    worklist.escalate(document.pk, cast.ada, token=claim.token, note="Whose signature is that?")
    assert (handed_to(cast.ada), holder(document)) == (None, "")
    for refused in (
        lambda: worklist.claim(document.pk, cast.ada),
        lambda: decisions.decide(document.pk, cast.ada, approve(document)),
    ):
        with pytest.raises(worklist.Escalated):
            refused()
    assert decisions.decide(document.pk, cast.sue, approve(document)).status == "approved"
    [told] = events(document, "ESCALATED")
    assert "signature" not in str(told.codes)
    assert make.broken() == []


def test_a_document_that_is_open_again_is_everybodys(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    worklist.escalate(document.pk, cast.ada, token=worklist.claim(document.pk, cast.ada).token, note="")
    decisions.decide(document.pk, cast.sue, approve(document))
    decisions.reopen(document.pk, cast.sue)
    assert handed_to(cast.ada) == document.pk


@pytest.mark.parametrize("act", ["aside", "escalate"])
def test_only_who_holds_it_gives_it_away(cast: make.Cast, engine: Engine, act: str) -> None:
    document = make.document(cast.a, "needs_review")
    theirs = worklist.claim(document.pk, cast.ada)
    before = len(events(document))
    with pytest.raises(worklist.ClaimLost):
        if act == "aside":
            worklist.set_aside(document.pk, cast.sue, token=theirs.token)
        else:
            worklist.escalate(document.pk, cast.sue, token=theirs.token, note="")
    assert (holder(document), len(events(document))) == ("ada", before)


def test_a_supervisor_takes_a_document_over_for_a_reason(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    theirs = worklist.claim(document.pk, cast.ada)
    said = {"total": {"value": "13.00", "state": "corrected"}}
    decisions.save_draft(document.pk, cast.ada, token=theirs.token, version=document.version, revision=0, fields=said)
    mine = worklist.take_over(document.pk, cast.sue, reason=TakeoverReason.AWAY)
    assert holder(document) == "sue" and mine.token != theirs.token
    told = events(document, "CLAIMED")[-1]
    assert told.codes == {"previous_holder": cast.ada.pk, "reason": "away"}
    with pytest.raises(worklist.ClaimLost):
        worklist.heartbeat(document.pk, cast.ada, theirs.token)
    with scope.everything():
        assert Draft.objects.get(document=document, holder=cast.ada).fields == said


def test_who_does_not_supervise_or_gives_no_reason_takes_nothing_over(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    worklist.claim(document.pk, cast.sue)
    with pytest.raises(access.NotAllowed):
        worklist.take_over(document.pk, cast.ada, reason="away")
    with pytest.raises(ValueError, match="TakeoverReason"):
        worklist.take_over(document.pk, cast.sue, reason="because")
    with pytest.raises(lifecycle.NotPossible):
        worklist.take_over(make.document(cast.a, "approved").pk, cast.sue, reason="away")
    assert holder(document) == "sue"


def test_the_queue_lists_what_is_aside_and_what_was_passed_on(cast: make.Cast, engine: Engine) -> None:
    aside, passed_on, free = (
        make.document(cast.a, "needs_review", filename=name) for name in ("aside.png", "passed-on.png", "free.png")
    )
    worklist.set_aside(aside.pk, cast.ada, token=worklist.claim(aside.pk, cast.ada).token)
    worklist.escalate(passed_on.pk, cast.ada, token=worklist.claim(passed_on.pk, cast.ada).token, note="")
    listed = {
        (who.username, tab): {
            document.filename
            for document in (aside, passed_on, free)
            if document.filename in cast.page(who).get(reverse("queue"), {"tab": tab}).content.decode()
        }
        for who in (cast.ada, cast.sue)
        for tab in ("waiting", "aside", "escalated")
    }
    assert listed == {
        ("ada", "waiting"): {"free.png"},
        ("ada", "aside"): {"aside.png"},
        ("ada", "escalated"): {"passed-on.png"},
        ("sue", "waiting"): {"aside.png", "passed-on.png", "free.png"},
        ("sue", "aside"): set(),
        ("sue", "escalated"): {"passed-on.png"},
    }


def test_the_page_takes_over_and_refuses_without_a_reason(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    worklist.claim(document.pk, cast.ada)
    browser, path = cast.page(cast.sue), reverse("review-take-over", args=[document.pk])
    assert b"Take over because" in browser.get(reverse("review", args=[document.pk])).content
    browser.post(path, {})
    assert holder(document) == "ada"
    assert browser.post(path, {"reason": "urgent"}).headers["Location"] == reverse("review", args=[document.pk])
    assert holder(document) == "sue"


def test_the_page_sets_aside_and_goes_to_the_next(cast: make.Cast, engine: Engine) -> None:
    first, second = (make.document(cast.a, "needs_review") for _ in range(2))
    browser, claim = cast.page(cast.ada), worklist.claim(first.pk, cast.ada)
    answer = browser.post(
        reverse("review-aside", args=[first.pk]), {"token": str(claim.token)}, content_type="application/json"
    )
    assert answer.json() == {"next_url": reverse("review", args=[second.pk]), "message": "Set aside."}
    held = papers.holder(second)
    assert held == "ada"


def test_the_admin_shows_who_and_when_without_their_words(cast: make.Cast, engine: Engine) -> None:
    aside, passed_on = (make.document(cast.a, "needs_review") for _ in range(2))
    worklist.set_aside(aside.pk, cast.ada, token=worklist.claim(aside.pk, cast.ada).token)
    worklist.escalate(passed_on.pk, cast.ada, token=worklist.claim(passed_on.pk, cast.ada).token, note="Heron?")
    browser = cast.page(cast.cleo)
    for name, document in (("aside", aside), ("escalation", passed_on)):
        listed = browser.get(reverse(f"admin:review_{name}_changelist"))
        assert (listed.status_code, str(document.pk).encode() in listed.content) == (200, True)
        assert b"Heron" not in listed.content
        assert browser.get(reverse(f"admin:review_{name}_add")).status_code == 403
        assert cast.page(cast.ada).get(reverse(f"admin:review_{name}_changelist")).status_code == 302
