"""Pages as the engine would have read them, without the engine."""

from collections.abc import Sequence

from deploy.local.textract.layout import Sheet, lay_out
from deploy.local.textract.reading import Line, PageReading, Quad, Stroke, Tick, Word

WIDTH, HEIGHT = 1000, 1000
LETTER, LINE = 12, 24
"""Pixels: all letters are equally wide, lines are one height."""


def page(
    *texts: tuple[int, int, str],
    confidence: float = 99.0,
    rotation: int = 0,
    ruled: Sequence[tuple[int, int, int]] = (),
    cells: Sequence[tuple[int, int, int, int]] = (),
    ticks: Sequence[Tick] = (),
) -> PageReading:
    """A page with texts, each (left, top, text) in pixels and one line of its own.

    `ruled` are lines (left, right, height), `cells` what such lines shut in (left, top, right, bottom).
    """
    strokes = tuple(Stroke((left / WIDTH, y / HEIGHT), (right / WIDTH, y / HEIGHT)) for left, right, y in ruled)
    lines = tuple(_line(*text, confidence) for text in texts)
    return PageReading(WIDTH, HEIGHT, rotation, lines, strokes, tuple(ticks), tuple(_corners(*cell) for cell in cells))


def sheet(
    *texts: tuple[int, int, str],
    confidence: float = 99.0,
    ruled: Sequence[tuple[int, int, int]] = (),
    cells: Sequence[tuple[int, int, int, int]] = (),
    ticks: Sequence[Tick] = (),
) -> Sheet:
    """The same, laid out."""
    return lay_out(page(*texts, confidence=confidence, ruled=ruled, cells=cells, ticks=ticks))


def tick(left: int, top: int, *, selected: bool, side: int = 20) -> Tick:
    """A check box."""
    return Tick(_corners(left, top, left + side, top + side), selected, 92.0)


def _line(left: int, top: int, text: str, confidence: float) -> Line:
    words, at = [], left
    for word in text.split():
        words.append(Word(word, confidence, _quad(at, top, len(word) * LETTER)))
        at += (len(word) + 1) * LETTER
    return Line(_quad(left, top, len(text) * LETTER), tuple(words))


def _quad(left: int, top: int, width: int) -> Quad:
    return _corners(left, top, left + width, top + LINE)


def _corners(left: int, top: int, right: int, bottom: int) -> Quad:
    x0, y0, x1, y1 = left / WIDTH, top / HEIGHT, right / WIDTH, bottom / HEIGHT
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
