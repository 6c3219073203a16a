"""Labels that we do not know, told by how they stand above or beside one another."""

from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile, zip_longest

from deploy.local.textract import labels
from deploy.local.textract.layout import Box, Placed, Row, Segment, around
from deploy.local.textract.pairing import (
    LONGEST_KEY,
    Candidate,
    Label,
    centred,
    has_digits,
    is_colon,
    is_phrase,
    says_something,
)

# How sure a pairing is, before the reading of its words is looked at.
LISTED, LISTED_OFTEN = 0.74, 0.8
LEAST_LISTED, OFTEN = 3, 6
"""Rows of a list of labels and values, and from how many on it is one surely."""
HEADED = 0.72
CAPTIONED = 0.8
SMALL, LARGER = 0.85, 1.3
"""How tall a caption is at most, in line heights, and how much taller the letters under it are at least."""

_Unit = tuple[int, Segment, Segment]
"""A row's number and two of its segments side by side."""


def listed(rows: Sequence[Row], height: float) -> Iterator[Candidate]:
    """Labels that we do not know, in a list: three or more in a column, each with one value, these in a column too.

    One or two more elsewhere on the page in the columns of such a list belong to it.
    """
    runs = [run for run in _runs(rows, height) if not _is_of_words(run, rows)]
    lists = [run for run in runs if len(run) >= LEAST_LISTED]
    for run in runs:
        alike = [each for each in lists if each is not run and _share_columns(each[0], run[0], height)]
        count = len(run) + sum(map(len, alike))
        if len(run) >= LEAST_LISTED or alike:
            for number, left, right in run:
                label = Label(left.words, (), None, colon=False, row=number, last=True)
                yield Candidate(label, right.words, LISTED_OFTEN if count >= OFTEN else LISTED)


def _runs(rows: Sequence[Row], height: float) -> list[list[_Unit]]:
    """Units of which each stands right under the one before it, in its columns."""
    ended: list[list[_Unit]] = []
    runs: list[list[_Unit]] = []
    for number, row in enumerate(rows):
        going_on: list[list[_Unit]] = []
        for left, right, after in zip_longest(row, row[1:], row[2:]):
            if right is None or (after is not None and labels.DECIMALS.search(after.text)):  # the row of a table
                continue
            if not is_phrase(left) or is_colon(left.words[-1].text) or is_colon(right.words[-1].text):
                continue
            unit = (number, left, right)
            run = next((each for each in runs if _continues(each[-1], unit, height)), [])
            going_on.append([*run, unit])
        taken = {id(run[-2]) for run in going_on if len(run) > 1}
        ended += (run for run in runs if id(run[-1]) not in taken)
        runs = going_on
    return [*ended, *runs]


def head_of(segment: Segment, above: Row, number: int, height: float) -> Label:
    """A column's name, with its first line when it has two."""
    first = [each for each in above if is_phrase(each) and each.box.across(segment.box) > 0]
    first = [each for each in first if segment.box.top - each.box.bottom <= 0.5 * height]
    words = (first[0].words if len(first) == 1 else ()) + segment.words
    return Label(words, (), None, colon=False, row=number, last=True, heads=True)


def _is_of_words(run: Sequence[_Unit], rows: Sequence[Row]) -> bool:
    """Whether it is a list in three columns, or one of five, without a digit: nothing tells that one names another."""
    odd = sum(len(rows[number]) % 2 for number, _, _ in run)
    return 2 * odd > len(run) and not any(has_digits(value) for _, _, value in run)


def headed(rows: Sequence[Row], height: float) -> Iterator[Candidate]:
    """Labels side by side, each with its value right below: two or more, most of the values with digits."""
    for number, (row, below) in enumerate(pairwise(rows)):
        if len(row) < 2 or not all(is_phrase(segment) and not is_colon(segment.text) for segment in row):
            continue
        found = [(above, under) for above in row for under in below if _stands_under(above.box, under.box, height)]
        numeric = sum(has_digits(under) for _, under in found)
        if len(found) >= 2 and 2 * numeric > len(found) and not _goes_on(found, rows[number + 2 : number + 3], height):
            for above, under in found:
                # "(mg/l)" by itself is the second line of a label.
                first = rows[number - 1] if number and above.text.startswith("(") else ()
                label = Label(head_of(above, first, number, height).words, (), None, colon=False, row=number, last=True)
                yield Candidate(label, under.words, HEADED)


def _goes_on(found: Sequence[tuple[Segment, Segment]], following: Sequence[Row], height: float) -> bool:
    """Whether further entries stand under them: then it is a table, and its names are no labels of the first row's."""
    under = [each for row in following for each in row]
    return sum(any(_stands_under(above.box, each.box, height) for each in under) for _, above in found) >= 2


