"""The doorbell: the only module that knows django-q2. What has to be done stands in the document's row, never in a task."""

from __future__ import annotations

import os
import threading
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django_q.brokers import Broker, get_broker
from django_q.tasks import async_task

from audit import log
from ocr import notices
from ocr.models import Document, Priority

READ = "ocr.tasks.read"
ADVANCE = "ocr.tasks.advance"
WARM = "ocr.tasks.warm"
TESTIFY = "ocr.tasks.testify"
DELIVER = "ocr.tasks.deliver"
FEED = "ocr.tasks.feed"
BEAT = "ocr.tasks.beat"
TIDY = "ocr.tasks.tidy"
# Every second document of the one lane is for the other's reader, which takes it unless it has its hands full.
HELPED, HELPER = "normal", "low"
CHORES = "low"  # the lane whose cluster also runs everything that is not reading
_here = threading.local()


def ring(document: Document) -> None:
    """Tell the readers that this document is due. Inside a transaction they hear of it when it commits.

    Nothing is queued: readers look for what is due anyway, this only spares them the wait.
    """
    lane = Priority(document.priority).name.lower()
    half = lane == HELPED and document.pk.int % 2
    notices.tell(notices.DUE, notices.HELPED if half else lane)


def ring_reader(lane: str) -> None:
    """Have a reader run in this lane's cluster. One too many ends at once."""
    _put(READ, lane, lane=lane)


def ring_to_advance(tenant_id: UUID | str, document_id: UUID | str) -> None:
    """Have one document carried on beside the readers: work that takes long."""
    _put(ADVANCE, str(tenant_id), str(document_id))


def ring_to_warm(tenant_id: UUID | str, document_id: UUID | str) -> None:
    """Have the first page's pictures rendered before a reviewer asks for them."""
    _put(WARM, str(tenant_id), str(document_id))


def ring_to_testify(tenant_id: UUID | str, document_id: UUID | str) -> None:
    """Have the second witness read what a reviewer is about to check."""
    _put(TESTIFY, str(tenant_id), str(document_id))


def ring_to_feed(tenant_id: UUID | str, batch_id: UUID | str) -> None:
    """Have the batch's next rows made documents."""
    _put(FEED, str(tenant_id), str(batch_id))


def ring_all(task: str) -> None:
    """Queue one of the tasks that take no document: DELIVER, BEAT, TIDY."""
    _put(task)


def waiting() -> int:
    """How many queued tasks no worker has taken yet."""
    return sum(int(_broker(lane).queue_size()) for lane in settings.LANES)


def _put(task: str, *args: str, lane: str = CHORES) -> None:
    """The one place where something is queued. Only a database row is part of the transaction; elsewhere the bell rings after it."""
    if settings.BROKER == "database":
        async_task(task, *args, broker=_broker(lane))
    else:
        transaction.on_commit(lambda: _tell(task, args, lane))


def _tell(task: str, args: tuple[str, ...], lane: str) -> None:
    """Nobody is refused over a broker that is down: what is due is found without bells, only later."""
    try:
        async_task(task, *args, broker=_broker(lane))
    except Exception as error:  # each broker has errors of its own, and all mean the same here
        log.event("bell_lost", error=error, kind=lane)


def _broker(lane: str) -> Broker:
    """This thread's broker for the lane. Connections are neither shared between threads nor across a fork."""
    if getattr(_here, "pid", None) != os.getpid():
        _here.pid, _here.brokers = os.getpid(), {}
    brokers: dict[str, Broker] = _here.brokers
    if lane not in brokers:
        brokers[lane] = get_broker(lane)
    return brokers[lane]
