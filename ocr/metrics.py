"""Numbers about documents, measured from what happened to them: what the dashboard and `GET /ocr/queue` show.

None of them counts documents: the sums are ocr.tallies', the oldest one is the first of an index. Percentiles are right to
tallies.RESOLUTION; every other figure is exact.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from audit import prepared
from ocr import lifecycle, tallies
from ocr.models import Priority, Status
from tenants import access

if TYPE_CHECKING:
    from tenants.models import AnyUser

PERIODS = dict(zip(("today", "7d", "30d"), tallies.SPANS, strict=True))  # how long each of the BARS is, in minutes
BARS = 48
RECENT = timedelta(minutes=15)  # what the queue calls the present


@dataclass(slots=True)
class Bucket:
    """One of the BARS equal parts of a period; `straight` and `reviewed` by when they were received, `waiting` at its end."""

    at: datetime
    straight: int = 0
    reviewed: int = 0
    waiting: int = 0
    results: tallies.Durations = field(default_factory=tallies.Durations)


@dataclass(frozen=True, slots=True)
class Figures:
    """One period's figures. Durations in seconds, None when nothing was measured."""

    since: datetime
    until: datetime
    received: int
    finished: int
    waiting: int
    oldest_seconds: float | None
    results: tallies.Durations
    straight_through: int
    reviewed: int
    failed: int
    per_minute: float
    reasons: list[tuple[str, int]]
    buckets: list[Bucket]

    @property
    def straight_through_share(self) -> float | None:
        """Of the documents read in the period, how many needed nobody; 0-1."""
        read = self.straight_through + self.reviewed
        return self.straight_through / read if read else None


@dataclass(frozen=True, slots=True)
class Queue:
    """The documents that workers have to do with now, and how long those of the last minutes took from receipt to result.

    Seconds, None where there is nothing to measure; `p95_seconds` is right to 2.5 %. `by_priority` counts queued and processing.
    """

    queued: int
    processing: int
    oldest_seconds: float | None
    average_seconds: float | None
    p95_seconds: float | None
    per_minute: float
    by_priority: dict[str, int]


def queue(user: AnyUser) -> Queue:
    """The work that lies before the workers, of what `user` may see; inside a scope."""
    now = lifecycle.database_now()
    standing = tallies.now(user)
    since = tallies.span_of(now, tallies.MINUTE) - RECENT
    read = [row for row in tallies.over(user, span=tallies.MINUTE, since=since) if row.name == "read"]
    first = since + timedelta(minutes=min((row.place for row in read), default=0))
    took = tallies.Durations()
    for row in read:
        took.include(row)
    by_priority = {
        priority.name.lower(): sum(standing[status, priority] for status in (Status.RECEIVED, Status.READING))
        for priority in Priority
    }
    return Queue(
        queued=_standing(standing, Status.RECEIVED),
        processing=_standing(standing, Status.READING),
        oldest_seconds=_age(_oldest(user, Status.RECEIVED, Status.READING), now),
        average_seconds=took.average,
        p95_seconds=took.percentile(95),
        per_minute=_rate(took.count, first, now),
        by_priority=by_priority,
    )


def waiting(user: AnyUser, *, tenants: list[UUID] | None = None) -> int:
    """How many documents wait for a person, of what `user` may see, or of these tenants; inside a scope."""
    return _standing(tallies.now(user, tenants=tenants), Status.NEEDS_REVIEW)


def oldest_waiting(user: AnyUser, *, tenants: list[UUID] | None = None) -> datetime | None:
    """When the document that waits for a person longest was received; inside a scope."""
    return _oldest(user, Status.NEEDS_REVIEW, tenants=tenants)


