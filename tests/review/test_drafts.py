"""What a reviewer typed is kept until the decision, and never mixed up."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from ocr import lifecycle
from ocr.models import Document
from review import decisions, worklist
from review.models import Draft
from tenants import access, scope
from tests import make
from tests.engine import Engine
from tests.review import papers

pytestmark = pytest.mark.django_db


def save(of: Document, who: User, token: UUID, *, revision: int = 0, typed: str = "13.00", **other: Any) -> int:
    told: dict[str, Any] = {"version": of.version, "fields": {"total": {"value": typed}}, **other}
    return decisions.save_draft(of.pk, who, token=token, revision=revision, **told)


def kept(of: Document, who: User) -> Draft | None:
    with scope.everything():
        return Draft.objects.filter(document=of, holder=who).first()


def values(of: Document, who: User) -> Any:
    draft = kept(of, who)
    return draft.fields["total"]["value"] if draft else None


def test_each_save_is_a_revision(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    token = make.claim(document, cast.ada)
    assert save(document, cast.ada, token, typed="1") == 1
    assert save(document, cast.ada, token, revision=1, typed="13") == 2
    assert save(document, cast.ada, token, revision=2, typed="13.0") == 3
    assert values(document, cast.ada) == "13.0"


def test_a_save_whose_answer_was_lost_is_sent_again(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    token = make.claim(document, cast.ada)
    save(document, cast.ada, token, typed="1")
    assert save(document, cast.ada, token, revision=0, typed="1") == 1
    told = {"version": document.version, "token": str(token), "revision": 0, "fields": {"total": {"value": "12"}}}
    path = reverse("review-draft", args=[document.pk])
    answer = cast.page(cast.ada).post(path, json.dumps(told), "application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_version")
    theirs = answer.json()["draft"]
    assert (theirs["revision"], theirs["fields"]) == (1, {"total": {"value": "1"}})
    assert cast.page(cast.sue).post(path, json.dumps(told), "application/json").json().get("draft") is None


def test_a_second_window_does_not_overwrite_the_first(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    token = make.claim(document, cast.ada)
    save(document, cast.ada, token, typed="13.00")
    with pytest.raises(lifecycle.Overtaken, match="another window"):
        save(document, cast.ada, token, revision=0, typed="older")
    assert values(document, cast.ada) == "13.00"


def test_only_the_claims_holder_saves(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    token = make.claim(document, cast.ada)
    with pytest.raises(worklist.Held, match="ada"):
        save(document, cast.sue, token)
    with pytest.raises(worklist.ClaimLost):
        save(document, cast.ada, uuid4())
    papers.claim_ended(document)
    with pytest.raises(worklist.ClaimLost):
        save(document, cast.ada, token)
    assert kept(document, cast.ada) is None


def test_a_draft_belongs_to_the_version_that_was_seen(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    token = make.claim(document, cast.ada)
    save(document, cast.ada, token)
    newer = decisions.replay(document.pk, cast.sue)
    assert newer.version == document.version + 1
    with pytest.raises(lifecycle.Overtaken, match="changed after you opened it"):
        save(document, cast.ada, token, revision=1, typed="14.00")
    draft = kept(document, cast.ada)
    assert draft
    assert (draft.document_version, draft.fields["total"]["value"]) == (document.version, "13.00")
    assert save(newer, cast.ada, token, revision=0, typed="14.00") == 2
    assert values(document, cast.ada) == "14.00"


def test_strangers_and_auditors_save_nothing(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    token = make.claim(document, cast.ada)
    with pytest.raises(Document.DoesNotExist):
        save(document, cast.ben, token)
    with pytest.raises(access.NotAllowed):
        save(document, cast.cleo, token)


def test_the_decision_ends_ones_own_draft_and_keeps_the_others(cast: make.Cast, engine: Engine) -> None:
    """Ada typed, her claim ended, Sue decided: Ada's values are there to compare, and cannot be saved on top."""
    document = make.document(cast.a, "needs_review")
    adas = make.claim(document, cast.ada)
    save(document, cast.ada, adas, typed="Ada's 13.00")
    papers.claim_ended(document)
    sues = make.claim(document, cast.sue)
    save(document, cast.sue, sues, typed="Sue's 14.00")
    decisions.decide(document.pk, cast.sue, papers.approve(document, claim_token=sues))
    assert values(document, cast.ada) == "Ada's 13.00"
    assert kept(document, cast.sue) is None
    with pytest.raises(decisions.AlreadyDecided, match="approved by sue"):
        save(document, cast.ada, adas, revision=1, typed="Ada's 15.00")


def test_a_draft_changes_nothing_that_others_see(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    before = (papers.fields(document)["total"].value, len(papers.events(document)))
    token = make.claim(document, cast.ada)
    save(document, cast.ada, token, typed="999.99")
    assert make.reload(document).version == document.version
    assert (papers.fields(document)["total"].value, len(papers.events(document)) - 1) == before  # one CLAIMED
