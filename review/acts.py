"""What a verdict says of the fields beyond their values: where each was seen, what the engine missed, rows added and taken out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.utils.translation import gettext as _

from audit import prepared
from ocr import extraction, rows, turns
from ocr.models import Document, Field
from ocr.told import label as told_label
from review.models import Act, Correction, Source

MOST_ROWS = 2000  # that one decision adds
ROW = "line_items."
BY_HAND = "added"  # Field.why of a row or field that no reading has
MISSED = "missed"  # Field.why of a field whose place a person marked
_NAME = re.compile(r"[a-z][a-z0-9_]{0,79}")
_VALUED = frozenset({Act.CORRECTED, Act.MISSED, Act.ADDED})
_STATES = {Act.CONFIRMED: "checked", Act.ADDED: "missed"}
# What a decision may change of a field, and an undo puts back.
STANDING = ("value", "source", "state", "problems", "page", "box", "word_ids", "why")
Acts = dict[str, tuple[Act, str | None]]


@dataclass(frozen=True, slots=True)
class FieldError:
    """Why one field keeps the document from being approved. `overridable`: a reason may overrule it."""

    field: str
    code: str
    message: str
    overridable: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a value came to be. `box` is on the page as it is shown, which a person may have turned."""

    source: str = ""
    word_ids: Sequence[str] = ()
    page: int | None = None
    box: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class AddedRow:
    """A line item that the engine did not see, to stand below the row `after` (0: above all). `row` is its number, else the next."""

    cells: Mapping[str, str]
    after: int | None = None
    row: int | None = None


class Said(Protocol):
    """The part of a verdict that this module is about."""

    @property
    def missed(self) -> Mapping[str, str]: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def added_rows(self) -> Sequence[AddedRow]: ...
    @property
    def removed_rows(self) -> Iterable[int]: ...


@dataclass(slots=True)
class Standing:
    """The fields of a document whose decision is being made, by path. Those of `new` are not saved yet."""

    document: Document
    rows: dict[str, Field]
    stored: dict[str, tuple[Any, ...]]  # what of each row is in the database, of STANDING
    order: list[int]  # the line items by their numbers, as they stand on the page
    taken: set[int]  # numbers of line items, those that were taken out included
    new: dict[str, Field] = field(default_factory=dict)
    added: list[tuple[AddedRow, list[Field]]] = field(default_factory=list)

    @classmethod
    def of(cls, document: Document, *, to_write: bool = True) -> Standing:
        """As it is now; every row locked where it is going to be written."""
        every = prepared.objects(Field, f"{_FIELDS} FOR UPDATE" if to_write else _FIELDS, document.pk)
        there = {row.path: row for row in every if row.state != "removed"}
        stored = {row.path: _standing(row) for row in every}
        order = list(dict.fromkeys(row.row for row in there.values() if row.row is not None))
        return cls(document, there, stored, order, {row.row for row in every if row.row is not None})

    def add(self, *new: Field) -> None:
        for row in new:
            self.new[row.path] = self.rows[row.path] = row

    def save(self) -> None:
        """Write what became of the fields, and the new ones."""
        old = [row for path, row in self.rows.items() if path not in self.new]
        if self.new:
            self._number()
            rows.update(Field, {row.pk: columns(row) | {"position": row.position} for row in old})
        else:
            rows.update(Field, {row.pk: columns(row) for row in old if _standing(row) != self.stored[row.path]})
        rows.insert_numbered([*self.new.values()])

    def _number(self) -> None:
        """The document's own fields first, then the line items in their order."""
        places = {number: place for place, number in enumerate(self.order, 1)}
        in_order = sorted(self.rows.values(), key=lambda row: places.get(row.row or 0, 0))
        for position, row in enumerate(in_order):
            row.position = position


_FIELDS = "WHERE document_id = $1::uuid ORDER BY position"


def _standing(row: Field) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in STANDING)


def columns(row: Field) -> dict[str, Any]:
    """What stands of the field, by its columns, which are called as the fields of the model are."""
    return {name: getattr(row, name) for name in STANDING}


# --- Rows and fields that no reading has --------------------------------------------------------------------------


def grow(standing: Standing, type_: extraction.DocumentType, said: Said) -> list[FieldError]:
    """Put the rows and fields that the verdict adds among the document's, unsaved. What keeps one from being added is told."""
    _new_fields(standing, type_, said)
    if len(said.added_rows) > MOST_ROWS:
        return [
            FieldError(
                "line_items",
                "too_many_rows",
                _("Add at most %(most)s rows in one decision.") % {"most": f"{MOST_ROWS:,}"},
            )
        ]
    return [error for added in said.added_rows for error in _new_row(standing, type_, added)]


