"""Captions with a number, as in the boxes of a tax form, and what is filled in under them."""

import re
from collections.abc import Container, Iterator, Sequence
from itertools import pairwise
from math import inf

from deploy.local.textract.layout import Placed, Row, Segment, around
from deploy.local.textract.pairing import Candidate, Label, is_colon, said, says_something

NUMBERED = 0.84
"""How sure a pairing is, before the reading of its words is looked at."""

LEAST, LONGEST = 4, 9
"""Captions with a number that a page of boxes has at least, and how many words each has at most."""

FEWEST_FILLED = 3
"""Of so many captions with a number one has something under it at least."""

GAP, APART = 1.8, 6.0
"""Line heights that the lines in a box stand apart at most, from its caption on, and the pieces of a line."""

_NUMBER = re.compile(r"(?:\d{1,2}[a-z]?|[a-z])[.)]?$")


def numbered(rows: Sequence[Row], labelled: Container[int], height: float) -> Iterator[Candidate]:
    """Captions that begin with their box's number ("5 Medicare wages", "c Employer's name") and what is filled in under them.

    Only where such captions stand side by side; one below the other they are the paragraphs of a text. What has no number
    and stands in a row of such captions is one of them. A box in which nothing stands has an empty value.
    `labelled` are the numbers of the words in labels, which no value goes on with.
    """
    counts = [sum(map(_has_number, row)) for row in rows]
    if max(counts, default=0) < 2 or sum(counts) < LEAST:
        return
    boxes = _Boxes(rows, [_captions(*each) for each in zip(rows, counts, strict=True)], labelled, height)
    found = [
        Candidate(Label(caption.words, (), None, colon=False, row=number, last=True), value, NUMBERED)
        for number, captions in enumerate(boxes.captions)
        for caption in captions
        for value in [boxes.filled_in(caption, number)]
    ]
    # Where little stands under such labels they are numbered questions with their answers beside them.
    if FEWEST_FILLED * sum(bool(each.value) for each in found) >= sum(counts):
        yield from found


def _captions(row: Row, count: int) -> list[Segment]:
    """Of a row with so many numbers the captions, with or without one."""
    many = count >= 2 or 2 * count >= len(row)
    return [each for each in row if _has_number(each) or (many and _is_name(each))]


def _has_number(segment: Segment) -> bool:
    """Whether it is a number and a name."""
    words = segment.words
    return len(words) > 1 and _NUMBER.match(words[0].text) is not None and _says_a_name(words[1:])


def _is_name(segment: Segment) -> bool:
    return segment.words[0].text[0].isupper() and _says_a_name(segment.words)


def _says_a_name(words: Sequence[Placed]) -> bool:
    """Whether the words are short, begin with a letter, and have neither a colon nor a mere number among them."""
    if len(words) > LONGEST or not words[0].text[0].isalpha() or not says_something(words):
        return False
    return not any(is_colon(word.text) or word.text.isdigit() for word in words)


class _Boxes:
    """The captions of each row, and what may stand under one."""

    def __init__(
        self, rows: Sequence[Row], captions: Sequence[Sequence[Segment]], labelled: Container[int], height: float
    ) -> None:
        self.captions = captions
        self._rows, self._labelled, self._height = rows, labelled, height
        self._begin = {caption.words[0].index: caption.box.left for found in captions for caption in found}

    def filled_in(self, caption: Segment, number: int) -> tuple[Placed, ...]:
        """What stands in the box under its caption, line by line, down to the next caption; of numbers one line."""
        value: list[Placed] = []
        bottom, end = caption.box.bottom, self._end(caption, self._rows[number]) - self._height / 2
        for row in self._rows[number + 1 : number + 9]:
            inside = self._together([s for s in row if caption.box.left - self._height <= s.box.left < end])
            if not inside:
                continue
            words = [word for each in inside for word in each.words]
            under = around(word.box for word in words)
            goes_on = not value or (abs(under.left - value[0].box.left) <= 0.7 * self._height and _has_letters(value))
            ends = any(self._is_another(each, row, caption, value) for each in inside)
            if ends or not goes_on or under.top - bottom > GAP * self._height:
                break
            value += words
            bottom = under.bottom
        return tuple(value)

    def _end(self, caption: Segment, row: Row) -> float:
        """How far the box reaches: to what stands behind its caption, or to where captions of other rows begin."""
        behind = (each.box.left for each in row if each.box.left > caption.box.right)
        columns = (left for left in self._begin.values() if left > caption.box.right + self._height)
        return min((*behind, *columns), default=inf)

    def _together(self, segments: Sequence[Segment]) -> Sequence[Segment]:
        """Those up to a wide blank or another label."""
        for number, (left, right) in enumerate(pairwise(segments), 1):
            if right.box.left - left.box.right > APART * self._height or right.words[0].index in self._labelled:
                return segments[:number]
        return segments

    def _is_another(self, segment: Segment, row: Row, caption: Segment, value: Sequence[Placed]) -> bool:
        """Whether it is a caption; what begins with a number and where the value begins goes on with it: "12 Main Street"."""
        begin = self._begin.get(segment.words[0].index)
        if begin is None:
            return self._counts(segment, row)
        return not value or abs(begin - value[0].box.left) >= abs(begin - caption.box.left)

    def _counts(self, segment: Segment, row: Row) -> bool:
        """Whether it is the number of a caption that stands behind it with a wide blank between them."""
        if len(segment.words) > 1 or not _NUMBER.match(segment.text):
            return False
        blanks = ((each.box.left - segment.box.right, each) for each in row)
        return any(0 < blank <= 3 * self._height and _says_a_name(each.words) for blank, each in blanks)


def _has_letters(words: Sequence[Placed]) -> bool:
    return any(c.isalpha() for c in said(words))
