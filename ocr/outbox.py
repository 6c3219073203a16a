"""Events to announce, written in the transaction of the change they tell of. ocr.publishing delivers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from audit import prepared
from ocr import rows
from ocr.models import Batch, Document, OutboxEvent


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event about the document as it now is: ids, names and codes, never values."""

    type: str
    document: Document
    data: Mapping[str, object]
    held: timedelta = timedelta(0)  # before it goes out: until then it can be withdrawn


def announce(type_: str, document: Document, *, data: Mapping[str, object]) -> OutboxEvent:
    """Queue one event about the document as it now is: ids, names and codes, never values."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return announce_all([Announcement(type_, document, data)], at=now)[0]


def received(document: Document) -> OutboxEvent:
    """The first event about a document, to be written with it."""
    return OutboxEvent(
        type="document.received",
        tenant_id=document.tenant_id,
        document_id=document.pk,
        version=document.version,
        data={"source": document.source},
        created_at=document.received_at,
        due_at=document.received_at,
    )


def announce_all(announcements: Sequence[Announcement], *, at: datetime) -> list[OutboxEvent]:
    """Queue many events with one statement, as of the database's time `at`."""
    events = [
        OutboxEvent(
            type=each.type,
            tenant_id=each.document.tenant_id,
            document_id=each.document.pk,
            version=each.document.version,
            data=dict(each.data),
            created_at=at,
            due_at=at + each.held,
        )
        for each in announcements
    ]
    if events:
        rows.insert(*events)
    return events


def announce_again(
    type_: str, document: Document, *, data: Mapping[str, object], held: timedelta = timedelta(0)
) -> OutboxEvent:
    """A second event about the same version, beside the one of its status change."""
    return OutboxEvent.objects.create(
        type=type_,
        tenant_id=document.tenant_id,
        document_id=document.pk,
        version=None,
        data={**data, "version": document.version},
        created_at=Now(),
        due_at=Now() + held,
    )


def has_told_outcome(document: Document) -> bool:
    """Whether an outcome of the document was announced before, straight through or decided, and not taken back."""
    return bool(prepared.fetch(_OUTCOMES, document.pk))


_OUTCOMES = """
    SELECT 1 FROM ocr_outboxevent
     WHERE document_id = $1::uuid AND version IS NOT NULL AND withdrawn_at IS NULL AND type IN ('document.processed', 'document.rejected')
     LIMIT 1
"""


def withdraw(document: Document) -> bool:
    """Take back what is held of the document's present version; False when it has gone out, or is about to.

    Rows are locked as the publisher locks them: an event is either withdrawn or sent, never both.
    """
    of_version = Q(version=document.version) | Q(version=None, data__version=document.version)
    mine = OutboxEvent.objects.filter(of_version, document_id=document.pk)
    held = list(mine.filter(due_at__gt=Now(), attempts=0, withdrawn_at=None).select_for_update())
    if not held or len(held) != mine.count():
        return False
    OutboxEvent.objects.filter(pk__in=[event.pk for event in held]).update(withdrawn_at=Now())
    return True


def announce_batch(type_: str, batch: Batch, *, data: Mapping[str, object]) -> OutboxEvent:
    """Queue one event about the batch: counts and codes, never values."""
    return OutboxEvent.objects.create(
        type=type_,
        tenant_id=batch.tenant_id,
        batch_id=batch.pk,
        data=dict(data),
        created_at=Now(),
        due_at=Now(),
    )
