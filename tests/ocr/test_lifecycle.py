"""A document becomes what the table says, with one audit row and one event, or nothing at all is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.db import Error, IntegrityError, connection, transaction

from audit.models import AuditEvent
from ocr import lifecycle
from ocr.lifecycle import MOVES, NotPossible, Overtaken
from ocr.models import Document, OutboxEvent, Status
from tenants import scope
from tests import make
from tests.engine import Engine

ACTORS = ("system", "user:ada", "key:dtat_1234567")
STATES = Path(__file__).resolve().parents[2] / "docs" / "states.md"
committing = pytest.mark.django_db(transaction=True)


def _written(document: Document) -> tuple[int, int, int]:
    row = Document.objects.get(pk=document.pk)
    audit = AuditEvent.objects.filter(document_id=str(document.pk)).count()
    return row.version, audit, OutboxEvent.objects.filter(document_id=document.pk).count()


def _move(document: Document, to: Status, *, actor: str = "system", **stale: Any) -> Document:
    expected = stale.pop("expected_version", document.version)
    return lifecycle.move(document, to, actor=actor, expected_version=expected, reason="test", **stale)


@pytest.mark.django_db
@pytest.mark.parametrize("was", list(Status))
def test_it_moves_as_the_table_says_or_not_at_all(cast: make.Cast, engine: Engine, was: Status) -> None:
    made = make.document(cast.a, was)
    with scope.scope([cast.a.pk]):
        for to in Status:
            for actor in ACTORS:
                point = transaction.savepoint()
                _check_one(Document.objects.get(pk=made.pk), to, actor)
                transaction.savepoint_rollback(point)


def _check_one(document: Document, to: Status, actor: str) -> None:
    was, before = Status(document.status), _written(document)
    if (was, to) not in MOVES:
        with pytest.raises(NotPossible, match=re.escape(lifecycle.in_words(was))):
            _move(document, to, actor=actor)
        assert _written(document) == before
        return
    moved = _move(document, to, actor=actor)
    assert moved.status == Document.objects.get(pk=document.pk).status == to
    assert _written(document) == tuple(number + 1 for number in before)
    row = AuditEvent.objects.get(document_id=str(document.pk), version=moved.version)
    event = OutboxEvent.objects.get(document_id=document.pk, version=moved.version)
    assert (row.kind, row.actor, row.codes["from"], row.codes["to"]) == (MOVES[was, to].kind, actor, was, to)
    assert (event.type, event.data["actor"]) == (MOVES[was, to].event, actor)


@pytest.mark.django_db
@pytest.mark.parametrize("stale", [{"expected_version": 1}, {"expected_version": 3}, {"fence": 0}, {"fence": 2}])
def test_a_stale_version_or_lease_writes_nothing(cast: make.Cast, engine: Engine, stale: dict[str, Any]) -> None:
    made = make.document(cast.a, "reading")
    with scope.scope([cast.a.pk]):
        before = _written(made)
        with pytest.raises(Overtaken, match="Load it again"):
            _move(made, Status.FAILED, **stale)
        assert _written(made) == before
        assert _move(made, Status.FAILED, fence=made.fence).status == Status.FAILED


@pytest.mark.django_db
def test_final_ones_are_finished_and_resting_ones_have_no_step(cast: make.Cast, engine: Engine) -> None:
    for status in Status:
        made = make.document(cast.a, status)
        assert (made.finished_at is not None) == (status in lifecycle.FINAL)
        assert bool(made.step) == (lifecycle.TURNS[status] == "worker")
        assert made.lease_until is None


def test_every_status_has_a_label_and_a_turn() -> None:
    assert {str(status.label) for status in Status} == {
        "Received", "Being read", "Needs review", "Approved", "Rejected", "Failed",
    }  # fmt: skip
    assert lifecycle.TURNS.keys() == set(Status)
    assert set(lifecycle.TURNS.values()) == {"worker", "reviewer", "supervisor", "nobody"}


def test_no_status_is_a_dead_end() -> None:
    assert {to for _was, to in MOVES} == {was for was, _to in MOVES} == set(Status)


def test_the_drawn_diagram_is_the_table() -> None:
    drawn = lifecycle.diagram()
    assert all(f"{was} --> {to}: {move.kind}" in drawn for (was, to), move in MOVES.items())
    assert drawn in STATES.read_text(encoding="utf-8")


# --- What the database itself refuses -----------------------------------------------------------------------------


@committing
@pytest.mark.parametrize(
    "change",
    [
        "status = 'failed', step = '', version = version + 1",  # no audit row
        "version = version + 1",
        "status = 'failed', step = ''",  # no version
        "version = version + 2",
        "version = version - 1",
        "status = 'lost', version = version + 1",
        "status = 'failed', version = version + 1",  # still has a step
        "tenant_id = '{other}'",
    ],
)
def test_a_change_around_the_lifecycle_is_refused(cast: make.Cast, change: str) -> None:
    made = make.document(cast.a)
    with pytest.raises(IntegrityError), scope.everything(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE ocr_document SET {change.format(other=cast.b.pk)} WHERE id = %s", [made.pk])
    after = make.reload(made)
    assert (after.status, after.version, after.tenant_id) == ("received", 1, cast.a.pk)


@committing
def test_a_document_without_an_audit_row_is_refused(cast: make.Cast) -> None:
    made = make.document(cast.a)
    made.pk = None
    made.id = cast.a.pk
    with pytest.raises(IntegrityError, match="without an audit row"), scope.scope([cast.a.pk]):
        made.save(force_insert=True)
    with scope.everything():
        assert Document.objects.count() == 1


@committing
def test_the_database_still_allows_what_is_no_change_of_status(cast: make.Cast) -> None:
    made = make.document(cast.a)
    with scope.scope([cast.a.pk]):
        Document.objects.filter(pk=made.pk).update(attempts=2)
    assert make.reload(made).attempts == 2


# --- Races --------------------------------------------------------------------------------------------------------


def _at_once(threads: int, act: Callable[[int], str]) -> list[str]:
    """What each of the threads, started together on connections of their own, says."""
    barrier = Barrier(threads)

    def one(number: int) -> str:
        try:
            barrier.wait(20)
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))


@committing
@pytest.mark.parametrize("trial", range(3))
def test_of_eight_movers_one_wins(cast: make.Cast, engine: Engine, trial: int) -> None:
    made = make.document(cast.a, "needs_review")

    def decide(number: int) -> str:
        try:
            with scope.scope([cast.a.pk]):
                mine = Document.objects.get(pk=made.pk)
                to = (Status.APPROVED, Status.REJECTED)[number % 2]
                _move(mine, to, actor=f"user:{number}", expected_version=made.version)
        except (Overtaken, NotPossible) as refusal:
            return type(refusal).__name__
        except Error as error:
            return repr(error)
        return "won"

    told = _at_once(8, decide)
    assert told.count("won") == 1
    assert set(told) <= {"won", "Overtaken", "NotPossible"}
    assert len([row for row in make.trail(made) if row.version == made.version + 1]) == 1
    assert len([event for event in make.events(made) if event.version == made.version + 1]) == 1
    assert make.reload(made).version == made.version + 1


@committing
def test_of_eight_who_saw_the_same_version_seven_are_overtaken(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "needs_review")
    seen = [make.reload(made) for _ in range(8)]

    def decide(number: int) -> str:
        try:
            with scope.scope([cast.a.pk]):
                _move(seen[number], Status.APPROVED, actor=f"user:{number}")
        except Overtaken:
            return "overtaken"
        return "won"

    assert sorted(_at_once(8, decide)) == ["overtaken"] * 7 + ["won"]
    assert len([row for row in make.trail(made) if row.version == made.version + 1]) == 1
