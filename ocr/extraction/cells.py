"""What stands in a table under the name of its column, as pairs: for document types that take every pair."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ocr.extraction.blocks import Cell, Layout, Pair, Span, Table, joined

_HEADER = "COLUMN_HEADER"
_MOST_LINES = 8  # of a header
_MOST_COLUMNS = 200  # under one name: what an answer says of its spans may be nonsense
_NO_VALUES = frozenset((_HEADER, "TABLE_TITLE", "TABLE_SECTION_TITLE", "TABLE_FOOTER"))


def pairs(layout: Layout) -> Iterator[Pair]:
    """Each cell that has text and a header over it, with the header as its key, row by row.

    A cell of which every word stands in a pair, as its key or as its value, is left out.
    """
    paired = frozenset(_words_in_pairs(layout))
    for table in layout.tables:
        yield from _pairs(table, paired)


def _pairs(table: Table, paired: frozenset[str]) -> Iterator[Pair]:
    headers = _headers(table)
    for cell in table.cells:
        header, content = headers.get(cell.column), cell.content
        if header is None or not content.text or cell.roles & _NO_VALUES:
            continue
        printed, _ = content.as_read()
        if not printed or not paired.issuperset(printed):
            yield Pair(header, content, content.confidence, "table")


def _headers(table: Table) -> dict[int, Span]:
    """The name of each column that has one: of several lines all, from the top, as far as they span it."""
    named: dict[int, list[Span]] = defaultdict(list)
    for cell in table.cells:
        if _HEADER in cell.roles and cell.content.text:
            for column in _columns(cell):
                named[column].append(cell.content)
    return {column: whole for column, spans in named.items() if (whole := joined(spans[:_MOST_LINES])) is not None}


def _columns(cell: Cell) -> range:
    return range(cell.column, cell.column + min(max(1, cell.column_span), _MOST_COLUMNS))


def _words_in_pairs(layout: Layout) -> Iterator[str]:
    for pair in layout.pairs:
        yield from pair.key.as_read()[0]
        if pair.value is not None:
            yield from pair.value.as_read()[0]
