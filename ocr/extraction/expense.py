"""What AnalyzeExpense found: its summary fields as named values, its line items as line items.

Source: AWS Textract developer guide, analyzing invoices and receipts: a field has a type, maybe a label, and a value,
each with a confidence of its own, and no links to words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ocr.extraction.blocks import Layout, Span
from ocr.extraction.document_types import DateOrder, DocumentType, FieldSpec
from ocr.extraction.line_items import cell_of
from ocr.extraction.named import Named, span_of
from ocr.extraction.reading import LineItem
from ocr.extraction.tolerant import counted, listed, members, number, text


def named(document: Any, layout: Layout, page: int | None) -> Iterator[Named]:
    """The summary fields of one expense document; `page` is where it stands, unless its fields say that themselves."""
    for each in listed(members(document).get("SummaryFields")):
        field = members(each)
        content = _value(field, layout, page)
        if content.text:  # a field that was not found has no text and often a high score
            label = span_of(members(field.get("LabelDetection")), layout, content.page, None)
            yield Named("expense", _type(field)[0], content, label if label.text else None, currency=_currency(field))


def line_items(
    documents: Iterable[tuple[Any, int | None]], layout: Layout, document_type: DocumentType, *, date_order: DateOrder
) -> tuple[LineItem, ...]:
    """The rows of every line item group of expense documents with their pages, for types that have line items."""
    columns = document_type.line_items or ()
    found: list[LineItem] = []
    for row, page in _rows(documents) if columns else ():
        cells = tuple(
            cell_of(spec, _cell(row, spec, layout, page), number=len(found) + 1, date_order=date_order, why="expense")
            for spec in columns
        )
        pages = [cell.page for cell in cells if cell.page is not None]
        if pages:
            found.append(LineItem(len(found) + 1, pages[0], cells))
    return tuple(found)


def _currency(field: Mapping[str, Any]) -> tuple[str, float | None] | None:
    currency = members(field.get("Currency"))
    code = text(currency.get("Code"))
    return (code, number(currency.get("Confidence"))) if code else None


def _rows(documents: Iterable[tuple[Any, int | None]]) -> Iterator[tuple[Sequence[Any], int | None]]:
    for document, page in documents:
        for group in listed(members(document).get("LineItemGroups")):
            for row in listed(members(group).get("LineItems")):
                yield listed(members(row).get("LineItemExpenseFields")), page


def _cell(row: Sequence[Any], spec: FieldSpec, layout: Layout, page: int | None) -> Span | None:
    for field in row:
        if _type(members(field))[0] in spec.expense:
            return _value(members(field), layout, page)
    return None


def _type(field: Mapping[str, Any]) -> tuple[str, float | None]:
    kind = members(field.get("Type"))
    return text(kind.get("Text")), number(kind.get("Confidence"))


def _value(field: Mapping[str, Any], layout: Layout, page: int | None) -> Span:
    """The value; its type's confidence grades the association."""
    detection = members(field.get("ValueDetection"))
    return span_of(detection, layout, page or counted(field.get("PageNumber")), _type(field)[1])
