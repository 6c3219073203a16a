"""Who gets which document next, and what holding one means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from ocr import listing
from ocr.models import TURN_AFTER, Document, Priority
from review import decisions, worklist
from review.models import Claim
from tenants import access, scope
from tenants.models import Role
from tests import make
from tests.engine import Engine
from tests.review import papers

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def waiting(cast: make.Cast, *priorities: str) -> list[Document]:
    return [make.document(cast.a, "needs_review", priority=priority) for priority in priorities]


def listed(name: str, user: User, since: datetime = LONG_AGO) -> list[Document]:
    """The first page of one of the queue's lists."""
    found = worklist.List(name, user, since=since)
    return listing.walk(found.first, size=25, key=found.key, place="").rows


def next_for(who: object) -> Document:
    found = worklist.claim_next(who)  # type: ignore[arg-type]
    assert found
    return found.document


def test_the_most_urgent_comes_first_then_the_oldest(cast: make.Cast, engine: Engine) -> None:
    low, old, new, high = waiting(cast, "low", "normal", "normal", "high")
    handed_out = [next_for(make.user(cast.a, Role.REVIEWER)).pk for _ in range(4)]
    assert handed_out == [high.pk, old.pk, new.pk, low.pk]


def received_ago(document: Document, **ago: float) -> None:
    """The document came so long ago."""
    with scope.everything():
        at = document.received_at - timedelta(**ago)
        Document.objects.filter(pk=document.pk).update(
            received_at=at, turn_at=at + TURN_AFTER[Priority(document.priority)]
        )


@pytest.mark.parametrize(
    ("priority", "minutes", "than", "comes_first"),
    [
        ("low", 51, "normal", True),  # its hour has not passed, but a new one would wait ten minutes
        ("low", 49, "normal", False),
        ("low", 61, "high", True),
        ("low", 59, "high", False),
        ("normal", 11, "high", True),
        ("normal", 9, "high", False),
    ],
)
def test_who_has_waited_long_comes_before_the_more_urgent(
    cast: make.Cast, engine: Engine, priority: str, minutes: float, than: str, *, comes_first: bool
) -> None:
    old, new = waiting(cast, priority, than)
    received_ago(old, minutes=minutes)
    expected = [old.pk, new.pk] if comes_first else [new.pk, old.pk]
    with access.scope_of(cast.ada):
        assert [document.pk for document in worklist.waiting(cast.ada)] == expected
    rows = cast.page(cast.ada).get("/queue/").context["rows"]
    assert [row["id"] for row in rows] == [str(pk) for pk in expected]
    assert [next_for(who).pk for who in (cast.ada, cast.sue)] == expected


def test_one_order_over_several_tenants(cast: make.Cast, engine: Engine) -> None:
    both = make.user(cast.a, Role.REVIEWER)
    make.join(both, cast.b, Role.REVIEWER)
    documents = [make.document(tenant, "needs_review") for tenant in (cast.b, cast.a, cast.b)]
    received_ago(documents[2], minutes=5)
    order = [documents[2].pk, documents[0].pk, documents[1].pk]
    rows = cast.page(both).get("/queue/").context["rows"]
    assert [row["id"] for row in rows] == [str(pk) for pk in order]
    handed_out = []
    for _ in order:
        found = worklist.claim_next(both)
        assert found
        handed_out.append(found.document_id)
        worklist.release(found.document_id, found.token)
        make.claim(found.document, cast.sue if found.tenant_id == cast.a.pk else cast.ben)
    assert handed_out == order


def test_nothing_waits(cast: make.Cast, engine: Engine) -> None:
    make.document(cast.a, "approved")
    assert worklist.claim_next(cast.ada) is None


def test_a_person_goes_on_with_what_they_hold(cast: make.Cast, engine: Engine) -> None:
    low, _high = waiting(cast, "low", "high")
    token = make.claim(low, cast.ada)
    found = worklist.claim_next(cast.ada)
    assert found
    assert (found.document_id, found.token) == (low.pk, token)


