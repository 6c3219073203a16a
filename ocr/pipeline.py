"""The journey of one document, in the order it runs.

| step      | what happens                                        | status after           | audit kind                                |
|-----------|-----------------------------------------------------|------------------------|-------------------------------------------|
| (receive) | bytes, then row, then 202: ocr.intake               | received               | INGESTED, WORKFLOW_STARTED                |
| start     | token committed, then Textract asked                | reading                | TEXTRACT_STARTED                          |
| check     | is the job done? its answer's first part            | reading / failed       | - / FAILED                                |
| collect   | the answer's further parts, stored as they come     | reading                | -                                         |
| normalise | blocks -> fields and problems (pure), and then:     | needs_review, approved | TEXTRACT_SUCCEEDED, NORMALIZED, ...       |
|           | problems? a person. None? straight through          |                        | HUMAN_REVIEW_REQUIRED, STRAIGHT_THROUGH   |
| (decide)  | claim, correct, approve, reject: review.decisions   | approved, rejected     | HUMAN_REVIEW_APPROVED, _REJECTED          |
| replay    | enters at normalise with the stored blocks          | needs_review           | REPLAYED                                  |

A PDF's own text may serve instead of Textract's answer: `start` looks at it first, where its tenant wants that (TEXT_LAYER_CHECKED).

Three functions carry many documents at a time. `claim` takes what is due, within the quotas, and writes down what is about to be
asked; `ask` asks Textract and storage for one document, without the database; `settle` writes what came of it, all documents in one
transaction. ocr.readers calls them in a loop, with many `ask`s at the same time; `advance` calls them for one document. Each writes
only under a lease's fence: a worker that dies leaves leases that expire, and whoever comes late writes nothing.
"""

from __future__ import annotations

import copy
import hashlib
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import OperationalError
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit import log, prepared, trail
from audit.models import Kind
from ocr import (
    artifacts,
    completions,
    contract,
    costs,
    document_types,
    leases,
    lifecycle,
    outputs,
    queue,
    quota,
    readings,
    routing,
    rows,
    textlayer,
    textract,
)  # fmt: skip
from ocr.models import OWN_TEXT, Artifact, Charge, Document, DocumentType, Extraction, Priority, Status, TextLayer
from tenants import scope

JOB_DEADLINE = timedelta(hours=2)  # a job that is still running then is given up
# First look at a job: half of what such jobs take. Source: measured, Textract 4 s and 0.67 s a page.
JOB_SECONDS, PAGE_SECONDS = 4.0, 0.67
LONG_PAGES = 60  # from here on reading the blocks takes seconds: not in the process that holds a hundred calls
# Stands for Textract's operation in documents whose next step is such work: readers leave it to the chores.
LONG = "long"
MOST_FINGERPRINTS = 100  # an audit row stays small
STORE_AGAIN_SECONDS = (0.1, 1.0, 3.0)  # pauses before an answer that is paid for is stored once more
OUTPUTS_AT_ONCE = 20  # parts of a long answer that one step fetches from storage: some seconds' work
READ = (Status.NEEDS_REVIEW, Status.APPROVED, Status.REJECTED)  # there is an answer, and it was understood
POLLED_SHARE = 0.5  # looks at jobs leave so much of the Get bucket to answers
SOME_TOKENS_SECONDS = 0.25  # before an empty bucket is asked again: five tokens at a time cost as much as one
HELPED_SHARE = 0.5  # a reader that keeps up with its lane leaves less than this in the bucket
HELPER_SECONDS = 0.5  # before asking again for documents whose own reader keeps up


