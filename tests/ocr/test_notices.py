"""Notices: said at commit, heard by others, and a gap is told as such."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from ocr import notices, queue
from ocr.models import Document, Priority
from ocr.notices import ANYTHING, DUE, REST, Listener, Notice
from tests.conftest import as_superuser

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 20.0  # seconds: only a test that fails waits for so long


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    made.listen(DUE)
    yield made
    made.close()


def _cut(listener: Listener) -> bool:
    """End the listener's connection from the server's side."""
    assert listener._connection
    with as_superuser() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [listener._connection.info.backend_pid])
        return bool(cursor.fetchone()[0])


def test_what_is_committed_is_heard(listener: Listener) -> None:
    with transaction.atomic():
        notices.tell(DUE, "high")
        notices.tell(REST, "not for this listener")
        assert listener.wait(0) == []
    assert listener.wait(LONG) == [Notice(DUE, "high")]
    assert listener.wait(0) == []


def test_what_is_rolled_back_was_never_said(listener: Listener) -> None:
    with transaction.atomic():
        notices.tell(DUE, "high")
        transaction.set_rollback(True)
    notices.tell(DUE, "low")
    assert listener.wait(LONG) == [Notice(DUE, "low")]


def test_every_second_normal_document_is_told_to_the_helper(listener: Listener) -> None:
    told: list[Notice] = []
    for number in range(4):
        for priority in (Priority.HIGH, Priority.NORMAL, Priority.LOW):
            queue.ring(Document(id=UUID(int=number), priority=priority))
        while len(told) < 3 * (number + 1):
            told += listener.wait(LONG)
    assert [each.payload for each in told] == ["high", "normal", "low", "high", notices.HELPED, "low"] * 2


def test_further_channels(listener: Listener) -> None:
    notices.tell(DUE, "before")
    listener.listen(REST)
    notices.tell(REST, "after")
    told: list[Notice] = []
    while len(told) < 2:
        told += listener.wait(LONG)
    assert told == [Notice(DUE, "before"), Notice(REST, "after")], "nothing is lost when a channel is added"


def test_the_callers_own_pipe_ends_the_wait(listener: Listener) -> None:
    reads, writes = os.pipe()
    os.write(writes, b".")
    assert listener.wait(LONG, or_readable=reads) == []
    os.read(reads, 1)
    notices.tell(DUE, "normal")
    assert listener.wait(LONG, or_readable=reads) == [Notice(DUE, "normal")]
    os.close(reads)
    os.close(writes)


def test_a_lost_connection_is_made_again_and_told(listener: Listener) -> None:
    listener.listen(REST)
    assert _cut(listener)
    notices.tell(DUE, "said while nobody heard")
    assert listener.wait(LONG) == [Notice(DUE, ANYTHING), Notice(REST, ANYTHING)]
    notices.tell(DUE, "high")
    assert listener.wait(LONG) == [Notice(DUE, "high")]


def test_while_the_database_is_away_nothing_is_raised(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    there: dict[str, Any] = notices._parameters()
    monkeypatch.setattr(notices, "_parameters", lambda: there | {"host": "127.0.0.1", "port": 1})
    assert _cut(listener)
    assert [listener.wait(0), listener.wait(0.01)] == [[], []]
    reads, writes = os.pipe()
    os.write(writes, b".")
    assert listener.wait(LONG, or_readable=reads) == []
    monkeypatch.setattr(notices, "_parameters", lambda: there)
    assert listener.wait(LONG) == [Notice(DUE, ANYTHING)]
    os.close(reads)
    os.close(writes)


def test_a_listener_that_never_reached_the_database_says_so_when_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    there = notices._parameters()
    monkeypatch.setattr(notices, "_parameters", lambda: there | {"host": "127.0.0.1", "port": 1})
    made = Listener()
    made.listen(DUE)
    monkeypatch.setattr(notices, "_parameters", lambda: there)
    assert made.wait(LONG) == [Notice(DUE, ANYTHING)]
    made.close()


def test_a_fork_hears_on_a_connection_of_its_own(listener: Listener) -> None:
    child = os.fork()
    if child == 0:
        own = listener.wait(LONG) == [Notice(DUE, ANYTHING)]  # a new connection, so it has to look
        listener.close()
        os._exit(0 if own else 1)
    assert os.waitpid(child, 0)[1] == 0
    notices.tell(DUE, "high")
    assert listener.wait(LONG) == [Notice(DUE, "high")], "the child must leave the parent's connection alone"
