"""A small Textract on loopback that says what a test tells it to, keeps a bill, and fails on request. No OCR.

Use the fixture `engine`: it points the product here, and everything said to the engine is forgotten after the test.
A fault wraps the real answer: it may give another one, change it, or lose it before or after the service accepted the request.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import RLock, Thread
from typing import Any

import pytest

Box = tuple[float, float, float, float]
Json = dict[str, Any]
STUCK = 10**9
START = "StartDocumentAnalysis"
GET = "GetDocumentAnalysis"
SYNC = "AnalyzeDocument"

# --- What is printed on a page ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line. `Label: value` is a form pair too; `pair` is its association's score, `word` may doubt one word.

    `confidence` (percent) is that of every word; `box` is left, top, width, height as fractions of the page, by default below
    the line before.
    """

    text: str
    confidence: float = 99.0
    pair: float = 99.0
    box: Box | None = None
    doubtful: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """One printed page, top to bottom."""

    lines: tuple[Line, ...]

    @classmethod
    def of(cls, *texts: str | Line) -> Page:
        return cls(tuple(text if isinstance(text, Line) else Line(text) for text in texts))


def receipt(*, total: str = "12.50", confidence: float = 99.0, merchant: str = "Harbour Cafe") -> Page:
    """A receipt that goes straight through; with a low `confidence` a person has to look at its total."""
    return Page.of(
        merchant,
        "Receipt",
        "Date: 12/03/2026",
        Line(f"Total: {total}", doubtful={total: confidence}),
    )


CLEAR = receipt()
DOUBTFUL = receipt(confidence=41.0)
BLANK = Page(())


def blocks(pages: Sequence[Page], *, forms: bool = True) -> list[Json]:
    """The pages as Textract's blocks: PAGE, LINE and WORD, and with `forms` a KEY_VALUE_SET pair for each `Label: value`."""
    return [block for number, page in enumerate(pages, start=1) for block in _page(page, number, forms=forms)]


def _page(page: Page, number: int, *, forms: bool) -> Iterator[Json]:
    parts = [list(_line(line, number, index, forms=forms)) for index, line in enumerate(page.lines)]
    children = [part["Id"] for made in parts for part in made if part["BlockType"] in {"LINE", "KEY_VALUE_SET"}]
    yield _block("PAGE", number, "page", (0.0, 0.0, 1.0, 1.0), CHILD=children)
    for made in parts:
        yield from made


def _line(line: Line, number: int, index: int, *, forms: bool) -> Iterator[Json]:
    left, top, width, height = line.box or (0.1, 0.05 + 0.04 * index, min(0.012 * len(line.text), 0.85), 0.02)
    texts = line.text.split()
    each = width / max(len(texts), 1)
    words = [
        _block("WORD", number, f"{index}.{place}", (left + place * each, top, each * 0.9, height))
        | {"Text": text, "Confidence": line.doubtful.get(text, line.confidence), "TextType": "PRINTED"}
        for place, text in enumerate(texts)
    ]
    scores = [word["Confidence"] for word in words]
    made = _block("LINE", number, f"{index}", (left, top, width, height), CHILD=[word["Id"] for word in words])
    yield made | {"Text": line.text, "Confidence": sum(scores) / max(len(scores), 1)}
    yield from words
    colon = next((place for place, text in enumerate(texts) if text.endswith(":")), None)
    if forms and colon is not None:
        yield from _pair(line, number, index, words[: colon + 1], words[colon + 1 :])


def _pair(line: Line, number: int, index: int, key: list[Json], value: list[Json]) -> Iterator[Json]:
    said = _block(
        "KEY_VALUE_SET", number, f"{index}.value", _around(value or key), CHILD=[word["Id"] for word in value]
    )
    asked = _block(
        "KEY_VALUE_SET", number, f"{index}.key", _around(key), VALUE=[said["Id"]], CHILD=[word["Id"] for word in key]
    )
    yield asked | {"EntityTypes": ["KEY"], "Confidence": line.pair}
    yield said | {"EntityTypes": ["VALUE"], "Confidence": line.pair}


