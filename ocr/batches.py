"""Batches: accept() a manifest, feed() its rows into the one way in for documents, tell how far they are.

A row is pending, then feeding (its file is being fetched), submitted (it is a document), and at last done or failed; cancelled rows
never became one. The row says `submitted` in the very transaction that makes its document, and only for the feeder whose number it
carries: whatever is killed, and whoever comes late, each row becomes one document or none. One feeder at a time holds a batch by a
lease; `due` finds the batches that need one, so that a lost bell costs a second and nothing else.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from pathlib import Path
from typing import Any
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from audit import export, log, trail
from audit.models import Kind
from ocr import (
    artifacts,
    contract,
    disk,
    document_types,
    intake,
    lifecycle,
    manifests,
    outbox,
    queue,
    sandbox,
    sources,
    told,
)
from ocr.models import Artifact, Batch, BatchItem, Document, Priority, Source, Status
from tenants import scope
from tenants.models import Tenant

MOST_ROWS = 250_000
MOST_CONCURRENCY = 2000
SHOWN_FAULTS = 20
CHUNK_ROWS = 1000  # rows that are checked and written together
FEED_SECONDS = 6.0  # then a feeder stops claiming: chores share their workers
LEASE = timedelta(seconds=20)  # a dead feeder's batch is taken over after this
CLAIMED = 8  # rows fetched together; each may be a large file on our disk
FETCHERS = 4
RING_AGAIN_SECONDS = 5.0
PAUSES = (2, 5, 15, 60, 300)  # seconds before a file that could not be fetched is tried again
RATE_WINDOW = timedelta(minutes=5)
OPEN = (BatchItem.State.PENDING, BatchItem.State.FEEDING, BatchItem.State.SUBMITTED)
IN_FLIGHT = (BatchItem.State.FEEDING, BatchItem.State.SUBMITTED)
SYSTEM = "system"


class Refused(Exception):
    """The manifest cannot be taken as it is. `faults` are the first things that are wrong with it, in its order."""

    code = "manifest_invalid"

    def __init__(self, faults: Sequence[manifests.Fault]) -> None:
        super().__init__(_("The manifest was not accepted; nothing of it will be read. Correct it and send it again."))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a batch is to be worked on. None: what the manifest says, or else the usual."""

    max_concurrency: int | None = None  # 100: documents in flight at once
    tolerated_failure_percentage: float | None = None  # 10: of all rows; beyond it the batch stops
    priority: str | None = None  # low: for rows that name none


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest on our disk. `format` is json, jsonl or csv; `name` is what people see."""

    path: Path
    format: str
    name: str = ""


# --- Accepting ----------------------------------------------------------------------------------------------------


def accept(manifest: Manifest, wishes: Wishes, *, tenant_id: UUID, actor: str) -> Batch:
    """The new batch, its rows written and its feeder rung for, all in one transaction: the whole manifest or nothing of it.

    Reads the file once, in memory that does not grow with it. Raises Refused.
    """
    sha256, _size = artifacts.fingerprint(manifest.path)
    with scope.scope([tenant_id]):
        now = lifecycle.database_now()
        batch = Batch(
            tenant_id=tenant_id,
            name=intake.clean_name(manifest.name),
            manifest_sha256=sha256,
            max_concurrency=100,
            tolerated_failure_percentage=10,
            submitted_by=actor,
            request_id=log.request_id(),
            created_at=now,
            resumed_at=now,
        )
        batch.save(force_insert=True)
        writer = _Writer(batch, Tenant.objects.values_list("slug", flat=True).get(pk=tenant_id))
        writer.write(manifests.read(manifest.path, manifest.format))
        _settle_wishes(batch, wishes, writer)
        if writer.faults:
            raise Refused(sorted(writer.faults, key=lambda fault: fault.line)[:SHOWN_FAULTS])
        batch.save()
        _told(batch, "accepted", actor=actor, count=batch.total)
        queue.ring_to_feed(tenant_id, batch.pk)
    log.event("batch_accepted", tenant=tenant_id, batch=batch.pk, actor=actor, count=batch.total)
    return batch


def _settle_wishes(batch: Batch, wishes: Wishes, writer: _Writer) -> None:
    """What the caller asks for counts before what the manifest says."""
    if not batch.total and not writer.faults:
        writer.faults.append(manifests.Fault(1, _("The manifest has no rows. Add one row for each document.")))
    for name in ("max_concurrency", "tolerated_failure_percentage", "priority"):
        line, value = writer.options.get(name, (1, None))
        wanted = getattr(wishes, name)
        wanted = value if wanted is None else wanted
        if wanted is not None and (sentence := _set(batch, name, wanted)):
            writer.faults.append(manifests.Fault(line, sentence))


def _set(batch: Batch, name: str, value: Any) -> str:
    """Set one wish; why it cannot be, else ''."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name == "max_concurrency":
        if not number or value != int(value) or not 1 <= value <= MOST_CONCURRENCY:
            return _("The max_concurrency is a whole number from 1 to %(most)s.") % {"most": MOST_CONCURRENCY}
        batch.max_concurrency = int(value)
    elif name == "tolerated_failure_percentage":
        if not number or not 0 <= value <= 100:
            return _("The tolerated_failure_percentage is a number from 0 to 100.")
        batch.tolerated_failure_percentage = float(value)
    elif not isinstance(value, str) or value not in _PRIORITIES:
        return _("The priority is one of: high, normal, low.")
    else:
        batch.priority = _PRIORITIES[value]
    return ""


