"""The right to work on documents: taken on the database's clock, told apart by a fencing number.

A worker that dies leaves leases that expire. Whoever comes late finds another fence in the row and writes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from audit import log, prepared
from ocr import lifecycle, rows
from ocr.models import Document, Priority, Status
from tenants import scope

THROTTLED_SECONDS = (
    10.0  # a missing right or a full account is not over in a second, and asking again would not help it
)
REFILLED_SECONDS = 1.0  # but a bucket fills in that time
WORKER = "system"  # how the trail names the actor of every step


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one document until it expires; `fence` tells this holder from any other."""

    tenant_id: UUID
    document_id: UUID
    fence: int
    step: str
    request_id: str


# What each lane's reader may take: its own priority and those above it, and whatever has waited until its turn came.
LANES = {"high": Priority.HIGH, "normal": Priority.NORMAL, "low": Priority.LOW}

# ocr_heads (migration 0013) knows the order: those whose turn has come, then tenants by what they have under way, so that a tenant
# with a hundred times the documents does not have a hundred times the workers.
_DUE = """
    WITH asked AS MATERIALIZED (
        SELECT $1::int AS lane, $2::text[] AS operations, $3::int AS most, $4::text[]::uuid[] AS without),
    head AS MATERIALIZED (
        SELECT found.* FROM asked CROSS JOIN LATERAL ocr_heads(lane, operations, most, without) AS found
         ORDER BY early, share, turn_at LIMIT $3 * 4)
    SELECT {columns}, clock_timestamp() FROM head JOIN ocr_document AS document USING (id)
     WHERE document.step <> '' AND document.due_at <= clock_timestamp()
       AND (document.lease_until IS NULL OR document.lease_until < clock_timestamp())
     ORDER BY head.early, head.share, head.turn_at LIMIT $3
       FOR UPDATE OF document SKIP LOCKED
"""
_ONE = """
    SELECT {columns}, clock_timestamp() FROM ocr_document AS document
     WHERE tenant_id = $1::text::uuid AND id = $2::text::uuid AND step <> '' AND due_at <= clock_timestamp()
       AND (lease_until IS NULL OR lease_until < clock_timestamp()) FOR UPDATE SKIP LOCKED
"""


def due(lane: str, *, operations: Collection[str], limit: int, without: Collection[UUID] = ()) -> list[Document]:
    """Documents whose next step is due and that nobody holds, most urgent first and fair between tenants, locked until commit.

    Only steps that need one of these Textract operations ('' for steps that need none). In a scope that sees everything.
    """
    return rows.select(Document, _DUE, int(LANES[lane]), list(operations), limit, [str(each) for each in without])


def due_now(tenant_id: UUID, document_id: UUID) -> list[Document]:
    """This one document of this tenant, if it is due and free, locked until commit."""
    return rows.select(Document, _ONE, str(tenant_id), str(document_id))


def begin(documents: Sequence[Document]) -> list[Lease]:
    """Leases on documents that `due` has locked, not written down yet: `write` does that, or a move that sets HELD columns too.

    A lease that had run out is a worker that died: it costs an attempt. Without that, a document that kills whoever works on it (out
    of memory, over the task's time) would do so for ever.
    """
    span = timedelta(seconds=settings.LEASE_SECONDS)
    for document in documents:
        document.attempts += document.lease_until is not None
        document.fence += 1
        document.lease_until = looked_at(document) + span
    return [Lease(each.tenant_id, each.pk, each.fence, each.step, each.request_id) for each in documents]


def looked_at(document: Document) -> datetime:
    """The database's time when `due` found the document."""
    at: datetime = vars(document)["also_0"]
    return at


def held_columns(document: Document) -> dict[str, object]:
    """What a begun lease sets in its document's row."""
    return {"fence": document.fence, "lease_until": document.lease_until, "attempts": document.attempts}


def write(documents: Sequence[Document]) -> None:
    """Write begun leases down."""
    _update({each.pk: held_columns(each) for each in documents}, {each.pk: each.fence - 1 for each in documents})


def died_too_often(document: Document) -> bool:
    """Whether so many workers died over the document that nobody should try again."""
    return document.attempts >= settings.MAX_ATTEMPTS


def take(tenant_id: UUID, document_id: UUID) -> Lease | None:
    """The lease of this document, when it is due and free. One over which too many workers died is failed instead."""
    with scope.scope([tenant_id]):
        found = due_now(tenant_id, document_id)
        leases = begin(found)
        write(found)
        if found and died_too_often(found[0]):
            fail(leases[0], "worker_died", attempts=found[0].attempts)
            return None
    return leases[0] if leases else None


