"""What a new reading of a stored answer would change: the fields, the problems, the way to a person, and what people said is true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from ocr import document_types
from ocr.models import Document, DocumentType, Status

OTHERS = "*"  # stands for the fields of a form without fixed ones: how they are called is what somebody printed
BY_A_PERSON = frozenset({"checked", "corrected", "absent", "unreadable", "missed", "removed"})
APPROVE = "approve"  # the decision of a person, in Document.decision
# What the reader said of a field, as the row keeps it and as extraction.as_json tells it.
SAID = (
    "text",
    "kind",
    "confidence",
    "word_confidence",
    "page",
    "box",
    "why",
    "state",
    "required",
    "threshold",
    "problems",
)

# One row for each document however many fields it has: a row for each field costs more than reading the answer again.
_STORED = f"""
    SELECT document_id, json_agg(json_build_object(
           'row', row, 'name', name, 'value', value, 'machine_value', machine_value,
           {", ".join(f"'{name}', {name}" for name in SAID)}))::text
      FROM ocr_field WHERE document_id = ANY(%s) GROUP BY document_id
"""

Stored = Sequence[Mapping[str, Any]]


def stored_fields(documents: Sequence[UUID]) -> dict[UUID, Stored]:
    """The fields that these documents have now; inside a scope."""
    with connection.cursor() as cursor:
        cursor.execute(_STORED, [list(documents)])
        return {key: orjson.loads(told) for key, told in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Changed:
    """One field (`total`, `line_items.3.amount`) whose machine value or problems would be others."""

    field: str
    counted_as: str  # `total`, `line_items.amount`, or OTHERS
    before: str | None
    after: str | None
    problems_before: tuple[str, ...]
    problems_after: tuple[str, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What happened to it, as codes."""
        value: tuple[str, ...] = ()
        if self.before != self.after:
            value = ("gained",) if self.before is None else ("lost",) if self.after is None else ("changed",)
        gone = set(self.problems_before) - set(self.problems_after)
        new = set(self.problems_after) - set(self.problems_before)
        return (*value, *(["problems_gone"] if gone else []), *(["problems_new"] if new else []))


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a field was right before and would be right after, by what a person approved."""

    counted_as: str
    before: bool
    after: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """One document as it is and as it would be."""

    document: Document
    document_type: DocumentType
    changed: tuple[Changed, ...]
    judged: tuple[Judged, ...]
    needs_person: bool
    needed_person: bool
    holds_words_of_a_person: bool
    differs: bool  # in anything that is stored of a reading, be it a confidence

    @property
    def type_before(self) -> str:
        before = self.document.document_type
        return f"{before.name}@{before.version}" if before else ""

    @property
    def type_after(self) -> str:
        return f"{self.document_type.name}@{self.document_type.version}"

    @property
    def may_be_applied(self) -> bool:
        """Undecided, different, and nothing in it was said by a person (who decided it once, before it was re-opened)."""
        return self.document.status == Status.NEEDS_REVIEW and self.differs and not self.holds_words_of_a_person


def compared(document: Document, stored: Stored, told: Mapping[str, Any], type_: DocumentType) -> Comparison:
    """The document's rows beside `told`, the new reading as extraction.as_json gives it. Asks no database."""
    before = {(each["row"], each["name"]): each for each in stored}
    after = {(row, each["name"]): each for row, each in _rows(told)}
    fixed = frozenset(spec.name for spec in document_types.parsed(type_).fields)
    if document.document_type:
        fixed |= {spec.name for spec in document_types.parsed(document.document_type).fields}
    people = any(each["state"] in BY_A_PERSON for each in stored)
    same_type = document.document_type_id == type_.pk
    undecided = document.status == Status.NEEDS_REVIEW
    changed = tuple(_changed(before, after, fixed, with_problems=undecided and not people))
    own = [problem for problem in told["problems"] if not problem["field"]]
    reasons = list(dict.fromkeys(problem["code"] for problem in told["problems"]))
    return Comparison(
        document=document,
        document_type=type_,
        changed=changed,
        judged=tuple(_judged(before, after, fixed)) if _is_truth(document) else (),
        needs_person=bool(reasons),
        needed_person=not document.straight_through,
        holds_words_of_a_person=people,
        differs=not same_type
        or bool(changed)
        or (own, reasons) != (document.problems, document.review_reasons)
        or _say_other(before, after),
    )


def _is_truth(document: Document) -> bool:
    return document.status == Status.APPROVED and document.decision == APPROVE


def _rows(told: Mapping[str, Any]) -> Iterable[tuple[int | None, Mapping[str, Any]]]:
    for each in told["fields"]:
        yield None, each
    for item in told["line_items"]:
        for cell in item["cells"]:
            yield item["row"], cell


Key = tuple[int | None, str]
Rows = Mapping[Key, Mapping[str, Any]]


def _changed(before: Rows, after: Rows, fixed: frozenset[str], *, with_problems: bool) -> Iterable[Changed]:
    for key in (*before, *(key for key in after if key not in before)):
        was, now = before.get(key), after.get(key)
        old, new = was["machine_value"] if was else None, now["value"] if now else None
        codes = (_codes(was), _codes(now)) if with_problems else ((), ())
        if old != new or codes[0] != codes[1]:
            yield Changed(_path(key), _counted_as(key, fixed), old, new, *codes)


def _judged(before: Rows, after: Rows, fixed: frozenset[str]) -> Iterable[Judged]:
    for key, was in before.items():
        if was["state"] != "unreadable":  # then nobody knows
            truth, now = was["value"], after.get(key)
            yield Judged(
                _counted_as(key, fixed), was["machine_value"] == truth, (now["value"] if now else None) == truth
            )


def _say_other(before: Rows, after: Rows) -> bool:
    return before.keys() != after.keys() or any(
        was[name] != after[key][name] for key, was in before.items() for name in SAID
    )


def _codes(field: Mapping[str, Any] | None) -> tuple[str, ...]:
    return tuple(sorted({str(problem["code"]) for problem in field["problems"]})) if field else ()


def _path(key: Key) -> str:
    row, name = key
    return name if row is None else f"line_items.{row}.{name}"


def _counted_as(key: Key, fixed: frozenset[str]) -> str:
    row, name = key
    if row is not None:
        return f"line_items.{name}"
    return name if name in fixed else OTHERS
