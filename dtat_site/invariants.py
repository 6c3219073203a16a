"""What must hold whatever happened: the invariants that `verify` computes. Nothing found is the only pass.

The numbers are those of docs/architecture.md, "Invariants". Everything is read in one pass per invariant, under a scope that sees
every tenant; nothing is written.
"""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, DateField, F, Max, Q, Sum
from django.db.models.functions import Coalesce, Now, TruncMonth
from django.utils import timezone

from audit import trail
from audit.models import AuditEvent, Kind
from ocr import artifacts, batches, readings, tallies
from ocr.lifecycle import MOVES
from ocr.models import (
    Artifact,
    Batch,
    BatchItem,
    Charge,
    Document,
    Extraction,
    IdempotencyKey,
    MonthlyCost,
    OutboxEvent,
    Page,
    Source,
    Status,
    Tally,
)
from review.models import Correction, Decision, LaneAnswer
from tenants import scope

STUCK = timedelta(minutes=15)
ORPHAN = timedelta(hours=24)
LEFTOVER = timedelta(hours=1)
EVENT_LATE = timedelta(minutes=15)


@dataclass(slots=True)
class Invariant:
    """One invariant: what it says, how many things were looked at, and each thing that breaks it."""

    id: str
    says: str
    checked: int = 0
    broken: list[str] = field(default_factory=list)


# The application's role is cut off after ten idle seconds in a transaction, since others may wait for what it has locked. These looks
# lock nothing, and one of them reads every stored file of the archive between two statements.
_NOBODY_WAITS = "SET LOCAL idle_in_transaction_session_timeout = 0"


def verify(*, control_url: str = "", replay_limit: int = 500) -> list[Invariant]:
    """All invariants, computed now. `control_url` is the local endpoint's, whose bill is then compared as well."""
    found = []
    for says, (id_, look) in CHECKS.items():
        invariant = Invariant(id_, says)
        with scope.everything(), connection.cursor() as cursor:
            cursor.execute(_NOBODY_WAITS)
            look(invariant, {"control_url": control_url, "replay_limit": replay_limit})
        found.append(invariant)
    return found


def _accounted(invariant: Invariant, options: dict[str, Any]) -> None:
    documents = Document.objects.all()
    invariant.checked = documents.count()
    known = set(map(str, documents.values_list("pk", flat=True)))
    erased = set(AuditEvent.objects.filter(kind=Kind.ERASED).values_list("document_id", flat=True))
    accepted = set(AuditEvent.objects.filter(kind=Kind.INGESTED).values_list("document_id", flat=True))
    invariant.broken += [f"document {lost} was accepted and is gone" for lost in sorted(accepted - known - erased)]
    invariant.broken += [f"document {pk} was never accepted" for pk in sorted(known - accepted)]
    working = documents.filter(status__in=[Status.RECEIVED, Status.READING])
    idle = Q(lease_until=None) | Q(lease_until__lt=Now())
    stuck = working.filter(Q(step="") | (idle & Q(due_at__lt=Now() - STUCK)))
    invariant.broken += [f"document {pk} is stuck" for pk in stuck.values_list("pk", flat=True)]


def _legal_paths(invariant: Invariant, options: dict[str, Any]) -> None:
    versions = dict(Document.objects.values_list("pk", "version"))
    status = dict(Document.objects.values_list("pk", "status"))
    rows = AuditEvent.objects.exclude(version=None).exclude(document_id="").order_by("document_id", "version")
    seen: Counter[str] = Counter()
    last: dict[str, str] = {}
    for event in rows.iterator(2000):
        invariant.checked += 1
        seen[event.document_id] += 1
        invariant.broken += _illegal(event, seen[event.document_id], last.get(event.document_id))
        last[event.document_id] = event.codes.get("to", Status.RECEIVED)
    for pk, version in versions.items():
        if seen[str(pk)] != version:
            invariant.broken.append(f"document {pk} has version {version} and {seen[str(pk)]} audit rows that made one")
        elif last[str(pk)] != status[pk]:
            invariant.broken.append(f"document {pk} is {status[pk]} but its trail ends with {last[str(pk)]}")


def _illegal(event: AuditEvent, expected_version: int, stood: str | None) -> Iterator[str]:
    where = f"document {event.document_id} version {event.version}"
    if event.version != expected_version:
        yield f"{where} comes after {expected_version - 1}"
    if event.kind == Kind.INGESTED:
        return
    was, to = event.codes.get("from"), event.codes.get("to")
    move = MOVES.get((was, to))
    if move is None or move.kind != event.kind or was != stood:
        yield f"{where} went from {was} to {to} as {event.kind}, after {stood}"


