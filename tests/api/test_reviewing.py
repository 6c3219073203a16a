"""Deciding, re-opening, replaying and retrying over REST."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client

from ocr.models import Artifact
from review import decisions
from review.models import Decision
from tenants import scope
from tests import make
from tests.api.calls import of, post, problem
from tests.engine import Engine
from tests.review import papers
from tests.review.test_races import at_once

pytestmark = pytest.mark.django_db


def review(client: Client, document: Any, headers: dict[str, str] | None = None, **said: Any) -> Any:
    body = {"version": document.version, "decision": "approve", **said}
    return post(client, of(document, "review/"), body, **(headers or {}))


def supervisor(cast: make.Cast) -> Client:
    return cast.api(make.key(cast.a, cast.sue))


def test_a_refusal_while_the_database_goes_away_is_one_to_try_again(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands there now cannot be told then: no error page, but the answer that makes a client repeat its request."""
    document = papers.invoice(cast.a)

    def away(_document: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(decisions, "current", away)
    answer = post(cast.api(), of(document, "review/"), {"version": document.version + 1, "decision": "approve"})
    problem(answer, 503, "try_again")
    assert answer["Retry-After"] == "5"


# --- Deciding -----------------------------------------------------------------------------------------------------


def test_an_approval_answers_with_the_document(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a)
    answer = review(
        cast.api(),
        document,
        corrected_fields={"total": "48,00", "line_items.1.description": "Brass hinges"},
        confirmed_fields=["tax"],
        absent_fields=["tax_id"],
        unreadable_fields=["supplier"],
        note="Seen on paper",
    )
    assert answer.status_code == 200
    told = answer.json()
    assert told == cast.api().get(of(document)).json()
    assert (told["status"], told["version"], told["review"]["decision"]) == (
        "approved",
        document.version + 1,
        "approve",
    )
    assert told["review"]["reviewer"].startswith("key:dtat_")
    states = {field["name"]: (field["value"], field["state"]) for field in told["fields"]}
    assert states["total"] == ("48.00", "corrected")
    assert states["tax"] == ("8.00", "checked")
    assert states["tax_id"] == (None, "absent")
    assert states["supplier"] == (None, "unreadable")
    assert told["line_items"][0]["cells"][1]["value"] == "Brass hinges"
    assert make.stored(document, Artifact.Kind.RESULT)[-1] == cast.api().get(of(document, "result/")).content


def test_a_rejection(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    told = review(cast.api(), document, decision="reject", reason="duplicate").json()
    assert (told["status"], told["review"]["decision"], told["review"]["reason"]) == ("rejected", "reject", "duplicate")


def test_the_failing_fields_are_named(cast: make.Cast, engine: Engine) -> None:
    document = papers.invoice(cast.a)
    told = problem(
        review(cast.api(), document, corrected_fields={"total": "lots", "nonsense": "1"}), 422, "fields_invalid"
    )
    assert {(error["field"], error["overridable"]) for error in told["errors"]} == {
        ("total", False),
        ("nonsense", False),
    }
    assert all(error["message"].endswith(".") for error in told["errors"])
    broken = problem(review(cast.api(), document, corrected_fields={"total": "50"}), 422, "fields_invalid")
    assert broken["overridable"] is True
    assert broken["errors"] == [
        {"field": "total", "code": "invalid", "message": "Subtotal plus tax is 48.00, not 50.00.", "overridable": True}
    ]
    assert review(cast.api(), document, corrected_fields={"total": "50"}, reason="Fee").status_code == 200


@pytest.mark.parametrize("reason", ["", "nonsense"])
def test_a_rejection_needs_a_reason(cast: make.Cast, engine: Engine, reason: str) -> None:
    document = make.document(cast.a, "needs_review")
    told = problem(review(cast.api(), document, decision="reject", reason=reason), 422, "fields_invalid")
    assert [error["field"] for error in told["errors"]] == ["reason"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 0},
        {"version": "x"},
        {"version": None},
        {"decision": "maybe"},
        {"decision": None},
        {"corrected_fields": ["total"]},
        {"corrected_fields": {"total": None}},
        {"corrected_fields": {"total": {"a": "b"}}},
        {"corrected_fields": {"total": "x" * 4001}},
        {"absent_fields": "total"},
        {"absent_fields": [{"a": 1}]},
        {"confirmed_fields": {"total": 1}},
        {"reason": "x" * 1001},
        {"token": "x"},
    ],
)
def test_a_body_of_the_wrong_form(cast: make.Cast, engine: Engine, wrong: dict[str, Any]) -> None:
    document = make.document(cast.a, "needs_review")
    told = problem(review(cast.api(), document, **wrong), 400, "invalid")
    assert {error["field"].split(".")[0] for error in told["errors"]} == set(wrong)
    assert not any("{" in error["message"] for error in told["errors"])
    assert make.reload(document).version == document.version


