"""Names that are underlined, with a text under them: "Objective" over a paragraph."""

from collections.abc import Sequence
from itertools import pairwise

from deploy.local.textract.layout import Box, Placed, Row, Segment, Sheet
from deploy.local.textract.pairing import LONGEST_KEY, Candidate, Label, is_colon, says_something

UNDERLINED = 0.88
"""How sure a pairing is, before the reading of its words is looked at."""

LEAST = 3
"""Such names that a page has at least: a single one is its title."""

ASIDE, CLOSE = 0.7, 0.9
"""Line heights that the lines of a text begin beside their name at most, and stand apart from it and from one another."""

MOST_LINES, MOST_BESIDE = 20, 2
"""Lines of such a text, and such names in a row: more of them head the columns of a table."""


def underlined(rows: Sequence[Row], sheet: Sheet) -> list[Candidate]:
    """The names that a line underlines from end to end, each with the lines under it up to a blank one or the next name."""
    names = [
        (number, segment, end)
        for number, row in enumerate(rows)
        if len(row) <= MOST_BESIDE and all(_is_name(segment, sheet) for segment in row)
        for segment, end in _with_ends(row)
    ]
    found = [
        Candidate(Label(name.words, (), None, colon=False, row=number, last=True), value, UNDERLINED)
        for number, name, end in names
        if (value := _text(name.box, end, rows[number + 1 : number + 1 + MOST_LINES], sheet))
    ]
    return found if len(found) >= LEAST else []


def _with_ends(row: Row) -> list[tuple[Segment, float]]:
    """The segments of a row, each with where the next one begins."""
    return [*((left, right.box.left) for left, right in pairwise(row)), (row[-1], float("inf"))]


def _is_name(segment: Segment, sheet: Sheet) -> bool:
    """Whether the line under a piece of text is no longer than it."""
    strokes = {sheet.filled(word) for word in segment.words}
    if len(strokes) != 1 or len(segment.words) > LONGEST_KEY or not says_something(segment.words):
        return False
    stroke = strokes.pop()
    return stroke is not None and sheet.strokes[stroke].width < segment.box.width + sheet.line_height


def _text(name: Box, end: float, rows: Sequence[Row], sheet: Sheet) -> tuple[Placed, ...]:
    found: list[Placed] = []
    bottom = name.bottom
    for row in rows:
        line = next((each for each in row if name.left - sheet.line_height <= each.box.left < end), None)
        if line is None:
            continue
        aside, apart = abs(line.box.left - name.left), line.box.top - bottom
        if max(aside / ASIDE, apart / CLOSE) > sheet.line_height or _says_otherwise(line, sheet):
            break
        found += line.words
        bottom = line.box.bottom
    return tuple(found)


def _says_otherwise(line: Segment, sheet: Sheet) -> bool:
    """Whether the line is another name, or has a label in it."""
    return any(is_colon(word.text) or sheet.filled(word) is not None for word in line.words)
