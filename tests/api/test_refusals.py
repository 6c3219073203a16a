"""Every refusal below /api/ is a problem with a stable code, whatever goes wrong and wherever."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from dtat_site.logs import JsonLines
from ocr import contract
from tests import make
from tests.api.calls import DOCUMENTS, of, post, problem
from tests.engine import Engine

pytestmark = pytest.mark.django_db

NOBODY = uuid4()
GETS = ["", "result/", "raw/", "original/", "audit/", "pages/1/image/"]
POSTS = ["review/", "reopen/", "replay/", "retry/"]


@pytest.mark.parametrize("part", GETS)
def test_a_document_that_is_not_there(cast: make.Cast, part: str) -> None:
    problem(cast.api().get(f"{DOCUMENTS}{NOBODY}/{part}"), 404, "not_found")


@pytest.mark.parametrize("part", POSTS)
def test_an_act_on_a_document_that_is_not_there(cast: make.Cast, part: str) -> None:
    answer = post(cast.api(), f"{DOCUMENTS}{NOBODY}/{part}", {"version": 1, "decision": "approve"})
    problem(answer, 404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/v1/",
        "/api/v2/documents/",
        "/api/v1/documents/1/",
        "/api/v1/documents/../tenants/x/",
        "/api/nope/",
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_address_that_is_not_there(path: str, method: str) -> None:
    problem(getattr(Client(), method)(path), 404, "not_found")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("part", ["", *GETS[1:], *POSTS])
def test_a_method_that_is_not_there(cast: make.Cast, engine: Engine, method: str, part: str) -> None:
    document = make.document(cast.a)
    answer = getattr(cast.api(), method)(of(document, part))
    problem(answer, 405, "method_not_allowed")
    assert method.upper() not in answer["Allow"]


def test_nobody_is_told_nothing(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a)
    for part in GETS:
        problem(Client().get(of(document, part)), 401, "not_authenticated")
    for part in POSTS:
        problem(post(Client(), of(document, part)), 401, "not_authenticated")
    problem(Client().get(DOCUMENTS), 401, "not_authenticated")
    problem(Client().post(DOCUMENTS), 401, "not_authenticated")


def test_a_form_that_is_not_offered(cast: make.Cast) -> None:
    problem(cast.api().get(DOCUMENTS, headers={"Accept": "text/csv"}), 406, "not_acceptable")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
def test_json_is_asked_for(cast: make.Cast, engine: Engine, content_type: str) -> None:
    document = make.document(cast.a, "needs_review")
    answer = cast.api().post(of(document, "review/"), b"version=1", content_type=content_type)
    problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream"])
def test_a_form_is_asked_for(cast: make.Cast, content_type: str) -> None:
    problem(cast.api().post(DOCUMENTS, b"{}", content_type=content_type), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"version": NaN}',
        b'{"reason": "\\u0000"}',
        b'{"reason": "\\ud83d"}',
        b'{"a\\u0000b": 1}',
        b"[" * 100_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b"[" * 30 + b"]" * 30,
    ],
    ids=["empty", "cut", "bytes", "nan", "nul", "surrogate", "nul_key", "depth_open", "depth", "deep"],
)
def test_malformed_json(cast: make.Cast, engine: Engine, body: bytes) -> None:
    document = make.document(cast.a, "needs_review")
    answer = cast.api().post(of(document, "review/"), body, content_type="application/json")
    assert answer.json()["code"] in {"parse_error", "invalid"}
    problem(answer, 400, answer.json()["code"])


@pytest.mark.parametrize("body", [[], "text", 1, None, True])
def test_json_that_is_no_object(cast: make.Cast, engine: Engine, body: object) -> None:
    document = make.document(cast.a, "needs_review")
    answer = cast.api().post(of(document, "review/"), json.dumps(body), content_type="application/json")
    problem(answer, 400, "invalid")


@pytest.mark.parametrize("path", ["review/", "token"])
def test_a_body_that_is_too_large(cast: make.Cast, engine: Engine, settings: Any, path: str) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    document = make.document(cast.a, "needs_review")
    address = "/api/v1/token/" if path == "token" else of(document, path)
    problem(post(cast.api(), address, {"reason": "x" * 1000}), 413, "body_too_large")


def test_too_large_form_fields(cast: make.Cast, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    problem(cast.api().post(DOCUMENTS, {"external_id": "x" * 2000}), 413, "body_too_large")


def test_too_many_form_fields(cast: make.Cast) -> None:
    problem(cast.api().post(DOCUMENTS, {f"a{number}": "x" for number in range(300)}), 400, "invalid")


@pytest.mark.parametrize("body", [b"", b"--x\r\nnonsense", b"--x\r\nContent-Disposition: form-data"])
def test_a_malformed_form(cast: make.Cast, body: bytes) -> None:
    answer = cast.api().post(DOCUMENTS, body, content_type="multipart/form-data; boundary=x")
    problem(answer, 400, "invalid")


def test_a_form_without_its_boundary(cast: make.Cast) -> None:
    problem(cast.api().post(DOCUMENTS, b"x", content_type="multipart/form-data"), 400, "parse_error")


def test_a_fault_of_ours_says_nothing_about_itself(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(document: Any) -> Any:
        raise ZeroDivisionError("canary-secret")

    document = make.document(cast.a)
    monkeypatch.setattr(contract, "detail", broken)
    answer = cast.api().get(of(document), headers={"X-Request-ID": "request-0001"})
    told = problem(answer, 500, "internal")
    assert (told["request_id"], answer["X-Request-ID"]) == ("request-0001", "request-0001")
    assert b"canary" not in answer.content and b"ZeroDivision" not in answer.content
    lines = [JsonLines().format(record) for record in caplog.records]
    (line,) = [json.loads(line) for line in lines if "request_crashed" in line]
    assert line["error"] == "ZeroDivisionError"
    assert "canary" not in " ".join(lines)
