"""Callers who wait for their documents: any number of them, none of whom asks the database again and again.

One thread of the process hears which documents came to rest, reads those that somebody waits for, together, and hands each to its
callers. A caller who waits holds a thread of the web server and nothing else.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from audit import log
from ocr import contract, lifecycle, notices
from ocr.models import Document, Status
from tenants import scope

IDLE_SECONDS = 60.0  # how long the thread sleeps without a word
AGAIN_SECONDS = 0.5  # until documents that could not be read are tried again

Told = dict[str, Any]


class Full(Exception):
    """Every seat is taken: nothing was accepted."""

    code = "too_many_waiting"
    retry_after = 5  # seconds

    def __init__(self) -> None:
        super().__init__(
            _(
                "Too many callers wait for their documents just now. "
                "Send it again in a few seconds, or send it to /ocr/async, which does not wait."
            )
        )


class Seat:
    """One caller's place. It is taken before the document is accepted, so that no word about it is missed."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._woken = Event()
        self._told: Told | None = None
        self.document: Document | None = None
        self.heard: set[str] = set()  # until it is known which document it is: what came to rest in the meantime
        self.has_gap = False  # ... and whether there was a time when nothing could be heard

    def result(self, document: Document, *, within: float) -> Told | None:
        """The document in the contract's shape once no worker has anything to do for it; None when that takes longer than `within`
        seconds. Gives the thread's database connection back meanwhile, so it must not be called inside a transaction."""
        if self._room.may_rest(self, document) and (told := finished([document])):
            return told[str(document.pk)]
        if within > 0:
            connection.close()
            self._woken.wait(within)
        return self._told or finished([document]).get(str(document.pk))

    def wake(self, told: Told | None) -> None:
        self._told = told
        self._woken.set()


class Room:
    """The seats of one process, and the thread that listens for all of them."""

    def __init__(self, seats: int) -> None:
        self.seats = seats
        self._taken: set[Seat] = set()
        self._at_rest: set[str] = set()  # by word, and not yet read; only the thread touches it
        self._lock = Lock()
        self._thread: Thread | None = None
        self._closing = False
        self._end: tuple[int, int] = (-1, -1)  # a pipe that gets the thread out of its sleep

    @contextmanager
    def seat(self) -> Iterator[Seat]:
        """A place to wait. Raises Full."""
        seat = Seat(self)
        with self._lock:
            if self._closing or len(self._taken) >= self.seats:
                raise Full
            self._taken.add(seat)
            self._listen()
        try:
            yield seat
        finally:
            with self._lock:
                self._taken.discard(seat)

    def taken(self) -> int:
        """How many callers wait, or are about to."""
        return len(self._taken)

    def close(self) -> None:
        """The process ends: everybody is told what is known by now, and nobody else is let in."""
        self._closing = True  # no lock: this is called from a signal handler, whose thread may be inside
        for seat in list(self._taken):
            seat.wake(None)
        if self._thread:
            os.write(self._end[1], b".")

    def may_rest(self, seat: Seat, document: Document) -> bool:
        """From now on the seat waits for this document only; whether word of it may have come already."""
        with self._lock:
            seat.document = document
        return seat.has_gap or str(document.pk) in seat.heard or _rests(document)

    def _listen(self) -> None:
        if self._thread is None or not self._thread.is_alive():  # a fork leaves the thread behind
            self._end = os.pipe()
            self._thread = Thread(target=self._hear, name="waiting", daemon=True)
            self._thread.start()

    def _hear(self) -> None:
        """The thread. It goes on after every failure: nobody would see it end."""
        listener = notices.Listener()
        listener.listen(notices.REST)
        self._note(notices.ANYTHING)  # seats that were taken before
        while not self._closing:
            try:
                self._hand_over()
            except Exception as error:
                log.event("waiting_failed", level=logging.ERROR, error=error)
                time.sleep(AGAIN_SECONDS)
            for notice in listener.wait(0 if self._at_rest else IDLE_SECONDS, or_readable=self._end[0]):
                self._note(notice.payload)
        listener.close()

    def _note(self, document_id: str) -> None:
        with self._lock:
            for seat in self._taken:
                if seat.document is None:
                    seat.heard.add(document_id)
                    seat.has_gap |= document_id == notices.ANYTHING
                elif document_id in {notices.ANYTHING, str(seat.document.pk)}:
                    self._at_rest.add(str(seat.document.pk))

    def _hand_over(self) -> None:
        """Read the documents of which there was word, all at once, and wake their callers."""
        if not self._at_rest:
            return
        with self._lock:
            waiting = [(seat, seat.document) for seat in self._taken if seat.document is not None]
        wanted = [(seat, document) for seat, document in waiting if str(document.pk) in self._at_rest]
        try:
            told = finished([document for _seat, document in wanted])
        finally:
            connection.close()
        self._at_rest.clear()
        for seat, document in wanted:
            if str(document.pk) in told:
                seat.wake(told[str(document.pk)])


def finished(documents: Iterable[Document]) -> dict[str, Told]:
    """Those of these documents that rest, in the contract's shape by id, as they are now."""
    wanted = {document.pk: document.tenant_id for document in documents}
    with scope.scope(set(wanted.values())):
        rows = Document.objects.filter(pk__in=wanted).select_related("document_type")
        found = [row for row in rows.prefetch_related("fields", "extractions") if _rests(row)]
        return {str(row.pk): contract.detail(row) for row in found}


def _rests(document: Document) -> bool:
    return lifecycle.TURNS[Status(document.status)] != "worker"


room = Room(settings.WAITING_MOST)
