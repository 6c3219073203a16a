"""Tables found by columns that line up over several rows."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from deploy.local.textract import labels
from deploy.local.textract.beside import begins_with_items, without_side
from deploy.local.textract.gridded import Grid, grids
from deploy.local.textract.layout import Box, Placed, Row, Segment, Sheet, around
from deploy.local.textract.pairing import has_digits, is_colon, is_hint, is_phrase

LEAST_ROWS = 3
LEAST_COLUMNS = 2
NAMES, NEARLY_ALL = 3, 0.8
"""Names of columns side by side that are no known words, at least, and the share of numbers in two such columns."""
SURELY, LIKELY = 0.6, 0.4
"""Share of the words of a heading that name columns, and the same where it has three pieces and numbers in two columns under it."""
SOON = 2
"""Rows under a heading of which one is an item at least."""
_HEADINGS = """
    description item items sale sales u p amt artikel aantal prijs stuk btw totaal omschrijving bedrag pos
    beschreibung rabatt zeilenbetrag article product service details particulars qty quantity qnty units unit price rate
    amount total cost value sum tax vat gst disc discount code sku no nr pos ref date hours uom per net gross
    each ext extended debit credit balance transaction menge preis bezeichnung betrag einzelpreis gesamtpreis
    artikel einheit gesamt mwst ust quantite prix montant designation libelle name subtotal line part number
    days period type model summary rm usd eur inc ex incl excl
"""
HEADINGS = frozenset(_HEADINGS.split())
TOTAL = re.compile(r"^(sub\s?-?total|grand total|nett? total|total|amount due|balance due|thank)", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3}")
_CAPTION = re.compile(r"\d{1,2}[a-z]?[.)]\s?[A-Za-z]{2}")
SUMMARY = re.compile(
    r"^(vat|gst|tax\b|cash|change|summe|gesamt|zwischensumme|rounding|discount|shipping|payment|balance|terms)",
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
    """A table; its first `heading` rows name its columns, and `of_items` that they are known names. `confidence` in percent."""

    cells: tuple[Cell, ...]
    heading: int
    of_items: bool
    columns: int
    confidence: float

    @property
    def headed(self) -> bool:
        return self.heading > 0

    @property
    def box(self) -> Box:
        return around(cell.box for cell in self.cells)

    @property
    def word_numbers(self) -> frozenset[int]:
        return frozenset(word.index for cell in self.cells for word in cell.words)

    @property
    def named_numbers(self) -> frozenset[int]:
        """The numbers of the words in columns that have a name."""
        named = {cell.column for cell in self.cells if cell.row <= self.heading and cell.words}
        return frozenset(word.index for cell in self.cells if cell.column in named for word in cell.words)


def find_tables(sheet: Sheet) -> list[Table]:
    """The tables of a page from the top: those that ruled lines draw, others with a heading row found by it, others by columns alone."""
    tables, number = [], 0
    drawn = {min(grid.numbers): grid for grid in grids(sheet) if not _lists_items(grid, sheet)}
    taken = frozenset().union(*(grid.numbers for grid in drawn.values()))
    while number < len(sheet.rows):
        row = {word.index for segment in sheet.rows[number] for word in segment.words}
        tables += [_drawn(drawn[first]) for first in row & drawn.keys()]
        if not taken.isdisjoint(row):
            number += 1
            continue
        run = _run_from(sheet, number)
        table = _table(run, sheet) if run else None
        if run and table:
            tables.append(table)
            number += run.taken or len(run.rows)
        else:
            number += 1
    return tables


def _lists_items(grid: Grid, sheet: Sheet) -> bool:
    """Whether its names are those of a table of items, which ends with its sums."""
    names = {word.index for name in grid.names for word in name.words}
    rows = (
        number
        for number, row in enumerate(sheet.rows)
        if any(word.index in names for each in row for word in each.words)
    )
    return is_heading(grid.names) and any(run.known for number in rows if (run := _run_from(sheet, number)))


def _drawn(grid: Grid) -> Table:
    cells = tuple(
        Cell(row, column, words, around([box, *(word.box for word in words)]) if words else box)
        for row, (boxes, held) in enumerate(zip(grid.rows, grid.words, strict=True), start=1)
        for column, (box, words) in enumerate(zip(boxes, held, strict=True), start=1)
    )
    filled = sum(bool(cell.words) for cell in cells) / len(cells)
    return Table(cells, 1, of_items=False, columns=len(grid.rows[0]), confidence=round(min(99.0, 70 + 29 * filled), 2))


def item_words(tables: Sequence[Table]) -> frozenset[int]:
    """The numbers of the words in tables of items, and in others what stands under names: none are labels with values."""
    return frozenset().union(
        *(
            table.word_numbers if table.of_items else table.named_numbers
            for table in tables
            if table.headed and table.columns > 2
        )
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows of a table; the first `heading` of them name its columns, and `known` that by words of item tables.

    `taken` rows of the page were looked at for them, where that is more: beside a table a column of its own may stand.
    """

    rows: Sequence[Row]
    heading: int
    known: bool = False
    taken: int = 0


