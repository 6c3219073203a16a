"""A label, a value it may have, and what their words look like."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.local.textract import labels
from deploy.local.textract.layout import Box, Placed, Segment, around

LONGEST_KEY, LONGEST_WITH_COLON = 7, 10
"""Words that a label has at most; a colon makes a longer one believable."""

NEAR = 6.0
"""Line heights between a label and a value on the same row that still count as side by side."""

FAR = 20.0
"""The same for a value that stands upon a ruled line, as filled-in values do."""

STRICT = (labels.MONEY, labels.DATE, labels.NUMBER)
"""Kinds of value that are told by how they look."""


@dataclass(frozen=True, slots=True)
class Label:
    words: tuple[Placed, ...]
    rest: tuple[Placed, ...]
    """Words after the label in its own segment, up to the next label."""
    kind: str | None
    colon: bool
    row: int
    last: bool
    """Whether no other label follows in the segment."""
    heads: bool = False
    """Whether it heads a column or a list, each entry of which is a value of its own."""
    led: bool = False
    """Whether dashes or dots lead from it to its value, which stands in the same row."""

    @property
    def box(self) -> Box:
        return around(word.box for word in self.words)


@dataclass(frozen=True, slots=True)
class Candidate:
    label: Label
    value: tuple[Placed, ...]
    margin: float


def is_colon(text: str) -> bool:
    """Whether a label ends there: with a colon, or as in "Total ="."""
    return text.endswith((":", "=")) and not text.startswith("http")


def is_hint(words: Sequence[Placed]) -> bool:
    """Whether the words say in brackets what belongs there: "(print or type)"."""
    return words[0].text.startswith("(") and words[-1].text.endswith(")") and says_something(words)


def is_phrase(segment: Segment) -> bool:
    return len(segment.words) <= 4 and says_something(segment.words) and not any(c.isdigit() for c in segment.text)


def says_something(words: Sequence[Placed]) -> bool:
    return sum(c.isalpha() for c in said(words)) >= 2


def has_digits(segment: Segment) -> bool:
    return any(c.isdigit() for c in segment.text)


def said(words: Sequence[Placed]) -> str:
    return "".join(word.text for word in words)


def centred(above: Box, below: Box) -> bool:
    return above.across(below) >= 0.5 * min(above.width, below.width)