def _new_fields(standing: Standing, type_: extraction.DocumentType, said: Said) -> None:
    """A form without fixed fields may have one more, which a person names by its printed label."""
    pattern = type_.every_pair
    if pattern is None:
        return
    for path, label in said.labels.items():
        if path in said.missed and path not in standing.rows and _NAME.fullmatch(path):
            standing.add(_made(standing, path, label=label, kind="text", group=pattern.group, row=None))


def _new_row(standing: Standing, type_: extraction.DocumentType, added: AddedRow) -> list[FieldError]:
    columns = {spec.name: spec for spec in type_.line_items or ()}
    number = added.row or max(standing.taken, default=0) + 1
    path = f"{ROW}{number}"
    if not columns:
        return [FieldError(path, "no_line_items", _("Documents of this type have no line items to add to."))]
    if number in standing.taken:
        return [
            FieldError(
                path,
                "row_taken",
                _("There is a row %(row)s already. Choose another number, or none.") % {"row": number},
            )
        ]
    unknown = [name for name in added.cells if name not in columns]
    if unknown:
        known = ", ".join(columns)
        return [
            FieldError(
                f"{path}.{unknown[0]}",
                "unknown_field",
                _("The columns of this document are %(known)s.") % {"known": known},
            )
        ]
    if not any(value.strip() for value in added.cells.values()):
        return [FieldError(path, "empty_row", _("Row %(row)s is empty. Fill it, or leave it out.") % {"row": number})]
    cells = [
        _made(standing, name, label=spec.label, kind=spec.kind, group=spec.group, row=number)
        for name, spec in columns.items()
    ]
    standing.add(*cells)
    standing.added.append((added, cells))
    standing.taken.add(number)
    standing.order.insert(_place(standing.order, added.after), number)
    return []


def _place(order: Sequence[int], after: int | None) -> int:
    """Where the row goes: below `after`, at the end where there is no such row."""
    if after == 0:
        return 0
    return order.index(after) + 1 if after in order else len(order)


def _made(standing: Standing, name: str, *, label: str, kind: str, group: str, row: int | None) -> Field:
    return Field(
        tenant_id=standing.document.tenant_id,
        document=standing.document,
        row=row,
        position=0,
        name=name,
        label=label[:200],
        group=group,
        kind=kind,
        source="person",
        why=BY_HAND,
        state="certain",
        threshold=0.0,
    )


# --- Acts ---------------------------------------------------------------------------------------------------------


def further(standing: Standing, said: Said, evidence: Mapping[str, Evidence]) -> tuple[Acts, list[FieldError]]:
    """What the verdict says by `missed`, `added_rows` and `removed_rows`, and what is wrong with that."""
    acts: Acts = {path: (Act.MISSED, value) for path, value in said.missed.items()}
    errors = [error for path in said.missed for error in _misplaced(standing, path, evidence.get(path))]
    for added, cells in standing.added:
        acts |= {cell.path: (Act.ADDED, added.cells.get(cell.name, "")) for cell in cells}
    removed = set(said.removed_rows)
    unknown = removed - {row.row for path, row in standing.rows.items() if path not in standing.new}
    errors += [
        FieldError(f"{ROW}{number}", "unknown_field", _("The document has no row %(row)s.") % {"row": number})
        for number in sorted(unknown)
    ]
    acts |= {path: (Act.REMOVED, None) for path, row in standing.rows.items() if row.row in removed - unknown}
    return acts, errors


def _misplaced(standing: Standing, path: str, seen: Evidence | None) -> list[FieldError]:
    row = standing.rows.get(path)
    if row is None:
        return []  # told as an unknown field
    if row.machine_value is not None or (row.text and row.why != BY_HAND):
        sentence = _("The engine read something for %(label)s, so it was not missed. Send yours as a correction.")
        return [FieldError(path, "not_missed", sentence % {"label": told_label(row.label)})]
    if seen is None or seen.page is None or not seen.box:
        sentence = _("Say where %(label)s stands: its page and its box, as fractions of the page.")
        return [FieldError(path, "place_missing", sentence % {"label": told_label(row.label)})]
    return []


def evidence_errors(document: Document, evidence: Mapping[str, Evidence]) -> list[FieldError]:
    """What is told of places that the document does not have."""
    return [
        FieldError(
            path,
            "no_such_page",
            _("The document has no page %(page)s; it has %(count)s.")
            % {"page": seen.page, "count": document.page_count},
        )
        for path, seen in evidence.items()
        if seen.page is not None and not 1 <= seen.page <= document.page_count
    ]


def is_valued(act: Act) -> bool:
    """Whether the act brings a value that somebody typed or took from the page."""
    return act in _VALUED


def source_of(act: Act, seen: Evidence | None) -> str:
    """How the value came to be; empty where there is none."""
    if act == Act.CONFIRMED:
        return Source.CONFIRMED
    if act not in _VALUED:
        return ""
    told = seen.source if seen else ""
    return told or (Source.CAPTURED if seen and seen.word_ids else Source.TYPED)


