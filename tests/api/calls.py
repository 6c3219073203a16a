"""Short ways to call the REST door and to look at its answers."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests import make

DOCUMENTS = "/api/v1/documents/"


def file(content: bytes | None = None, name: str = "slip.png", content_type: str = "image/png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, make.image() if content is None else content, content_type)


def upload(
    client: Client, content: bytes | None = None, *, name: str = "slip.png", key: str = "", **fields: Any
) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(DOCUMENTS, {"file": file(content, name), **fields}, headers=headers)


def post(client: Client, path: str, body: object = None, **headers: str) -> Any:
    """A JSON POST; header names with underscores for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(path, body or {}, content_type="application/json", headers=named)


def of(document: Any, part: str = "") -> str:
    return f"{DOCUMENTS}{document.pk}/{part}"


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The answer's problem, after a look at its form."""
    assert answer.status_code == status, (answer.status_code, answer.content[:400])
    assert answer["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "code", "detail"} <= set(told)
    assert (told["status"], told["code"]) == (status, code), told
    assert told["type"] == f"/api/docs/#{code}"
    assert told["detail"].endswith(".") and "{" not in told["detail"], told["detail"]
    return told


def read(answer: Any) -> bytes:
    """The body of a streamed answer; reading to its end closes it."""
    return b"".join(answer.streaming_content)
