"""Reads a document page by page: what each page says is noted, its blocks are let go, and the end is what is noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Any

from ocr.extraction import cells, dates, eras, grid, named, sentences
from ocr.extraction.blocks import Layout, Pair, Table
from ocr.extraction.candidates import context, labelled, printed_dates
from ocr.extraction.document_types import DateOrder, DocumentType
from ocr.extraction.fields import Tally, choose, contradicted, field_of
from ocr.extraction.finders import finders_of
from ocr.extraction.labels import lexicon_of
from ocr.extraction.line_items import ItemTables
from ocr.extraction.pairs import PairFields
from ocr.extraction.reading import Field, LineItem, PageReading, Problem, Reading, Rotation
from ocr.extraction.rows import Rows
from ocr.extraction.rules import broken_rules
from ocr.extraction.sheets import Sheets
from ocr.extraction.tolerant import listed, members, number, text

# Nobody reviews more than this, and neither a page nor a result can hold it: the rest is left out, and that is told.
MOST_FIELDS = 20_000

FEW_WORDS = 5  # words that are taken to be legible on every page: one with two of them says little of itself


class Gathering:
    """What the pages of one document say, for one document type. `look` at each page, then take the `reading`.

    Which way round a day and a month stand may be proven on the last page only, so dates are read in every order that
    is still possible.
    """

    def __init__(self, document_type: DocumentType, sheets: Sheets) -> None:
        self._type = document_type
        self._sheets = sheets
        self._pages: dict[int, Rotation] = {}
        self._has_words = False
        self._legible: dict[int, tuple[int, int]] = {}
        self._unknown: Counter[str] = Counter()
        self._proofs: set[DateOrder] = set()
        self._is_american = False
        self._since: date | None = None
        self._tally = Tally()
        self._dated: dict[DateOrder, Tally] = {}
        self._finders = finders_of(document_type.fields)
        self._pairs = PairFields(document_type.every_pair, most=MOST_FIELDS) if document_type.every_pair else None
        self._tables = ItemTables(document_type, most=MOST_FIELDS)
        self._sheet_items: tuple[LineItem, ...] = ()
        specs = (*document_type.fields, *(document_type.line_items or ()))
        self._has_dates = any(spec.kind == "date" or spec.finder == "any_date" for spec in specs)

    def look(self, layout: Layout, *, last: bool) -> None:
        """Note what a page (or several that belong together) says; `last` when none follows."""
        for page, rotation in layout.rotations.items():
            self._pages.setdefault(page, rotation)
        for page in self._sheets.pages:
            self._pages.setdefault(page, 0)
        self._has_words = self._has_words or layout.has_words
        dated = printed_dates(layout) if self._has_dates else {}
        self._proofs |= dates.proofs(chain.from_iterable(dated.values()))
        if self._has_dates:
            self._look_for_countries([line.text for line in layout.lines])
        if self._type.fields:
            self._look_for_fields(layout, dated, self._orders(last=last))
            for page, (sure, read) in layout.legible.items():
                known = self._legible.get(page, (0, 0))
                self._legible[page] = known[0] + sure, known[1] + read
        if self._pairs is not None:
            self._pairs.look(self._named_values(layout))
        if self._type.line_items:
            self._look_for_items(layout)
        self._unknown.update(layout.unknown)

    def reading(self, warnings: Sequence[Any]) -> Reading:
        """The reading of all pages that were looked at."""
        fields, items = self._fields(), self._items()
        whole = not (self._tables.left_out or (self._pairs and self._pairs.left_out))
        broken = _broken(fields, items, self._type) if whole else []
        fields = tuple(_with(field, [each for each in broken if each.field == field.name]) for field in fields)
        return Reading(
            document_type=self._type.name,
            type_version=self._type.version,
            fields=fields,
            line_items=items,
            problems=(*self._problems(fields, warnings), *_all_problems(fields, items)),
            pages=tuple(PageReading(page, rotation) for page, rotation in sorted(self._pages.items())),
            unknown=dict(self._unknown + Counter(self._sheets.unknown)),
        )

    # --- looking

    def _look_for_countries(self, lines: Sequence[str]) -> None:
        """Note what the country that a page is from says of its dates."""
        self._is_american = self._is_american or dates.are_american(lines)
        self._since = max(filter(None, (self._since, eras.since(lines))), default=None)

    def _orders(self, *, last: bool) -> tuple[DateOrder, ...]:
        """Every order that the dates of the whole document may turn out to have; only ever fewer, the last page's is one."""
        default = self._type.date_order
        if last or len(self._proofs) > 1:
            return (self._order(),)
        proven = tuple(self._proofs)
        return tuple(dict.fromkeys((default, *(proven or ("day_first", "month_first")))))

    def _order(self) -> DateOrder:
        """The order that the document's own dates prove, else that of the country it says it is from, else the type's."""
        if len(self._proofs) == 1:
            return next(iter(self._proofs))
        return "month_first" if self._is_american and not self._proofs else self._type.date_order

    def _look_for_fields(
        self, layout: Layout, dated: Mapping[int, Sequence[dates.PrintedDate]], orders: Sequence[DateOrder]
    ) -> None:
        self._dated = {order: self._dated.get(order, Tally()) for order in orders}
        seen = context(layout, self._type, dated, orders[0])
        found = list(chain(named.candidates(seen, self._sheets.named(layout)), labelled(seen)))
        self._tally.add(each for each in found if seen.specs[each.name].kind != "date")
        self._dated[orders[0]].add(each for each in found if seen.specs[each.name].kind == "date")
        days = {name: spec for name, spec in seen.specs.items() if spec.kind == "date"}
        for order in orders[1:]:
            self._dated[order].add(labelled(replace(seen, specs=days, order=order)))
        for finder in self._finders:
            finder.look(seen)

    def _named_values(self, layout: Layout) -> Iterator[Pair]:
        """Page by page, however many pages are looked at together."""
        found = chain(layout.pairs, map(named.pair, self._sheets.named(layout)))
        if not (self._type.every_cell and layout.has_headers):
            return found
        return iter(sorted(chain(found, cells.pairs(layout)), key=lambda pair: pair.key.page))

    def _look_for_items(self, layout: Layout) -> None:
        self._sheet_items = self._sheets.line_items(layout, self._type, date_order=self._order())
        self._tables.look(layout.tables or self._printed_tables(layout))

    def _printed_tables(self, layout: Layout) -> Iterator[Table]:
        columns, summary = lexicon_of(self._type.line_items or ()), lexicon_of(self._type.fields)
        return grid.tables(Rows(layout.lines, layout.slopes), columns, summary, sorted(layout.rotations))

    # --- the end

    def _fields(self) -> tuple[Field, ...]:
        order = self._order()
        for finder in self._finders:
            tally = self._dated[order] if finder.spec.kind == "date" and order in self._dated else self._tally
            tally.add(finder.found(order))
        tallies = (self._tally, *(tally for each, tally in self._dated.items() if each == order))
        choices = choose(tallies, self._type, since=self._since)
        shares = {page: (sure + FEW_WORDS) / (read + FEW_WORDS) for page, (sure, read) in self._legible.items()}
        fields = [
            field_of(spec, choices.get(spec.name), date_order=order, legible=shares) for spec in self._type.fields
        ]
        return (*fields, *(self._pairs.fields if self._pairs else ()))

    def _items(self) -> tuple[LineItem, ...]:
        return self._sheet_items or self._tables.items(self._order())

    def _problems(self, fields: Sequence[Field], warnings: Sequence[Any]) -> list[Problem]:
        problems = [_warning(each) for each in listed(warnings)]
        required = [field for field in fields if field.required]
        if not self._has_words and not any(field.text or field.value for field in fields):
            problems.append(Problem("missing", None, "No text was found on the document.", "no_text"))
        elif len(required) > 1 and not any(field.text for field in required):
            sentence = sentences.WRONG_TYPE(label=self._type.label)
            problems.append(Problem("unclear_type", None, sentence, "no_required_field"))
        elif not any(field.text or field.value for field in fields):
            problems.append(Problem("missing", None, "No field was found on the document.", "no_field"))
        return [*problems, *self._left_out(fields)]

    def _left_out(self, fields: Sequence[Field]) -> Iterator[Problem]:
        """That the document holds more than is listed."""
        if self._pairs and self._pairs.left_out:
            told = _too_many(sentences.TOO_MANY_FIELDS, len(self._pairs.fields), self._pairs.left_out)
            yield Problem("partial_result", None, told, "too_many_fields")
        if self._tables.left_out and not self._sheet_items:
            told = _too_many(sentences.TOO_MANY_ROWS, self._tables.kept, self._tables.left_out)
            yield Problem("partial_result", None, told, "too_many_line_items")