@dataclass(slots=True, eq=False)
class Work:
    """One held document on its way through a step, and what came of asking."""

    lease: leases.Lease
    document: Document
    run: Extraction
    step: str
    types: Sequence[DocumentType]
    original: Artifact | None = None
    earlier: Extraction | None = None  # a whole answer to the same bytes and questions
    earlier_parts: list[Artifact] = field(default_factory=list)
    wants_layer: bool = False  # the PDF's own text is looked at before Textract is asked
    layer: TextLayer | None = None  # what came of looking, and what the witness said
    layer_counts: Mapping[str, int] = field(default_factory=dict)
    unit_micro_dollars: int = 0  # what a page costs
    # Parts of the answer: those of before, then new ones without a row.
    stored: list[Artifact] = field(default_factory=list)
    job_id: str = ""
    answer: textract.Answer | None = None
    read: readings.Found | None = None
    result: Artifact | None = None
    was_uncertain: bool = False
    was_sent: bool = False  # a synchronous call went out, in this step: it may have been billed
    error: Exception | None = None
    charges: list[costs.Entry] = field(default_factory=list)  # for the ledger, written last: it locks the month's sums


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a worker got to do. `waits` says for which operations there is more, and in how many seconds the quota has room."""

    works: list[Work]
    found: int  # how many were due of those that were looked at, whatever the quota let through
    waits: Mapping[str, float]


def advance(tenant_id: UUID, document_id: UUID) -> None:
    """Carry one document as far as it goes now. Does nothing when nobody is needed or somebody else is at it."""
    works = claim("low", limit=1, only=(tenant_id, document_id)).works
    while works:
        for work in works:
            ask(work)
        works = settle(works)


# --- Taking ---------------------------------------------------------------------------------------------------------

READ_BY_READERS = ("", *quota.OPERATIONS)


def claim(
    lane: str, *, limit: int, operations: Collection[str] = READ_BY_READERS, only: tuple[UUID, UUID] | None = None
) -> Claimed:
    """Up to `limit` due documents for this lane, held, within the quotas, with what will be asked already written down.

    The token of an asynchronous call and the fact of a synchronous one are committed here, before anything is sent.
    """
    with scope.everything():
        found = leases.due_now(*only) if only else leases.due(lane, operations=operations, limit=limit)
        granted, waits = _within_quota(found, helper=lane == queue.HELPER and not only)
        works = _prepared(granted) if granted else []
    return Claimed(works, len(found), waits)


@dataclass(frozen=True, slots=True)
class _Line:
    """Documents that stand before the same bucket in the same way."""

    operation: str
    urgent: bool  # their turn has come: they may empty the bucket
    high: bool  # their own reader asks for every single token; the others wait for some together
    helped: bool  # another reader is at them too


def _within_quota(found: Sequence[Document], *, helper: bool) -> tuple[list[Document], dict[str, float]]:
    """Those documents that the quotas let through, in their order, and how long the operations of the others have to wait.

    A `helper` takes normal documents only from a bucket that their own reader leaves full: two readers that empty it together would
    do twice as many, half as large transactions.
    """
    granted: list[Document] = []
    waits: dict[str, float] = {}
    lines: dict[_Line, list[Document]] = {}
    for document in found:
        urgent = document.turn_at <= leases.looked_at(document)
        helped = helper and document.priority == Priority.NORMAL
        line = _Line(document.operation, urgent, document.priority == Priority.HIGH, helped)
        lines.setdefault(line, []).append(document)
    for line, documents in lines.items():
        if line.operation in {"", LONG}:
            granted += documents
            continue
        calls, wait = _let_through(line, documents)
        granted += documents[:calls]
        if calls < len(documents):
            waits[line.operation] = min(wait, waits.get(line.operation, wait))
    order = {document.pk: place for place, document in enumerate(found)}
    return sorted(granted, key=lambda document: order[document.pk]), waits


def _let_through(line: _Line, documents: Sequence[Document]) -> tuple[int, float]:
    """How many of the line go on now, and in how many seconds it is worth asking for the others."""
    wanted = len(documents)
    if line.operation.startswith("Start"):
        wanted = min(wanted, quota.room_for_jobs(line.operation))
    polls = all(document.step == "check" for document in documents)
    kept = POLLED_SHARE if polls else HELPED_SHARE if line.helped else 0.0
    grant = quota.take(line.operation, wanted, urgent=line.urgent and not kept, kept=kept)
    if grant.calls == wanted:  # there was no room for more jobs
        return grant.calls, 1.0
    if line.high:
        return grant.calls, grant.wait_seconds
    patience = HELPER_SECONDS if line.helped and not grant.calls else SOME_TOKENS_SECONDS
    return grant.calls, max(grant.wait_seconds, patience)


def _prepared(documents: Sequence[Document]) -> list[Work]:
    """The works for these documents, which are locked: held, their extractions planned, saved and told."""
    held = list(zip(leases.begin(documents), documents, strict=True))
    # The lease of a new document is written with its first move; all others now.
    leases.write([document for document in documents if not _is_new(document)])
    for lease, document in held:
        if leases.died_too_often(document) and not _is_new(document):
            leases.fail(lease, "worker_died", attempts=document.attempts)
    alive = [(lease, document) for lease, document in held if _is_new(document) or not leases.died_too_often(document)]
    return _planned(_works(alive))


def _is_new(document: Document) -> bool:
    """Whether this is the first work on a document ever: it has no extraction, no lease and no stored answer yet."""
    return document.status == Status.RECEIVED and document.version == 1 and vars(document)["fence"] <= 1


def _works(held: Sequence[tuple[leases.Lease, Document]]) -> list[Work]:
    known = [document.pk for _lease, document in held if not _is_new(document)]
    newest = Extraction.objects.filter(document__in=known).order_by("document_id", "-number").distinct("document_id")
    runs = {run.document_id: run for run in newest} if known else {}
    stored = _stored([document.pk for _lease, document in held])
    types = {row.pk: row for row in document_types.newest()}
    works = []
    for lease, document in held:
        _give_type(document, types)
        run = runs.get(document.pk)
        mine = stored.get(document.pk, [])
        works.append(
            Work(
                lease=lease,
                document=document,
                run=run or Extraction(),
                step="start" if lease.step == "route" else lease.step,
                types=list(types.values()),
                original=next((each for each in mine if each.kind == Artifact.Kind.ORIGINAL), None),
                stored=[each for each in mine if run and each.number == run.number and each.kind == Artifact.Kind.RAW],
            )
        )
    return works


_STORED = """
    SELECT {columns} FROM ocr_artifact AS artifact
     WHERE document_id = ANY ($1::text[]::uuid[]) AND kind IN ('original', 'raw') ORDER BY number, part
"""


def _stored(ids: Sequence[UUID]) -> dict[UUID, list[Artifact]]:
    found: dict[UUID, list[Artifact]] = {}
    for row in rows.select(Artifact, _STORED, [str(each) for each in ids]):
        found.setdefault(row.document_id, []).append(row)
    return found


def _give_type(document: Document, types: dict[int, DocumentType]) -> None:
    """Give the document its type's row without a query for each: rows of types never change."""
    type_id = document.document_type_id
    if type_id is not None:
        if type_id not in types:
            types_row = document_types.row(type_id)
            document.document_type = types_row
        else:
            document.document_type = types[type_id]


def _planned(works: list[Work]) -> list[Work]:
    """The works that can go on: what is to be sent is planned, paid for within the cap, and written down."""
    new, ready = [], []
    for work in works:
        if work.step != "start" or (work.run.pk and work.run.state not in {"failed", "planned"}):
            ready.append(work)
            continue
        try:
            _plan(work)
        except routing.NeedsBucket as refusal:
            _write_first_lease(work)
            leases.fail(work.lease, refusal.code)
            continue
        new.append(work)
    sent = _within_cap(new)
    _save_plans(sent)
    _tell_of_starts([work for work in [*sent, *ready] if work.document.status == Status.RECEIVED])
    works = [*ready, *sent]
    for work in works:
        work.unit_micro_dollars = costs.price(work.run.features, work.run.operation)
    return works


def _plan(work: Work) -> None:
    """Give the work the extraction to carry out: the newest that has not failed, else a new one with its own token."""
    document, newest = work.document, work.run
    work.earlier, work.earlier_parts, work.wants_layer = None, [], False
    if not newest.pk or newest.state == Extraction.State.FAILED:
        number = newest.number + 1 if newest.pk else 1
        planned = _how_to_ask(document, number)
        operation, features = planned.operation, list(planned.features)
        work.run = Extraction(
            tenant_id=document.tenant_id,
            document=document,
            number=number,
            operation=operation,
            features=features,
            token=_token(document, features, number),
            job_options={} if routing.at_once(operation) else _job_options(document, operation),
        )
    # With an operation the document comes with a token from its bucket: the earlier answer is not kept any more.
    if work.run.number == 1 and not document.operation:
        work.earlier = _earlier(document, work.run)
        if work.earlier:
            work.earlier_parts = readings.raw_artifacts(work.earlier.document, work.earlier)
    # With an operation the document has a token from its bucket: the layer was looked at before, or a person wants it read anew.
    work.wants_layer = document.text_layer == TextLayer.WANTED and not (document.operation or work.earlier)


def _earlier(document: Document, run: Extraction) -> Extraction | None:
    """The answer that serves without asking: that of the document whose pages these were, or an earlier one to the same bytes."""
    if document.split_of is not None:
        return readings.collected(document.split_of)
    return costs.earlier_answer(document, run.operation, run.features) if document.duplicate_of is not None else None


