"""Numbers about documents, measured from the rows: what the dashboard and `GET /ocr/queue` show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Aggregate, Avg, Count, DurationField, ExpressionWrapper, F, Min, Q

from ocr import lifecycle
from ocr.models import Document, Status

if TYPE_CHECKING:
    from tenants.models import AnyUser

PERIODS = {"today": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
BARS = 48


class _P95(Aggregate):
    """The value that 95 of 100 rows do not exceed."""

    function = "percentile_cont"
    template = "%(function)s(0.95) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


@dataclass(frozen=True, slots=True)
class Figures:
    """One period's figures. Durations in seconds, None when nothing was measured."""

    since: datetime
    until: datetime
    received: int
    finished: int
    waiting: int
    oldest_seconds: float | None
    result_average_seconds: float | None
    result_p95_seconds: float | None
    straight_through: int
    reviewed: int
    failed: int
    per_minute: float
    reasons: list[tuple[str, int]]
    buckets: list[dict[str, Any]]

    @property
    def straight_through_share(self) -> float | None:
        """Of the documents read in the period, how many needed nobody; 0-1."""
        read = self.straight_through + self.reviewed
        return self.straight_through / read if read else None


def figures(user: AnyUser, *, period: str = "today") -> Figures:
    """The figures of what `user` may see, on the database's clock. One pass per figure, all in the caller's transaction."""
    until = lifecycle.database_now()
    since = until - PERIODS[period]
    mine = Document.objects.visible_to(user)
    arrived = mine.filter(received_at__gte=since)
    read = arrived.exclude(straight_through=None)
    counts = arrived.aggregate(
        received=Count("pk"),
        straight=Count("pk", filter=Q(straight_through=True)),
        reviewed=Count("pk", filter=Q(straight_through=False)),
        failed=Count("pk", filter=Q(status=Status.FAILED)),
        finished=Count("pk", filter=Q(finished_at__isnull=False)),
    )
    waiting = mine.filter(status=Status.NEEDS_REVIEW).aggregate(count=Count("pk"), oldest=Min("received_at"))
    result_time = ExpressionWrapper(F("read_at") - F("received_at"), output_field=DurationField())
    times = read.filter(read_at__isnull=False).aggregate(average=Avg(result_time), p95=_P95(result_time))
    minutes = _minutes(arrived, until)
    return Figures(
        since=since,
        until=until,
        received=counts["received"],
        finished=counts["finished"],
        waiting=waiting["count"],
        oldest_seconds=(until - waiting["oldest"]).total_seconds() if waiting["oldest"] else None,
        result_average_seconds=_seconds(times["average"]),
        result_p95_seconds=_seconds(times["p95"]),
        straight_through=counts["straight"],
        reviewed=counts["reviewed"],
        failed=counts["failed"],
        per_minute=counts["received"] / minutes if minutes else 0.0,
        reasons=_reasons(arrived),
        buckets=_buckets(arrived, since, until),
    )


def _minutes(arrived: Any, until: datetime) -> float:
    """How long documents have been arriving in the period: a day's average would hide a busy hour."""
    first = arrived.aggregate(first=Min("received_at"))["first"]
    return 0.0 if first is None else max(1.0, (until - first).total_seconds() / 60)


def _reasons(arrived: Any) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for codes in arrived.filter(straight_through=False).values_list("review_reasons", flat=True):
        for code in codes:
            found[code] = found.get(code, 0) + 1
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))


def _buckets(arrived: Any, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """The period in BARS equal parts: received straight through and reviewed, and the times to a result."""
    width = (until - since) / BARS
    buckets: list[dict[str, Any]] = [
        {"at": since + index * width, "straight": 0, "reviewed": 0, "seconds": [], "waiting": 0}
        for index in range(BARS)
    ]
    columns = ("received_at", "read_at", "straight_through", "finished_at", "status")
    for received_at, read_at, straight, finished_at, status in arrived.values_list(*columns).iterator(5000):
        index = min(int((received_at - since) / width), BARS - 1)
        if straight is not None:
            buckets[index]["straight" if straight else "reviewed"] += 1
        if read_at:
            buckets[index]["seconds"].append((read_at - received_at).total_seconds())
        if straight is False:
            last = min(int((finished_at - since) / width), BARS - 1) if finished_at else BARS - 1
            for waiting in range(index, last + (status == Status.NEEDS_REVIEW or last > index)):
                if waiting < BARS:
                    buckets[waiting]["waiting"] += 1
    return buckets


def _seconds(span: timedelta | None) -> float | None:
    return span.total_seconds() if span is not None else None