_PRIORITIES: Mapping[str, Priority] = {priority.name.lower(): priority for priority in Priority}


class _Writer:
    """Checks what a manifest holds and writes its rows, a chunk at a time."""

    def __init__(self, batch: Batch, tenant: str) -> None:
        self.batch, self._tenant = batch, tenant
        self.faults: list[manifests.Fault] = []
        self.options: dict[str, tuple[int, Any]] = {}
        self._types = {type_.name for type_ in document_types.newest()}

    def write(self, found: Iterator[manifests.Found]) -> None:
        """Until the manifest ends, or has shown enough faults. After the first one nothing is written any more."""
        while len(self.faults) < SHOWN_FAULTS and (chunk := list(islice(found, CHUNK_ROWS))):
            rows = [each for each in chunk if isinstance(each, manifests.Row)]
            self.faults += [each for each in chunk if isinstance(each, manifests.Fault)]
            self._note([each for each in chunk if isinstance(each, manifests.Option)])
            self.faults += self._wrong(rows)
            self.batch.total += len(rows)
            if self.batch.total > MOST_ROWS:
                sentence = _("A manifest has at most %(most)s rows. Split it into several batches.") % {
                    "most": MOST_ROWS
                }
                self.faults.append(manifests.Fault(rows[-1].line, sentence))
                return
            if not self.faults:
                BatchItem.objects.bulk_create([self._item(row) for row in rows])

    def _note(self, options: Sequence[manifests.Option]) -> None:
        for option in options:
            if option.name in Wishes.__slots__:
                self.options[option.name] = (option.line, option.value)
            else:
                known = ", ".join(("items", *Wishes.__slots__))
                sentence = _("Beside the items stands a member that is not known. Use some of: %(known)s.") % {
                    "known": known
                }
                self.faults.append(manifests.Fault(option.line, sentence))

    def _wrong(self, rows: Sequence[manifests.Row]) -> Iterator[manifests.Fault]:
        named = {row.document_id for row in rows if row.document_id}
        known: set[UUID] = set()
        if named:
            mine = Document.objects.filter(tenant_id=self.batch.tenant_id, pk__in=named)
            known = set(mine.values_list("pk", flat=True))
        for row in rows:
            if sentence := self._sentence(row, known):
                yield manifests.Fault(row.line, sentence)

    def _sentence(self, row: manifests.Row, known: set[UUID]) -> str:
        """What is wrong with the row, '' when nothing is."""
        if row.document_type and row.document_type not in self._types:
            known_types = ", ".join(sorted(self._types))
            return _("There is no document type of that name. Use one of: %(known)s.") % {"known": known_types}
        if row.priority and row.priority not in _PRIORITIES:
            return _("The priority is one of: high, normal, low.")
        if row.document_id and row.document_id not in known:
            return _("There is no document with this document_id. Name one that was uploaded before.")
        if row.bucket and not sources.allowed(_place(row), tenant=self._tenant):
            return _(
                "Files may not be read from there. Ask your administrator which buckets and prefixes are open to you."
            )
        if row.version and not sources.has_versions():
            return _("Files here have no versions; leave the version out.")
        try:
            intake.check_words(intake.Upload(Path(), external_id=row.external_id, metadata=row.metadata))
        except intake.Unacceptable as refusal:
            return refusal.sentence
        return ""

    def _item(self, row: manifests.Row) -> BatchItem:
        return BatchItem(
            tenant_id=self.batch.tenant_id,
            batch_id=self.batch.pk,
            row=row.number,
            bucket=row.bucket,
            key=row.key,
            object_version=row.version,
            source_document_id=row.document_id,
            external_id=row.external_id,
            document_type=row.document_type,
            priority=_PRIORITIES[row.priority] if row.priority else None,
            metadata=row.metadata,
        )


