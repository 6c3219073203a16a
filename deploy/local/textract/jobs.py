"""Jobs that were started, carried out one after the other, again after a restart."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

from deploy.local.textract.blocks import Block, Question, blocks_of, expense_document
from deploy.local.textract.inputs import Query
from deploy.local.textract.ledger import Job, Ledger
from deploy.local.textract.processes import ChildDied
from deploy.local.textract.readings import MODEL_VERSION, Readings
from deploy.local.textract.refusals import Refusal
from deploy.local.textract.results import Results, holds, most, write_output
from deploy.local.textract.stores import Buckets, Document, Intake

ASYNC_QUERIES = 30
JOBS_PER_WORKER = 4
"""Jobs under way for each OCR process: enough that a few long documents do not keep the short ones waiting."""
VERSIONED = {
    "StartDocumentTextDetection": "DetectDocumentText",
    "StartDocumentAnalysis": "AnalyzeDocument",
    "StartExpenseAnalysis": "AnalyzeExpense",
}
UNREADABLE_PAGE = "PAGE_UNREADABLE"
INVALID_QUERY = "INVALID_REQUEST_PARAMETERS"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Knobs:
    """What a test may turn while the endpoint runs. `latency_seconds`: how long after its start a job begins."""

    latency_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Outcome:
    status: str
    message: str | None
    warnings: list[dict[str, Any]]
    paid: int


class Runner:
    """Carries out jobs, oldest first, their pages on up to `workers` children."""

    def __init__(
        self, *, ledger: Ledger, readings: Readings, intake: Intake, results: Results, buckets: Buckets, workers: int
    ) -> None:
        self._ledger, self._readings, self._intake = ledger, readings, intake
        self._results, self._buckets = results, buckets
        self.knobs = Knobs()
        self._waiting: list[Job] = []
        self._changed = threading.Condition()
        self._closed = False
        self._workers = workers
        self._jobs = ThreadPoolExecutor(JOBS_PER_WORKER * workers, "job")
        self._pages = ThreadPoolExecutor(workers, "page")
        self._dispatcher = threading.Thread(target=self._dispatch, name="dispatch jobs", daemon=True)

    def begin(self) -> None:
        """Takes up what an earlier run of the server left unfinished, and waits for more."""
        unfinished = self._ledger.unfinished()
        self._intake.keep_only(self._intake.place(job.document) for job in unfinished)
        self._waiting += unfinished
        self._dispatcher.start()

    def add(self, job: Job) -> None:
        """Carries the job out after the present latency."""
        with self._changed:
            self._waiting.append(job)
            self._changed.notify()

    def turn(self, **knobs: float) -> None:
        """Changes knobs, for waiting jobs too."""
        with self._changed:
            for name, value in knobs.items():
                setattr(self.knobs, name, value)
            self._changed.notify()

    def stop(self) -> None:
        """From now on nothing is begun and no outcome is written: what fails while the server ends was not at fault."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def close(self) -> None:
        """Waits until nothing runs. Unfinished jobs are taken up at the next start."""
        self._jobs.shutdown(cancel_futures=True)
        self._pages.shutdown(cancel_futures=True)

    def _dispatch(self) -> None:
        with self._changed:
            while not self._closed:
                started_before = time.time() - self.knobs.latency_seconds
                for job in self._waiting:
                    if job.created_at <= started_before:
                        self._jobs.submit(self._carry_out, job)
                self._waiting = [job for job in self._waiting if job.created_at > started_before]
                oldest = min((job.created_at for job in self._waiting), default=None)
                self._changed.wait(None if oldest is None else max(oldest - started_before, 0.01))

    def _carry_out(self, job: Job) -> None:
        try:
            outcome = self._outcome(job)
        except Exception:  # whatever else is wrong with one job must not end the thread without an outcome
            log.exception("job %s failed", job.job_id)
            outcome = _Outcome("FAILED", "The endpoint failed while reading the document. See its log.", [], 0)
        if self._closed:
            return
        self._ledger.finish(job, outcome.status, message=outcome.message, warnings=outcome.warnings, paid=outcome.paid)
        self._intake.drop(self._intake.place(job.document))

    def _outcome(self, job: Job) -> _Outcome:
        document = Document(self._intake.place(job.document), job.kind, job.sha256, 0)
        failures = list(self._failures(document, job.pages))
        unread = {number for number, failure in enumerate(failures, start=1) if failure}
        if len(unread) == job.pages:
            return _Outcome("FAILED", failures[0], [], 0)
        queries = _queries(job)
        warnings = _query_warnings(queries, job.pages)
        if unread:
            warnings.append({"ErrorCode": UNREADABLE_PAGE, "Pages": sorted(unread)})
        self._results.write(job.job_id, self._blocks(job, document, queries, unread))
        outcome = _Outcome("PARTIAL_SUCCESS" if unread else "SUCCEEDED", None, warnings, job.pages - len(unread))
        self._write_output(job, outcome)
        return outcome

    def _failures(self, document: Document, pages: int) -> Iterator[str | None]:
        """For each page in turn why it could not be read, None when it was.

        Only a few pages are asked for ahead: a note that comes after a book is read between two of the book's pages.
        """
        ahead: deque[Future[str | None]] = deque()
        for number in range(1, pages + 1):
            if len(ahead) == self._workers:
                yield ahead.popleft().result()
            ahead.append(self._pages.submit(self._failure, document, number))
        while ahead:
            yield ahead.popleft().result()

    def _failure(self, document: Document, number: int) -> str | None:
        """Why the page could not be read, None when it was."""
        try:
            self._readings.page(document, number)
        except Refusal as refusal:
            return refusal.message
        except ChildDied as died:
            return str(died)
        return None

    def _blocks(self, job: Job, document: Document, queries: list[Query], unread: set[int]) -> Iterator[Block]:
        for number in range(1, job.pages + 1):
            if number not in unread:
                page = self._readings.page(document, number)
                if holds(job.operation) != "Blocks":
                    yield expense_document(page, number=number, sha256=job.sha256)
                    continue
                asked = islice((query for query in queries if query.asks(number)), ASYNC_QUERIES)
                yield from blocks_of(
                    page,
                    number=number,
                    sha256=job.sha256,
                    features=frozenset(job.request["features"]),
                    questions=[Question(query.text, query.alias) for query in asked],
                )

    def _write_output(self, job: Job, outcome: _Outcome) -> None:
        if job.request["output"]:
            bucket, prefix = job.request["output"]
            answers = (
                answer_head(job, outcome.status, outcome.message, outcome.warnings) | {holds(job.operation): read}
                for read in self._results.batches(job.job_id, most(job.operation))
            )
            write_output(self._buckets, (bucket, prefix), job.job_id, answers)


