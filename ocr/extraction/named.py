"""Values that an operation names itself (AnalyzeExpense, AnalyzeID, the lending analysis), as candidates and as pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from ocr.extraction import values
from ocr.extraction.blocks import Layout, Pair, Span, turned_box, words_within
from ocr.extraction.candidates import PENALTIES, SOURCES, Candidate, Context, in_span
from ocr.extraction.document_types import FieldSpec
from ocr.extraction.reading import Word
from ocr.extraction.tolerant import number, text

Operation = Literal["expense", "identity", "lending"]

_TYPES_OF: Mapping[Operation, Callable[[FieldSpec], tuple[str, ...]]] = {
    "expense": attrgetter("expense"),
    "identity": attrgetter("identity"),
    "lending": attrgetter("lending"),
}


class Named(NamedTuple):
    """One value and the type that the engine gives it.

    `content.confidence` grades that it is of this type. `label` is what is printed beside it, `day` the date (YYYY-MM-DD)
    that the engine understands, `currency` a code with its confidence in percent, `page_class` what the lending
    analysis takes the page for.
    """

    operation: Operation
    type: str
    content: Span
    label: Span | None = None
    day: str | None = None
    currency: tuple[str, float | None] | None = None
    page_class: str = ""


def candidates(found_in: Context, named: Iterable[Named]) -> Iterator[Candidate]:
    """A candidate for each value whose type one of the document type's fields names."""
    for each in named:
        for spec in found_in.specs.values():
            if _is_meant(each, _TYPES_OF[each.operation](spec)):
                yield from _candidates(found_in, spec, each)
            if spec.kind == "currency" and each.currency is not None:
                yield _currency(spec, each, *each.currency)


def pair(each: Named) -> Pair:
    """The value as a form pair; where no label is printed beside it, its type in words is the key."""
    key = each.label or Span(_in_words(each.type), (), each.content.page, None, None)
    return Pair(key, each.content, each.content.confidence, each.operation)


def span_of(detection: Mapping[str, Any], layout: Layout, page: int, confidence: float | None) -> Span:
    """The text of a detection with the words that lie in its box.

    `confidence` grades the association. Where the answer holds no words, the detection's own confidence stands for theirs.
    """
    box = turned_box(detection.get("Geometry"), layout.rotations.get(page, 0))
    printed = values.fold(text(detection.get("Text")))
    if not printed:
        return Span("", (), page, box, confidence)
    words = words_within(layout, page, box) or (
        Word("", printed, number(detection.get("Confidence")), page, box, "PRINTED"),
    )
    return Span(printed, words, page, box, confidence)


def _is_meant(each: Named, types: tuple[str, ...]) -> bool:
    return each.type in types or f"{each.page_class}/{each.type}" in types


def _candidates(found_in: Context, spec: FieldSpec, each: Named) -> Iterator[Candidate]:
    why, content = each.operation, each.content
    found = in_span(found_in, spec, content, why=why, score=SOURCES[why], confidence=content.confidence)
    if each.day is None or spec.kind != "date":
        yield from found
        return
    # The engine knows whose document it is, and so which number is the month; what the print may mean besides is kept.
    printed = values.find_values(content.text, spec, date_order=found_in.order)
    others = {other for meaning in printed for other in (meaning.value, *meaning.others)} - {each.day}
    doubt = 1 - (content.confidence if content.confidence is not None else 100) / 100
    score = SOURCES[why] - PENALTIES["doubtful_engine"] * doubt
    yield Candidate(
        spec.name, each.day, content.text, content.words, content.page, content.box, why, score, "textract",
        content.confidence, tuple(sorted(others)),
    )  # fmt: skip


def _currency(spec: FieldSpec, each: Named, code: str, confidence: float | None) -> Candidate:
    content, why = each.content, each.operation
    return Candidate(
        spec.name, code, content.text, content.words, content.page, content.box, why, SOURCES[why], "textract",
        confidence,
    )  # fmt: skip


def _in_words(kind: str) -> str:
    """A type as people read it: 'DATE_OF_BIRTH' becomes 'Date of birth'."""
    return kind.replace("_", " ").strip().capitalize()