def _place(row: manifests.Row) -> sources.Place:
    return sources.Place(row.bucket, row.key, row.version)


# --- Feeding ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Feeder:
    """The right to feed one batch: what it writes counts only while the batch carries its number."""

    tenant_id: UUID
    tenant: str
    batch_id: UUID
    fence: int
    priority: Priority
    submitted_by: str
    request_id: str


@dataclass(frozen=True, slots=True)
class _Task:
    """One claimed row, the file that its content goes to, and the stored upload where an earlier document is read again."""

    item: BatchItem
    path: Path
    original: Artifact | None = None


def ring_due() -> int:
    """Ring for every batch that has something to do, and say how many bells were rung. For the pulse, each second."""
    rung = 0
    for tenant_id, batch_id, fence in due():
        last, at = _rung.get(batch_id, (-1, 0.0))
        # A bell that nobody has answered yet is not rung again at once: the workers may be busy.
        if last != fence or time.monotonic() - at >= RING_AGAIN_SECONDS:
            _rung[batch_id] = (fence, time.monotonic())
            queue.ring_to_feed(tenant_id, batch_id)
            rung += 1
    return rung


_rung: dict[UUID, tuple[int, float]] = {}


def due() -> list[tuple[UUID, UUID, int]]:
    """Tenant, batch and last feeder's number of those that nobody feeds though a feeder would find something to do."""
    items = BatchItem.objects.filter(batch=OuterRef("pk")).order_by()
    waiting = items.filter(Q(due_at=None) | Q(due_at__lte=Now()), state=BatchItem.State.PENDING)
    running = items.filter(state__in=IN_FLIGHT).values("batch").annotate(count=Count("pk")).values("count")
    with scope.everything():
        found = (
            Batch.objects.filter(Q(fed_until=None) | Q(fed_until__lt=Now()), finished_at=None)
            .annotate(running=Coalesce(Subquery(running, output_field=IntegerField()), 0))
            .filter(
                Q(Exists(_resting(items)))
                | Q(Exists(items.filter(state=BatchItem.State.FEEDING)))
                | ~Q(Exists(items.filter(state__in=OPEN)))
                | Q(Exists(waiting), status=Batch.Status.RUNNING, running__lt=F("max_concurrency"))
            )
            .order_by("created_at")
        )
        return list(found.values_list("tenant_id", "pk", "fence"))


def feed(tenant_id: UUID, batch_id: UUID) -> None:
    """Make documents of the next rows, for some seconds. Does nothing when somebody else is at it or nothing can be done now.

    No transaction is open while a file is fetched. Safe to run twice, late, or for nothing, and to be killed at any point.
    """
    feeder = _take(tenant_id, batch_id)
    if feeder is None:
        return
    deadline = time.monotonic() + FEED_SECONDS
    more = True
    try:
        with log.caused_by(feeder.request_id):
            while more and time.monotonic() < deadline:
                tasks = _claim(feeder)
                _make_documents(feeder, tasks, deadline)
                more = bool(tasks)
    finally:
        _release(feeder)
    if more:  # its time was over, not its work: behind the other chores the next one follows
        queue.ring_to_feed(tenant_id, batch_id)


