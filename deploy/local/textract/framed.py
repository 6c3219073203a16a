"""What stands in the cells that ruled lines shut in: captions in their corners, with what is filled in under them."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, takewhile
from statistics import median

from deploy.local.textract import labels
from deploy.local.textract.layout import Box, Placed, Row, Segment, Sheet, around
from deploy.local.textract.pairing import (
    LONGEST_KEY,
    LONGEST_WITH_COLON,
    Candidate,
    Label,
    has_digits,
    is_colon,
    said,
    says_something,
)

# How sure a pairing is, before the reading of its words is looked at.
NAMED = 0.91
LARGER, AS_LARGE = 0.92, 0.85
"""Of a caption with larger letters under it, and of one with letters of its own size."""

MORE = 1.15
"""How much taller the letters are that are filled in than those of a caption in small print."""

LESS_FOR_BRACKETS = 0.85
"""Share of the height of a line with brackets that is its letters'."""

LEAST_NAMED = 3
"""Rows of two cells of which the left one names the right one."""

LEAST_LINES = 4
"""Lines of a cell from which on it is read by itself."""

LEAST_ENTRIES = 3
"""Lines in a column of a table without lines between its rows."""

MOST_LINES, MOST_CAPTION_LINES = 7, 3
ROOM = 1.8
"""Heights of a caption that a cell has at least in which something may be filled in under it."""

_NUMBER = re.compile(r"[(-]?[\d.,'’]*\d[)-]?")

_Line = tuple[int, Row]
"""A row's number, and the segments of the row that stand in the cell."""


def cut(rows: Sequence[Row], sheet: Sheet) -> list[Row]:
    """The rows with their segments cut where one cell ends and another begins."""
    return [tuple(part for segment in row for part in _cut(segment, sheet.inside)) for row in rows]


def _cut(segment: Segment, inside: Mapping[int, int]) -> Iterator[Segment]:
    part: list[Placed] = []
    for word in segment.words:
        if part and inside.get(word.index) != inside.get(part[-1].index):
            yield Segment(tuple(part))
            part = []
        part.append(word)
    yield Segment(tuple(part))


def in_panels(rows: Sequence[Row], inside: Mapping[int, int]) -> list[Row]:
    """The rows with those of cells that hold several lines by themselves, cell after cell: what stands in another is not beside them."""
    count = Counter(cell for row in rows for cell in {inside.get(segment.words[0].index) for segment in row})
    panels = {cell for cell, lines in count.items() if cell is not None and lines >= LEAST_LINES}
    found: list[Row] = []
    waiting: dict[int | None, list[Row]] = {}
    for row in rows:
        parts: dict[int | None, list[Segment]] = {}
        for segment in row:
            cell = inside.get(segment.words[0].index)
            parts.setdefault(cell if cell in panels else None, []).append(segment)
        if not waiting.keys() & parts.keys() - {None}:
            found += chain.from_iterable(waiting.values())
            waiting = {}
        for panel, segments in parts.items():
            waiting.setdefault(panel, []).append(tuple(segments))
    return [*found, *chain.from_iterable(waiting.values())]


def framed(rows: Sequence[Row], sheet: Sheet) -> Iterator[Candidate]:
    """The captions of cells with what stands under them; the value is empty where a cell holds nothing but its caption."""
    grid = _Grid(sheet.cells, _by_cell(rows, sheet.inside), sheet.line_height)
    named = list(grid.named())
    beside = {word.index for each in named for word in (*each.label.words, *each.value)}
    yield from named
    for number, lines in grid.lines.items():
        if len(lines) <= MOST_LINES and not (grid.heads_column(number) or grid.is_column(number)):
            for each in _in_cell(sheet.cells[number], lines, sheet.line_height):
                if beside.isdisjoint(word.index for word in each.label.words):
                    yield each


