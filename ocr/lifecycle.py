"""What a document may become, as one table, and move(): the only writer of Document.status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from audit import log, trail
from audit.models import Kind
from ocr import outbox
from ocr.models import Document, Status


@dataclass(frozen=True, slots=True)
class Move:
    """A legal change of status: what the audit trail calls it, and the event that announces it ('' for none)."""

    kind: Kind
    event: str = ""


# (from, to) -> what it is. A move to the same status is a new version of what people see.
MOVES: Mapping[tuple[Status, Status], Move] = {
    (Status.RECEIVED, Status.READING): Move(Kind.TEXTRACT_STARTED, "document.reading"),
    (Status.RECEIVED, Status.FAILED): Move(Kind.FAILED, "document.failed"),
    (Status.READING, Status.NEEDS_REVIEW): Move(Kind.HUMAN_REVIEW_REQUIRED, "document.review.required"),
    (Status.READING, Status.APPROVED): Move(Kind.STRAIGHT_THROUGH, "document.processed"),
    (Status.READING, Status.FAILED): Move(Kind.FAILED, "document.failed"),
    (Status.FAILED, Status.RECEIVED): Move(Kind.RETRIED, "document.retried"),
    (Status.NEEDS_REVIEW, Status.APPROVED): Move(Kind.HUMAN_REVIEW_APPROVED, "document.processed"),
    (Status.NEEDS_REVIEW, Status.REJECTED): Move(Kind.HUMAN_REVIEW_REJECTED, "document.rejected"),
    (Status.NEEDS_REVIEW, Status.NEEDS_REVIEW): Move(Kind.REPLAYED, "document.review.required"),
    (Status.APPROVED, Status.NEEDS_REVIEW): Move(Kind.REOPENED, "document.review.required"),
    (Status.REJECTED, Status.NEEDS_REVIEW): Move(Kind.REOPENED, "document.review.required"),
}
# Whose turn it is in each status.
TURNS: Mapping[Status, str] = {
    Status.RECEIVED: "worker",
    Status.READING: "worker",
    Status.NEEDS_REVIEW: "reviewer",
    Status.APPROVED: "nobody",
    Status.REJECTED: "nobody",
    Status.FAILED: "supervisor",
}
FINAL = frozenset({Status.APPROVED, Status.REJECTED, Status.FAILED})


class NotPossible(Exception):
    """The document cannot become that from where it stands."""

    code = "not_possible"


class Overtaken(Exception):
    """Somebody else changed the document first: read it again. Nothing was written."""

    code = "stale_version"


def check_move(document: Document, to: Status) -> Move:
    """The move from where the document stands; raises NotPossible with a sentence. Look before calling outside."""
    move_ = MOVES.get((Status(document.status), to))
    if move_ is None:
        raise NotPossible(
            f"The document is {Status(document.status).label.lower()}; it cannot become {Status(to).label.lower()} from there."
        )
    return move_


def begin(document: Document, *, actor: str, codes: Mapping[str, object]) -> None:
    """Insert a new document as `received`, version 1, with its audit row and its event, in the caller's transaction."""
    document.status, document.version = Status.RECEIVED, 1
    document.save(force_insert=True)
    trail.record(
        Kind.INGESTED,
        tenant_id=document.tenant_id,
        document_id=document.pk,
        version=1,
        actor=actor,
        step="receive",
        codes=codes,
    )
    outbox.announce("document.received", document, data={"source": document.source})


def move(
    document: Document,
    to: Status,
    *,
    actor: str,
    expected_version: int,
    reason: str,
    codes: Mapping[str, object] | None = None,
    changes: Mapping[str, object] | None = None,
    fence: int | None = None,
) -> Document:
    """Change the status: row, exactly one audit row and the event in one transaction; the document is given back as it now is.

    `reason` is a code, `codes` goes into the audit row and the event, `changes` are other columns set in the same statement.
    With `fence`, only the worker that holds that lease succeeds. Raises NotPossible before anything is written and Overtaken when
    the version (or the lease) is no longer the one expected: then nothing was written either.
    """
    move_ = check_move(document, to)
    was = document.status
    with transaction.atomic():
        _update(document, to, expected_version=expected_version, changes=changes or {}, fence=fence)
        details = {"from": was, "to": str(to), "reason": reason, **(codes or {})}
        trail.record(
            move_.kind,
            tenant_id=document.tenant_id,
            document_id=document.pk,
            version=document.version,
            actor=actor,
            step=reason,
            codes=details,
        )
        outbox.announce(move_.event, document, data={**details, "actor": actor})
    log.event("moved", tenant=document.tenant_id, document=document.pk, status=to, kind=move_.kind, actor=actor)
    return document


def _update(
    document: Document, to: Status, *, expected_version: int, changes: Mapping[str, object], fence: int | None
) -> None:
    now = database_now()
    values = {"status": to, "version": expected_version + 1, "status_at": now, **_rest(to, now), **changes}
    held = {} if fence is None else {"fence": fence}
    changed = Document.objects.filter(pk=document.pk, status=document.status, version=expected_version, **held).update(
        **values
    )
    if changed != 1:
        raise Overtaken("The document was changed in the meantime. Load it again to see where it stands.")
    for name, value in values.items():
        setattr(document, name, value)


def _rest(to: Status, now: object) -> dict[str, object]:
    """What a status says about the work: final ones are finished, and only the worker's have a next step."""
    values: dict[str, object] = {"finished_at": now if to in FINAL else None}
    if TURNS[to] != "worker":
        values |= {"step": "", "due_at": None, "lease_until": None}
    return values


def database_now() -> datetime:
    """The database's clock: hosts disagree by seconds, and leases and deadlines must not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def diagram() -> str:
    """The table as a Mermaid state diagram, for docs/states.md."""
    lines = ["stateDiagram-v2", "    [*] --> received: INGESTED"]
    lines += [f"    {was} --> {to}: {move_.kind}" for (was, to), move_ in MOVES.items()]
    lines += [f"    {status} --> [*]" for status in Status if status in FINAL]
    return "\n".join(lines)


def of(document_id: UUID) -> Document:
    """The document as it now is; raises Document.DoesNotExist outside its tenant's scope."""
    document: Document = Document.objects.select_related("tenant", "document_type").get(pk=document_id)
    return document
