"""Textract's operations: a checked request in, an answer out."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from deploy.local.textract import inputs
from deploy.local.textract.blocks import Question, blocks_of, expense_document
from deploy.local.textract.inputs import Asked, S3Object
from deploy.local.textract.jobs import Runner, answer_head
from deploy.local.textract.ledger import Job, Ledger, NewJob
from deploy.local.textract.processes import ChildDied, Pool
from deploy.local.textract.reading import PageReading
from deploy.local.textract.readings import MODEL_VERSION, Readings
from deploy.local.textract.refusals import Refusal, invalid, unsupported
from deploy.local.textract.results import Results, claim_output, holds, most
from deploy.local.textract.stores import Buckets, Document, Intake, locked

Json = dict[str, Any]
Operation = Callable[[Json, str], Json]

NOT_READ = ("AnalyzeID", "StartLendingAnalysis", "GetLendingAnalysis", "GetLendingAnalysisSummary")
READ_TIMEOUT_SECONDS = 300.0
INSPECT_TIMEOUT_SECONDS = 90.0


class Textract:
    """The service. Call `close` at the end: it ends the children."""

    def __init__(self, *, state: Path, buckets: Buckets, workers: int, idle_seconds: float) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._lock = locked(state)
        self.ledger = Ledger(state / "ledger.sqlite3")
        self._buckets, self._intake = buckets, Intake(state / "documents")
        self._results = Results(state / "results", self.ledger.signing_key())
        inspectors = Pool("inspect", size=2, idle_seconds=idle_seconds, timeout_seconds=INSPECT_TIMEOUT_SECONDS)
        self.readers = Pool("read", size=workers, idle_seconds=idle_seconds, timeout_seconds=READ_TIMEOUT_SECONDS)
        self._pools = (inspectors, self.readers)
        self._readings = Readings(state / "pages", inspectors=inspectors, readers=self.readers)
        self.runner = Runner(
            ledger=self.ledger,
            readings=self._readings,
            intake=self._intake,
            results=self._results,
            buckets=buckets,
            workers=workers,
        )
        self.operations: dict[str, Operation] = {
            "DetectDocumentText": self._detect_document_text,
            "AnalyzeDocument": self._analyze_document,
            "StartDocumentTextDetection": self._start_text_detection,
            "GetDocumentTextDetection": self._get_text_detection,
            "StartDocumentAnalysis": self._start_analysis,
            "GetDocumentAnalysis": self._get_analysis,
            "AnalyzeExpense": self._analyze_expense,
            "StartExpenseAnalysis": self._start_expense,
            "GetExpenseAnalysis": self._get_expense,
            **dict.fromkeys(NOT_READ, _refuse),
        }

    def begin(self) -> None:
        """Forgets what is over seven days old and takes up unfinished jobs."""
        self._results.forget(self.ledger.forget_expired())
        self.runner.begin()

    def close(self) -> None:
        """Ends all children and threads; unfinished jobs are taken up at the next start."""
        self.runner.stop()
        for pool in self._pools:
            pool.close()
        self.runner.close()
        self.ledger.close()
        self._lock.close()

    def _detect_document_text(self, body: Json, request_id: str) -> Json:
        return self._at_once("DetectDocumentText", inputs.document(body), inputs.detection(), request_id)

    def _analyze_document(self, body: Json, request_id: str) -> Json:
        asked = inputs.analysis(body, at_once=True)
        return self._at_once("AnalyzeDocument", inputs.document(body), asked, request_id)

    def _start_text_detection(self, body: Json, request_id: str) -> Json:
        return self._start("StartDocumentTextDetection", inputs.start(body, inputs.detection()))

    def _start_analysis(self, body: Json, request_id: str) -> Json:
        return self._start("StartDocumentAnalysis", inputs.start(body, inputs.analysis(body, at_once=False)))

    def _get_text_detection(self, body: Json, request_id: str) -> Json:
        return self._get("StartDocumentTextDetection", inputs.get(body))

    def _get_analysis(self, body: Json, request_id: str) -> Json:
        return self._get("StartDocumentAnalysis", inputs.get(body))

    def _analyze_expense(self, body: Json, request_id: str) -> Json:
        return self._at_once("AnalyzeExpense", inputs.document(body), inputs.detection(), request_id)

    def _start_expense(self, body: Json, request_id: str) -> Json:
        return self._start("StartExpenseAnalysis", inputs.start(body, inputs.detection()))

    def _get_expense(self, body: Json, request_id: str) -> Json:
        return self._get("StartExpenseAnalysis", inputs.get(body))

    def _at_once(self, operation: str, given: bytes | S3Object, asked: Asked, request_id: str) -> Json:
        document = self._taken(given, at_once=True)
        try:
            pages = self._pages(document, soon=True)
            if pages > 1:
                raise unsupported(f"The document has {pages} pages. Start an asynchronous job for more than one.")
            page = self._readings.page(document, 1)
        except ChildDied as died:
            raise Refusal("InternalServerError", str(died)) from died
        finally:
            self._intake.drop(document.path)
        read = _read(page, operation, document.sha256, asked)
        self.ledger.bill_answer(request_id, operation, asked.features, document.sha256)
        return {"DocumentMetadata": {"Pages": 1}, holds(operation): read, f"{operation}ModelVersion": MODEL_VERSION}

    def _start(self, operation: str, asked: inputs.Start) -> Json:
        earlier = self.ledger.replayed(operation, asked.token, asked.parameters)
        if earlier:
            return {"JobId": earlier}
        if asked.output:
            self._buckets.place(*asked.output)
        document = self._taken(asked.place, at_once=False)
        try:
            pages = self._pages(document, soon=False)
            job_id, fresh = self.ledger.start(_new_job(operation, asked, document, pages))
        except BaseException:
            self._intake.drop(document.path)
            raise
        if not fresh:
            self._intake.drop(document.path)
            return {"JobId": job_id}
        if asked.output:
            claim_output(self._buckets, asked.output, job_id)
        self.runner.add(self._job(operation, job_id))
        return {"JobId": job_id}

    def _get(self, operation: str, asked: inputs.Get) -> Json:
        job = self._job(operation, asked.job_id)
        answer = answer_head(job, job.status, job.message, job.warnings)
        if job.status in ("SUCCEEDED", "PARTIAL_SUCCESS"):
            asked = replace(asked, max_results=min(asked.max_results, most(operation)))
            answer[holds(operation)], token = self._results.page(asked)
            if token:
                answer["NextToken"] = token
        return answer

    def _job(self, operation: str, job_id: str) -> Job:
        job = self.ledger.job(job_id)
        if job is None or job.operation != operation:
            raise Refusal(
                "InvalidJobIdException", "No such job: it was never started here, or it is older than seven days."
            )
        return job

    def _taken(self, given: bytes | S3Object, *, at_once: bool) -> Document:
        if isinstance(given, bytes):
            return self._intake.take_bytes(given)
        return self._intake.take_file(
            self._buckets.object_path(given.bucket, given.name, given.version), at_once=at_once
        )

    def _pages(self, document: Document, *, soon: bool) -> int:
        try:
            return self._readings.count_pages(document, soon=soon)
        except ChildDied as died:
            raise Refusal("BadDocumentException", "The document is damaged: opening it failed.") from died


def _read(page: PageReading, operation: str, sha256: str, asked: Asked) -> list[Json]:
    if holds(operation) != "Blocks":
        return [expense_document(page, number=1, sha256=sha256)]
    questions = [Question(query.text, query.alias) for query in asked.queries if query.asks(1)]
    return blocks_of(page, number=1, sha256=sha256, features=asked.features, questions=questions)


def _refuse(body: Json, request_id: str) -> Json:
    raise invalid(
        "The local engine reads neither identity documents nor loan packages by themselves. Ask AnalyzeDocument, or use the mode "
        "replay or simulate."
    )


def _new_job(operation: str, asked: inputs.Start, document: Document, pages: int) -> NewJob:
    request = {
        "features": sorted(asked.asked.features),
        "queries": [asdict(query) for query in asked.asked.queries],
        "output": asked.output,
    }
    return NewJob(
        operation=operation,
        request=request,
        token=asked.token,
        parameters=asked.parameters,
        document=document.path.name,
        kind=document.kind,
        sha256=document.sha256,
        pages=pages,
    )