_HELD = """
    SELECT document.id, document.fence, clock_timestamp() FROM (VALUES (1)) AS one LEFT JOIN (
        SELECT id, fence FROM ocr_document WHERE id = ANY ($1::text[]::uuid[]) AND step <> '' ORDER BY id FOR UPDATE
    ) AS document ON true
"""


def still_held(leases: Sequence[Lease]) -> tuple[set[UUID], datetime]:
    """The documents whose lease still holds, locked until commit in one order for everybody, and the database's time."""
    fences = {lease.document_id: lease.fence for lease in leases}
    found = prepared.fetch(_HELD, [str(key) for key in fences])
    return {key for key, fence, _now in found if key and fence == fences[key]}, found[0][2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What comes next for a held document. Without `seconds` its holder goes on, with the lease's full time again; else the lease is
    given back and the step is due after so many seconds. `operation` is Textract's whose quota the step needs."""

    lease: Lease
    step: str
    operation: str
    seconds: float | None = None


def note(steps: Sequence[Next]) -> set[UUID]:
    """Write down what comes next, with one statement; the documents that were still held. The others are left alone."""
    if not steps:
        return set()
    now = lifecycle.database_now()
    lease_until = now + timedelta(seconds=settings.LEASE_SECONDS)
    values = {
        each.lease.document_id: {
            "step": each.step,
            "operation": each.operation,
            "due_at": now + timedelta(seconds=each.seconds or 0.0),
            "lease_until": lease_until if each.seconds is None else None,
        }
        for each in steps
    }
    return _update(values, {each.lease.document_id: each.lease.fence for each in steps})


def extend(leases: Sequence[Lease]) -> set[UUID]:
    """Give held documents the lease's full time again, for work that takes long; those that were still held."""
    until = lifecycle.database_now() + timedelta(seconds=settings.LEASE_SECONDS)
    values = {lease.document_id: {"lease_until": until} for lease in leases}
    return _update(values, {lease.document_id: lease.fence for lease in leases})


def bring_forward(ids: Collection[UUID]) -> dict[UUID, Document]:
    """Make the checks of these documents' jobs due now; the documents that nobody holds and whose check is due by then, by id.

    One that somebody holds, or has locked, is left alone.
    """
    free = Document.objects.select_for_update(skip_locked=True, of=("self",)).order_by("pk")
    found = {row.pk: row for row in free.filter(pk__in=ids, step="check", lease_until=None)}
    Document.objects.filter(pk__in=found, due_at__gt=Now()).update(due_at=Now())
    return found


def put_off(lease: Lease, code: str, *, seconds: float) -> None:
    """Give the document back untouched, due again after `seconds`; `code` says what it waits for."""
    until = lifecycle.database_now() + timedelta(seconds=seconds)
    values = {"due_at": until, "lease_until": None, "error_code": code}
    _update({lease.document_id: values}, {lease.document_id: lease.fence})


def goes_on(lease: Lease, step: str, operation: str = "") -> None:
    """Note the next step and keep the lease. Raises Overtaken."""
    _one(Next(lease=lease, step=step, operation=operation))


def waits(lease: Lease, step: str, operation: str, *, seconds: float) -> None:
    """Note the next step and give the lease back; a reader finds it when the time has come. Raises Overtaken."""
    _one(Next(lease=lease, step=step, operation=operation, seconds=seconds))


def _one(step: Next) -> None:
    if not note([step]):
        raise lifecycle.Overtaken("Another worker took the document over.")


def _update(values: Mapping[UUID, Mapping[str, object]], fences: Mapping[UUID, int]) -> set[UUID]:
    """Set columns of documents that still have these fences and a step to do; the ids of those that were set."""
    expected = {document_id: {"fence": fence} for document_id, fence in fences.items()}
    return rows.update(Document, values, expected=expected, where="present.step <> ''")


def try_later(lease: Lease, code: str, *, costs_attempt: bool, seconds: float = THROTTLED_SECONDS) -> None:
    """Wait with growing, jittered pauses; after MAX_ATTEMPTS failures that were the document's own, give up.

    What is not the document's own fault waits about `seconds` and costs nothing.
    """
    with scope.scope([lease.tenant_id]):
        document = Document.objects.filter(pk=lease.document_id, fence=lease.fence).exclude(step="").first()
        if document is None:
            return
        attempts = document.attempts + 1 if costs_attempt else document.attempts
        if attempts < settings.MAX_ATTEMPTS:
            pause = min(2.0 ** (attempts + 1), 60) if costs_attempt else seconds
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
        change = lifecycle.Change(
            document=document,
            to=Status.FAILED,
            actor=WORKER,
            expected_version=document.version,
            reason=document.step,
            codes={"code": code, "attempt": attempts or document.attempts},
            changes={"error_code": code, "attempts": attempts or document.attempts},
            fence=lease.fence,
            request_id=lease.request_id,
        )
        lifecycle.move_all([change])