def _how_to_ask(document: Document, number: int) -> routing.Plan:
    """What Textract is asked; where it cannot reach the file, the file's own text is all that may serve."""
    try:
        return routing.plan(document, number=number)
    except routing.NeedsBucket:
        if document.text_layer != TextLayer.WANTED:
            raise
        return routing.Plan(OWN_TEXT, ())


def _job_options(document: Document, operation: str) -> dict[str, Any]:
    # The lending analysis writes to storage in a form of its own: its answer is asked for.
    written = {} if operation == "StartLendingAnalysis" else outputs.wanted(document)
    return {**written, **completions.wanted(document)}


def _write_first_lease(work: Work) -> None:
    """Write a new document's lease, which its first move would have written: there is none now."""
    if _is_new(work.document):
        leases.write([work.document])


def _within_cap(works: Sequence[Work]) -> list[Work]:
    """Those works that their tenants' caps leave room for; the documents of the others wait, and say why."""
    asking = [work for work in works if _asks_textract(work)]
    granted = costs.reserve([work.run for work in asking], pages={w.document.pk: w.document.page_count for w in asking})
    allowed = {id(run) for run in granted}
    for work in asking:
        if id(work.run) not in allowed:
            _write_first_lease(work)
            leases.put_off(work.lease, costs.OVER_CAP, seconds=costs.PROBE.total_seconds())
    return [work for work in works if not _asks_textract(work) or id(work.run) in allowed]


def _asks_textract(work: Work) -> bool:
    """Whether the step is to ask Textract at once: not while an earlier answer or the file's own text may serve."""
    return not (work.earlier or work.wants_layer)


def _save_plans(works: Sequence[Work]) -> None:
    """Write the extractions down. A synchronous call is uncertain from here on, until an answer says otherwise.

    Without an operation the document has no token from a bucket: it is claimed again before anything is sent.
    """
    for work in works:
        work.was_uncertain = work.run.charge_uncertain
        is_sent = _asks_textract(work) and bool(work.document.operation)
        if routing.at_once(work.run.operation) and is_sent and not work.was_uncertain:
            work.run.charge_uncertain, work.run.sent_fence = True, work.lease.fence
    columns = ["charge_uncertain", "sent_fence", "estimate_micro_dollars"]
    if known := [work.run for work in works if work.run.pk]:
        Extraction.objects.bulk_update(known, columns)
    if new := [work.run for work in works if not work.run.pk]:
        rows.insert_numbered(new)


def _tell_of_starts(works: Sequence[Work]) -> None:
    changes = [
        lifecycle.Change(
            document=work.document,
            to=Status.READING,
            actor=leases.WORKER,
            expected_version=work.document.version,
            reason="start",
            codes={
                "operation": work.run.operation,
                "features": work.run.features,
                "extraction": work.run.number,
                "token": work.run.token,
                **({"source": "text_layer"} if work.wants_layer else {}),
            },
            changes=leases.held_columns(work.document),
            fence=work.lease.fence - _is_new(work.document),
            request_id=work.lease.request_id,
        )
        for work in works
    ]
    if changes:
        lifecycle.move_all(changes, now=leases.looked_at(works[0].document))


def _token(document: Document, features: Sequence[str], number: int) -> str:
    parts = [str(document.pk), document.sha256, ",".join(sorted(features)), str(number)]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def long_due(limit: int) -> list[tuple[UUID, UUID]]:
    """Tenant and id of due documents whose next step takes so long that it is not for readers, most urgent first."""
    with scope.everything():
        return [(document.tenant_id, document.pk) for document in leases.due("low", operations=[LONG], limit=limit)]


def keep(held: Sequence[leases.Lease]) -> None:
    """Give these leases their full time again: the work on their documents goes on."""
    with scope.everything():
        leases.extend(held)


# --- Asking: no database here, and any number at the same time ------------------------------------------------------


def ask(work: Work) -> None:
    """Do the step's part outside: Textract, storage, and understanding the answer. Never raises; the work says what came of it."""
    work.error = None
    with log.caused_by(work.lease.request_id), textract.seated():
        try:
            ASKS[work.step](work)
            textract.leave_seat()  # nothing holds the parsed answer any more
            _conclude(work)
        except Exception as error:  # sorted by `settle`, which also logs what is a bug
            work.error = error


def _ask_start(work: Work) -> None:
    run = work.run
    if run.state == Extraction.State.COLLECTED:
        _ask_normalise(work)
    elif run.state == Extraction.State.STARTED:
        work.job_id = run.job_id
    elif work.earlier and _taken_over(work):
        _ask_normalise(work)
    elif work.wants_layer and (answer := _own_text(work)):
        _understand_at_once(work, answer)
    elif run.operation == OWN_TEXT:
        raise textract.Refused(routing.NeedsBucket.code)
    elif not work.document.operation:
        # It came without a token from the bucket, in hope of an earlier answer or of the file's own text.
        raise _NeedsQuota(run.operation)
    elif routing.at_once(run.operation):
        _ask_at_once(work)
    else:
        _ask_for_job(work)


class _NeedsQuota(Exception):
    """The step asks Textract after all: it is claimed again, with a token from this operation's bucket."""

    def __init__(self, operation: str) -> None:
        super().__init__(operation)
        self.operation = operation


def _ask_for_job(work: Work) -> None:
    assert work.original
    bucket, version = _bucket(work.original.key)
    work.job_id = textract.start(
        operation=work.run.operation,
        token=work.run.token,
        bucket=bucket,
        key=work.original.key,
        version=version,
        features=work.run.features,
        queries=_queries(work.document.document_type),
        options=work.run.job_options,
    )


def _ask_at_once(work: Work) -> None:
    """The synchronous call: sent once. What a worker before us stored of its answer before it died is found again."""
    assert work.original
    run = work.run
    if work.was_uncertain:
        answer = _left_behind(work)
        if answer is None:
            raise textract.Refused("charge_uncertain")
    else:
        document = _document_for(work.original)
        work.was_sent = True
        queries = _queries(work.document.document_type)
        answer = textract.analyze(document, operation=run.operation, features=run.features, queries=queries)
        work.stored = [_store_paid(work, answer)]
    _understand_at_once(work, answer)


def _store_paid(work: Work, answer: textract.Answer) -> Artifact:
    """Store the answer that cannot be asked for again; storage that fails gets some more chances."""
    for pause in STORE_AGAIN_SECONDS:
        try:
            return _store_part(work, answer, 1)
        except (OSError, ClientError, BotoCoreError) as error:
            log.event(
                "storage_or_database_error",
                level=logging.WARNING,
                error=error,
                document=work.document.pk,
                step=work.step,
            )
            time.sleep(pause)
    return _store_part(work, answer, 1)