def test_an_ended_claim_is_handed_out_again_but_not_before_more_urgent_ones(cast: make.Cast, engine: Engine) -> None:
    normal, high = waiting(cast, "normal", "high")
    make.claim(normal, cast.ada)
    papers.claim_ended(normal)
    assert next_for(cast.sue).pk == high.pk
    assert next_for(make.user(cast.a, Role.REVIEWER)).pk == normal.pk


def test_ones_own_ended_claim_has_no_precedence(cast: make.Cast, engine: Engine) -> None:
    normal, high = waiting(cast, "normal", "high")
    make.claim(normal, cast.ada)
    papers.claim_ended(normal)
    assert next_for(cast.ada).pk == high.pk


def test_the_document_just_left_is_not_handed_out_at_once(cast: make.Cast, engine: Engine) -> None:
    first, second = waiting(cast, "high", "normal")
    found = worklist.claim_next(cast.ada, without=first.pk)
    assert found
    assert found.document_id == second.pk


def test_what_somebody_holds_is_refused_with_their_name(cast: make.Cast, engine: Engine) -> None:
    (document,) = waiting(cast, "normal")
    make.claim(document, cast.ada)
    with pytest.raises(worklist.Held, match="ada is working on this document") as refusal:
        worklist.claim(document.pk, cast.sue)
    assert refusal.value.holder == "ada"
    assert worklist.claim_next(cast.sue) is None
    assert papers.holder(document) == "ada"


def test_opening_again_keeps_the_token(cast: make.Cast, engine: Engine) -> None:
    (document,) = waiting(cast, "normal")
    assert make.claim(document, cast.ada) == make.claim(document, cast.ada)
    assert len(papers.events(document, "CLAIMED")) == 1


def test_an_ended_claim_goes_to_the_next_person_with_a_new_token(cast: make.Cast, engine: Engine) -> None:
    (document,) = waiting(cast, "normal")
    token = make.claim(document, cast.ada)
    papers.claim_ended(document)
    assert make.claim(document, cast.sue) != token
    first, second = papers.events(document, "CLAIMED")
    assert (first.actor, second.actor) == ("user:ada", "user:sue")
    assert second.codes == {"previous_holder": cast.ada.pk}


@pytest.mark.parametrize("who", ["ben", "nobody"])
def test_a_stranger_gets_nothing(cast: make.Cast, engine: Engine, who: str) -> None:
    (document,) = waiting(cast, "normal")
    stranger = cast.ben if who == "ben" else make.user(None)
    assert worklist.claim_next(stranger) is None
    with pytest.raises(Document.DoesNotExist):
        worklist.claim(document.pk, stranger)
    with scope.scope([cast.a.pk]):
        assert list(worklist.waiting(stranger)) == []


def test_an_auditor_sees_but_does_not_review(cast: make.Cast, engine: Engine) -> None:
    (document,) = waiting(cast, "normal")
    assert worklist.claim_next(cast.cleo) is None
    with pytest.raises(access.NotAllowed, match="reviewer role"):
        worklist.claim(document.pk, cast.cleo)


def test_a_platform_admin_reviews_every_tenant(cast: make.Cast, engine: Engine) -> None:
    first = make.document(cast.b, "needs_review")
    second = make.document(cast.a, "needs_review")
    admin = make.user(None, superuser=True)
    assert next_for(admin).pk == first.pk
    worklist.release(first.pk, make.claim(first, admin))
    make.claim(first, cast.ben)
    assert next_for(admin).pk == second.pk


# --- Heartbeat and release ----------------------------------------------------------------------------------------


def test_a_heartbeat_keeps_the_claim(cast: make.Cast, engine: Engine) -> None:
    (document,) = waiting(cast, "normal")
    token = make.claim(document, cast.ada)
    with scope.everything():
        Claim.objects.update(expires_at="2999-01-01T00:00:00Z")
    until, _ahead = worklist.heartbeat(document.pk, cast.ada, token)
    with scope.everything():
        claim = Claim.objects.get(document=document)
    assert claim.expires_at == until
    # claimed_at and the new end are both on the database's clock
    held_for = until - claim.claimed_at - timedelta(seconds=settings.CLAIM_SECONDS)
    assert timedelta(0) <= held_for < timedelta(seconds=settings.CLAIM_SECONDS)