def _billed_once(invariant: Invariant, options: dict[str, Any]) -> None:
    runs = Extraction.objects.values("document_id").annotate(count=Count("pk"), highest=Max("number"))
    retried = Counter(AuditEvent.objects.filter(kind=Kind.RETRIED).values_list("document_id", flat=True))
    for run in runs:
        invariant.checked += 1
        if run["count"] != run["highest"] or run["count"] > 1 + retried[str(run["document_id"])]:
            invariant.broken.append(
                f"document {run['document_id']} was read {run['count']} times, {retried[str(run['document_id'])]} retried"
            )
    if options["control_url"]:
        invariant.broken += _bill(options["control_url"])


def _bill(control_url: str) -> Iterator[str]:
    """The endpoint's own books: every token billed at most once, and for the pages that we count."""
    with urllib.request.urlopen(control_url, timeout=10) as answer:
        books = json.load(answer)
    ours = dict(Extraction.objects.values_list("token", "pages"))
    for entry in books["tokens"]:
        if entry["token"] in ours and entry["times_billed"] > 1:
            yield f"token {entry['token']} was billed {entry['times_billed']} times"


def _decisions_hold(invariant: Invariant, options: dict[str, Any]) -> None:
    decided = Document.objects.filter(decisions__isnull=False).distinct()
    for document in decided.iterator(500):
        invariant.checked += 1
        replayed = (
            AuditEvent.objects.filter(document_id=str(document.pk), kind=Kind.REPLAYED).aggregate(last=Max("version"))[
                "last"
            ]
            or 0
        )
        said = Correction.objects.filter(
            decision__document=document, decision__version__gte=replayed, decision__undone_at=None
        ).order_by("decision__version")
        values: dict[str, str | None] = {row.path: row.machine_value for row in document.fields.all()}
        values.update({correction.field: correction.value for correction in said})
        for row in document.fields.all():
            if row.value != values[row.path]:
                invariant.broken.append(
                    f"document {document.pk} field {row.path} is not what reading and decisions make it"
                )
    twice = Decision.objects.values("document_id", "version").annotate(count=Count("pk")).filter(count__gt=1)
    invariant.broken += [
        f"document {row['document_id']} version {row['version']} was decided {row['count']} times" for row in twice
    ]
    people = (Kind.HUMAN_REVIEW_APPROVED, Kind.HUMAN_REVIEW_REJECTED)
    told = AuditEvent.objects.filter(kind__in=people).count()
    if told != Decision.objects.count():
        invariant.broken.append(f"{Decision.objects.count()} decisions and {told} audit rows that tell of one")


def _chains_hold(invariant: Invariant, options: dict[str, Any]) -> None:
    invariant.checked = AuditEvent.objects.count()
    invariant.broken += [f"{found.chain} breaks at {found.seq}: {found.reason}" for found in trail.verify()]


def _announced(invariant: Invariant, options: dict[str, Any]) -> None:
    changes = set(
        AuditEvent.objects.exclude(version=None).exclude(document_id="").values_list("document_id", "version")
    )
    events = {
        (str(pk), version)
        for pk, version in OutboxEvent.objects.exclude(version=None).values_list("document_id", "version")
    }
    invariant.checked = len(changes)
    invariant.broken += [
        f"document {pk} version {version} was never announced" for pk, version in sorted(changes - events)
    ]
    invariant.broken += [
        f"document {pk} version {version} was announced but never happened" for pk, version in sorted(events - changes)
    ]
    if settings.EVENT_BUS:
        late = OutboxEvent.objects.filter(
            delivered_at=None, dead_at=None, withdrawn_at=None, due_at__lt=Now() - EVENT_LATE
        )
        invariant.broken += [f"event {pk} is overdue" for pk in late.values_list("pk", flat=True)]


def _bytes_whole(invariant: Invariant, options: dict[str, Any]) -> None:
    rows = {row.key: row for row in Artifact.objects.all()}
    old = timezone.now() - ORPHAN
    present = set()
    for key, written in artifacts.listing():
        present.add(key)
        if key not in rows and _aware(written) < old and not key.startswith("probe/"):
            invariant.broken.append(f"object {key} belongs to nothing")
    for key, row in rows.items():
        invariant.checked += 1
        if key not in present:
            invariant.broken.append(f"object {key} is gone")
            continue
        try:
            artifacts.read(row)
        except artifacts.Lost:
            invariant.broken.append(f"object {key} was changed")
    limit = (timezone.now() - LEFTOVER).timestamp()
    uploads = Path(settings.FILE_UPLOAD_TEMP_DIR)
    left = [path for path in uploads.iterdir() if path.stat().st_mtime < limit] if uploads.is_dir() else []
    invariant.broken += [f"{len(left)} leftover files in the upload folder"] if left else []