def _document_for(original: Artifact) -> dict[str, Any]:
    """The document as Textract is given it: by its place where Textract can reach it, else by its bytes."""
    if not routing.can_be_reached():
        return {"Bytes": artifacts.read(original)}
    bucket, version = _bucket(original.key)
    return {"S3Object": {"Bucket": bucket, "Name": original.key} | ({"Version": version} if version else {})}


def _left_behind(work: Work) -> textract.Answer | None:
    """The answer that the sender of the call stored before it died, or None."""
    key = artifacts.key_of(work.document, Artifact.Kind.RAW, number=work.run.number, fence=work.run.sent_fence)
    left = artifacts.left_behind(
        work.document, Artifact.Kind.RAW, key, number=work.run.number, content_type="application/json"
    )
    if left is None:
        return None
    row, content = left
    try:
        answer = textract.checked(content, operation=work.run.operation)
    except textract.Busy:
        return None
    work.stored = [row]
    return answer


def _ask_check(work: Work) -> None:
    """Is the job done? If it is, the answer's first part is here, unless Textract has written all of them to storage."""
    if outputs.expected(work.run):
        work.answer = textract.status(work.run.job_id, operation=routing.asking_for(work.run.operation), most=1)
    else:
        _ask_part(work, next_token="")
    assert work.answer
    if work.answer.status == "FAILED":
        raise textract.Refused("engine_failed")


def _ask_collect(work: Work) -> None:
    if outputs.expected(work.run):
        _fetch_parts(work)
    else:
        _ask_part(work, next_token=work.run.next_token)


def _fetch_parts(work: Work) -> None:
    """Some more of the parts that Textract has written to storage, kept as if it had been asked for them."""
    run, last = work.run, outputs.last_part(work.run)
    if not last or last > _most_parts(work.document):
        raise textract.Busy("bad_response", costs_attempt=True)
    outputs.forget(run, up_to=run.parts)
    until = min(run.parts + OUTPUTS_AT_ONCE, last)
    work.stored = [_fetched(work, part) for part in range(run.parts + 1, until + 1)]
    work.answer = textract.Answer(
        body=b"",
        status="SUCCEEDED",
        next_token=str(until + 1) if until < last else "",
        pages=run.pages,
        said={},
        warnings=run.warnings,
        model_version=run.model_version,
        message="",
    )


def _fetched(work: Work, part: int) -> Artifact:
    try:
        answer = textract.checked(outputs.read(work.run, part), operation=work.run.operation)
    except FileNotFoundError:
        raise textract.Busy("bad_response", costs_attempt=True) from None
    if answer.status not in {"SUCCEEDED", "PARTIAL_SUCCESS"} or answer.pages != work.run.pages:
        raise textract.Busy("bad_response", costs_attempt=True)
    return _store_part(work, answer, part)


def _most_parts(document: Document) -> int:
    """A dense page has some 5,000 blocks: an answer of more parts than this is none."""
    return 20 + 20 * document.page_count


def _ask_part(work: Work, *, next_token: str) -> None:
    operation = routing.asking_for(work.run.operation)
    answer = textract.status(work.run.job_id, operation=operation, next_token=next_token)
    run = work.run
    if next_token and (
        answer.status in {"IN_PROGRESS", "FAILED"} or answer.next_token == next_token or answer.pages != run.pages
    ):
        raise textract.Busy("bad_response", costs_attempt=True)
    work.answer = answer
    if answer.status in {"IN_PROGRESS", "FAILED"}:
        return
    part = run.parts + 1 if next_token else 1
    if part > _most_parts(work.document):  # a ring of tokens
        raise textract.Busy("bad_response", costs_attempt=True)
    if part == 1 and not answer.next_token:  # the usual short document is understood at once, without reading it back
        textract.check_complete(answer, expected_pages=work.document.page_count)
    work.stored = [_store_part(work, answer, part)]
    if part == 1 and not answer.next_token:
        _understand_at_once(work, answer)


def _ask_normalise(work: Work) -> None:
    """Understand the stored parts, one after the other: a long answer never sits in memory whole."""
    whole = textract.Whole(work.document.page_count)
    if outputs.expected(work.run) and work.run.job_id:
        outputs.forget(work.run)  # all of it is kept by now

    def parts() -> Iterator[Mapping[str, Any]]:
        for part in readings.parts_of(work.stored):
            whole.see(part)
            yield part

    read = readings.found(work.document, work.run, parts(), types=work.types)
    lacking = {page for warning in work.run.warnings for page in (warning.get("Pages") or [])}
    whole.check(declared=work.run.pages, may_lack=lacking)
    work.read = read


ASKS: Mapping[str, Callable[[Work], None]] = {
    "start": _ask_start,
    "check": _ask_check,
    "collect": _ask_collect,
    "normalise": _ask_normalise,
}


def _understand_at_once(work: Work, answer: textract.Answer) -> None:
    """Understand an answer that is here, whole, and let it go."""
    textract.check_complete(answer, expected_pages=work.document.page_count)
    work.answer = answer
    work.run.warnings = list(answer.warnings)
    work.run.model_version, work.run.pages = answer.model_version[:40], answer.pages
    try:
        with textract.understanding:
            read = readings.found(work.document, work.run, [answer.said], types=work.types)
    except Exception as error:
        # A bug of ours: the answer, which is paid for, is kept all the same, and understanding it tried apart.
        _log_crash(work, error)
        return
    finally:
        # It is stored: a hundred of them wait for their turn to be saved.
        work.answer = replace(answer, body=b"", said={})
    work.read = read


def _conclude(work: Work) -> None:
    """Store the normalised result as the version that `settle` is about to make: bytes first, row second."""
    read, work.read = work.read, None  # set again below: a reading whose result could not be stored is none
    if read is None:
        return
    after = _afterwards(work, read)
    told = contract.result(after, extractions=[_run_afterwards(work)], fields=read.fields)
    work.result = artifacts.store(
        after,
        Artifact.Kind.RESULT,
        _json(told),
        content_type="application/json",
        number=after.version,
        fence=work.lease.fence,
    )
    work.read = read


def _afterwards(work: Work, found: readings.Found) -> Document:
    """The document as `settle` will leave it."""
    after = copy.copy(work.document)
    after.version = work.document.version + 1
    after.status = Status.NEEDS_REVIEW if found.reasons else Status.APPROVED
    after.straight_through, after.review_reasons = not found.reasons, found.reasons
    after.document_type, after.problems = found.document_type, found.problems
    after.text_layer = work.layer or work.document.text_layer
    return after


