"""Words that the engine reads as one where a label ends and the ruled line for its value begins: "Arrival dateOct. 5"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from deploy.local.textract.reading import Line, PageReading, Stroke, Word
from deploy.local.textract.typed import part

SEAM = re.compile(r"(?<=[a-z)?])(?=[A-Z])|(?<=[a-z)?])(?=\d)|(?<=[:?)])(?=\w)")
"""Where a label may end within a word: before a capital letter or a digit, or behind a sign that ends labels."""

ASIDE = 2.0
"""Letters between such a place and the beginning of the line."""

LEAST = 2
"""Letters of the label's end in such a word."""

BELOW, ABOVE = 0.4, 0.5
"""Heights of the word that the line lies under or over its lower edge at most."""


def with_parted_words(page: PageReading) -> PageReading:
    """The page with such words parted where the line begins."""
    strokes = [stroke for stroke in page.strokes if not stroke.dotted]
    lines = tuple(_parted(line, strokes) for line in page.lines)
    return page if lines == page.lines else replace(page, lines=lines)


def _parted(line: Line, strokes: Sequence[Stroke]) -> Line:
    if not any(SEAM.search(word.text) for word in line.words):
        return line
    return replace(line, words=tuple(piece for word in line.words for piece in _pieces(word, strokes)))


def _pieces(word: Word, strokes: Sequence[Stroke]) -> Iterator[Word]:
    (left, top), (right, _), _, (_, bottom) = word.quad
    height, letter = bottom - top, (right - left) / len(word.text)
    begins = [
        (stroke.begin[0] - left) / letter
        for stroke in strokes
        if left < stroke.begin[0] < right <= stroke.end[0] + letter
        and -ABOVE * height <= stroke.begin[1] - bottom <= BELOW * height
    ]
    seams = [seam.start() for seam in SEAM.finditer(word.text) if seam.start() >= LEAST]
    near = [seam for seam in seams if any(abs(seam - begin) <= ASIDE for begin in begins)]
    if not near:
        yield word
        return
    yield part(word, 0, near[0])
    yield part(word, near[0], len(word.text))