def _run_from(sheet: Sheet, start: int) -> _Run | None:
    """The rows of the table that begins at row `start`; None if no table does."""
    for within in _without_what_is_beside(sheet, start):
        if run := _items_from(within, start):
            last = run[-1][-1]
            taken = next(at for at, row in enumerate(sheet.rows[start:], 1) if any(each is last for each in row))
            return _Run(run, 1, known=True, taken=taken)
    run = _aligned_run(sheet, start)
    items = run[: next((n for n, row in enumerate(run) if n and _ends_items(row, run[0])), len(run))]
    if heading := _rows_of_names(items, sheet.line_height):
        return _Run(items, heading)
    return _Run(run, 0) if len(run) >= LEAST_ROWS else None


def _without_what_is_beside(sheet: Sheet, start: int) -> Iterator[Sheet]:
    """The page without a column left of the items that row `start` may name, and as it is."""
    row = sheet.rows[start]
    for first in range(len(row) - 1):
        names = row[first:]
        if is_heading(names) and begins_with_items(names) and not _share_known(row[:first]):
            within = without_side(sheet, start, names[0].box.left)
            if within is not sheet:
                yield within
    yield sheet


def _items_from(sheet: Sheet, start: int) -> Sequence[Row]:
    """The names of columns in row `start` and the items under them; nothing if there are none."""
    if not is_heading(sheet.rows[start]):
        return ()
    run = _headed_run(sheet, start)
    numbers = 1 if _share_known(sheet.rows[start]) >= SURELY else 2
    has_items = len(run) >= 2 and any(_numbers(row) >= numbers for row in run[1 : 1 + SOON])
    return run if has_items else ()


def _ends_items(row: Row, names: Row) -> bool:
    """Whether the row is a sum that has fewer pieces than the names of the columns, or holds labels with their values."""
    sums = len(row) < len(names) and _sums_up(row)
    return sums or _is_answered(row) or any(is_colon(each.words[-1].text) for each in row)


def _rows_of_names(run: Sequence[Row], height: float) -> int:
    """How many rows, two at most, name columns by words that we do not know: two of three columns hold numbers, in row after row.

    What names nothing but the row beside it has words and numbers in the same column, and labels over values begin anew.
    """
    first = next((number for number, row in enumerate(run) if any(map(_is_number, row))), 0)
    names, items = [segment for row in run[:first] for segment in row], run[first:]
    if not 1 <= first <= 2 or len(items) < 2 or len(run[0]) < NAMES:
        return 0
    if not all((is_phrase(each) or is_hint(each.words)) and not is_colon(each.text) for each in names):
        return 0
    if any(len(row) >= len(run[0]) and not any(map(has_digits, row)) for row in items):
        return 0
    columns = [[found for row in items if (found := _under(name, row, height))] for name in names]
    mere = any(_nearly_all(column, _is_mere_number) for column in columns)
    return first if mere and sum(_nearly_all(column, has_digits) for column in columns) >= 2 else 0


def _is_number(segment: Segment) -> bool:
    """Whether there is a digit in it, but not that of a unit under a name: "(g/m2)"."""
    return has_digits(segment) and not is_hint(segment.words)


def _nearly_all(column: Sequence[Sequence[Segment]], holds: Callable[[Segment], bool]) -> bool:
    """Whether it holds of nearly all that stands in a column, and of two pieces at least."""
    count = sum(any(map(holds, segments)) for segments in column)
    return count >= 2 and count >= NEARLY_ALL * len(column)


def _is_mere_number(segment: Segment) -> bool:
    """Whether it has a digit and no word of three letters: no address, and no date in words."""
    return has_digits(segment) and not _WORD.search(segment.text)


def _under(name: Segment, row: Row, height: float) -> list[Segment]:
    return [each for each in row if _stands_under(name.box, each.box, height)]


def _stands_under(above: Box, below: Box, height: float) -> bool:
    return above.across(below) > 0 or abs(above.left - below.left) <= height


def _numbers(row: Row) -> int:
    return sum(has_digits(segment) for segment in row)