def _take(tenant_id: UUID, batch_id: UUID) -> _Feeder | None:
    with scope.scope([tenant_id]):
        free = Batch.objects.filter(Q(fed_until=None) | Q(fed_until__lt=Now()), pk=batch_id, finished_at=None)
        if not free.update(fed_until=Now() + LEASE, fence=F("fence") + 1):
            return None
        batch = Batch.objects.select_related("tenant").get(pk=batch_id)
    return _Feeder(
        tenant_id,
        batch.tenant.slug,
        batch_id,
        batch.fence,
        Priority(batch.priority),
        batch.submitted_by,
        batch.request_id,
    )


def _release(feeder: _Feeder) -> None:
    with scope.scope([feeder.tenant_id]):
        Batch.objects.filter(pk=feeder.batch_id, fence=feeder.fence).update(fed_until=None)


def _claim(feeder: _Feeder) -> list[_Task]:
    """Note what became of the rows so far, then take the next ones; empty when there are none to take now."""
    with scope.scope([feeder.tenant_id]):
        held = Batch.objects.select_for_update().filter(pk=feeder.batch_id, fence=feeder.fence, finished_at=None)
        batch = held.first()
        if batch is None:
            return []
        held.update(fed_until=Now() + LEASE)
        _take_back(batch)
        _settle(batch)
        if batch.status == Batch.Status.RUNNING and (failed := _intolerable(batch)):
            _stop(batch, failed)
        items = _next(batch) if batch.status == Batch.Status.RUNNING else []
        if not items:
            _finish(batch)
        return _tasks(items)


def _take_back(batch: Batch) -> None:
    """Rows that an earlier feeder took and died with. One that ends its feeder every time is given up at last."""
    left = batch.items.filter(state=BatchItem.State.FEEDING, fence__lt=batch.fence)
    left.filter(attempts__gte=settings.MAX_ATTEMPTS).update(
        state=BatchItem.State.FAILED,
        error_code="gave_up",
        error=gettext_noop(
            "The work on this row ended without an answer every time. Upload the file by itself to see why."
        ),
        settled_at=Now(),
    )
    left.update(state=BatchItem.State.PENDING)


def _resting(items: QuerySet[BatchItem]) -> QuerySet[BatchItem]:
    """Rows whose document needs no worker any more, or is gone."""
    working = [status for status, whose in lifecycle.TURNS.items() if whose == "worker"]
    return items.filter(state=BatchItem.State.SUBMITTED).exclude(document__status__in=working)


def _settle(batch: Batch) -> None:
    resting = _resting(batch.items.all())
    for item in resting.filter(document__status=Status.FAILED).select_related("document"):
        assert item.document
        BatchItem.objects.filter(pk=item.pk).update(
            state=BatchItem.State.FAILED,
            error_code=item.document.error_code,
            error=contract.failure(item.document)[:300],
            settled_at=Now(),
        )
    ids = list(resting.values_list("pk", flat=True))
    BatchItem.objects.filter(pk__in=ids, state=BatchItem.State.SUBMITTED).update(
        state=BatchItem.State.DONE, settled_at=Now()
    )


def _intolerable(batch: Batch) -> int:
    """How many rows failed, when that is more than the batch tolerates; else 0."""
    failed = batch.items.filter(state=BatchItem.State.FAILED).count()
    return failed if failed * 100 > batch.tolerated_failure_percentage * batch.total else 0


def _stop(batch: Batch, failed: int) -> None:
    _become(batch, Batch.Status.STOPPED)
    _told(batch, "stopped", actor=SYSTEM, count=failed)
    outbox.announce_batch(
        "batch.stopped", batch, data={"status": str(batch.status), "counts": counts([batch])[batch.pk]}
    )


