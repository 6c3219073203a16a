"""Whatever Textract answers or fails to answer: later, failed with a code, or a whole reading. Never a blank success."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest

from ocr import aws
from ocr.models import Artifact, Document
from review import decisions
from tests import engine as stub
from tests import make
from tests.engine import GET, START, Engine, Fault

pytestmark = pytest.mark.django_db

# Error -> (what the document says, whether it costs one of its attempts). Source: Textract's API reference, errors.
LATER: dict[str, tuple[str, bool]] = {
    "ThrottlingException": ("throttled", False),
    "ProvisionedThroughputExceededException": ("throttled", False),
    "LimitExceededException": ("job_limit", False),
    "AccessDeniedException": ("access_denied", False),
    "InvalidKMSKeyException": ("kms_key", False),
    "UnrecognizedClientException": ("credentials", False),
    "ExpiredTokenException": ("credentials", False),
    "InvalidS3ObjectException": ("object_not_readable", False),
    "InternalServerError": ("service_error", True),
    "ServiceUnavailable": ("service_error", True),
    "SomethingNobodyKnows": ("service_error", True),
}
FINAL = {
    "UnsupportedDocumentException": "unsupported_document",
    "BadDocumentException": "bad_document",
    "DocumentTooLargeException": "document_too_large",
    "InvalidParameterException": "invalid_request",
    "IdempotentParameterMismatchException": "token_mismatch",
    "InvalidJobIdException": "job_expired",
}


def _received(cast: make.Cast) -> Document:
    return make.receive(cast.a).document


@pytest.mark.parametrize(("error", "outcome"), LATER.items())
@pytest.mark.parametrize("operation", [START, GET])
def test_errors_that_pass(
    cast: make.Cast, engine: Engine, operation: str, error: str, outcome: tuple[str, bool]
) -> None:
    # Throttling is documented with status 500 and was seen with 400.
    engine.fail(operation, stub.error(error, status=400 if operation == START else 500))
    made = _received(cast)
    if operation == GET:
        make.advance(made)
    after = make.advance(made)
    assert (after.status, after.error_code, after.attempts) == ("reading", outcome[0], int(outcome[1]))
    assert (after.lease_until, engine.count(operation)) == (None, 1)
    done = make.run(made)
    assert (done.status, done.error_code, done.attempts) == ("approved", "", 0)
    assert len(engine.bill) == 1


@pytest.mark.parametrize(("error", "code"), FINAL.items())
@pytest.mark.parametrize("operation", [START, GET])
def test_errors_that_stay(cast: make.Cast, engine: Engine, operation: str, error: str, code: str) -> None:
    engine.fail(operation, stub.error(error))
    made = _received(cast)
    done = make.run(made)
    assert (done.status, done.error_code, done.step) == ("failed", code, "")
    assert engine.count(operation) == 1
    last = make.trail(made)[-1]
    assert (last.kind, last.codes["code"]) == ("FAILED", code)
    assert make.events(made)[-1].type == "document.failed"


def test_throttling_never_uses_a_document_up(cast: make.Cast, engine: Engine, settings: Any) -> None:
    settings.MAX_ATTEMPTS = 2
    for operation in (START, GET):
        engine.fail(operation, stub.error("ThrottlingException"), times=6)
    made = _received(cast)
    done = make.run(made)
    assert (done.status, engine.count(START), len(engine.bill)) == ("approved", 7, 1)


def test_the_documents_own_failures_are_counted_and_end(cast: make.Cast, engine: Engine, settings: Any) -> None:
    engine.fail_always(START, stub.error("InternalServerError", status=500))
    made = _received(cast)
    attempts = [make.advance(made).attempts for _ in range(settings.MAX_ATTEMPTS)]
    done = make.reload(made)
    assert attempts == list(range(1, settings.MAX_ATTEMPTS + 1))
    assert (done.status, done.error_code, engine.count()) == ("failed", "service_error", settings.MAX_ATTEMPTS)
    assert make.trail(made)[-1].codes["attempt"] == settings.MAX_ATTEMPTS
    assert make.advance(made).fence == done.fence
    engine.mend()
    decisions.retry(made.pk, cast.sue)
    assert make.run(made).status == "approved"
    assert make.broken() == []


def test_pauses_grow(cast: make.Cast, engine: Engine) -> None:
    engine.fail_always(START, stub.error("InternalServerError", status=500))
    made = _received(cast)
    due = []
    for _ in range(4):
        before = make.advance(made)
        assert before.due_at
        due.append(before.due_at - pause_starts(before))
    least = [2, 4, 8, 16]
    assert all(wait.total_seconds() >= seconds - 1 for wait, seconds in zip(due, least, strict=True))
    assert all(wait.total_seconds() <= 2 * seconds for wait, seconds in zip(due, least, strict=True))


def pause_starts(document: Document) -> Any:
    from ocr import lifecycle

    return lifecycle.database_now()


# --- Answers that get lost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [stub.lost_before, stub.lost_after], ids=["before", "after"])
@pytest.mark.parametrize("operation", [START, GET])
def test_a_lost_answer_is_asked_for_again_and_paid_once(
    cast: make.Cast, engine: Engine, operation: str, lost: Fault
) -> None:
    engine.fail(operation, lost, times=2)
    made = _received(cast)
    if operation == GET:
        make.advance(made)
    after = make.advance(made)
    assert (after.error_code, after.attempts) == ("answer_lost", 1)
    assert make.run(made).status == "approved"
    assert (len(engine.jobs), engine.billed_pages(), engine.billed_twice()) == (1, 1, [])
    assert len({call.token for call in engine.calls if call.token}) == 1


def test_one_request_per_call(cast: make.Cast, engine: Engine) -> None:
    """The SDK repeats nothing by itself: what may have been billed is ours to decide about."""
    for fault in (stub.lost_after, stub.error("ThrottlingException"), stub.error("InternalServerError", status=500)):
        engine.forget()
        engine.fail_always("", fault)
        make.advance(_received(cast))
        assert engine.count() == 1


def test_an_answer_that_comes_too_late_is_lost(cast: make.Cast, engine: Engine, settings: Any) -> None:
    settings.TEXTRACT_READ_SECONDS = 1
    aws.forget()
    given_up = Event()
    engine.on_call = lambda call: None if engine.count() > 1 else void(given_up.wait(20))
    made = _received(cast)
    after = make.advance(made)
    given_up.set()
    assert (after.status, after.error_code) == ("reading", "answer_lost")
    assert make.run(made).status == "approved"
    assert len(engine.bill) == 1
    aws.forget()


def void(value: object) -> None:
    """For lambdas that only wait."""


def test_a_service_that_is_not_there_costs_nothing(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_TEXTRACT", "http://127.0.0.1:9")
    aws.forget()
    made = _received(cast)
    after = make.advance(made)
    assert (after.status, after.error_code, after.attempts) == ("reading", "unreachable", 0)
    monkeypatch.setenv("AWS_ENDPOINT_URL_TEXTRACT", engine.url)
    aws.forget()
    assert make.run(made).status == "approved"


def _until_trouble(made: Document) -> Document:
    """The document after the first step that went wrong."""
    for _ in range(make.MOST_STEPS):
        after = make.advance(made)
        if after.error_code or not after.step:
            return after
    raise AssertionError("nothing went wrong")


# --- Answers that are none -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", stub.MALFORMED)
def test_what_is_not_a_whole_answer_is_never_believed(
    cast: make.Cast, engine: Engine, settings: Any, name: str
) -> None:
    settings.MAX_ATTEMPTS = 2
    engine.fail(GET, stub.MALFORMED[name], times=2 if name == "token_again" else 1)
    made = make.document(cast.a, "reading")
    after = _until_trouble(made)
    assert (after.status, after.error_code, after.attempts) == ("reading", "bad_response", 1)
    assert make.stored(made, Artifact.Kind.RAW) == []
    assert make.run(made).status == "approved"
    engine.fail_always(GET, stub.MALFORMED[name])
    done = make.run(make.document(cast.a, "reading"))
    assert (done.status, done.error_code) == ("failed", "bad_response")


@pytest.mark.parametrize("name", ["html", "cut", "empty", "list", "null", "number", "blank"])
def test_a_start_that_names_no_job_started_nothing_for_us(cast: make.Cast, engine: Engine, name: str) -> None:
    faults = {
        "number": stub.changed(lambda told: told.update(JobId=7)),
        "blank": stub.changed(lambda told: told.update(JobId="")),
    }
    engine.fail(START, {**stub.MALFORMED, **faults}[name])
    made = _received(cast)
    after = make.advance(made)
    assert (after.status, after.step, after.error_code, after.attempts) == ("reading", "start", "bad_response", 1)
    assert make.run(made).status == "approved"
    assert len(engine.bill) <= 1


def test_a_broken_middle_of_many_parts_is_not_believed(cast: make.Cast, engine: Engine) -> None:
    engine.part_size = 6
    engine.fail(GET, stub.cut, skip=2)  # the first part, the second, then this
    made = make.document(cast.a, "reading")
    assert _until_trouble(made).error_code == "bad_response"
    assert make.run(made).status == "approved"
    assert len(make.stored(made, Artifact.Kind.RAW)) > 2


def test_a_part_that_comes_twice_is_not_believed(cast: make.Cast, engine: Engine) -> None:
    engine.part_size = 6
    first: list[bytes] = []

    def again(answer: Any) -> stub.Reply:
        reply = answer()
        first.append(reply.body)
        return stub.Reply(200, first[0])

    engine.fail(GET, again, times=3)
    made = make.document(cast.a, "reading")
    assert _until_trouble(made).error_code == "bad_response"
    assert make.run(made).status == "approved"
