"""POST /api/v1/documents/: everything it takes, everything it refuses, and the same request twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ocr import artifacts, sandbox
from ocr.models import Artifact, Document, IdempotencyKey
from tenants import scope
from tenants.models import Role
from tests import make
from tests.api.calls import DOCUMENTS, file, problem, upload
from tests.engine import Engine
from tests.review.test_races import at_once

pytestmark = pytest.mark.django_db


def count() -> int:
    with scope.everything():
        return Document.objects.count()


def only() -> Document:
    with scope.everything():
        found: Document = Document.objects.select_related("document_type").get()
    return found


def test_a_file_alone(cast: make.Cast) -> None:
    answer = upload(cast.api())
    assert answer.status_code == 202
    told = answer.json()
    assert set(told) == {"id", "status", "links"}
    assert told["status"] == "received"
    assert answer["Location"] == told["links"]["self"] == f"{DOCUMENTS}{told['id']}/"
    assert cast.api().get(answer["Location"]).json()["id"] == told["id"]


def test_every_parameter(cast: make.Cast) -> None:
    told = {"desk": 4, "tags": ["a", "ö"], "deep": {"er": None}}
    answer = upload(
        cast.api(),
        make.pdf(2),
        name="Rechnung März.pdf",
        document_type="invoice",
        priority="high",
        external_id="ERP/2044 ö",
        metadata=json.dumps(told),
    )
    assert answer.status_code == 202
    document = only()
    assert (document.filename, document.content_type, document.page_count) == (
        "Rechnung März.pdf",
        "application/pdf",
        2,
    )
    assert (document.document_type and document.document_type.name, document.type_given) == ("invoice", True)
    assert (document.priority, document.external_id, document.metadata) == (0, "ERP/2044 ö", told)
    assert (document.source, document.tenant_id) == ("api", cast.a.pk)
    assert document.received_by.startswith("key:dtat_")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"priority": "urgent"}, 400, "invalid"),
        ({"metadata": "{"}, 400, "invalid"),
        ({"metadata": "[1]"}, 400, "invalid"),
        ({"metadata": '"text"'}, 400, "invalid"),
        ({"metadata": '{"a": NaN}'}, 400, "invalid"),
        ({"metadata": '{"a": "\\u0000"}'}, 400, "invalid"),
        ({"metadata": '{"a": "\\ud800"}'}, 400, "invalid"),
        ({"metadata": '{"a":' + "[" * 3000 + "]" * 3000 + "}"}, 400, "invalid"),
        ({"metadata": '{"a":' + "[" * 300_000 + "]" * 300_000 + "}"}, 400, "invalid"),
        ({"metadata": json.dumps({"a": "x" * 5000})}, 422, "metadata_too_large"),
        ({"external_id": "x" * 201}, 400, "invalid"),
        ({"external_id": "a\x00b"}, 400, "invalid"),
        ({"external_id": "a\nb"}, 422, "external_id_invalid"),
        ({"document_type": "payslip"}, 422, "unknown_document_type"),
        ({"document_type": "x" * 61}, 400, "invalid"),
        ({"callback_url": "https://example.org/"}, 400, "invalid"),
        ({"tenant": "birch"}, 422, "unknown_tenant"),
        ({"tenant": "../alder"}, 400, "invalid"),
    ],
)
def test_wrong_parameters_are_refused(cast: make.Cast, fields: dict[str, Any], status: int, code: str) -> None:
    told = problem(upload(cast.api(), **fields), status, code)
    if status == 400:
        assert [error["field"] for error in told["errors"]] == list(fields)
    assert count() == 0


def test_a_file_is_needed(cast: make.Cast) -> None:
    told = problem(cast.api().post(DOCUMENTS, {"priority": "high"}), 400, "invalid")
    assert [error["field"] for error in told["errors"]] == ["file"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"just words", "unsupported_type"),
        (b"<html><script>alert(1)</script></html>", "unsupported_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_type"),
        (b"%PDF-1.7\n<script>alert(1)</script>", "damaged"),
        (b"GIF89a" + bytes(40), "unsupported_type"),
        (b"PK\x03\x04" + bytes(40), "unsupported_type"),
    ],
)
def test_what_is_no_document_is_refused(cast: make.Cast, content: bytes, code: str) -> None:
    told = problem(upload(cast.api(), content, name="x.pdf"), 422, code)
    assert len(told["detail"]) > 30
    assert count() == 0


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR])
def test_who_may_not_upload_is_told_whom_to_ask(cast: make.Cast, role: str) -> None:
    client = cast.api(make.key(cast.a, make.user(cast.a, role)))
    assert "uploader role" in problem(upload(client), 403, "not_allowed")["detail"]
    assert count() == 0


def test_whoever_belongs_to_several_tenants_names_one(cast: make.Cast) -> None:
    make.join(cast.ada, cast.b, Role.UPLOADER)
    client = cast.page(cast.ada)
    problem(upload(client), 422, "tenant_missing")
    assert upload(client, tenant="birch").status_code == 202
    assert only().tenant_id == cast.b.pk


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\x.png", "a/b/c.png", "x\u202egnp.exe", "n" * 400 + ".png"]
)
def test_a_file_name_is_only_shown(cast: make.Cast, name: str) -> None:
    assert upload(cast.api(), name=name).status_code == 202
    document = only()
    assert "/" not in document.filename and "\\" not in document.filename and "\u202e" not in document.filename
    assert len(document.filename) <= 255
    (stored,) = make.files(cast.a)
    assert stored.endswith(f"/{cast.a.pk}/{document.pk}.original")


def test_our_own_failure_is_a_503_to_repeat(cast: make.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Any) -> Any:
        raise sandbox.SandboxFailed("no_child")

    monkeypatch.setattr(sandbox, "inspect", broken)
    answer = upload(cast.api())
    problem(answer, 503, "try_again")
    assert answer["Retry-After"] == "5"
    assert count() == 0


@pytest.mark.parametrize("content", [make.image(), make.pdf(2)], ids=["picture", "pdf"])
@pytest.mark.parametrize("length", [0, 600 * 1024], ids=["small", "large"])
def test_a_small_file_is_written_once_and_a_large_one_arrives_on_the_disk_first(
    cast: make.Cast, settings: Any, tmp_path: Path, length: int, content: bytes
) -> None:
    content += bytes(max(0, length - len(content)))
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "missing")
    if length:
        problem(upload(cast.api(), content), 503, "try_again")
        assert count() == 0
        (tmp_path / "missing").mkdir()
    assert upload(cast.api(), content).status_code == 202
    with scope.everything():
        original = only().artifacts.get(kind=Artifact.Kind.ORIGINAL)
        assert artifacts.read(original) == content
    assert not length or list((tmp_path / "missing").iterdir()) == []


# --- What it costs -------------------------------------------------------------------------------------------------


def test_an_upload_takes_few_statements(cast: make.Cast) -> None:
    """One each: the key with its roles, the type and the clock, duplicates, all rows, the bell."""
    upload(cast.api())
    client, content, more = cast.api(), make.image(), {"document_type": "invoice", "external_id": "7"}
    with CaptureQueriesContext(connection) as told:
        assert upload(client, content, **more).status_code == 202
    # A scope is a statement more; inside a test's transaction they are several. The backlog is counted once in seconds.
    passing = ("SAVEPOINT", "set_config", "COUNT(")
    statements = [each["sql"] for each in told if not any(word in each["sql"] for word in passing)]
    assert len(statements) == 5, statements


def test_more_pages_take_no_statement_and_a_key_one_look(cast: make.Cast) -> None:
    def count_of(content: bytes, **more: str) -> int:
        with CaptureQueriesContext(connection) as told:
            assert upload(cast.api(), content, **more).status_code == 202
        return len([each for each in told if each["sql"].startswith("EXECUTE")])

    upload(cast.api())
    assert count_of(make.pdf(5)) == count_of(make.image()) == 3
    assert count_of(make.pdf(2), key="k-1") == 4  # for the first answer that it may have had


# --- Duplicates ---------------------------------------------------------------------------------------------------


def test_the_same_bytes_are_taken_and_told(cast: make.Cast) -> None:
    content = make.image()
    first, second = (upload(cast.api(), content).json() for _ in range(2))
    assert "duplicate_of" not in first
    assert second["duplicate_of"] == first["id"]


def test_another_tenants_bytes_say_nothing(cast: make.Cast) -> None:
    content = make.image()
    upload(cast.api(), content)
    told = upload(cast.api(make.key(cast.b)), content).json()
    assert set(told) == {"id", "status", "links"}


# --- The same request twice ---------------------------------------------------------------------------------------


def test_the_same_key_and_body_is_one_document(cast: make.Cast) -> None:
    content = make.image()
    answers = [upload(cast.api(), content, key="k-1", external_id="7") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert len({answer.content for answer in answers}) == 1
    assert {answer["Location"] for answer in answers} == {answers[0].json()["links"]["self"]}
    assert count() == 1
    assert len(make.files(cast.a)) == 1


@pytest.mark.parametrize(
    "other", [{"external_id": "8"}, {"priority": "low"}, {"document_type": "receipt"}, {"metadata": '{"a":1}'}]
)
def test_the_same_key_with_another_body_is_refused(cast: make.Cast, other: dict[str, str]) -> None:
    content = make.image()
    upload(cast.api(), content, key="k-1")
    problem(upload(cast.api(), content, key="k-1", **other), 422, "idempotency_key_reused")
    problem(upload(cast.api(), make.image(), key="k-1"), 422, "idempotency_key_reused")
    assert count() == 1


@pytest.mark.parametrize("key", [" ", "a b", "x" * 256, "schlüssel", "a\x7f"])
def test_a_key_of_the_wrong_form_is_refused(cast: make.Cast, key: str) -> None:
    problem(upload(cast.api(), key=key), 400, "idempotency_key_invalid")
    assert count() == 0


def test_another_tenants_key_is_another_key(cast: make.Cast) -> None:
    """B sends what A sent, under A's key: it is B's own first request, and A's answer is not given away."""
    content = make.image()
    first = upload(cast.api(), content, key="shared").json()
    second = upload(cast.api(make.key(cast.b)), content, key="shared").json()
    assert first["id"] != second["id"]
    assert "duplicate_of" not in second
    problem(upload(cast.api(make.key(cast.b)), make.image(), key="shared"), 422, "idempotency_key_reused")


def test_a_refused_upload_leaves_its_key_free(cast: make.Cast) -> None:
    problem(upload(cast.api(), b"", key="k-1"), 422, "empty_file")
    assert upload(cast.api(), key="k-1").status_code == 202


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_are_one_document(cast: make.Cast, engine: Engine) -> None:
    content = make.image()

    def send() -> Any:
        return upload(Client(headers={"Authorization": f"Api-Key {cast.key}"}), content, key="same")

    answers: list[Any] = at_once([send] * 20)
    assert Counter(getattr(answer, "status_code", answer) for answer in answers) == {202: 20}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert count() == 1
    assert len(make.files(cast.a)) == 1
    with scope.everything():
        assert IdempotencyKey.objects.count() == 1


def test_a_file_in_two_fields_is_one_upload(cast: make.Cast) -> None:
    answer = cast.api().post(DOCUMENTS, {"file": file(), "second": file()})
    assert answer.status_code == 202
    assert count() == 1
