"""What a document may become, as one table, and move(): the only writer of Document.status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit import log, prepared, trail
from audit.models import Kind
from ocr import document_types, notices, outbox, rows
from ocr.models import Document, Status
from tenants import access

if TYPE_CHECKING:
    from tenants.models import AnyUser


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
# How a sentence speaks of each.
_WORDS = {
    Status.RECEIVED: gettext_lazy("received"),
    Status.READING: gettext_lazy("being read"),
    Status.NEEDS_REVIEW: gettext_lazy("waiting for review"),
    Status.APPROVED: gettext_lazy("approved"),
    Status.REJECTED: gettext_lazy("rejected"),
    Status.FAILED: gettext_lazy("failed"),
}


class NotPossible(Exception):
    """The document cannot become that from where it stands."""

    code = "not_possible"


class Overtaken(Exception):
    """Somebody else changed the document first: read it again. Nothing was written."""

    code = "stale_version"


def in_words(status: str) -> str:
    """The status inside a sentence, in the reader's language."""
    return str(_WORDS[Status(status)])


def check_move(document: Document, to: Status) -> Move:
    """The move from where the document stands; raises NotPossible with a sentence. Look before calling outside."""
    move_ = MOVES.get((Status(document.status), to))
    if move_ is None:
        raise NotPossible(
            _("The document is %(now)s; it cannot become %(then)s from there.")
            % {"now": in_words(document.status), "then": in_words(to)}
        )
    return move_


