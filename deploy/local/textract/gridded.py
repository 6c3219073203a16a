"""Tables that ruled lines draw whole: cells in rows and columns, of which the first row names the columns."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from deploy.local.textract.layout import Box, Placed, Segment, Sheet
from deploy.local.textract.pairing import is_colon, said, says_something

LEAST_ROWS, LEAST_COLUMNS = 3, 3
MOST_LINES = 3
"""Lines of a cell; one with more is a panel of its own."""
LONGEST_NAME = 6
"""Words of a column's name."""
NEARLY_ALL = 0.8
"""Share of the filled cells of a column that are numbers, where it is one of numbers."""

_WORD = re.compile(r"[^\W\d_]{3}")
_NUMBERED = re.compile(r"[^\W\d_]{3,}\.?(?: no\.?)? #?\d{1,2}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of cells, each as many as the first row has, and the words in them."""

    rows: tuple[tuple[Box, ...], ...]
    words: tuple[tuple[tuple[Placed, ...], ...], ...]

    @property
    def names(self) -> tuple[Segment, ...]:
        """What stands in its first row."""
        return tuple(Segment(words) for words in self.words[0] if words)

    @property
    def numbers(self) -> frozenset[int]:
        return frozenset(word.index for row in self.words for words in row for word in words)


def grids(sheet: Sheet) -> list[Grid]:
    """The grids of a page whose first row names their columns, from the top."""
    if len(sheet.cells) < LEAST_ROWS * LEAST_COLUMNS:
        return []
    near = 0.5 * sheet.line_height
    levels = _levels(sheet.cells, near)
    found, taken = [], set[Box]()
    for number, level in enumerate(levels):
        for names in _side_by_side([cell for cell in level if cell not in taken], near):
            rows = [names, *_under(names, levels[number + 1 :], near)]
            taken.update(cell for row in rows for cell in row)
            words = tuple(tuple(_held(cell, sheet.words) for cell in row) for row in rows)
            fits = all(_lines(each) <= MOST_LINES for row in words for each in row)
            if len(rows) >= LEAST_ROWS and fits and _is_named(words):
                found.append(Grid(tuple(rows), words))
    return found


def _levels(cells: Sequence[Box], near: float) -> list[list[Box]]:
    """The cells that begin and end at one height, from the top, each level from left to right."""
    levels: list[list[Box]] = []
    for cell in sorted(cells, key=lambda each: (each.top, each.left)):
        level = next((each for each in levels if _is_level(each[0], cell, near)), None)
        if level is None:
            levels.append([cell])
        else:
            level.append(cell)
    return [sorted(level, key=lambda cell: cell.left) for level in levels]


def _is_level(one: Box, other: Box, near: float) -> bool:
    return max(abs(one.top - other.top), abs(one.bottom - other.bottom)) <= near


def _side_by_side(level: Sequence[Box], near: float) -> list[tuple[Box, ...]]:
    """Three cells or more of a level with nothing between them."""
    groups: list[list[Box]] = []
    for cell in level:
        if groups and abs(cell.left - groups[-1][-1].right) <= near:
            groups[-1].append(cell)
        else:
            groups.append([cell])
    return [tuple(group) for group in groups if len(group) >= LEAST_COLUMNS]


def _under(names: tuple[Box, ...], levels: Sequence[Sequence[Box]], near: float) -> Iterator[tuple[Box, ...]]:
    """The rows one right under the other whose cells are as wide as those of the first; a few that were not seen are filled in."""
    bottom = names[0].bottom
    for level in levels:
        seen = [next((cell for cell in level if _is_as_wide(name, cell, near)), None) for name in names]
        there = [cell for cell in seen if cell is not None]
        if len(there) <= len(names) / 2 or abs(there[0].top - bottom) > near:
            continue
        top, bottom = there[0].top, there[0].bottom
        yield tuple(cell or Box(name.left, top, name.right, bottom) for name, cell in zip(names, seen, strict=True))


def _is_as_wide(name: Box, cell: Box, near: float) -> bool:
    return max(abs(name.left - cell.left), abs(name.right - cell.right)) <= near


def _held(cell: Box, words: Sequence[Placed]) -> tuple[Placed, ...]:
    """The words whose middle lies in a cell."""
    return tuple(
        word
        for word in words
        if cell.top <= word.box.middle <= cell.bottom
        and cell.left <= (word.box.left + word.box.right) / 2 <= cell.right
    )


def _is_named(words: Sequence[Sequence[Sequence[Placed]]]) -> bool:
    """Whether the first row names what stands under it: the corner is empty and words stand in all other cells, or numbers stand under
    two of the names at least."""
    names, entries = words[0], words[1:]
    if not all(map(_may_name, names[1:])) or (names[0] and not _may_name(names[0])):
        return False
    if not names[0]:
        return all(says_something(row[0]) for row in entries)
    columns = [[row[column] for row in entries if row[column]] for column in range(len(names))]
    return sum(_is_of_numbers(column) for column in columns) >= 2


def _is_of_numbers(column: Sequence[Sequence[Placed]]) -> bool:
    count = sum(map(_is_number, column))
    return count >= 2 and count >= NEARLY_ALL * len(column)


def _is_number(words: Sequence[Placed]) -> bool:
    text = _text(words)
    return any(map(str.isdigit, text)) and not _WORD.search(text)


def _may_name(words: Sequence[Placed]) -> bool:
    if not words or len(words) > LONGEST_NAME or not says_something(words) or is_colon(words[-1].text):
        return False
    return not any(map(str.isdigit, said(words))) or _NUMBERED.fullmatch(_text(words)) is not None


def _text(words: Sequence[Placed]) -> str:
    return " ".join(word.text for word in words)


def _lines(words: Sequence[Placed]) -> int:
    """How many lines the words of a cell stand in."""
    ordered = sorted(words, key=lambda word: word.box.middle)
    return 1 + sum(below.box.top > above.box.middle for above, below in pairwise(ordered)) if words else 0