def test_a_stale_version_comes_with_the_newer_values(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    newer = decisions.replay(document.pk, cast.sue)
    told = problem(review(cast.api(), document, corrected_fields={"total": "1"}), 409, "stale_version")
    current = told["current"]
    assert (current["version"], current["status"], current["reviewer"]) == (newer.version, "needs_review", None)
    assert {field["name"]: field["value"] for field in current["fields"]}["total"] == "12.50"
    assert {"fields", "line_items", "problems"} <= set(current)


def test_a_decided_document_tells_who_and_what(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    decided = decisions.decide(document.pk, cast.sue, papers.approve(document, corrected={"total": "13.00"}))
    for version in (document, decided):
        told = problem(review(cast.api(), version), 409, "already_decided")
        assert "by sue." in told["detail"]
        assert (told["current"]["version"], told["current"]["reviewer"]) == (decided.version, "user:sue")
        assert {field["name"]: field["value"] for field in told["current"]["fields"]}["total"] == "13.00"


def test_what_somebody_holds_is_refused(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    make.claim(document, cast.ada)
    assert "ada is working" in problem(review(cast.api(), document), 409, "held")["detail"]
    problem(review(cast.api(make.key(cast.a, cast.ada)), document, token=str(uuid4())), 409, "taken_over")


def test_nothing_to_decide_yet(cast: make.Cast, engine: Engine) -> None:
    problem(review(cast.api(), make.document(cast.a)), 409, "not_possible")


# --- If-Match -----------------------------------------------------------------------------------------------------


def test_if_match_names_the_version_that_was_seen(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    tag = cast.api().get(of(document))["ETag"]
    for stale in ('"1"', f"W/{tag}", str(document.version), '""'):
        told = problem(review(cast.api(), document, {"If_Match": stale}), 412, "stale_version")
        assert told["current"]["version"] == document.version
    assert make.reload(document).version == document.version
    assert review(cast.api(), document, {"If_Match": f'"0", {tag}'}).status_code == 200
    problem(review(cast.api(), document, {"If_Match": tag}), 412, "stale_version")


def test_if_match_guards_reopening_too(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "approved")
    path = of(document, "reopen/")
    problem(post(supervisor(cast), path, If_Match='"1"'), 412, "stale_version")
    assert post(supervisor(cast), path, If_Match=f'"{document.version}"').status_code == 202


def test_any_version_matches_a_star(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    assert review(cast.api(), document, {"If_Match": "*"}).status_code == 200


# --- The same request twice ---------------------------------------------------------------------------------------


def test_a_repeated_decision_is_answered_the_same(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    tag = f'"{document.version}"'
    sent = {"Idempotency_Key": "d-1", "If_Match": tag}
    answers = [review(cast.api(), document, sent, corrected_fields={"total": "13"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert len(papers.events(document, "HUMAN_REVIEW_APPROVED")) == 1
    other = review(cast.api(), document, {"Idempotency_Key": "d-1"}, corrected_fields={"total": "14"})
    problem(other, 422, "idempotency_key_reused")
    reopened = post(supervisor(cast), of(document, "reopen/"), Idempotency_Key="d-1")
    problem(reopened, 422, "idempotency_key_reused")


def test_a_refused_decision_leaves_its_key_free(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    sent = {"Idempotency_Key": "d-1"}
    problem(review(cast.api(), document, sent, corrected_fields={"total": "lots"}), 422, "fields_invalid")
    assert review(cast.api(), document, sent, corrected_fields={"total": "13"}).status_code == 200


def test_a_result_that_was_left_out_is_stored_by_the_repeated_request(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between the commit and the storing: the decision stands, and the repeat mends the result."""
    from ocr import pipeline

    document = make.document(cast.a, "needs_review")

    def dies(document: Any) -> Any:
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "publish", dies)
        problem(review(cast.api(), document, {"Idempotency_Key": "d-1"}), 503, "try_again")
    assert make.reload(document).status == "approved"
    assert review(cast.api(), document, {"Idempotency_Key": "d-1"}).status_code == 200
    assert [event.codes["version"] for event in papers.events(document, "PUBLISHED")][-1] == document.version + 1


@pytest.mark.django_db(transaction=True)
def test_twins_at_once_are_one_decision_with_one_answer(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")

    def send() -> Any:
        return review(cast.api(), document, {"Idempotency_Key": "twin"}, corrected_fields={"total": "13"})

    answers: list[Any] = at_once([send] * 8)
    assert Counter(getattr(answer, "status_code", answer) for answer in answers) == {200: 8}
    assert all(answer.json() == answers[0].json() for answer in answers)
    with scope.everything():
        assert Decision.objects.filter(document=document).count() == 1


# --- Again --------------------------------------------------------------------------------------------------------


def test_reopen_replay_and_retry_answer_202(cast: make.Cast, engine: Engine) -> None:
    decided, waiting, failed = (make.document(cast.a, status) for status in ("approved", "needs_review", "failed"))
    for document, act, status in (
        (decided, "reopen", "needs_review"),
        (waiting, "replay", "needs_review"),
        (failed, "retry", "received"),
    ):
        answer = post(supervisor(cast), of(document, f"{act}/"))
        assert answer.status_code == 202, answer.content
        told = answer.json()
        assert set(told) == {"id", "status", "links"}
        assert (told["id"], told["status"]) == (str(document.pk), status)
        assert make.reload(document).version == document.version + 1


@pytest.mark.parametrize(
    ("status", "act"),
    [
        ("needs_review", "reopen"),
        ("received", "reopen"),
        ("failed", "reopen"),
        ("approved", "replay"),
        ("reading", "replay"),
        ("needs_review", "retry"),
        ("approved", "retry"),
        ("received", "retry"),
    ],
)
def test_what_is_not_possible_from_there(cast: make.Cast, engine: Engine, status: str, act: str) -> None:
    document = make.document(cast.a, status)
    told = problem(post(supervisor(cast), of(document, f"{act}/")), 409, "not_possible")
    assert told["current"]["status"] == status
    assert make.reload(document).version == document.version


@pytest.mark.parametrize(("status", "act"), [("approved", "reopen"), ("needs_review", "replay"), ("failed", "retry")])
def test_supervisors_only(cast: make.Cast, engine: Engine, status: str, act: str) -> None:
    document = make.document(cast.a, status)
    problem(post(cast.api(), of(document, f"{act}/")), 403, "not_allowed")
    assert make.reload(document).status == status


def test_a_repeated_reopening_is_one(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "approved")
    first, second = (post(supervisor(cast), of(document, "reopen/"), Idempotency_Key="r-1") for _ in range(2))
    assert (first.status_code, second.status_code, first.json()) == (202, 202, second.json())
    problem(post(supervisor(cast), of(document, "reopen/")), 409, "not_possible")
    assert make.reload(document).version == document.version + 1
