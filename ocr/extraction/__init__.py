"""Turns Textract blocks into named, typed, checked fields, and says what a person should look at.

Plain Python: it knows neither Django nor AWS, opens no file and asks no clock. Document types are data
(`document_type`); `read` is the way in; `parse_value`, `parse_kind` and `check` hold the same rules for what a
person types.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from ocr.extraction.blocks import resolve
from ocr.extraction.document_types import (
    DocumentType,
    FieldSpec,
    FourEyes,
    InvalidType,
    ItemsRule,
    Kind,
    OrderRule,
    Query,
    Rule,
    SumRule,
    document_type,
)
from ocr.extraction.gathering import Gathering
from ocr.extraction.parts import Parts
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
from ocr.extraction.rules import check
from ocr.extraction.sheets import Sheets
from ocr.extraction.tolerant import decoded
from ocr.extraction.values import InvalidValue, parse_kind, parse_value

__all__ = [
    "Box",
    "DocumentType",
    "Field",
    "FieldSpec",
    "FourEyes",
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
    "decoded",
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
    blocks: Iterable[Mapping[str, Any] | Sequence[Mapping[str, Any]]],
    document_type: DocumentType,
    *,
    warnings: Sequence[Any] = (),
    expense_documents: Sequence[Any] = (),
    identity_documents: Sequence[Any] = (),
    lending_results: Sequence[Any] = (),
) -> Reading:
    """The named fields of one document, its line items, and the problems a person should look at.

    `blocks` are all pages together, or the parts in which a long answer comes: lists of blocks, taken one after the other
    and let go page by page, so a document of thousands of pages needs no more memory than some of them. Their order is
    the reading order. `warnings` are the engine's own (`ErrorCode`, `Pages`); `expense_documents` are AnalyzeExpense's
    `ExpenseDocuments`, `identity_documents` AnalyzeID's `IdentityDocuments`, `lending_results` the lending analysis' `Results`.
    Whatever the blocks hold, this raises nothing: what cannot be understood is ignored and counted in `unknown`, and
    a required field that is absent is a Field without a value plus a Problem.
    """
    sheets = Sheets(expense_documents, identity_documents, lending_results)
    gathering = Gathering(document_type, sheets)
    several, answer = _several_parts(blocks if isinstance(blocks, Iterable) else ())
    if several and not sheets:
        for page, last in _with_last(Parts(answer)):
            gathering.look(resolve(page), last=last)
    else:
        gathering.look(resolve([*_flat(answer), *sheets.blocks()] if sheets else _flat(answer)), last=True)
    return gathering.reading(warnings)


def words(blocks: Iterable[Mapping[str, Any]]) -> tuple[Word, ...]:
    """The words of one page's blocks in reading order, on the upright page."""
    return tuple(chain.from_iterable(page.words for page in resolve(blocks).pages))


def _several_parts(blocks: Iterable[Any]) -> tuple[bool, Iterable[Any]]:
    """Whether the answer comes in more than one part, and the whole of it again."""
    answer = iter(blocks)
    begin = list(islice(answer, 2))
    several = len(begin) > 1 and isinstance(begin[0], list | tuple)
    return several, blocks if isinstance(blocks, list) else chain(begin, answer)


def _flat(blocks: Iterable[Any]) -> list[Any]:
    whole = blocks if isinstance(blocks, list) else list(blocks)
    if {list, tuple}.isdisjoint(map(type, whole)):
        return whole
    return list(chain.from_iterable(each if isinstance(each, list | tuple) else (each,) for each in whole))


def _with_last(pages: Iterable[list[Any]]) -> Iterator[tuple[list[Any], bool]]:
    """Each one, and whether it is the last."""
    found = iter(pages)
    page = next(found, None)
    while page is not None:
        following = next(found, None)
        yield page, following is None
        page = following
