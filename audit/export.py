"""The audit trail as a file: CSV for a spreadsheet, JSON Lines for whoever verifies the chains."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from django.db.models import QuerySet

from audit import trail
from audit.models import AuditEvent

PAGE_ROWS = 1000
COLUMNS = ("at", "kind", "actor", "document_id", "version", "step", "codes", "tenant_id", "request_id", "chain", "seq",
           "previous_hash", "hash")  # fmt: skip
# What makes a spreadsheet run a cell's text instead of showing it; the last four are the full-width forms of = + - @.
# Source: OWASP, CSV Injection.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of file is written: `write` makes the text of some events, `head` is its first line."""

    content_type: str
    write: Callable[[Iterable[AuditEvent]], str]
    head: str = ""


def lines(
    format_: Format, events: QuerySet[AuditEvent], *, until: int, scoped: Callable[[], AbstractContextManager[None]]
) -> Iterator[str]:
    """The file's text in pieces: the events up to the id `until`, oldest first.

    Each piece is read in a scope of its own, so that no transaction stays open while a slow reader takes what was sent.
    """
    yield format_.head
    after = 0
    while True:
        with scoped():
            page = list(events.filter(pk__gt=after, pk__lte=until).order_by("pk")[:PAGE_ROWS])
        if not page:
            return
        yield format_.write(page)
        after = page[-1].pk


def safe(value: object) -> str:
    """The cell's text, with an apostrophe before what a spreadsheet would take for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(events: Iterable[AuditEvent]) -> str:
    rows = ({**trail.as_dict(event), "codes": json.dumps(event.codes)} for event in events)
    return _cells([safe(row[name]) for name in COLUMNS] for row in rows)


def _cells(rows: Iterable[Iterable[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue()


def _jsonl(events: Iterable[AuditEvent]) -> str:
    return "".join(json.dumps(trail.as_dict(event)) + "\n" for event in events)


FORMATS = {
    "csv": Format("text/csv; charset=utf-8", _csv, _cells([COLUMNS])),
    "jsonl": Format("application/x-ndjson", _jsonl),
}
