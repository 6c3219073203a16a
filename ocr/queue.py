"""The doorbell: the only module that knows django-q2. What has to be done stands in the document's row, never in a task."""

from __future__ import annotations

from uuid import UUID

from django_q.brokers import get_broker
from django_q.tasks import async_task

ADVANCE = "ocr.tasks.advance"
WARM = "ocr.tasks.warm"
DELIVER = "ocr.tasks.deliver"
BEAT = "ocr.tasks.beat"
TIDY = "ocr.tasks.tidy"


def ring(tenant_id: UUID | str, document_id: UUID | str) -> None:
    """Tell the workers to look at this document. Inside a transaction the bell rings when it commits.

    With the database as broker the task row is part of the transaction. Ringing twice, or for nothing, is harmless.
    """
    async_task(ADVANCE, str(tenant_id), str(document_id))


def ring_to_warm(tenant_id: UUID | str, document_id: UUID | str) -> None:
    """Have the first page's pictures rendered before a reviewer asks for them."""
    async_task(WARM, str(tenant_id), str(document_id))


def ring_all(task: str) -> None:
    """Queue one of the tasks that take no document: DELIVER, BEAT, TIDY."""
    async_task(task)


def waiting() -> int:
    """How many queued tasks no worker has taken yet."""
    size: int = get_broker().queue_size()
    return size
