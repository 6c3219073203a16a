"""The words of a page in rows and columns, as an eye would group them."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from statistics import median

from deploy.local.textract.reading import Line, PageReading, Point, Quad, Stroke, Tick
from deploy.local.textract.seams import with_parted_words
from deploy.local.textract.typed import with_typed_boxes

GAP_WITHIN_LINE = 0.9
GAP_BETWEEN_LINES = 0.45
"""Widest blank inside a segment, in line heights: larger where the engine itself saw one line."""
COMMON_BAND = 0.5
LETTER = 0.5
"""How tall the round of a letter is at most, of the word's height; check boxes are taller."""
UPON_ABOVE, UPON_BELOW = 0.45, 0.4
"""How far above or below a word's lower edge the stroke may be that it stands upon, in heights of the word."""
IN_PRINT, IN_PRINT_ASIDE = (0.3, 0.72), 0.3
"""Where a line lies that is part of letters, in heights of these from their upper edge, and how far it sticks out."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the page turned upright, its skew taken out."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    def across(self, other: "Box") -> float:
        """How far both reach over the same columns; negative is the blank between them."""
        return min(self.right, other.right) - max(self.left, other.left)

    def along(self, other: "Box") -> float:
        """How far both reach over the same rows; negative is the blank between them."""
        return min(self.bottom, other.bottom) - max(self.top, other.top)


@dataclass(frozen=True, slots=True)
class Placed:
    """A word in its place. `index` is its number on the page in reading order, `line` that of its line."""

    index: int
    line: int
    text: str
    confidence: float
    box: Box


@dataclass(frozen=True, slots=True)
class Segment:
    """Words of one row with no wide blank between them."""

    words: tuple[Placed, ...]

    @property
    def box(self) -> Box:
        return around(word.box for word in self.words)

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


Row = tuple[Segment, ...]


@dataclass(frozen=True)
class Sheet:
    """A page laid out: its lines in reading order, and its rows of segments from the top."""

    lines: tuple[Line, ...]
    words: tuple[Placed, ...]
    rows: tuple[Row, ...]
    line_height: float
    width: float
    height: float
    strokes: tuple[Box, ...] = ()
    """Ruled lines that lie, each as a box without height."""
    upon: Mapping[int, int] = field(default_factory=dict)
    """For the number of each word that stands upon a stroke, that stroke's number."""
    ticks: tuple[tuple[Box, Tick], ...] = ()
    """The check boxes in their places."""
    cells: tuple[Box, ...] = ()
    inside: Mapping[int, int] = field(default_factory=dict)
    """For the number of each word that stands in a cell, that cell's number."""
    edges: frozenset[int] = frozenset()
    """The numbers of the strokes that are sides of cells."""

    def filled(self, word: Placed) -> int | None:
        """The number of the stroke to fill in that a word stands upon: the side of a cell with several lines is none."""
        stroke = self.upon.get(word.index)
        return None if stroke in self.edges and self.inside.get(word.index) in self._with_lines else stroke

    @cached_property
    def _with_lines(self) -> frozenset[int]:
        """The cells in which more than one line stands."""
        count = Counter(
            cell
            for row in self.rows
            for cell in {self.inside.get(word.index) for segment in row for word in segment.words}
        )
        return frozenset(cell for cell, lines in count.items() if cell is not None and lines > 1)


def lay_out(page: PageReading) -> Sheet:
    """The page's words grouped in rows by common height, each row from left to right."""
    page = with_parted_words(with_typed_boxes(page))
    straighten = _straightener(page)
    boxed = [(straighten(line.quad), line) for line in page.lines]
    rows = _bands(boxed)
    lines = tuple(line for row in rows for _, line in row)
    words: list[Placed] = []
    placed_rows: list[Row] = []
    line_number = 0
    for row in rows:
        placed: list[Placed] = []
        for _, line in row:
            for word in line.words:
                placed.append(
                    Placed(len(words) + len(placed), line_number, word.text, word.confidence, straighten(word.quad))
                )
            line_number += 1
        words += placed
        placed_rows.append(_segments(placed))
    heights = [box.height for box, _ in boxed]
    height = median(heights) if heights else 1.0
    strokes = tuple(straighten.stroke(stroke) for stroke in _written_upon(page.strokes, words, straighten))
    upon = _upon(words, strokes)
    ticks = tuple(
        (box, tick) for tick in page.ticks for box in [straighten(tick.quad)] if not _is_in_letter(box, words)
    )
    cells = tuple(straighten(cell) for cell in page.cells)
    inside = _inside(words, cells)
    edges = frozenset(number for number, stroke in enumerate(strokes) if _is_edge(stroke, cells, height))
    return Sheet(
        lines=lines,
        words=tuple(words),
        rows=tuple(placed_rows),
        line_height=height,
        width=page.width,
        height=page.height,
        strokes=strokes,
        upon=upon,
        ticks=ticks,
        cells=cells,
        inside=inside,
        edges=edges,
    )


def around(boxes: Iterable[Box]) -> Box:
    """The smallest rectangle that holds all of `boxes`."""
    all_boxes = list(boxes)
    return Box(
        min(box.left for box in all_boxes),
        min(box.top for box in all_boxes),
        max(box.right for box in all_boxes),
        max(box.bottom for box in all_boxes),
    )


