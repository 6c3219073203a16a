"""Doorbells wait in the database, in Redis or in SQS; a broker that is down refuses nobody, and each cluster rings for itself."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from deploy.local import ports
from ocr import brokers, queue, watch
from ocr.brokers import database


@pytest.fixture(autouse=True)
def _forget_brokers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Brokers are kept for each thread; these tests change what they are."""
    vars(queue._here).clear()
    monkeypatch.setattr(Conf, "POLL", 0)
    yield
    vars(queue._here).clear()


def _quiet(broker: Any) -> Any:
    """The broker, which has just rung for itself."""
    broker._next_bell = time.monotonic() + 1000
    return broker


def _task(bell: brokers.Bell) -> tuple[str, tuple[str, ...]]:
    task = SignedPackage.loads(bell[1])
    return task["func"], tuple(task["args"])


# --- What a cluster asks of itself --------------------------------------------------------------------------------


def test_each_lane_has_its_reader_looked_after_and_low_its_chores() -> None:
    assert [_task(bell) for bell in brokers.own_bells("high")] == [("ocr.tasks.read", ("high",))]
    assert [_task(bell) for bell in brokers.own_bells("low")] == [("ocr.tasks.beat", ()), ("ocr.tasks.read", ("low",))]
    assert brokers.own_bells("anything else") == []


def test_nothing_acknowledges_what_nobody_queued() -> None:
    assert [acknowledged_by for acknowledged_by, _ in brokers.own_bells("low")] == [None, None]


@pytest.mark.django_db
def test_a_cluster_rings_for_itself_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Conf, "CLUSTER_NAME", "normal")
    broker = database.Bells("normal")
    assert [_task(bell) for bell in broker.dequeue() or []] == [("ocr.tasks.read", ("normal",))]
    assert broker.dequeue() == []
    broker._next_bell = 0.0
    assert len(broker.dequeue() or []) == 1


# --- The database -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_bell_is_taken_once_and_only_in_its_lane() -> None:
    queue.ring_reader("high")
    assert _quiet(database.Bells("low")).dequeue() == []
    high = _quiet(database.Bells("high"))
    (bell,) = high.dequeue()
    assert _task(bell) == ("ocr.tasks.read", ("high",))
    assert high.dequeue() == []
    high.acknowledge(bell[0])
    assert not OrmQ.objects.exists()


@pytest.mark.django_db
def test_a_bell_that_nobody_acknowledged_is_heard_again() -> None:
    queue.ring_reader("high")
    high = _quiet(database.Bells("high"))
    assert high.dequeue()
    OrmQ.objects.update(lock=Now() - timedelta(seconds=1))
    assert high.dequeue()


@pytest.mark.django_db(transaction=True)
def test_a_bell_is_part_of_the_transaction() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        queue.ring_reader("high")
        raise ZeroDivisionError
    assert _quiet(database.Bells("high")).dequeue() == []


@pytest.mark.django_db
def test_the_database_s_clock_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host whose clock is ten minutes behind would else let bells wait, one that is ahead would take them twice."""
    from django.utils import timezone

    now = timezone.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: now + timedelta(minutes=10))
    queue.ring_reader("high")
    monkeypatch.setattr("django.utils.timezone.now", lambda: now - timedelta(minutes=10))
    high = _quiet(database.Bells("high"))
    assert len(high.dequeue()) == 1
    monkeypatch.setattr("django.utils.timezone.now", lambda: now + timedelta(hours=3))
    assert high.dequeue() == []


@pytest.mark.django_db
def test_a_database_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error would end the pusher, and django-q2 leaves its successor waiting for ten seconds."""

    def away(self: Any) -> Any:
        raise OperationalError("the server is gone")

    monkeypatch.setattr(database._Table, "_take", away)
    monkeypatch.setattr(database, "WITHOUT_DATABASE_SECONDS", 0)
    monkeypatch.setattr(connection, "close", lambda: None)
    assert _quiet(database.Bells("high")).dequeue() is None


@pytest.mark.django_db
def test_waiting_counts_all_lanes() -> None:
    for lane in ("high", "low", "low"):
        queue.ring_reader(lane)
    assert queue.waiting() == 3


# --- Redis and SQS ------------------------------------------------------------------------------------------------


@pytest.fixture
def redis_server(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    pytest.importorskip("redis")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    port = ports.free()
    words = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    settings.BROKER = "redis"
    monkeypatch.setattr(Conf, "BROKER_CLASS", "ocr.brokers.redis.Bells")
    monkeypatch.setattr(Conf, "REDIS", f"redis://127.0.0.1:{port}/0")
    yield
    server.terminate()
    server.wait(10)


@pytest.fixture
def sqs_server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from moto import mock_aws

    settings.BROKER = "sqs"
    monkeypatch.setattr(Conf, "BROKER_CLASS", "ocr.brokers.sqs.Bells")
    monkeypatch.setattr(Conf, "SQS", {"aws_region": "us-east-1"})
    with mock_aws():
        yield


@pytest.mark.parametrize("server", ["redis_server", "sqs_server"])
@pytest.mark.django_db(transaction=True)
def test_elsewhere_the_bell_rings_when_the_transaction_is_committed(
    server: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(server)
    with transaction.atomic():
        queue.ring_reader("high")
        assert queue.waiting() == 0
    assert queue.waiting() == 1
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        queue.ring_reader("high")
        raise ZeroDivisionError
    high = _quiet(queue._broker("high"))
    (bell,) = high.dequeue()
    assert _task(bell) == ("ocr.tasks.read", ("high",))
    high.acknowledge(bell[0])
    assert not _quiet(queue._broker("low")).dequeue()
    assert not OrmQ.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_refuses_nobody(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("redis")
    settings.BROKER = "redis"
    monkeypatch.setattr(Conf, "BROKER_CLASS", "ocr.brokers.redis.Bells")
    monkeypatch.setattr(Conf, "REDIS", "redis://127.0.0.1:9/0")
    with transaction.atomic():
        queue.ring_reader("high")
    assert "bell_lost" in caplog.text


# --- Signs of life ------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_long_chore_shows_that_it_lives_and_ends_with_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one document of thousands of pages, in the only worker that is free for chores, would have the cluster replaced."""
    monkeypatch.setattr(watch, "LONG_SECONDS", 0.01)
    deadline = time.monotonic() + 20
    with watch.alive("workers"):
        while watch.silence("workers") > 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert watch.silence("workers") < 1
    assert not [thread for thread in threading.enumerate() if thread.name == "beats of workers"]


# --- Stopping -----------------------------------------------------------------------------------------------------


def test_every_process_of_a_cluster_hears_that_it_stops_and_those_of_others_do_not() -> None:
    import multiprocessing

    fork = multiprocessing.get_context("fork")
    watch.lead()
    told, heard = fork.Event(), fork.Queue()

    def work() -> None:
        heard.put(watch.stopping())
        told.wait(20)
        heard.put(watch.stopping())

    worker = fork.Process(target=work)
    worker.start()
    assert heard.get(timeout=20) is False
    watch.tell_to_stop()
    told.set()
    assert heard.get(timeout=20) is True
    worker.join()
    watch.lead()
    assert not watch.stopping()
