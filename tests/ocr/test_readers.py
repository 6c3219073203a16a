"""The reader: many calls at a time, saved in batches, one per lane and machine, and over in bounded time whatever happens."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError, connection
from django_q.models import OrmQ

from ocr import notices, pipeline, readers, tasks, watch
from ocr.models import Beat
from tests import engine as stub
from tests import make
from tests.engine import SYNC, Engine

LANES = ("high", "normal", "low")
committing = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def short(settings: Any) -> None:
    """A reader that ends soon after there is nothing to do."""
    settings.READER_SECONDS, settings.READER_DRAIN_SECONDS, settings.READER_CALLS = 2, 10, 8
    settings.SYNCHRONOUS = True


@committing
def test_it_reads_everything_that_is_due_and_ends(cast: make.Cast, engine: Engine) -> None:
    engine.reads(stub.CLEAR)
    made = [make.receive(cast.a if number % 2 else cast.b).document for number in range(12)]
    assert readers.read("normal")
    assert {make.reload(each).status for each in made} == {"approved"}
    assert engine.count(SYNC) == len(made)
    assert make.broken() == []


@committing
def test_a_document_that_arrives_meanwhile_is_read_at_once(cast: make.Cast, engine: Engine) -> None:
    engine.reads(stub.CLEAR)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(_read_and_close, "normal")
        while not Beat.objects.filter(name__startswith="reader.normal").exists():
            time.sleep(0.02)
        made = make.receive(cast.a).document
        while make.reload(made).step:
            time.sleep(0.02)
        assert not running.done()  # it was read while the reader was running, not by the next one
        assert running.result(30)


def _read_and_close(lane: str) -> bool:
    try:
        return readers.read(lane)
    finally:
        connection.close()


@committing
def test_one_reader_for_each_lane_and_machine(cast: make.Cast, engine: Engine) -> None:
    with readers._only_one("high") as first, readers._only_one("high") as second, readers._only_one("low") as other:
        assert (first, second, other) == (True, False, True)
        assert readers.read("high") is False


@committing
def test_the_next_reader_follows(cast: make.Cast, engine: Engine) -> None:
    tasks.read("high")
    assert [row.task["func"] for row in OrmQ.objects.all()] == ["ocr.tasks.read"]
    OrmQ.objects.all().delete()
    with readers._only_one("high"):
        tasks.read("high")
    assert not OrmQ.objects.exists()


@committing
def test_told_to_stop_it_finishes_what_is_out_and_claims_nothing_more(
    cast: make.Cast, engine: Engine, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.READER_SECONDS = 60
    engine.reads(stub.CLEAR)
    stop = Event()
    engine.on_call = lambda call: stop.set()
    monkeypatch.setattr(watch, "stopping", stop.is_set)
    settings.READER_CALLS = 1
    made = [make.receive(cast.a).document for _ in range(3)]
    began = time.monotonic()
    assert readers.read("normal")
    assert time.monotonic() - began < 30
    assert [make.reload(each).status for each in made].count("approved") == 1
    assert engine.count(SYNC) == 1


@committing
def test_what_came_back_while_the_database_was_away_is_saved_afterwards(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.reads(stub.CLEAR)
    made = make.receive(cast.a).document
    real, failures = pipeline.settle, list[int]()

    def away(works: Any) -> Any:
        if works and len(failures) < 2:
            failures.append(len(works))
            raise OperationalError("terminating connection due to administrator command")
        return real(works)

    monkeypatch.setattr(pipeline, "settle", away)
    assert readers.read("normal")
    done = make.reload(made)
    assert (done.status, len(failures), engine.count(SYNC)) == ("approved", 2, 1)
    assert make.broken() == []


@committing
def test_one_document_that_cannot_be_written_does_not_hold_up_its_neighbours(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.reads(stub.CLEAR)
    made = [make.receive(cast.a).document for _ in range(3)]
    works = pipeline.claim("normal", limit=3).works
    for work in works:
        pipeline.ask(work)
    broken = works[1].read
    assert broken
    broken.fields[0].name = "x" * 500  # the column takes 80
    assert pipeline.settle(works) == []
    after = {each.pk: make.reload(each) for each in made}
    assert after[works[0].document.pk].status == after[works[2].document.pk].status == "approved"
    hurt = after[works[1].document.pk]
    assert (hurt.status, hurt.error_code, hurt.attempts) == ("reading", "internal_DataError", 1)
    assert make.run(hurt).status == "approved"  # from the answer that the first worker stored
    assert engine.count(SYNC) == 3
    assert make.broken() == []


@committing
def test_an_answer_that_was_stored_before_the_worker_died_is_found_again(cast: make.Cast, engine: Engine) -> None:
    engine.reads(stub.CLEAR)
    made = make.receive(cast.a).document
    [work] = pipeline.claim("normal", limit=1).works
    pipeline.ask(work)  # and now the worker dies
    make.lease_expired(made)
    done = make.run(made)
    assert (done.status, engine.count(SYNC)) == ("approved", 1)
    assert [run.charge_uncertain for run in make.extractions(made)] == [False]
    assert make.broken() == []


@committing
def test_a_call_whose_answer_nobody_stored_is_made_once_and_listed(cast: make.Cast, engine: Engine) -> None:
    made = make.receive(cast.a).document
    pipeline.claim("normal", limit=1)  # and now the worker dies, with the call out
    make.lease_expired(made)
    done = make.run(made)
    assert (done.status, done.error_code, engine.count()) == ("failed", "charge_uncertain", 0)
    assert make.broken() == []


@committing
def test_pulse_rings_where_no_reader_shows_a_sign_of_life(cast: make.Cast, engine: Engine) -> None:
    readers._rung.clear()
    watch.beat("reader.high")
    assert readers.ring_due() == 2
    assert readers.ring_due() == 0  # those bells are still to be answered
    lanes = sorted(row.task["args"][0] for row in OrmQ.objects.all())
    assert lanes == ["low", "normal"]


@committing
def test_long_documents_are_left_to_the_chores(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "LONG_PAGES", 2)
    engine.part_size = 6
    made = make.document(cast.a, "reading", pages=(stub.CLEAR, stub.BLANK), priority="low")
    while make.reload(made).operation != pipeline.LONG:
        make.due(made)
        assert readers.read("low")
    readers._rung.clear()
    readers.ring_due()
    [(task, arguments)] = [bell for bell in make.doorbells() if bell[0] == "ocr.tasks.advance"]
    tasks.advance(*arguments)
    assert make.reload(made).status in {"approved", "needs_review"}
    assert make.broken() == []


def _claimed(found: int, **waits: float) -> pipeline.Claimed:
    return pipeline.Claimed([], found, waits)


def test_word_of_new_work_hastens_the_next_look_unless_a_quota_is_the_limit() -> None:
    claims = readers._Claims()
    claims.note(_claimed(0), limit=8, now=10.0)
    claims.hear(10.1)
    assert claims.is_time(10.1)
    claims.note(_claimed(3, AnalyzeDocument=0.25), limit=8, now=10.1)
    claims.hear(10.2)
    assert "AnalyzeDocument" not in claims.open_operations(10.2) and "" in claims.open_operations(10.2)
    assert not claims.is_time(10.2) and claims.is_time(10.1 + readers.PATIENT_SECONDS)


def test_what_the_helper_may_take_is_looked_for_a_moment_later() -> None:
    claims = readers._Claims()
    claims.note(_claimed(0), limit=8, now=10.0)
    claims.hear(10.1, within=readers.HELPED_SECONDS)
    assert not claims.is_time(10.1) and claims.is_time(10.1 + readers.HELPED_SECONDS)
    claims.hear(10.1)
    assert claims.is_time(10.1), "what is its own is not put off"


def test_every_second_normal_document_is_for_the_low_lanes_reader_too() -> None:
    heard = {lane: [readers.hears(lane, {payload}) for payload in ("normal", notices.HELPED)] for lane in LANES}
    assert heard == {"high": [False, False], "normal": [True, False], "low": [False, True]}


def test_a_long_line_behind_an_empty_bucket_is_looked_past_now_and_then() -> None:
    claims = readers._Claims()
    looks = []
    for tick in range(30):
        now = 10.0 + tick / 10
        claims.note(_claimed(8, AnalyzeDocument=0.25), limit=8, now=now)
        looks += [now] if claims.more else []
    assert [round(later - sooner) for sooner, later in zip(looks, looks[1:], strict=False)] == [1, 1]
    claims.note(_claimed(8), limit=8, now=13.0)
    assert claims.more


@committing
def test_answers_are_saved_together_while_a_quota_is_the_limit_but_not_urgent_ones(
    cast: make.Cast, engine: Engine
) -> None:
    reader = readers.Reader("normal")
    now = time.monotonic()
    with reader._woken, reader._wake:
        assert reader._gather_seconds(now) == readers.QUICK_SECONDS
        reader._claims.note(_claimed(3, AnalyzeDocument=0.25), limit=8, now=now)
        assert reader._gather_seconds(now) == readers.PATIENT_SECONDS
        make.receive(cast.a, priority="high")
        [work] = pipeline.claim("normal", limit=1).works
        reader._out[id(work)] = (work, now)
        assert reader._gather_seconds(now) == readers.QUICK_SECONDS
        reader.slots = 1
        assert reader._gather_seconds(now) == readers.GATHER_SECONDS
