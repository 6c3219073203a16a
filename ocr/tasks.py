"""The worker door: what django-q2 calls. Their dotted paths are stored in queued tasks, so they stay where they are."""

from __future__ import annotations

from uuid import UUID

from ocr import pipeline, publishing, watch


def advance(tenant_id: str, document_id: str) -> None:
    """Carry one document on. Safe to run twice, late, or for nothing."""
    pipeline.advance(UUID(tenant_id), UUID(document_id))


def deliver() -> None:
    """Send the events that are due."""
    publishing.deliver()


def beat() -> None:
    """Prove that tasks run."""
    watch.beat("workers")