def answer_head(job: Job, status: str, message: str | None, warnings: list[dict[str, Any]]) -> dict[str, Any]:
    """An answer about a job, all but its blocks."""
    head: dict[str, Any] = {"JobStatus": status, f"{VERSIONED[job.operation]}ModelVersion": MODEL_VERSION}
    if status in ("SUCCEEDED", "PARTIAL_SUCCESS"):
        head["DocumentMetadata"] = {"Pages": job.pages}
    if message:
        head["StatusMessage"] = message
    if warnings:
        head["Warnings"] = warnings
    return head


def _queries(job: Job) -> list[Query]:
    pages = [tuple((first, last) for first, last in query["pages"]) for query in job.request["queries"]]
    return [Query(q["text"], q["alias"], p) for q, p in zip(job.request["queries"], pages, strict=True)]


def _query_warnings(queries: list[Query], pages: int) -> list[dict[str, Any]]:
    """Pages with more queries than are answered, and pages asked about that do not exist."""
    crowded = {n for n in range(1, pages + 1) if sum(query.asks(n) for query in queries) > ASYNC_QUERIES}
    absent = {n for query in queries for first, last in query.pages for n in (first, last) if n and n > pages}
    wrong = sorted(crowded | absent)
    return [{"ErrorCode": INVALID_QUERY, "Pages": wrong}] if wrong else []
