"""Two tenants with everything that can be asked for, and words of tenant A that nobody of B may ever read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from ocr import aws
from ocr.models import Batch, Document
from tenants import scope
from tenants.models import Role, Tenant
from tests import engine as stub
from tests import make
from tests.batches import manifest
from tests.engine import Line, Page

ROLES = (
    "anonymous", "uploader", "reviewer", "supervisor", "auditor", "tenant_admin", "platform", "reviewer_b", "key_b",
)  # fmt: skip
STRANGERS = ("anonymous", "reviewer_b", "key_b")
# Of A's documents and people: file name, printed values, external id, metadata, tenant.
CANARIES = ("quillfeather", "zebraslip", "77.31", "okapi-4711", "narwhal", "aldermoor")
PAGE = Page.of("Quillfeather Cafe", "Receipt", "Date: 12/03/2026", Line("Total: 77.31", doubtful={"77.31": 41.0}))
RECEIVED: dict[str, Any] = {"filename": "zebraslip.png", "external_id": "okapi-4711", "metadata": {"desk": "narwhal"}}


@dataclass(frozen=True, slots=True)
class World:
    a: Tenant
    b: Tenant
    people: dict[str, User]
    keys: dict[str, str]
    waiting: Document
    decided: Document
    failed: Document
    others: Document  # tenant B's own
    batch: Batch  # of A, running

    def client(self, role: str, **options: Any) -> Client:
        """A browser with the role's session, or a program with its key."""
        if role in self.keys:
            return Client(headers={"Authorization": f"Api-Key {self.keys[role]}"}, **options)
        client = Client(**options)
        if role in self.people:
            client.force_login(self.people[role], backend="dtat_site.sessions.PersonBackend")
        return client

    def document(self, route: str) -> Document:
        """The document of A for which the route does something."""
        return {"reopen": self.decided, "retry": self.failed}.get(route.rsplit("-", 1)[-1], self.waiting)

    def path(self, route: str, document: Document | None = None) -> str:
        if route == "api-nowhere":
            return "/api/v1/nowhere/"
        of = document or self.document(route)
        if route in {"page-image", "page-words", "api-page-image", "review-turn"}:
            return reverse(route, args=[of.pk, 1])
        if route == "page-crop":
            return reverse(route, args=[of.pk, 1]) + "?box=0.1,0.2,0.5,0.1"
        if route in {"batch", "api-batch"} or route.startswith(("batch-", "api-batch-")):
            return reverse(route, args=[self.batch.pk])
        if route == "lane" or route.startswith("lane-"):
            return reverse(route, args=["receipt", "total"])
        if route.startswith("a-document-type"):
            return reverse(route, args=["receipt"])
        takes_id = route.startswith(("document-", "api-", "review-")) or route in {"document", "review", "ocr-job"}
        without = {"document-upload", "review-next", "api-documents", "api-tenants", "api-token", "api-token-refresh"}
        without |= {"document-types", "api-schema", "api-docs", "api-estimate", "api-costs", "api-batches"}
        return reverse(route, args=[of.pk] if takes_id and route not in without else [])

    def send(self, client: Client, route: str, method: str, document: Document | None = None, **more: Any) -> Any:
        """The request a well-meaning caller would make; `more` goes into its body. Streams are read to their end."""
        answer = self._sent(client, route, method, document, more)
        answer.read = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return answer

    def _sent(self, client: Client, route: str, method: str, document: Document | None, more: dict[str, Any]) -> Any:
        path = self.path(route, document)
        if method != "POST":
            return client.generic(method, path)
        if route in {"batches", "api-batches"}:
            rows = json.dumps([{"document_id": str(self.waiting.pk)}]).encode()
            wishes = {"max_concurrency": "5", "tolerated_failure_percentage": "5", "priority": "low"}
            file = SimpleUploadedFile("new.json", rows, "application/json")
            return client.post(path, {"manifest": file, **wishes, **more})
        if route in {"ocr", "ocr-async"}:
            more = {"wait_seconds": "0"} | more
        if route in {"api-documents", "document-upload", "ocr", "ocr-async"}:
            file = SimpleUploadedFile("new.png", make.image(), "image/png")
            return client.post(path, {"file": file, **more}, headers={"Accept": "application/json"})
        if route.startswith(("api-", "review-", "keys-", "lane")) and route not in {"review-next", "review-take-over"}:
            return client.post(path, json.dumps(self._body(route, document) | more), content_type="application/json")
        return client.post(path, more)

    def _body(self, route: str, document: Document | None) -> dict[str, Any]:
        of = document or self.document(route)
        version, document_id = of.version, str(of.pk)
        token = str(uuid4())
        bodies: dict[str, dict[str, Any]] = {
            "api-review": {"version": version, "decision": "approve"},
            "api-split": {"version": version, "ranges": [{"first": 1, "last": 1}, {"first": 2, "last": 2}]},
            "review-decision": {"version": version, "decision": "approve"},
            "review-draft": {"version": version, "token": token, "revision": 0, "fields": {"total": {"value": "1"}}},
            "review-heartbeat": {"token": token},
            "review-aside": {"token": token},
            "review-escalate": {"token": token},
            "review-comment": {"field": "total", "text": "Is this the total?"},
            "review-answer": {"text": "It is."},
            "review-undo": {"version": version},
            "review-release": {"token": token},
            "review-turn": {"token": token, "turn": 90},
            "lane-rows": {"wanted": 5},
            "lane-answers": {"answers": [{"document_id": document_id, "version": version, "act": "confirmed"}]},
            "lane-take-back": {"document_id": document_id, "version": version},
            "lanes-heartbeat": {"tokens": [token]},
            "lanes-release": {
                "claims": [{"document_id": document_id, "token": token, "claimed_at": "2026-03-12T00:00:00Z"}]
            },
            "keys-keep": {"chords": {"approve": "F2"}, "single_letters": False},
        }
        return bodies.get(route, {})


