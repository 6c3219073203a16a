"""Textract's operations without an engine: quota, fate, work, answer, in this order."""

import base64
import hashlib
import hmac
import json
import mmap
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Protocol

from deploy.local.textract import inputs, prices
from deploy.local.textract.inputs import Asked
from deploy.local.textract.refusals import Refusal, invalid, unsupported
from deploy.local.textract.simulator import requests
from deploy.local.textract.simulator.books import Books
from deploy.local.textract.simulator.counting import pages_in
from deploy.local.textract.simulator.fates import Fates
from deploy.local.textract.simulator.jobs import FLUSH_SECONDS, Job, Jobs, Shelf
from deploy.local.textract.simulator.knobs import Fault, Json, Settings
from deploy.local.textract.simulator.pool import Cursor, Part
from deploy.local.textract.simulator.rates import Buckets as Rates
from deploy.local.textract.simulator.replies import HTML, Reply, refused, said, struck
from deploy.local.textract.simulator.requests import Document
from deploy.local.textract.stores import Buckets, checked, locked

BEFORE_WORK = ("reset_before", "html_5xx")
STARTED_BY = {
    "GetDocumentAnalysis": "StartDocumentAnalysis",
    "GetDocumentTextDetection": "StartDocumentTextDetection",
}


class Source(Protocol):
    """Where answers come from."""

    def at_once(self, document: Document, operation: str, asked: Asked) -> bytes:
        """The whole answer to a synchronous call."""

    def part(self, job: Job, at: Cursor, limit: int) -> Part:
        """Up to `limit` blocks of a job's results from a place on."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was let through: the operation, its number among its like, and what was sent."""

    operation: str
    number: int
    members: Json
    content: bytes | None


