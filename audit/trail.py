"""The only way into the audit trail, and the ways out of it: record, timeline, verify and examine.

A link's hash is SHA-256 over the previous link's hash and the row as canonical JSON: keys sorted, no blanks, ASCII, times as
ISO 8601 UTC with six decimals. Anyone can check a JSON Lines export with twenty lines of any language; docs/audit.md has them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from audit import log, prepared
from audit.models import AuditEvent, AuditHead, Kind

HASHED = (
    "chain", "seq", "tenant_id", "document_id", "version", "kind", "at", "actor", "step", "codes", "request_id", "previous_hash",
)  # fmt: skip
# The kinds of things `codes` may hold. Values of fields and file names have no place in a row that cannot be deleted.
CODE_KEYS = frozenset(
    {
        "field",
        "fields",
        "reason",
        "reasons",
        "code",
        "codes",
        "from",
        "to",
        "count",
        "counts",
        "pages",
        "sha256",
        "bytes",
    }
    | {"operation", "features", "job_id", "token", "extraction", "model_version", "content_type", "source", "priority"}
    | {"document_type", "type_version", "problems", "straight_through", "decision", "corrected", "confirmed", "absent"}
    | {
        "unreadable",
        "overridden",
        "event",
        "event_id",
        "target",
        "user",
        "role",
        "key",
        "kind",
        "format",
        "claim",
        "change",
    }
    | {"duplicate_of", "split_of", "artifact", "attempt", "external_id_given", "previous_holder", "version", "batch"}
    | {"missed", "added", "removed", "sources", "words"}
    | {"differs", "comment", "person"}
)


_Parameters = dict[str, str | int | list[str] | None]


@dataclass(frozen=True, slots=True)
class Break:
    """The first link of a chain that does not hold, and why."""

    chain: str
    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Examination:
    """What following the chains found: how much was looked at, and the breaks by chain."""

    chains: int
    events: int
    breaks: tuple[Break, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event to append. `request_id` is the one at work unless another caused it."""

    kind: Kind
    tenant_id: UUID
    actor: str
    document_id: UUID | str | None = None
    version: int | None = None
    step: str = ""
    codes: Mapping[str, object] | None = None
    request_id: str | None = None

    @property
    def chain(self) -> str:
        return f"document:{self.document_id}" if self.document_id else f"tenant:{self.tenant_id}"


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
    entry = Entry(
        kind=kind,
        tenant_id=tenant_id,
        actor=actor,
        document_id=document_id,
        version=version,
        step=step,
        codes=codes,
    )
    return record_all([entry])[0]


def begun(entries: Sequence[Entry], *, at: datetime) -> list[AuditHead | AuditEvent]:
    """The rows of chains that begin with these events at the database's time `at`, for whoever writes them together with what they
    describe. Writing them raises IntegrityError for a chain that is there already."""
    events = [_as_event(link) for link in _linked(entries, [_checked(entry.codes or {}) for entry in entries], {}, at)]
    last = {event.chain: event for event in events}
    heads = [
        AuditHead(chain=event.chain, tenant_id=event.tenant_id, seq=event.seq, hash=event.hash)
        for event in last.values()
    ]
    return [*heads, *events]


def record_all(entries: Sequence[Entry]) -> list[AuditEvent]:
    """Append many events as `append` does, and give them back."""
    events = [_as_event(link) for link in append(entries)]
    for event in events:
        event._state.adding, event._state.db = False, connection.alias
    return events


Link = dict[str, Any]  # a row with JSON types: what is hashed, and its hash