def entries(rows: Sequence[Row], height: float) -> set[int]:
    """The words of tables without lines: three names or more side by side, two of them with digits under them in two rows.

    Their entries are no labels and values of one another.
    """
    found: set[int] = set()
    for number, row in enumerate(rows[:-2]):
        names = len(row) >= 3 and all(is_phrase(segment) and not is_colon(segment.text) for segment in row)
        if not names or not all(any(map(has_digits, below)) for below in rows[number + 1 : number + 3]):
            continue
        under = [_under_names(row, above, below, height) for above, below in pairwise(rows[number : number + 12])]
        with_digits = [{at for at, entry in some if has_digits(entry)} for some in under[:2]]
        if len(set.intersection(*with_digits)) >= 2:
            lines = [row, *(rows[number + n] for n, _ in enumerate(takewhile(lambda some: len(some) >= 2, under), 1))]
            found.update(word.index for line in lines for segment in line for word in segment.words)
    return found


def _under_names(names: Row, above: Row, row: Row, height: float) -> list[tuple[int, Segment]]:
    """What of a row stands under which of the names, when it follows the row above it closely."""
    if around(s.box for s in row).top - around(s.box for s in above).bottom > 2 * height:
        return []
    return [
        (at, each)
        for at, name in enumerate(names)
        for each in row
        if abs(name.box.left - each.box.left) <= 1.2 * height or centred(name.box, each.box)
    ]


def parted(rows: Sequence[Row]) -> list[Row]:
    """The rows with numbers that stand close together apart, each under a name of its own in the row above."""
    return [
        tuple(part for segment in row for part in _parted(segment, heads)) if len(heads) > 1 else row
        for heads, row in pairwise(((), *rows))
    ]


def _parted(segment: Segment, heads: Row) -> list[Segment]:
    if len(segment.words) < 2 or not all(any(c.isdigit() for c in word.text) for word in segment.words):
        return [segment]
    over = [[n for n, head in enumerate(heads) if head.box.across(word.box) > 0] for word in segment.words]
    alone = all(len(found) == 1 for found in over) and len({found[0] for found in over}) == len(over)
    named = alone and all(is_phrase(heads[found[0]]) for found in over)
    return [Segment((word,)) for word in segment.words] if named else [segment]


def captioned(rows: Sequence[Row], height: float) -> Iterator[Candidate]:
    """Labels in small print with what was filled in under them in larger letters, as in boxes with a caption."""
    for number, row in enumerate(rows):
        for segment in row:
            small = segment.box.height <= SMALL * height
            if not small or len(segment.words) > LONGEST_KEY or not says_something(segment.words):
                continue
            value = _under_caption(segment.box, rows[number + 1 : number + 4], height)
            if value:
                colon = is_colon(segment.words[-1].text)
                yield Candidate(Label(segment.words, (), None, colon=colon, row=number, last=True), value, CAPTIONED)


def _under_caption(caption: Box, rows: Sequence[Row], height: float) -> tuple[Placed, ...]:
    value: list[Placed] = []
    box = caption
    for row in rows:
        below = next((each for each in row if each.box.across(caption) > 0), None)
        if below is None:
            continue
        begins = -0.5 * height <= below.box.left - caption.left <= 4 * height
        larger = below.box.height >= LARGER * caption.height
        if not (begins and larger and below.box.top - box.bottom <= 1.2 * height):
            break
        value += below.words
        box = below.box
    return tuple(value)


def _stands_under(above: Box, below: Box, height: float) -> bool:
    close = -0.5 * height <= below.top - above.bottom <= 1.3 * height
    return close and (abs(above.left - below.left) <= 1.2 * height or centred(above, below))


def _continues(above: _Unit, below: _Unit, height: float) -> bool:
    (row, _, value), (next_row, _, next_value) = above, below
    if next_row != row + 1 or next_value.box.top - value.box.bottom > 2 * height:
        return False
    return _share_columns(above, below, height)


def _share_columns(one: _Unit, other: _Unit, height: float) -> bool:
    (_, label, value), (_, other_label, other_value) = one, other
    return _aligned(label, other_label, height) and (
        _aligned(value, other_value, height) or _numbers_centred(value, other_value, height)
    )


def _aligned(one: Segment, other: Segment, height: float) -> bool:
    return abs(one.box.left - other.box.left) <= 0.7 * height


def _numbers_centred(one: Segment, other: Segment, height: float) -> bool:
    """Whether both are numbers with their middles or their ends one above the other, as they are written on lines to fill in."""
    middles = abs(one.box.left + one.box.right - other.box.left - other.box.right) / 2
    apart = min(middles, abs(one.box.right - other.box.right))
    return apart <= 0.7 * height and all(has_digits(each) for each in (one, other))