def _aware(moment: Any) -> Any:
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _one_tenant(invariant: Invariant, options: dict[str, Any]) -> None:
    tenants = dict(Document.objects.values_list("pk", "tenant_id"))
    invariant.checked = len(tenants)
    for key, pk, tenant in Artifact.objects.values_list("key", "document_id", "tenant_id"):
        if tenant != tenants[pk] or f"/{tenant}/{pk}" not in key:
            invariant.broken.append(f"object {key} is not where its tenant is")
    by_text = {str(pk): tenant for pk, tenant in tenants.items()}
    for text, tenant in AuditEvent.objects.exclude(document_id="").values_list("document_id", "tenant_id").distinct():
        if tenant != by_text.get(text, tenant):
            invariant.broken.append(f"audit rows of document {text} are another tenant's")
    for model in (Page, Extraction, OutboxEvent, Decision, LaneAnswer):
        strays = (
            model.objects.exclude(document_id=None)
            .filter(document_id__in=tenants)
            .values_list("document_id", "tenant_id")
        )
        invariant.broken += [
            f"{model.__name__} of document {pk} is another tenant's"
            for pk, tenant in strays.distinct()
            if tenant != tenants[pk]
        ]
    crossed = Document.objects.exclude(fields=None).exclude(fields__tenant_id=F("tenant_id"))
    invariant.broken += [
        f"fields of document {pk} are another tenant's" for pk in crossed.values_list("pk", flat=True).distinct()
    ]


def _reads_the_same(invariant: Invariant, options: dict[str, Any]) -> None:
    """Only what was read with the code of today can be compared: the newest documents, up to the limit."""
    read = Document.objects.filter(status__in=[Status.NEEDS_REVIEW, Status.APPROVED, Status.REJECTED])
    for document in read.select_related("document_type").order_by("-received_at")[: options["replay_limit"]]:
        invariant.checked += 1
        if difference := readings.differs_from_stored(document):
            invariant.broken.append(f"document {document.pk} reads differently now: {difference}")


def _keys_once(invariant: Invariant, options: dict[str, Any]) -> None:
    invariant.checked = IdempotencyKey.objects.count()
    twice = IdempotencyKey.objects.values("tenant_id", "key").annotate(count=Count("pk")).filter(count__gt=1)
    invariant.broken += [f"key of tenant {row['tenant_id']} stands {row['count']} times" for row in twice]
    documents = set(Document.objects.values_list("pk", flat=True))
    named = IdempotencyKey.objects.exclude(document_id=None).values_list("document_id", flat=True)
    erased = set(AuditEvent.objects.filter(kind=Kind.ERASED).values_list("document_id", flat=True))
    invariant.broken += [
        f"a key names document {pk}, which is gone" for pk in named if pk not in documents and str(pk) not in erased
    ]


# Lines outlive their documents; what stands here is each extraction and line that do not agree. A PDF's own text has no line.
_DISAGREE = """
    SELECT document_id, number, why FROM (
        SELECT coalesce(e.document_id, c.document_id) AS document_id, coalesce(e.number, c.number) AS number,
               CASE WHEN c.id IS NULL THEN CASE WHEN ended.kind <> '' THEN 'ended and was never charged' END
                    WHEN e.id IS NULL THEN CASE WHEN d.id IS NOT NULL THEN 'was charged and is gone' END
                    WHEN c.tenant_id <> e.tenant_id OR c.document_id <> e.document_id THEN 'was charged to somebody else'
                    WHEN ended.kind = '' THEN 'was charged and has not ended'
                    WHEN ended.kind <> c.kind THEN 'was charged as ' || c.kind || ' and not as ' || ended.kind
                    WHEN e.state = 'collected' AND (c.pages, c.micro_dollars) <> (e.pages, e.micro_dollars)
                    THEN 'was charged ' || c.micro_dollars || ' and says ' || e.micro_dollars
               END AS why
          FROM ocr_extraction e FULL JOIN ocr_charge c ON c.extraction_id = e.id
               LEFT JOIN ocr_document d ON d.id = c.document_id,
               LATERAL (SELECT CASE WHEN e.state = 'collected' AND e.operation = 'TextLayer' THEN ''
                                    WHEN e.state = 'collected' AND e.reused_from IS NOT NULL THEN 'reused'
                                    WHEN e.state = 'collected' THEN 'billed'
                                    WHEN e.state = 'failed' AND e.charge_uncertain THEN 'uncertain'
                                    ELSE '' END AS kind) ended
    ) compared WHERE why IS NOT NULL ORDER BY document_id, number
"""


