"""The journey of one document, in the order it runs.

| step      | what happens                                        | status after           | audit kind                                |
|-----------|-----------------------------------------------------|------------------------|-------------------------------------------|
| (receive) | bytes, then row, then 202: ocr.intake               | received               | INGESTED, WORKFLOW_STARTED                |
| start     | token committed, then Textract asked                | reading                | TEXTRACT_STARTED                          |
| check     | is the job done? Busy: later; Refused: failed       | reading / failed       | - / FAILED                                |
| collect   | every page of the answer, whole, stored as it came  | reading                | TEXTRACT_SUCCEEDED                        |
| normalise | blocks -> fields and problems (pure)                | reading                | NORMALIZED                                |
| route     | problems? a person. None? straight through          | needs_review, approved | HUMAN_REVIEW_REQUIRED, STRAIGHT_THROUGH   |
| (decide)  | claim, correct, approve, reject: review.decisions   | approved, rejected     | HUMAN_REVIEW_APPROVED, _REJECTED          |
| replay    | enters at normalise with the stored blocks          | needs_review           | REPLAYED                                  |

`advance` is the only thing a task calls. It takes the document's lease (a fencing number on the database's clock), runs the step
that the row names, and goes on until the document waits or rests. A worker that dies leaves a lease that expires; the sweeper
rings again; whoever comes late finds another fence and writes nothing. No transaction is open while Textract or storage is asked.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import OperationalError
from django.db.models import F, Q
from django.db.models.functions import Now

from audit import log, trail
from audit.models import Kind
from ocr import artifacts, contract, document_types, extraction, leases, lifecycle, queue, readings, textract
from ocr.models import Artifact, Document, DocumentType, Extraction, Status
from tenants import scope

JOB_DEADLINE = timedelta(hours=2)  # a job that is still running then is given up
RING_AGAIN_SECONDS = 15
# What a type-less document is asked for: everything that the shipped types need.
ALL_FEATURES = ("FORMS", "TABLES")


def advance(tenant_id: UUID, document_id: UUID) -> None:
    """Carry the document as far as it goes now. Does nothing when nobody is needed or somebody else is at it."""
    lease = leases.take(tenant_id, document_id)
    if lease is None:
        return
    with log.caused_by(lease.request_id):
        step = lease.step
        while step:
            step = _run(lease, step)


def _run(lease: leases.Lease, step: str) -> str:
    """The next step, or '' when the document waits, rests or was taken over."""
    try:
        return STEPS[step](lease)
    except lifecycle.Overtaken:
        log.event("overtaken", document=lease.document_id, step=step, fence=lease.fence)
    except textract.Busy as busy:
        leases.try_later(lease, busy.code, costs_attempt=busy.costs_attempt)
    except textract.Refused as refused:
        leases.fail(lease, refused.code)
    except artifacts.Lost as lost:
        leases.try_later(lease, lost.code, costs_attempt=True)
    except (OSError, ClientError, BotoCoreError, OperationalError) as error:
        # ClientError and BotoCoreError here come from the document storage; Textract's were sorted before.
        log.event(
            "storage_or_database_error", level=logging.WARNING, error=error, document=lease.document_id, step=step
        )
        leases.try_later(lease, "storage_or_database", costs_attempt=True)
    except Exception as error:
        # A bug must neither stop the worker nor repeat for ever: it is logged, counted, and ends in `failed`.
        logging.getLogger("dtat").exception(
            "step_crashed", extra={"ids": {"document": str(lease.document_id), "step": step}}
        )
        leases.try_later(lease, f"internal_{type(error).__name__}"[:60], costs_attempt=True)
    return ""


# --- The steps ----------------------------------------------------------------------------------------------------


def start(lease: leases.Lease) -> str:
    """Ask Textract, once: the token is committed before the call, so a repeat finds the same job and no second bill."""
    with scope.scope([lease.tenant_id]):
        document = leases.held(lease)
        run = _plan(document)
        if document.status == Status.RECEIVED:
            lifecycle.move(
                document,
                Status.READING,
                actor=leases.WORKER,
                expected_version=document.version,
                reason="start",
                codes={
                    "operation": run.operation,
                    "features": run.features,
                    "extraction": run.number,
                    "token": run.token,
                },
                fence=lease.fence,
            )
        if run.state == Extraction.State.COLLECTED:
            return leases.goes_on(lease, "normalise")
        if run.state == Extraction.State.STARTED:
            return leases.goes_on(lease, "check")
        earlier = _same_answer(document, run)
        original = document.artifacts.get(kind=Artifact.Kind.ORIGINAL)
        definition = document.document_type
    if earlier and (answers := _stored_answers(lease, earlier)):
        return _keep(lease, document, run, answers, reused_from=earlier)
    queries = _queries(definition)
    if run.operation in {"AnalyzeDocument", "DetectDocumentText"}:
        return _read_at_once(lease, run, original, queries)
    bucket, version = _bucket(original.key)
    with _refusal_ends(lease, run, only={"token_mismatch"}):  # else nothing was accepted under the token
        job_id = textract.start(
            token=run.token, bucket=bucket, key=original.key, version=version, features=run.features, queries=queries
        )
    with scope.scope([lease.tenant_id]):
        Extraction.objects.filter(pk=run.pk).update(job_id=job_id, state=Extraction.State.STARTED, started_at=Now())
        return leases.waits(lease, "check", seconds=settings.POLL_FIRST_SECONDS)


def check(lease: leases.Lease) -> str:
    """Look whether the job is done; if not, look again later, less and less often."""
    with scope.scope([lease.tenant_id]):
        run = readings.run_of(leases.held(lease))
        overdue = run.started_at is not None and lifecycle.database_now() - run.started_at > JOB_DEADLINE
    with _refusal_ends(lease, run):
        answer = textract.status(run.job_id, features=run.features)
        if answer.status == "FAILED":
            raise textract.Refused("engine_failed")
        if answer.status == "IN_PROGRESS" and overdue:
            raise textract.Refused("engine_timeout")
    if answer.status != "IN_PROGRESS":
        return "collect"
    with scope.scope([lease.tenant_id]):
        Extraction.objects.filter(pk=run.pk).update(polls=F("polls") + 1)
        # Beyond 20 polls the longest pause is reached, and a larger power would overflow some day.
        seconds = min(settings.POLL_FIRST_SECONDS * 1.5 ** min(run.polls, 20), settings.POLL_MOST_SECONDS)
        return leases.waits(lease, "check", seconds=seconds)


def collect(lease: leases.Lease) -> str:
    """Fetch every page of the answer, believe it only when it is whole, and keep the bytes as they came."""
    with scope.scope([lease.tenant_id]):
        document = leases.held(lease)
        run = readings.run_of(document)
    with _refusal_ends(lease, run):
        answers = list(textract.pages(run.job_id, features=run.features))
    return _keep(lease, document, run, answers)


def normalise(lease: leases.Lease) -> str:
    """Turn the stored blocks into fields and problems; the same bytes and type version always give the same."""
    with scope.scope([lease.tenant_id]):
        document = leases.held(lease)
        run = readings.run_of(document)
        raw = readings.raw_artifacts(document, run)
    reading, type_ = readings.read(document, run, raw)
    with scope.scope([lease.tenant_id]):
        document = leases.held(lease)
        readings.write(document, reading, type_)
        trail.record(
            Kind.NORMALIZED,
            tenant_id=document.tenant_id,
            document_id=document.pk,
            actor=leases.WORKER,
            step="normalise",
            codes=readings.counts(reading, type_),
        )
        return leases.goes_on(lease, "route")


def route(lease: leases.Lease) -> str:
    """Straight through without a problem, else to a person; the normalised result is stored either way."""
    with scope.scope([lease.tenant_id]):
        document = leases.held(lease)
        codes = list(dict.fromkeys(problem["code"] for problem in contract.problems(document)))
    to = Status.NEEDS_REVIEW if codes else Status.APPROVED
    changes = {
        "straight_through": not codes,
        "review_reasons": codes,
        "attempts": 0,
        "error_code": "",
        "read_at": Now(),
    }
    with scope.scope([lease.tenant_id]):
        lifecycle.move(
            document,
            to,
            actor=leases.WORKER,
            expected_version=document.version,
            reason="route",
            codes={"reasons": codes, "straight_through": not codes},
            changes=changes,
            fence=lease.fence,
        )
        if codes:
            queue.ring_to_warm(document.tenant_id, document.pk)
    publish(document)
    return ""


STEPS: Mapping[str, Callable[[leases.Lease], str]] = {
    "start": start,
    "check": check,
    "collect": collect,
    "normalise": normalise,
    "route": route,
}


def publish(document: Document) -> Artifact:
    """Store the normalised result of the document's present version, once; its event is already in the outbox."""
    with scope.scope([document.tenant_id]):
        present = lifecycle.of(document.pk)
        existing: Artifact | None = present.artifacts.filter(kind=Artifact.Kind.RESULT, number=present.version).first()
        if existing:
            return existing
        told = contract.result(present)
    stored = artifacts.store(
        present, Artifact.Kind.RESULT, _json(told), content_type="application/json", number=present.version
    )
    with scope.scope([document.tenant_id]):
        kept, created = Artifact.objects.get_or_create(
            document_id=stored.document_id,
            kind=stored.kind,
            number=stored.number,
            part=1,
            defaults={
                "tenant_id": stored.tenant_id,
                "key": stored.key,
                "sha256": stored.sha256,
                "size_bytes": stored.size_bytes,
                "content_type": stored.content_type,
            },
        )
        if created:
            trail.record(
                Kind.PUBLISHED,
                tenant_id=document.tenant_id,
                document_id=document.pk,
                actor=leases.WORKER,
                step="publish",
                codes={"artifact": "result", "version": present.version, "sha256": stored.sha256},
            )
    result: Artifact = kept
    return result