def _run_afterwards(work: Work) -> Extraction:
    run = copy.copy(work.run)
    run.charge_uncertain = False
    run.micro_dollars = 0 if run.is_free else work.unit_micro_dollars * run.pages
    return run


def _store_part(work: Work, answer: textract.Answer, part: int) -> Artifact:
    stored = artifacts.store(
        work.document,
        Artifact.Kind.RAW,
        answer.body,
        content_type="application/json",
        number=work.run.number,
        part=part,
        fence=work.lease.fence,
    )
    stored.first_page, stored.last_page = answer.first_page, answer.last_page
    return stored


def _taken_over(work: Work) -> bool:
    """Take the stored answer of an earlier document for this one's: of the same bytes, or the one that these pages were cut out of.
    False when it is not kept any more."""
    assert work.earlier
    try:
        bodies = [artifacts.read(part) for part in work.earlier_parts]
    except artifacts.Lost as lost:
        log.event("earlier_answer_lost", document=work.earlier.document_id, code=lost.code)
        return False
    run, document = work.run, work.document
    run.reused_from, run.operation, run.features = (
        work.earlier.document_id,
        work.earlier.operation,
        work.earlier.features,
    )
    run.model_version, run.pages, run.warnings = work.earlier.model_version, document.page_count, []
    if document.split_first:
        first, last = document.split_first, document.split_first + document.page_count - 1
        bodies = readings.cut(bodies, first=first, last=last)
        run.warnings = readings.warnings_of(work.earlier, first=first, last=last)
    work.stored = [_stored_over(work, body, number) for number, body in enumerate(bodies, 1)]
    return bool(work.stored)


def _stored_over(work: Work, body: bytes, number: int) -> Artifact:
    """One part of the answer that was taken over, with the pages that it says something of."""
    mine = artifacts.store(
        work.document,
        Artifact.Kind.RAW,
        body,
        content_type="application/json",
        number=work.run.number,
        part=number,
        fence=work.lease.fence,
    )
    if not work.document.split_first:
        mine.first_page, mine.last_page = (
            work.earlier_parts[number - 1].first_page,
            work.earlier_parts[number - 1].last_page,
        )
    return mine


def _own_text(work: Work) -> textract.Answer | None:
    """The PDF's own text as an answer, checked and stored; None when it is not taken, and `layer` says why."""
    assert work.original
    try:
        answer = textract.checked(textlayer.read(work.document, work.original), operation=OWN_TEXT)
        read = _first_look_at_text(work, answer)
        textract.leave_seat()  # the witness may take seconds; how many ask it at a time is bounded there
        work.layer_counts = textlayer.check(
            work.document,
            work.original,
            answer.blocks,
            read_from={id_ for each in read.fields for id_ in each.word_ids if each.row is None},
        )
    except textlayer.NotTaken as why:
        work.layer, work.layer_counts = why.outcome, why.counts
        return None
    work.stored = [_store_part(work, answer, 1)]
    work.layer, work.run.operation, work.run.features = TextLayer.TAKEN, OWN_TEXT, []
    return answer


def _first_look_at_text(work: Work, answer: textract.Answer) -> readings.Found:
    """What the text says, before anybody believes it: which words matter, and of which type it is."""
    with textract.understanding:
        read = readings.found(work.document, work.run, [answer.said], types=work.types)
    if not textlayer.serves(read.document_type):
        raise textlayer.NotTaken(TextLayer.UNFIT)
    return read


# --- Writing down what came of it -----------------------------------------------------------------------------------


def settle(works: Sequence[Work]) -> list[Work]:
    """Write down what came of asking, all in one transaction; the works that go on at once with their next step.

    One document whose rows cannot be written does not hold up the others. Raises OperationalError when the database is away: nothing
    was written then, and the same works can be settled again.
    """
    if not works:
        return []
    try:
        return _settled([_own(work) for work in works])
    except OperationalError:
        raise
    except Exception as error:
        if len(works) > 1:
            return [going for work in works for going in settle([work])]
        _log_crash(works[0], error)
        with scope.scope([works[0].lease.tenant_id]):
            leases.try_later(works[0].lease, f"internal_{type(error).__name__}"[:60], costs_attempt=True)
        return []


def _own(work: Work) -> Work:
    """A copy to write from: a transaction that fails must leave no trace in memory either."""
    mine = copy.copy(work)
    mine.document, mine.run, mine.charges = copy.copy(work.document), copy.copy(work.run), []
    mine.stored, mine.result = [copy.copy(part) for part in work.stored], copy.copy(work.result)
    return mine


def _settled(works: list[Work]) -> list[Work]:
    with scope.scope({work.lease.tenant_id for work in works}):
        held, now = leases.still_held([work.lease for work in works])
        mine = [work for work in works if work.lease.document_id in held]
        for work in works:
            if work.lease.document_id not in held:
                log.event("overtaken", document=work.lease.document_id, step=work.step, fence=work.lease.fence)
        _find_overdue(mine)
        _settle_layers([work for work in mine if work.layer and not (work.error and work.layer == TextLayer.TAKEN)])
        _settle_errors([work for work in mine if work.error])
        good = [work for work in mine if not work.error]
        _settle_jobs([work for work in good if work.job_id])
        _settle_looks([work for work in good if work.answer and work.answer.status == "IN_PROGRESS"])
        _settle_written([work for work in good if work.step == "check" and work.answer and not work.stored])
        _settle_readings([work for work in good if work.read], now)
        going = _settle_parts([work for work in good if work.stored and not work.read], now)
        _tell_quotas(mine)
        costs.charge([charge for work in mine for charge in work.charges])
    return going


def _settle_layers(works: Sequence[Work]) -> None:
    """Keep what became of the PDFs' own text, once, and what the witness said of it. What was taken and could not be kept is looked
    at again."""
    if not works:
        return
    rows.update(Document, {work.document.pk: {"text_layer": str(work.layer)} for work in works})
    trail.append([_entry(work, Kind.TEXT_LAYER_CHECKED, "start", _said_of_layer(work)) for work in works])
    for work in works:
        work.document.text_layer, work.layer = str(work.layer), None


def _said_of_layer(work: Work) -> dict[str, object]:
    return {"code": str(work.layer), "pages": work.document.page_count, "counts": dict(work.layer_counts)}