def _money_adds_up(invariant: Invariant, options: dict[str, Any]) -> None:
    """The ledger, the extractions and the monthly sums say the same."""
    invariant.checked = Charge.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(_DISAGREE)
        found = cursor.fetchall()
    invariant.broken += [f"extraction {number} of document {pk} {why}" for pk, number, why in found]
    invariant.broken += _sums_off()


def _sums_off() -> Iterator[str]:
    """Every month's sums against the lines they are made of."""
    month = TruncMonth("at", tzinfo=UTC, output_field=DateField())
    keys = ("tenant_id", "month", "region", "unit")
    kinds = {f"of_{kind}": Q(kind=kind) for kind in Charge.Kind}
    lines = Charge.objects.order_by().annotate(month=month).values(*keys)
    added = lines.annotate(
        **{f"pages_{name}": Coalesce(Sum("pages", filter=kind), 0) for name, kind in kinds.items()},
        **{f"money_{name}": Coalesce(Sum("micro_dollars", filter=kind), 0) for name, kind in kinds.items()},
    )
    wanted = {
        tuple(row[key] for key in keys): (
            row["pages_of_billed"],
            row["pages_of_reused"],
            row["money_of_billed"],
            row["money_of_uncertain"],
        )
        for row in added
    }
    columns = ("pages", "reused_pages", "micro_dollars", "uncertain_micro_dollars")
    kept = {row[:4]: row[4:] for row in MonthlyCost.objects.values_list(*keys, *columns)}
    for key in sorted(wanted.keys() | kept.keys(), key=str):
        if wanted.get(key) != kept.get(key):
            tenant, first, region, unit = key
            yield f"{first:%Y-%m} of tenant {tenant} in {region}, {unit}: the lines say {wanted.get(key)}, the sums {kept.get(key)}"


def _batches_whole(invariant: Invariant, options: dict[str, Any]) -> None:
    made = Document.objects.filter(source=Source.BATCH, batch_item=None)
    invariant.broken += [f"document {pk} belongs to no row of a batch" for pk in made.values_list("pk", flat=True)]
    lost = BatchItem.objects.filter(state=BatchItem.State.SUBMITTED, document=None)
    strayed = BatchItem.objects.exclude(document=None).exclude(document__tenant_id=F("tenant_id"))
    foreign = BatchItem.objects.exclude(batch__tenant_id=F("tenant_id"))
    for says, rows in (("no document", lost), ("a document of another tenant", strayed), ("another tenant", foreign)):
        found = rows.values_list("batch_id", "row")
        invariant.broken += [f"batch {pk} row {row} has {says}" for pk, row in found]
    ended = Counter(OutboxEvent.objects.filter(type="batch.completed").values_list("batch_id", flat=True))
    for batch in Batch.objects.annotate(count=Count("items")):
        invariant.checked += 1
        if batch.count != batch.total:
            invariant.broken.append(f"batch {batch.pk} has {batch.count} rows instead of {batch.total}")
        if ended[batch.pk] != (batch.finished_at is not None):
            invariant.broken.append(f"batch {batch.pk} said {ended[batch.pk]} times that it ended")
    for pk in Batch.objects.exclude(finished_at=None).filter(items__state__in=batches.OPEN).distinct():
        invariant.broken.append(f"batch {pk} has ended with rows open")


def _figures_counted(invariant: Invariant, options: dict[str, Any]) -> None:
    invariant.checked = Tally.objects.count()
    invariant.broken += tallies.differences()


CHECKS: dict[str, tuple[str, Callable[[Invariant, dict[str, Any]], None]]] = {
    "every accepted document is there, in one legal status, and none is stuck": ("I1", _accounted),
    "every status history is a legal path with one audit row per version": ("I2", _legal_paths),
    "no document was read or billed more often than asked": ("I3", _billed_once),
    "one decision per version, and the fields are reading plus decisions": ("I4", _decisions_hold),
    "every audit chain holds to its head": ("I5", _chains_hold),
    "every change of status was announced, and nothing else": ("I6", _announced),
    "every stored object is whole and belongs to a row": ("I7", _bytes_whole),
    "row, object, audit and event belong to the same tenant": ("I8", _one_tenant),
    "the stored answers read the same again, without a call": ("I9", _reads_the_same),
    "every idempotency key stands for one document": ("I10", _keys_once),
    "every answer was charged once, and the ledger, the extractions and the monthly sums agree": (
        "I11",
        _money_adds_up,
    ),
    "every batch has its rows, each with one document at most, and says once that it ended": ("I12", _batches_whole),
    "the figures shown are what counting the documents gives": ("I13", _figures_counted),
}