def append(entries: Sequence[Entry]) -> list[Link]:
    """Append many events, each chain's in the order given, with a handful of statements however many they are.

    Same rules as `record`. Chains are locked in the order of their names, so two batches never wait for each other in a ring.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "An audit row is written in the transaction of the change it describes."
        )
    if not entries:
        return []
    checked = [_checked(entry.codes or {}) for entry in entries]
    tenants = {entry.chain: entry.tenant_id for entry in entries}
    heads, now = _lock_heads(tenants)
    links = _linked(entries, checked, heads, now)
    last = {link["chain"]: link for link in links}
    begun_elsewhere = _begin_chains([link for chain, link in last.items() if chain not in heads])
    if begun_elsewhere:
        heads |= _lock_heads({chain: tenants[chain] for chain in begun_elsewhere})[0]
        if not begun_elsewhere <= heads.keys():
            raise ValueError(f"The audit chain {min(begun_elsewhere - heads.keys())} belongs to another tenant.")
        links = _linked(entries, checked, heads, now)
        last = {link["chain"]: link for link in links}
    _insert(links)
    _advance_heads([link for chain, link in last.items() if chain in heads])  # the database looks for the event
    return links


def _linked(
    entries: Sequence[Entry],
    checked: Sequence[dict[str, object]],
    heads: Mapping[str, tuple[int, str]],
    now: datetime,
) -> list[Link]:
    """The events with their numbers and hashes, following the heads."""
    ends = dict(heads)
    at = _told(now)
    links = []
    for entry, codes in zip(entries, checked, strict=True):
        chain = entry.chain
        seq, previous_hash = ends.get(chain, (0, ""))
        link: Link = {
            "chain": chain,
            "seq": seq + 1,
            "tenant_id": str(entry.tenant_id),
            "document_id": str(entry.document_id or ""),
            "version": entry.version,
            "kind": str(entry.kind),
            "at": at,
            "actor": entry.actor,
            "step": entry.step,
            "codes": codes,
            "request_id": log.request_id() if entry.request_id is None else entry.request_id,
            "previous_hash": previous_hash,
        }
        link["hash"] = _hash(link)
        ends[chain] = (seq + 1, link["hash"])
        links.append(link)
    return links


def _as_event(link: Link) -> AuditEvent:
    own = {"tenant_id": UUID(link["tenant_id"]), "kind": Kind(link["kind"]), "at": datetime.fromisoformat(link["at"])}
    return AuditEvent(**{**link, **own})


def _checked(codes: Mapping[str, object]) -> dict[str, object]:
    """The codes as the database gives them back: what is hashed has to be what is read again."""
    unknown = codes.keys() - CODE_KEYS
    if unknown:
        raise ValueError(f"audit codes {sorted(unknown)} are not in audit.trail.CODE_KEYS")
    kept: dict[str, object] = _READS.decode(_WRITES.encode(codes))
    return kept


def _refuse_fraction(text: str) -> None:
    """jsonb writes 1e16, -0.0 and the like in another way than they came: their hash would not hold."""
    raise ValueError(f"audit codes hold whole numbers; write {text} as text")


_WRITES = json.JSONEncoder()
_READS = json.JSONDecoder(parse_float=_refuse_fraction, parse_constant=_refuse_fraction)

# One look locks the chains that exist, in the order of their names, and reads the database's clock: every host writes the same time.
_LOCK = """
    WITH head AS MATERIALIZED (
        SELECT chain, tenant_id, seq, hash FROM audit_audithead WHERE chain = ANY ($1::text[]) ORDER BY chain FOR UPDATE
    )
    SELECT chain, tenant_id, seq, hash, clock_timestamp() FROM (VALUES (1)) AS one LEFT JOIN head ON true
"""


def _lock_heads(tenants: Mapping[str, UUID]) -> tuple[dict[str, tuple[int, str]], datetime]:
    """The last links of those chains that there are, locked until commit, and the time."""
    rows = prepared.fetch(_LOCK, list(tenants))
    heads = {}
    for chain, tenant_id, seq, digest_, _now in rows:
        if chain is None:
            continue
        if tenant_id != tenants[chain]:
            raise ValueError(f"The audit chain {chain} belongs to another tenant.")
        heads[chain] = (seq, digest_)
    return heads, rows[0][-1]


_BEGIN = """
    INSERT INTO audit_audithead (chain, tenant_id, seq, hash)
    SELECT chain, tenant_id::uuid, seq, hash
      FROM unnest($1::text[], $2::text[], $3::int[], $4::text[]) AS new (chain, tenant_id, seq, hash)
        ON CONFLICT DO NOTHING RETURNING chain
