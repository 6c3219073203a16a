"""The text layer of a PDF as an answer in Textract's shape: lines and words, so that everything behind it is the same.

A text layer is free and at once, and its characters are those that the file's maker wrote. But it need not be what the page shows:
scanners put a machine's guess under their picture, and fonts can be made to say one thing and show another. So only pages that
carry a real one are taken, and `ocr.witness` compares a sample of the words with the picture.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ocr.sandbox import PageText, PrintedWord

MODEL_VERSION = "text-layer-1"
CONFIDENCE = 99.9  # of every word: nobody read it, so nothing was misread; no OCR score is pretended
LEAST_CHARACTERS = 20  # of a page; fewer are a stamp or a page number over a scan
MOST_ODD = 0.02  # of the characters may be replacement characters or of private use: fonts without a proper table
MOST_HIDDEN = 0.1
MOST_PICTURES = 0.5  # of the page's area
COLUMN_GAP = 1.2  # heights of a line: what stands further apart is in two columns, and two lines to Textract

Block = dict[str, Any]


def is_sound(page: PageText) -> bool:
    """Whether the page's text layer is what its maker wrote, rather than missing, garbled, or a machine's guess under a picture."""
    characters = "".join(word.text for word in page.words)
    odd = sum(character == "\ufffd" or "\ue000" <= character <= "\uf8ff" for character in characters)
    return (
        len(characters) >= LEAST_CHARACTERS
        and odd <= MOST_ODD * len(characters)
        and page.hidden <= MOST_HIDDEN
        and page.pictures <= MOST_PICTURES
    )


def answer(pages: Sequence[PageText]) -> bytes:
    """What Textract's text detection would answer, as JSON. The same pages always give the same bytes."""
    blocks = [block for number, page in enumerate(pages, 1) for block in _blocks(page, number)]
    told = {
        "Blocks": blocks,
        "DetectDocumentTextModelVersion": MODEL_VERSION,
        "DocumentMetadata": {"Pages": len(pages)},
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _blocks(page: PageText, number: int) -> Iterator[Block]:
    lines = _in_reading_order(_lines(page.words))
    names = [f"p{number}l{line}" for line in range(1, len(lines) + 1)]
    yield _block("PAGE", f"p{number}", number, _Box(0.0, 0.0, 1.0, 1.0), names)
    for name, line in zip(names, lines, strict=True):
        text = " ".join(word.text for word in line.words)
        words = [f"{name}w{word}" for word in range(1, len(line.words) + 1)]
        yield _block("LINE", name, number, line.box, words, Text=text, Confidence=CONFIDENCE)
    for name, line in zip(names, lines, strict=True):
        for at, word in enumerate(line.words, 1):
            box = _Box(word.left, word.top, word.right, word.bottom)
            members = {"Text": word.text, "Confidence": CONFIDENCE, "TextType": "PRINTED"}
            yield _block("WORD", f"{name}w{at}", number, box, (), **members)


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class _Line:
    words: tuple[PrintedWord, ...]

    @property
    def box(self) -> _Box:
        return _Box(
            min(word.left for word in self.words),
            min(word.top for word in self.words),
            max(word.right for word in self.words),
            max(word.bottom for word in self.words),
        )


def _lines(words: Sequence[PrintedWord]) -> Iterator[_Line]:
    """The file's lines, cut where a column ends or the print jumps."""
    for _number, group in groupby(words, key=lambda word: word.line):
        piece: list[PrintedWord] = []
        for word in group:
            if piece and not _goes_on(piece[-1], word):
                yield _Line(tuple(piece))
                piece = []
            piece.append(word)
        yield _Line(tuple(piece))


def _goes_on(before: PrintedWord, word: PrintedWord) -> bool:
    height = max(before.bottom - before.top, word.bottom - word.top)
    overlap = min(before.bottom, word.bottom) - max(before.top, word.top)
    # Widths and heights are fractions of different lengths: pages are taller than wide, by about 1.4.
    return overlap > 0.3 * height and -height <= word.left - before.right <= COLUMN_GAP * 1.4 * height


def _in_reading_order(lines: Iterator[_Line]) -> list[_Line]:
    """Row by row from the top, each from the left: files are written in any order."""
    waiting = sorted(lines, key=lambda line: (line.box.top + line.box.bottom) / 2)
    ordered: list[_Line] = []
    row: list[_Line] = []
    for line in waiting:
        if row and (line.box.top + line.box.bottom) / 2 > row[0].box.top + 0.8 * row[0].box.height:
            ordered += sorted(row, key=lambda each: each.box.left)
            row = []
        row.append(line)
    return ordered + sorted(row, key=lambda each: each.box.left)


def _block(kind: str, name: str, page: int, box: _Box, children: Sequence[str], **members: Any) -> Block:
    block: Block = {"BlockType": kind, "Id": name, "Page": page, "Geometry": _geometry(box), **members}
    if children:
        block["Relationships"] = [{"Type": "CHILD", "Ids": list(children)}]
    return block


def _geometry(box: _Box) -> Block:
    corners = ((box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom))
    return {
        "BoundingBox": {
            "Left": box.left,
            "Top": box.top,
            "Width": round(box.right - box.left, 5),
            "Height": round(box.height, 5),
        },
        "Polygon": [{"X": x, "Y": y} for x, y in corners],
    }