def figures(user: AnyUser, *, period: str = "today") -> Figures:
    """The figures of what `user` may see, of the BARS last spans, the present one included; inside a scope."""
    until, span = lifecycle.database_now(), PERIODS[period]
    since = tallies.span_of(until, span) - (BARS - 1) * timedelta(minutes=span)
    rows = tallies.over(user, span=span, since=since)
    totals: dict[str, int] = defaultdict(int)
    results = tallies.Durations()
    for row in rows:
        totals[row.name] += row.n
        if row.name == "result":
            results.include(row)
    now_waiting = waiting(user)
    buckets = _buckets(rows, since, span, now_waiting)
    return Figures(
        since=since,
        until=until,
        received=totals.get("received", 0),
        finished=totals.get("finished", 0),
        waiting=now_waiting,
        oldest_seconds=_age(oldest_waiting(user), until) if now_waiting else None,
        results=results,
        straight_through=totals.get("straight", 0),
        reviewed=totals.get("reviewed", 0),
        failed=totals.get("failed", 0),
        per_minute=_rate(totals.get("received", 0), _first(user, since) or until, until),
        reasons=_reasons(totals),
        buckets=buckets,
    )


def _standing(standing: Any, status: Status) -> int:
    return sum(standing[status, priority] for priority in Priority)


def _rate(count: int, since: datetime, now: datetime) -> float:
    """Per minute since the first one: an average over the whole time would hide a busy hour after a quiet day."""
    return count / max(1.0, (now - since).total_seconds() / 60)


def _age(moment: datetime | None, now: datetime) -> float | None:
    return (now - moment).total_seconds() if moment else None


def _reasons(totals: dict[str, int]) -> list[tuple[str, int]]:
    found = [(name.removeprefix("reason."), n) for name, n in totals.items() if name.startswith("reason.")]
    return sorted(found, key=lambda each: (-each[1], each[0]))


def _buckets(rows: list[tallies.Tallied], since: datetime, span: int, now_waiting: int) -> list[Bucket]:
    width = timedelta(minutes=span)
    buckets = [Bucket(at=since + index * width) for index in range(BARS)]
    change = [0] * BARS
    for row in rows:
        index = min(row.place, BARS - 1)
        if row.name == "result":
            buckets[index].results.include(row)
        elif row.name == "straight":
            buckets[index].straight += row.n
        elif row.name == "reviewed":
            buckets[index].reviewed += row.n
        elif row.name == "waiting":
            change[index] += row.n
    # Backwards from what is so now: what came to wait later was not waiting yet, what left later still was.
    for index in reversed(range(BARS)):
        buckets[index].waiting = now_waiting
        now_waiting -= change[index]
    return buckets


# --- Firsts -------------------------------------------------------------------------------------------------------


# When the first of some documents was received: of each tenant (those in $2) one look at an index.
_FIRST = """
    SELECT min(head) FROM (
        SELECT (SELECT received_at FROM ocr_document AS document
                 WHERE document.tenant_id = tenants_tenant.id AND {which} ORDER BY received_at LIMIT 1) AS head
          FROM tenants_tenant {of_tenants}
    ) AS heads
"""
_OF_TENANTS = "WHERE tenants_tenant.id = ANY ($2::uuid[])"


def _oldest(user: AnyUser, *statuses: Status, tenants: list[UUID] | None = None) -> datetime | None:
    heads = [_least("document.status = $1::text", str(status), _tenants(user, tenants)) for status in statuses]
    return min((head for head in heads if head), default=None)


def _first(user: AnyUser, since: datetime) -> datetime | None:
    return _least("document.received_at >= $1::timestamptz", since, _tenants(user))


def _tenants(user: AnyUser, tenants: list[UUID] | None = None) -> list[UUID] | None:
    """None is every tenant."""
    return access.visible_tenants(user) if tenants is None else tenants


def _least(which: str, asked: object, tenants: list[UUID] | None) -> datetime | None:
    if tenants is None:
        [(head,)] = prepared.fetch(_FIRST.format(which=which, of_tenants=""), asked)
    else:
        [(head,)] = prepared.fetch(_FIRST.format(which=which, of_tenants=_OF_TENANTS), asked, prepared.array(tenants))
    return head  # type: ignore[no-any-return]