def test_a_heartbeat_of_another_claim_is_refused(cast: make.Cast, engine: Engine) -> None:
    (document,) = waiting(cast, "normal")
    token = make.claim(document, cast.ada)
    for who, wrong in ((cast.ada, uuid4()), (cast.sue, token)):
        with pytest.raises(worklist.ClaimLost, match="What you typed is kept"):
            worklist.heartbeat(document.pk, who, wrong)
    assert worklist.heartbeat(document.pk, cast.ada, token)


def test_a_heartbeat_does_not_raise_the_dead(cast: make.Cast, engine: Engine) -> None:
    (document,) = waiting(cast, "normal")
    token = make.claim(document, cast.ada)
    papers.claim_ended(document)
    with pytest.raises(worklist.ClaimLost):
        worklist.heartbeat(document.pk, cast.ada, token)
    assert papers.holder(document) == ""


def test_release_by_token(cast: make.Cast, engine: Engine) -> None:
    (document,) = waiting(cast, "normal")
    token = make.claim(document, cast.ada)
    assert worklist.release(document.pk, uuid4()) is False
    assert papers.holder(document) == "ada"
    assert worklist.release(document.pk, token) is True
    assert papers.holder(document) == ""
    assert [event.actor for event in papers.events(document, "RELEASED")] == ["user:ada"]
    assert worklist.release(document.pk, token) is False
    assert next_for(cast.sue).pk == document.pk


def test_a_late_release_does_not_end_the_next_persons_claim(cast: make.Cast, engine: Engine) -> None:
    (document,) = waiting(cast, "normal")
    token = make.claim(document, cast.ada)
    papers.claim_ended(document)
    make.claim(document, cast.sue)
    assert worklist.release(document.pk, token) is False
    assert papers.holder(document) == "sue"


def test_a_token_opens_its_own_document_only(cast: make.Cast, engine: Engine) -> None:
    first, second = waiting(cast, "normal", "normal")
    token = make.claim(first, cast.ada)
    make.claim(second, cast.sue)
    assert worklist.release(second.pk, token) is False
    assert papers.holder(second) == "sue"


# --- Claim of two -------------------------------------------------------------------------------------------------


def test_the_next_one_is_reserved_with_the_first(cast: make.Cast, engine: Engine) -> None:
    high, normal, low = waiting(cast, "high", "normal", "low")
    adas, sues = worklist.hand_out(cast.ada), worklist.hand_out(cast.sue)
    assert adas.current and adas.reserved and sues.current
    assert (adas.current.document_id, adas.reserved.document_id) == (high.pk, normal.pk)
    assert (sues.current.document_id, sues.reserved) == (low.pk, None)
    assert worklist.hand_out(make.user(cast.a, Role.REVIEWER)) == worklist.Handed(None, None)
    assert papers.holder(normal) == "ada"
    assert [len(papers.events(document, "CLAIMED")) for document in (high, normal, low)] == [1, 0, 1]


def test_what_is_reserved_comes_next_also_before_more_urgent_ones(cast: make.Cast, engine: Engine) -> None:
    first, second = waiting(cast, "normal", "low")
    before = worklist.hand_out(cast.ada)
    (high,) = waiting(cast, "high")
    assert before.current and before.reserved
    decisions.decide(first.pk, cast.ada, papers.approve(first, claim_token=before.current.token))
    after = worklist.hand_out(cast.ada, opened=second.pk)
    assert after.current and after.reserved
    assert (after.current.document_id, after.current.token) == (second.pk, before.reserved.token)
    assert after.reserved.document_id == high.pk
    assert [event.actor for event in papers.events(second, "CLAIMED")] == ["user:ada"]
    again = worklist.hand_out(cast.ada, opened=second.pk)
    assert again.reserved and again.reserved.token == after.reserved.token
    assert len(papers.events(second, "CLAIMED")) == 1