# --- Doing it again -----------------------------------------------------------------------------------------------


def retry(document: Document, *, actor: str) -> Document:
    """Put a failed document back to work; what is already read is not read (or billed) again. Raises lifecycle.NotPossible."""
    return lifecycle.move(
        document,
        Status.RECEIVED,
        actor=actor,
        expected_version=document.version,
        reason="retry",
        changes={
            "step": "start",
            "due_at": lifecycle.database_now(),
            "attempts": 0,
            "error_code": "",
            "lease_until": None,
        },
    )


@dataclass(frozen=True, slots=True)
class Reread:
    """A waiting document's stored answer, read again and not yet applied."""

    document: Document
    reading: extraction.Reading
    document_type: DocumentType


def replay(document: Document, *, actor: str) -> Document:
    """Read a waiting document again from its stored answer with the newest version of its type: no call, no bill.

    Corrections that were saved but not decided stay in their drafts, which then tell that the document is newer.
    """
    again = reread(document)
    with scope.scope([document.tenant_id]):
        apply(again, actor=actor)
    publish(document)
    return document


def reread(document: Document) -> Reread:
    """The first half of a replay, outside a transaction: storage is asked, nothing changes. Raises lifecycle.NotPossible."""
    if document.status != Status.NEEDS_REVIEW:
        raise lifecycle.NotPossible("Only a document that waits for review can be read again. Re-open it first.")
    with scope.scope([document.tenant_id]):
        run = readings.run_of(document)
        raw = readings.raw_artifacts(document, run)
        if document.document_type and document.type_given:
            document.document_type = document_types.named(document.document_type.name)
    reading, type_ = readings.read(document, run, raw)
    return Reread(document, reading, type_)


