"""What AnalyzeExpense found: its summary fields as candidates, its line items as line items.

Source: AWS Textract developer guide, analyzing invoices and receipts: a field has a type, maybe a label, and a value,
each with a confidence of its own, and no links to words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from ocr.extraction.blocks import Layout, Span, turned_box, words_within
from ocr.extraction.candidates import SOURCES, Candidate, Context, in_span
from ocr.extraction.document_types import DateOrder, DocumentType, FieldSpec
from ocr.extraction.line_items import cell_of
from ocr.extraction.reading import LineItem, Word
from ocr.extraction.tolerant import counted, listed, members, number, text


def blocks(documents: Sequence[Any]) -> Iterator[Any]:
    """The text blocks that newer answers hold inside each expense document."""
    return chain.from_iterable(listed(members(document).get("Blocks")) for document in documents)


def candidates(found_in: Context, documents: Sequence[Any]) -> Iterator[Candidate]:
    """A candidate for each summary field whose type one of the document type's fields names."""
    for document in documents:
        for field in listed(members(document).get("SummaryFields")):
            yield from _candidates(found_in, members(field))


def line_items(
    documents: Sequence[Any], layout: Layout, document_type: DocumentType, *, date_order: DateOrder
) -> tuple[LineItem, ...]:
    """The rows of every line item group, for types that have line items."""
    columns = document_type.line_items or ()
    found: list[LineItem] = []
    for row in _rows(documents) if columns else ():
        cells = tuple(
            cell_of(spec, _cell(row, spec, layout), number=len(found) + 1, date_order=date_order, why="expense")
            for spec in columns
        )
        pages = [cell.page for cell in cells if cell.page is not None]
        if pages:
            found.append(LineItem(len(found) + 1, pages[0], cells))
    return tuple(found)


def _candidates(found_in: Context, field: Mapping[str, Any]) -> Iterator[Candidate]:
    kind, confidence = _type(field)
    span = _value(field, found_in.layout, confidence)
    if not span.text:  # a field that was not found has no text and often a high score
        return
    for spec in found_in.specs.values():
        if kind in spec.expense:
            score = SOURCES["expense"]
            yield from in_span(found_in, spec, span, why="expense", score=score, confidence=span.confidence)
        if spec.kind == "currency":
            yield from _currency(spec, field, span)


def _currency(spec: FieldSpec, field: Mapping[str, Any], span: Span) -> Iterator[Candidate]:
    currency = members(field.get("Currency"))
    code = currency.get("Code")
    if isinstance(code, str) and code:
        confidence = number(currency.get("Confidence"))
        yield Candidate(
            spec.name, code, span.text, span.words, span.page, span.box, "expense", SOURCES["expense"], "textract",
            confidence,
        )  # fmt: skip


def _rows(documents: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for document in documents:
        for group in listed(members(document).get("LineItemGroups")):
            for row in listed(members(group).get("LineItems")):
                yield listed(members(row).get("LineItemExpenseFields"))


def _cell(row: Sequence[Any], spec: FieldSpec, layout: Layout) -> Span | None:
    for field in row:
        kind, confidence = _type(members(field))
        if kind in spec.expense:
            return _value(members(field), layout, confidence)
    return None


def _type(field: Mapping[str, Any]) -> tuple[str, float | None]:
    kind = members(field.get("Type"))
    return text(kind.get("Text")), number(kind.get("Confidence"))


def _value(field: Mapping[str, Any], layout: Layout, type_confidence: float | None) -> Span:
    """The value with the words that lie in its box.

    The type's confidence grades the association. Where the answer holds no words, the value's own confidence stands
    for theirs.
    """
    detection = members(field.get("ValueDetection"))
    page = counted(field.get("PageNumber"))
    rotations = {each.number: each.rotation for each in layout.pages}
    box = turned_box(detection.get("Geometry"), rotations.get(page, 0))
    printed = " ".join(text(detection.get("Text")).split())
    words = words_within(layout, page, box) or (
        Word("", printed, number(detection.get("Confidence")), page, box, "PRINTED"),
    )
    return Span(printed, words, page, box, type_confidence)