def _next(batch: Batch) -> list[BatchItem]:
    free = batch.max_concurrency - batch.items.filter(state__in=IN_FLIGHT).count()
    waiting = batch.items.filter(Q(due_at=None) | Q(due_at__lte=Now()), state=BatchItem.State.PENDING).order_by("row")
    items = _together(list(waiting.select_for_update(skip_locked=True)[: max(min(free, CLAIMED), 0)]))
    BatchItem.objects.filter(pk__in=[item.pk for item in items]).update(
        state=BatchItem.State.FEEDING, fence=batch.fence, attempts=F("attempts") + 1, due_at=None
    )
    for item in items:
        item.attempts, item.fence = item.attempts + 1, batch.fence
    return items


def _together(items: list[BatchItem]) -> list[BatchItem]:
    """Fresh rows are taken together. One that was tried before comes alone: if it ends its feeder, no other row pays for it."""
    return items[:1] if items and items[0].attempts else list(takewhile(lambda item: not item.attempts, items))


def _finish(batch: Batch) -> None:
    """When no row is open any more, the batch has ended, and says so once."""
    if batch.items.filter(state__in=OPEN).exists():
        return
    ends = {Batch.Status.RUNNING: Batch.Status.COMPLETED, Batch.Status.PAUSED: Batch.Status.COMPLETED}
    told = counts([batch])[batch.pk]
    now = lifecycle.database_now()
    _become(batch, ends.get(Batch.Status(batch.status), Batch.Status(batch.status)), finished_at=now, counts=told)
    _told(batch, "ended", actor=SYSTEM, count=batch.total)
    outbox.announce_batch("batch.completed", batch, data={"status": str(batch.status), "counts": told})


def _become(batch: Batch, status: Batch.Status, **changes: Any) -> None:
    """Write the status; the caller holds the batch's row."""
    for name, value in {"status": status, **changes}.items():
        setattr(batch, name, value)
    batch.save(update_fields=["status", *changes])


def _told(batch: Batch, change: str, *, actor: str, count: int) -> None:
    codes = {"batch": str(batch.pk), "change": change, "count": count}
    trail.record(Kind.BATCH_CHANGED, tenant_id=batch.tenant_id, actor=actor, step="batch", codes=codes)


# --- One row becomes a document -----------------------------------------------------------------------------------


def _tasks(items: Sequence[BatchItem]) -> list[_Task]:
    """The claimed rows with the files they go through; inside a scope."""
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    named = [item.source_document_id for item in items if item.source_document_id]
    found = Artifact.objects.filter(document_id__in=named, kind=Artifact.Kind.ORIGINAL) if named else []
    originals = {artifact.document_id: artifact for artifact in found}
    return [
        _Task(item, folder / f"batch-{item.pk}-{item.fence}", originals.get(item.source_document_id)) for item in items
    ]


def _make_documents(feeder: _Feeder, tasks: Sequence[_Task], deadline: float) -> None:
    """Fetch several files at once and make a document of each as they come, in order. What comes after the deadline goes back."""
    with _fetching(feeder, tasks) as fetched:
        for task, file in fetched:
            if time.monotonic() > deadline:
                file.cancel()
                _put_back(feeder, task.item)
            else:
                _make_document(feeder, task, file)


@contextmanager
def _fetching(feeder: _Feeder, tasks: Sequence[_Task]) -> Iterator[list[tuple[_Task, Future[None]]]]:
    """Each task with its fetch, which runs in a thread; their files are gone afterwards. The threads ask no database."""
    Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True, mode=0o700)
    pool = ThreadPoolExecutor(FETCHERS, thread_name_prefix="fetch")
    try:
        yield [(task, pool.submit(_fetch, task, feeder.tenant)) for task in tasks]
    finally:
        pool.shutdown(cancel_futures=True)
        for task in tasks:
            task.path.unlink(missing_ok=True)


def _fetch(task: _Task, tenant: str) -> None:
    item = task.item
    if item.source_document_id:
        if task.original is None:
            raise sources.Missing("document_gone", "The earlier document is not there any more.")
        try:
            artifacts.copy_to(task.original, task.path)
        except artifacts.Lost:
            raise sources.Missing("document_gone", "The earlier document's file is not there any more.") from None
        return
    place = sources.Place(item.bucket, item.key, item.object_version)
    if not sources.allowed(place, tenant=tenant):  # the operator may have closed it since
        raise sources.Missing("not_allowed", "Files may not be read from there any more. Ask your administrator.")
    sources.fetch(place, task.path)


