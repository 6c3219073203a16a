"""The figures against a plain count in Python, on documents with random lives, whatever was folded when. Prints its seed."""

from __future__ import annotations

import math
import random
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from ocr import lifecycle, metrics, tallies
from ocr.models import Document, PlatformTally, Priority, Status, Tally, Uncounted
from tenants import access, scope
from tenants.models import Role
from tests import make

pytestmark = pytest.mark.django_db

REASONS = ("missing", "low_confidence", "invalid")
LIFE = {
    Status.RECEIVED: [Status.READING, Status.FAILED],
    Status.READING: [Status.NEEDS_REVIEW, Status.APPROVED, Status.FAILED],
    Status.NEEDS_REVIEW: [Status.APPROVED, Status.REJECTED],
    Status.APPROVED: [Status.NEEDS_REVIEW],
    Status.REJECTED: [Status.NEEDS_REVIEW],
    Status.FAILED: [Status.RECEIVED],
}


def born(cast: make.Cast, chance: random.Random, at: datetime, priority: Priority) -> Document:
    document = Document(
        tenant=chance.choice([cast.a, cast.b]),
        priority=priority,
        source="api",
        received_by="user:ada",
        content_type="image/png",
        size_bytes=1,
        sha256="0" * 64,
        page_count=1,
        received_at=at,
        turn_at=at,
        status_at=at,
        step="start",
        due_at=at,
    )
    with scope.everything():
        lifecycle.begin(document, actor="user:ada", codes={})
    return document


def moves(document: Document, to: Status, at: datetime, chance: random.Random) -> None:
    """The move as the product makes it, at a time of our own."""
    changes: dict[str, Any] = {"status_at": at}
    if document.status == Status.READING and to != Status.FAILED:
        codes = chance.sample(REASONS, chance.randint(1, 3)) if to == Status.NEEDS_REVIEW else []
        changes |= {"straight_through": not codes, "review_reasons": codes, "read_at": at}
    if to in {Status.RECEIVED, Status.READING}:
        changes["step"] = "start"
    if to in lifecycle.FINAL:
        changes["finished_at"] = at
    with scope.everything():
        lifecycle.move(document, to, actor="system", expected_version=document.version, reason="start", changes=changes)


def lives(cast: make.Cast, chance: random.Random, now: datetime) -> list[tuple[Document, datetime, int]]:
    """Documents with random lives in the last forty days; when each came to wait (+1) or ceased to (-1)."""
    events = []
    for _ in range(70):
        at = now - timedelta(seconds=chance.choice([3600, 86400, 40 * 86400]) * chance.random())
        document = born(cast, chance, at, chance.choice(list(Priority)))
        for _move in range(chance.randint(0, 6)):
            at = min(now, at + timedelta(seconds=chance.lognormvariate(3, 2)))
            was = document.status
            moves(document, chance.choice(LIFE[Status(was)]), at, chance)
            change = (document.status == Status.NEEDS_REVIEW) - (was == Status.NEEDS_REVIEW)
            events.append((document, at, change))
        if chance.random() < 0.1:
            tallies.fold()
    return events


def close(told: float | None, true: float | None) -> bool:
    if told is None or true is None:
        return told is true
    return math.isclose(told, true, rel_tol=tallies.RESOLUTION + 1e-9, abs_tol=0.001)


def p95(seconds: list[float]) -> float | None:
    return sorted(seconds)[math.ceil(len(seconds) * 0.95) - 1] if seconds else None


def took(documents: list[Document]) -> list[float]:
    return [(each.read_at - each.received_at).total_seconds() for each in documents if each.read_at]


def check_figures(who: User, documents: list[Document], events: list[Any], period: str) -> None:
    with access.scope_of(who):
        found = metrics.figures(who, period=period)
    width = timedelta(minutes=metrics.PERIODS[period])
    arrived = [each for each in documents if each.received_at >= found.since]
    waiting = [each for each in documents if each.status == Status.NEEDS_REVIEW]
    reviewed = [each for each in arrived if each.straight_through is False]
    assert found.buckets[-1].at <= found.until < found.buckets[-1].at + width
    assert found.received == len(arrived)
    assert found.finished == sum(each.finished_at is not None for each in arrived)
    assert found.failed == sum(each.status == Status.FAILED for each in arrived)
    assert found.straight_through == sum(each.straight_through is True for each in arrived)
    assert found.reviewed == len(reviewed)
    assert dict(found.reasons) == {
        code: n for code in REASONS if (n := sum(code in each.review_reasons for each in reviewed))
    }
    assert found.waiting == len(waiting)
    oldest = min((each.received_at for each in waiting), default=None)
    assert found.oldest_seconds == ((found.until - oldest).total_seconds() if oldest else None)
    times = took(arrived)
    assert found.results.count == len(times)
    assert found.results.average == (pytest.approx(sum(times) / len(times)) if times else None)
    assert close(found.results.percentile(95), p95(times))
    for bucket in found.buckets:
        mine = [each for each in arrived if bucket.at <= each.received_at < bucket.at + width]
        assert bucket.straight == sum(each.straight_through is True for each in mine)
        assert bucket.reviewed == sum(each.straight_through is False for each in mine)
        assert close(bucket.results.percentile(95), p95(took(mine)))
        ids = {each.pk for each in documents}
        assert bucket.waiting == sum(
            change for document, at, change in events if document.pk in ids and at < bucket.at + width
        )


