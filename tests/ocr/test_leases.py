"""One worker at a time; whoever comes late, or died, changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection

from ocr import leases, pipeline, textract
from ocr.models import Artifact, Document
from tests import engine as stub
from tests import make
from tests.engine import START, Engine
from tests.ocr.lives import JOB, LIVES, Life
from tests.ocr.outside import Outside

committing = pytest.mark.django_db(transaction=True)


def _elsewhere(act: Callable[[], object]) -> None:
    """Do it in another thread, on a connection of its own, as another worker would; its errors are ours."""
    with ThreadPoolExecutor(1) as pool:

        def with_connection() -> None:
            try:
                act()
            finally:
                connection.close()

        pool.submit(with_connection).result(60)


@committing
def test_of_eight_workers_one_works(cast: make.Cast, engine: Engine) -> None:
    made = make.receive(cast.a).document
    barrier = Barrier(8)

    def work() -> None:
        barrier.wait(20)
        pipeline.advance(cast.a.pk, made.pk)
        connection.close()

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (engine.count(START), make.reload(made).fence, make.reload(made).step) == (1, 1, "check")


@committing
def test_a_document_that_is_held_is_left_alone(cast: make.Cast, engine: Engine) -> None:
    made = make.receive(cast.a).document
    seen: list[int] = []

    def looks(call: object) -> None:
        _elsewhere(lambda: pipeline.advance(cast.a.pk, made.pk))
        seen.append(make_reload_elsewhere(made).fence)

    def make_reload_elsewhere(of: Document) -> Document:
        found: list[Document] = []
        _elsewhere(lambda: found.append(make.reload(of)))
        return found[0]

    engine.on_call = looks
    pipeline.advance(cast.a.pk, made.pk)
    assert (seen, engine.count()) == ([1], 1)


@committing
@pytest.mark.parametrize("life", LIVES, ids=str)
def test_at_each_call_outside_another_worker_may_take_over(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch, settings: Any, life: Life
) -> None:
    """The first worker hangs in its n-th call, loses its lease, the second one finishes; then the first one goes on."""
    life.set_up(engine, settings)
    outside = Outside(engine, monkeypatch)
    for number in range(2, len(life.calls) + 1):  # the first one is the sender's
        outside.reset()
        made = make.receive(cast.a, life.content(), document_type=life.document_type).document
        after: list[tuple[Any, ...]] = []

        def overtaken(call: Callable[[], Any], made: Document = made, after: list[Any] = after) -> Any:
            def second() -> None:
                make.lease_expired(made)
                make.run(made)
                after.append(_everything(made))

            _elsewhere(second)
            return call()

        outside.at(number, storage=overtaken, engine=_beside(overtaken))
        outside.seen = ["_save"]
        done = make.run(made)
        assert after and after[0] == _everything(made), f"call {number}, {life.calls[number - 1]}"
        # Who takes over while a synchronous call is out, or before its answer is stored, cannot know of it and does not repeat it.
        lost = life.synchronous and number <= 3
        assert (done.status, done.error_code) == (("failed", "charge_uncertain") if lost else ("approved", ""))
    assert engine.count(life.sends) == (len(life.calls) - 1) * life.synchronous
    assert engine.billed_twice() == make.broken() == []


@committing
@pytest.mark.parametrize("then", ["answers", "fails", "refuses"])
def test_while_another_worker_is_at_it_the_late_one_writes_nothing(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch, settings: Any, then: str
) -> None:
    JOB.set_up(engine, settings)
    outside = Outside(engine, monkeypatch)
    for number in range(2, len(JOB.calls) + 1):
        outside.reset()
        made = make.receive(cast.a).document
        held: list[tuple[Any, ...]] = []

        def overtaken(call: Callable[[], Any], made: Document = made, held: list[Any] = held) -> Any:
            def second() -> None:
                make.lease_expired(made)
                assert leases.take(cast.a.pk, made.pk)
                held.append(_row(made))

            _elsewhere(second)
            return call() if then == "answers" else late_failure(call)

        def late_failure(call: Callable[[], Any]) -> Any:
            if isinstance(answer := call(), stub.Reply):
                return stub.error("InvalidJobIdException")(lambda: answer) if then == "refuses" else stub.LOST
            if hasattr(answer, "close"):
                answer.close()
            raise OSError(5, "Input/output error")

        outside.at(number, storage=overtaken, engine=_beside(overtaken))
        outside.seen = ["_save"]
        while not held:
            make.advance(made)
        assert held[0] == _row(made), f"call {number}, {JOB.calls[number - 1]}"
        make.lease_expired(made)
        assert make.run(made).status == "approved"
    assert engine.billed_twice() == make.broken() == []


def _row(of: Document) -> tuple[Any, ...]:
    found = make.reload(of)
    work = (found.step, found.due_at, found.lease_until, found.fence, found.attempts, found.error_code)
    runs = [(run.state, run.job_id, run.pages) for run in make.extractions(of)]
    return found.status, found.version, work, runs, len(make.trail(of)), len(make.events(of))


def _beside(act: Any) -> Any:
    """The engine answers one request at a time; the late worker's answer differs in its bytes from the other's."""

    def fault(answer: Callable[[], stub.Reply]) -> Any:
        engine = stub.running()
        engine._lock.release()
        try:
            reply = act(answer)
        finally:
            engine._lock.acquire()
        return stub.changed(lambda told: told.update(Late=True))(lambda: reply) if reply.status == 200 else reply

    return fault


def _everything(of: Document) -> tuple[Any, ...]:
    found = make.reload(of)
    rows = [(row.kind, row.version) for row in make.trail(of)]
    stored = [make.stored(of, kind) for kind in (Artifact.Kind.RAW, Artifact.Kind.RESULT)]
    return found.status, found.version, rows, stored, [event.type for event in make.events(of)]


@pytest.mark.django_db
def test_a_dead_workers_document_is_taken_over_when_its_lease_is_over(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make.receive(cast.a).document
    _die_in(monkeypatch, cast, made)
    held = make.reload(made)
    assert held.lease_until and (held.step, held.fence) == ("start", 1)
    make.due(made)
    pipeline.advance(cast.a.pk, made.pk)
    assert (engine.count(), make.reload(made).fence) == (0, 1)
    make.lease_expired(made)
    done = make.run(made)
    assert (done.status, done.attempts) == ("approved", 0)


@pytest.mark.django_db
def test_a_document_that_kills_its_workers_is_given_up(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.MAX_ATTEMPTS = 3
    made = make.receive(cast.a).document
    for _ in range(settings.MAX_ATTEMPTS):
        _die_in(monkeypatch, cast, made)
        make.lease_expired(made)
    make.due(made)
    pipeline.advance(cast.a.pk, made.pk)
    done = make.reload(made)
    assert (done.status, done.error_code, done.attempts) == ("failed", "worker_died", 3)
    assert make.trail(made)[-1].codes["code"] == "worker_died"
    assert make.broken() == []


def _die_in(monkeypatch: pytest.MonkeyPatch, cast: make.Cast, made: Document) -> None:
    """A worker is killed while it asks Textract."""

    class Killed(BaseException):
        pass

    def killed(**kwargs: object) -> str:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(textract, "start", killed)
        make.due(made)
        with pytest.raises(Killed):
            pipeline.advance(cast.a.pk, made.pk)
