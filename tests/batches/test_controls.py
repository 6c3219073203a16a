"""Pause, resume, cancel, and the stop when too many rows fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocr import batches, intake
from ocr.lifecycle import NotPossible
from ocr.models import Batch, Status
from tests import make
from tests.batches import manifest as m

pytestmark = pytest.mark.django_db
ACTOR = "user:sue"


def test_a_paused_batch_makes_nothing_new_and_goes_on_when_resumed(cast: make.Cast, folder: Path) -> None:
    batch = m.submit(cast.a, m.rows(folder, 4), max_concurrency=2)
    m.feed(batch)
    batches.pause(batch, actor=ACTOR)
    for document in m.documents(batch):
        m.rest(document)
    assert [found[1] for found in batches.due()] == [batch.pk], "what was in flight is still noted"
    m.feed(batch)
    assert m.states(batch) == ["done"] * 2 + ["pending"] * 2
    assert batches.due() == []
    batches.resume(batch, actor=ACTOR)
    assert [found[1] for found in batches.due()] == [batch.pk]
    assert m.run(batch).status == "completed"
    assert len(m.documents(batch)) == 4
    assert m.told(batch) == ["accepted", "paused", "resumed", "ended"]


def test_pause_kill_resume_every_row_once(cast: make.Cast, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    batch = m.submit(cast.a, m.rows(folder, 12), max_concurrency=5)
    receive, calls = intake.receive, []

    def dies_third(*args: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise Killed
        return receive(*args, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "receive", dies_third)
        patch.setattr(batches, "_release", lambda feeder: None)
        with pytest.raises(Killed):
            m.feed(batch)
    batches.pause(batch, actor=ACTOR)
    m.feeder_died(batch)
    m.feed(batch)
    assert sorted(m.states(batch)) == ["pending"] * 10 + ["submitted"] * 2
    batches.resume(batch, actor=ACTOR)
    assert m.run(batch).status == "completed"
    assert sorted(d.filename for d in m.documents(batch)) == sorted(f"{n}.png" for n in range(1, 13))


def test_cancelling_drops_what_waits_and_keeps_what_was_made(cast: make.Cast, folder: Path) -> None:
    batch = m.submit(cast.a, m.rows(folder, 3), max_concurrency=1)
    m.feed(batch)
    batches.cancel(batch, actor=ACTOR)
    assert m.states(batch) == ["submitted", "cancelled", "cancelled"]
    assert (m.reload(batch).status, m.reload(batch).finished_at, m.events(batch)) == ("cancelled", None, [])
    m.rest(m.documents(batch)[0])
    m.feed(batch)
    (event,) = m.events(batch)
    assert (event.type, event.data["status"], event.data["counts"]["cancelled"]) == ("batch.completed", "cancelled", 2)
    assert m.states(batch) == ["done", "cancelled", "cancelled"]


def test_a_row_that_is_cancelled_while_it_is_fetched_becomes_no_document(
    cast: make.Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = m.submit(cast.a, m.rows(folder, 1))
    receive = intake.receive

    def cancelled_meanwhile(*args: Any, **named: Any) -> Any:
        batches.cancel(batch, actor=ACTOR)
        return receive(*args, **named)

    monkeypatch.setattr(intake, "receive", cancelled_meanwhile)
    m.feed(batch)
    assert (m.states(batch), m.documents(batch), make.files(cast.a)) == (["cancelled"], [], [])
    assert m.reload(batch).finished_at


# --- Failures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tolerated", "status"), [(19, "stopped"), (20, "completed"), (100, "completed")])
def test_a_batch_stops_beyond_the_failures_it_tolerates(
    cast: make.Cast, folder: Path, tolerated: int, status: str
) -> None:
    """One of five is exactly 20 %: that is tolerated, less is not."""
    batch = m.submit(cast.a, m.rows(folder, 5, missing=[1]), tolerated_failure_percentage=tolerated, max_concurrency=2)
    m.feed(batch)
    m.feed(batch)
    if status == "stopped":
        assert m.reload(batch).status == "stopped"
        assert m.states(batch).count("pending") >= 2, "nothing more is made"
        assert [(event.type, event.data["counts"]["failed"]) for event in m.events(batch)] == [("batch.stopped", 1)]
        assert m.told(batch) == ["accepted", "stopped"]
        for document in m.documents(batch):
            m.rest(document)
        m.feed(batch)
        assert m.states(batch).count("pending") >= 2
        assert batches.due() == []
    else:
        assert m.run(batch).status == "completed"


def test_a_stopped_batch_goes_on_when_more_is_tolerated(cast: make.Cast, folder: Path) -> None:
    batch = m.submit(cast.a, m.rows(folder, 4, missing=[1]), tolerated_failure_percentage=0, max_concurrency=1)
    m.feed(batch)
    assert m.reload(batch).status == "stopped"
    with pytest.raises(NotPossible, match="1 of 4 rows failed.*raise its tolerated_failure_percentage"):
        batches.resume(batch, actor=ACTOR)
    with pytest.raises(batches.Refused):
        batches.resume(batch, batches.Wishes(tolerated_failure_percentage=200), actor=ACTOR)
    assert m.reload(batch).status == "stopped"
    batches.resume(batch, batches.Wishes(tolerated_failure_percentage=25, max_concurrency=9), actor=ACTOR)
    ended = m.run(batch)
    assert (ended.status, ended.max_concurrency) == ("completed", 9)
    assert m.states(batch) == ["failed", "done", "done", "done"]


def test_a_batch_whose_last_row_is_one_failure_too_many_ends_as_stopped(cast: make.Cast, folder: Path) -> None:
    batch = m.submit(cast.a, m.rows(folder, 1), tolerated_failure_percentage=0)
    m.feed(batch)
    m.rest(m.documents(batch)[0], Status.FAILED, code="engine_failed")
    m.feed(batch)
    ended = m.reload(batch)
    assert (ended.status, ended.finished_at is not None) == ("stopped", True)
    assert [event.type for event in m.events(batch)] == ["batch.stopped", "batch.completed"]
    with pytest.raises(NotPossible):
        batches.resume(batch, batches.Wishes(tolerated_failure_percentage=100), actor=ACTOR)


# --- What is not possible -----------------------------------------------------------------------------------------

ACTS: dict[str, Callable[..., Batch]] = {"pause": batches.pause, "resume": batches.resume, "cancel": batches.cancel}


@pytest.mark.parametrize("act", ACTS)
def test_a_batch_that_has_ended_cannot_be_changed(cast: make.Cast, folder: Path, act: str) -> None:
    batch = m.run(m.submit(cast.a, m.rows(folder, 1)))
    with pytest.raises(NotPossible, match=r"The batch is completed; it cannot be \w+ any more\."):
        ACTS[act](batch, actor=ACTOR)
    assert m.told(batch) == ["accepted", "ended"]


def test_what_is_so_already_is_no_change(cast: make.Cast, folder: Path) -> None:
    batch = m.submit(cast.a, m.rows(folder, 1))
    batches.resume(batch, actor=ACTOR)
    for act in (batches.pause, batches.pause, batches.resume, batches.cancel, batches.cancel):
        act(batch, actor=ACTOR)
    assert m.told(batch) == ["accepted", "paused", "resumed", "cancelled", "ended"]
    with pytest.raises(NotPossible):
        batches.pause(batch, actor=ACTOR)


# --- The forecast -------------------------------------------------------------------------------------------------


def test_rate_and_end_are_measured(cast: make.Cast, folder: Path) -> None:
    from datetime import datetime, timedelta

    from ocr import lifecycle
    from tenants import scope

    batch = m.submit(cast.a, m.rows(folder, 5), max_concurrency=3)
    m.feed(batch)
    for document in m.documents(batch):
        m.rest(document)
    m.feed(batch)
    with scope.everything():
        assert batches.progress(m.reload(batch))["percent"] == 60.0
        now = lifecycle.database_now()
        Batch.objects.filter(pk=batch.pk).update(resumed_at=now - timedelta(seconds=60))
        told = batches.progress(m.reload(batch))
        end = datetime.fromisoformat(told["estimated_end_at"])
    assert 2.7 <= told["documents_per_minute"] <= 3.0  # three in a minute, and the moment that this took
    assert timedelta(seconds=39) < end - now < timedelta(seconds=50)  # two more
    assert {name: told["counts"][name] for name in ("total", "done", "submitted")} == {
        "total": 5,
        "done": 3,
        "submitted": 2,
    }
