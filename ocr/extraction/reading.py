"""What extraction answers: fields, line items, problems and pages, as frozen values, and their JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Source = Literal["textract", "rule"]
State = Literal["certain", "open"]
Rotation = Literal[0, 90, 180, 270]
ProblemCode = Literal[
    "low_confidence", "missing", "ambiguous", "invalid", "unclear_type", "several_documents", "partial_result"
]


class Box(NamedTuple):
    """A rectangle in fractions (0-1) of the upright page, origin top left."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def centre(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2

    def joined(self, other: Box) -> Box:
        """The smallest box around both."""
        left, top = min(self.left, other.left), min(self.top, other.top)
        return Box(left, top, max(self.right, other.right) - left, max(self.bottom, other.bottom) - top)


class Word(NamedTuple):
    """One printed or handwritten word. `id` is the block's Id, unique within one engine answer."""

    id: str
    text: str
    confidence: float | None
    page: int
    box: Box | None
    text_type: str


class Problem(NamedTuple):
    """Why a person is needed. `message` is a short sentence for reviewers; `rule` names the rule that failed.

    `field` is a field's name, `line_items.3.amount` for a cell of the third row, None for the whole document.
    """

    code: ProblemCode
    field: str | None
    message: str
    rule: str | None = None


class Suggestion(NamedTuple):
    """Another value a field might have. `why` is a short code: how it was found ('key_value', 'label_right', ...)."""

    value: str | None
    text: str
    confidence: float | None
    word_confidence: float | None
    page: int | None
    box: Box | None
    word_ids: tuple[str, ...]
    why: str


class Field(NamedTuple):
    """One named value of a document.

    `value` is canonical (None when there is none or it could not be understood), `text` is what is printed.
    `confidence` grades the association of value and name: Textract's own score of the pair when `source` is
    'textract', how sure the rules are (of its least word too) when it is 'rule'; less when another value is nearly as
    likely, the page is hard to read, or a rule does not hold. `word_confidence` is the least word's reading score.
    """

    name: str
    label: str
    group: str
    kind: str
    value: str | None
    text: str
    confidence: float | None
    word_confidence: float | None
    mean_word_confidence: float | None
    page: int | None
    box: Box | None
    word_ids: tuple[str, ...]
    source: Source
    why: str
    state: State
    required: bool
    threshold: float
    problems: tuple[Problem, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()


class LineItem(NamedTuple):
    """One row of the document's item table. `row` counts from 1 over all pages; cells follow the type's columns."""

    row: int
    page: int
    cells: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class PageReading:
    """One page. `rotation` is how far (degrees) it must be turned clockwise to be upright; all boxes refer to it upright."""

    number: int
    rotation: Rotation


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything extraction found in one document. `problems` holds the document's, the fields' and the line items'."""

    document_type: str
    type_version: int
    fields: tuple[Field, ...]
    line_items: tuple[LineItem, ...]
    problems: tuple[Problem, ...]
    pages: tuple[PageReading, ...]
    unknown: Mapping[str, int] = field(default_factory=dict)


def as_json(reading: Reading) -> dict[str, Any]:
    """The reading in the REST contract's shape: boxes `[left, top, width, height]`, confidences in percent."""
    return {
        "document_type": reading.document_type,
        "type_version": reading.type_version,
        "fields": [field_as_json(each) for each in reading.fields],
        "line_items": [
            {"row": item.row, "page": item.page, "cells": [field_as_json(cell) for cell in item.cells]}
            for item in reading.line_items
        ],
        "problems": [problem_as_json(each) for each in reading.problems],
        "pages": [{"number": page.number, "rotation": page.rotation} for page in reading.pages],
        "unknown": dict(reading.unknown),
    }


def field_as_json(each: Field) -> dict[str, Any]:
    """One field or line-item cell as the contract's `field` object."""
    return {
        "name": each.name,
        "label": each.label,
        "group": each.group,
        "kind": each.kind,
        "value": each.value,
        "text": each.text,
        "confidence": _rounded(each.confidence),
        "word_confidence": _rounded(each.word_confidence),
        "mean_word_confidence": _rounded(each.mean_word_confidence),
        "page": each.page,
        "box": _box_as_json(each.box),
        "word_ids": list(each.word_ids),
        "source": each.source,
        "why": each.why,
        "state": each.state,
        "required": each.required,
        "threshold": each.threshold,
        "problems": [problem_as_json(problem) for problem in each.problems],
        "suggestions": [_suggestion_as_json(suggestion) for suggestion in each.suggestions],
    }


def words_as_json(words: Iterable[Word]) -> list[dict[str, Any]]:
    """The words that have a place, for the reviewer's screen: `[{id, text, confidence, box}]`."""
    return [
        {"id": word.id, "text": word.text, "confidence": word.confidence, "box": _box_as_json(word.box)}
        for word in words
        if word.box
    ]


def problem_as_json(problem: Problem) -> dict[str, str | None]:
    """The contract's `problem` object."""
    return {"code": problem.code, "field": problem.field, "message": problem.message, "rule": problem.rule}


def _suggestion_as_json(each: Suggestion) -> dict[str, Any]:
    return {
        "value": each.value,
        "text": each.text,
        "confidence": _rounded(each.confidence),
        "word_confidence": _rounded(each.word_confidence),
        "page": each.page,
        "box": _box_as_json(each.box),
        "word_ids": list(each.word_ids),
        "why": each.why,
    }


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence, 2)


def _box_as_json(box: Box | None) -> list[float] | None:
    return None if box is None else [round(part, 5) for part in (box.left, box.top, box.width, box.height)]