"""


def _begin_chains(links: Sequence[Link]) -> set[str]:
    """Write the heads of new chains; the names of those that somebody else began in the meantime."""
    if not links:
        return set()
    begun = prepared.fetch(_BEGIN, *_columns(links, "chain", "tenant_id", "seq", "hash"))
    return {link["chain"] for link in links} - {chain for (chain,) in begun}


_WRITTEN = ", ".join((*HASHED, "hash"))
_INSERT = f"""
    INSERT INTO audit_auditevent ({_WRITTEN}) SELECT {_WRITTEN} FROM jsonb_populate_recordset(NULL::audit_auditevent, $1::jsonb)
    RETURNING id
"""


def _insert(links: Sequence[Link]) -> None:
    """Write the rows just as they were hashed; the table's own type says how each value is read."""
    keys = prepared.fetch(_INSERT, _WRITES.encode(links))
    for link, (key,) in zip(links, keys, strict=True):
        link["id"] = key


_ADVANCE = """
    UPDATE audit_audithead AS head SET seq = new.seq, hash = new.hash
      FROM unnest($1::text[], $2::int[], $3::text[]) AS new (chain, seq, hash) WHERE head.chain = new.chain
"""


def _advance_heads(links: Sequence[Link]) -> None:
    if links:
        prepared.fetch(_ADVANCE, *_columns(links, "chain", "seq", "hash"))


def _columns(links: Sequence[Link], *names: str) -> list[list[Any]]:
    return [[link[name] for link in links] for name in names]


def digest(event: AuditEvent) -> str:
    """The link's hash, 64 hex digits."""
    return _hash(as_dict(event))


def _hash(row: Mapping[str, object]) -> str:
    return hashlib.sha256(canonical(row).encode()).hexdigest()


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def canonical(row: Mapping[str, object]) -> str:
    return _CANONICAL.encode({name: row[name] for name in HASHED})


def as_dict(event: AuditEvent) -> dict[str, Any]:
    """The event with JSON types, `hash` included: one line of a JSON Lines export."""
    row: dict[str, Any] = {name: getattr(event, name) for name in (*HASHED, "hash")}
    row["tenant_id"] = str(event.tenant_id)
    row["kind"] = str(event.kind)
    row["at"] = _told(event.at)
    return row