def _make_document(feeder: _Feeder, task: _Task, file: Future[None]) -> None:
    item = task.item
    try:
        file.result()
        intake.receive(
            _upload(feeder, task),
            tenant_id=feeder.tenant_id,
            actor=feeder.submitted_by,
            within=lambda document: _submitted(item, document),
        )
    except lifecycle.Overtaken:
        log.event("overtaken", batch=feeder.batch_id, fence=feeder.fence)
    except sources.Missing as missing:
        _fail(feeder, item, missing.code, str(missing))
    except intake.Unacceptable as refusal:
        _fail(feeder, item, refusal.code, refusal.sentence)
    except disk.Full:
        _put_back(feeder, item, pause=timedelta(seconds=disk.Full.retry_after))
    except (sources.Busy, sandbox.SandboxFailed, OSError, ClientError, BotoCoreError) as error:
        log.event("row_not_fed", level=logging.WARNING, error=error, batch=feeder.batch_id, attempt=item.attempts)
        _later(feeder, item, "storage", "The file could not be fetched or stored. Send it again in a new batch.")


def _upload(feeder: _Feeder, task: _Task) -> intake.Upload:
    item = task.item
    priority = feeder.priority if item.priority is None else Priority(item.priority)
    return intake.Upload(
        content=task.path,
        filename=item.key,
        document_type=item.document_type,
        priority=priority.name.lower(),
        external_id=item.external_id,
        metadata=item.metadata,
        source=Source.BATCH,
    )


def _submitted(item: BatchItem, document: Document) -> None:
    """Tie row and document together, in the transaction that makes the document. Raises Overtaken unless the row is still ours."""
    if not _mine(item).update(state=BatchItem.State.SUBMITTED, document_id=document.pk):
        raise lifecycle.Overtaken("Somebody else has taken the row, or the batch was cancelled.")


def _mine(item: BatchItem) -> QuerySet[BatchItem]:
    found: QuerySet[BatchItem] = BatchItem.objects.filter(
        pk=item.pk, state=BatchItem.State.FEEDING, fence=item.fence, document=None
    )
    return found


def _fail(feeder: _Feeder, item: BatchItem, code: str, sentence: str) -> None:
    with scope.scope([feeder.tenant_id]):
        _mine(item).update(state=BatchItem.State.FAILED, error_code=code, error=sentence[:300], settled_at=Now())


def _later(feeder: _Feeder, item: BatchItem, code: str, sentence: str) -> None:
    """Try again after a pause; not for ever."""
    if item.attempts >= settings.MAX_ATTEMPTS:
        _fail(feeder, item, code, sentence)
        return
    pause = timedelta(seconds=PAUSES[min(item.attempts, len(PAUSES)) - 1])
    with scope.scope([feeder.tenant_id]):
        _mine(item).update(state=BatchItem.State.PENDING, due_at=Now() + pause)


def _put_back(feeder: _Feeder, item: BatchItem, *, pause: timedelta | None = None) -> None:
    """The row was never tried, or not for a reason of its own: that costs it no attempt."""
    later = Now() + pause if pause else None
    with scope.scope([feeder.tenant_id]):
        _mine(item).update(state=BatchItem.State.PENDING, attempts=F("attempts") - 1, due_at=later)


# --- Pause, resume, cancel ----------------------------------------------------------------------------------------


def pause(batch: Batch, *, actor: str) -> Batch:
    """Feed nothing more for now; what is in flight is finished. Raises NotPossible."""
    with scope.scope([batch.tenant_id]):
        now = _locked(batch)
        if now.status == Batch.Status.PAUSED:
            return now
        _check(now, {Batch.Status.RUNNING}, _("paused"))
        _become(now, Batch.Status.PAUSED)
        _told(now, "paused", actor=actor, count=now.total)
    return now


