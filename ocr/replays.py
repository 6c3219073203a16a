"""Many documents read again from their stored answers: no call to the engine, no bill.

A run is planned in chunks of documents, in one order. Processes take chunks, each with the fence of the run, read the answers without
a transaction and write what came of a chunk in one, only under that fence. A process that is killed leaves its chunk planned: resuming
the run raises the fence and takes it anew. So nothing is applied twice, and two who resume the same run do not disturb each other.
A dry run writes counts only. The type versions are those of the run's beginning, so that its result does not depend on how long it takes.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Now

from ocr import artifacts, comparing, document_types, extraction, pipeline, readings
from ocr.models import Artifact, Document, DocumentType, Extraction, ReplayChunk, ReplayRun
from tenants import scope

CHUNK = 50  # documents: a second's work, and at most that much is done again after a kill
CHUNK_PAGES = 500  # long documents make shorter chunks
PLANNED_AT_ONCE = 2000  # documents in one statement
AHEAD = 8  # answers fetched while one is read
SMALL_BYTES = 4 * 1024 * 1024  # longer answers are not fetched ahead: their parts are read one after the other
KEPT = timedelta(days=30)

_TAKE = """
    UPDATE ocr_replaychunk AS chunk SET fence = run.fence FROM ocr_replayrun AS run
     WHERE run.id = %(run)s AND run.fence = %(fence)s
       AND chunk.id = (SELECT id FROM ocr_replaychunk
                        WHERE run_id = %(run)s AND state <> 'done' AND fence < %(fence)s
                        ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED)
 RETURNING chunk.id
