"""Who gets to be read next: the urgent, then the older, fair between tenants, never twice, and never what is not due."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django_q.models import OrmQ

from ocr import leases, pipeline
from ocr.models import Document, Source
from tenants import scope
from tests import make
from tests.engine import Engine

pytestmark = pytest.mark.django_db


def _claimed(lane: str = "low", limit: int = 100) -> list[Document]:
    return [work.document for work in pipeline.claim(lane, limit=limit).works]


def _waited(of: Document, minutes: int) -> None:
    """As if the document had arrived so many minutes earlier."""
    with connection.cursor() as cursor, scope.everything():
        cursor.execute(
            "UPDATE ocr_document SET received_at = received_at - %s * interval '1 minute', "
            "turn_at = turn_at - %s * interval '1 minute' WHERE id = %s",
            [minutes, minutes, of.pk],
        )


def _ids(documents: list[Document]) -> list[Any]:
    return [each.pk for each in documents]


def test_the_urgent_first_and_then_the_older(cast: make.Cast) -> None:
    low, normal, older, high = (make.document(cast.a, priority=name) for name in ("low", "normal", "normal", "high"))
    _waited(older, 5)
    assert _ids(_claimed()) == _ids([high, older, normal, low])


@pytest.mark.parametrize(
    ("lane", "wanted"), [("high", ["high"]), ("normal", ["high", "normal"]), ("low", ["high", "normal", "low"])]
)
def test_each_lane_takes_its_own_priority_and_those_above(cast: make.Cast, lane: str, wanted: list[str]) -> None:
    made = {name: make.document(cast.a, priority=name) for name in ("low", "normal", "high")}
    assert _ids(_claimed(lane)) == [made[name].pk for name in wanted]


@pytest.mark.parametrize("lane", ["high", "normal", "low"])
def test_whoever_waited_long_enough_is_urgent_everywhere(cast: make.Cast, lane: str) -> None:
    low, normal, high = (make.document(cast.a, priority=name) for name in ("low", "normal", "high"))
    _waited(low, 70)
    _waited(normal, 11)
    assert _ids(_claimed(lane)) == _ids([low, normal, high])


def test_a_flood_of_one_tenant_does_not_hold_up_the_other(cast: make.Cast) -> None:
    flood = [make.document(cast.a) for _ in range(8)]
    late = make.document(cast.b)
    first = _claimed(limit=4)
    assert late.pk in _ids(first) and len(first) == 4
    # Those four are under way now: the tenant that has one of them is served before the one that has three.
    again = make.document(cast.b)
    assert again.pk in _ids(_claimed(limit=2))
    assert len(_claimed()) == len(flood) + 2 - 6


def test_nobody_gets_what_another_holds(cast: make.Cast) -> None:
    made = [make.document(cast.a) for _ in range(3)]
    assert len(_claimed()) == len(made)
    assert _claimed() == []


@pytest.mark.django_db(transaction=True)
def test_four_readers_at_once_share_the_work(cast: make.Cast) -> None:
    made = [make.document(cast.a) for _ in range(24)]
    barrier = Barrier(4)

    def claim(_number: int) -> list[Any]:
        barrier.wait(20)
        found: list[Any] = []
        while more := _claimed("normal", limit=5):
            found += _ids(more)
        connection.close()
        return found

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(claim, range(4)))
    everything = [each for share in shares for each in share]
    assert sorted(everything) == sorted(_ids(made)) and len(set(everything)) == len(everything)


def test_what_waits_is_held_or_rests_is_left_alone(cast: make.Cast, engine: Engine) -> None:
    waits = make.document(cast.a, "reading")
    for status in ("needs_review", "approved", "rejected", "failed"):
        make.document(cast.a, status)
    held = make.document(cast.a)
    with scope.everything():
        Document.objects.filter(pk=held.pk).update(lease_until="2100-01-01T00:00:00Z")
        Document.objects.filter(pk=waits.pk).update(due_at="2100-01-01T00:00:00Z")
    assert _claimed() == []
    make.due(waits)
    make.lease_expired(held)
    assert sorted(_ids(_claimed())) == sorted(_ids([waits, held]))


def test_nothing_is_queued_for_a_document_but_a_notice(cast: make.Cast, engine: Engine) -> None:
    make.document(cast.a, "approved", filename="canary.png", external_id="canary")
    assert not OrmQ.objects.exists()


def test_somebody_waits_for_what_came_by_rest_or_page_with_priority(cast: make.Cast, settings: Any) -> None:
    settings.SYNCHRONOUS = True
    made = {
        (source, priority): make.document(cast.a, source=source, priority=priority).operation
        for source in (Source.PAGE, Source.API, Source.BATCH, Source.S3)
        for priority in ("high", "low")
    }
    at_once = {which for which, operation in made.items() if operation == "AnalyzeDocument"}
    assert at_once == {(Source.PAGE, "high"), (Source.API, "high")}
    assert set(made.values()) == {"AnalyzeDocument", "StartDocumentAnalysis"}
    assert make.document(cast.a, content=make.pdf(2)).operation == "StartDocumentAnalysis"


def test_the_same_file_again_needs_no_quota(cast: make.Cast, engine: Engine) -> None:
    content = make.image()
    make.document(cast.a, "approved", content=content)
    again = make.receive(cast.a, content).document
    assert again.operation == ""
    assert make.run(again).status == "approved"
    assert len(engine.bill) == 1


def test_a_long_line_behind_a_full_bucket_does_not_hide_other_work(cast: make.Cast, engine: Engine) -> None:
    looks = make.document(cast.a, "reading")
    for _ in range(5):
        make.document(cast.a)
    make.due(looks)
    blocked = [each for each in pipeline.READ_BY_READERS if each != "StartDocumentAnalysis"]
    with scope.everything():
        found = leases.due("low", operations=blocked, limit=2)
    assert _ids(found) == [looks.pk]


def test_a_document_that_is_put_off_keeps_its_place(cast: make.Cast) -> None:
    first, second = make.document(cast.a), make.document(cast.a)
    [work] = pipeline.claim("low", limit=1).works
    assert work.document.pk == first.pk
    with scope.everything():
        leases.put_off(work.lease, "throttled", seconds=3600)
    assert _ids(_claimed(limit=1)) == [second.pk]
    make.lease_expired(second)
    make.due(first)
    assert _ids(_claimed(limit=1)) == [first.pk]