class _Grid:
    """The cells of a page, what stands in them, and how they lie to one another."""

    def __init__(self, cells: Sequence[Box], lines: Mapping[int, Sequence[_Line]], height: float) -> None:
        self.lines = lines
        self._cells, self._height = cells, height

    def heads_column(self, number: int) -> bool:
        """Whether a cell is the name of a column of a table: it has no digit, and the cells under it hold one line each."""
        if any(has_digits(segment) for _, row in self.lines[number] for segment in row):
            return False
        first = self._under(number)
        second = self._under(first) if first is not None else None
        below = [self.lines.get(each, ()) for each in (first, second) if each is not None]
        if len(below) == 2 and all(len(lines) <= 1 for lines in below):
            return True
        return bool(below and below[0]) and has_digits(below[0][0][1][0])

    def is_column(self, number: int) -> bool:
        """Whether a cell is a column of a table whose rows have no lines between them, three or more: its neighbours have as many, or
        all of them but a heading or the name of a sum are numbers."""
        count = len(self.lines[number])
        if count < LEAST_ENTRIES:
            return False
        numbers = sum(_NUMBER.fullmatch(row[0].text) is not None for _, row in self.lines[number])
        if numbers >= max(LEAST_ENTRIES, count - 1):
            return True
        level = [n for n, each in enumerate(self._cells) if n != number and self._level(self._cells[number], each)]
        return sum(len(self.lines.get(each, ())) == count for each in level) >= 2

    def named(self) -> Iterator[Candidate]:
        """Cells in two columns, three rows or more, of which the left ones name what stands in the right ones.

        Where both hold more than one line, each has a caption of its own.
        """
        runs: list[list[tuple[int, int]]] = []
        for left, right in self._twos():
            run = next((each for each in runs if self._continues(each[-1], (left, right))), None)
            if run is None:
                runs.append([(left, right)])
            else:
                run.append((left, right))
        for run in runs:
            captioned = sum(min(len(self.lines.get(each, ())) for each in cells) > 1 for cells in run)
            if len(run) >= LEAST_NAMED and 2 * captioned < len(run) and all(self._is_name(left) for left, _ in run):
                for left, right in run:
                    number, words = self._words(left)
                    colon = is_colon(words[-1].text)
                    label = Label(words, (), None, colon=colon, row=number, last=True)
                    yield Candidate(label, self._words(right)[1], NAMED)

    def _twos(self) -> Iterator[tuple[int, int]]:
        """Two cells side by side that have no other neighbours."""
        for number, cell in enumerate(self._cells):
            beside = [n for n, each in enumerate(self._cells) if n != number and self._level(cell, each)]
            if len(beside) == 1 and abs(self._cells[beside[0]].left - cell.right) <= 0.5 * self._height:
                yield number, beside[0]

    def _level(self, one: Box, other: Box) -> bool:
        return max(abs(one.top - other.top), abs(one.bottom - other.bottom)) <= 0.5 * self._height

    def _continues(self, above: tuple[int, int], below: tuple[int, int]) -> bool:
        """Whether two cells have the columns of the two above them, at some distance too: a heading may stand between them."""
        pairs = [(self._cells[one], self._cells[other]) for one, other in zip(above, below, strict=True)]
        return all(max(abs(a.left - b.left), abs(a.right - b.right)) <= 0.5 * self._height for a, b in pairs)

    def _is_name(self, number: int) -> bool:
        words = self._words(number)[1]
        if not 0 < len(words) <= LONGEST_KEY or len(self.lines[number]) > 2 or not says_something(words):
            return False
        return not has_digits(Segment(words[1:])) if len(words) > 1 else True

    def _words(self, number: int) -> tuple[int, tuple[Placed, ...]]:
        lines = self.lines.get(number, ())
        words = tuple(word for _, row in lines for segment in row for word in segment.words)
        return (lines[0][0] if lines else 0), words

    def _under(self, number: int) -> int | None:
        above = self._cells[number]
        return next((n for n, each in enumerate(self._cells) if _is_right_under(above, each, self._height)), None)


def _is_right_under(above: Box, below: Box, height: float) -> bool:
    ends = max(abs(above.left - below.left), abs(above.right - below.right))
    return ends <= 0.5 * height and abs(below.top - above.bottom) <= 0.5 * height


def _by_cell(rows: Sequence[Row], inside: Mapping[int, int]) -> dict[int, list[_Line]]:
    found: dict[int, dict[int, list[Segment]]] = defaultdict(dict)
    for number, row in enumerate(rows):
        for segment in row:
            cell = inside.get(segment.words[0].index)
            if cell is not None:
                found[cell].setdefault(number, []).append(segment)
    return {cell: [(number, tuple(some)) for number, some in lines.items()] for cell, lines in found.items()}


