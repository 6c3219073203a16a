"""The right to work on one document: taken by one conditional UPDATE on the database's clock, told apart by a fencing number.

A worker that dies leaves a lease that expires. Whoever comes late finds another fence in the row and writes nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now

from audit import log
from ocr import lifecycle
from ocr.models import Document, Status
from tenants import scope

THROTTLED_SECONDS = 10.0  # a full quota or a missing right is not over in a second, and asking again would not help it
WORKER = "system"  # how the trail names the actor of every step


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one document until it expires; `fence` tells this holder from any other."""

    tenant_id: UUID
    document_id: UUID
    fence: int
    step: str
    request_id: str


def take(tenant_id: UUID, document_id: UUID) -> Lease | None:
    """The lease, when the document is due and free. One that had run out is a worker that died: it costs an attempt.

    Without that, a document that kills whoever works on it (out of memory, over the task's time) would do so for ever.
    """
    now = Now()
    with scope.scope([tenant_id]):
        free = Document.objects.filter(pk=document_id, due_at__lte=now).exclude(step="")
        taken = free.filter(Q(lease_until=None) | Q(lease_until__lt=now)).update(
            lease_until=now + timedelta(seconds=settings.LEASE_SECONDS),
            fence=F("fence") + 1,
            attempts=Case(When(lease_until=None, then=F("attempts")), default=F("attempts") + 1),
        )
        if not taken:
            return None
        columns = ("fence", "step", "request_id", "attempts")
        fence, step, request_id, attempts = Document.objects.values_list(*columns).get(pk=document_id)
    lease = Lease(tenant_id, document_id, fence, step, request_id)
    if attempts >= settings.MAX_ATTEMPTS:
        fail(lease, "worker_died", attempts=attempts)
        return None
    return lease


def held(lease: Lease) -> Document:
    """The document, locked until commit. Raises Overtaken when the lease went to somebody else."""
    held = Document.objects.select_for_update(of=("self",)).select_related("tenant", "document_type")
    document: Document | None = held.filter(pk=lease.document_id, fence=lease.fence).first()
    if document is None:
        raise lifecycle.Overtaken("Another worker took the document over.")
    return document


def goes_on(lease: Lease, step: str) -> str:
    """Note the next step and keep the lease, with its full time again."""
    _write(lease, step=step, due_at=Now(), lease_until=Now() + timedelta(seconds=settings.LEASE_SECONDS))
    return step


def waits(lease: Lease, step: str, *, seconds: float) -> str:
    """Note the next step and give the lease back; the sweeper rings when the time has come."""
    _write(lease, step=step, due_at=Now() + timedelta(seconds=seconds), lease_until=None)
    return ""


def _write(lease: Lease, **values: object) -> None:
    if not Document.objects.filter(pk=lease.document_id, fence=lease.fence).exclude(step="").update(**values):
        raise lifecycle.Overtaken("Another worker took the document over.")


def try_later(lease: Lease, code: str, *, costs_attempt: bool) -> None:
    """Wait with growing, jittered pauses; after MAX_ATTEMPTS failures that were the document's own, give up."""
    with scope.scope([lease.tenant_id]):
        document = Document.objects.filter(pk=lease.document_id, fence=lease.fence).exclude(step="").first()
        if document is None:
            return
        attempts = document.attempts + 1 if costs_attempt else document.attempts
        if attempts < settings.MAX_ATTEMPTS:
            pause = min(2.0 ** (attempts + 1), 60) if costs_attempt else THROTTLED_SECONDS
            pause *= random.uniform(0.5, 1.0)  # spreads the load
            values = {
                "attempts": attempts,
                "error_code": code,
                "due_at": Now() + timedelta(seconds=pause),
                "lease_until": None,
            }
            Document.objects.filter(pk=lease.document_id, fence=lease.fence).update(**values)
            log.event("later", document=lease.document_id, step=document.step, code=code, attempt=attempts)
            return
    fail(lease, code, attempts=attempts)


def fail(lease: Lease, code: str, *, attempts: int | None = None) -> None:
    """Give the document up with this code, unless the lease went to somebody else."""
    with scope.scope([lease.tenant_id]):
        document = Document.objects.filter(pk=lease.document_id, fence=lease.fence).exclude(step="").first()
        if document is None:
            return
        lifecycle.move(
            document,
            Status.FAILED,
            actor=WORKER,
            expected_version=document.version,
            reason=document.step,
            codes={"code": code, "attempt": attempts or document.attempts},
            changes={"error_code": code, "attempts": attempts or document.attempts},
            fence=lease.fence,
        )
