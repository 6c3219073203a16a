"""Labels that we do not know, told by how they stand above or beside one another."""

from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest

from deploy.local.textract import labels
from deploy.local.textract.layout import Box, Placed, Row, Segment
from deploy.local.textract.pairing import LONGEST_KEY, Candidate, Label, centred, is_colon, is_phrase, says_something

# How sure a pairing is, before the reading of its words is looked at.
LISTED = 0.74
HEADED = 0.72
CAPTIONED = 0.8
SMALL, LARGER = 0.85, 1.3
"""How tall a caption is at most, in line heights, and how much taller the letters under it are at least."""


_Unit = tuple[int, Segment, Segment]
"""A row's number and two of its segments side by side."""


def listed(rows: Sequence[Row], height: float) -> Iterator[Candidate]:
    """Labels that we do not know, in a list: three or more in a column, each with one value, these in a column too."""
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
        for run in runs:
            if id(run[-1]) not in taken:
                yield from _list_candidates(run)
        runs = going_on
    for run in runs:
        yield from _list_candidates(run)


def _list_candidates(run: Sequence[_Unit]) -> Iterator[Candidate]:
    if len(run) >= 3:
        for number, left, right in run:
            label = Label(left.words, (), None, colon=False, row=number, last=True)
            yield Candidate(label, right.words, LISTED)


def head_of(segment: Segment, above: Row, number: int, height: float) -> Label:
    """A column's name, with its first line when it has two."""
    first = [each for each in above if is_phrase(each) and each.box.across(segment.box) > 0]
    first = [each for each in first if segment.box.top - each.box.bottom <= 0.5 * height]
    words = (first[0].words if len(first) == 1 else ()) + segment.words
    return Label(words, (), None, colon=False, row=number, last=True, heads=True)


def headed(rows: Sequence[Row], height: float) -> Iterator[Candidate]:
    """Labels side by side, each with its value right below: two or more, most of the values with digits."""
    for number, (row, below) in enumerate(pairwise(rows)):
        if len(row) < 2 or not all(is_phrase(segment) and not is_colon(segment.text) for segment in row):
            continue
        found = [(above, under) for above in row for under in below if _stands_under(above.box, under.box, height)]
        numeric = sum(any(c.isdigit() for c in under.text) for _, under in found)
        if len(found) >= 2 and 2 * numeric > len(found):
            for above, under in found:
                # "(mg/l)" by itself is the second line of a label.
                first = rows[number - 1] if number and above.text.startswith("(") else ()
                label = Label(head_of(above, first, number, height).words, (), None, colon=False, row=number, last=True)
                yield Candidate(label, under.words, HEADED)


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
    (row, label, value), (next_row, next_label, next_value) = above, below
    if next_row != row + 1 or next_value.box.top - value.box.bottom > 2 * height:
        return False
    return _aligned(label, next_label, height) and (
        _aligned(value, next_value, height) or _numbers_centred(value, next_value, height)
    )


def _aligned(one: Segment, other: Segment, height: float) -> bool:
    return abs(one.box.left - other.box.left) <= 0.7 * height


def _numbers_centred(one: Segment, other: Segment, height: float) -> bool:
    """Whether both are numbers with their middles one above the other, as they are written on lines to fill in."""
    apart = abs(one.box.left + one.box.right - other.box.left - other.box.right) / 2
    return apart <= 0.7 * height and all(any(c.isdigit() for c in each.text) for each in (one, other))
