"""The list as a file: what is in it, who may have it, and that taking it is an event."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.db import connection
from django.http import StreamingHttpResponse

from audit import export, trail
from audit.models import AuditEvent, Kind
from tenants import scope
from tests import make
from tests.audit.conftest import events, story

LIST = "/admin/audit/auditevent/"
EXPORT = "/admin/audit/auditevent/export/"


def body(answer: Any) -> str:
    assert isinstance(answer, StreamingHttpResponse), answer.status_code
    return b"".join(answer).decode()


@pytest.fixture
def cast(db: None) -> make.Cast:
    return make.cast()


def test_json_lines_are_the_events_as_the_trail_gives_them(cast: make.Cast) -> None:
    chain = story(cast.a.pk, length=4)
    story(cast.b.pk, length=2)
    answer = cast.page(cast.cleo).post(EXPORT, {"format": "jsonl"})
    assert answer["Content-Type"] == "application/x-ndjson"
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-')
    assert answer["Content-Disposition"].endswith('.jsonl"')
    assert [json.loads(line) for line in body(answer).splitlines()] == [trail.as_dict(event) for event in events(chain)]


def test_the_filters_of_the_list_are_those_of_the_export(cast: make.Cast) -> None:
    chain = story(cast.a.pk, length=4)
    story(cast.a.pk, length=2)
    page = cast.page(cast.cleo)
    for query, wanted in (
        (f"?chain={chain}", 4),
        (f"?q={chain.removeprefix('document:')}&by=system", 1),
        ("?kind__exact=CLAIMED", 1),
        ("?by=ada&from_day=2020-01-01", 3),
        (f"?tenant={cast.a.pk}", 6),
    ):
        with scope.everything():
            last = AuditEvent.objects.latest("pk").pk
        lines = body(page.post(EXPORT + query, {"format": "jsonl"})).splitlines()
        found = [row for row in map(json.loads, lines) if row["kind"] != "EXPORTED"]
        assert len(found) == wanted, query
        with scope.everything():
            written = AuditEvent.objects.get(pk__gt=last)
        assert (written.kind, written.codes) == (Kind.EXPORTED, {"format": "jsonl", "count": len(lines)})


def test_an_export_is_recorded_on_the_chain_of_each_tenant_in_it(cast: make.Cast) -> None:
    story(cast.a.pk, length=4)
    story(cast.b.pk, length=2)
    admin = make.user(None, username="root", superuser=True)
    answer = cast.page(admin).post(EXPORT, {"format": "csv"}, headers={"X-Request-ID": "export-request"})
    assert len(body(answer).splitlines()) == 7
    for tenant, count in ((cast.a, 4), (cast.b, 2)):
        (event,) = events(f"tenant:{tenant.pk}")
        assert (event.kind, event.actor, event.request_id) == (Kind.EXPORTED, "user:root", "export-request")
        assert event.codes == {"format": "csv", "count": count}


def test_an_auditor_exports_no_other_tenants_events_whatever_is_asked(cast: make.Cast) -> None:
    chain = story(cast.b.pk, length=2)
    page = cast.page(cast.cleo)
    for query in (
        "",
        f"?chain={chain}",
        f"?tenant_id={cast.b.pk}",
        f"?q={chain.removeprefix('document:')}",
        f"?tenant={cast.b.pk}",
    ):
        answer = page.post(EXPORT + query, {"format": "jsonl"})
        assert answer.status_code == 302, query
    assert events(f"tenant:{cast.b.pk}") == []
    assert "nothing to export" in page.get(LIST).content.decode()


@pytest.mark.parametrize("role", ["ada", "sue", "ben"])
def test_others_export_nothing(cast: make.Cast, role: str) -> None:
    story(cast.a.pk)
    assert cast.page(getattr(cast, role)).post(EXPORT, {"format": "csv"}).status_code in {302, 403}
    assert events(f"tenant:{cast.a.pk}") == []


def test_an_export_is_asked_for_by_post_with_the_token_and_a_known_format(cast: make.Cast) -> None:
    story(cast.a.pk)
    page = cast.page(cast.cleo)
    assert page.get(EXPORT).status_code == 405
    assert page.post(EXPORT, {"format": "xlsx"}).status_code == 400
    page.handler.enforce_csrf_checks = True
    assert page.post(EXPORT, {"format": "csv"}).status_code == 403
    assert events(f"tenant:{cast.a.pk}") == []


def test_it_is_read_in_pages_and_no_transaction_waits_for_the_reader(
    cast: make.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE_ROWS", 2)
    story(cast.a.pk, length=5)
    answer = cast.page(cast.cleo).post(EXPORT, {"format": "jsonl"})
    depth = len(connection.savepoint_ids)
    sizes = []
    for piece in answer:
        sizes.append(piece.count(b"\n"))
        assert len(connection.savepoint_ids) == depth
    assert [size for size in sizes if size] == [2, 2, 1]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20SUM", '=HYPERLINK("http://x","y")'],
)  # fmt: skip
def test_a_cell_that_a_spreadsheet_would_run_is_text(cast: make.Cast, text: str) -> None:
    with scope.everything():
        trail.record(Kind.VIEWED, tenant_id=cast.a.pk, actor=text, step=text[:40], codes={"reason": text})
    answer = cast.page(cast.cleo).post(EXPORT, {"format": "csv"})
    (row,) = csv.DictReader(io.StringIO(body(answer), newline=""))
    assert (row["actor"], row["step"]) == (f"'{text}", f"'{text}")
    assert json.loads(row["codes"]) == {"reason": text}


@pytest.mark.parametrize("text", ["user:ada", 'a "quoted", name', "two\nlines", "'apostrophe", "1-2", ""])
def test_other_cells_stay_what_they_are(cast: make.Cast, text: str) -> None:
    with scope.everything():
        trail.record(Kind.VIEWED, tenant_id=cast.a.pk, actor=text)
    (row,) = csv.DictReader(io.StringIO(body(cast.page(cast.cleo).post(EXPORT, {"format": "csv"})), newline=""))
    assert row["actor"] == text
    assert list(row) == list(export.COLUMNS)
    assert set(row) == {*trail.HASHED, "hash"}
