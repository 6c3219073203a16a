"""Textract's operations without an engine: quota, fate, work, answer, in this order."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from deploy.local.textract import inputs, prices
from deploy.local.textract.inputs import Asked
from deploy.local.textract.refusals import Refusal, invalid, unsupported
from deploy.local.textract.simulator import requests
from deploy.local.textract.simulator.answers import START, Cursor, Source
from deploy.local.textract.simulator.books import Books
from deploy.local.textract.simulator.endings import Endings
from deploy.local.textract.simulator.fates import Fates
from deploy.local.textract.simulator.jobs import FLUSH_SECONDS, Job, Jobs, Shelf
from deploy.local.textract.simulator.knobs import CODES, GETS, MALFORMED, STARTS, SYNC, Fault, Json, Settings
from deploy.local.textract.simulator.malformed import CIRCLING
from deploy.local.textract.simulator.notices import Later, Sender
from deploy.local.textract.simulator.objects import Objects
from deploy.local.textract.simulator.outputs import Outputs
from deploy.local.textract.simulator.rates import Buckets as Rates
from deploy.local.textract.simulator.replies import HTML, HTML_TYPE, Reply, refused, said
from deploy.local.textract.simulator.requests import Content, Document
from deploy.local.textract.stores import Buckets, locked

STARTED_BY = {
    "GetDocumentAnalysis": "StartDocumentAnalysis",
    "GetDocumentTextDetection": "StartDocumentTextDetection",
    "GetExpenseAnalysis": "StartExpenseAnalysis",
    "GetLendingAnalysis": "StartLendingAnalysis",
    "GetLendingAnalysisSummary": "StartLendingAnalysis",
}
ANALYSES = ("AnalyzeDocument", "StartDocumentAnalysis")


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was let through: the operation, its number among its like, and what was sent."""

    operation: str
    number: int
    members: Json
    content: Content | None


