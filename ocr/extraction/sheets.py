"""What operations say beside blocks, page by page: expense documents, identity documents, lending results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from ocr.extraction import expense, identity, lending
from ocr.extraction.blocks import Layout
from ocr.extraction.document_types import DateOrder, DocumentType
from ocr.extraction.named import Named, Operation
from ocr.extraction.reading import LineItem
from ocr.extraction.tolerant import counted, listed, members

# Where each operation lists its values.
_FIELDS: Mapping[Operation, tuple[str, ...]] = {
    "expense": ("SummaryFields",),
    "identity": ("IdentityDocumentFields",),
    "lending": ("LendingFields", "SignatureDetections"),
}


class Sheet(NamedTuple):
    """What one operation says of one page. `page` is None where its fields name their pages themselves."""

    operation: Operation
    said: Any
    page: int | None
    page_class: str = ""


class Sheets:
    """All that an answer says beside its blocks.

    `expense_documents` and `identity_documents` are the members of these names of AnalyzeExpense and AnalyzeID; `lending_results`
    are the `Results` of the lending analysis, which holds documents of all three kinds. Each identity document is a page
    of its own: its blocks say nothing of it.
    """

    def __init__(self, expense_documents: Any = (), identity_documents: Any = (), lending_results: Any = ()) -> None:
        self._all = (
            *(Sheet("expense", each, None) for each in listed(expense_documents)),
            *(Sheet("identity", each, page) for page, each in enumerate(listed(identity_documents), 1)),
            *chain.from_iterable(_of_result(each) for each in listed(lending_results)),
        )

    def __bool__(self) -> bool:
        return bool(self._all)

    @property
    def pages(self) -> tuple[int, ...]:
        return tuple(sheet.page for sheet in self._all if sheet.page is not None)

    @property
    def unknown(self) -> Mapping[str, int]:
        """What was passed over, and how often: documents, results and fields that are no objects."""
        return Counter(told for sheet in self._all for told in _strange(sheet))

    def blocks(self) -> Iterator[Any]:
        """The text blocks that newer answers hold inside each document, on its page."""
        for sheet in self._all:
            for block in listed(members(sheet.said).get("Blocks")):
                placed = members(block) if sheet.page is not None else None
                yield {**placed, "Page": sheet.page} if placed else block

    def named(self, layout: Layout) -> Iterator[Named]:
        """Every value that an operation names itself."""
        return chain.from_iterable(_named(sheet, layout) for sheet in self._all)

    def line_items(self, layout: Layout, document_type: DocumentType, *, date_order: DateOrder) -> tuple[LineItem, ...]:
        """The line items of the expense documents."""
        documents = ((sheet.said, sheet.page) for sheet in self._all if sheet.operation == "expense")
        return expense.line_items(documents, layout, document_type, date_order=date_order)


def _of_result(result: Any) -> Iterator[Sheet]:
    told = members(result)
    page, page_class = counted(told.get("Page")), lending.page_class(told)
    yield Sheet("lending", None if told else result, page, page_class)  # a page counts though nothing was found on it
    for each in listed(told.get("Extractions")):
        extraction = members(each)
        yield Sheet("lending", extraction.get("LendingDocument"), page, page_class)
        yield Sheet("expense", extraction.get("ExpenseDocument"), page)
        yield Sheet("identity", extraction.get("IdentityDocument"), page)


def _strange(sheet: Sheet) -> Iterator[str]:
    if _is_strange(sheet.said):
        yield "not_a_document"
    for member in _FIELDS[sheet.operation]:
        for field in listed(members(sheet.said).get(member)):
            if _is_strange(field):
                yield "not_a_field"


def _is_strange(found: Any) -> bool:
    """Whether it is something and no object; null is absent."""
    return found is not None and not isinstance(found, Mapping)


def _named(sheet: Sheet, layout: Layout) -> Iterator[Named]:
    match sheet.operation:
        case "expense":
            return expense.named(sheet.said, layout, sheet.page)
        case "identity":
            return identity.named(sheet.said, layout, sheet.page or 1)
        case "lending":
            return lending.named(sheet.said, layout, sheet.page or 1, sheet.page_class)