"""


class NoSuchRun(Exception):
    """There is nothing to go on with."""

    code = "no_such_replay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """Which documents are read again, and as what. `read_as` is NAME or NAME@VERSION, `of` the name of the type they have now."""

    tenant_id: UUID | None = None
    read_as: str = ""
    of: str = ""
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None
    apply: bool = False


# --- Planning -------------------------------------------------------------------------------------------------------


def plan(wishes: Wishes) -> ReplayRun:
    """The documents that are read again, in their order and cut into chunks. Runs of long ago are forgotten.

    Raises document_types.Unknown.
    """
    asked = document_types.stored(wishes.read_as) if wishes.read_as else None
    if wishes.of:
        document_types.stored(wishes.of)
    drop_old()
    with scope.everything():
        run = ReplayRun.objects.create(
            wishes=_as_json(wishes),
            apply=wishes.apply,
            asked_type=asked,
            types=[row.pk for row in document_types.newest()],
        )
        numbers = 0
        for chunks in _in_bulk(_chunks(run, _documents(wishes, asked))):
            ReplayChunk.objects.bulk_create(chunks)
            run.documents += sum(len(chunk.documents) for chunk in chunks)
            numbers += len(chunks)
        ReplayRun.objects.filter(pk=run.pk).update(documents=run.documents)
    return run


def _as_json(wishes: Wishes) -> dict[str, Any]:
    return {
        "tenant_id": str(wishes.tenant_id) if wishes.tenant_id else None,
        "document_type": wishes.read_as or None,
        "of": wishes.of or None,
        "since": wishes.since.isoformat() if wishes.since else None,
        "until": wishes.until.isoformat() if wishes.until else None,
        "limit": wishes.limit,
    }


def _documents(wishes: Wishes, asked: DocumentType | None) -> Iterator[tuple[UUID, UUID, int]]:
    """Tenant, id and pages of each, tenant by tenant, the oldest first; some thousand at a time."""
    found = Document.objects.filter(status__in=pipeline.READ).order_by("tenant_id", "received_at", "id")
    if wishes.tenant_id:
        found = found.filter(tenant_id=wishes.tenant_id)
    if name := wishes.of or (asked.name if asked else ""):
        found = found.filter(document_type__name=name)
    if wishes.since:
        found = found.filter(received_at__gte=wishes.since)
    if wishes.until:
        found = found.filter(received_at__lt=wishes.until)
    left, after = wishes.limit, Q()
    while left is None or left > 0:
        most = PLANNED_AT_ONCE if left is None else min(left, PLANNED_AT_ONCE)
        rows = list(found.filter(after).values_list("tenant_id", "pk", "page_count", "received_at")[:most])
        for tenant_id, key, pages, _at in rows:
            yield tenant_id, key, pages
        if len(rows) < most:
            return
        left = None if left is None else left - most
        tenant_id, key, _pages, at = rows[-1]
        here = Q(received_at__gt=at) | Q(received_at=at, pk__gt=key)
        after = Q(tenant_id__gt=tenant_id) | (Q(tenant_id=tenant_id) & here)


def _chunks(run: ReplayRun, documents: Iterable[tuple[UUID, UUID, int]]) -> Iterator[ReplayChunk]:
    chunk: ReplayChunk | None = None
    pages_in_it, number = 0, 0
    for tenant_id, key, pages in documents:
        if chunk is not None and (
            chunk.tenant_id != tenant_id or len(chunk.documents) >= CHUNK or pages_in_it + pages > CHUNK_PAGES
        ):
            yield chunk
            chunk = None
        if chunk is None:
            number, pages_in_it = number + 1, 0
            chunk = ReplayChunk(run=run, tenant_id=tenant_id, number=number, documents=[])
        chunk.documents.append(str(key))
        pages_in_it += pages
    if chunk is not None:
        yield chunk


def _in_bulk(chunks: Iterable[ReplayChunk]) -> Iterator[list[ReplayChunk]]:
    taken: list[ReplayChunk] = []
    for chunk in chunks:
        taken.append(chunk)
        if len(taken) == PLANNED_AT_ONCE // CHUNK:
            yield taken
            taken = []
    if taken:
        yield taken


def resume(run_id: UUID | None) -> ReplayRun:
    """The run with this id, or the newest one that did not end, ready to go on: what was begun and not written is begun anew.

    Raises NoSuchRun.
    """
    found = ReplayRun.objects.filter(pk=run_id) if run_id else ReplayRun.objects.filter(finished_at=None)
    run: ReplayRun | None = found.first()
    if run is None:
        raise NoSuchRun(f"There is no replay {run_id}." if run_id else "There is no replay that did not end.")
    ReplayRun.objects.filter(pk=run.pk).update(fence=F("fence") + 1)
    run.refresh_from_db()
    return run


# --- Working ----------------------------------------------------------------------------------------------------------


def work(run: ReplayRun, *, actor: str, after_each: Callable[[], None] = lambda: None) -> None:
    """Take chunks until none is left. Several processes may do this for the same run. Raises OSError and what storage raises."""
    with ThreadPoolExecutor(AHEAD, thread_name_prefix="replay") as fetching:
        while (chunk := _taken(run)) is not None:
            _replay(run, chunk, fetching, actor=actor)
            after_each()


def _taken(run: ReplayRun) -> ReplayChunk | None:
    with scope.everything(), connection.cursor() as cursor:
        cursor.execute(_TAKE, {"run": run.pk, "fence": run.fence})
        row = cursor.fetchone()
        return ReplayChunk.objects.get(pk=row[0]) if row else None


@dataclass(frozen=True, slots=True)
class _Stored:
    """One document with all that is needed to read it again."""

    document: Document
    run: Extraction
    raw: list[Artifact]
    fields: comparing.Stored


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the reading of one document told; `again` where it is to be applied."""

    digest: bytes
    comparison: comparing.Comparison
    again: pipeline.Reread | None


