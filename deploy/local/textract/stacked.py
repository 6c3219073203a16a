"""Labels that stand over their values, row after row in the same columns: "Client   Product" over "Fairlawn   Sweet corn"."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from deploy.local.textract.layout import Row, Segment, around
from deploy.local.textract.pairing import Candidate, Label, is_colon, is_phrase

STACKED = 0.83
"""How sure a pairing is, before the reading of its words is looked at."""

LEAST = 2
"""Rows of labels that have columns in common, and columns that they have in common."""

CLOSE, MORE, ASIDE = 0.7, 0.4, 0.7
"""Line heights between a row of labels and its values at most, how much more there is before and after the two, and how far a value begins
beside its label."""

_Block = tuple[int, Row, Row]
"""The number of a row of labels, the row, and that of the values under it."""


def stacked(rows: Sequence[Row], height: float) -> Iterator[Candidate]:
    """The labels of such rows with the values under them; the value is empty where nothing stands."""
    blocks = list(_blocks(rows, height))
    for block in blocks:
        number, names, _ = block
        if sum(_columns_in_common(names, other, height) >= LEAST for _, other, _ in blocks) >= LEAST:
            for name, value in _pairs(block, height):
                label = Label(name.words, (), None, colon=False, row=number, last=True)
                yield Candidate(label, value.words if value else (), STACKED)


def _blocks(rows: Sequence[Row], height: float) -> Iterator[_Block]:
    """Two rows with more room before and after them than between them, of which the upper one may name what stands in the lower one."""
    boxes = [around(segment.box for segment in row) for row in rows]
    gaps = [float("inf"), *(below.top - above.bottom for above, below in pairwise(boxes)), float("inf")]
    for number, (names, values) in enumerate(pairwise(rows)):
        before, between, after = gaps[number : number + 3]
        apart = between <= CLOSE * height and min(before, after) >= between + MORE * height
        may_name = len(names) >= LEAST and all(is_phrase(each) and not is_colon(each.words[-1].text) for each in names)
        if apart and may_name and all(any(_under(name, each, height) for name in names) for each in values):
            yield number, names, values


def _pairs(block: _Block, height: float) -> Iterator[tuple[Segment, Segment | None]]:
    _, names, values = block
    for name in names:
        yield name, next((each for each in values if _under(name, each, height)), None)


def _columns_in_common(one: Row, other: Row, height: float) -> int:
    return sum(any(_under(name, each, height) for each in other) for name in one)


def _under(name: Segment, value: Segment, height: float) -> bool:
    return abs(name.box.left - value.box.left) <= ASIDE * height