def _around(words: Sequence[Json]) -> Box:
    boxes = [word["Geometry"]["BoundingBox"] for word in words]
    left, top = min(box["Left"] for box in boxes), min(box["Top"] for box in boxes)
    right, bottom = max(box["Left"] + box["Width"] for box in boxes), max(box["Top"] + box["Height"] for box in boxes)
    return (left, top, right - left, bottom - top)


def _block(kind: str, number: int, place: str, box: Box, **related: list[str]) -> Json:
    left, top, width, height = box
    corners = [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
    block: Json = {
        "BlockType": kind,
        "Id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {number} {place}")),
        "Page": number,
        "Geometry": {
            "BoundingBox": {"Left": left, "Top": top, "Width": width, "Height": height},
            "Polygon": [{"X": x, "Y": y} for x, y in corners],
        },
    }
    relationships = [{"Type": kind_, "Ids": ids} for kind_, ids in related.items() if ids]
    return block | ({"Relationships": relationships} if relationships else {})


# --- The operations that name values themselves ---------------------------------------------------------------------

# By what an operation's name holds: the member of its answers, and what of a page's `Label: value` lines it makes.
_MEMBERS = {"Expense": "ExpenseDocuments", "ID": "IdentityDocuments", "Lending": "Results"}
_TYPES = {"DATE": "INVOICE_RECEIPT_DATE"}  # how AnalyzeExpense calls what is printed as Date; others go by their label


def _member(operation: str) -> str:
    """Where answers of this operation hold what was read."""
    return next((member for part, member in _MEMBERS.items() if part in operation), "Blocks")


def _document(page: Page, number: int, member: str) -> Json:
    """One page as a document of this member: its first line is the vendor's name, each `Label: value` a field of that type."""
    read = list(_page(page, number, forms=False))
    match member:
        case "ExpenseDocuments":
            fields = [_expense_field(kind, line, number) for kind, line in _typed(page, vendor=True)]
            return {"ExpenseIndex": number, "SummaryFields": fields, "LineItemGroups": [], "Blocks": read}
        case "IdentityDocuments":
            fields = [
                {
                    "Type": {"Text": kind},
                    "ValueDetection": {"Text": line.text.partition(": ")[2], "Confidence": line.pair},
                }
                for kind, line in _typed(page)
            ]
            return {"DocumentIndex": number, "IdentityDocumentFields": fields, "Blocks": read}
    fields = [
        {
            "Type": kind,
            "KeyDetection": {"Text": line.text.partition(":")[0], "Confidence": line.pair},
            "ValueDetections": [{"Text": line.text.partition(": ")[2], "Confidence": line.pair}],
        }
        for kind, line in _typed(page)
    ]
    classes = {"PageType": [{"Value": "PAYSLIPS", "Confidence": 99.0}]}
    return {
        "Page": number,
        "PageClassification": classes,
        "Extractions": [{"LendingDocument": {"LendingFields": fields}}],
    }


def _typed(page: Page, *, vendor: bool = False) -> Iterator[tuple[str, Line]]:
    for index, line in enumerate(page.lines):
        label, colon, _value = line.text.partition(": ")
        kind = label.upper().replace(" ", "_")
        if colon:
            yield (_TYPES.get(kind, kind) if vendor else kind), line
        elif vendor and index == 0:
            yield "VENDOR_NAME", line


def _expense_field(kind: str, line: Line, number: int) -> Json:
    value = line.text.partition(": ")[2] or line.text
    detection = {"Text": value, "Confidence": min([line.confidence, *line.doubtful.values()])}
    return {"Type": {"Text": kind, "Confidence": line.pair}, "ValueDetection": detection, "PageNumber": number}


# --- Answers and faults -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer; status 0 closes the connection instead."""

    status: int
    body: bytes

    @classmethod
    def json(cls, told: object, *, status: int = 200) -> Reply:
        return cls(status, json.dumps(told).encode())


Fault = Callable[[Callable[[], Reply]], Reply]
LOST = Reply(0, b"")


class _Error(Exception):
    def __init__(self, code: str, status: int = 400) -> None:
        self.reply = Reply.json({"__type": code, "message": "canary: the engine's own words"}, status=status)


def error(code: str, *, status: int = 400) -> Fault:
    """The service refuses with this code and does nothing."""
    return lambda answer: _Error(code, status).reply