def apply(again: Reread, *, actor: str) -> Document:
    """The second half, in the caller's transaction; `publish` follows. Raises lifecycle.Overtaken when the document is newer."""
    document = lifecycle.move(
        again.document,
        Status.NEEDS_REVIEW,
        actor=actor,
        expected_version=again.document.version,
        reason="replay",
        codes=readings.counts(again.reading, again.document_type),
        changes={"review_reasons": list(dict.fromkeys(problem.code for problem in again.reading.problems))},
    )
    readings.write(document, again.reading, again.document_type)
    return document


def sweep(limit: int = 200) -> int:
    """Ring for every document whose next step is due and that nobody holds; how many bells were rung.

    This finds what was lost: doorbells dropped with a queue, leases of dead workers, waits that are over. In order of priority,
    and never more than `limit` bells in the queue: under a backlog they would pile up faster than workers answer them.
    """
    now = Now()
    with scope.everything():
        room = max(0, limit - queue.waiting())
        waiting = (
            Document.objects.filter(due_at__lte=now)
            .exclude(step="")
            .filter(Q(lease_until=None) | Q(lease_until__lt=now))
            .filter(
                Q(rung_at=None)
                | Q(rung_at__lt=F("due_at"))
                | Q(rung_at__lt=now - timedelta(seconds=RING_AGAIN_SECONDS))
            )
            .order_by("priority", "due_at")
            .select_for_update(skip_locked=True, of=("self",))
        )
        found = list(waiting.values_list("tenant_id", "pk")[:room])
        Document.objects.filter(pk__in=[document_id for _tenant, document_id in found]).update(rung_at=now)
        for tenant_id, document_id in found:
            queue.ring(tenant_id, document_id)
    return len(found)