class Simulator:
    """Answers calls. `make` gives the source of answers for the settings in force. Call `begin` once, `close` at the end."""

    def __init__(
        self, *, settings: Settings, make: Callable[[Settings], Source], buckets: Buckets, state: Path
    ) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._lock = locked(state)
        self.settings, self._make, self._source = settings, make, make(settings)
        knobs = settings.knobs
        self.shelf = Shelf(state / "simulated.sqlite3" if knobs.durable else None)
        self.books, self.jobs = Books(self.shelf), Jobs(self.shelf)
        self._fates, self._rates = Fates(knobs), Rates()
        self._objects, self._outputs = Objects(buckets), Outputs(buckets, knobs.s3_endpoint)
        self.notices = Sender()
        self._endings = Endings(self.jobs, results=self._answers_of, write=self._write, tell=self._tell)
        self._key = hashlib.sha256(f"next token {knobs.seed}".encode()).digest()
        self._later: Later | None = None
        self._flushing = False
        self._work: dict[str, Callable[[Call], Reply]] = {
            **dict.fromkeys(SYNC, self._at_once),
            **dict.fromkeys(STARTS, self._start),
            **dict.fromkeys(GETS, self._get),
        }

    @property
    def operations(self) -> frozenset[str]:
        """The names of all operations that are known here, with answers or without."""
        return frozenset(self._work)

    @property
    def version(self) -> str:
        """What answers."""
        return self._source.version

    def begin(self, later: Later) -> None:
        """From now on; `later` calls a function after some seconds. Takes up what an earlier run left unfinished."""
        self._later = later
        self._endings.begin(later)

    def close(self) -> None:
        """Writes what is to be kept."""
        self._endings.close()
        self.notices.close()
        self.shelf.close()
        self._lock.close()

    def answer(self, operation: str, body: bytearray) -> Reply:
        """What to send, when, and what becomes of it on the way."""
        knobs = self.settings.knobs
        number = self.books.number(operation)
        try:
            self._within_quota(operation)
            members, content = requests.read(body, most=knobs.identify_bytes)
            return self._work[operation](Call(operation, number, members, content))
        except Refusal as refusal:
            throttled = refusal.code == knobs.throttle.code
            return refused(refusal, http_status=knobs.throttle.http_status if throttled else None)

    def turn(self, changes: Json) -> None:
        """Other settings from now on. Raises Refusal, and then nothing changed."""
        before = self.settings.knobs
        if "durable" in changes and changes["durable"] != before.durable:
            raise invalid("durable is settled when the endpoint starts. Write it into the file for --config.")
        self.settings.turn(changes)
        knobs = self.settings.knobs
        self._fates.turn(knobs)
        self._outputs.endpoint = knobs.s3_endpoint
        if (knobs.answers, knobs.seed) != (before.answers, before.seed):
            self._source = self._make(self.settings)

    def finish(self, glob: str) -> None:
        """Ends the jobs in progress whose key matches; those that were stuck succeed."""
        for job in self.jobs.finish(lambda job: fnmatchcase(job.key, glob)):
            self._endings.expect(job)
        self._ask_flush()

    def reset(self) -> None:
        """Counts anew, fills the quotas' buckets and lets rules count from one; settings and jobs stay."""
        self.books.reset()
        self._fates.forget()
        self._rates.forget()
        self.notices.counts.clear()

    def report(self) -> dict[str, Any]:
        """The books and the settings, as JSON values."""
        found = self.books.report(self.jobs)
        return {**found, "notices": dict(self.notices.counts), "knobs": self.settings.wanted, "readers": []}

    def metrics(self) -> str:
        """The counts as Prometheus reads them."""
        return self.books.metrics(self.jobs)

    def _ask_flush(self) -> None:
        if self._later and not self._flushing:
            self._flushing = True
            self._later(FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        self._flushing = False
        self.shelf.flush()

    # --- Before the work --------------------------------------------------------------------------------------

    def _within_quota(self, operation: str) -> None:
        knobs = self.settings.knobs
        throttle = knobs.throttle
        if throttle.ramp_factor and self._rates.ramps(
            operation, factor=throttle.ramp_factor, floor=throttle.ramp_floor
        ):
            raise Refusal("ThrottlingException", "Slow down; sudden increase in rate of requests.")
        quota = knobs.quotas.get(operation)
        if quota and not self._rates.takes(operation, quota):
            raise Refusal(throttle.code, "Provisioned rate exceeded.")

    def _fate(self, call: Call, key: str) -> tuple[Fault | None, Reply | None]:
        """The rule that strikes this call, and the answer if it strikes before any work is done."""
        fault = self._fates.of_call(call.operation, call.number, key=key)
        if fault is None:
            return None, None
        if fault.fault in CODES:
            return fault, refused(Refusal(fault.fault, fault.message), http_status=fault.http_status)
        if fault.fault == "html_5xx":
            body = HTML % fault.http_status
            return fault, Reply(fault.http_status, body, fault.fault, content_type=HTML_TYPE)
        if fault.fault == "reset_before":
            return fault, Reply(0, b"", fault.fault, reset=True)
        return fault, None

    def _done(self, call: Call, reply: Reply, name: str, fault: Fault | None) -> Reply:
        """The answer to work that was done, with its delay and what goes wrong with it on the way."""
        latency = self.settings.knobs.latency[call.operation]
        seconds = self._fates.seconds(latency, call.operation, call.number)
        reply.delay, reply.name = max(reply.delay, seconds), name
        return self._fates.strike(reply, fault, call.operation, call.number) if fault else reply

    # --- The work ---------------------------------------------------------------------------------------------

    def _at_once(self, call: Call) -> Reply:
        self._check_offered(call.operation)
        document = requests.document(call.members, call.content)
        fault, early = self._fate(call, document.key)
        if early:
            return early
        asked = _asked(call, at_once=True)
        pages = self._pages(document, call.operation, at_once=True)
        if pages > 1:
            raise unsupported(f"The document has {pages} pages. Start an asynchronous job for more than one.")
        reply = Reply(200, self._source.at_once(document, call.operation, asked), "ok")
        self.books.called(document.name)
        price = prices.microdollars_of(call.operation, asked.features)
        if self.books.bill(document.name, call.operation, asked.features, microdollars=price):
            self._ask_flush()
        return self._done(call, reply, document.name, fault)

    def _start(self, call: Call) -> Reply:
        self._check_offered(call.operation)
        asked = inputs.start(call.members, _asked(call, at_once=False), notifies=True)
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
        if self.shelf.durable:
            reply.delay = 1.2 * FLUSH_SECONDS  # the job is on disk before anybody hears of it
        return self._done(call, reply, document.name, fault)

    def _started(self, call: Call, asked: inputs.Start, document: Document) -> Job:
        if asked.output:
            self._outputs.check(asked.output)
        job = self._job(call, asked, document)
        if asked.output:
            self._outputs.claim(asked.output, job.job_id)
        self.books.started(job)
        if self.jobs.add(job):
            self._ask_flush()
        self._endings.expect(job)
        return job

    def _job(self, call: Call, asked: inputs.Start, document: Document) -> Job:
        recorded = self._source.outcome(document, call.operation)
        fate = self._fates.of_job(call.operation, call.number, key=document.key) or recorded
        pages = self._pages(document, call.operation, at_once=False)
        seconds = self._fates.seconds(self.settings.knobs.job, f"job {call.operation}", call.number, pages=pages)
        outcome = fate.outcome if fate else "SUCCEEDED"
        missing = tuple(page for page in fate.pages if page <= pages) if fate and outcome == "PARTIAL_SUCCESS" else ()
        billed = pages - len(missing) if outcome in ("SUCCEEDED", "PARTIAL_SUCCESS") else 0
        now = time.time()
        return Job(
            job_id=secrets.token_hex(32),
            operation=call.operation,
            name=document.name,
            key=document.key,
            bucket=asked.place.bucket,
            asked=asked.asked,
            pages=pages,
            outcome=outcome,
            message=fate.message if fate else "",
            code=fate.code if fate else "",
            missing=missing,
            token=asked.token,
            parameters=asked.parameters,
            tag=asked.tag,
            topic=asked.topic,
            output=asked.output,
            created_at=now,
            ends_at=None if outcome == "IN_PROGRESS" else now + seconds,
            billed_pages=billed,
            microdollars=billed * prices.microdollars_of(call.operation, asked.asked.features),
        )

    def _get(self, call: Call) -> Reply:
        asked = inputs.get(call.members if call.operation != "GetLendingAnalysisSummary" else _only_id(call.members))
        started_by = STARTED_BY[call.operation]
        job = self.jobs.find(asked.job_id, started_by, retention_seconds=self.settings.knobs.retention_seconds)
        fault, early = self._fate(call, job.key)
        if early:
            return early
        status = job.status(time.time())
        if status in ("SUCCEEDED", "PARTIAL_SUCCESS"):
            circling = fault is not None and fault.fault == f"{MALFORMED}{CIRCLING}"
            reply = Reply(200, self._results(job, call.operation, status, asked, circling=circling), "ok")
        else:
            message = {"StatusMessage": job.message} if status == "FAILED" and job.message else {}
            reply = said({"JobStatus": status, **message})
        return self._done(call, reply, job.name, fault)

    def _results(self, job: Job, operation: str, status: str, asked: inputs.Get, *, circling: bool) -> bytes:
        """A part of the results; with `circling` its token leads to the same part again, for ever."""
        at = self._cursor(job, asked)
        part = self._source.part(job, operation, at, asked.max_results)
        after = at if circling else part.after
        return _answer(job, status, part.members, self._token(job, after, asked.max_results) if after else None)

    def _pages(self, document: Document, operation: str, *, at_once: bool) -> int:
        counted = self._objects.pages(document, self.settings.knobs.pages, at_once=at_once)
        return self._source.pages(document, operation) or counted

    def _check_offered(self, operation: str) -> None:
        if operation not in self._source.operations:
            raise invalid(f"{operation} is answered from recordings only. Start the endpoint with --mode replay.")

    # --- NextToken --------------------------------------------------------------------------------------------

    def _token(self, job: Job, at: Cursor, size: int) -> str:
        place = f"{at[0]}.{at[1]}"
        return base64.urlsafe_b64encode(f"{place}.{self._signature(job, place, size)}".encode()).decode()

    def _signature(self, job: Job, place: str, size: int) -> str:
        return hmac.new(self._key, f"{job.job_id}:{size}:{place}".encode(), hashlib.sha256).hexdigest()[:32]

    def _cursor(self, job: Job, asked: inputs.Get) -> Cursor:
        if asked.next_token is None:
            return START
        try:
            text = base64.urlsafe_b64decode(asked.next_token).decode("ascii")
            place, _, signature = text.rpartition(".")
            if hmac.compare_digest(signature, self._signature(job, place, asked.max_results)):
                page, _, block = place.partition(".")
                return int(page), int(block)
        except ValueError:
            pass  # not one of our tokens: refused below like one with a wrong signature
        raise invalid("NextToken does not belong to this job and MaxResults. Begin again without it.")

    # --- When a job ends --------------------------------------------------------------------------------------

    def _answers_of(self, job: Job, size: int) -> Iterator[bytes]:
        at: Cursor | None = START
        get = next(get for get, start in STARTED_BY.items() if start == job.operation)
        while at:
            part = self._source.part(job, get, at, size)
            at = part.after
            yield _answer(job, job.outcome, part.members, None)

    def _write(self, job: Job, number: int, answer: bytes) -> None:
        assert job.output
        self._outputs.write(job.output, job.job_id, number, answer)

    def _tell(self, job: Job) -> None:
        assert self._later
        self._ask_flush()
        self.notices.tell(job, job.outcome, self.settings.knobs.notices, self._fates.chance, self._later)


def _asked(call: Call, *, at_once: bool) -> Asked:
    return inputs.analysis(call.members, at_once=at_once) if call.operation in ANALYSES else inputs.detection()


def _only_id(members: Json) -> Json:
    return {name: value for name, value in members.items() if name == "JobId"}


def _answer(job: Job, status: str, members: bytes, token: str | None) -> bytes:
    head: Json = {"JobStatus": status, "DocumentMetadata": {"Pages": job.pages}}
    if job.missing:
        head["Warnings"] = [{"ErrorCode": job.code, "Pages": list(job.missing)}]
    if token:
        head["NextToken"] = token
    return b"%s,%s}" % (json.dumps(head, separators=(",", ":"))[:-1].encode(), members)