def resume(batch: Batch, wishes: Wishes | None = None, *, actor: str) -> Batch:
    """Go on with a paused or stopped batch, as the wishes say. Raises NotPossible, and Refused for wishes that cannot be."""
    with scope.scope([batch.tenant_id]):
        now = _locked(batch)
        _check(now, {Batch.Status.PAUSED, Batch.Status.STOPPED, Batch.Status.RUNNING}, _("resumed"))
        _wish(now, wishes or Wishes())
        if failed := _intolerable(now):
            raise lifecycle.NotPossible(
                _(
                    "%(failed)s of %(total)s rows failed, more than this batch tolerates. "
                    "To go on, raise its tolerated_failure_percentage."
                )
                % {"failed": failed, "total": now.total}
            )
        if now.status != Batch.Status.RUNNING:
            _become(now, Batch.Status.RUNNING, resumed_at=lifecycle.database_now())
            _told(now, "resumed", actor=actor, count=now.total)
        queue.ring_to_feed(now.tenant_id, now.pk)
    return now


def cancel(batch: Batch, *, actor: str) -> Batch:
    """Make no more documents; those that there are stay and are finished. Raises NotPossible for a batch that has ended."""
    with scope.scope([batch.tenant_id]):
        now = _locked(batch)
        if now.status == Batch.Status.CANCELLED:
            return now
        _check(now, {Batch.Status.RUNNING, Batch.Status.PAUSED, Batch.Status.STOPPED}, _("cancelled"))
        dropped = now.items.filter(state__in=[BatchItem.State.PENDING, BatchItem.State.FEEDING]).update(
            state=BatchItem.State.CANCELLED, settled_at=Now()
        )
        _become(now, Batch.Status.CANCELLED)
        _told(now, "cancelled", actor=actor, count=dropped)
        _settle(now)
        _finish(now)
    return now


def _locked(batch: Batch) -> Batch:
    found: Batch = Batch.objects.select_for_update().get(pk=batch.pk)
    return found


_IN_WORDS = {
    Batch.Status.RUNNING: gettext_lazy("running"),
    Batch.Status.PAUSED: gettext_lazy("paused"),
    Batch.Status.STOPPED: gettext_lazy("stopped"),
    Batch.Status.CANCELLED: gettext_lazy("cancelled"),
    Batch.Status.COMPLETED: gettext_lazy("completed"),
}


def _check(batch: Batch, allowed: set[Batch.Status], to: str) -> None:
    if batch.finished_at or batch.status not in allowed:
        words = {"status": _IN_WORDS[Batch.Status(batch.status)], "then": to}
        raise lifecycle.NotPossible(_("The batch is %(status)s; it cannot be %(then)s any more.") % words)


def _wish(batch: Batch, wishes: Wishes) -> None:
    for name in Wishes.__slots__:
        value = getattr(wishes, name)
        if value is not None and (sentence := _set(batch, name, value)):
            raise Refused([manifests.Fault(1, sentence)])
    batch.save(update_fields=list(Wishes.__slots__))


# --- What is told -------------------------------------------------------------------------------------------------


def counts(batches: Sequence[Batch]) -> dict[UUID, dict[str, int]]:
    """How many rows stand where, by batch: `total` and every state. Batches that ended know it by heart; inside a scope."""
    names = ("total", *map(str, BatchItem.State))
    told = {batch.pk: dict.fromkeys(names, 0) | {"total": batch.total} | batch.counts for batch in batches}
    open_ = [batch.pk for batch in batches if not batch.counts]
    rows = BatchItem.objects.filter(batch_id__in=open_).order_by().values_list("batch_id", "state")
    for pk, state, count in rows.annotate(count=Count("pk")):
        told[pk][state] = count
    return told


def progress(batch: Batch) -> dict[str, Any]:
    """The batch as REST tells it: status, counts, percent of rows that are settled, the measured rate and the end it promises."""
    return summary(batch, counts([batch])[batch.pk]) | _forecast(batch)


