"""What the engine read on one page, before it becomes Textract's blocks."""

import json
from dataclasses import asdict, dataclass
from typing import Any

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]
"""Four corners from the text's own top left, clockwise, as fractions of the page turned upright."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word; `confidence` in percent."""

    text: str
    confidence: float
    quad: Quad


@dataclass(frozen=True, slots=True)
class Line:
    """One stretch of text that the engine found in one piece."""

    quad: Quad
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A ruled line that lies: where it begins and ends, as fractions of the page turned upright."""

    begin: Point
    end: Point
    dotted: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """A check box, ticked or not; `confidence` in percent."""

    quad: Quad
    selected: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class PageReading:
    """Everything found on one page.

    `width` and `height` are the pixels of the page turned upright; `rotation` is by how many degrees clockwise the
    page as delivered is turned (0, 90, 180, 270).
    """

    width: int
    height: int
    rotation: int
    lines: tuple[Line, ...]
    strokes: tuple[Stroke, ...] = ()
    ticks: tuple[Tick, ...] = ()
    cells: tuple[Quad, ...] = ()
    """What ruled lines shut in on all four sides."""


def to_json(page: PageReading) -> str:
    """The page as JSON, to keep or to send."""
    return json.dumps(asdict(page), separators=(",", ":"))


def from_json(text: str) -> PageReading:
    """The page that `to_json` wrote."""
    raw = json.loads(text)
    return PageReading(
        width=raw["width"],
        height=raw["height"],
        rotation=raw["rotation"],
        lines=tuple(Line(_quad(line["quad"]), tuple(map(_word, line["words"]))) for line in raw["lines"]),
        strokes=tuple(
            Stroke(_point(stroke["begin"]), _point(stroke["end"]), stroke["dotted"]) for stroke in raw["strokes"]
        ),
        ticks=tuple(Tick(_quad(tick["quad"]), tick["selected"], tick["confidence"]) for tick in raw["ticks"]),
        cells=tuple(map(_quad, raw["cells"])),
    )


def _point(raw: Any) -> Point:
    return float(raw[0]), float(raw[1])


def _word(raw: Any) -> Word:
    return Word(raw["text"], raw["confidence"], _quad(raw["quad"]))


def _quad(raw: Any) -> Quad:
    first, second, third, fourth = ((float(x), float(y)) for x, y in raw)
    return (first, second, third, fourth)