def check_queue(who: User, documents: list[Document]) -> None:
    with access.scope_of(who):
        now = lifecycle.database_now()
        found = metrics.queue(who)
    work = [each for each in documents if each.step]
    assert (found.queued, found.processing) == (
        sum(each.status == Status.RECEIVED for each in documents),
        sum(each.status == Status.READING for each in documents),
    )
    assert found.by_priority == {
        priority.name.lower(): sum(each.priority == priority for each in work) for priority in Priority
    }
    if work:
        assert found.oldest_seconds == pytest.approx(
            (now - min(each.received_at for each in work)).total_seconds(), abs=5
        )
    begin = tallies.span_of(now - metrics.RECENT, 1)
    recent = took([each for each in documents if each.read_at and each.read_at >= begin])
    assert close(found.p95_seconds, p95(recent))
    assert (found.average_seconds is None) is (not recent)


def plain(who: User) -> list[Document]:
    with access.scope_of(who):
        return list(Document.objects.visible_to(who))


def test_every_figure_is_what_counting_gives(cast: make.Cast) -> None:
    seed = random.randrange(10**6)
    sys.stdout.write(f"\nseed {seed}\n")
    chance = random.Random(seed)
    both = make.user(cast.a, Role.SUPERVISOR)
    make.join(both, cast.b, Role.AUDITOR)
    people = [cast.ada, cast.ben, both, make.user(None, superuser=True), make.user(None)]
    events = lives(cast, chance, lifecycle.database_now())
    for who in people:
        for period in metrics.PERIODS:
            check_figures(who, plain(who), events, period)
        check_queue(who, plain(who))
    assert tallies.differences() == []


def test_folding_changes_no_answer(cast: make.Cast) -> None:
    lives(cast, random.Random(4), lifecycle.database_now())

    def told() -> Any:
        with access.scope_of(cast.ada):
            return tallies.now(cast.ada), metrics.figures(cast.ada, period="30d").buckets

    before = told()
    assert tallies.fold() > 0
    with scope.everything():
        assert not Uncounted.objects.exists()
    assert told() == before
    assert tallies.fold() == 0


def test_counting_anew_gives_the_same(cast: make.Cast) -> None:
    lives(cast, random.Random(5), lifecycle.database_now())
    tallies.rebuild()
    assert tallies.differences() == []
    with scope.everything():
        assert not Uncounted.objects.exists()
        Tally.objects.filter(name="received", span=30).update(n=7)
    assert any("received of 30 minutes" in each for each in tallies.differences())
    tallies.rebuild()
    assert tallies.differences() == []
    with scope.everything():
        assert PlatformTally.objects.filter(name="received", span=30).update(n=7)
    assert all(each.startswith("all tenants: received of 30 minutes") for each in tallies.differences())
    assert tallies.differences()
    tallies.rebuild()
    assert tallies.differences() == []


def test_sums_of_all_tenants_are_shown_to_whoever_sees_all(cast: make.Cast) -> None:
    lives(cast, random.Random(6), lifecycle.database_now())
    tallies.fold()
    with scope.everything():
        assert PlatformTally.objects.exists()
    with scope.scope([cast.a.pk, cast.b.pk]):
        assert not PlatformTally.objects.exists()


def test_old_spans_go_and_what_is_so_now_stays(cast: make.Cast) -> None:
    now = lifecycle.database_now()
    born(cast, random.Random(1), now, Priority.LOW)
    tallies.fold()
    with scope.everything():
        for sums in (Tally, PlatformTally):
            assert sums.objects.filter(span__gt=0).update(at=now - timedelta(days=90)) == len(tallies.SPANS)
    assert tallies.drop_old() == 2 * len(tallies.SPANS)
    with scope.everything():
        for sums in (Tally, PlatformTally):
            assert [(row.name, row.n) for row in sums.objects.all()] == [("now.received", 1)]


def test_spans_that_are_over_are_not_counted_into_again(cast: make.Cast) -> None:
    old = born(cast, random.Random(1), lifecycle.database_now() - timedelta(days=90), Priority.LOW)
    tallies.fold()
    with scope.everything():
        assert [(row.name, row.n) for row in Tally.objects.all()] == [("now.received", 1)]
    moves(old, Status.FAILED, lifecycle.database_now(), random.Random(1))
    tallies.fold()
    assert tallies.drop_old() == 0
    with access.scope_of(make.user(None, superuser=True)):
        assert tallies.now(make.user(None, superuser=True)) == {("failed", Priority.LOW): 1}
    assert tallies.differences() == []


def test_what_only_workers_change_is_not_counted(cast: make.Cast) -> None:
    document = make.receive(cast.a).document
    tallies.fold()
    with scope.everything():
        Document.objects.filter(pk=document.pk).update(fence=3, attempts=2, error_code="throttled")
        assert not Uncounted.objects.exists()
        Document.objects.filter(pk=document.pk).update(read_at=document.received_at)
        assert sorted(Uncounted.objects.values_list("sign", flat=True)) == [-1, 1]


def test_a_stranger_is_told_nothing(cast: make.Cast) -> None:
    make.receive(cast.a)
    for who in (cast.ben, make.user(None)):
        with access.scope_of(who):
            assert sum(tallies.now(who).values()) == 0
            assert metrics.queue(who) == metrics.Queue(0, 0, None, None, None, 0.0, {"high": 0, "normal": 0, "low": 0})