def place_of(seen: Evidence | None) -> dict[str, Any]:
    """The columns of a correction that say where its value was seen."""
    if seen is None:
        return {}
    return {"word_ids": list(seen.word_ids), "page": seen.page, "box": list(seen.box) if seen.box else None}


def upright(document: Document, evidence: Mapping[str, Evidence]) -> dict[str, Evidence]:
    """The evidence with boxes as the engine sees the page, whatever way round a person has turned it."""
    pages = turns.of(document) if evidence else {}
    return {
        path: Evidence(seen.source, seen.word_ids, seen.page, turns.turned(seen.box, -pages.get(seen.page or 0, 0)))
        for path, seen in evidence.items()
    }


def apply(row: Field, act: Act, value: str | None, seen: Evidence | None) -> None:
    """Make the field what was said of it."""
    row.state = _STATES.get(act, str(act)) if value or act != Act.ADDED else "certain"
    if act != Act.CONFIRMED:
        row.value, row.source = value, "person"
    if act == Act.MISSED and row.why != BY_HAND:
        row.why = MISSED
    if seen and seen.box and act in {Act.MISSED, Act.ADDED}:
        row.page, row.box, row.word_ids = seen.page, list(seen.box), list(seen.word_ids)
    row.problems = []


# --- What is kept of it -------------------------------------------------------------------------------------------


def codes(acts: Mapping[str, tuple[Act, str | None]], evidence: Mapping[str, Evidence]) -> dict[str, object]:
    """For the audit row and the event: which fields by act, which rows came and went, and how many values came from where."""
    by_act: dict[str, object] = {
        str(act): sorted(path for path, (said, _value) in acts.items() if said == act)
        for act in Act
        if act not in {Act.ADDED, Act.REMOVED}
    }
    for act in (Act.ADDED, Act.REMOVED):
        by_act[str(act)] = _row_numbers(path for path, (said, _value) in acts.items() if said == act)
    sources: dict[str, int] = {}
    for path, (act, value) in acts.items():
        source = str(source_of(act, evidence.get(path))) if value else ""
        if source:
            sources[source] = sources.get(source, 0) + 1
    return {**by_act, "sources": sources}


def _row_numbers(paths: Iterable[str]) -> list[int]:
    return sorted({int(path.split(".")[1]) for path in paths})


def told(acts: Mapping[str, tuple[Act, str | None]], evidence: Mapping[str, Evidence]) -> list[dict[str, object]]:
    """The codes of each FIELD_CORRECTED: one for a field that was corrected or missed, one for all rows added, one for all removed."""
    entries: list[dict[str, object]] = []
    for path, (act, _value) in acts.items():
        if act in {Act.CORRECTED, Act.MISSED}:
            seen = evidence.get(path)
            entry: dict[str, object] = {"field": path, "change": str(act), "source": str(source_of(act, seen))}
            if seen and seen.word_ids:
                entry["words"] = list(seen.word_ids)
            if seen and seen.page:
                entry["pages"] = [seen.page]
            entries.append(entry)
    for act in (Act.ADDED, Act.REMOVED):
        rows = _row_numbers(path for path, (said, _value) in acts.items() if said == act)
        if rows:
            entries.append({"fields": [f"{ROW}{row}" for row in rows], "change": str(act), "count": len(rows)})
    return entries


def as_draft(
    document: Document, corrections: Iterable[Correction], placed: Mapping[int, int | None] | None = None
) -> dict[str, Any]:
    """What was said, as the page keeps it in a draft: for a decision that is taken back, before its rows are.

    `placed` says below which row each stands that was added and never saved.
    """
    order = list(dict.fromkeys(row.row for row in document.fields.exclude(row=None)))
    labels = {row.path: row.label for row in document.fields.filter(why=BY_HAND, row=None)}
    pages = turns.of(document)
    said: dict[str, Any] = {}
    for each in corrections:
        if each.act in {Act.ADDED, Act.REMOVED}:
            number = int(each.field.split(".")[1])
            row = said.setdefault(f"{ROW}{number}", {"value": None, "state": str(each.act)})
            if each.act == Act.ADDED:
                row["after"] = (
                    placed.get(number) if placed else order[order.index(number) - 1] if order.index(number) else 0
                )
        if each.act != Act.REMOVED:
            said[each.field] = _as_drafted(each, pages) | (
                {"label": labels[each.field]} if each.field in labels else {}
            )
    return said


def _as_drafted(each: Correction, pages: Mapping[int, int]) -> dict[str, Any]:
    states = {Act.CONFIRMED: "checked", Act.ADDED: "corrected" if each.value else "certain"}
    kept: dict[str, Any] = {"value": each.value, "state": states.get(Act(each.act), each.act)}
    if each.word_ids or each.box:
        kept |= {"source": each.source, "word_ids": each.word_ids, "page": each.page}
        kept["box"] = turns.turned(each.box, pages.get(each.page or 0, 0))
    return kept
