"""One document from its first step to its rest: what is asked, kept, recorded and billed on the way."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from django.db import connections, transaction

from ocr import artifacts, extraction, lifecycle, pipeline, readings
from ocr.models import Artifact, Extraction, Field
from review import decisions
from tenants import scope
from tests import engine as stub
from tests import make
from tests.conftest import as_superuser
from tests.engine import START, Call, Engine, Page

CLEAR_JOURNEY = [
    "INGESTED", "WORKFLOW_STARTED", "TEXTRACT_STARTED", "TEXTRACT_SUCCEEDED", "NORMALIZED", "STRAIGHT_THROUGH", "PUBLISHED",
]  # fmt: skip
pytestmark = pytest.mark.django_db


def _kinds(of: Any) -> list[str]:
    return [str(row.kind) for row in make.trail(of)]


def test_step_by_step_to_straight_through(cast: make.Cast, engine: Engine) -> None:
    engine.jobs_end(waits=1)
    made = make.receive(cast.a).document
    seen = [make.advance(made) for _ in range(3)]
    assert [(each.status, each.step) for each in seen] == [("reading", "check"), ("reading", "check"), ("approved", "")]
    assert [call.operation for call in engine.calls] == [START, "GetDocumentAnalysis", "GetDocumentAnalysis"]
    assert _kinds(made) == CLEAR_JOURNEY
    assert [event.type for event in make.events(made)] == [
        "document.received",
        "document.reading",
        "document.processed",
    ]
    done = seen[-1]
    assert (done.straight_through, done.review_reasons, done.attempts, done.error_code) == (True, [], 0, "")
    assert done.read_at and done.finished_at
    with scope.everything():
        total = Field.objects.get(document=made, name="total")
    assert (total.value, total.state, total.page, total.source) == ("12.50", "certain", 1, "textract")
    assert make.broken() == []


def test_what_is_doubtful_goes_to_a_person(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "needs_review")
    assert _kinds(made)[-2:] == ["HUMAN_REVIEW_REQUIRED", "PUBLISHED"]
    assert made.review_reasons == ["low_confidence"]
    assert make.events(made)[-1].data["reasons"] == ["low_confidence"]
    assert (made.straight_through, made.finished_at) == (False, None)


def test_a_blank_page_is_never_approved(cast: make.Cast, engine: Engine) -> None:
    for type_ in ("receipt", "generic_form", ""):
        made = make.document(cast.a, "needs_review", pages=[stub.BLANK], document_type=type_)
        assert "missing" in made.review_reasons


@pytest.mark.parametrize(
    ("type_", "operation", "features"),
    [
        ("receipt", START, ["FORMS"]),
        ("invoice", START, ["FORMS", "TABLES"]),
        ("", START, ["FORMS", "TABLES"]),
    ],
)
def test_what_is_asked_for(cast: make.Cast, engine: Engine, type_: str, operation: str, features: list[str]) -> None:
    made = make.receive(cast.a, document_type=type_).document
    make.advance(made)
    call = engine.calls[0]
    with scope.everything():
        key = made.artifacts.get().key
    assert (call.operation, call.arguments["FeatureTypes"]) == (operation, features)
    assert call.arguments["DocumentLocation"] == {"S3Object": {"Bucket": "local", "Name": key}}
    assert len(call.token) == 64 and call.token.isalnum()


def test_the_type_is_found_from_the_content(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "approved", document_type="")
    assert made.document_type and made.document_type.name == "receipt"


def test_the_answer_is_kept_byte_for_byte_part_by_part(cast: make.Cast, engine: Engine) -> None:
    engine.part_size = 7
    engine.fail_always("GetDocumentAnalysis", stub.changed(lambda told: told.update(UnknownMember={"kept": None})))
    made = make.document(cast.a, "approved", pages=[stub.CLEAR, Page.of("Thank you for coming")])
    parts = make.stored(made, Artifact.Kind.RAW)
    assert len(parts) > 2
    assert parts == engine.sent[-len(parts) :]
    assert all(json.loads(part)["UnknownMember"] == {"kept": None} for part in parts)
    told = next(row for row in make.trail(made) if row.kind == "TEXTRACT_SUCCEEDED")
    assert told.codes["sha256"] == [hashlib.sha256(part).hexdigest() for part in parts]
    assert (told.codes["pages"], told.codes["model_version"]) == (2, "stub-1")


def test_the_stored_result_is_what_the_reading_says(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "approved")
    [told] = [json.loads(each) for each in make.stored(made, Artifact.Kind.RESULT)]
    values = {field["name"]: field["value"] for field in told["fields"]}
    assert (values["total"], values["date"]) == ("12.50", "2026-03-12")
    assert (told["status"], told["version"], told["review"]["decision"]) == ("approved", 3, "straight_through")
    assert told["cost"] == {"pages": 1, "usd": "0.050000"}
    assert [word["text"] for word in readings.words(made, 1)][:2] == ["Harbour", "Cafe"]


def test_nothing_happens_twice_or_before_its_time(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "reading")
    calls = engine.count()
    pipeline.advance(cast.a.pk, made.pk)  # not due
    assert (engine.count(), make.reload(made).fence) == (calls, made.fence)
    done = make.run(made)
    calls, rows = engine.count(), len(make.trail(made))
    for tenant in (cast.a, cast.b):
        pipeline.advance(tenant.pk, made.pk)
    assert (engine.count(), len(make.trail(made)), make.reload(made).fence) == (calls, rows, done.fence)


def test_nobody_works_on_another_tenants_document(cast: make.Cast, engine: Engine) -> None:
    made = make.receive(cast.a).document
    pipeline.advance(cast.b.pk, made.pk)
    assert (engine.count(), make.reload(made).fence) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_the_token_is_committed_before_the_call(cast: make.Cast, engine: Engine) -> None:
    seen: list[tuple[str, str, str]] = []

    def looks(call: Call) -> None:
        if call.operation == START:
            with as_superuser() as cursor:
                cursor.execute(
                    "SELECT run.token, run.state, document.status FROM ocr_extraction run "
                    "JOIN ocr_document document ON document.id = run.document_id"
                )
                seen.extend(cursor.fetchall())

    engine.on_call = looks
    make.document(cast.a, "reading")
    assert seen == [(engine.calls[0].token, "planned", "reading")]


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_somebody_outside_is_asked(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = connections["default"]
    open_at: list[str] = []
    asked: list[str] = []

    def looks(where: str) -> None:
        asked.append(where)
        if ours.in_atomic_block:
            open_at.append(where)

    def watch(name: str) -> None:
        real = getattr(artifacts.DurableFiles, name)

        def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
            looks(name)
            return real(self, *args, **kwargs)

        monkeypatch.setattr(artifacts.DurableFiles, name, watched)

    watch("_save")
    watch("_open")
    engine.on_call = lambda call: looks(call.operation)
    made = make.document(cast.a, "needs_review")
    pipeline.replay(make.reload(made), actor="user:sue")
    make.document(cast.a, "approved", decided_by=cast.ada)
    make.document(cast.a, "failed")
    assert open_at == []
    assert {"_save", "_open", START, "GetDocumentAnalysis"} <= set(asked)


def test_a_word_that_no_database_stores_is_read_all_the_same(cast: make.Cast, engine: Engine) -> None:
    odd = stub.receipt(merchant="Har\x00bour\ud800 Cafe")
    made = make.document(cast.a, "approved", pages=[odd])
    with scope.everything():
        assert Field.objects.get(document=made, name="merchant").value == "Harbour Cafe"
    assert make.broken() == []
    assert b"\\u0000" in make.stored(made, Artifact.Kind.RAW)[0]


# --- Pages that the engine could not read --------------------------------------------------------------------------


def test_a_partial_answer_goes_to_a_person_with_its_missing_page(cast: make.Cast, engine: Engine) -> None:
    engine.jobs_end("PARTIAL_SUCCESS", warnings=[{"ErrorCode": "PAGE_CANNOT_BE_READ", "Pages": [2]}])
    made = make.document(cast.a, "needs_review", pages=[stub.CLEAR, stub.CLEAR])
    assert "partial_result" in made.review_reasons
    problem = next(each for each in made.problems if each["code"] == "partial_result")
    assert "Page 2" in problem["message"]
    assert make.extractions(made)[0].warnings == [{"ErrorCode": "PAGE_CANNOT_BE_READ", "Pages": [2]}]


def test_a_partial_answer_that_hides_a_page_is_not_believed(cast: make.Cast, engine: Engine) -> None:
    engine.jobs_end("PARTIAL_SUCCESS", warnings=[{"ErrorCode": "X", "Pages": [2]}])
    hides = stub.changed(lambda told: told.pop("Warnings"))
    engine.fail_always("GetDocumentAnalysis", hides)
    engine.reads(stub.CLEAR, stub.CLEAR)
    done = make.run(make.receive(cast.a, make.pdf(2)).document)
    assert (done.status, done.error_code) == ("failed", "bad_response")


# --- Doing it again ------------------------------------------------------------------------------------------------


def test_a_failed_job_is_asked_for_anew_only_when_somebody_says_so(cast: make.Cast, engine: Engine) -> None:
    engine.jobs_end("FAILED", message="canary: the engine's own words")
    made = make.receive(cast.a).document
    done = make.run(made)
    assert (done.status, done.error_code, engine.billed_pages()) == ("failed", "engine_failed", 1)
    assert all("canary" not in json.dumps(row.codes) for row in make.trail(made))
    engine.jobs_end()
    decisions.retry(done.pk, cast.sue)
    assert make.run(made).status == "approved"
    first, second = make.extractions(made)
    assert first.token != second.token
    assert (first.state, second.state, len(engine.bill)) == ("failed", "collected", 2)
    assert engine.billed_twice() == make.broken() == []


@pytest.mark.parametrize("gone", ["check", "collect"])
def test_a_job_that_the_engine_forgot_can_be_asked_for_anew(cast: make.Cast, engine: Engine, gone: str) -> None:
    engine.part_size = 6
    engine.fail("GetDocumentAnalysis", stub.error("InvalidJobIdException"), skip=gone == "collect")
    made = make.receive(cast.a).document
    done = make.run(made)
    assert (done.status, done.error_code) == ("failed", "job_expired")
    decisions.retry(done.pk, cast.sue)
    assert make.run(made).status == "approved"
    assert [run.state for run in make.extractions(made)] == ["failed", "collected"]


def test_a_job_that_never_ends_is_given_up_and_can_be_asked_for_anew(cast: make.Cast, engine: Engine) -> None:
    engine.jobs_end(waits=stub.STUCK)
    made = make.document(cast.a, "reading")
    assert make.advance(made).step == "check"
    with scope.everything():
        Extraction.objects.filter(document=made).update(started_at="2020-01-01T00:00:00Z", polls=5000)
    done = make.advance(made)
    assert (done.status, done.error_code) == ("failed", "engine_timeout")
    engine.jobs_end()
    decisions.retry(done.pk, cast.sue)
    assert make.run(made).status == "approved"


def test_a_job_that_takes_very_long_is_looked_at_to_the_end(cast: make.Cast, engine: Engine) -> None:
    engine.jobs_end(waits=stub.STUCK)
    made = make.document(cast.a, "reading")
    with scope.everything():
        Extraction.objects.filter(document=made).update(polls=5000)
    after = make.advance(made)
    assert (after.step, after.error_code, after.attempts) == ("check", "", 0)
    assert make.extractions(made)[0].polls == 5001


def test_a_token_that_stands_for_something_else_is_never_used_again(cast: make.Cast, engine: Engine) -> None:
    engine.fail(START, stub.error("IdempotentParameterMismatchException"))
    made = make.receive(cast.a).document
    done = make.run(made)
    assert (done.status, done.error_code) == ("failed", "token_mismatch")
    decisions.retry(done.pk, cast.sue)
    assert make.run(made).status == "approved"
    assert len({call.token for call in engine.calls if call.token}) == 2


def test_what_was_read_is_not_read_again_after_a_failure(
    cast: make.Cast, engine: Engine, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAX_ATTEMPTS = 2
    made = make.document(cast.a, "reading")

    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("canary")

    monkeypatch.setattr(extraction, "read", broken)
    done = make.run(made)
    assert (done.status, done.error_code) == ("failed", "internal_ZeroDivisionError")
    monkeypatch.undo()
    calls = engine.count()
    decisions.retry(done.pk, cast.sue)
    assert make.run(made).status == "approved"
    assert (engine.count(), len(engine.bill)) == (calls, 1)
    assert make.broken() == []


def test_a_replay_says_the_same_without_a_call(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "needs_review")
    calls = engine.count()
    [before] = make.stored(made, Artifact.Kind.RESULT)
    pipeline.replay(make.reload(made), actor="user:sue")
    after = make.reload(made)
    assert (after.status, after.version) == ("needs_review", made.version + 1)
    assert (engine.count(), len(engine.bill)) == (calls, 1)
    told = {**json.loads(make.stored(made, Artifact.Kind.RESULT)[-1]), "version": made.version}
    assert json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == before
    assert _kinds(made)[-2:] == ["REPLAYED", "PUBLISHED"]
    assert make.broken() == []


@pytest.mark.parametrize("status", ["received", "reading", "approved", "rejected", "failed"])
def test_only_a_waiting_document_is_replayed(cast: make.Cast, engine: Engine, status: str) -> None:
    made = make.document(cast.a, status)
    rows = len(make.trail(made))
    with transaction.atomic(), pytest.raises(lifecycle.NotPossible):
        pipeline.replay(made, actor="user:sue")
    assert len(make.trail(made)) == rows


@pytest.mark.parametrize("status", ["received", "reading", "needs_review", "approved", "rejected"])
def test_only_a_failed_document_is_retried(cast: make.Cast, engine: Engine, status: str) -> None:
    made = make.document(cast.a, status)
    with pytest.raises(lifecycle.NotPossible):
        pipeline.retry(made, actor="user:sue")
    assert make.reload(made).version == made.version


# --- The same bytes again -------------------------------------------------------------------------------------------


def test_the_same_bytes_are_paid_once(cast: make.Cast, engine: Engine) -> None:
    content = make.image()
    first = make.document(cast.a, "approved", content=content)
    calls = engine.count()
    second = make.document(cast.a, "approved", content=content)
    [run] = make.extractions(second)
    assert (engine.count(), run.reused_from, run.micro_dollars, run.state) == (calls, first.pk, 0, "collected")
    assert make.stored(second, Artifact.Kind.RAW) == make.stored(first, Artifact.Kind.RAW)
    assert json.loads(make.stored(second, Artifact.Kind.RESULT)[0])["cost"] == {"pages": 0, "usd": "0.000000"}
    assert make.broken() == []


@pytest.mark.parametrize("why", ["other tenant", "other questions", "partial", "not yet read", "answer lost"])
def test_the_same_bytes_are_asked_for_where_no_whole_answer_serves(
    cast: make.Cast, engine: Engine, settings: Any, why: str
) -> None:
    content = make.pdf(2)
    pages = [stub.CLEAR, Page.of("Thank you")]
    if why == "partial":
        engine.jobs_end("PARTIAL_SUCCESS", warnings=[{"ErrorCode": "X", "Pages": [2]}])
    first = make.document(
        cast.b if why == "other tenant" else cast.a,
        {"partial": "needs_review", "not yet read": "reading"}.get(why, "approved"),
        content=content,
        pages=pages,
    )
    engine.jobs_end()
    if why == "answer lost":
        with scope.everything():
            (settings.DOCUMENTS_ROOT / first.artifacts.get(kind=Artifact.Kind.RAW).key).unlink()
    starts = engine.count(START)
    type_ = "invoice" if why == "other questions" else "receipt"
    second = make.receive(cast.a, content, document_type=type_).document
    engine.reads(*pages, document_id=second.pk)
    make.run(second)
    [run] = make.extractions(second)
    assert (engine.count(START), run.reused_from, run.state) == (starts + 1, None, "collected")