def _too_many(pattern: sentences.Sentence, kept: int, more: int) -> str:
    return pattern(count_all=f"{kept + more:,}", count_kept=f"{kept:,}")


def _with(field: Field, broken: Sequence[Problem]) -> Field:
    return contradicted(field, broken) if broken else field


def _broken(fields: Sequence[Field], items: Sequence[LineItem], document_type: DocumentType) -> list[Problem]:
    if not document_type.rules:
        return []
    values = {field.name: field.value for field in fields}
    rows = [{cell.name: cell.value for cell in item.cells} for item in items]
    return list(broken_rules(values, rows, document_type))


def _all_problems(fields: Sequence[Field], items: Sequence[LineItem]) -> tuple[Problem, ...]:
    of_items = chain.from_iterable(item.cells for item in items)
    return tuple(problem for field in chain(fields, of_items) for problem in field.problems)


def _warning(warning: Any) -> Problem:
    """What the engine itself says it could not do. Source: Textract's Warning shape, ErrorCode and Pages."""
    told = members(warning)
    code = text(told.get("ErrorCode")) or "unknown"
    numbers = [str(page) for page in listed(told.get("Pages")) if number(page) is not None]
    if not numbers:
        return Problem("partial_result", None, sentences.PART_UNREAD(code=code), code)
    if len(numbers) == 1:
        return Problem("partial_result", None, sentences.PAGE_UNREAD(count=numbers[0], code=code), code)
    pages = sentences.PAGES_UNREAD(pages=", ".join(numbers[:-1]), count=numbers[-1], code=code)
    return Problem("partial_result", None, pages, code)