def _replay(run: ReplayRun, chunk: ReplayChunk, fetching: ThreadPoolExecutor, *, actor: str) -> None:
    keys = [UUID(key) for key in chunk.documents]
    if chunk.state == ReplayChunk.State.WRITTEN:
        _publish(chunk, keys)
        return
    with scope.scope([chunk.tenant_id]):
        stored = _stored(keys)
        types = [document_types.row(key) for key in run.types]
        asked = document_types.row(run.asked_type_id) if run.asked_type_id else None
    told, digests, again = Counts(), [], []
    told.add("without_answer", count=len(keys) - len(stored))
    for each, parts in _with_parts(stored, fetching):
        try:
            outcome = _outcome(each, parts, types, asked, applies=run.apply)
        except artifacts.Lost:
            told.add("answer_lost")
            continue
        _count(told, outcome.comparison)
        digests.append(outcome.digest)
        if outcome.again:
            again.append(outcome.again)
    with scope.scope([chunk.tenant_id]):
        mine = ReplayChunk.objects.filter(pk=chunk.pk, fence=chunk.fence, state=ReplayChunk.State.PLANNED)
        if not mine.select_for_update().exists():
            return
        applied = pipeline.apply_all(again, actor=actor) if again else []
        told.add("applied", count=len(applied))
        told.add("overtaken", count=len(again) - len(applied))
        mine.update(
            state=ReplayChunk.State.WRITTEN if applied else ReplayChunk.State.DONE,
            documents=[str(document.pk) for document in applied],
            told=told.told,
            digests=b"".join(digests),
        )
    if applied:
        _publish(chunk, [document.pk for document in applied])


def _publish(chunk: ReplayChunk, keys: Sequence[UUID]) -> None:
    """Store the results of what was applied; those that are stored already stay."""
    for key in keys:
        pipeline.publish(Document(pk=key, tenant_id=chunk.tenant_id))
    with scope.scope([chunk.tenant_id]):
        ReplayChunk.objects.filter(pk=chunk.pk).update(state=ReplayChunk.State.DONE, documents=[])


def _stored(keys: Sequence[UUID]) -> list[_Stored]:
    """In the order of the keys; those that are gone, or have no stored answer any more, are left out."""
    documents = Document.objects.filter(status__in=pipeline.READ).select_related("document_type").in_bulk(keys)
    runs = {run.document_id: run for run in Extraction.objects.filter(document__in=keys).order_by("number")}
    raw: dict[UUID, list[Artifact]] = {}
    for part in Artifact.objects.filter(document__in=keys, kind=Artifact.Kind.RAW).order_by("part"):
        if part.document_id in runs and part.number == runs[part.document_id].number:
            raw.setdefault(part.document_id, []).append(part)
    fields = comparing.stored_fields(keys)
    return [
        _Stored(documents[key], runs[key], raw[key], fields.get(key, []))
        for key in keys
        if key in documents and key in raw
    ]


def _with_parts(
    stored: Sequence[_Stored], fetching: ThreadPoolExecutor
) -> Iterator[tuple[_Stored, Callable[[], readings.Parts]]]:
    """Each document with its answer's blocks, the next answers being fetched meanwhile. Calling may raise artifacts.Lost."""
    ahead: deque[tuple[_Stored, Future[list[bytes]] | None]] = deque()
    for each in stored:
        small = sum(part.size_bytes for part in each.raw) <= SMALL_BYTES
        ahead.append((each, fetching.submit(_bodies, each.raw) if small else None))
        if len(ahead) >= AHEAD:
            yield _ready(*ahead.popleft())
    while ahead:
        yield _ready(*ahead.popleft())


def _bodies(raw: Sequence[Artifact]) -> list[bytes]:
    return [artifacts.read(part) for part in raw]


def _ready(each: _Stored, fetched: Future[list[bytes]] | None) -> tuple[_Stored, Callable[[], readings.Parts]]:
    if fetched is None:
        return each, lambda: readings.parts_of(each.raw)
    return each, lambda: map(extraction.decoded, fetched.result())


