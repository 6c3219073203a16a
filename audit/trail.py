"""The only way into the audit trail, and the ways out of it: record, timeline, verify.

A link's hash is SHA-256 over the previous link's hash and the row as canonical JSON: keys sorted, no blanks, ASCII, times as
ISO 8601 UTC with six decimals. Anyone can check a JSON Lines export with twenty lines of any language; docs/audit.md has them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from audit import log
from audit.models import AuditEvent, AuditHead, Kind

HASHED = (
    "chain", "seq", "tenant_id", "document_id", "version", "kind", "at", "actor", "step", "codes", "request_id", "previous_hash",
)  # fmt: skip
# The kinds of things `codes` may hold. Values of fields and file names have no place in a row that cannot be deleted.
CODE_KEYS = frozenset(
    {"field", "fields", "reason", "reasons", "code", "codes", "from", "to", "count", "counts", "pages", "sha256", "bytes"}
    | {"operation", "features", "job_id", "token", "extraction", "model_version", "content_type", "source", "priority"}
    | {"document_type", "type_version", "problems", "straight_through", "decision", "corrected", "confirmed", "absent"}
    | {"unreadable", "overridden", "event", "event_id", "target", "user", "role", "key", "kind", "format", "claim", "change"}
    | {"duplicate_of", "artifact", "attempt", "external_id_given", "previous_holder", "version"}
)


@dataclass(frozen=True, slots=True)
class Break:
    """The first link of a chain that does not hold, and why."""

    chain: str
    seq: int
    reason: str


def record(
    kind: Kind,
    *,
    tenant_id: UUID,
    actor: str,
    document_id: UUID | str | None = None,
    version: int | None = None,
    step: str = "",
    codes: Mapping[str, object] | None = None,
) -> AuditEvent:
    """Append one event to its chain, in the caller's transaction, and give it back.

    Must run inside the transaction that makes the change it describes. Raises ValueError for a code key that is not on the list.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An audit row is written in the transaction of the change it describes.")
    chain = f"document:{document_id}" if document_id else f"tenant:{tenant_id}"
    seq, previous_hash, at = _lock_head(chain, tenant_id)
    event = AuditEvent(
        chain=chain,
        seq=seq + 1,
        tenant_id=tenant_id,
        document_id=str(document_id or ""),
        version=version,
        kind=kind,
        at=at,
        actor=actor,
        step=step,
        codes=_checked(codes or {}),
        request_id=log.request_id(),
        previous_hash=previous_hash,
    )
    event.hash = digest(event)
    event.save(force_insert=True)
    AuditHead.objects.filter(chain=chain, seq=seq).update(seq=event.seq, hash=event.hash)
    return event


def _checked(codes: Mapping[str, object]) -> dict[str, object]:
    unknown = codes.keys() - CODE_KEYS
    if unknown:
        raise ValueError(f"audit codes {sorted(unknown)} are not in audit.trail.CODE_KEYS")
    return dict(codes)


def _lock_head(chain: str, tenant_id: UUID) -> tuple[int, str, datetime]:
    """The chain's last link, locked until commit, and the database's clock: every host writes the same time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_audithead (chain, tenant_id, seq, hash) VALUES (%s, %s, 0, '') ON CONFLICT DO NOTHING",
            [chain, tenant_id],
        )
        cursor.execute("SELECT seq, hash, clock_timestamp() FROM audit_audithead WHERE chain = %s FOR UPDATE", [chain])
        seq, digest_, at = cursor.fetchone()
    return seq, digest_, at


def digest(event: AuditEvent) -> str:
    """The link's hash, 64 hex digits."""
    return hashlib.sha256(canonical(as_dict(event)).encode()).hexdigest()


def canonical(row: Mapping[str, object]) -> str:
    return json.dumps({name: row[name] for name in HASHED}, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def as_dict(event: AuditEvent) -> dict[str, Any]:
    """The event with JSON types, `hash` included: one line of a JSON Lines export."""
    row: dict[str, Any] = {name: getattr(event, name) for name in (*HASHED, "hash")}
    row["tenant_id"] = str(event.tenant_id)
    row["kind"] = str(event.kind)
    row["at"] = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    return row


def timeline(document_id: UUID | str) -> QuerySet[AuditEvent]:
    """A document's events, oldest first."""
    return AuditEvent.objects.filter(chain=f"document:{document_id}").order_by("seq")


def verify(chains: Iterable[str] | None = None) -> list[Break]:
    """The first broken link of every chain that does not hold; an empty list is the only good answer.

    Reads all chains, or the named ones, in one pass of flat memory. Finds edits, deletions, insertions, reorderings and cut-off
    tails; a chain that is gone altogether is found by its head, and a head that is gone by its chain.
    """
    heads = AuditHead.objects.order_by("chain")
    events = AuditEvent.objects.order_by("chain", "seq")
    if chains is not None:
        wanted = list(chains)
        heads, events = heads.filter(chain__in=wanted), events.filter(chain__in=wanted)
    expected = {head.chain: (head.seq, head.hash) for head in heads.iterator(2000)}
    breaks = list(_broken(events.iterator(2000), expected))
    breaks.extend(Break(chain, 1, "every event of the chain is gone") for chain, (seq, _hash) in expected.items() if seq)
    return sorted(breaks, key=lambda found: found.chain)


def _broken(events: Iterator[AuditEvent], expected: dict[str, tuple[int, str]]) -> Iterator[Break]:
    """Breaks of the chains in `events` (sorted by chain); takes each chain's head out of `expected`."""
    last: AuditEvent | None = None
    broken = False
    for event in events:
        if last is None or event.chain != last.chain:
            if last is not None and not broken:
                yield from _tail(last, expected)
            last, broken = None, False
        reason = "" if broken else _fault(event, last)
        if reason:
            broken = True
            expected.pop(event.chain, None)
            yield Break(event.chain, event.seq, reason)
        last = event
    if last is not None and not broken:
        yield from _tail(last, expected)


def _fault(event: AuditEvent, last: AuditEvent | None) -> str:
    if event.seq != (last.seq + 1 if last else 1):
        return "an event before this one is gone or was moved"
    if event.previous_hash != (last.hash if last else ""):
        return "it does not follow from the event before it"
    if event.hash != digest(event):
        return "its content was changed"
    return ""


def _tail(last: AuditEvent, expected: dict[str, tuple[int, str]]) -> Iterator[Break]:
    head = expected.pop(last.chain, None)
    if head is None:
        yield Break(last.chain, last.seq, "the head of the chain is gone")
    elif head != (last.seq, last.hash):
        yield Break(last.chain, last.seq + 1, "events after this point are gone, or the head was changed")
