"""Turns Textract blocks into named, typed, checked fields, and says what a person should look at.

Plain Python: it knows neither Django nor AWS, opens no file and asks no clock. Document types are data
(`document_type`); `read` is the way in; `parse_value`, `parse_kind` and `check` hold the same rules for what a
person types.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from ocr.extraction import dates, expense, finders, line_items, pairs
from ocr.extraction.blocks import Layout, resolve
from ocr.extraction.candidates import context, labelled
from ocr.extraction.document_types import (
    DateOrder,
    DocumentType,
    FieldSpec,
    InvalidType,
    ItemsRule,
    Kind,
    OrderRule,
    Query,
    Rule,
    SumRule,
    document_type,
)
from ocr.extraction.fields import choose, field_of, with_problems
from ocr.extraction.reading import (
    Box,
    Field,
    LineItem,
    PageReading,
    Problem,
    Reading,
    Suggestion,
    Word,
    as_json,
    field_as_json,
    problem_as_json,
    words_as_json,
)
from ocr.extraction.rules import broken_rules, check
from ocr.extraction.values import InvalidValue, parse_kind, parse_value

__all__ = [
    "Box",
    "DocumentType",
    "Field",
    "FieldSpec",
    "InvalidType",
    "InvalidValue",
    "ItemsRule",
    "Kind",
    "LineItem",
    "OrderRule",
    "PageReading",
    "Problem",
    "Query",
    "Reading",
    "Rule",
    "Suggestion",
    "SumRule",
    "Word",
    "as_json",
    "check",
    "document_type",
    "field_as_json",
    "parse_kind",
    "parse_value",
    "problem_as_json",
    "read",
    "words",
    "words_as_json",
]


def read(
    blocks: Sequence[Mapping[str, Any]],
    document_type: DocumentType,
    *,
    warnings: Sequence[Any] = (),
    expense_documents: Sequence[Any] = (),
) -> Reading:
    """The named fields of one document, its line items, and the problems a person should look at.

    `blocks` are all pages together, every result page already collected; their order is the reading order.
    `warnings` are the engine's own (`ErrorCode`, `Pages`); `expense_documents` are AnalyzeExpense's `ExpenseDocuments`.
    Whatever the blocks hold, this raises nothing: what cannot be understood is ignored and counted in `unknown`, and
    a required field that is absent is a Field without a value plus a Problem.
    """
    layout = resolve(chain(blocks, expense.blocks(expense_documents)))
    order = _date_order(layout, document_type)
    fields = _fields(layout, document_type, order, expense_documents)
    items = expense.line_items(expense_documents, layout, document_type, date_order=order)
    items = items or line_items.from_tables(layout.tables, document_type, date_order=order)
    broken = _broken(fields, items, document_type)
    fields = tuple(
        with_problems(field, [*field.problems, *(each for each in broken if each.field == field.name)])
        for field in fields
    )
    return Reading(
        document_type=document_type.name,
        type_version=document_type.version,
        fields=fields,
        line_items=items,
        problems=(*_document_problems(layout, fields, document_type, warnings), *_all_problems(fields, items)),
        pages=layout.pages,
        unknown=layout.unknown,
    )


def words(blocks: Iterable[Mapping[str, Any]]) -> tuple[Word, ...]:
    """The words of one page's blocks in reading order, on the upright page."""
    return tuple(chain.from_iterable(page.words for page in resolve(blocks).pages))


def _date_order(layout: Layout, document_type: DocumentType) -> DateOrder:
    """The order that the document's own dates prove, else the type's."""
    printed = chain.from_iterable(dates.find(line.text) for line in layout.lines)
    return dates.proven_order(printed) or document_type.date_order


def _fields(
    layout: Layout, document_type: DocumentType, order: DateOrder, expense_documents: Sequence[Any]
) -> tuple[Field, ...]:
    found: tuple[Field, ...] = ()
    if document_type.fields:
        seen = context(layout, document_type, order)
        candidates = chain(expense.candidates(seen, expense_documents), labelled(seen), finders.found(seen))
        choices = choose(candidates, document_type)
        found = tuple(field_of(spec, choices.get(spec.name), date_order=order) for spec in document_type.fields)
    if document_type.every_pair is not None:
        found += tuple(pairs.as_fields(layout.pairs, document_type.every_pair))
    return found


def _broken(fields: Sequence[Field], items: Sequence[LineItem], document_type: DocumentType) -> list[Problem]:
    values = {field.name: field.value for field in fields}
    rows = [{cell.name: cell.value for cell in item.cells} for item in items]
    return list(broken_rules(values, rows, document_type))


def _all_problems(fields: Sequence[Field], items: Sequence[LineItem]) -> tuple[Problem, ...]:
    cells = chain.from_iterable(item.cells for item in items)
    return tuple(problem for field in chain(fields, cells) for problem in field.problems)


def _document_problems(
    layout: Layout, fields: Sequence[Field], document_type: DocumentType, warnings: Sequence[Any]
) -> list[Problem]:
    problems = [_warning(each) for each in warnings]
    required = [field for field in fields if field.required]
    if not any(page.words for page in layout.pages) and not any(field.text for field in fields):
        problems.append(Problem("missing", None, "No text was found on the document.", "no_text"))
    elif len(required) > 1 and not any(field.text for field in required):
        sentence = f"None of the required fields was found; is this a document of the type {document_type.label}?"
        problems.append(Problem("unclear_type", None, sentence, "no_required_field"))
    elif not any(field.text or field.value for field in fields):
        problems.append(Problem("missing", None, "No field was found on the document.", "no_field"))
    return problems


def _warning(warning: Any) -> Problem:
    """What the engine itself says it could not do. Source: Textract's Warning shape, ErrorCode and Pages."""
    members = warning if isinstance(warning, Mapping) else {}
    code = str(members.get("ErrorCode") or "unknown")
    numbers = [str(page) for page in members.get("Pages") or ()]
    if not numbers:
        return Problem("partial_result", None, f"A part of the document could not be read ({code}).", code)
    pages = f"Page {numbers[0]}" if len(numbers) == 1 else f"Pages {', '.join(numbers[:-1])} and {numbers[-1]}"
    return Problem("partial_result", None, f"{pages} could not be read completely ({code}).", code)