def _share_known(row: Row) -> float:
    """Which share of the words of a row name columns."""
    words = [part for segment in row for word in segment.words for part in labels.plain(word.text).split()]
    return sum(word in HEADINGS for word in words) / max(1, len(words))


def is_heading(row: Row) -> bool:
    """Whether the row names columns of a table of items: "Description  Qty  Amount"."""
    words = [part for segment in row for word in segment.words for part in labels.plain(word.text).split()]
    known = _share_known(row)
    different = len(HEADINGS.intersection(words))
    digits = sum(any(c.isdigit() for c in word) for word in words)
    colons = any(word.text.endswith(":") for segment in row for word in segment.words)
    enough = known >= SURELY or (len(row) >= 3 and known >= LIKELY)
    return different >= 2 and enough and digits == 0 and not colons


def _headed_run(sheet: Sheet, start: int) -> Sequence[Row]:
    """The heading and the item rows under it, up to the sums, a wide blank, or text that no longer fits."""
    run = [sheet.rows[start]]
    heading = _row_box(sheet.rows[start])
    slack = 3 * sheet.line_height + 0.12 * sheet.width
    widest = 0.0
    for row in sheet.rows[start + 1 :]:
        box = _row_box(row)
        blank = box.top - _row_box(run[-1]).bottom
        # After some items, a blank twice as wide as any between them ends the table.
        settled = sum(len(item) > 1 for item in run) > 3
        limit = max(1.5 * sheet.line_height, 2 * widest) if settled else 2.5 * sheet.line_height
        outside = box.left < heading.left - slack or box.right > heading.right + slack
        outside = outside or (any(_is_framed(each, sheet) for each in run[:2]) and not _is_framed(row, sheet))
        if blank > limit or outside or _sums_up(row) or _is_answered(row) or _is_of_names(row, run):
            break
        widest = max(widest, blank)
        run.append(row)
    while len(run) > 1 and len(run[-1]) < 2:
        run.pop()
    return () if _are_captions(run, sheet) else run


def _are_captions(run: Sequence[Row], sheet: Sheet) -> bool:
    """Whether what seems a heading are captions in boxes: what stands under them is in the same cells, but nothing more."""
    cells = [{sheet.inside.get(segment.words[0].index) for segment in row} for row in run[:3]]
    return (
        len(cells) > 1
        and None not in cells[1]
        and cells[1] <= cells[0]
        and not (len(cells) > 2 and cells[2] <= cells[0])
    )


def _is_framed(row: Row, sheet: Sheet) -> bool:
    """Whether most of the row stands in cells."""
    return 2 * sum(segment.words[0].index in sheet.inside for segment in row) > len(row)


def _sums_up(row: Row) -> bool:
    """Whether the row is no item but a sum or what follows the sums; a lone "Tax: 2%" may still describe an item."""
    label = row[0].text.partition(":")[0]
    if len(row) == 1:
        return bool(TOTAL.match(label))
    return bool(TOTAL.match(label) or SUMMARY.match(label)) or labels.KINDS.get(labels.plain(label)) == labels.MONEY


def _is_of_names(row: Row, run: Sequence[Row]) -> bool:
    """Whether the row behind an item is one of names as its heading is, and no item: "Buyer  Date placed  Confirmed by"."""
    return len(run) > 1 and len(row) >= max(NAMES, len(run[0])) and all(map(is_phrase, row))


def _is_answered(row: Row) -> bool:
    """Whether the row is a label with a colon and words beside it, or captions with numbers ("25. Signature"): no item."""
    captions = sum(_CAPTION.match(segment.text) is not None for segment in row)
    labelled = is_colon(row[0].words[-1].text) and not any(map(has_digits, row))
    return len(row) > 1 and (labelled or captions >= 2)


def _aligned_run(sheet: Sheet, start: int) -> Sequence[Row]:
    """Following rows of which each has at least two segments that line up with those of the row before."""
    if len(sheet.rows[start]) < LEAST_COLUMNS:
        return ()
    run = [sheet.rows[start]]
    for row in sheet.rows[start + 1 :]:
        close = _row_box(row).top - _row_box(run[-1]).bottom <= 1.5 * sheet.line_height
        if not close or len(row) < LEAST_COLUMNS or _aligned(run[-1], row, sheet.line_height) < LEAST_COLUMNS:
            break
        if is_heading(row):
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


