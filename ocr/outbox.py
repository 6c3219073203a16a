"""Events to announce, written in the transaction of the change they tell of. ocr.publishing delivers them."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models.functions import Now

from ocr.models import Document, OutboxEvent


def announce(type_: str, document: Document, *, data: Mapping[str, object]) -> OutboxEvent:
    """Queue one event about the document as it now is: ids, names and codes, never values."""
    return OutboxEvent.objects.create(
        type=type_,
        tenant_id=document.tenant_id,
        document_id=document.pk,
        version=document.version,
        data=dict(data),
        created_at=Now(),
        due_at=Now(),
    )


def announce_again(type_: str, document: Document, *, data: Mapping[str, object]) -> OutboxEvent:
    """A second event about the same version, beside the one of its status change."""
    return OutboxEvent.objects.create(
        type=type_,
        tenant_id=document.tenant_id,
        document_id=document.pk,
        version=None,
        data={**data, "version": document.version},
        created_at=Now(),
        due_at=Now(),
    )
