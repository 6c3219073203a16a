"""The pages with real data: who opens them, what they cost, what the upload answers, which headers every one carries."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from tests import make
from tests.access.world import World
from tests.review import papers

pytestmark = pytest.mark.django_db

PAGES = [
    "/documents/",
    "/queue/",
    "/dashboard/",
    "/documents/upload/",
    "/documents/{id}/",
    "/review/{id}/",
    "/login/",
    "/nope/",
]


def said(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


# --- Headers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [*PAGES, "/documents/{id}/result/", "/documents/{id}/raw/", "/api/v1/documents/{id}/", "/api/docs/", "/healthz"],
)
@pytest.mark.parametrize("role", ["supervisor", "anonymous", "reviewer_b"])
def test_every_answer_is_guarded(world: World, path: str, role: str) -> None:
    answer = world.client(role).get(path.format(id=world.waiting.pk))
    policy = answer["Content-Security-Policy"]
    for directive in (
        "default-src 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ):
        assert directive in policy
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Request-ID"]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_holds_an_inline_script_or_style(world: World, path: str) -> None:
    from tests.api.test_schema import _Page

    answer = world.client("anonymous" if path == "/login/" else "supervisor").get(path.format(id=world.waiting.pk))
    page = _Page(answer.content.decode())
    data = [words for words in page.inline if not words.startswith(("{", "["))]  # JSON data blocks are not run
    assert data == []
    assert all(source.startswith(("/", "#", "?")) and not source.startswith("//") for source in page.sources)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8000.evil.example", "", "a b"])
def test_a_forged_host_is_refused(host: str) -> None:
    assert Client(headers={"Host": host}).get("/login/").status_code == 400


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)"],
)
def test_signing_in_leads_nowhere_else(world: World, target: str) -> None:
    answer = world.client("reviewer").get("/login/", {"next": target})
    assert (answer.status_code, answer["Location"]) == (302, "/queue/")


# --- What they show -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/documents/", "/queue/", "/documents/{id}/", "/review/{id}/"])
def test_a_reviewer_sees_the_document(world: World, path: str) -> None:
    answer = world.client("reviewer").get(path.format(id=world.waiting.pk))
    assert answer.status_code == 200
    assert "zebraslip.png" in answer.content.decode()


@pytest.mark.parametrize("role", ["uploader", "auditor"])
def test_others_may_look_but_hold_nothing(world: World, role: str) -> None:
    answer = world.client(role).get(f"/review/{world.waiting.pk}/")
    data = answer.context["data"]
    assert (data["read_only"], data["claim"]) == (True, None)
    assert "reviewer role" in data["read_only_reason"]
    assert papers.holder(world.waiting) == ""


def test_opening_claims_and_a_second_person_reads_only(world: World) -> None:
    first = world.client("reviewer").get(f"/review/{world.waiting.pk}/").context["data"]
    second = world.client("supervisor").get(f"/review/{world.waiting.pk}/").context["data"]
    assert (first["read_only"], first["claim"]["mine"]) == (False, True)
    assert (second["read_only"], second["claim"]) == (True, None)
    name = world.people["reviewer"].username
    assert name in second["read_only_reason"]
    assert second["holder"]["name"] == name


def test_a_draft_comes_back_to_its_author_only(world: World) -> None:
    client = world.client("reviewer")
    data = client.get(f"/review/{world.waiting.pk}/").context["data"]
    typed = {"total": {"value": "13.00"}}
    world.send(client, "review-draft", "POST", token=data["claim"]["token"], fields=typed)
    again = client.get(f"/review/{world.waiting.pk}/").context["data"]
    assert again["draft"] == {"revision": 1, "fields": typed}
    assert world.client("supervisor").get(f"/review/{world.waiting.pk}/").context["data"]["draft"] is None


@pytest.mark.parametrize("path", ["/queue/?tab=nope", "/dashboard/?period=year", "/documents/1/", "/review/x/"])
def test_there_is_no_such_page(world: World, path: str) -> None:
    assert world.client("supervisor").get(path).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["status=nope", "received_after=x", "page=0", "page=x", "page=99", "q=%00", "q=%27--", "priority=0", "tab=mine"],
)
@pytest.mark.parametrize("path", ["/documents/", "/queue/"])
def test_odd_filters_break_nothing(world: World, path: str, query: str) -> None:
    assert world.client("supervisor").get(f"{path}?{query}").status_code == 200


def test_the_documents_list_is_filtered(world: World) -> None:
    client = world.client("supervisor")
    for query, expected in (
        ("status=failed", [world.failed]),
        ("q=okapi-4711", [world.waiting, world.decided, world.failed]),
        ("q=ZEBRA", [world.waiting, world.decided, world.failed]),
        (f"q={world.decided.pk}", [world.decided]),
        ("q=nothing", []),
        ("document_type=receipt&status=needs_review", [world.waiting]),
        ("priority=high", []),
    ):
        rows = client.get(f"/documents/?{query}").context["rows"]
        assert {row["id"] for row in rows} == {str(document.pk) for document in expected}, query


@pytest.mark.parametrize("act", ["reopen", "retry", "replay"])
def test_only_those_who_supervise_change_anything(world: World, act: str) -> None:
    document = world.document(f"document-{act}")
    for role in ("uploader", "reviewer", "auditor"):
        answer = world.send(world.client(role), f"document-{act}", "POST")
        assert said(answer) == ["Only a supervisor can do this. Ask a supervisor of your team."]
        assert make.reload(document).version == document.version
    page = world.client("reviewer").get(f"/documents/{document.pk}/").context["actions"]
    assert page[act] is False


@pytest.mark.parametrize("role", ["supervisor", "tenant_admin", "platform"])
def test_those_who_supervise_do(world: World, role: str) -> None:
    answer = world.send(world.client(role), "document-reopen", "POST")
    assert said(answer) == ["The document is back in the queue."]
    assert make.reload(world.decided).status == "needs_review"
    again = world.send(world.client(role), "document-reopen", "POST")
    assert said(again) == ["Only an approved or rejected document can be re-opened."]


def test_next_leads_through_the_queue_and_ends(world: World) -> None:
    client = world.client("reviewer")
    assert client.post("/review/next/")["Location"] == f"/review/{world.waiting.pk}/"
    answer = world.send(client, "review-decision", "POST", corrected_fields={"total": "80.00"})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["next_url"], told["message"]) == (None, "zebraslip.png approved.")
    assert told["undo"]["url"] == f"/review/{world.waiting.pk}/undo/"
    empty = client.post("/review/next/")
    assert empty["Location"] == "/queue/"
    assert said(empty) == ["Nothing is waiting for you right now."]
