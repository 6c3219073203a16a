"""Remarks, and questions that park a document until they are answered."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse

from ocr import lifecycle
from ocr.models import Document
from review import comments, decisions, worklist
from review.models import Comment
from tenants import access, scope
from tenants.models import Role
from tests import make
from tests.engine import Engine
from tests.review import papers
from tests.review.papers import approve, events

pytestmark = pytest.mark.django_db


def question(cast: make.Cast, document: Document, text: str = "@sue is that a heron?") -> Comment:
    make.claim(document, cast.ada)
    return comments.write(document.pk, cast.ada, field="total", text=text)


def test_a_question_parks_the_document_until_it_is_answered(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    asked = question(cast, document)
    assert (asked.asked, papers.holder(document)) == (cast.sue, "")
    assert [worklist.claim_next(who) for who in (cast.ada, cast.sue)] == [None, None]
    for refused in (
        lambda: worklist.claim(document.pk, cast.sue),
        lambda: decisions.decide(document.pk, cast.sue, approve(document)),
        lambda: worklist.take_over(document.pk, cast.sue, reason="urgent"),
    ):
        with pytest.raises(comments.Parked, match="waits for an answer from sue"):
            refused()
    comments.answer(document.pk, cast.sue, text="It is an ibis.")
    found = worklist.claim_next(cast.ada)
    assert found and found.document_id == document.pk
    told = [(event.kind, event.step, event.actor, event.codes.get("person")) for event in events(document, "COMMENTED")]
    assert told == [("COMMENTED", "ask", "user:ada", cast.sue.pk), ("COMMENTED", "answer", "user:sue", None)]
    assert ("RELEASED", "ask") in [(event.kind, event.step) for event in events(document)]
    written = str([event.codes for event in events(document)])
    assert "heron" not in written and "ibis" not in written
    assert make.broken() == []


def test_a_remark_changes_nothing_but_what_is_said(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    token = make.claim(document, cast.ada)
    made = comments.write(document.pk, cast.ada, field="", text="Mail ada@example.com about it")
    assert made.asked is None
    decisions.decide(document.pk, cast.ada, approve(document, claim_token=token))
    assert [event.step for event in events(document, "COMMENTED")] == ["remark"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Write something first"),
        ("@nobody look", "Nobody here is called @nobody"),
        ("@ben look", "Nobody here is called @ben"),
        ("@ada look", "You cannot ask yourself"),
        ("x" * 2001, "at most 2,000"),
    ],
)
def test_what_cannot_be_said_is_refused_with_a_sentence(
    cast: make.Cast, engine: Engine, text: str, sentence: str
) -> None:
    document = make.document(cast.a, "needs_review")
    with pytest.raises(comments.Unsaid, match=sentence):
        question(cast, document, text)
    assert (papers.holder(document), events(document, "COMMENTED")) == ("ada", [])


def test_who_may_ask_and_who_may_answer(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    with pytest.raises(access.NotAllowed):
        comments.write(document.pk, cast.cleo, field="", text="@ada well?")
    with pytest.raises(Document.DoesNotExist):
        comments.write(document.pk, cast.ben, field="", text="Hm")
    with pytest.raises(lifecycle.NotPossible, match="No question"):
        comments.answer(document.pk, cast.sue, text="Yes")
    question(cast, document, "@cleo, do you know?")
    other = make.user(cast.a, Role.REVIEWER)
    with pytest.raises(access.NotAllowed, match="cleo was asked"):
        comments.answer(document.pk, other, text="I do")
    comments.answer(document.pk, cast.cleo, text="No")  # who was asked answers, whatever their role
    assert worklist.claim(document.pk, other).document_id == document.pk


def test_what_somebody_else_works_on_is_not_taken_from_them(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    make.claim(document, cast.sue)
    with pytest.raises(lifecycle.NotPossible, match="Somebody else is working"):
        comments.write(document.pk, cast.ada, field="", text="@sue why?")
    with pytest.raises(lifecycle.NotPossible, match="wait for an answer"):
        comments.write(make.document(cast.a, "approved").pk, cast.ada, field="", text="@sue why?")
    assert papers.holder(document) == "sue"


def test_the_database_keeps_one_open_question_and_empties_what_is_erased(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    question(cast, document)
    with scope.everything():
        with pytest.raises(IntegrityError, match="comment_one_open_question"), transaction.atomic():
            Comment.objects.create(
                tenant=cast.a, document=document, author=cast.ada, asked=cast.sue, text="Well?", written_at=Now()
            )
        with pytest.raises(IntegrityError, match="comment_erased_is_empty"), transaction.atomic():
            Comment.objects.update(erased_at=Now())


def test_old_texts_go_and_the_trail_stays(cast: make.Cast, engine: Engine) -> None:
    old, young = (make.document(cast.a, "needs_review") for _ in range(2))
    question(cast, old)
    question(cast, young)
    with scope.everything():
        Comment.objects.filter(document=old).update(written_at=F("written_at") - timedelta(days=31))
    call_command("purge_comments", "--days", "30")
    call_command("purge_comments", "--days", "30")
    with scope.everything():
        texts = dict(Comment.objects.values_list("document", "text"))
    assert texts == {old.pk: "", young.pk: "@sue is that a heron?"}
    assert [event.step for event in events(old, "ERASED")] == ["comment"]
    data = cast.page(cast.sue).get(reverse("review", args=[old.pk])).context["data"]
    assert [(each["text"], each["erased"]) for each in data["comments"]] == [("", True)]
    assert make.broken() == []


def test_the_queue_tells_whom_it_waits_for(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review", filename="asked.png")
    question(cast, document)
    pages = {
        (who.username, tab): cast.page(who).get(reverse("queue"), {"tab": tab}).content.decode()
        for who in (cast.ada, cast.sue, cast.ben)
        for tab in ("waiting", "answers")
    }
    assert {name for name, page in pages.items() if "asked.png" in page} == {("ada", "answers"), ("sue", "answers")}
    assert "Waits for sue" in pages["ada", "answers"]
    assert "ada asks you" in pages["sue", "answers"]
    assert "One question waits for your answer" in pages["sue", "waiting"]
    assert "waits for your answer" not in pages["ada", "waiting"]


def test_the_page_asks_answers_and_refuses(cast: make.Cast, engine: Engine) -> None:
    first, second = (make.document(cast.a, "needs_review") for _ in range(2))
    make.claim(first, cast.ada)
    browser = cast.page(cast.ada)

    def send(route: str, **body: str) -> dict[str, object]:
        path = reverse(route, args=[first.pk])
        told: dict[str, object] = browser.post(path, body, content_type="application/json").json()
        return told

    assert send("review-comment", field="total", text="@nobody?")["code"] == "comment_refused"
    asked = send("review-comment", field="total", text="@sue?")
    assert asked == {"next_url": reverse("review", args=[second.pk]), "message": "sue is asked. The document waits."}
    data = browser.get(reverse("review", args=[first.pk])).context["data"]
    assert (data["read_only"], data["question"]) == (True, {"asked": "sue", "can_answer": True})
    assert send("review-answer", text="Found it myself")["message"]
    assert send("review-answer", text="Again")["status"] == 409


def test_what_is_only_reserved_for_somebody_can_be_asked_about(cast: make.Cast, engine: Engine) -> None:
    first, second = (make.document(cast.a, "needs_review") for _ in range(2))
    handed = worklist.hand_out(cast.ada)
    assert handed.reserved and handed.reserved.document_id == second.pk
    comments.write(second.pk, cast.sue, field="", text="@ada is this ours?")
    assert worklist.hand_out(cast.ada, opened=first.pk).reserved is None
    assert "RELEASED" not in [event.kind for event in events(second)]
    with pytest.raises(lifecycle.NotPossible, match="Somebody else is working"):
        comments.write(first.pk, cast.sue, field="", text="@ada and this?")
