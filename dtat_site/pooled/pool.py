"""The connections of one process to one database. A thread has one only while it uses it."""

from __future__ import annotations

import os
import select
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock
from weakref import WeakKeyDictionary, WeakSet

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as Connection

PATIENCE_SECONDS = 10.0  # for a connection that another thread has; then there is more work than the database can do
IDLE_SECONDS = 60.0  # without use, a connection is closed
SPARE_SECONDS = 15.0  # so soon, if more than a FEW are free: those of a burst hold five MB and more each in PostgreSQL
FEW = 2


@dataclass(frozen=True, slots=True)
class _Free:
    connection: Connection
    since: float


class Pool:
    """At most `most` connections, none used for longer than `seconds` after it was made; 0 keeps none. First come, first served."""

    def __init__(self, *, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self._begin()
        os.register_at_fork(after_in_child=self._begin)  # the parent's connections are the parent's

    def _begin(self) -> None:
        self._lock = Lock()
        self._free: list[_Free] = []  # the last one given back is the first to be taken, so that the others can end
        self._taken: WeakSet[Connection] = WeakSet()  # weak: a thread that ended without giving back holds nothing
        self._born: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()
        self._line: deque[Event] = deque()  # threads that wait, the first one first
        self._promised = 0  # places of threads that are about to have a connection

    def take(self, make: Callable[[], Connection]) -> Connection:
        """A connection outside of any transaction; a new one from `make` when none is free. Raises psycopg2.OperationalError when all
        are in use for too long, and what `make` raises."""
        self._wait_for_promise()
        taken = None
        try:
            # Made outside the lock: that takes milliseconds, or as long as a timeout when the database is away.
            taken = self._used_before() or make()
            return taken
        finally:
            with self._lock:
                self._promised -= 1
                if taken is not None:
                    self._taken.add(taken)
                    self._born.setdefault(taken, time.monotonic())
                self._promise()

    def give(self, connection: Connection) -> None:
        """Back for the next thread. What it began is rolled back."""
        if connection not in self._born:
            return  # the parent's, from before a fork: closing it would end it there
        usable, now = _at_rest(connection), time.monotonic()
        with self._lock:
            self._taken.discard(connection)
            if usable and now - self._born[connection] < self.seconds:
                self._free.append(_Free(connection, now))
            else:
                connection.close()
            self._end_idle()
            self._promise()

    def close(self) -> None:
        """End the free ones."""
        with self._lock:
            for free in self._free:
                free.connection.close()
            self._free.clear()

    def counts(self) -> tuple[int, int]:
        """How many are in use, and how many are free."""
        return len(self._taken) + self._promised, len(self._free)

    def _wait_for_promise(self) -> None:
        turn = Event()
        with self._lock:
            self._line.append(turn)
            self._promise()
        if turn.wait(PATIENCE_SECONDS):
            return
        with self._lock:
            self._promise()  # a thread that ended without giving back has told nobody
            if turn.is_set():
                return
            self._line.remove(turn)
        raise psycopg2.OperationalError("every connection to the database is in use")

    def _promise(self) -> None:
        """Call the next ones of the line, as many as there is room for."""
        while self._line and len(self._taken) + self._promised < self.most:
            self._promised += 1
            self._line.popleft().set()

    def _used_before(self) -> Connection | None:
        with self._lock:
            while self._free:
                found = self._free.pop().connection
                if _answers(found):
                    return found
                found.close()
        return None

    def _end_idle(self) -> None:
        now = time.monotonic()
        while self._free and now - self._free[0].since > (SPARE_SECONDS if len(self._free) > FEW else IDLE_SECONDS):
            self._free.pop(0).connection.close()


def _answers(connection: Connection) -> bool:
    """Whether the server still holds it. One that ended it said so, and what was said lies there unread."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


def _at_rest(connection: Connection) -> bool:
    """Whether it can be used again: open, and outside of any transaction."""
    try:
        if not connection.closed and connection.info.transaction_status != TRANSACTION_STATUS_IDLE:
            connection.rollback()
    except psycopg2.Error:
        return False
    return not connection.closed