def _told(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def timeline(document_id: UUID | str) -> QuerySet[AuditEvent]:
    """A document's events, oldest first."""
    return AuditEvent.objects.filter(chain=f"document:{document_id}").order_by("seq")


def verify(chains: Iterable[str] | None = None) -> list[Break]:
    """The first broken link of every chain that does not hold; an empty list is the only good answer.

    Looks at all chains, or the named ones, as examine() does.
    """
    return list(examine(chains).breaks)


def examine(chains: Iterable[str] | None = None, *, tenant_ids: Collection[UUID] | None = None) -> Examination:
    """How many chains and events were followed, and the first break of each chain that does not hold.

    Looks at all chains, the named ones, or those of some tenants, in one pass of flat memory, while others go on writing. Finds
    edits, deletions, insertions, reorderings and cut-off tails; a chain whose events are all gone is found by its head, and a
    head that is gone by its chain.
    """
    only: _Parameters = {
        "chains": None if chains is None else list(chains),
        "tenants": None if tenant_ids is None else [str(tenant_id) for tenant_id in tenant_ids],
    }
    followed, events = 0, 0
    breaks: list[Break] = []
    for chain, links in groupby(_links(only), key=lambda link: link.chain):
        count, found = _follow(chain, links)
        followed, events = followed + 1, events + count
        breaks += [found] if found else []
    emptied = [Break(chain, 1, "every event of the chain is gone") for chain in _emptied(only)]
    in_order = sorted([*breaks, *emptied], key=lambda found: found.chain)
    return Examination(chains=followed + len(emptied), events=events, breaks=tuple(in_order))


class _Link(NamedTuple):
    """A row as the database has it, and the head of its chain as it was in the same instant."""

    id: int
    chain: str
    seq: int
    tenant_id: str
    document_id: str
    version: int | None
    kind: str
    at: str
    actor: str
    step: str
    codes: str
    request_id: str
    previous_hash: str
    hash: str
    head_seq: int | None
    head_hash: str | None
    head_tenant_id: str | None


_PAGE_ROWS = 2000
# The join begins at the page's first chain; else every page would read all heads before it.
# Times and codes come as text: what somebody else wrote there (the year 44 BC) must end in a break, not in an error.
_PAGE = """
    SELECT e.id, e.chain, e.seq, e.tenant_id::text, e.document_id, e.version, e.kind,
           CASE WHEN e.at < '0001-01-01' THEN 'BC' ELSE to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') END,
           e.actor, e.step, e.codes::text, e.request_id,
           e.previous_hash, e.hash, h.seq, h.hash, h.tenant_id::text
      FROM audit_auditevent e LEFT JOIN audit_audithead h ON h.chain = e.chain AND h.chain >= %(chain)s
     WHERE (e.chain, e.seq, e.id) > (%(chain)s, %(seq)s, %(id)s)
       AND (%(chains)s::text[] IS NULL OR e.chain = ANY (%(chains)s::text[]))
       AND (%(tenants)s::uuid[] IS NULL OR e.tenant_id = ANY (%(tenants)s::uuid[]))
     ORDER BY e.chain, e.seq, e.id LIMIT %(rows)s
"""
_EMPTIED = """
    SELECT h.chain FROM audit_audithead h
     WHERE NOT EXISTS (SELECT 1 FROM audit_auditevent e WHERE e.chain = h.chain)
       AND (%(chains)s::text[] IS NULL OR h.chain = ANY (%(chains)s::text[]))
       AND (%(tenants)s::uuid[] IS NULL OR h.tenant_id = ANY (%(tenants)s::uuid[]))
"""


def _links(only: _Parameters) -> Iterator[_Link]:
    """The links by chain and number. Each page is one statement, so that its rows and heads belong together."""
    after: _Parameters = {"chain": "", "seq": -1, "id": 0}
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_PAGE, {**only, **after, "rows": _PAGE_ROWS})
            page = [_Link._make(row) for row in cursor.fetchall()]
        yield from page
        if len(page) < _PAGE_ROWS:
            return
        after = {"chain": page[-1].chain, "seq": page[-1].seq, "id": page[-1].id}


def _emptied(only: _Parameters) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_EMPTIED, only)
        return [chain for (chain,) in cursor.fetchall()]


def _follow(chain: str, links: Iterable[_Link]) -> tuple[int, Break | None]:
    """How many links the chain has, and its first break."""
    last: _Link | None = None
    found: Break | None = None
    count = 0
    for link in links:
        reason = "" if found else _fault(link, last)
        if reason:
            found = Break(chain, link.seq, reason)
        last, count = link, count + 1
    assert last  # groupby makes no empty groups
    return count, found or _end(last)


def _fault(link: _Link, last: _Link | None) -> str:
    if link.seq != (last.seq + 1 if last else 1):
        return "an event before this one is gone or was moved"
    if link.previous_hash != (last.hash if last else ""):
        return "it does not follow from the event before it"
    if link.hash != _hash_of(link):
        return "its content was changed"
    return ""


def _hash_of(link: _Link) -> str:
    row = {name: getattr(link, name) for name in HASHED}
    try:
        row["codes"] = json.loads(link.codes)
    except ValueError:  # a number of more digits than Python reads: record() never wrote that
        return ""
    return _hash(row)


def _end(last: _Link) -> Break | None:
    """What the head says about the end of a chain whose links hold."""
    if last.head_seq is None:
        return Break(last.chain, last.seq, "the head of the chain is gone")
    if last.head_seq < last.seq:
        return Break(
            last.chain,
            last.head_seq + 1,
            "the head of the chain ends before it",
        )
    if (last.head_seq, last.head_hash) != (last.seq, last.hash):
        return Break(last.chain, last.seq + 1, "events after this point are gone, or the head was changed")
    if last.head_tenant_id != last.tenant_id:
        return Break(last.chain, last.seq, "the head belongs to another tenant")
    return None
