"""A stored answer read again over REST: as which type and version, and what that would change."""

from __future__ import annotations

import pytest
from django.test import Client

from ocr import document_types
from ocr.models import Artifact
from review import decisions
from tests import make
from tests.api.calls import of, post, problem
from tests.engine import Engine
from tests.ocr.test_replays import total_of, without_total
from tests.review import papers

pytestmark = pytest.mark.django_db


def supervisor(cast: make.Cast) -> Client:
    return cast.api(make.key(cast.a, cast.sue))


def test_a_dry_run_tells_each_change_and_makes_none(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "needs_review")
    total, rows, calls = total_of(made), len(make.trail(made)), engine.count()
    assert post(supervisor(cast), of(made, "replay/"), {"dry_run": True}).json() == {
        "id": str(made.pk), "status": "needs_review", "type_before": "receipt@1", "type_after": "receipt@1",
        "needs_person": True, "fields": [], "truth": None,
    }  # fmt: skip
    newer = without_total()
    answer = post(supervisor(cast), of(made, "replay/"), {"dry_run": True})
    told = answer.json()
    assert (answer.status_code, told["type_after"]) == (200, f"receipt@{newer.version}")
    [change] = [each for each in told["fields"] if each["name"] == "total"]
    assert (change["before"], change["after"]) == (total, None) and "missing" in change["problems_after"]
    assert (make.reload(made).version, len(make.trail(made)), engine.count()) == (made.version, rows, calls)


def test_a_decided_document_can_be_asked_about(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "needs_review")
    verdict = decisions.Verdict(version=made.version, decision="approve", corrected={"total": "12.34"}, reason="other")
    decisions.decide(made.pk, cast.ada, verdict)
    told = post(supervisor(cast), of(made, "replay/"), {"dry_run": True}).json()
    assert told["status"] == "approved" and told["fields"] == []
    assert told["truth"]["right_before"] == told["truth"]["right_after"] == told["truth"]["fields"] - 1
    problem(post(supervisor(cast), of(made, "replay/"), {}), 409, "not_possible")


def test_a_cell_of_the_line_items_is_named_with_its_row(cast: make.Cast, engine: Engine) -> None:
    made = papers.invoice(cast.a)
    told = post(supervisor(cast), of(made, "replay/"), {"dry_run": True, "document_type": "generic_form"}).json()
    assert "line_items.3.amount" in {each["name"] for each in told["fields"]}


def test_an_older_version_or_another_type_can_be_asked_for(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "needs_review")
    total, newer = total_of(made), without_total()
    client = supervisor(cast)
    assert post(client, of(made, "replay/")).status_code == 202
    assert total_of(made) is None
    body = {"document_type": "receipt", "type_version": newer.version - 1}
    assert post(client, of(made, "replay/"), body).status_code == 202
    assert total_of(made) == total
    assert post(client, of(made, "replay/"), {"document_type": "invoice"}).status_code == 202
    after = make.reload(made)
    assert after.document_type == document_types.stored("invoice") and after.version == made.version + 3
    assert len(make.stored(made, Artifact.Kind.RESULT)) == 4
    assert make.broken() == []


def test_a_repeated_request_is_one_and_another_type_is_another(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "needs_review")
    client, body = supervisor(cast), {"document_type": "invoice"}
    first, second = (post(client, of(made, "replay/"), body, Idempotency_Key="again") for _ in range(2))
    assert (first.status_code, first.json()) == (202, second.json())
    assert make.reload(made).version == made.version + 1
    problem(post(client, of(made, "replay/"), {}, Idempotency_Key="again"), 422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"document_type": "recipe"}, 422, "unknown_document_type"),
        ({"document_type": "receipt", "type_version": 99}, 422, "unknown_document_type"),
        ({"document_type": "receipt", "type_version": 10**30}, 422, "unknown_document_type"),
        ({"type_version": 1}, 400, "invalid"),
        ({"document_type": "no slug!"}, 400, "invalid"),
        ({"document_type": "receipt", "type_version": 0}, 400, "invalid"),
        ({"dry_run": "perhaps"}, 400, "invalid"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    cast: make.Cast, engine: Engine, body: dict[str, object], status: int, code: str
) -> None:
    made = make.document(cast.a, "needs_review")
    problem(post(supervisor(cast), of(made, "replay/"), body), status, code)
    assert make.reload(made).version == made.version


def test_a_dry_run_is_for_supervisors_and_for_what_was_read(cast: make.Cast, engine: Engine) -> None:
    made = make.document(cast.a, "needs_review")
    body = {"dry_run": True}
    problem(post(cast.api(), of(made, "replay/"), body), 403, "not_allowed")
    problem(post(cast.api(make.key(cast.b, cast.ben)), of(made, "replay/"), body), 404, "not_found")
    problem(post(supervisor(cast), of(make.document(cast.a, "failed"), "replay/"), body), 409, "not_possible")