def _table(run: _Run, sheet: Sheet) -> Table | None:
    columns = _columns_under_headings(run) if run.heading else _columns_between_blanks(run.rows, sheet)
    if len(columns) < LEAST_COLUMNS:
        return None
    grid = [_cells_of(row, columns) for row in _without_wraps(run, columns)]
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
    sure = round(min(99.0, (70 if run.heading else 50) + 29 * filled), 2)
    return Table(tuple(cells), run.heading, run.known, len(columns), sure)


def _columns_between_blanks(run: Sequence[Row], sheet: Sheet) -> list[tuple[float, float]]:
    """Stretches that segments cover, parted where all rows are blank."""
    merged: list[list[float]] = []
    for left, right in sorted((segment.box.left, segment.box.right) for row in run for segment in row):
        if merged and left <= merged[-1][1] - 0.15 * sheet.line_height:
            merged[-1][1] = max(merged[-1][1], right)
        else:
            merged.append([left, right])
    return [(left, right) for left, right in merged]


def _columns_under_headings(run: _Run) -> list[tuple[float, float]]:
    """One column per heading, as wide as what stands under it alone, and more where items stand under none.

    What reaches under two headings (a long description) says nothing about where columns are.
    """
    columns = [[box.left, box.right] for box in _headings(run)]
    seeds = [(left, right) for left, right in columns]
    orphans: list[list[float]] = []
    for segment in (segment for row in run.rows[run.heading :] if len(row) > 1 for segment in row):
        under = [n for n, seed in enumerate(seeds) if _overlap(segment.box, seed) > 0]
        if len(under) == 1:
            columns[under[0]] = [
                min(columns[under[0]][0], segment.box.left),
                max(columns[under[0]][1], segment.box.right),
            ]
        elif not under:
            orphans.append([segment.box.left, segment.box.right])
    columns += _agreed(orphans, columns)
    pairs = [(column[0], column[1]) for column in columns]
    return sorted(pairs)


def _agreed(orphans: Sequence[Sequence[float]], columns: Sequence[Sequence[float]]) -> list[list[float]]:
    """Columns without a heading: at least two items stand one below the other, outside of all columns."""
    merged: list[list[float]] = []
    for left, right in sorted((orphan[0], orphan[1]) for orphan in orphans):
        if any(min(right, column[1]) > max(left, column[0]) for column in columns):
            continue
        if merged and left < merged[-1][1]:
            merged[-1] = [merged[-1][0], max(merged[-1][1], right), merged[-1][2] + 1]
        else:
            merged.append([left, right, 1])
    return [[left, right] for left, right, count in merged if count > 1]


def _headings(run: _Run) -> list[Box]:
    """The headings' places; words that the engine joined are parted where the items under them are apart, lines of one name joined."""
    places: list[Box] = []
    for segment in (segment for row in run.rows[: run.heading] for segment in row):
        apart = max(
            sum(_overlap(item.box, (segment.box.left, segment.box.right)) > 0 for item in row) for row in run.rows
        )
        parted = len(segment.words) > 1 and apart >= len(segment.words)
        for box in [word.box for word in segment.words] if parted else [segment.box]:
            over = [each for each in places if each.across(box) > 0 and each.bottom <= box.middle]
            places = [each for each in places if each not in over] + [around([*over, box])]
    return places


def _overlap(box: Box, column: Sequence[float]) -> float:
    return min(box.right, column[1]) - max(box.left, column[0])


def _cells_of(row: Sequence[Segment], columns: Sequence[tuple[float, float]]) -> list[tuple[Placed, ...]]:
    cells: list[list[Placed]] = [[] for _ in columns]
    for segment in row:
        place = _column_of(segment.words[0].box, columns)
        numbers = all(any(c.isdigit() for c in word.text) for word in segment.words)
        for before, word in zip((None, *segment.words[:-1]), segment.words, strict=True):
            wide = before is not None and word.box.left - before.box.right > 0.5 * word.box.height
            if before is None or numbers or wide:
                place = max(place, _column_of(word.box, columns))
            cells[place].append(word)
    return [tuple(cell) for cell in cells]


def _column_of(box: Box, columns: Sequence[tuple[float, float]]) -> int:
    return max(range(len(columns)), key=lambda n: _overlap(box, columns[n]))


def _without_wraps(run: _Run, columns: Sequence[tuple[float, float]]) -> list[list[Segment]]:
    """The segments of each row; a row that only goes on with the text of the row above joins it."""
    rows: list[list[Segment]] = []
    for number, row in enumerate(run.rows):
        begins = _column_of(row[0].box, columns) == 0 and any(c.isdigit() for c in row[0].text[:1])
        if number > run.heading > 0 and len(row) == 1 and not begins:
            rows[-1] += row
        else:
            rows.append(list(row))
    return rows
