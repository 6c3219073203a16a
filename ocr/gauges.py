"""What `GET /metrics` tells a monitoring system, in Prometheus' text format: counts, ages and rates; no names, no values.

*Source of the format: Prometheus, Exposition formats, text format 0.0.4.*
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Min, QuerySet

from ocr import lifecycle, tallies
from ocr.models import Beat, Document, OutboxEvent, Priority, Quota
from tenants import scope
from tenants.models import Tenant

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Value:
    """One line: a number, and what it is of."""

    number: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gauge:
    """One measure. `kind` is gauge, or counter for what only ever grows."""

    name: str
    help: str
    values: Callable[[datetime], Iterator[Value]]
    kind: str = "gauge"


def text() -> str:
    """Every gauge as it is now."""
    with scope.everything():  # numbers of the whole machine, for whoever runs it
        now = lifecycle.database_now()
        return "".join(line for gauge in GAUGES for line in _lines(gauge, now))


def _lines(gauge: Gauge, now: datetime) -> Iterator[str]:
    yield f"# HELP dtat_{gauge.name} {gauge.help}\n# TYPE dtat_{gauge.name} {gauge.kind}\n"
    for value in gauge.values(now):
        labels = ",".join(f'{name}="{_escaped(text)}"' for name, text in value.labels.items())
        yield f"dtat_{gauge.name}{f'{{{labels}}}' if labels else ''} {value.number:.10g}\n"


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _documents(now: datetime) -> Iterator[Value]:
    every = list(Tenant.objects.values_list("pk", flat=True))
    for (status, priority), count in sorted(tallies.now(AnonymousUser(), tenants=every).items()):
        yield Value(count, {"status": status, "priority": Priority(priority).name.lower()})


def _oldest(now: datetime) -> Iterator[Value]:
    waiting = Document.objects.exclude(step="").order_by().values_list("priority").annotate(oldest=Min("received_at"))
    since = dict(waiting)
    for priority in Priority:
        yield Value(_age(since.get(priority), now), {"priority": priority.name.lower()})


def _held(now: datetime) -> Iterator[Value]:
    yield Value(Document.objects.exclude(step="").filter(lease_until__gt=now).count())


def _outbox(now: datetime) -> Iterator[Value]:
    yield Value(_undelivered().count())


def _outbox_age(now: datetime) -> Iterator[Value]:
    yield Value(_age(_undelivered().aggregate(oldest=Min("created_at"))["oldest"], now))


def _undelivered() -> QuerySet[OutboxEvent]:
    return OutboxEvent.objects.filter(delivered_at=None, dead_at=None, withdrawn_at=None)


def _quota(number: Callable[[Quota, datetime], float]) -> Callable[[datetime], Iterator[Value]]:
    def values(now: datetime) -> Iterator[Value]:
        for row in Quota.objects.order_by("pk"):
            labels = {"account": row.account, "region": row.region, "operation": row.operation}
            yield Value(number(row, now), labels)

    return values


def _beats(now: datetime) -> Iterator[Value]:
    for beat in Beat.objects.order_by("name"):
        what, _, host = beat.name.partition("@")
        yield Value(_age(beat.at, now), {"of": what, "host": host})


def _disk(now: datetime) -> Iterator[Value]:
    yield Value(shutil.disk_usage(settings.DTAT_HOME).free)


def _age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0


GAUGES = (
    Gauge("documents", "Documents by status and priority.", _documents),
    Gauge("queue_oldest_seconds", "Age of the oldest document that has work to do.", _oldest),
    Gauge("documents_held", "Documents that a worker holds now.", _held),
    Gauge("outbox_events", "Events that wait for delivery.", _outbox),
    Gauge("outbox_oldest_seconds", "Age of the oldest event that waits for delivery.", _outbox_age),
    Gauge("quota_granted", "Calls a second that AWS grants.", _quota(lambda row, now: row.granted)),
    Gauge("quota_rate", "Calls a second at present.", _quota(lambda row, now: row.rate)),
    Gauge(
        "quota_throttles_total",
        "Calls that AWS refused as too many.",
        _quota(lambda row, now: row.throttles),
        "counter",
    ),
    Gauge(
        "quota_stopped",
        "1 while nothing is sent because access or keys are configured wrongly.",
        _quota(lambda row, now: bool(row.stopped_code and row.stopped_until and row.stopped_until > now)),
    ),
    Gauge("beat_age_seconds", "Since a part of the product last did work.", _beats),
    Gauge("disk_free_bytes", "Free space where documents and logs lie.", _disk),
)