def _settle_errors(works: Sequence[Work]) -> None:
    for work in works:
        error, lease = work.error, work.lease
        if isinstance(error, _NeedsQuota):
            leases.note([leases.Next(lease=lease, step=work.step, operation=error.operation, seconds=0.0)])
        elif isinstance(error, textract.Busy):
            _settle_busy(work, error)
        elif isinstance(error, textract.Refused):
            _end_run(work, refused=error.code)
            leases.fail(lease, error.code)
        elif isinstance(error, artifacts.Lost):
            _never_sent(work)
            leases.try_later(lease, error.code, costs_attempt=True)
        elif isinstance(error, OSError | ClientError | BotoCoreError):
            # ClientError and BotoCoreError here come from the document storage; Textract's were sorted before.
            log.event(
                "storage_or_database_error",
                level=logging.WARNING,
                error=error,
                document=lease.document_id,
                step=work.step,
            )
            _never_sent(work)
            leases.try_later(lease, "storage_or_database", costs_attempt=True)
        else:
            # A bug must neither stop the worker nor repeat for ever: it is logged, counted, and ends in `failed`.
            assert error is not None
            _log_crash(work, error)
            leases.try_later(lease, f"internal_{type(error).__name__}"[:60], costs_attempt=True)


def _log_crash(work: Work, error: BaseException) -> None:
    ids = {"document": str(work.lease.document_id), "step": work.step}
    logging.getLogger("dtat").error("step_crashed", exc_info=error, extra={"ids": ids})


def _settle_busy(work: Work, busy: textract.Busy) -> None:
    """Later. A synchronous call that may have been billed is not made again by itself."""
    if _is_at_once(work) and busy.sent and not work.was_uncertain:
        _end_run(work, refused="charge_uncertain")
        leases.fail(work.lease, "charge_uncertain")
        return
    _never_sent(work)
    if busy.code == "bad_response" and work.step in {"collect", "normalise"} and work.run.job_id:
        # The stored parts do not make a whole: they are fetched anew, from the first one on.
        Extraction.objects.filter(pk=work.run.pk).update(
            parts=0,
            next_token="",
            warnings=[],
            state=Extraction.State.STARTED,
            job_options=outputs.given_up(work.run),  # parts in storage are not waited for: Textract is asked for them
        )
        work.document.artifacts.filter(kind=Artifact.Kind.RAW, number=work.run.number).delete()
        leases.goes_on(work.lease, "check", routing.asking_for(work.run.operation))
    seconds = leases.REFILLED_SECONDS if busy.code == "throttled" else leases.THROTTLED_SECONDS
    leases.try_later(work.lease, busy.code, costs_attempt=busy.costs_attempt, seconds=seconds)


def _is_at_once(work: Work) -> bool:
    return work.step == "start" and routing.at_once(work.run.operation) and work.run.charge_uncertain


def _never_sent(work: Work) -> None:
    """The synchronous call was surely not made, or surely not accepted: it may be made again."""
    refused = isinstance(work.error, textract.Busy) and not work.error.sent
    if _is_at_once(work) and not work.was_uncertain and (refused or not work.was_sent):
        Extraction.objects.filter(pk=work.run.pk).update(charge_uncertain=False)


def _end_run(work: Work, *, refused: str) -> None:
    """After a refusal the extraction is over: a retry asks anew, under a token of its own."""
    never_asked = work.step == "start" and not _is_at_once(work) and refused != "token_mismatch"
    if not work.run.pk or (never_asked and work.run.operation != OWN_TEXT):
        return  # nothing was accepted under the token
    uncertain = refused == "charge_uncertain"
    Extraction.objects.filter(pk=work.run.pk).update(state=Extraction.State.FAILED, charge_uncertain=uncertain)
    if uncertain:
        work.charges.append(costs.entry(work.run, pages=work.document.page_count, kind=Charge.Kind.UNCERTAIN))


def _find_overdue(works: Sequence[Work]) -> None:
    """A job that runs for longer than any job does is given up."""
    waiting = [work for work in works if work.answer and work.answer.status == "IN_PROGRESS" and work.run.started_at]
    now = lifecycle.database_now() if waiting else None
    for work in waiting:
        if now and work.run.started_at and now - work.run.started_at > JOB_DEADLINE:
            work.error = textract.Refused("engine_timeout")


def _settle_jobs(works: Sequence[Work]) -> None:
    now = lifecycle.database_now() if works else None
    started = [work for work in works if work.run.state != Extraction.State.STARTED]
    rows.update(
        Extraction,
        {w.run.pk: {"job_id": w.job_id, "state": Extraction.State.STARTED, "started_at": now} for w in started},
    )
    leases.note(
        [
            leases.Next(
                lease=work.lease,
                step="check",
                operation=routing.asking_for(work.run.operation),
                seconds=_first_look_at(work),
            )
            for work in works
        ]
    )


def _first_look_at(work: Work) -> float:
    """The same when word is to come: late. A Start that may have been sent before brings no second word, and is looked at soon."""
    soon = _first_look(work.document.page_count)
    sent_once = work.lease.fence == 1
    return max(soon, completions.SWEEP_SECONDS) if sent_once and completions.expected(work.run) else soon


def _first_look(pages: int) -> float:
    """Seconds until a job of so many pages is worth a look: half of what it is expected to take."""
    return max(
        settings.POLL_FIRST_SECONDS, min((JOB_SECONDS + PAGE_SECONDS * pages) / 2 - 1, settings.POLL_MOST_SECONDS)
    )


def _settle_looks(works: Sequence[Work]) -> None:
    """Look again later, less and less often."""
    Extraction.objects.filter(pk__in=[work.run.pk for work in works]).update(polls=F("polls") + 1) if works else None
    leases.note(
        [
            leases.Next(
                lease=work.lease,
                step="check",
                operation=work.document.operation,
                # Beyond 20 looks the longest pause is reached, and a larger power would overflow some day.
                seconds=min(
                    _first_look(work.document.page_count) * 1.5 ** min(work.run.polls, 20), _longest_pause(work)
                ),
            )
            for work in works
        ]
    )


def _longest_pause(work: Work) -> float:
    return completions.SWEEP_SECONDS if completions.expected(work.run) else settings.POLL_MOST_SECONDS


def _settle_written(works: Sequence[Work]) -> None:
    """These jobs are done, and their answers' parts lie in storage: keep what the answers say of themselves, fetch the parts next."""
    done = [(work, work.answer) for work in works if work.answer and work.answer.status != "IN_PROGRESS"]
    rows.update(
        Extraction,
        {
            work.run.pk: {
                "parts": 0,
                "warnings": list(answer.warnings),
                "model_version": answer.model_version[:40],
                "pages": answer.pages,
            }
            for work, answer in done
        },
    )
    leases.note([leases.Next(lease=work.lease, step="collect", operation="", seconds=0.0) for work, _answer in done])


