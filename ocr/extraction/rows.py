"""The printed rows of a page: which lines stand beside each other, and what lies right of or below a piece of text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ocr.extraction.blocks import Span, union
from ocr.extraction.reading import Box, Word

_SAME_ROW = 0.5  # of the lower line's height: how far two middles may be apart
_BELOW = 3.5  # line heights: how far below its label a value may stand
_ROWS_BELOW = 3


class Line(NamedTuple):
    """A line and its place: `row` counts the page's rows from the top, `place` the lines of the row from the left."""

    span: Span
    box: Box
    row: int
    place: int


class Rows:
    """All lines of a document, row by row, page by page. Lines without a box are left out."""

    def __init__(self, lines: Sequence[Span], slopes: Mapping[int, float]) -> None:
        by_page: dict[int, list[tuple[float, Span, Box]]] = defaultdict(list)
        for span in lines:
            box = span.box
            if box is not None:
                x, y = box.centre
                # a skewed page: what y would be if the lines ran level
                by_page[span.page].append((y - slopes.get(span.page, 0.0) * x, span, box))
        self._rows = {page: list(_rows(found)) for page, found in sorted(by_page.items())}
        self._lines = [line for rows in self._rows.values() for row in rows for line in row]

    def __iter__(self) -> Iterator[Line]:
        """Every line, from the top row of the first page on, left to right."""
        return iter(self._lines)

    def on_page(self, page: int) -> list[list[Line]]:
        return self._rows.get(page, [])

    def right_of(self, line: Line) -> list[Line]:
        """The lines behind this one in its row, nearest first."""
        return self._rows[line.span.page][line.row][line.place + 1 :]

    def left_of(self, line: Line) -> list[Line]:
        """The lines before this one in its row, nearest last."""
        return self._rows[line.span.page][line.row][: line.place]

    def below(self, line: Line, box: Box) -> Line | None:
        """The nearest line under the box (part of the line), close enough to belong to it."""
        rows = self._rows[line.span.page]
        for row in rows[line.row + 1 : line.row + 1 + _ROWS_BELOW]:
            under = [each for each in row if _overlaps(each.box, box)]
            if under:
                nearest = min(under, key=lambda each: abs(each.box.left - box.left))
                return nearest if nearest.box.top - box.bottom <= _BELOW * box.height else None
        return None

    def alone_below(self, line: Line) -> Line | None:
        """What stands by itself in the row under a line that stands by itself, wherever: tills print an amount so when it is wide."""
        rows = self._rows[line.span.page][line.row : line.row + 2]
        if len(rows) < 2 or len(rows[0]) > 1 or len(rows[1]) > 1:
            return None
        near = rows[1][0].box.top - line.box.bottom <= line.box.height
        return rows[1][0] if near else None


def words_at(span: Span, start: int, end: int) -> tuple[Word, ...]:
    """The words of a span that the characters from `start` to `end` of its text belong to."""
    found, at = [], 0
    for word in span.words:
        if at >= end:
            break
        if at + len(word.text) > start:
            found.append(word)
        at += len(word.text) + 1
    return tuple(found)


def box_of(words: Sequence[Word], otherwise: Box | None) -> Box | None:
    """The box around some words, or the other one when none of them has a place."""
    return union([word.box for word in words]) or otherwise


@dataclass(slots=True)
class _Group:
    """Lines on their way to a row, with the sum of their levels and the least height."""

    lines: list[tuple[Span, Box]]
    levels: float
    height: float

    def takes(self, level: float, box: Box) -> bool:
        return level - self.levels / len(self.lines) <= _SAME_ROW * min(box.height, self.height)

    def add(self, level: float, span: Span, box: Box) -> None:
        self.lines.append((span, box))
        self.levels += level
        self.height = min(self.height, box.height)


def _rows(found: list[tuple[float, Span, Box]]) -> Iterator[list[Line]]:
    groups: list[_Group] = []
    for level, span, box in sorted(found, key=lambda each: each[0]):
        if groups and groups[-1].takes(level, box):
            groups[-1].add(level, span, box)
        else:
            groups.append(_Group([(span, box)], level, box.height))
    for number, group in enumerate(groups):
        ordered = sorted(group.lines, key=lambda each: each[1].left)
        yield [Line(span, box, number, place) for place, (span, box) in enumerate(ordered)]


def _overlaps(one: Box, other: Box) -> bool:
    return one.left < other.right and other.left < one.right
