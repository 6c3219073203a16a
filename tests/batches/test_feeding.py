"""Each row becomes one document, or a failed row with a reason; whoever dies in between, and however often it is fed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from ocr import artifacts, batches, idempotency, intake, lifecycle, queue, sandbox, sources
from ocr.models import Artifact, BatchItem, Status
from tenants import scope
from tests import make
from tests.batches import manifest as m

pytestmark = pytest.mark.django_db


def test_every_row_becomes_a_document_with_what_was_said_about_it(cast: make.Cast, folder: Path) -> None:
    told = m.rows(folder, 3)
    told[1] |= {"external_id": "x-2", "priority": "high", "metadata": {"desk": 4}}
    batch = m.submit(cast.a, told)
    m.feed(batch)
    assert m.states(batch) == ["submitted"] * 3
    first, second, third = m.documents(batch)
    assert [d.filename for d in (first, second, third)] == ["1.png", "2.png", "3.png"]
    assert (second.external_id, second.priority, second.metadata) == ("x-2", 0, {"desk": 4})
    assert (first.priority, first.received_by, first.source) == (2, "user:ada", "batch")
    assert first.document_type and first.document_type.name == "receipt"
    assert make.stored(first, Artifact.Kind.ORIGINAL) == [(folder / "1.png").read_bytes()]
    assert m.run(batch).status == "completed"
    assert m.states(batch) == ["done"] * 3


def test_a_batch_that_ended_says_so_once(cast: make.Cast, folder: Path) -> None:
    batch = m.run(m.submit(cast.a, m.rows(folder, 2, missing=[2]), tolerated_failure_percentage=50))
    m.feed(batch)
    (event,) = m.events(batch)
    counts = {"total": 2, "pending": 0, "feeding": 0, "submitted": 0, "done": 1, "failed": 1, "cancelled": 0}
    assert (event.type, event.data) == ("batch.completed", {"status": "completed", "counts": counts})
    assert m.told(batch) == ["accepted", "ended"]


def test_an_earlier_document_is_read_again(cast: make.Cast, folder: Path) -> None:
    earlier = make.receive(cast.a, make.image("earlier"), document_type="").document
    batch = m.submit(cast.a, [{"document_id": str(earlier.pk), "document_type": "invoice"}])
    m.feed(batch)
    (made,) = m.documents(batch)
    assert (made.duplicate_of, made.sha256) == (earlier.pk, earlier.sha256)
    assert made.document_type and made.document_type.name == "invoice"


@pytest.mark.parametrize(
    ("spoil", "code", "word"),
    [
        (lambda path: path.unlink(), "object_missing", "no such file"),
        (lambda path: (path.unlink(), path.mkdir()), "object_missing", "no such file"),
        (lambda path: path.write_bytes(b"not a picture"), "unsupported_type", ""),
    ],
    ids=["missing", "a folder", "no document"],
)
def test_a_file_that_cannot_be_taken_fails_its_row_alone(
    cast: make.Cast, folder: Path, spoil: Callable[[Path], Any], code: str, word: str
) -> None:
    batch = m.submit(cast.a, m.rows(folder, 3), tolerated_failure_percentage=50)
    spoil(folder / "2.png")
    m.feed(batch)
    assert m.states(batch) == ["submitted", "failed", "submitted"]
    failed = m.items(batch)[1]
    assert failed.error.endswith(".") and word in failed.error
    if word:
        assert failed.error_code == code


def test_a_document_that_fails_fails_its_row(cast: make.Cast, folder: Path) -> None:
    batch = m.submit(cast.a, m.rows(folder, 1), tolerated_failure_percentage=100)
    m.feed(batch)
    m.rest(m.documents(batch)[0], Status.FAILED, code="unsupported_document")
    assert m.run(batch).status == "completed"
    (item,) = m.items(batch)
    assert (item.state, item.error_code) == ("failed", "unsupported_document")
    assert "Textract does not take this kind of document" in item.error


# --- How much at once ---------------------------------------------------------------------------------------------


def test_no_more_documents_are_in_flight_than_allowed(cast: make.Cast, folder: Path) -> None:
    batch = m.submit(cast.a, m.rows(folder, 5), max_concurrency=2)
    m.feed(batch)
    m.feed(batch)
    assert m.states(batch) == ["submitted"] * 2 + ["pending"] * 3
    assert batches.due() == []
    m.rest(m.documents(batch)[0])
    assert [found[1] for found in batches.due()] == [batch.pk]
    m.feed(batch)
    assert m.states(batch) == ["done"] + ["submitted"] * 2 + ["pending"] * 2
    assert m.run(batch).status == "completed"


def test_a_document_that_waits_for_a_person_makes_room(cast: make.Cast, folder: Path) -> None:
    batch = m.submit(cast.a, m.rows(folder, 2), max_concurrency=1)
    m.feed(batch)
    (document,) = m.documents(batch)
    m.rest(document, Status.NEEDS_REVIEW)
    m.feed(batch)
    assert m.states(batch) == ["done", "submitted"]


def test_a_feeder_ends_in_time_and_puts_back_what_it_did_not_begin(
    cast: make.Cast, folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first row takes longer than a feeder has; the second file is on its way then."""
    clock, on_its_way, go_on = [0.0], threading.Event(), threading.Event()
    monkeypatch.setattr("ocr.batches.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(batches, "FETCHERS", 1)

    def fetch(place: sources.Place, into: Path) -> None:
        if place.key == "2.png":
            on_its_way.set()
            assert go_on.wait(20)
        into.write_bytes((folder / place.key).read_bytes())

    receive = intake.receive

    def slow(*args: Any, **named: Any) -> intake.Receipt:
        if not clock[0]:
            assert on_its_way.wait(20)
            clock[0] = batches.FEED_SECONDS + 1
            go_on.set()
        return receive(*args, **named)

    monkeypatch.setattr(sources, "fetch", fetch)
    monkeypatch.setattr(intake, "receive", slow)
    batch = m.submit(cast.a, m.rows(folder, 4))
    m.feed(batch)
    assert [(item.state, item.attempts) for item in m.items(batch)] == [("submitted", 1)] + [("pending", 0)] * 3
    assert list(Path(settings.FILE_UPLOAD_TEMP_DIR).glob("batch-*")) == []
    bell = ("ocr.tasks.feed", (str(cast.a.pk), str(batch.pk)))
    assert make.doorbells().count(bell) == 2, "accepted, and: there is more to do"
    assert m.run(batch).status == "completed"


# --- Twice, late, and killed --------------------------------------------------------------------------------------


def test_a_feeder_at_work_is_not_joined_by_a_second(
    cast: make.Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = m.submit(cast.a, m.rows(folder, 1))
    fetch, seen = sources.fetch, []

    def meanwhile(place: sources.Place, into: Path) -> None:
        fetch(place, into)

    receive = intake.receive

    def twice(*args: Any, **named: Any) -> intake.Receipt:
        m.feed(batch)  # the second comes while the first is in the middle
        seen.append(m.states(batch))
        return receive(*args, **named)

    monkeypatch.setattr(sources, "fetch", meanwhile)
    monkeypatch.setattr(intake, "receive", twice)
    m.feed(batch)
    assert seen == [["feeding"]]
    assert len(m.documents(batch)) == 1


class Killed(BaseException):
    """The process ends here: nothing catches this, and nothing is cleaned up in the database."""


def _kill_in(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, *, after: bool) -> None:
    real, calls = getattr(where, name), []

    def dies(*args: Any, **named: Any) -> Any:
        calls.append(name)
        if len(calls) > 1:
            return real(*args, **named)
        if after:
            real(*args, **named)
        raise Killed

    monkeypatch.setattr(where, name, dies)


# Everything that feeding does, in order. A kill before or after each must not cost a row nor double one.
POINTS = [
    (batches, "_take"), (batches, "_claim"), (batches, "_next"), (batches, "_tasks"), (sources, "fetch"),
    (intake, "receive"), (sandbox, "inspect"), (artifacts, "store"), (idempotency.Request, "of"), (lifecycle, "begin"),
    (batches, "_submitted"), (queue, "ring"), (batches, "_settle"), (batches, "_finish"),
]  # fmt: skip


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("where", "name"), POINTS, ids=[name for _, name in POINTS])
def test_a_feeder_killed_anywhere_costs_no_row_and_doubles_none(
    cast: make.Cast, folder: Path, where: Any, name: str, *, after: bool
) -> None:
    batch = m.submit(cast.a, m.rows(folder, 3))
    with pytest.MonkeyPatch.context() as patch:
        _kill_in(patch, where, name, after=after)
        patch.setattr(batches, "_release", lambda feeder: None)  # a killed process gives nothing back
        with pytest.raises(Killed):
            m.feed(batch)
    assert m.run(batch).status == "completed"
    assert m.states(batch) == ["done"] * 3
    made = m.documents(batch)
    assert [d.filename for d in made] == ["1.png", "2.png", "3.png"]
    assert {item.document_id for item in m.items(batch)} == {d.pk for d in made}
    assert len(m.events(batch)) == 1


def test_a_feeder_that_comes_late_makes_nothing(cast: make.Cast, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It slept past its lease while it held a fetched file; another feeder made the document."""
    batch = m.submit(cast.a, m.rows(folder, 1))
    receive = intake.receive
    late: list[bool] = []

    def sleeps(*args: Any, **named: Any) -> intake.Receipt:
        if not late:
            late.append(True)
            m.feeder_died(batch)
            m.feed(batch)
        return receive(*args, **named)

    monkeypatch.setattr(intake, "receive", sleeps)
    m.feed(batch)
    (made,) = m.documents(batch)
    assert m.items(batch)[0].document_id == made.pk
    assert len(make.files(cast.a)) == 1, "the late feeder's file belongs to nothing"


def test_a_row_that_always_ends_its_feeder_is_given_up(
    cast: make.Cast, folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAX_ATTEMPTS = 2
    batch = m.submit(cast.a, m.rows(folder, 3), tolerated_failure_percentage=50)
    receive = intake.receive

    def ends(upload: intake.Upload, **named: Any) -> intake.Receipt:
        if upload.filename == "1.png":
            raise Killed
        return receive(upload, **named)

    monkeypatch.setattr(intake, "receive", ends)
    for _ in range(2):
        with pytest.raises(Killed):
            m.feed(batch)
        m.feeder_died(batch)
    m.feed(batch)
    assert m.states(batch) == ["failed", "submitted", "submitted"], (
        "its neighbours were taken with it, and come again alone"
    )
    assert m.items(batch)[0].error_code == "gave_up"


@pytest.mark.parametrize(
    "trouble",
    [sources.Busy("SlowDown"), OSError(28, "no space"), sandbox.SandboxFailed("x")],
    ids=lambda e: type(e).__name__,
)
def test_trouble_that_passes_is_tried_again_later_but_not_for_ever(
    cast: make.Cast, folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    settings.MAX_ATTEMPTS = 3
    monkeypatch.setattr(batches, "PAUSES", (3600,))  # seconds: no test is that slow
    batch = m.submit(cast.a, m.rows(folder, 1), tolerated_failure_percentage=100)

    def busy(*args: Any, **named: Any) -> Any:
        raise trouble

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "receive", busy)
        m.feed(batch)
        (item,) = m.items(batch)
        assert (item.state, item.attempts) == ("pending", 1)
        assert item.due_at is not None
        m.feed(batch)  # not before its time
        assert m.items(batch)[0].attempts == 1
        assert batches.due() == []
        for _ in range(2):
            m.feeder_died(batch)
            m.feed(batch)
    (item,) = m.items(batch)
    assert (item.state, item.error_code, item.attempts) == ("failed", "storage", 3)


def test_a_database_that_goes_away_costs_no_row(cast: make.Cast, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = m.submit(cast.a, m.rows(folder, 2))
    with pytest.MonkeyPatch.context() as patch:
        _raise_once(patch, lifecycle, "begin", OperationalError("gone"))
        with pytest.raises(OperationalError):
            m.feed(batch)
    assert m.run(batch).status == "completed"
    assert len(m.documents(batch)) == 2


def _raise_once(patch: pytest.MonkeyPatch, where: Any, name: str, error: Exception) -> None:
    real, calls = getattr(where, name), []

    def raises(*args: Any, **named: Any) -> Any:
        calls.append(name)
        if len(calls) == 1:
            raise error
        return real(*args, **named)

    patch.setattr(where, name, raises)


def test_the_database_keeps_a_document_to_one_row(cast: make.Cast, folder: Path) -> None:
    from django.db import IntegrityError, transaction

    batch = m.submit(cast.a, m.rows(folder, 2))
    m.feed(batch)
    first, second = m.items(batch)
    for change in ({"document_id": first.document_id}, {"row": 1}, {"state": "lost"}):
        with pytest.raises(IntegrityError), transaction.atomic(), scope.everything():
            BatchItem.objects.filter(pk=second.pk).update(**change)


# --- Whose turn it is ---------------------------------------------------------------------------------------------


def test_a_bell_is_rung_for_what_is_due_and_not_twice_for_the_same(
    cast: make.Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("ocr.batches.time.monotonic", lambda: clock[0])
    batch = m.submit(cast.a, m.rows(folder, 1))
    assert ("ocr.tasks.feed", (str(cast.a.pk), str(batch.pk))) in make.doorbells()
    assert batches.ring_due() == 1
    assert batches.ring_due() == 0, "nobody has answered the first bell yet"
    clock[0] += batches.RING_AGAIN_SECONDS
    assert batches.ring_due() == 1, "perhaps it was lost"
    m.feed(batch)
    assert batches.ring_due() == 0, "its document is being read"
    m.rest(m.documents(batch)[0])
    assert batches.ring_due() == 1
    m.feed(batch)
    assert m.reload(batch).status == "completed"
    assert batches.due() == []


def test_a_dead_feeders_batch_is_found(cast: make.Cast, folder: Path) -> None:
    batch = m.submit(cast.a, m.rows(folder, 1), max_concurrency=1)
    assert batches._take(cast.a.pk, batch.pk)
    assert batches.due() == []
    m.feeder_died(batch)
    assert [found[1] for found in batches.due()] == [batch.pk]


def test_no_transaction_is_open_while_a_file_is_fetched(
    cast: make.Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = m.submit(cast.a, m.rows(folder, 1))
    depth, fetch = len(connection.savepoint_ids), sources.fetch
    seen: list[int] = []

    def look(place: sources.Place, into: Path) -> None:
        seen.append(depth)
        fetch(place, into)

    monkeypatch.setattr(sources, "fetch", look)
    m.feed(batch)
    assert seen == [depth] == [len(connection.savepoint_ids)]


def test_a_batch_of_another_tenant_is_not_fed_through_ours(cast: make.Cast, folder: Path) -> None:
    batch = m.submit(cast.a, m.rows(folder, 1))
    batches.feed(cast.b.pk, batch.pk)
    assert m.states(batch) == ["pending"]
