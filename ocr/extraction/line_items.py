"""The item table of a document: which table it is, what its columns mean, and its rows as line items."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from ocr.extraction import values
from ocr.extraction.blocks import Cell, Span, Table, ids_of, union
from ocr.extraction.candidates import strange_words
from ocr.extraction.document_types import DateOrder, DocumentType, FieldSpec, ItemsRule, SumRule
from ocr.extraction.fields import absent, judged
from ocr.extraction.labels import Lexicon, lexicon_of
from ocr.extraction.reading import Field, LineItem, Problem
from ocr.extraction.rules import decimal

_FEWEST_COLUMNS = 2  # a header that names fewer known columns is no item table
_HEADER_ROWS = 3  # the header is one of the first rows; above it may stand a title
_NUMERIC = ("amount", "number")
# A row that only says what those above make together: carried to the next page or from the last one, or paid.
_SAYS_A_SUM = re.compile(
    r"\W*(?:(?:carr(?:ied|y)|brought)\W?(?:over|forward|down|fwd)|(?:balance|total|amount) [cb]/[fd]|[cb]/[fd]\b|running total|page total"
    r"|[àa] reporter|report\b|transport\b|[üu]bertrag|zwischensumme|[àa] riportare|riporto|suma y sigue|suma anterior|a transportar"
    r"|do przeniesienia|z przeniesienia|transporteren|siirto|paid\b|payment|mastercard|visa\b|amex|american express|maestro|cash\b"
    r"|sum(?:a|ma|me)?\b|somme\b|(?:net )?value of goods|warenwert|importe bruto"
    r"|(?:credit|debit) ?card|bezahlt|zahlung|kreditkarte|paiement|pago\b|pagamento)",
    re.IGNORECASE,
)
_RATE_BEFORE = re.compile(r"\A\W*\d{1,2}(?:[.,]\d{1,3})?\s?%\s*")  # '25 % moms'
_SUMMARY_ROLES = frozenset(("TABLE_SUMMARY", "TABLE_FOOTER"))
_TITLE_ROLES = frozenset(("TABLE_SECTION_TITLE", "TABLE_TITLE"))


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which column of a table holds which line-item field; below `header_row` the items begin."""

    header_row: int
    by_name: Mapping[str, int]


class _Row(NamedTuple):
    """One row of an item table: what stands in the known columns."""

    page: int
    contents: Mapping[str, Span | None]