def _settle_parts(works: Sequence[Work], now: datetime) -> list[Work]:
    """Keep the parts that came; what goes on at once with the next part, or with understanding them all."""
    _keep_parts(works)
    steps, going = [], []
    for work in works:
        answer, run = work.answer, work.run
        assert answer
        run.parts, run.next_token = work.stored[-1].part, answer.next_token
        fetched = outputs.expected(run)
        run.warnings = [*(run.warnings if run.parts > 1 and not fetched else []), *answer.warnings]
        run.model_version, run.pages = answer.model_version[:40], answer.pages
        work.step = "collect" if answer.next_token else "normalise"
        long = work.step == "normalise" and work.document.page_count >= LONG_PAGES
        asked_next = answer.next_token and not fetched
        operation = routing.asking_for(run.operation) if asked_next else LONG if long else ""
        waits = long or bool(answer.next_token)  # each further part takes its turn in the quota
        steps.append(leases.Next(lease=work.lease, step=work.step, operation=operation, seconds=0.0 if waits else None))
        if not waits:
            work.stored = []
            going.append(work)
    rows.update(
        Extraction,
        {
            work.run.pk: {
                "parts": work.run.parts,
                "next_token": work.run.next_token,
                "warnings": work.run.warnings,
                "model_version": work.run.model_version,
                "pages": work.run.pages,
            }
            for work in works
        },
    )
    leases.note(steps)
    trail.append(_collected([work for work in works if work.step == "normalise"], now))
    for work in going:
        work.stored, work.answer = readings.raw_artifacts(work.document, work.run), None
    return going


def _keep_parts(works: Sequence[Work]) -> None:
    """Save the rows of stored parts and results; a part that came again replaces the one of before."""
    new = [part for work in works for part in _new_objects(work) if work.lease.fence == 1]
    if new:
        rows.insert(*new)
    again = [part for work in works for part in _new_objects(work) if work.lease.fence > 1]
    if again:
        Artifact.objects.bulk_create(
            again,
            update_conflicts=True,
            unique_fields=["document", "kind", "number", "part"],
            update_fields=["key", "sha256", "size_bytes", "first_page", "last_page"],
        )


def _new_objects(work: Work) -> list[Artifact]:
    return [part for part in work.stored if part._state.adding] + ([work.result] if work.result else [])


def _collected(works: Sequence[Work], now: datetime) -> list[trail.Entry]:
    """The whole answer is kept: write that, and what it cost, once. The caller appends the audit entries."""
    new = [work for work in works if work.run.state != Extraction.State.COLLECTED]
    charges = {work.run.pk: _charge(work) for work in new if work.run.operation != OWN_TEXT}
    rows.update(
        Extraction,
        {
            work.run.pk: {
                "state": Extraction.State.COLLECTED,
                "pages": work.run.pages,
                "parts": max(work.run.parts, len(work.stored)),
                "next_token": "",
                "model_version": work.run.model_version,
                "warnings": work.run.warnings,
                "collected_at": now,
                "charge_uncertain": False,
                "reused_from": work.run.reused_from,
                "operation": work.run.operation,
                "features": work.run.features,
                "micro_dollars": charges[work.run.pk].micro_dollars if work.run.pk in charges else 0,
            }
            for work in new
        },
    )
    entries = [_entry(work, Kind.TEXTRACT_SUCCEEDED, "collect", _said_of_answer(work)) for work in new]
    for work in new:
        work.run.state = Extraction.State.COLLECTED
        work.charges += [charges[work.run.pk]] if work.run.pk in charges else []
    return entries


def _charge(work: Work) -> costs.Entry:
    kind = Charge.Kind.REUSED if work.run.reused_from else Charge.Kind.BILLED
    return costs.entry(work.run, pages=work.run.pages, kind=kind)


def _said_of_answer(work: Work) -> dict[str, object]:
    return {
        "extraction": work.run.number,
        "pages": work.run.pages,
        "model_version": work.run.model_version,
        "sha256": _fingerprints(work),
        "count": max(work.run.parts, len(work.stored)),
        "duplicate_of": str(work.run.reused_from) if work.run.reused_from else "",
        **({"source": "text_layer"} if work.run.operation == OWN_TEXT else {}),
    }


def _fingerprints(work: Work) -> list[str]:
    """The hashes of the answer's parts; of a very long answer one over all of them."""
    if work.run.parts > len(work.stored):
        work.stored = readings.raw_artifacts(work.document, work.run)
    found = [part.sha256 for part in work.stored]
    return found if len(found) <= MOST_FINGERPRINTS else [hashlib.sha256("".join(found).encode()).hexdigest()]


def _entry(
    work: Work, kind: Kind, step: str, codes: Mapping[str, object], *, version: int | None = None
) -> trail.Entry:
    return trail.Entry(
        kind=kind,
        tenant_id=work.document.tenant_id,
        document_id=work.document.pk,
        version=version,
        actor=leases.WORKER,
        step=step,
        codes=codes,
        request_id=work.lease.request_id,
    )


def _settle_readings(works: Sequence[Work], now: datetime) -> None:
    """Fields, result, status, trail and events of everything that is read: straight through, or to a person."""
    if not works:
        return
    read = [(work, work.read, work.result) for work in works if work.read and work.result]
    _keep_parts(works)
    readings.write_all([(work.document, found) for work, found, _result in read])
    before = _collected(works, now)
    before += [
        _entry(work, Kind.NORMALIZED, "normalise", readings.counts(found.reading, found.document_type))
        for work, found, _result in read
    ]
    published = [
        _entry(
            work,
            Kind.PUBLISHED,
            "publish",
            {"artifact": "result", "version": result.number, "sha256": result.sha256},
        )
        for work, _found, result in read
    ]
    lifecycle.move_all([_routed(work, found) for work, found, _result in read], before=before, after=published, now=now)


def _routed(work: Work, found: readings.Found) -> lifecycle.Change:
    straight = not found.reasons
    return lifecycle.Change(
        document=work.document,
        to=Status.APPROVED if straight else Status.NEEDS_REVIEW,
        actor=leases.WORKER,
        expected_version=work.document.version,
        reason="route",
        codes={"reasons": found.reasons, "straight_through": straight},
        changes={
            "straight_through": straight,
            "review_reasons": found.reasons,
            "document_type_id": found.document_type.pk,
            "problems": found.problems,
            "attempts": 0,
            "error_code": "",
            "read_at": Now(),
        },
        fence=work.lease.fence,
        request_id=work.lease.request_id,
    )


