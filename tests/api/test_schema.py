"""The OpenAPI document and its human page: valid, complete, and safe to open."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from openapi_spec_validator import OpenAPIV31SpecValidator

pytestmark = pytest.mark.django_db

PROMISED = {
    ("post", "/api/v1/token/"): 200,
    ("post", "/api/v1/token/refresh/"): 200,
    ("post", "/api/v1/documents/"): 202,
    ("get", "/api/v1/documents/"): 200,
    ("get", "/api/v1/documents/{document_id}/"): 200,
    ("get", "/api/v1/documents/{document_id}/result/"): 200,
    ("get", "/api/v1/documents/{document_id}/raw/"): 200,
    ("get", "/api/v1/documents/{document_id}/original/"): 200,
    ("get", "/api/v1/documents/{document_id}/pages/{number}/image/"): 200,
    ("get", "/api/v1/documents/{document_id}/audit/"): 200,
    ("post", "/api/v1/documents/{document_id}/review/"): 200,
    ("post", "/api/v1/documents/{document_id}/reopen/"): 202,
    ("post", "/api/v1/documents/{document_id}/replay/"): 202,
    ("post", "/api/v1/documents/{document_id}/retry/"): 202,
    ("get", "/api/v1/documents/{document_id}/split/"): 200,
    ("post", "/api/v1/documents/{document_id}/split/"): 202,
    ("get", "/api/v1/estimate/"): 200,
    ("get", "/api/v1/costs/"): 200,
    ("post", "/ocr"): 200,
    ("post", "/ocr/async"): 202,
    ("get", "/ocr/jobs/{job_id}"): 200,
    ("get", "/ocr/queue"): 200,
}


@pytest.fixture
def schema() -> dict[str, Any]:
    answer = Client().get("/api/schema/?format=json")
    assert answer.status_code == 200
    told: dict[str, Any] = json.loads(answer.content)
    return told


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> set[str]:
    found = set()
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= routes(pattern.url_patterns, path)
        else:
            found.add("/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path))
    return found


def test_it_is_valid(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    assert [str(error) for error in OpenAPIV31SpecValidator(schema).iter_errors()] == []


def test_it_names_every_route(schema: dict[str, Any]) -> None:
    below = {path for path in routes(get_resolver().url_patterns) if path.startswith("/api/v1/")}
    assert set(schema["paths"]) == below | {"/ocr", "/ocr/async", "/ocr/jobs/{job_id}", "/ocr/queue"}


def test_it_says_what_is_promised(schema: dict[str, Any]) -> None:
    for (method, path), status in PROMISED.items():
        operation = schema["paths"][path][method]
        assert str(status) in operation["responses"], (method, path)


def test_every_post_takes_an_idempotency_key(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        if "post" in operations and "token" not in path:
            names = {parameter["name"] for parameter in operations["post"].get("parameters", [])}
            assert "Idempotency-Key" in names, path


def test_operations_have_names_of_their_own(schema: dict[str, Any]) -> None:
    names = [operation["operationId"] for path in schema["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_the_ways_to_sign_in(schema: dict[str, Any]) -> None:
    assert {"apiKey", "bearer"} <= set(schema["components"]["securitySchemes"])


class _Page(HTMLParser):
    """What a strict Content-Security-Policy would stop: inline scripts, styles and handlers, foreign addresses."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.sources: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        self.inline += ["style"] if tag == "style" else []
        self._inside = "script" if tag == "script" and "src" not in given else ""
        self.sources += [str(given[name]) for name in ("src", "href") if name in given]

    def handle_data(self, data: str) -> None:
        if self._inside and data.strip():
            self.inline.append(data.strip()[:60])

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def test_the_page_obeys_our_own_policy() -> None:
    answer = Client().get("/api/docs/")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    page = _Page(answer.content.decode())
    assert page.inline == []
    assert page.sources and all(source.startswith("/") and not source.startswith("//") for source in page.sources)
    script = Client().get(page.sources[-1])
    assert script["Content-Type"] == "application/javascript"
    assert b"SwaggerUIBundle" in script.content