def _outcome(
    each: _Stored,
    parts: Callable[[], readings.Parts],
    types: Sequence[DocumentType],
    asked: DocumentType | None,
    *,
    applies: bool,
) -> _Outcome:
    again = pipeline.as_read_again(each.document, types, asked)
    reading, type_ = readings.understood(again, each.run, parts(), types=types)
    told = extraction.as_json(reading)
    comparison = comparing.compared(each.document, each.fields, told, type_)
    digest = hashlib.sha256(orjson.dumps([str(each.document.pk), told])).digest()
    reread = None
    if applies and comparison.may_be_applied:
        own = each.document.document_type
        other_type = asked is not None and (own is None or own.name != asked.name)
        found = readings.as_found(each.document, each.run, reading, type_)
        reread = pipeline.Reread(each.document, found, asked_type=other_type)
    return _Outcome(digest, comparison, reread)


# --- Telling ----------------------------------------------------------------------------------------------------------


class Counts:
    """Counts under paths of names, as JSON that can be added to others."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}

    def add(self, *path: str, count: int = 1) -> None:
        if count:
            at = self.told
            for name in path[:-1]:
                at = at.setdefault(name, {})
            at[path[-1]] = at.get(path[-1], 0) + count

    def merge(self, other: Mapping[str, Any], *path: str) -> None:
        for name, value in other.items():
            if isinstance(value, dict):
                self.merge(value, *path, name)
            else:
                self.add(*path, name, count=value)


def _count(told: Counts, found: comparing.Comparison) -> None:
    document = found.document
    told.add("read")
    told.add("by_status", document.status)
    told.add("types", found.type_after)
    if found.type_before != found.type_after:
        told.add("type_changes", f"{found.type_before or 'none'} -> {found.type_after}")
    if found.differs and document.decision == "" and found.holds_words_of_a_person:
        told.add("left_to_a_person")
    if found.changed:
        told.add("with_changes")
    ways = {True: "person", False: "straight_through"}
    told.add("routes", f"{ways[found.needed_person]} -> {ways[found.needs_person]}")
    name = found.document_type.name
    for each in found.changed:
        for kind in each.kinds:
            told.add("fields", name, each.counted_as, kind)
    if found.judged:
        told.add("truth", "documents")
    for judged in found.judged:
        told.add("truth", "fields", name, judged.counted_as, f"before_{'right' if judged.before else 'wrong'}")
        told.add("truth", "fields", name, judged.counted_as, f"after_{'right' if judged.after else 'wrong'}")


NUMBERS = ("read", "with_changes", "applied", "overtaken", "left_to_a_person", "without_answer", "answer_lost")


def settled(run: ReplayRun) -> int:
    """How many documents are done with, for the progress bar."""
    with scope.everything():
        open_ = [len(each) for each in run.chunks.filter(state="planned").values_list("documents", flat=True)]
    return run.documents - sum(open_)


def finish(run: ReplayRun) -> dict[str, Any]:
    """What the whole run found, once nothing is left of it: counts, and one SHA-256 over all readings in the order of the run.

    The readings of two runs over the same answers with the same type versions have the same hash.
    """
    told, digest, ended = Counts(), hashlib.sha256(), True
    with scope.everything():
        for chunk in run.chunks.order_by("number").iterator(chunk_size=200):
            told.merge(chunk.told)
            digest.update(chunk.digests)
            ended = ended and chunk.state == ReplayChunk.State.DONE
    if ended:
        ReplayRun.objects.filter(pk=run.pk, finished_at=None).update(finished_at=Now())
    return {
        "run": str(run.pk),
        "dry_run": not run.apply,
        "asked": run.wishes,
        "documents": run.documents,
        "ended": ended,
        **dict.fromkeys(NUMBERS, 0),
        **told.told,
        "sha256": digest.hexdigest(),
    }


def drop_old() -> None:
    """Delete the runs of long ago."""
    with scope.everything():
        ReplayRun.objects.filter(created_at__lt=Now() - KEPT).delete()
