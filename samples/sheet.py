"""A sheet of paper to draw on, at 200 dots an inch, and the few things that business documents are made of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

DPI = 200
A4 = (1654, 2339)
INK, GREY, PALE = "#1c1f24", "#6a6f78", "#c9ccd1"
PEN_BLUE = "#1d3c8c"
LEFT, RIGHT = 130, 1524  # margins of an A4 page

_FACES = {
    "sans": "LiberationSans-Regular.ttf",
    "bold": "LiberationSans-Bold.ttf",
    "serif": "LiberationSerif-Bold.ttf",
    "mono": "LiberationMono-Regular.ttf",
    "hand": "Breip.ttf",
    "signature": "Kristi.ttf",
}


@cache
def _font(face: str, size: int) -> ImageFont.FreeTypeFont:
    path = Path(__file__).parent / "fonts" / _FACES[face]
    # The basic layout is in every build of Pillow, so the letters fall on the same pixels everywhere.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its title and where its text starts, or ends if `right` is set."""

    title: str
    x: int
    right: bool = field(default=False, kw_only=True)


class Sheet:
    """A white page. Places are pixels from the top left; y is the line the letters stand on."""

    def __init__(self, size: tuple[int, int] = A4, colour: str = "white") -> None:
        self.image = Image.new("RGB", size, colour)
        self.pen = ImageDraw.Draw(self.image)

    def write(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: int = 28,
        face: str = "sans",
        colour: str = INK,
        align: str = "left",
    ) -> float:
        """Writes one line and returns its width."""
        font = _font(face, size)
        anchor = {"left": "ls", "right": "rs", "centre": "ms"}[align]
        self.pen.text((x, y), words, font=font, fill=colour, anchor=anchor)
        return font.getlength(words)

    def lines(
        self,
        x: float,
        y: float,
        texts: Sequence[str],
        *,
        step: int = 38,
        size: int = 28,
        colour: str = INK,
        face: str = "sans",
    ) -> float:
        """Writes lines below each other and returns the y of the next one."""
        for text in texts:
            self.write(x, y, text, size=size, colour=colour, face=face)
            y += step
        return y

    def rule(self, y: float, *, start: float = LEFT, end: float = RIGHT, width: int = 2, colour: str = INK) -> None:
        self.pen.line((start, y, end, y), fill=colour, width=width)

    def box(
        self, x: float, y: float, width: float, height: float, *, fill: str | None = None, line: str | None = None
    ) -> None:
        self.pen.rectangle((x, y, x + width, y + height), fill=fill, outline=line, width=2)

    def row(
        self,
        y: float,
        columns: Sequence[Column],
        cells: Sequence[str],
        *,
        size: int = 27,
        face: str = "sans",
        colour: str = INK,
    ) -> None:
        for column, cell in zip(columns, cells, strict=True):
            align = "right" if column.right else "left"
            self.write(column.x, y, cell, size=size, face=face, colour=colour, align=align)

    def check_box(self, x: float, y: float, label: str, *, checked: bool) -> None:
        self.pen.rectangle((x, y - 28, x + 30, y + 2), outline=INK, width=3)
        if checked:
            for ends in ((x + 5, y - 23, x + 25, y - 3), (x + 25, y - 23, x + 5, y - 3)):
                self.pen.line(ends, fill=PEN_BLUE, width=5)
        self.write(x + 46, y - 2, label, size=27)

    def mark(self, shape: str, x: float, y: float, size: float, colour: str) -> None:
        """A company's sign, `size` pixels high, with its top left corner at x, y."""
        right, bottom, middle = x + size, y + size, size / 2
        if shape == "ring":
            self.pen.ellipse((x, y, right, bottom), outline=colour, width=round(size / 9))
            self.pen.ellipse((x + size * 0.29, y + size * 0.29, x + size * 0.71, y + size * 0.71), fill=colour)
        elif shape == "wave":
            for step in range(3):
                top = y + step * size * 0.3
                self.pen.arc((x, top, x + middle, top + size * 0.4), 180, 360, fill=colour, width=round(size / 10))
                self.pen.arc(
                    (x + middle - size / 10, top, right, top + size * 0.4), 0, 180, fill=colour, width=round(size / 10)
                )
        elif shape == "peak":
            self.pen.polygon(((x, bottom), (x + size * 0.38, y), (x + size * 0.76, bottom)), fill=colour)
            self.pen.polygon(((x + size * 0.5, bottom), (x + size * 0.75, y + size * 0.35), (right, bottom)), fill=GREY)
        elif shape == "grid":
            part = size * 0.44
            for column, line in ((0, 0), (1, 0), (0, 1)):
                self.box(x + column * size * 0.56, y + line * size * 0.56, part, part, fill=colour)
            self.pen.ellipse((x + size * 0.56, y + size * 0.56, right, bottom), fill=GREY)
        else:
            raise ValueError(f"no company has a {shape} as its sign")