def summary(batch: Batch, counted: dict[str, int]) -> dict[str, Any]:
    """One row of a list."""
    settled = counted["total"] - sum(counted[state] for state in OPEN)
    return {
        "id": str(batch.pk),
        "name": batch.name,
        "status": str(batch.status),
        "status_text": str(Batch.Status(batch.status).label),
        "priority": Priority(batch.priority).name.lower(),
        "max_concurrency": batch.max_concurrency,
        "tolerated_failure_percentage": batch.tolerated_failure_percentage,
        "counts": counted,
        "percent": int(settled * 1000 / counted["total"]) / 10,  # never rounded up: 100 means all
        "submitted_by": batch.submitted_by,
        "started_at": batch.created_at.isoformat(),
        "finished_at": batch.finished_at.isoformat() if batch.finished_at else None,
        "links": {
            "self": reverse("api-batch", args=[batch.pk]),
            "items": reverse("api-batch-items", args=[batch.pk]),
            "results": reverse("api-batch-results", args=[batch.pk]),
            "page": reverse("batch", args=[batch.pk]),
        },
    }


def _forecast(batch: Batch) -> dict[str, Any]:
    """Rows settled a minute, over the last minutes that it ran, and when the open ones are settled at that rate."""
    nothing: dict[str, Any] = {"documents_per_minute": None, "estimated_end_at": None}
    if batch.finished_at or batch.status != Batch.Status.RUNNING:
        return nothing
    now = lifecycle.database_now()
    since = max(batch.resumed_at, now - RATE_WINDOW)
    settled = batch.items.filter(settled_at__gte=since).count()
    seconds = (now - since).total_seconds()
    if not settled or seconds < 1:
        return nothing
    open_ = batch.items.filter(state__in=OPEN).count()
    end: datetime = now + timedelta(seconds=open_ * seconds / settled)
    return {"documents_per_minute": round(settled * 60 / seconds, 1), "estimated_end_at": end.isoformat()}


def rows(batch: Batch, *, after: int = 0, limit: int, state: str = "") -> list[dict[str, Any]]:
    """Rows behind number `after`, in the manifest's order, in the shape of REST; inside a scope."""
    found = batch.items.filter(row__gt=after).order_by("row").select_related("document", "document__document_type")
    if state:
        found = found.filter(state=state)
    return [_row(item) for item in found[:limit]]


def _row(item: BatchItem) -> dict[str, Any]:
    document = item.document
    read_as = document.document_type.name if document and document.document_type else item.document_type
    return {
        "row": item.row,
        "state": str(item.state),
        "external_id": item.external_id,
        "document_id": str(document.pk) if document else None,
        "document_status": str(document.status) if document else None,
        "document_type": read_as or None,
        "pages": document.page_count if document else None,
        "bucket": item.bucket or None,
        "key": item.key or None,
        "version": item.object_version or None,
        "source_document_id": str(item.source_document_id) if item.source_document_id else None,
        "error": {"code": item.error_code, "message": told.sentence(item.error)} if item.error_code else None,
        "settled_at": item.settled_at.isoformat() if item.settled_at else None,
        "link": reverse("api-document", args=[document.pk]) if document else None,
    }


COLUMNS = (
    "row", "state", "external_id", "document_id", "document_status", "document_type", "pages", "bucket", "key", "version",
    "source_document_id", "error_code", "error", "settled_at", "link",
)  # fmt: skip
RESULTS = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


def results(batch: Batch, format_: str) -> Iterator[str]:
    """The rows as a file, in pieces: JSON Lines, or CSV in which no cell is a formula. Each piece has a scope of its own."""
    if format_ == "csv":
        yield _csv([dict(zip(COLUMNS, COLUMNS, strict=True))])
    after = 0
    while True:
        with scope.scope([batch.tenant_id]):
            page = rows(batch, after=after, limit=CHUNK_ROWS)
        if not page:
            return
        yield _csv(map(_flat, page)) if format_ == "csv" else "".join(f"{json.dumps(row)}\n" for row in page)
        after = page[-1]["row"]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    error = row["error"] or {"code": None, "message": None}
    return {**row, "error_code": error["code"], "error": error["message"]}


def _csv(page: Iterable[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([export.safe(row[name]) for name in COLUMNS] for row in page)
    return out.getvalue()
