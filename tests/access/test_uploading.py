"""The upload page: with its script, as a plain form, and what is never believed about a file."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ocr import backlog
from ocr.models import Document
from tenants import scope
from tests import make
from tests.engine import Engine

pytestmark = pytest.mark.django_db


def said(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def send(client: Client, content: bytes, name: str = "slip.png", **more: Any) -> Any:
    file = SimpleUploadedFile(name, content, "image/png")
    return client.post("/documents/upload/", {"file": file, **more}, headers={"Accept": "application/json"})


def test_the_script_gets_json(cast: make.Cast) -> None:
    content = make.image()
    first = send(cast.page(cast.ada), content, document_type="receipt", priority="high")
    told = first.json()
    assert (first.status_code, told["status"], told["filename"]) == (202, "received", "slip.png")
    assert told["url"] == f"/documents/{told['id']}/"
    assert "duplicate" not in told
    second = send(cast.page(cast.ada), content).json()
    assert second["duplicate_of"] == told["id"]
    assert second["duplicate"]["url"] == told["url"]
    with scope.everything():
        made = Document.objects.get(pk=told["id"])
    assert (made.source, made.received_by, made.priority) == ("page", "user:ada", 0)


@pytest.mark.parametrize(
    ("content", "more", "status", "code"),
    [
        (b"", {}, 422, "empty_file"),
        (b"words", {}, 422, "unsupported_type"),
        (None, {"document_type": "payslip"}, 422, "unknown_document_type"),
        (None, {"priority": "urgent"}, 422, "unknown_priority"),
        (None, {"tenant": "birch"}, 422, "unknown_tenant"),
    ],
)
def test_the_script_gets_the_refusal_as_a_sentence(
    cast: make.Cast, content: bytes | None, more: dict[str, str], status: int, code: str
) -> None:
    answer = send(cast.page(cast.ada), make.image() if content is None else content, **more)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["code"] == code
    assert len(answer.json()["detail"]) > 20 and answer.json()["detail"].endswith(".")


def test_no_file_at_all(cast: make.Cast) -> None:
    answer = cast.page(cast.ada).post("/documents/upload/", {}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (422, "Choose a file to upload.")


def test_who_may_not_upload(cast: make.Cast) -> None:
    answer = send(cast.page(cast.cleo), make.image())
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert "upload_tenants" not in (cast.page(cast.cleo).get("/documents/upload/").context or {})


def test_the_same_key_is_one_upload(cast: make.Cast) -> None:
    content = make.image()
    client = cast.page(cast.ada)
    told = []
    for _ in range(2):
        file = SimpleUploadedFile("slip.png", content, "image/png")
        headers = {"Accept": "application/json", "Idempotency-Key": "drop-1"}
        told.append(client.post("/documents/upload/", {"file": file}, headers=headers).json()["id"])
    assert told[0] == told[1]


def test_a_plain_form_uploads_several_files_and_tells_of_each(cast: make.Cast) -> None:
    files = [
        SimpleUploadedFile("good.png", make.image(), "image/png"),
        SimpleUploadedFile("bad.txt", b"words", "text/plain"),
    ]
    answer = cast.page(cast.ada).post("/documents/upload/", {"file": files})
    assert (answer.status_code, answer["Location"]) == (302, "/documents/")
    good, bad = said(answer)
    assert good == "good.png was received."
    assert bad.startswith("bad.txt: ") and "PDF" in bad
    with scope.everything():
        assert [document.filename for document in Document.objects.all()] == ["good.png"]


def test_a_plain_form_without_a_file_says_so(cast: make.Cast) -> None:
    answer = cast.page(cast.ada).post("/documents/upload/", {})
    assert answer.status_code == 302
    assert said(answer) == ["Choose a file to upload."]


def test_whoever_belongs_to_several_tenants_chooses_one(cast: make.Cast) -> None:
    admin = make.user(None, superuser=True)
    client = cast.page(admin)
    offered = client.get("/documents/upload/").context["upload_tenants"]
    assert [tenant["slug"] for tenant in offered] == ["alder", "birch"]
    assert send(client, make.image()).json()["code"] == "tenant_missing"
    assert send(client, make.image(), tenant="birch").status_code == 202
    with scope.everything():
        assert Document.objects.get().tenant_id == cast.b.pk


def test_nothing_stays_in_the_upload_folder(cast: make.Cast, settings: Any) -> None:
    from pathlib import Path

    before = set(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir())
    send(cast.page(cast.ada), make.image())
    send(cast.page(cast.ada), b"words")
    assert set(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir()) == before


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>.png", '"><img src=x onerror=alert(1)>.png', "{{ 7|add:7 }}.png", "a'b&amp;c.png"],
)
def test_a_hostile_file_name_is_only_text(cast: make.Cast, engine: Engine, name: str) -> None:
    document = make.document(cast.a, "needs_review", filename=name)
    client = cast.page(cast.ada)
    for path in ("/documents/", "/queue/", f"/documents/{document.pk}/", f"/review/{document.pk}/"):
        html = client.get(path).content.decode()
        for raw in ("<script>alert", "<img src=x", "14.png"):
            assert raw not in html, path


def test_a_backlog_is_told_apart_from_a_wrong_file(cast: make.Cast, settings: Any) -> None:
    backlog.counts.forget()
    make.receive(cast.b)
    settings.BACKLOG_MOST = 1
    answer = send(cast.page(cast.ada), make.image())
    assert (answer.status_code, answer.json()["code"]) == (503, "backlog_full")
    assert int(answer["Retry-After"]) > 0
    backlog.counts.forget()
