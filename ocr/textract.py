"""Textract: start, status pages and synchronous analysis. Every foreign error becomes Busy (later) or Refused (final).

A 200 is believed only when it is whole: botocore hands an HTML body or cut JSON on as an empty success, so each answer's status,
page numbers and blocks are checked here. The bytes that were checked are the bytes that are stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from ocr import aws, extraction
from ocr.extraction import answers

START, GET, SYNC = "start", "get", "sync"

_CALLS = {
    "DetectDocumentText": "detect_document_text",
    "AnalyzeDocument": "analyze_document",
    "AnalyzeExpense": "analyze_expense",
    "AnalyzeID": "analyze_id",
    "StartDocumentTextDetection": "start_document_text_detection",
    "StartDocumentAnalysis": "start_document_analysis",
    "StartExpenseAnalysis": "start_expense_analysis",
    "StartLendingAnalysis": "start_lending_analysis",
    "GetDocumentTextDetection": "get_document_text_detection",
    "GetDocumentAnalysis": "get_document_analysis",
    "GetExpenseAnalysis": "get_expense_analysis",
    "GetLendingAnalysis": "get_lending_analysis",
}
# Where an answer holds what was read; the other operations have Blocks.
_HOLDS = {
    "AnalyzeExpense": "ExpenseDocuments",
    "StartExpenseAnalysis": "ExpenseDocuments",
    "GetExpenseAnalysis": "ExpenseDocuments",
    "AnalyzeID": "IdentityDocuments",
    "StartLendingAnalysis": "Results",
    "GetLendingAnalysis": "Results",
}
# The most that one call of Get gives. Source: AWS Textract API reference, MaxResults of each operation.
_MOST_BLOCKS = 1000
_MOST_RESULTS = {"GetExpenseAnalysis": 20, "GetLendingAnalysis": 30}
_VERSIONS = (
    "AnalyzeDocumentModelVersion", "DetectDocumentTextModelVersion", "AnalyzeIDModelVersion", "AnalyzeExpenseModelVersion",
    "AnalyzeLendingModelVersion",
)  # fmt: skip


class Busy(Exception):
    """Try again later. `costs_attempt` is False for throttling, which says nothing about the document."""

    def __init__(self, code: str, *, costs_attempt: bool, sent: bool = True) -> None:
        super().__init__(code)
        self.code = code
        self.costs_attempt = costs_attempt
        self.sent = sent  # False when the request surely never reached the service


class Refused(Exception):
    """Final: repeating the same call gives the same answer."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# Source: AWS Textract API reference, "Common errors" and the errors of each operation.