def build() -> World:
    service = stub.running()
    with override_settings(TEXTRACT_ENDPOINT=service.url), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_TEXTRACT", service.url)
        aws.forget()
        service.forget()
        made = _build()
        service.forget()
    aws.forget()
    return made


def _build() -> World:
    a, b = make.tenant("Aldermoor"), make.tenant("Birch")
    people = {str(role): make.user(a, role) for role in Role}
    people |= {"platform": make.user(None, superuser=True), "reviewer_b": make.user(b, Role.REVIEWER)}
    people["auditor_b"] = make.user(b, Role.AUDITOR)
    decided = make.document(a, "approved", pages=[PAGE], decided_by=people["supervisor"], **RECEIVED)
    waiting = make.document(a, "needs_review", pages=[PAGE], **RECEIVED)
    others = make.document(b, "needs_review", filename="of-b.png")
    failed = make.document(a, "failed", **RECEIVED)
    row = {"document_id": str(decided.pk), "external_id": "okapi-4711", "metadata": {"desk": "narwhal"}}
    batch = manifest.submit(a, [row], name="zebraslip")
    return World(a, b, people, {"key_b": make.key(b)}, waiting, decided, failed, others, batch)


def leaks(answer: Any) -> list[str]:
    """The canaries in an answer, its headers included."""
    body = getattr(answer, "read", None) or answer.content
    text = body.decode("utf-8", "replace").lower() + str(dict(answer.items())).lower()
    return [canary for canary in CANARIES if canary in text]


def state(*, without: frozenset[str] = frozenset()) -> dict[str, str]:
    """A fingerprint of every table's rows; sessions and sign-in times are nobody's data."""
    skipped = {"django_session", "django_migrations", "auth_user", "axes_accesslog"} | without
    with scope.everything(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = sorted({row[0] for row in cursor.fetchall()} - skipped)
        found = {}
        for table in tables:
            cursor.execute(f"SELECT coalesce(md5(string_agg(r::text, '|' ORDER BY r::text)), '') FROM {table} r")
            found[table] = cursor.fetchone()[0]
    return found
