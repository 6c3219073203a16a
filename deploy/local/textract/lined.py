"""Ruled lines to fill in whose names stand under or over them: "(Signature)", "Last name"."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from deploy.local.textract import labels
from deploy.local.textract.layout import Box, Placed, Row, Segment, Sheet, around
from deploy.local.textract.pairing import LONGEST_KEY, Candidate, Label, is_colon, said, says_something

UNDER, OVER = 0.9, 0.88
"""How sure a pairing is, before the reading of its words is looked at."""

LEAST = 3
"""So many lines of a page have such a name at least, unless we know one of the names."""

CLOSE, HIGH = 0.75, 2.7
"""Line heights between a line and its name under it, and between a line and the lower edge of its name over it."""


@dataclass(frozen=True, slots=True)
class _Line:
    box: Box
    value: tuple[Placed, ...]
    under: tuple[Placed, ...]
    over: tuple[Placed, ...]


def lined(rows: Sequence[Row], sheet: Sheet) -> list[Candidate]:
    """The names under the lines of a page, or those over them where more lines have these, each with what stands upon its line.

    Where they stand over the lines, one under a line counts that has none over it.
    """
    row_of = {word.index: number for number, row in enumerate(rows) for segment in row for word in segment.words}
    places = _Places(rows, sheet)
    lines = [line for number in range(len(sheet.strokes)) if (line := places.line(number))]
    over = sum(bool(line.over) for line in lines)
    under = sum(bool(line.under) for line in lines)
    named = [(line.under if under >= over else line.over or line.under, line) for line in lines]
    found = [(name, line) for name, line in named if name]
    if len(found) < LEAST and not any(labels.kind_of(_text(name)) for name, _ in found):
        return []
    return [
        Candidate(_label(name, row_of[name[0].index]), line.value, UNDER if name is line.under else OVER)
        for name, line in found
    ]


def _label(name: tuple[Placed, ...], row: int) -> Label:
    return Label(name, (), None, colon=is_colon(name[-1].text), row=row, last=True)


def _text(words: Iterable[Placed]) -> str:
    return " ".join(word.text for word in words)


def _is_value(words: Sequence[Placed]) -> bool:
    """Whether it is a date or ends with a number or an amount."""
    ends = words[-1].text
    number = ends.isdigit() and len(words) <= 2
    amount = any(c.isdigit() for c in ends) and labels.fits(ends, labels.MONEY)
    return number or amount or labels.fits(_text(words), labels.DATE)


class _Places:
    """Lines to fill in, and the pieces of text around them."""

    def __init__(self, rows: Sequence[Row], sheet: Sheet) -> None:
        self._sheet, self._height = sheet, sheet.line_height
        self._segments = [segment for row in rows for segment in row]
        self._words = [word for segment in self._segments for word in segment.words]
        self._running = self._underlining_a_part()
        # what stands behind a label with a colon is its value
        self._answers = {
            right.words[0].index for row in rows for left, right in pairwise(row) if is_colon(left.words[-1].text)
        }

    def _underlining_a_part(self) -> set[int]:
        """The strokes under a part of a piece of text."""
        found: set[int] = set()
        for segment in self._segments:
            upon = {self._sheet.filled(word) for word in segment.words}
            if len(upon) > 1:
                found.update(number for number in upon if number is not None)
        return found

    def line(self, number: int) -> _Line | None:
        """The line of that number, when it is one to fill in that has no name beside it."""
        stroke = self._sheet.strokes[number]
        value = tuple(word for word in self._words if self._sheet.filled(word) == number)
        written = around(word.box for word in value) if value else None
        if written and stroke.width < written.width + self._height:
            return None  # it underlines what stands upon it
        if number in self._sheet.edges or number in self._running or self._named_beside(stroke):
            return None
        floor = written.top if written else stroke.top - self._height
        return _Line(stroke, value, self._under(stroke), self._over(stroke, floor))

    def _under(self, stroke: Box) -> tuple[Placed, ...]:
        found = [
            segment
            for segment in self._segments
            if self._spans(stroke, segment.box)
            and -0.35 * self._height <= segment.box.top - stroke.top <= CLOSE * self._height
        ]
        return self._name(found)

    def _over(self, stroke: Box, floor: float) -> tuple[Placed, ...]:
        found = [
            segment
            for segment in self._segments
            if self._spans(stroke, segment.box)
            and segment.box.bottom <= floor + 0.3 * self._height
            and stroke.top - segment.box.bottom <= HIGH * self._height
        ]
        lowest = max((segment.box.bottom for segment in found), default=0.0)
        name = self._name([segment for segment in found if segment.box.bottom >= lowest - 0.5 * self._height])
        return name if name and abs(name[0].box.left - stroke.left) <= self._height else ()

    def _spans(self, stroke: Box, box: Box) -> bool:
        """Whether a piece of text reaches beyond the line on neither side."""
        return stroke.left - self._height <= box.left and box.right <= stroke.right + self._height

    def _name(self, segments: Sequence[Segment]) -> tuple[Placed, ...]:
        """The words, when they may name a line: few, no value themselves, and no piece of something longer."""
        name = tuple(word for segment in sorted(segments, key=lambda s: s.box.left) for word in segment.words)
        if not 0 < len(name) <= LONGEST_KEY or not says_something(name):
            return ()
        if any(self._sheet.filled(word) is not None or is_colon(word.text) for word in name):
            return ()
        whole = said(name).count("(") == said(name).count(")")
        return name if whole and not _is_value(name) and name[0].index not in self._answers else ()

    def _named_beside(self, stroke: Box) -> bool:
        """Whether words that stand upon no line end right before it, at its height."""
        return any(
            -0.5 * self._height <= stroke.left - word.box.right <= 1.5 * self._height
            and abs(stroke.top - word.box.bottom) <= 0.6 * self._height
            and self._sheet.filled(word) is None
            for word in self._words
        )