def _in_cell(cell: Box, lines: Sequence[_Line], height: float) -> Iterator[Candidate]:
    if _has_label_and_value(lines[0][1]) or sum(_has_label_and_value(row) for _, row in lines) > len(lines) // 3:
        return  # "Name: Ada" is found by its colon; "Attn: Ada" stands in the middle of an address
    if len(lines) > 2 and 2 * sum(len(row) > 1 for _, row in lines) > len(lines):
        return  # rows of labels and values, or of a table
    lines = [lines[0], *takewhile(lambda line: not _is_dated(line[1]), lines[1:])]
    count, larger = _caption_lines(lines)
    if count < 0:
        yield from _captioned(lines[count:], lines[:count], LARGER if larger else AS_LARGE, height)
    elif len(lines) == 1:
        yield from _empty(cell, lines[0])
    elif larger or not _is_text(cell, lines, height):
        yield from _captioned(lines[:count], lines[count:], LARGER if larger else AS_LARGE, height)


def _has_label_and_value(row: Row) -> bool:
    return any(is_colon(word.text) for segment in row for word in segment.words[:-1])


def _is_dated(row: Row) -> bool:
    """Whether the line begins with the label of a date, as under a signature: "Date: 3/4/26"."""
    first = row[0].words[0].text
    return is_colon(first) and labels.kind_of(first) == labels.DATE


def _caption_lines(lines: Sequence[_Line]) -> tuple[int, bool]:
    """How many lines at the top are the caption (a negative number: at the bottom), and whether its letters are smaller."""
    heights = [_height(row) for _, row in lines]
    for count in range(1, min(MOST_CAPTION_LINES + 1, len(lines))):
        if min(heights[count:]) >= MORE * max(heights[:count]):
            return count, True
    if len(lines) > 1 and min(heights[:-1]) >= MORE * heights[-1]:
        return -1, True
    first, last = (tuple(word for segment in row for word in segment.words) for _, row in (lines[0], lines[-1]))
    return (-1 if not says_something(first) and says_something(last) else 1), False


def _height(row: Row) -> float:
    """How tall the letters of a line are: brackets make the box of one taller than its letters."""
    words = [word for segment in row for word in segment.words]
    brackets = any(c in "()[]" for c in said(words))
    return median(word.box.height for word in words) * (LESS_FOR_BRACKETS if brackets else 1.0)


def _empty(cell: Box, line: _Line) -> Iterator[Candidate]:
    """The captions of a cell in which nothing stands but them: they stand at its top and leave room."""
    number, row = line
    box = around(segment.box for segment in row)
    if cell.height >= ROOM * box.height and box.middle < cell.top + 0.45 * cell.height:
        for segment in row:
            if _is_caption(segment):
                yield Candidate(Label(segment.words, (), None, colon=False, row=number, last=True), (), AS_LARGE)


def _is_text(cell: Box, lines: Sequence[_Line], height: float) -> bool:
    """Whether the lines are those of a text: the first word of the second had no more room behind the first."""
    first, second = (row for _, row in lines[:2])
    going_on = second[0].words[0]
    return going_on.text[0].islower() and first[-1].box.right + going_on.box.width + height > cell.right


def _captioned(captions: Sequence[_Line], values: Sequence[_Line], margin: float, height: float) -> Iterator[Candidate]:
    """Each caption with what stands under or above it: several side by side have columns of their own."""
    number, names = captions[0]
    if len(captions) > 1 or len(names) == 1:
        words = tuple(word for _, row in captions for segment in row for word in segment.words)
        names = (Segment(words),)
    if not all(_is_caption(name) for name in names):
        return
    ends = [*(name.box.left - height / 2 for name in names[1:]), float("inf")]
    begin = float("-inf")
    for name, end in zip(names, ends, strict=True):
        value = tuple(
            word for _, row in values for segment in row if begin <= segment.box.left < end for word in segment.words
        )
        begin = end
        colon = is_colon(name.words[-1].text)
        label = Label(name.words, (), labels.kind_of(name.text), colon=colon, row=number, last=True)
        yield Candidate(label, value, margin)


def _is_caption(segment: Segment) -> bool:
    first = segment.words[0].text
    begins = first[0].isupper() or first[0] in "(#" or len(segment.words) > 1
    leads = segment.text.endswith(("..", "--", "__"))  # to a value in its own row
    return begins and not leads and len(segment.words) <= LONGEST_WITH_COLON and says_something(segment.words)