def _tell_quotas(works: Sequence[Work]) -> None:
    """What the calls showed of the quotas: refused as too many, too many jobs, a wrong configuration, or that all is well."""
    said: dict[tuple[str, str], int] = {}
    for work in works:
        operation = work.document.operation
        if operation in quota.OPERATIONS:
            code = work.error.code if isinstance(work.error, textract.Busy) else ""
            said[operation, code] = said.get((operation, code), 0) + 1
    for (operation, code), count in said.items():
        quota.learn(operation, code, count=count)


_RESULT = f"WHERE document_id = $1::uuid AND kind = '{Artifact.Kind.RESULT}' AND number = $2::int"


def publish(document: Document) -> Artifact:
    """Store the normalised result of the document's present version, once; its event is already in the outbox."""
    with scope.scope([document.tenant_id]):
        present = lifecycle.of(document.pk)
        for existing in prepared.objects(Artifact, _RESULT, present.pk, present.version):
            return existing
        told = contract.result(present)
    stored = artifacts.store(
        present, Artifact.Kind.RESULT, _json(told), content_type="application/json", number=present.version
    )
    with scope.scope([document.tenant_id]):
        first = rows.insert_missing(stored)
        if first:
            trail.record(
                Kind.PUBLISHED,
                tenant_id=document.tenant_id,
                document_id=document.pk,
                actor=leases.WORKER,
                step="publish",
                codes={"artifact": "result", "version": present.version, "sha256": stored.sha256},
            )
        return stored if first else prepared.objects(Artifact, _RESULT, present.pk, present.version)[0]


# --- Doing it again -----------------------------------------------------------------------------------------------


def retry(document: Document, *, actor: str) -> Document:
    """Put a failed document back to work; what is already read is not read (or billed) again. Raises lifecycle.NotPossible."""
    moved = lifecycle.move(
        document,
        Status.RECEIVED,
        actor=actor,
        expected_version=document.version,
        reason="retry",
        changes={
            "step": "start",
            "operation": _operation_again(document),
            "due_at": Now(),
            "attempts": 0,
            "error_code": "",
            "lease_until": None,
        },
    )
    queue.ring(moved)
    return moved


def _operation_again(document: Document) -> str:
    """The operation whose quota a retry needs: that of the extraction that goes on, or of a new one."""
    newest = document.extractions.last()
    if newest and newest.state == Extraction.State.PLANNED:
        hopes = newest.number == 1 and document.duplicate_of is not None  # that an earlier answer may serve
        return "" if hopes or newest.operation == OWN_TEXT else str(newest.operation)
    if newest and newest.state != Extraction.State.FAILED:
        return ""
    try:
        return routing.plan(document, number=newest.number + 1 if newest else 1).operation
    except routing.NeedsBucket:
        return ""


@dataclass(frozen=True, slots=True)
class Reread:
    """A document's stored answer, read again and not yet applied. With `asked_type` somebody said what to read it as."""

    document: Document
    found: readings.Found
    asked_type: bool = False


def replay(document: Document, *, actor: str) -> Document:
    """Read a waiting document again from its stored answer with the newest version of its type: no call, no bill.

    Corrections that were saved but not decided stay in their drafts, which then tell that the document is newer.
    """
    again = reread(document)
    with scope.scope([document.tenant_id]):
        apply(again, actor=actor)
    publish(document)
    return document


def reread(document: Document, *, type_: DocumentType | None = None) -> Reread:
    """The first half of a replay, outside a transaction: storage is asked, nothing changes. Raises lifecycle.NotPossible.

    With `type_` it is read as that version of that type, else with the newest version of its own, or of what it seems to be.
    """
    if document.status != Status.NEEDS_REVIEW:
        raise lifecycle.NotPossible(_("Only a document that waits for review can be read again. Re-open it first."))
    return look_again(document, type_=type_)


def look_again(document: Document, *, type_: DocumentType | None = None) -> Reread:
    """What a replay would find, for a document that was read, decided or not. Raises lifecycle.NotPossible, artifacts.Lost."""
    if document.status not in READ:
        raise lifecycle.NotPossible(_("The document was not read yet, so there is no stored answer to read again."))
    with scope.scope([document.tenant_id]):
        run = readings.run_of(document)
        raw = readings.raw_artifacts(document, run)
        types = document_types.newest()
    reading = readings.understood(as_read_again(document, types, type_), run, readings.parts_of(raw), types=types)
    return Reread(document, readings.as_found(document, run, *reading), asked_type=type_ is not None)


def as_read_again(document: Document, types: Sequence[DocumentType], type_: DocumentType | None) -> Document:
    """The document with the type version that a replay reads it with: the one asked for, else of `types` the one of its own name."""
    again = copy.copy(document)
    if type_ is not None:
        again.document_type, again.type_given = type_, True
    elif document.document_type and document.type_given:
        name = document.document_type.name
        again.document_type = next((row for row in types if row.name == name), document.document_type)
    return again


def apply(again: Reread, *, actor: str) -> Document:
    """The second half, in the caller's transaction; `publish` follows. Raises lifecycle.Overtaken when the document is newer."""
    if not apply_all([again], actor=actor):
        raise lifecycle.Overtaken(_("The document was changed in the meantime. Load it again to see where it stands."))
    return again.document


def apply_all(all_: Sequence[Reread], *, actor: str) -> list[Document]:
    """The same for many documents; those that were changed since they were read are left out, and left alone."""
    moved = lifecycle.move_all([_replayed(again, actor) for again in all_])
    done = {document.pk for document in moved}
    readings.write_all([(again.document, again.found) for again in all_ if again.document.pk in done])
    for again in all_:
        if again.document.pk in done:
            again.document.document_type = again.found.document_type
    return moved


def _replayed(again: Reread, actor: str) -> lifecycle.Change:
    document, found = again.document, again.found
    return lifecycle.Change(
        document=document,
        to=Status.NEEDS_REVIEW,
        actor=actor,
        expected_version=document.version,
        reason="replay",
        codes=readings.counts(found.reading, found.document_type),
        changes={
            "review_reasons": found.reasons,
            "document_type_id": found.document_type.pk,
            "type_given": document.type_given or again.asked_type,
            "problems": found.problems,
        },
    )


# --- Parts of the steps -------------------------------------------------------------------------------------------


def _queries(type_: DocumentType | None) -> list[dict[str, Any]]:
    if type_ is None:
        return []
    return [
        {"Text": query.text, "Alias": query.alias, "Pages": ["*"]} for query in document_types.parsed(type_).queries
    ]


def _bucket(key: str) -> tuple[str, str]:
    """Where Textract finds the object: bucket and pinned version."""
    version_of = getattr(artifacts.storage(), "version_of", None)
    return settings.BUCKET, version_of(key) if version_of else ""


def _json(told: object) -> bytes:
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