# --- Parts of the steps -------------------------------------------------------------------------------------------


def _plan(document: Document) -> Extraction:
    """The extraction to carry out: the newest that has not failed, else a new one with its own token."""
    newest = document.extractions.last()
    if newest and newest.state != Extraction.State.FAILED:
        return newest
    features = list(_definition(document).features) if document.document_type else list(ALL_FEATURES)
    number = newest.number + 1 if newest else 1
    return Extraction.objects.create(
        tenant_id=document.tenant_id,
        document=document,
        number=number,
        operation=_operation(document, features),
        features=features,
        token=_token(document, features, number),
    )


def _operation(document: Document, features: list[str]) -> str:
    """Asynchronous wherever Textract can reach the stored file: only there a token guards against paying twice."""
    reachable = settings.STORAGE == "s3" or bool(settings.TEXTRACT_ENDPOINT)
    if reachable:
        return "StartDocumentAnalysis" if features else "StartDocumentTextDetection"
    if document.page_count > 1:
        raise textract.Refused("needs_bucket")
    return "AnalyzeDocument" if features else "DetectDocumentText"


def _token(document: Document, features: list[str], number: int) -> str:
    parts = [str(document.pk), document.sha256, ",".join(sorted(features)), str(number)]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def _queries(type_: DocumentType | None) -> list[dict[str, Any]]:
    if type_ is None:
        return []
    return [
        {"Text": query.text, "Alias": query.alias, "Pages": ["*"]} for query in document_types.parsed(type_).queries
    ]


def _definition(document: Document) -> extraction.DocumentType:
    assert document.document_type
    return document_types.parsed(document.document_type)


def _bucket(key: str) -> tuple[str, str]:
    """Where Textract finds the object: bucket and pinned version."""
    version_of = getattr(artifacts.storage(), "version_of", None)
    return settings.BUCKET, version_of(key) if version_of else ""


@contextmanager
def _refusal_ends(lease: leases.Lease, run: Extraction, *, only: Collection[str] = ()) -> Iterator[None]:
    """After a refusal inside (of these codes) the extraction is over: a retry asks anew, under a token of its own."""
    try:
        yield
    except textract.Refused as refused:
        if not only or refused.code in only:
            _end_run(lease, run)
        raise


def _end_run(lease: leases.Lease, run: Extraction) -> None:
    with scope.scope([lease.tenant_id]):
        leases.held(lease)
        Extraction.objects.filter(pk=run.pk).update(state=Extraction.State.FAILED)