def lost_before(answer: Callable[[], Reply]) -> Reply:
    """The connection breaks and the service never got the request."""
    return LOST


def lost_after(answer: Callable[[], Reply]) -> Reply:
    """The service accepts (and bills), but its answer is lost."""
    answer()
    return LOST


def html(answer: Callable[[], Reply]) -> Reply:
    """A proxy's page instead of the answer, with status 200."""
    answer()
    return Reply(200, b"<html><body>Service temporarily unavailable</body></html>")


def cut(answer: Callable[[], Reply]) -> Reply:
    """The first half of the answer, with a matching Content-Length."""
    reply = answer()
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def empty(answer: Callable[[], Reply]) -> Reply:
    answer()
    return Reply(200, b"{}")


def changed(change: Callable[[Json], object]) -> Fault:
    """The answer with `change` made to its JSON; refusals stay as they are."""

    def fault(answer: Callable[[], Reply]) -> Reply:
        reply = answer()
        if reply.status != 200:
            return reply
        told = json.loads(reply.body)
        change(told)
        return Reply.json(told)

    return fault


def _first(told: Json, kind: str) -> Json:
    found: Json = next(block for block in told["Blocks"] if block["BlockType"] == kind)
    return found


def _without_page(told: Json) -> None:
    told["Blocks"] = [block for block in told["Blocks"] if block["BlockType"] != "PAGE"]


# What a 200 may hold that must never count as a reading. Each is believable JSON or bytes from a broken middle.
MALFORMED: Mapping[str, Fault] = {
    "html": html,
    "cut": cut,
    "empty": empty,
    "list": lambda answer: Reply(200, b"[]"),
    "null": lambda answer: Reply(200, b"null"),
    "no_status": changed(lambda told: told.pop("JobStatus")),
    "unknown_status": changed(lambda told: told.update(JobStatus="DONE")),
    "no_blocks": changed(lambda told: told.pop("Blocks")),
    "null_blocks": changed(lambda told: told.update(Blocks=None)),
    "no_metadata": changed(lambda told: told.pop("DocumentMetadata")),
    "fewer_pages": changed(lambda told: told["DocumentMetadata"].update(Pages=0)),
    "more_pages": changed(lambda told: told["DocumentMetadata"].update(Pages=7)),
    "missing_page": changed(_without_page),
    "duplicate_page": changed(lambda told: told["Blocks"].append(_first(told, "PAGE"))),
    "nan": changed(lambda told: _first(told, "WORD").update(Confidence=float("nan"))),
    "infinite": changed(lambda told: _first(told, "WORD").update(Confidence=float("inf"))),
    "confidence_200": changed(lambda told: _first(told, "WORD").update(Confidence=200)),
    "confidence_negative": changed(lambda told: _first(told, "WORD").update(Confidence=-1)),
    "confidence_text": changed(lambda told: _first(told, "WORD").update(Confidence="high")),
    "box_outside": changed(lambda told: _first(told, "WORD")["Geometry"]["BoundingBox"].update(Left=3.5)),
    "box_text": changed(lambda told: _first(told, "WORD")["Geometry"]["BoundingBox"].update(Left="left")),
    "no_id": changed(lambda told: _first(told, "WORD").pop("Id")),
    "no_type": changed(lambda told: told["Blocks"][1].pop("BlockType")),
    "block_is_text": changed(lambda told: told["Blocks"].append("WORD")),
    "page_is_text": changed(lambda told: _first(told, "PAGE").update(Page="first")),
    "token_again": changed(lambda told: told.update(NextToken="0")),
}

# --- The engine ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """One request that arrived."""

    operation: str
    arguments: Json

    @property
    def token(self) -> str:
        return str(self.arguments.get("ClientRequestToken", ""))


@dataclass(slots=True)
class Job:
    """An accepted asynchronous request; `waits` answers say IN_PROGRESS before the outcome."""

    id: str
    operation: str
    pages: tuple[Page, ...]
    waits: int
    status: str
    message: str
    warnings: list[Json]


@dataclass(slots=True)
class _Rule:
    operation: str
    fault: Fault
    skip: int
    left: int


