"""Check boxes made of letters, as typewriters have them: ( ) yes (X) no."""

import re
from collections.abc import Iterator
from dataclasses import replace

from deploy.local.textract.reading import Line, PageReading, Point, Quad, Tick, Word

BOX = re.compile(r"(?<!\w)(?:\(\s?([xX×✓✔]?)\s?\)|\[\s?([xX×✓✔]?)\s?\])")
"""Brackets with a mark or nothing between them, behind no word: f(x) is none."""


def with_typed_boxes(page: PageReading) -> PageReading:
    """The page with typed boxes as check boxes instead of as words."""
    lines: list[Line] = []
    ticks = list(page.ticks)
    for line in page.lines:
        text = " ".join(word.text for word in line.words)
        boxes = list(BOX.finditer(text)) if "(" in text or "[" in text else []
        if not boxes:
            lines.append(line)
            continue
        ticks += [_tick(line, match) for match in boxes]
        words = tuple(_left(line, boxes))
        if words:
            lines.append(replace(line, words=words))
    return replace(page, lines=tuple(lines), ticks=tuple(ticks)) if len(ticks) > len(page.ticks) else page


def _tick(line: Line, box: re.Match[str]) -> Tick:
    pieces = [part(word, start, end) for word, start, end in _pieces(line, box.start(), box.end())]
    quad = (pieces[0].quad[0], pieces[-1].quad[1], pieces[-1].quad[2], pieces[0].quad[3])
    return Tick(quad, bool(box[1] or box[2]), min(piece.confidence for piece in pieces))


def _left(line: Line, boxes: list[re.Match[str]]) -> Iterator[Word]:
    """What is left of the words between the boxes."""
    at = 0
    for box in boxes:
        yield from (part(*piece) for piece in _pieces(line, at, box.start()))
        at = box.end()
    yield from (part(*piece) for piece in _pieces(line, at, sum(len(word.text) + 1 for word in line.words)))


def _pieces(line: Line, start: int, end: int) -> Iterator[tuple[Word, int, int]]:
    """The words of which letters stand from `start` to `end` of the line's text, and which of their letters."""
    at = 0
    for word in line.words:
        first, last = max(0, start - at), min(len(word.text), end - at)
        if first < last:
            yield word, first, last
        at += len(word.text) + 1


def part(word: Word, start: int, end: int) -> Word:
    """Letters of a word, in their part of its place."""
    if (start, end) == (0, len(word.text)):
        return word
    left, right = start / len(word.text), end / len(word.text)
    one, two, three, four = word.quad
    quad: Quad = (
        _between(one, two, left),
        _between(one, two, right),
        _between(four, three, right),
        _between(four, three, left),
    )
    return Word(word.text[start:end], word.confidence, quad)


def _between(begin: Point, end: Point, share: float) -> Point:
    return begin[0] + share * (end[0] - begin[0]), begin[1] + share * (end[1] - begin[1])