def _same_answer(document: Document, run: Extraction) -> Extraction | None:
    """A whole answer of the same tenant to the same bytes and questions: asking again would only be paid again."""
    if document.duplicate_of is None or run.number > 1 or "QUERIES" in run.features:
        return None
    same = Extraction.objects.filter(
        document__tenant_id=document.tenant_id,
        document__sha256=document.sha256,
        state=Extraction.State.COLLECTED,
        features=run.features,
        warnings=[],
        reused_from=None,
    )
    return same.exclude(document=document).order_by("collected_at").first()


def _stored_answers(lease: leases.Lease, earlier: Extraction) -> list[textract.Answer]:
    """What the engine answered then; nothing when it is not kept any more."""
    with scope.scope([lease.tenant_id]):
        raw = list(Artifact.objects.filter(document=earlier.document_id, kind=Artifact.Kind.RAW, number=earlier.number))
    try:
        return [textract.checked(artifacts.read(part), asynchronous=part_is_asynchronous(earlier)) for part in raw]
    except artifacts.Lost as lost:
        log.event("earlier_answer_lost", document=earlier.document_id, code=lost.code)
        return []


def part_is_asynchronous(run: Extraction) -> bool:
    return run.operation.startswith("Start")


def _read_at_once(lease: leases.Lease, run: Extraction, original: Artifact, queries: list[dict[str, Any]]) -> str:
    """The synchronous call, for storage that Textract cannot reach. A lost answer ends the attempt: it may have been billed."""
    if run.charge_uncertain:
        _end_run(lease, run)
        raise textract.Refused("charge_uncertain")
    content = artifacts.read(original)
    with scope.scope([lease.tenant_id]):
        document = leases.held(lease)
        Extraction.objects.filter(pk=run.pk).update(charge_uncertain=True)  # true until an answer says otherwise
    try:
        answer = textract.analyze(content, features=run.features, queries=queries)
    except textract.Refused:
        _certain(lease, run)
        raise
    except textract.Busy as busy:
        if busy.sent:
            _end_run(lease, run)
            raise textract.Refused("charge_uncertain") from None
        _certain(lease, run)
        raise
    return _keep(lease, document, run, [answer])


def _certain(lease: leases.Lease, run: Extraction) -> None:
    with scope.scope([lease.tenant_id]):
        Extraction.objects.filter(pk=run.pk).update(charge_uncertain=False)


def _keep(
    lease: leases.Lease,
    document: Document,
    run: Extraction,
    answers: list[textract.Answer],
    *,
    reused_from: Extraction | None = None,
) -> str:
    textract.check_complete(answers, expected_pages=document.page_count)
    stored = [
        artifacts.store(
            document,
            Artifact.Kind.RAW,
            answer.body,
            content_type="application/json",
            number=run.number,
            part=part + 1,
            fence=lease.fence,
        )
        for part, answer in enumerate(answers)
    ]
    warnings = [warning for answer in answers for warning in answer.warnings]
    with scope.scope([lease.tenant_id]):
        document = leases.held(lease)
        document.artifacts.filter(kind=Artifact.Kind.RAW, number=run.number).delete()
        Artifact.objects.bulk_create(stored)
        Extraction.objects.filter(pk=run.pk).update(
            state=Extraction.State.COLLECTED,
            pages=answers[0].pages,
            model_version=answers[0].model_version[:40],
            warnings=warnings,
            collected_at=Now(),
            charge_uncertain=False,
            reused_from=reused_from.document_id if reused_from else None,
            operation=reused_from.operation if reused_from else run.operation,
            micro_dollars=0 if reused_from else textract.price(run.features) * answers[0].pages,
        )
        trail.record(
            Kind.TEXTRACT_SUCCEEDED,
            tenant_id=document.tenant_id,
            document_id=document.pk,
            actor=leases.WORKER,
            step="collect",
            codes={
                "extraction": run.number,
                "pages": answers[0].pages,
                "model_version": answers[0].model_version,
                "sha256": [part.sha256 for part in stored],
                "duplicate_of": str(reused_from.document_id) if reused_from else "",
            },
        )
        return leases.goes_on(lease, "normalise")


def _json(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