class Simulator:
    """Answers calls. `ask_flush` is called when rows wait to be written."""

    def __init__(
        self, *, settings: Settings, source: Callable[[Settings], Source], buckets: Buckets, state: Path
    ) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._lock = locked(state)
        self.settings, self._make, self._buckets = settings, source, buckets
        self.shelf = Shelf(state / "simulated.sqlite3" if settings.knobs.durable else None)
        self.books, self.jobs = Books(self.shelf), Jobs(self.shelf)
        self._fates, self._rates = Fates(settings.knobs), Rates()
        self._source = source(settings)
        self._key = hashlib.sha256(f"next token {settings.knobs.seed}".encode()).digest()
        self._counted: dict[Path, tuple[tuple[int, int], int | None]] = {}
        self.ask_flush: Callable[[], None] = lambda: None
        self.operations: dict[str, Callable[[Call], Reply]] = {
            "DetectDocumentText": self._at_once,
            "AnalyzeDocument": self._at_once,
            "StartDocumentTextDetection": self._start,
            "StartDocumentAnalysis": self._start,
            "GetDocumentTextDetection": self._get,
            "GetDocumentAnalysis": self._get,
        }

    def close(self) -> None:
        """Writes what is to be kept."""
        self.shelf.close()
        self._lock.close()

    def answer(self, operation: str, body: bytearray) -> Reply:
        """What to send, when, and what becomes of it on the way."""
        number = self.books.number(operation)
        try:
            self._within_quota(operation)
            members, content = requests.read(body)
            return self.operations[operation](Call(operation, number, members, content))
        except Refusal as refusal:
            throttle = self.settings.knobs.throttle
            return refused(refusal, http_status=throttle.http_status if refusal.code == throttle.code else None)

    def turn(self, changes: Json) -> None:
        """Other settings from now on. Raises Refusal, and then nothing changed."""
        before = self.settings.knobs
        self.settings.turn(changes)
        knobs = self.settings.knobs
        self._fates.turn(knobs)
        if (knobs.answers, knobs.seed) != (before.answers, before.seed):
            self._source = self._make(self.settings)

    def finish(self, glob: str) -> int:
        """Ends the jobs in progress whose key matches; how many there were."""
        ended = self.jobs.finish(lambda job: fnmatchcase(job.key, glob))
        self.ask_flush()
        return len(ended)

    def reset(self) -> None:
        """Counts anew, fills the quotas' buckets and lets rules count from one; settings and jobs stay."""
        self.books.reset()
        self._fates.forget()
        self._rates.forget()

    # --- Before the work --------------------------------------------------------------------------------------

    def _within_quota(self, operation: str) -> None:
        knobs = self.settings.knobs
        ramp = knobs.throttle
        if ramp.ramp_factor and self._rates.ramps(operation, factor=ramp.ramp_factor, floor=ramp.ramp_floor):
            raise Refusal("ThrottlingException", "Slow down; sudden increase in rate of requests.")
        quota = knobs.quotas.get(operation)
        if quota and not self._rates.takes(operation, quota):
            raise Refusal(ramp.code, "Provisioned rate exceeded.")

    def _fate(self, call: Call, key: str) -> tuple[Fault | None, Reply | None]:
        """The rule that strikes this call, and the answer if it strikes before any work is done."""
        fault = self._fates.of_call(call.operation, call.number, key=key)
        if fault is None:
            return None, None
        if fault.fault in BEFORE_WORK:
            html = fault.fault == "html_5xx"
            body = HTML % fault.http_status if html else b""
            kind = "text/html" if html else "application/x-amz-json-1.1"
            return fault, Reply(fault.http_status, body, fault.fault, content_type=kind, reset=not html)
        if fault.fault.endswith("Exception") or fault.fault == "InternalServerError":
            return fault, refused(Refusal(fault.fault, fault.message), http_status=fault.http_status)
        return fault, None

    def _seconds(self, call: Call, *, pages: int = 1) -> float:
        latency = self.settings.knobs.latency[call.operation]
        seconds = self._fates.seconds(latency, call.operation, call.number, pages=pages)
        self.books.took(call.operation, seconds)
        return seconds

    # --- The work ---------------------------------------------------------------------------------------------

    def _at_once(self, call: Call) -> Reply:
        document = requests.document(call.members, call.content)
        fault, early = self._fate(call, document.key)
        if early:
            return early
        asked = (
            inputs.detection()
            if call.operation == "DetectDocumentText"
            else inputs.analysis(call.members, at_once=True)
        )
        pages = self._pages(document, at_once=True)
        if pages > 1:
            raise unsupported(f"The document has {pages} pages. Start an asynchronous job for more than one.")
        seconds = self._seconds(call)
        self.books.called(document.name, seconds)
        price = prices.microdollars_per_page(asked.features)
        if self.books.bill(document.name, call.operation, asked.features, microdollars=price):
            self.ask_flush()
        reply = Reply(200, self._source.at_once(document, call.operation, asked), "ok", seconds)
        return struck(reply, fault) if fault else reply

    def _start(self, call: Call) -> Reply:
        detects = call.operation == "StartDocumentTextDetection"
        asked = inputs.start(
            call.members, inputs.detection() if detects else inputs.analysis(call.members, at_once=False), notifies=True
        )
        document = requests.stored(asked.place)
        fault, early = self._fate(call, document.key)
        if early:
            return early
        knobs = self.settings.knobs
        job = self.jobs.replayed(call.operation, asked.token, asked.parameters, token_seconds=knobs.token_seconds)
        if job is None:
            if self.jobs.running() >= knobs.concurrent_jobs:
                raise Refusal("LimitExceededException", "Open jobs exceed maximum concurrent job limit.")
            job = self._started(call, asked, document)
        reply = said({"JobId": job.job_id})
        reply.delay = max(self._seconds(call), 1.2 * FLUSH_SECONDS if self.shelf.durable else 0.0)
        return struck(reply, fault) if fault else reply

    def _started(self, call: Call, asked: inputs.Start, document: Document) -> Job:
        pages = self._pages(document, at_once=False)
        fate = self._fates.of_job(call.operation, call.number, key=document.key)
        seconds = self._fates.seconds(self.settings.knobs.job, f"job {call.operation}", call.number, pages=pages)
        now = time.time()
        missing = tuple(page for page in fate.pages if page <= pages) if fate.outcome == "PARTIAL_SUCCESS" else ()
        billed = pages - len(missing) if fate.outcome in ("SUCCEEDED", "PARTIAL_SUCCESS") else 0
        job = Job(
            job_id=secrets.token_hex(32),
            operation=call.operation,
            name=document.name,
            key=document.key,
            bucket=asked.place.bucket,
            asked=asked.asked,
            pages=pages,
            outcome=fate.outcome,
            message=fate.message if fate.outcome == "FAILED" else "",
            code=fate.code,
            missing=missing,
            token=asked.token,
            parameters=asked.parameters,
            tag=asked.tag,
            topic=asked.topic,
            output=asked.output,
            created_at=now,
            ends_at=None if fate.outcome == "IN_PROGRESS" else now + seconds,
            billed_pages=billed,
            microdollars=billed * prices.microdollars_per_page(asked.asked.features),
        )
        self.books.took(f"job {call.operation}", seconds)
        self.books.started(job)
        if self.jobs.add(job):
            self.ask_flush()
        return job

    def _get(self, call: Call) -> Reply:
        asked = inputs.get(call.members)
        knobs = self.settings.knobs
        operation = STARTED_BY[call.operation]
        job = self.jobs.find(asked.job_id, operation, retention_seconds=knobs.retention_seconds)
        fault, early = self._fate(call, job.key)
        if early:
            return early
        status = job.status(time.time())
        if status in ("SUCCEEDED", "PARTIAL_SUCCESS"):
            reply = Reply(200, self._results(job, status, asked), "ok")
        else:
            message = {"StatusMessage": job.message} if status == "FAILED" else {}
            reply = said({"JobStatus": status, **message})
        reply.delay = self._seconds(call)
        return struck(reply, fault) if fault else reply

    def _results(self, job: Job, status: str, asked: inputs.Get) -> bytes:
        part = self._source.part(job, self._cursor(job, asked), asked.max_results)
        members: Json = {"JobStatus": status, "DocumentMetadata": {"Pages": job.pages}}
        if job.missing:
            members["Warnings"] = [{"ErrorCode": job.code, "Pages": list(job.missing)}]
        if part.after:
            members["NextToken"] = self._token(job, part.after, asked.max_results)
        return b"%s,%s}" % (json.dumps(members, separators=(",", ":"))[:-1].encode(), part.members)

    def _token(self, job: Job, at: Cursor, size: int) -> str:
        place = f"{at[0]}.{at[1]}"
        return base64.urlsafe_b64encode(f"{place}.{self._signature(job, place, size)}".encode()).decode()

    def _signature(self, job: Job, place: str, size: int) -> str:
        return hmac.new(self._key, f"{job.job_id}:{size}:{place}".encode(), hashlib.sha256).hexdigest()[:32]

    def _cursor(self, job: Job, asked: inputs.Get) -> Cursor:
        if asked.next_token is None:
            return 1, 0
        try:
            text = base64.urlsafe_b64decode(asked.next_token).decode("ascii")
            place, _, signature = text.rpartition(".")
            if hmac.compare_digest(signature, self._signature(job, place, asked.max_results)):
                page, _, block = place.partition(".")
                return int(page), int(block)
        except ValueError:
            pass  # not one of our tokens: refused below like one with a wrong signature
        raise invalid("NextToken does not belong to this job and MaxResults. Begin again without it.")

    # --- Documents --------------------------------------------------------------------------------------------

    def _pages(self, document: Document, *, at_once: bool) -> int:
        """How many pages the document has. Raises Refusal for what is not there or not a document."""
        pages = self.settings.knobs.pages
        told = next((count for glob, count in pages.keys if fnmatchcase(document.key, glob)), None)
        if document.content is not None:
            kind = checked(document.content[:1024], len(document.content), at_once=at_once)
            found = pages_in(document.content, kind) if told is None and pages.look_into_files else None
        else:
            found = self._pages_of_object(document, told, at_once=at_once)
        return told or found or pages.default

    def _pages_of_object(self, document: Document, told: int | None, *, at_once: bool) -> int | None:
        place = document.place
        assert place is not None
        if not self._buckets.has(place.bucket):
            return None  # a bucket that nobody showed us: its objects are taken on trust
        path = self._buckets.object_path(place.bucket, place.name, place.version)
        if told is not None or not self.settings.knobs.pages.look_into_files:
            return None
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._counted.get(path)
        if known is None or known[0] != stamp:
            self._counted[path] = known = (stamp, _pages_of_file(path, stat.st_size, at_once=at_once))
        return known[1]


def _pages_of_file(path: Path, size: int, *, at_once: bool) -> int | None:
    with path.open("rb") as stream:
        kind = checked(stream.read(1024), size, at_once=at_once)
        if kind in ("PNG", "JPEG"):
            return 1
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return pages_in(content, kind)  # type: ignore[arg-type]


def report(simulator: Simulator) -> dict[str, Any]:
    """The books and the settings."""
    return {**simulator.books.report(simulator.jobs), "knobs": simulator.settings.wanted, "readers": []}
