"""The connections of one process to one database. A thread has one only while it uses it."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition
from weakref import WeakKeyDictionary, WeakSet

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as Connection

PATIENCE_SECONDS = 10.0  # for a connection that another thread has; then there is more work than the database can do
IDLE_SECONDS = 60.0  # without use, a connection is closed


@dataclass(frozen=True, slots=True)
class _Free:
    connection: Connection
    since: float


class Pool:
    """At most `most` connections, none used for longer than `seconds` after it was made; 0 keeps none."""

    def __init__(self, *, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self._changed = Condition()
        self._begin()
        os.register_at_fork(after_in_child=self._begin)  # the parent's connections are the parent's

    def _begin(self) -> None:
        self._changed = Condition()
        self._free: list[_Free] = []  # the last one given back is the first to be taken, so that the others can end
        self._taken: WeakSet[Connection] = WeakSet()  # weak: a thread that ended without giving back holds nothing
        self._born: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()
        self._being_made = 0

    def take(self, make: Callable[[], Connection]) -> Connection:
        """A connection outside of any transaction; a new one from `make` when none is free. Raises psycopg2.OperationalError when all
        are in use for too long, and what `make` raises."""
        with self._changed:
            if not self._changed.wait_for(self._has_room, PATIENCE_SECONDS):
                raise psycopg2.OperationalError("every connection to the database is in use")
            while self._free:
                found = self._free.pop().connection
                if _answers(found):
                    self._taken.add(found)
                    return found
                found.close()
            self._being_made += 1
        return self._made(make)

    def give(self, connection: Connection) -> None:
        """Back for the next thread. What it began is rolled back."""
        if connection not in self._born:
            return  # the parent's, from before a fork: closing it would end it there
        usable, now = _at_rest(connection), time.monotonic()
        with self._changed:
            self._taken.discard(connection)
            if usable and now - self._born[connection] < self.seconds:
                self._free.append(_Free(connection, now))
            else:
                connection.close()
            self._end_idle()
            self._changed.notify()

    def close(self) -> None:
        """End the free ones."""
        with self._changed:
            for free in self._free:
                free.connection.close()
            self._free.clear()

    def counts(self) -> tuple[int, int]:
        """How many are in use, and how many are free."""
        return len(self._taken) + self._being_made, len(self._free)

    def _has_room(self) -> bool:
        return len(self._taken) + self._being_made < self.most

    def _made(self, make: Callable[[], Connection]) -> Connection:
        """A new connection, made outside the lock: it takes milliseconds, or as long as a timeout when the database is away."""
        made = None
        try:
            made = make()
            return made
        finally:
            with self._changed:
                self._being_made -= 1
                if made is not None:
                    self._taken.add(made)
                    self._born[made] = time.monotonic()
                self._changed.notify()

    def _end_idle(self) -> None:
        while self._free and time.monotonic() - self._free[0].since > IDLE_SECONDS:
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