class ItemTables:
    """The rows of every table whose header names the type's columns, as they come page by page.

    A table without a header continues the one before it when it is as wide (an item table that runs over pages).
    Beyond `most` cells further rows are counted in `left_out` and not kept.
    """

    def __init__(self, document_type: DocumentType, *, most: int) -> None:
        self._specs = document_type.line_items or ()
        self._columns, self._summary = lexicon_of(self._specs), lexicon_of(document_type.fields)
        self._amounts = {spec.name for spec in document_type.fields if spec.kind == "amount"}
        self._totals = {rule.equals for rule in document_type.rules if isinstance(rule, SumRule)}
        summed = {rule.column for rule in document_type.rules if isinstance(rule, ItemsRule)}
        self._summed = next((spec for spec in self._specs if spec.name in summed), None)
        self._most = most // max(1, len(self._specs))
        self._known: tuple[_Columns, int] | None = None
        self._rows: list[_Row] = []
        self._above = Decimal(0)  # what the items of a table come to
        self._is_closed = False  # whether its total was read
        self.left_out = 0

    def look(self, tables: Iterable[Table]) -> None:
        for table in tables:
            width = max((cell.column + cell.column_span - 1 for cell in table.cells), default=0)
            found = _columns(table, self._columns)
            if found is None and self._known is not None and self._known[1] == width:
                found = replace(self._known[0], header_row=0)
            self._known = (found, width) if found else None
            for row in self._items(table, found) if found else ():
                self._keep(row)

    @property
    def kept(self) -> int:
        return len(self._rows)

    def items(self, date_order: DateOrder) -> tuple[LineItem, ...]:
        """The line items, numbered over all pages."""
        return tuple(self._item(number, row, date_order) for number, row in enumerate(self._without_sums(), 1))

    def _keep(self, row: _Row) -> None:
        if len(self._rows) >= self._most:
            self.left_out += 1
            return
        for content in row.contents.values():
            _ = content and (content.words, content.box)  # made while their page is there
        self._rows.append(row)

    def _items(self, table: Table, columns: _Columns) -> Iterator[_Row]:
        if columns.header_row:
            self._above, self._is_closed = Decimal(0), False
        for row, cells in _by_row(table).items():
            if row <= columns.header_row or not any(cell.content.text for cell in cells):
                continue
            made = _Row(table.page, {name: _content(cells, column) for name, column in columns.by_name.items()})
            if self._is_summary(cells, made.contents):
                self._is_closed = self._is_closed or self._closes(cells, made)
                continue
            is_after = self._is_closed and len(_numbers(made.contents, self._specs)) < _FEWEST_COLUMNS
            is_title = all(cell.roles & _TITLE_ROLES for cell in cells)
            if not is_title and not is_after and _is_item(made.contents, self._specs):
                self._above += self._amount(made)
                yield made

    def _closes(self, cells: Sequence[Cell], row: _Row) -> bool:
        """Whether it is the total of more than the items above, of which a tax is part: what follows is withheld, paid or due.

        The total of a section is their sum, and items may follow.
        """
        first = next(cell.content.text for cell in cells if cell.content.text)
        return bool(self._labelled(first) & self._totals) and self._amount(row) > self._above > 0

    def _is_summary(self, cells: Sequence[Cell], contents: Mapping[str, Span | None]) -> bool:
        """A row whose first text is the label of a whole document's amount, such as 'Total'.

        With one number at most also one whose first text is the label of another field or begins with an amount's ('Total now due'),
        that has such a label in a later cell (a note stands beside the sums), or that names nothing: what its amount is says a column
        of no item. With more of them it names nothing and begins with an amount's label: 'VAT 9 % on 38.03   3.42'.
        """
        if any(cell.roles & _SUMMARY_ROLES for cell in cells):
            return True
        first, *others = [cell.content.text for cell in cells if cell.content.text]
        labelled = self._labelled(first)
        if labelled & self._amounts:
            return True
        if len(_numbers(contents, self._specs)) > 1:
            return self._begins_with_an_amount(first) and self._names_nothing(cells, contents)
        if labelled:
            return True
        begins = self._begins_with_an_amount(first)
        several = sum(spec.kind in _NUMERIC and spec.name in contents for spec in self._specs) > 1
        later = any(self._amounts & self._labelled(each) for each in others)
        return bool(begins and several) or later or self._names_nothing(cells, contents)

    def _begins_with_an_amount(self, text: str) -> bool:
        return any(mention.name in self._amounts for mention in self._summary.names(_RATE_BEFORE.sub("", text)))

    def _names_nothing(self, cells: Sequence[Cell], contents: Mapping[str, Span | None]) -> bool:
        """Whether words or a rate stand in the row, but nothing in a column that says what the item is."""
        naming = [contents[spec.name] for spec in self._specs if spec.kind not in _NUMERIC and spec.name in contents]
        filled = any(content is not None and content.text for content in naming)
        printed = "".join(cell.content.text for cell in cells)
        return not filled and ("%" in printed or (bool(naming) and any(map(str.isalpha, printed))))

    def _without_sums(self) -> Iterator[_Row]:
        """The rows without those that only say what the rows above make together: '1,383.35', 'Carried forward 1,383.35'."""
        above, since, is_named, kept = Decimal(0), Decimal(0), False, 0
        for row in self._rows:
            amount, names = self._amount(row), self._names_something(row)
            says_a_sum = not names or (kept > 1 and self._names_a_sum(row))
            if amount and says_a_sum and is_named and amount in (above, since):
                since = Decimal(0)
                continue
            above, since, is_named, kept = above + amount, since + amount, is_named or names, kept + 1
            yield row

    def _amount(self, row: _Row) -> Decimal:
        """What the row adds to the sum of the items; nothing where no such rule is."""
        spec = self._summed
        content = row.contents.get(spec.name) if spec else None
        found = values.find_values(content.text, spec) if spec and content else ()
        return decimal(found[0].value) or Decimal(0) if found else Decimal(0)

    def _names_a_sum(self, row: _Row) -> bool:
        """Whether it is called as what is carried on or was paid is, and has no number but its amount."""
        if len(_numbers(row.contents, self._specs)) > 1:
            return False
        naming = [row.contents.get(spec.name) for spec in self._specs if spec.kind not in _NUMERIC]
        return any(content is not None and _SAYS_A_SUM.match(content.text) for content in naming)

    def _names_something(self, row: _Row) -> bool:
        naming = (row.contents.get(spec.name) for spec in self._specs if spec.kind not in _NUMERIC)
        return any(content is not None and any(map(str.isalpha, content.text)) for content in naming)

    def _labelled(self, text: str) -> set[str]:
        """The fields whose label the text is, apart from fillers and a rate before it."""
        text = _RATE_BEFORE.sub("", text)
        found = self._summary.names(text)
        return {mention.name for mention in found if not strange_words(text[mention.end :])}

    def _item(self, number: int, row: _Row, date_order: DateOrder) -> LineItem:
        cells = (
            cell_of(spec, row.contents.get(spec.name), number=number, date_order=date_order) for spec in self._specs
        )
        return LineItem(number, row.page, tuple(cells))