def test_a_reserved_document_is_opened_by_asking_for_the_next(cast: make.Cast, engine: Engine) -> None:
    first, second = waiting(cast, "high", "normal")
    worklist.hand_out(cast.ada)
    papers.claim_ended(first)
    worklist.claim(first.pk, cast.sue)
    handed = worklist.hand_out(cast.ada)
    assert handed.current and not handed.reserved
    assert handed.current.document_id == second.pk


def test_what_is_open_in_one_window_is_not_reserved_in_another(cast: make.Cast, engine: Engine) -> None:
    first, second, third = waiting(cast, "high", "normal", "low")
    make.claim(first, cast.ada)
    make.claim(second, cast.ada)
    handed = worklist.hand_out(cast.ada, opened=second.pk)
    assert handed.reserved and handed.reserved.document_id == third.pk


@pytest.mark.parametrize("by", ["nobody", "sue"])
def test_who_lost_it_gets_nothing_for_it(cast: make.Cast, engine: Engine, by: str) -> None:
    first, second = waiting(cast, "high", "normal")
    make.claim(first, cast.ada)
    papers.claim_ended(first)
    if by == "sue":
        make.claim(first, cast.sue)
    assert worklist.hand_out(cast.ada, opened=first.pk) == worklist.Handed(None, None)
    assert papers.holder(second) == ""


def test_one_heartbeat_keeps_both(cast: make.Cast, engine: Engine) -> None:
    _first, second = waiting(cast, "high", "normal")
    handed = worklist.hand_out(cast.ada)
    assert handed.current and handed.reserved
    ahead = [handed.reserved.token, uuid4()]
    until, kept = worklist.heartbeat(handed.current.document_id, cast.ada, handed.current.token, ahead=ahead)
    assert kept == ahead[:1]
    with scope.everything():
        assert Claim.objects.get(document=second).expires_at >= until - timedelta(seconds=1)
    papers.claim_ended(second)
    assert worklist.heartbeat(handed.current.document_id, cast.ada, handed.current.token, ahead=ahead)[1] == []


def test_what_was_reserved_only_goes_back_without_a_word(cast: make.Cast, engine: Engine) -> None:
    _first, second = waiting(cast, "high", "normal")
    reserved = worklist.hand_out(cast.ada).reserved
    assert reserved and worklist.release(second.pk, reserved.token)
    assert (papers.holder(second), papers.events(second, "CLAIMED", "RELEASED")) == ("", [])


def test_a_page_that_was_left_does_not_give_back_what_was_opened_again(cast: make.Cast, engine: Engine) -> None:
    (document,) = waiting(cast, "normal")
    left = worklist.claim(document.pk, cast.ada)
    again = worklist.claim(document.pk, cast.ada)
    assert left.token == again.token
    assert worklist.release(document.pk, left.token, claimed_at=left.claimed_at) is False
    assert papers.holder(document) == "ada"
    assert worklist.release(document.pk, again.token, claimed_at=again.claimed_at) is True


def test_the_queue_lists_what_is_open_as_held(cast: make.Cast, engine: Engine) -> None:
    first, _second = waiting(cast, "high", "normal")
    worklist.hand_out(cast.ada)
    with access.scope_of(cast.ada):
        assert listed("mine", cast.ada) == [first]


# --- Lists --------------------------------------------------------------------------------------------------------


def test_lists(cast: make.Cast, engine: Engine) -> None:
    low, high = waiting(cast, "low", "high")
    make.claim(low, cast.ada)
    decided = decisions.decide(high.pk, cast.sue, papers.approve(high))
    with access.scope_of(cast.ada):
        assert list(worklist.waiting(cast.ada)) == [low]
        assert listed("mine", cast.ada) == [low]
        assert listed("mine", cast.sue) == []
    for user, done in ((cast.sue, [high]), (cast.ada, [])):
        with access.scope_of(user):
            assert listed("done", user, since=decided.received_at) == done
