"""Word from one process to the others, through the database: what happened, said at commit, heard without asking again and again.

A notice is a hint. The rows stay the truth: whoever listens looks at them once after listen(), and again at every notice
whose payload is ANYTHING, which stands for all that may have been said while the database was away.
"""

from __future__ import annotations

import logging
import os
import select
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg2
from django.db import connection
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from audit import log, prepared

DUE = "dtat_due"  # payload: the lane (high, normal, low) in which a document became due, or HELPED
HELPED = "helped"  # a document of the normal lane that the low lane's reader takes, unless it has its hands full
REST = "dtat_rest"  # payload: the id of a document that needs no worker any more
ANYTHING = ""  # the payload after a gap: look at everything

CONNECT_SECONDS = 3
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
# A peer that vanished without a word (a host lost its power) is noticed within half a minute.
_KEEPALIVES = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}


@dataclass(frozen=True, slots=True)
class Notice:
    """What was said on which channel; the payload ANYTHING says that something may have been missed there."""

    channel: str
    payload: str


def tell(channel: str, payload: str) -> None:
    """Say it to every listener when the present transaction commits; never when it is rolled back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, payload])


def tell_all(channel: str, payloads: Sequence[str]) -> None:
    """The same for many payloads, with one statement."""
    if payloads:
        prepared.fetch("SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload", channel, list(payloads))


class Listener:
    """Hears notices on a database connection of its own. For one thread; a fork makes its own connection at the next wait."""

    def __init__(self) -> None:
        self._channels: list[str] = []
        self._connection: Connection | None = None
        self._pid = 0
        self._pause = FIRST_PAUSE_SECONDS

    def listen(self, *channels: str) -> None:
        """Hear these channels too, from now on. While the database is away, wait() goes on trying."""
        new = [channel for channel in channels if channel not in self._channels]
        self._channels += new
        present = self._present()
        if present is None:
            self._connect()
            return
        try:
            _listen(present, new)
        except psycopg2.Error:
            self._drop()  # wait() makes a new one and says ANYTHING

    def wait(self, seconds: float, *, or_readable: int | None = None) -> list[Notice]:
        """What was said, as soon as something was; empty after `seconds`, or when the file descriptor `or_readable` has something to
        read. After a lost connection there is one ANYTHING per channel; nothing is raised while the database is away."""
        if self._present() is None:
            return self._again(seconds, or_readable)
        try:
            return self._heard() or self._heard_within(seconds, or_readable)
        except psycopg2.Error:
            log.event("notices_lost", level=logging.WARNING)
            self._drop()
            return self._again(seconds, or_readable)

    def close(self) -> None:
        """Give the connection back; listen() or wait() would make a new one."""
        self._drop()

    def _heard_within(self, seconds: float, or_readable: int | None) -> list[Notice]:
        heard = self._present()
        assert heard is not None
        _readable(seconds, heard.fileno(), or_readable)
        return self._heard()

    def _heard(self) -> list[Notice]:
        heard = self._present()
        assert heard is not None
        heard.poll()
        told = [Notice(notify.channel, notify.payload) for notify in heard.notifies]
        heard.notifies.clear()
        return told

    def _again(self, seconds: float, or_readable: int | None) -> list[Notice]:
        """A new connection and ANYTHING on every channel, or a pause when there is none to be had."""
        if self._connect():
            return [Notice(channel, ANYTHING) for channel in self._channels]
        _readable(min(seconds, self._pause), or_readable)
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        return []

    def _present(self) -> Connection | None:
        """The connection, unless there is none or it belongs to the process that we were forked from."""
        if self._pid != os.getpid():
            self._drop()
        return self._connection

    def _connect(self) -> bool:
        self._drop()
        try:
            made = psycopg2.connect(**_parameters())
            made.autocommit = True
            _listen(made, self._channels)
        except psycopg2.Error:
            return False
        self._connection, self._pid, self._pause = made, os.getpid(), FIRST_PAUSE_SECONDS
        return True

    def _drop(self) -> None:
        """Let go of the connection. One of the parent's is only let go of here: a goodbye would end it for the parent."""
        had, self._connection = self._connection, None
        if had is None:
            return
        with suppress(psycopg2.Error, OSError):
            if self._pid == os.getpid():
                had.close()
            else:
                os.close(had.fileno())


def _listen(present: Connection, channels: Sequence[str]) -> None:
    with present.cursor() as cursor:
        for channel in channels:
            cursor.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))


def _parameters() -> dict[str, Any]:
    """How Django reaches the database; reading this opens nothing."""
    given: dict[str, Any] = {"application_name": "dtat notices", "connect_timeout": CONNECT_SECONDS, **_KEEPALIVES}
    return given | connection.get_connection_params()


def _readable(seconds: float, *descriptors: int | None) -> None:
    """Come back when one of them can be read, at the latest after `seconds`. poll, since select knows no descriptor above 1023."""
    poll = select.poll()
    for descriptor in descriptors:
        if descriptor is not None:
            poll.register(descriptor, select.POLLIN)
    poll.poll(max(0.0, seconds) * 1000)