def begin(
    document: Document,
    *,
    actor: str,
    codes: Mapping[str, object],
    also: Sequence[trail.Entry] = (),
    parts: Sequence[Model] = (),
) -> None:
    """Insert a new document as `received`, version 1, with its audit row and its event, in the caller's transaction.

    `also` are further audit rows of the document and `parts` further rows that belong to it; all of it is one statement.
    """
    document.status, document.version = Status.RECEIVED, 1
    ingested = trail.Entry(
        kind=Kind.INGESTED,
        tenant_id=document.tenant_id,
        document_id=document.pk,
        version=1,
        actor=actor,
        step="receive",
        codes=codes,
    )
    begun = trail.begun([ingested, *also], at=document.received_at)
    rows.insert(document, outbox.received(document), *parts, *begun)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of status to make. `reason` is a code; `codes` goes into the audit row and the event; `changes` are other columns
    set in the same statement (Now() stands for the move's own time). With `fence`, only the holder of that lease succeeds. Its event
    goes out after `held`."""

    document: Document
    to: Status
    actor: str
    expected_version: int
    reason: str
    codes: Mapping[str, object] = field(default_factory=dict)
    changes: Mapping[str, object] = field(default_factory=dict)
    fence: int | None = None
    request_id: str | None = None
    held: timedelta = timedelta(0)


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
    held: timedelta = timedelta(0),
) -> Document:
    """Change the status: row, exactly one audit row and the event in one transaction; the document is given back as it now is.

    Raises NotPossible before anything is written and Overtaken when the version (or the lease) is no longer the one expected: then
    nothing was written either.
    """
    change = Change(
        document=document,
        to=to,
        actor=actor,
        expected_version=expected_version,
        reason=reason,
        codes=codes or {},
        changes=changes or {},
        fence=fence,
        held=held,
    )
    if not move_all([change]):
        raise Overtaken(_("The document was changed in the meantime. Load it again to see where it stands."))
    return document


def move_all(
    changes: Sequence[Change],
    *,
    before: Sequence[trail.Entry] = (),
    after: Sequence[trail.Entry] = (),
    now: datetime | None = None,
) -> list[Document]:
    """Make many changes of status in one transaction, as `move` makes one, and give the documents that were changed.

    `before` and `after` are further things to record about them, earlier and later in their chains than the moves themselves; `now`
    is the database's time, from a caller who has just asked.
    Whoever was overtaken is left out and left alone. Raises NotPossible, before anything is written, for a move that is none.
    """
    moves = {change.document.pk: check_move(change.document, change.to) for change in changes}
    with transaction.atomic(savepoint=False):  # who goes on after an error here has a savepoint of their own
        now = now or database_now()
        done = [change for group in _alike(changes, now) for change in _update(group)]
        moved = {change.document.pk for change in done}
        entries = [*before, *(_entry(change, moves[change.document.pk].kind) for change in done), *after]
        trail.append([entry for entry in entries if entry.document_id in moved])
        outbox.announce_all([_announcement(change, moves[change.document.pk].event) for change in done], at=now)
        notices.tell_all(notices.REST, [str(each.document.pk) for each in done if TURNS[each.to] != "worker"])
    for change in done:
        document = change.document
        log.event(
            "moved",
            tenant=document.tenant_id,
            document=document.pk,
            status=change.to,
            kind=moves[document.pk].kind,
            actor=change.actor,
        )
    return [change.document for change in done]


def _values(change: Change, now: datetime) -> dict[str, object]:
    """The columns that the change sets."""
    values = {"status": str(change.to), "version": change.expected_version + 1, "status_at": now}
    own = {name: now if isinstance(value, Now) else value for name, value in change.changes.items()}
    return {**values, **_rest(change.to, now), **own}


_Valued = tuple[Change, dict[str, object]]


def _alike(changes: Sequence[Change], now: datetime) -> Iterable[list[_Valued]]:
    """The changes with their values, in groups that set the same columns: each group is one statement."""
    groups: dict[tuple[str, ...], list[_Valued]] = {}
    for change in changes:
        values = _values(change, now)
        groups.setdefault(tuple(values), []).append((change, values))
    return groups.values()


def _update(group: Sequence[_Valued]) -> list[Change]:
    """Write the columns of changes that are alike; those that were not overtaken, their documents as they now are."""
    columns = {name: rows.column(Document, name) for name in group[0][1]}
    moved = rows.update(
        Document,
        {change.document.pk: {columns[name]: value for name, value in own.items()} for change, own in group},
        expected={
            change.document.pk: {
                "status": change.document.status,
                "version": change.expected_version,
                "fence": change.fence,
            }
            for change, _own in group
        },
    )
    done = []
    for change, own in group:
        if change.document.pk in moved:
            done.append(_remembering(change, change.document.status))
            for name, value in own.items():
                setattr(change.document, name, value)
    return done


def _remembering(change: Change, was: str) -> Change:
    """The change with what the trail says of it: its document has already moved on."""
    return replace(change, codes={"from": was, "to": str(change.to), "reason": change.reason, **change.codes})


def _entry(change: Change, kind: Kind) -> trail.Entry:
    return trail.Entry(
        kind=kind,
        tenant_id=change.document.tenant_id,
        document_id=change.document.pk,
        version=change.document.version,
        actor=change.actor,
        step=change.reason,
        codes=change.codes,
        request_id=change.request_id,
    )


def _announcement(change: Change, event: str) -> outbox.Announcement:
    return outbox.Announcement(event, change.document, {**change.codes, "actor": change.actor}, held=change.held)


def _rest(to: Status, now: object) -> dict[str, object]:
    """What a status says about the work: final ones are finished, and only the worker's have a next step."""
    values: dict[str, object] = {"finished_at": now if to in FINAL else None}
    if TURNS[to] != "worker":
        values |= {"step": "", "due_at": None, "lease_until": None}
    return values


def database_now() -> datetime:
    """The database's clock: hosts disagree by seconds, and leases and deadlines must not."""
    now: datetime = prepared.fetch("SELECT clock_timestamp()")[0][0]
    return now


def diagram() -> str:
    """The table as a Mermaid state diagram, for docs/states.md."""
    lines = ["stateDiagram-v2", "    [*] --> received: INGESTED"]
    lines += [f"    {was} --> {to}: {move_.kind}" for (was, to), move_ in MOVES.items()]
    lines += [f"    {status} --> [*]" for status in Status if status in FINAL]
    return "\n".join(lines)


def of(document_id: UUID) -> Document:
    """The document as it now is; raises Document.DoesNotExist outside its tenant's scope."""
    return _one(prepared.objects(Document, "WHERE ocr_document.id = $1::uuid", document_id, related="tenant"))


def seen(document_id: UUID, user: AnyUser) -> Document:
    """The document, if the user may see it; raises Document.DoesNotExist. Inside a scope."""
    return _one(prepared.objects(Document, _SEEN, document_id, access.visible_array(user), related="tenant"))


def several_seen(document_ids: Iterable[UUID], user: AnyUser) -> dict[UUID, Document]:
    """Those of the documents that the user may see, by id. Inside a scope."""
    asked = (prepared.array(document_ids), access.visible_array(user))
    found = prepared.objects(Document, _SEEN.replace("= $1::uuid", "= ANY ($1::uuid[])"), *asked, related="tenant")
    return {document.pk: _typed(document) for document in found}


def locked(document_id: UUID, user: AnyUser) -> Document:
    """The document, if the user may see it, its row locked until the transaction ends; raises Document.DoesNotExist. Inside a scope."""
    locking = f"{_SEEN} FOR UPDATE OF ocr_document"
    return _one(prepared.objects(Document, locking, document_id, access.visible_array(user), related="tenant"))


# What `visible_to` says, for one document, planned once: every look at a document, and every decision, begins with it.
_SEEN = "WHERE ocr_document.id = $1::uuid AND ($2::uuid[] IS NULL OR ocr_document.tenant_id = ANY ($2::uuid[]))"


def _one(found: list[Document]) -> Document:
    if not found:
        raise Document.DoesNotExist("There is no such document here.")
    return _typed(found[0])


def _typed(document: Document) -> Document:
    """With its type, which every process has at hand."""
    document.document_type = document_types.row(document.document_type_id) if document.document_type_id else None
    return document