def _columns(table: Table, lexicon: Lexicon) -> _Columns | None:
    for row, cells in list(_by_row(table).items())[:_HEADER_ROWS]:
        by_name: dict[str, tuple[float, int]] = {}
        for cell in cells:
            for mention in lexicon.names(cell.content.text):
                known = by_name.get(mention.name)
                # two columns may bear the same name ('Price', 'Amount'); the stronger label wins, then the right one
                if known is None or mention.strength >= known[0]:
                    by_name[mention.name] = (mention.strength, cell.column)
        columns = {name: column for name, (_, column) in by_name.items()}
        if len(set(columns.values())) >= _FEWEST_COLUMNS:
            return _Columns(row, columns)
    return None


def _by_row(table: Table) -> dict[int, list[Cell]]:
    rows: dict[int, list[Cell]] = defaultdict(list)
    for cell in table.cells:
        rows[cell.row].append(cell)
    return rows


def _is_item(contents: Mapping[str, Span | None], specs: Sequence[FieldSpec]) -> bool:
    """A row that holds a number in one of the columns of numbers at least, or has no such column at all."""
    has_such = any(spec.kind in _NUMERIC and spec.name in contents for spec in specs)
    return not has_such or bool(_numbers(contents, specs))


def _numbers(contents: Mapping[str, Span | None], specs: Sequence[FieldSpec]) -> list[Span]:
    """What holds a number in the columns of numbers."""
    numeric = [(spec, contents.get(spec.name)) for spec in specs if spec.kind in _NUMERIC]
    return [content for spec, content in numeric if content and values.find_values(content.text, spec)]


def _content(cells: Sequence[Cell], column: int) -> Span | None:
    for cell in cells:
        if cell.column <= column < cell.column + cell.column_span:
            return cell.content
    return None


def cell_of(spec: FieldSpec, content: Span | None, *, number: int, date_order: DateOrder, why: str = "table") -> Field:
    """The cell of line item `number` that a piece of print makes; certain and empty without one."""
    if content is None or not content.text:
        return absent(spec)
    scores = [word.confidence for word in content.words if word.confidence is not None]
    found = values.find_values(content.text, spec, date_order=date_order)
    field = Field(
        name=spec.name,
        label=spec.label,
        group=spec.group,
        kind=spec.kind,
        value=(found[0].value or None) if found else None,
        text=content.text,
        confidence=content.confidence,
        word_confidence=min(scores, default=None),
        mean_word_confidence=sum(scores) / len(scores) if scores else None,
        page=content.page,
        box=union([word.box for word in content.words]) or content.box,
        word_ids=ids_of(content.words),
        source="textract",
        why=why,
        state="open" if spec.required else "certain",
        required=spec.required,
        threshold=spec.threshold,
    )
    field = judged(field, spec, date_order=date_order)
    return field._replace(problems=_named(field.problems, number, spec.name)) if field.problems else field


def _named(problems: Sequence[Problem], number: int, name: str) -> tuple[Problem, ...]:
    """The problems as those of a cell."""
    return tuple(
        each._replace(field=f"line_items.{number}.{name}", message=f"Row {number}: {each.message}") for each in problems
    )