class Engine:
    """What the service knows and is told to do; `calls` and `bill` say what happened to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock = RLock()
        self.forget()

    def forget(self) -> None:
        """As new: nothing was said, asked or billed."""
        self.calls: list[Call] = []
        self.bill: list[tuple[str, int]] = []  # (token, pages) of everything that was accepted and costs money
        self.jobs: dict[str, Job] = {}
        self.on_call: Callable[[Call], None] | None = (
            None  # looks around while the request waits; runs in another thread
        )
        self.part_size = 1000  # blocks in one answer
        self.raised: list[BaseException] = []
        self._default: tuple[Page, ...] = (CLEAR,)
        self._by_document: dict[str, tuple[Page, ...]] = {}
        self._outcome: Json = {"waits": 0, "status": "SUCCEEDED", "message": "", "warnings": []}
        self._tokens: dict[tuple[str, str], tuple[str, str]] = {}
        self._rules: list[_Rule] = []
        self.sent: list[bytes] = []  # the body of each answer that was not lost, as it went out

    def reads(self, *pages: Page, document_id: uuid.UUID | None = None) -> None:
        """From now on this stands on the pages of that document (of every other document)."""
        if document_id:
            self._by_document[str(document_id)] = pages
        else:
            self._default = pages

    def jobs_end(
        self, status: str = "SUCCEEDED", *, waits: int = 0, message: str = "", warnings: Sequence[Json] = ()
    ) -> None:
        """How jobs that start from now on go: after `waits` answers of IN_PROGRESS (STUCK: for ever) with this status.

        PARTIAL_SUCCESS leaves out the pages that the warnings name.
        """
        self._outcome = {"waits": waits, "status": status, "message": message, "warnings": list(warnings)}

    def fail(self, operation: str, fault: Fault, *, times: int = 1, skip: int = 0) -> None:
        """The next `times` requests of this operation ('' for any), after `skip` more good ones, end in `fault`."""
        self._rules.append(_Rule(operation, fault, skip, times))

    def fail_always(self, operation: str, fault: Fault) -> None:
        self.fail(operation, fault, times=STUCK)

    def mend(self) -> None:
        """No faults from now on."""
        self._rules.clear()

    def count(self, operation: str = "") -> int:
        """Requests that arrived, of one operation or in all."""
        return sum(1 for call in self.calls if operation in {"", call.operation})

    def billed_pages(self) -> int:
        return sum(pages for _token, pages in self.bill)

    def billed_twice(self) -> list[str]:
        """Tokens that were billed more than once; synchronous calls have none."""
        return [token for token, times in Counter(token for token, _pages in self.bill if token).items() if times > 1]

    # What the server calls

    def answer(self, operation: str, arguments: Json) -> Reply:
        call = Call(operation, arguments)
        with self._lock:
            self.calls.append(call)
            fault = self._fault(operation)
        if self.on_call:
            try:
                self.on_call(call)
            except BaseException as raised:
                self.raised.append(raised)
        with self._lock:
            reply = fault(lambda: self._done(call)) if fault else self._done(call)
            if reply.status:
                self.sent.append(reply.body)
            return reply

    def _fault(self, operation: str) -> Fault | None:
        for rule in self._rules:
            if rule.operation in {"", operation} and rule.left:
                if rule.skip:
                    rule.skip -= 1
                    continue
                rule.left -= 1
                return rule.fault
        return None

    def _done(self, call: Call) -> Reply:
        try:
            if call.operation.startswith("Start"):
                return Reply.json({"JobId": self._start(call)})
            if call.operation.startswith("Get"):
                return Reply.json(self._get(call.operation, call.arguments))
            return Reply.json(self._at_once(call))
        except _Error as refusal:
            return refusal.reply

    def _start(self, call: Call) -> str:
        parameters = hashlib.sha256(json.dumps(call.arguments, sort_keys=True).encode()).hexdigest()
        known = self._tokens.get((call.operation, call.token)) if call.token else None
        if known:
            if known[0] != parameters:
                raise _Error("IdempotentParameterMismatchException")
            return known[1]
        name = call.arguments["DocumentLocation"]["S3Object"]["Name"]
        pages = self._pages_of(name)
        job = Job(uuid.uuid4().hex * 2, call.operation, pages, **self._outcome)
        self.jobs[job.id] = job
        self._tokens[(call.operation, call.token)] = (parameters, job.id)
        self.bill.append((call.token, len(pages)))
        return job.id

    def _get(self, operation: str, arguments: Json) -> Json:
        job = self.jobs.get(arguments["JobId"])
        if job is None or job.operation != operation.replace("Get", "Start", 1):
            raise _Error("InvalidJobIdException")
        if job.waits:
            job.waits -= 1
            return {"JobStatus": "IN_PROGRESS"}
        told: Json = {"JobStatus": job.status}
        if job.message:
            told["StatusMessage"] = job.message
        if job.status == "FAILED":
            return told
        if job.warnings:
            told["Warnings"] = job.warnings
        return told | self._part(job, operation, arguments)

    def _part(self, job: Job, operation: str, arguments: Json) -> Json:
        missing = {page for warning in job.warnings for page in warning.get("Pages", ())}
        pages = [(number, page) for number, page in enumerate(job.pages, start=1) if number not in missing]
        every = _read(pages, operation)
        first = int(arguments.get("NextToken") or 0)
        last = first + min(arguments.get("MaxResults", 1000), 1000, self.part_size)
        more = {"NextToken": str(last)} if last < len(every) else {}
        return _described(every[first:last], operation, pages=len(job.pages)) | more

    def _at_once(self, call: Call) -> Json:
        document = call.arguments.get("Document") or call.arguments["DocumentPages"][0]
        name = document.get("S3Object", {}).get("Name", "")
        if not name and not base64.b64decode(document["Bytes"]):
            raise _Error("InvalidParameterException")
        self.bill.append(("", 1))
        return _described(_read([(1, self._pages_of(name)[0])], call.operation), call.operation, pages=1)

    def _pages_of(self, name: str) -> tuple[Page, ...]:
        return next((pages for id_, pages in self._by_document.items() if id_ in name), self._default)


def _read(pages: Sequence[tuple[int, Page]], operation: str) -> list[Json]:
    """What an operation reads on these pages: blocks, or documents."""
    member = _member(operation)
    if member != "Blocks":
        return [_document(page, number, member) for number, page in pages]
    forms = operation in {SYNC, GET}
    return [block for number, page in pages for block in _page(page, number, forms=forms)]


def _described(part: list[Json], operation: str, *, pages: int) -> Json:
    version = "AnalyzeDocumentModelVersion" if operation in {SYNC, GET} else "DetectDocumentTextModelVersion"
    version = {
        "ExpenseDocuments": "",
        "IdentityDocuments": "AnalyzeIDModelVersion",
        "Results": "AnalyzeLendingModelVersion",
    }.get(_member(operation), version)
    return {"DocumentMetadata": {"Pages": pages}, _member(operation): part} | ({version: "stub-1"} if version else {})


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        arguments = json.loads(self.rfile.read(length) or b"{}")
        operation = self.headers.get("X-Amz-Target", "").removeprefix("Textract.")
        reply = _server().engine.answer(operation, arguments)
        if not reply.status:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.engine = Engine(f"http://127.0.0.1:{self.server_address[1]}")


@lru_cache(maxsize=1)
def _server() -> _Server:
    """One server for the whole run, so that the product's clients, which are slow to make, can be kept."""
    server = _Server()
    Thread(target=server.serve_forever, name="textract-stub", daemon=True).start()
    return server


def running() -> Engine:
    """The engine of the test that runs; for tests/make.py."""
    return _server().engine


@pytest.fixture
def engine(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Textract as the product sees it in this test."""
    from ocr import aws, textract

    found = _server().engine
    found.forget()
    settings.TEXTRACT_ENDPOINT = found.url
    settings.POLL_FIRST_SECONDS = settings.POLL_MOST_SECONDS = 600  # nothing gets due by itself while a test runs
    monkeypatch.setenv("AWS_ENDPOINT_URL_TEXTRACT", found.url)
    clients = [aws.textract(family) for family in (textract.START, textract.GET, textract.SYNC)]
    if any(client.meta.endpoint_url != found.url for client in clients):
        aws.forget()  # some other test had them point elsewhere
    yield found
    assert not found.raised, found.raised
    found.forget()
