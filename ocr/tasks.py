"""The worker door: what django-q2 calls. Their dotted paths are stored in queued tasks, so they stay where they are."""

from __future__ import annotations

from uuid import UUID

from ocr import pages, pipeline, publishing, watch
from ocr.models import Document
from tenants import scope


def advance(tenant_id: str, document_id: str) -> None:
    """Carry one document on. Safe to run twice, late, or for nothing."""
    pipeline.advance(UUID(tenant_id), UUID(document_id))


def warm(tenant_id: str, document_id: str) -> None:
    """Render the first page. Pictures that exist are left alone; one that cannot be rendered is told when it is asked for."""
    with scope.scope([UUID(tenant_id)]):
        document = Document.objects.filter(pk=document_id).first()
    if document is not None:
        pages.warm(document)


def deliver() -> None:
    """Send the events that are due."""
    publishing.deliver()


def beat() -> None:
    """Prove that tasks run."""
    watch.beat("workers")