_THROTTLED = {
    "ThrottlingException": "throttled",
    "ProvisionedThroughputExceededException": "throttled",
    "LimitExceededException": "job_limit",
}
_REFUSED = {
    "UnsupportedDocumentException": "unsupported_document",
    "BadDocumentException": "bad_document",
    "DocumentTooLargeException": "document_too_large",
    "InvalidParameterException": "invalid_request",
    "IdempotentParameterMismatchException": "token_mismatch",
    "InvalidJobIdException": "job_expired",
}
# Ours to mend, not the document's fault: wait without using up its attempts.
_CONFIGURATION = {
    "AccessDeniedException": "access_denied",
    "InvalidKMSKeyException": "kms_key",
    "UnrecognizedClientException": "credentials",
    "InvalidSignatureException": "credentials",
    "ExpiredTokenException": "credentials",
    "InvalidS3ObjectException": "object_not_readable",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, whole and checked: its bytes as they came, and what they say."""

    body: bytes
    status: str  # IN_PROGRESS, SUCCEEDED, PARTIAL_SUCCESS or FAILED
    next_token: str
    pages: int
    said: Mapping[str, Any]  # the member that holds what was read, as it came
    warnings: Sequence[Mapping[str, Any]]
    model_version: str
    message: str

    @property
    def blocks(self) -> Sequence[Mapping[str, Any]]:
        """The blocks that were read, those inside documents too."""
        return answers.blocks(self.said)

    @property
    def first_page(self) -> int | None:
        return min((block.get("Page") or 1 for block in self.blocks), default=None)

    @property
    def last_page(self) -> int | None:
        return max((block.get("Page") or 1 for block in self.blocks), default=None)


def start(
    *,
    operation: str,
    token: str,
    bucket: str,
    key: str,
    version: str,
    features: Sequence[str],
    queries: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
) -> str:
    """The job id of an asynchronous extraction; the same token within 7 days gives the same job, unbilled.

    `options` are further members of the request; under the same token they have to be the same.
    """
    document: dict[str, Any] = {"S3Object": {"Bucket": bucket, "Name": key} | ({"Version": version} if version else {})}
    arguments: dict[str, Any] = {"DocumentLocation": document, "ClientRequestToken": token, **options}
    client = aws.textract(START)
    with _errors():
        job_id = getattr(client, _CALLS[operation])(**arguments, **_analysis(features, queries)).get("JobId")
    if not isinstance(job_id, str) or not job_id:
        raise Busy("bad_response", costs_attempt=True)
    return job_id


def status(job_id: str, *, operation: str, next_token: str = "", most: int = _MOST_BLOCKS) -> Answer:
    """One page of a job's answer, with at most so many blocks or documents; `operation` is that of Get. Raises Busy for an answer
    that is not whole."""
    client = aws.textract(GET)
    most = min(most, _MOST_RESULTS.get(operation, _MOST_BLOCKS))
    with _errors(), _body_of(client) as bodies:
        call = getattr(client, _CALLS[operation])
        call(JobId=job_id, MaxResults=most, **({"NextToken": next_token} if next_token else {}))
    return checked(bodies[-1], operation=operation)


def analyze(
    document: Mapping[str, Any],
    *,
    operation: str,
    features: Sequence[str] = (),
    queries: Sequence[Mapping[str, Any]] = (),
    client: Any = None,
) -> Answer:
    """The answer for one page, at once. No token exists here: after a lost answer nobody knows whether it was billed.

    `document` is Textract's Document: `Bytes`, or an `S3Object` with `Bucket`, `Name` and perhaps `Version`. `client` is another
    endpoint's than Textract's own.
    """
    client = client or aws.textract(SYNC)
    given = {"DocumentPages": [document]} if operation == "AnalyzeID" else {"Document": document}
    with _errors(), _body_of(client) as bodies:
        getattr(client, _CALLS[operation])(**given, **_analysis(features, queries))
    return checked(bodies[-1], operation=operation)


def get_ready() -> None:
    """Make the clients before many threads call: that takes a second of work."""
    for family in (START, GET, SYNC):
        aws.textract(family)


class Whole:
    """Whether an answer, seen part by part, holds every page of the document, once, with every line of its pages and every word of
    its lines: nothing else tells of a last part that is missing, be it that its token got lost or that no token leads to it.
    """

    def __init__(self, expected_pages: int) -> None:
        self._expected = expected_pages
        self._pages: list[int] = []
        self._documents = False  # they say which pages they are of, and several may be of one
        self._links = _Links()

    def see(self, part: Mapping[str, Any]) -> None:
        """Note the pages of one part."""
        blocks = answers.blocks(part)
        self._pages += [block.get("Page") or 1 for block in blocks if block.get("BlockType") == "PAGE"]
        self._links.see(blocks)
        if answers.names_values(part):
            self._documents = True
            self._pages += answers.pages(part)

    def check(self, *, declared: int, may_lack: Collection[int]) -> None:
        """Raise Busy unless every page was seen once. Only pages that a PARTIAL_SUCCESS has warned of may be lacking."""
        missing = set(range(1, self._expected + 1)) - set(self._pages) - set(may_lack)
        # An answer of AnalyzeExpense without blocks says nothing of its pages.
        missing = set() if self._documents and not self._pages else missing
        twice = len(self._pages) != len(set(self._pages)) and not self._documents
        if missing or self._links.open or twice or declared != self._expected:
            raise Busy("bad_response", costs_attempt=True)


class _Links:
    """Children of pages and lines that did not come yet. Remembers what came of one page only: no link leads to another one."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self._page = 0
        self._came: set[str] = set()

    def see(self, blocks: Iterable[Mapping[str, Any]]) -> None:
        for block in blocks:
            page = block.get("Page") or 1
            if page != self._page:
                self._page, self._came = page, set()
            self._came.add(block["Id"])
            self.open.discard(block["Id"])
            if block["BlockType"] in {"PAGE", "LINE"}:
                self.open |= _children(block) - self._came


def _children(block: Mapping[str, Any]) -> set[str]:
    related = block.get("Relationships") or []
    return {id_ for each in related if each.get("Type") == "CHILD" for id_ in each.get("Ids") or []}


def check_complete(answer: Answer, *, expected_pages: int) -> None:
    """Raise Busy unless this one answer holds every page of the document, once."""
    whole = Whole(expected_pages)
    whole.see(answer.said)
    whole.check(declared=answer.pages, may_lack=warned_pages(answer.status, answer.warnings))


def warned_pages(status_: str, warnings: Sequence[Mapping[str, Any]]) -> set[int]:
    """The pages that an answer may lack: those that a PARTIAL_SUCCESS names in its warnings."""
    if status_ != "PARTIAL_SUCCESS":
        return set()
    return {page for warning in warnings for page in (warning.get("Pages") or [])}


# Threads share one interpreter: answers that are understood side by side take as long as one after the other, hold all their
# blocks in memory at the same time, and make the thread that speaks to the database wait for each of them.
understanding = Lock()
# Parsed, an answer takes four times the memory of its bytes, and more while it is understood. A hundred calls may answer within a
# second, so all but these few wait with their bytes; while some of the few are being stored, the others are understood.
SEATS = 4
_seats = BoundedSemaphore(SEATS)


class _Seat:
    """Whoever parses an answer sits there until the parsed answer is let go."""

    taken = False

    def take(self) -> None:
        if not self.taken:
            _seats.acquire()
            self.taken = True

    def leave(self) -> None:
        if self.taken:
            _seats.release()
            self.taken = False


_seat: ContextVar[_Seat | None] = ContextVar("textract_seat", default=None)


@contextmanager
def seated() -> Iterator[None]:
    """Within, the first answer that is parsed waits for one of a few seats, and keeps it until `leave_seat` or the end."""
    seat = _Seat()
    token = _seat.set(seat)
    try:
        yield
    finally:
        _seat.reset(token)
        seat.leave()


def leave_seat() -> None:
    """The parsed answer was let go: the next one may be parsed."""
    if seat := _seat.get():
        seat.leave()


def checked(body: bytes, *, operation: str) -> Answer:
    """The answer that these bytes hold; raises Busy when they are not a whole answer of that operation (a Start's is its Get's)."""
    if seat := _seat.get():
        seat.take()
    with understanding:
        return _checked(body, operation)


def _checked(body: bytes, operation: str) -> Answer:
    try:
        data = extraction.decoded(body)
        status_ = data["JobStatus"] if operation.startswith(("Start", "Get")) else "SUCCEEDED"
        finished = status_ in {"SUCCEEDED", "PARTIAL_SUCCESS"}
        if status_ not in {"IN_PROGRESS", "FAILED"} and not finished:
            raise ValueError(status_)
        holds = _HOLDS.get(operation, "Blocks")
        answer = Answer(
            body=body,
            status=status_,
            next_token=data.get("NextToken") or "",
            pages=int(data["DocumentMetadata"]["Pages"]) if finished else 0,
            said={holds: data[holds]} if finished else {},
            warnings=data.get("Warnings") or [],
            model_version=str(next((data[name] for name in _VERSIONS if data.get(name)), "")),
            message=str(data.get("StatusMessage") or ""),
        )
        _check_said(answer.said)
        for warning in answer.warnings:
            _check_pages(warning.get("Pages") or [])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Busy("bad_response", costs_attempt=True) from None
    return answer


def _check_said(said: Mapping[str, Any]) -> None:
    for name, found in said.items():
        if not isinstance(found, list):
            raise TypeError(name)
        if name != "Blocks":
            _check_values(found)
    for block in answers.blocks(said):
        _check_block(block)


def _check_values(found: Any) -> None:
    """Every confidence and box of documents, however deep it lies."""
    if isinstance(found, list):
        for each in found:
            _check_values(each)
    elif isinstance(found, dict):
        _check_confidence(found.get("Confidence"))
        _check_box(found)
        _check_values([each for name, each in found.items() if name != "Blocks"])


def _check_block(block: Mapping[str, Any]) -> None:
    if not block["Id"] or not block["BlockType"]:
        raise ValueError("block without identity")
    page = block.get("Page")
    if page is not None and (type(page) is not int or page < 1):
        raise ValueError("page")
    _check_confidence(block.get("Confidence"))
    _check_box(block)


def _check_confidence(confidence: Any) -> None:
    if confidence is not None and not 0 <= confidence <= 100:  # what is no number is in no range
        raise ValueError("confidence")


def _check_box(found: Mapping[str, Any]) -> None:
    box = (found.get("Geometry") or {}).get("BoundingBox") or {}
    # Textract's own boxes overshoot the page by a rounding error; anything more is not a box.
    for value in box.values():
        if not -0.05 <= value <= 1.05:
            raise ValueError("box")


def _check_pages(numbers: Sequence[object]) -> None:
    if any(type(number) is not int or number < 1 for number in numbers):
        raise ValueError("page")


def _analysis(features: Sequence[str], queries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What an analysis is told besides; the other operations take no features."""
    if not features:
        return {}
    arguments: dict[str, Any] = {"FeatureTypes": list(features)}
    if "QUERIES" in features:
        arguments["QueriesConfig"] = {"Queries": [dict(query) for query in queries]}
    return arguments


_bodies: ContextVar[list[bytes] | None] = ContextVar("textract_bodies", default=None)


def _keep_body(response_dict: Mapping[str, Any], **kwargs: Any) -> None:
    bodies = _bodies.get()
    if bodies is not None:
        bodies.append(response_dict["body"])
        if response_dict["status_code"] == 200:
            response_dict["body"] = b"{}"  # type: ignore[index]  # parsed here, once; botocore's own parsing costs several times as much


@contextmanager
def _body_of(client: Any) -> Iterator[list[bytes]]:
    """Collects the body of each answer inside, before botocore parses it and drops the members it does not know."""
    client.meta.events.register("before-parse.textract.*", _keep_body, unique_id="dtat-body")
    bodies: list[bytes] = []
    token = _bodies.set(bodies)
    try:
        yield bodies
    finally:
        _bodies.reset(token)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise _sorted(error) from None
    except (EndpointConnectionError, ConnectTimeoutError):
        raise Busy("unreachable", costs_attempt=False, sent=False) from None
    except BotoCoreError:
        raise Busy("answer_lost", costs_attempt=True) from None
    except (AttributeError, TypeError, ValueError):
        # botocore's parser takes for granted that JSON is an object of objects; a list or null makes it stumble.
        raise Busy("bad_response", costs_attempt=True) from None


def _sorted(error: ClientError) -> Busy | Refused:
    code = error.response.get("Error", {}).get("Code", "")
    if code in _REFUSED:
        return Refused(_REFUSED[code])
    if code in _THROTTLED:
        return Busy(_THROTTLED[code], costs_attempt=False, sent=False)
    if code in _CONFIGURATION:
        return Busy(_CONFIGURATION[code], costs_attempt=False, sent=False)
    return Busy("service_error", costs_attempt=True)
