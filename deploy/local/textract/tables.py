"""Tables found by columns that line up over several rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.local.textract import labels
from deploy.local.textract.layout import Box, Placed, Row, Sheet, around

LEAST_ROWS = 3
LEAST_COLUMNS = 2
_HEADINGS = """
    description item items article product service details particulars qty quantity qnty units unit price rate
    amount total cost value sum tax vat gst disc discount code sku no nr pos ref date hours uom per net gross
    each ext extended debit credit balance transaction menge preis bezeichnung betrag einzelpreis gesamtpreis
    artikel einheit gesamt mwst ust quantite prix montant designation libelle name subtotal line part number
    days period type model summary rm usd eur inc ex incl excl
"""
HEADINGS = frozenset(_HEADINGS.split())
SUMMARY = re.compile(
    r"^(sub\s?-?total|grand total|total|nett? total|amount due|balance due|vat|gst|tax\b|cash|change|summe|"
    r"gesamt|zwischensumme|rounding|discount|shipping|payment|thank|notes?\b|terms|gst summary|balance)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell; `row` and `column` count from 1. It may be empty."""

    row: int
    column: int
    words: tuple[Placed, ...]
    box: Box


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its first row is a heading when `headed`. `confidence` in percent."""

    cells: tuple[Cell, ...]
    headed: bool
    columns: int
    confidence: float

    @property
    def box(self) -> Box:
        return around(cell.box for cell in self.cells)

    @property
    def word_numbers(self) -> frozenset[int]:
        return frozenset(word.index for cell in self.cells for word in cell.words)


def find_tables(sheet: Sheet) -> list[Table]:
    """The tables of a page from the top: those with a heading row first found by it, others by columns alone."""
    tables, number = [], 0
    while number < len(sheet.rows):
        run, headed = _run_from(sheet, number)
        table = _table(run, sheet, headed=headed) if run else None
        if table:
            tables.append(table)
            number += len(run)
        else:
            number += 1
    return tables


def item_words(tables: Sequence[Table]) -> frozenset[int]:
    """The numbers of the words in tables of items, which are no labels with values."""
    return frozenset().union(*(table.word_numbers for table in tables if table.headed and table.columns > 2))


def _run_from(sheet: Sheet, start: int) -> tuple[Sequence[Row], bool]:
    """The rows of the table that begins at row `start`, and whether that row is its heading; none if no table."""
    if _is_heading(sheet.rows[start]):
        run = _headed_run(sheet, start)
        if len(run) >= 2:
            return run, True
    run = _aligned_run(sheet, start)
    return (run, False) if len(run) >= LEAST_ROWS else ((), False)


def _is_heading(row: Row) -> bool:
    words = [part for segment in row for word in segment.words for part in labels.plain(word.text).split()]
    known = sum(word in HEADINGS for word in words)
    digits = sum(any(c.isdigit() for c in word) for word in words)
    colons = any(word.text.endswith(":") for segment in row for word in segment.words)
    return known >= 2 and known >= 0.6 * len(words) and digits == 0 and not colons and len(words) >= 2


def _headed_run(sheet: Sheet, start: int) -> Sequence[Row]:
    """The heading and the item rows under it, up to the sums, a wide blank, or text that no longer fits."""
    run = [sheet.rows[start]]
    heading = _row_box(sheet.rows[start])
    reach = Box(heading.left - 3 * sheet.line_height, 0, heading.right + 3 * sheet.line_height, 0)
    for row in sheet.rows[start + 1 :]:
        box = _row_box(row)
        blank = box.top - _row_box(run[-1]).bottom
        outside = box.left < reach.left - 0.12 * sheet.width or box.right > reach.right + 0.12 * sheet.width
        if blank > 2.5 * sheet.line_height or outside or SUMMARY.match(row[0].text):
            break
        run.append(row)
    while len(run) > 1 and len(run[-1]) < 2:
        run.pop()
    return run


def _aligned_run(sheet: Sheet, start: int) -> Sequence[Row]:
    """Following rows of which each has at least two segments that line up with those of the row before."""
    if len(sheet.rows[start]) < LEAST_COLUMNS:
        return ()
    run = [sheet.rows[start]]
    for row in sheet.rows[start + 1 :]:
        close = _row_box(row).top - _row_box(run[-1]).bottom <= 1.5 * sheet.line_height
        if not close or len(row) < LEAST_COLUMNS or _aligned(run[-1], row, sheet.line_height) < LEAST_COLUMNS:
            break
        if _is_heading(row):
            break
        run.append(row)
    return run


def _aligned(above: Row, below: Row, tolerance: float) -> int:
    """How many segments of `below` begin or end where one of `above` does."""
    return sum(
        any(
            abs(segment.box.left - other.box.left) <= 0.7 * tolerance
            or abs(segment.box.right - other.box.right) <= 0.7 * tolerance
            for other in above
        )
        for segment in below
    )


def _row_box(row: Row) -> Box:
    return around(segment.box for segment in row)


def _table(run: Sequence[Row], sheet: Sheet, *, headed: bool) -> Table | None:
    columns = _columns(run, sheet, headed=headed)
    if len(columns) < LEAST_COLUMNS:
        return None
    grid = [_cells_of(row, columns) for row in _without_wraps(run, columns, headed=headed)]
    cells = []
    for row_number, row in enumerate(grid, start=1):
        band = around(word.box for words in row for word in words)
        for column_number, (words, (left, right)) in enumerate(zip(row, columns, strict=True), start=1):
            box = Box(left, band.top, right, band.bottom)
            cells.append(
                Cell(row_number, column_number, words, around([box, *(w.box for w in words)]) if words else box)
            )
    if len(grid) < 2:
        return None
    filled = sum(bool(cell.words) for cell in cells) / len(cells)
    return Table(tuple(cells), headed, len(columns), round(min(99.0, (70 if headed else 50) + 29 * filled), 2))


def _columns(run: Sequence[Row], sheet: Sheet, *, headed: bool) -> list[tuple[float, float]]:
    """Left and right of each column: stretches that segments cover, parted where all rows are blank.

    Rows with a single segment do not count: a long description or a title would bridge every gap.
    """
    spans = sorted((s.box.left, s.box.right) for row in run if len(row) > 1 for s in _split(row, run, headed=headed))
    merged: list[list[float]] = []
    for left, right in spans:
        if merged and left <= merged[-1][1] - 0.15 * sheet.line_height:
            merged[-1][1] = max(merged[-1][1], right)
        else:
            merged.append([left, right])
    return [(left, right) for left, right in merged]


def _split(row: Row, run: Sequence[Row], *, headed: bool) -> list[Placed]:
    """The row's segments, as one box each; headings that the engine joined are cut into words where items are apart."""
    parts: list[Placed] = []
    for segment in row:
        cut = headed and row is run[0] and len(segment.words) > 1 and len(row) < max(map(len, run))
        pieces = [(word,) for word in segment.words] if cut else [segment.words]
        parts += [Placed(p[0].index, p[0].line, "", 0.0, around(w.box for w in p)) for p in pieces]
    return parts


def _cells_of(row: Sequence[Placed], columns: Sequence[tuple[float, float]]) -> list[tuple[Placed, ...]]:
    cells: list[list[Placed]] = [[] for _ in columns]
    for word in row:
        cells[_column_of(word.box, columns)].append(word)
    return [tuple(cell) for cell in cells]


def _column_of(box: Box, columns: Sequence[tuple[float, float]]) -> int:
    return max(range(len(columns)), key=lambda n: min(box.right, columns[n][1]) - max(box.left, columns[n][0]))


def _without_wraps(run: Sequence[Row], columns: Sequence[tuple[float, float]], *, headed: bool) -> list[list[Placed]]:
    """The words of each row; a row that only goes on with the text of the row above joins it."""
    rows: list[list[Placed]] = []
    for number, row in enumerate(run):
        words = [word for segment in row for word in segment.words]
        wraps = headed and number > 1 and len(row) == 1 and not any(c.isdigit() for c in row[0].text[:1])
        if wraps and rows:
            rows[-1] += words
        else:
            rows.append(words)
    return rows