class _Straightener:
    """Turns corners (fractions) to pixels and takes out the page's small skew."""

    def __init__(self, page: PageReading, angle: float) -> None:
        self._width, self._height = page.width, page.height
        self._cos, self._sin = math.cos(-angle), math.sin(-angle)

    def __call__(self, quad: Quad) -> Box:
        xs, ys = self._pixels(quad)
        return Box(min(xs), min(ys), max(xs), max(ys))

    def stroke(self, stroke: Stroke) -> Box:
        """A stroke at the height of its middle."""
        xs, ys = self._pixels((stroke.begin, stroke.end))
        return Box(min(xs), sum(ys) / 2, max(xs), sum(ys) / 2)

    def _pixels(self, points: Sequence[Point]) -> tuple[list[float], list[float]]:
        scaled = [(x * self._width, y * self._height) for x, y in points]
        xs = [x * self._cos - y * self._sin for x, y in scaled]
        return xs, [x * self._sin + y * self._cos for x, y in scaled]


def _straightener(page: PageReading) -> _Straightener:
    angles = []
    for line in page.lines:
        (x0, y0), (x1, y1), _, (x3, y3) = ((x * page.width, y * page.height) for x, y in line.quad)
        if math.hypot(x1 - x0, y1 - y0) > 5 * math.hypot(x3 - x0, y3 - y0):
            angles.append(math.atan2(y1 - y0, x1 - x0))
    return _Straightener(page, median(angles) if angles else 0.0)


def _written_upon(strokes: Iterable[Stroke], words: Sequence[Placed], straighten: "_Straightener") -> list[Stroke]:
    """The strokes without those of letters, and without dotted ones on which nothing stands: those lead from a label to a value."""
    lines = [(each, straighten.stroke(each)) for each in strokes]
    printed = [around(word.box for word in of_line) for _, of_line in groupby(words, key=lambda word: word.line)]
    return [
        stroke
        for stroke, line in lines
        if (_upon(words, [line]) if stroke.dotted else not any(_is_in_print(line, box) for box in printed))
    ]


def _is_in_print(line: Box, printed: Box) -> bool:
    """Whether a line lies among letters, above their lower edge: the feet of a typewriter's bold ones run together, as small print does."""
    aside = IN_PRINT_ASIDE * printed.height
    deep = (line.top - printed.top) / printed.height
    return (
        printed.left - aside <= line.left and line.right <= printed.right + aside and IN_PRINT[0] <= deep <= IN_PRINT[1]
    )


def _upon(words: Sequence[Placed], strokes: Sequence[Box]) -> dict[int, int]:
    """The stroke right under each word that has one, for most of its width."""
    found = {}
    for word in words:
        box = word.box
        for number, stroke in enumerate(strokes):
            deep = stroke.top - box.bottom
            if -UPON_ABOVE * box.height <= deep <= UPON_BELOW * box.height and box.across(stroke) >= 0.75 * box.width:
                found[word.index] = number
                break
    return found


def _is_edge(stroke: Box, cells: Sequence[Box], height: float) -> bool:
    """Whether a stroke is the side of a cell."""
    return any(
        stroke.across(cell) >= 0.7 * min(stroke.width, cell.width)
        and min(abs(stroke.top - cell.top), abs(stroke.top - cell.bottom)) <= 0.3 * height
        for cell in cells
    )


def _is_in_letter(tick: Box, words: Sequence[Placed]) -> bool:
    """Whether what looks like a check box is the round of a letter, half as tall as the word around it at most, or an 8 of a number."""
    x = (tick.left + tick.right) / 2
    return any(
        word.box.left <= x <= word.box.right
        and word.box.top <= tick.middle <= word.box.bottom
        and (tick.height <= LETTER * word.box.height or sum(c.isdigit() for c in word.text) > 2)
        for word in words
    )


def _inside(words: Sequence[Placed], cells: Sequence[Box]) -> dict[int, int]:
    """The cell in which the middle of each word lies that is in one, the smallest where one lies in another."""
    found = {}
    by_size = sorted(enumerate(cells), key=lambda item: item[1].width * item[1].height)
    for word in words:
        x, y = (word.box.left + word.box.right) / 2, word.box.middle
        for number, cell in by_size:
            if cell.left <= x <= cell.right and cell.top <= y <= cell.bottom:
                found[word.index] = number
                break
    return found


def _bands(boxed: Sequence[tuple[Box, Line]]) -> list[list[tuple[Box, Line]]]:
    """Lines that share half of their height stand in one row; a row keeps the height of its first line."""
    rows: list[tuple[Box, list[tuple[Box, Line]]]] = []
    for box, line in sorted(boxed, key=lambda item: item[0].middle):
        for band, members in reversed(rows[-3:]):
            if band.along(box) >= COMMON_BAND * min(band.height, box.height) and _free(members, box):
                members.append((box, line))
                break
        else:
            rows.append((box, [(box, line)]))
    return [sorted(members, key=lambda item: item[0].left) for _, members in rows]


def _free(members: Sequence[tuple[Box, Line]], box: Box) -> bool:
    """Whether no member already stands where `box` does: two lines one above the other are never one row."""
    return all(member.across(box) < 0.3 * min(member.width, box.width) for member, _ in members)


def _segments(placed: Sequence[Placed]) -> Row:
    groups: list[list[Placed]] = []
    for word in placed:
        if groups and _joined(groups[-1][-1], word):
            groups[-1].append(word)
        else:
            groups.append([word])
    return tuple(Segment(tuple(group)) for group in groups)


def _joined(left: Placed, right: Placed) -> bool:
    limit = GAP_WITHIN_LINE if left.line == right.line else GAP_BETWEEN_LINES
    return right.box.left - left.box.right <= limit * min(left.box.height, right.box.height)
