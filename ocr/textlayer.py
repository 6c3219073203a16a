"""The text layer of a PDF as an answer in Textract's shape: lines and words, so that everything behind it is the same.

A text layer is free and at once, and its characters are those that the file's maker wrote. But it need not be what the page shows:
scanners put a machine's guess under their picture, and fonts can be made to say one thing and show another. So only pages that
carry a real one are taken, and `ocr.witness` compares a sample of the words with the picture.

The steps, which `ocr.pipeline` takes in this order: `wanted` when the document arrives; `read` makes the answer; `serves`, once its
fields are found, whether words were enough for them; `check` compares. Whatever stands against it raises NotTaken, and Textract
reads the document.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings

from audit import prepared
from ocr import artifacts, document_types, sandbox, witness
from ocr.models import Artifact, Document, DocumentType, TextLayer
from ocr.sandbox import PageText, PrintedWord

MODEL_VERSION = "text-layer-1"
CONFIDENCE = 99.9  # of every word: nobody read it, so nothing was misread; no OCR score is pretended
LEAST_CHARACTERS = 20  # of a page; fewer are a stamp or a page number over a scan
MOST_ODD = 0.02  # of the characters may be replacement characters or of private use: fonts without a proper table
MOST_HIDDEN = 0.1
MOST_PICTURES = 0.5  # of the page's area
COLUMN_GAP = 1.2  # heights of a line: what stands further apart is in two columns, and two lines to Textract

MOST_PAGES = 20  # the answer is made and read whole, and so few words vouch for no more
MOST_WORDS = 12  # that the witness is shown
LEAST_AGREEING = 3  # of them, and half; else nothing is known
LONGEST_WORD = 40  # characters; what is longer is no word
AT_ONCE = (
    2  # checks of one process: the witness has a processor or two, and a hundred documents may be read at the same time
)
PATIENCE_SECONDS = 10.0  # for a turn at the witness; then Textract is faster
PDF = "application/pdf"

Block = dict[str, Any]
_turns = BoundedSemaphore(AT_ONCE)


class NotTaken(Exception):
    """The text layer does not serve; `outcome` says why, and `counts` what the witness said where it was asked."""

    def __init__(self, outcome: TextLayer, counts: Mapping[str, int] | None = None) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.counts = counts or {}


_TENANTS_WISH = "SELECT reads_text_layers FROM tenants_tenant WHERE id = $1"


def wanted(document: Document) -> TextLayer | str:
    """WANTED for a PDF whose tenant has its text read and whose text may serve, else ''. Inside a scope; asks only about PDFs."""
    if document.content_type != PDF or document.page_count > MOST_PAGES or not witness.is_set_up():
        return ""
    if document.document_type is not None and not serves(document.document_type):
        return ""
    [(wish,)] = prepared.fetch(_TENANTS_WISH, document.tenant_id)
    return TextLayer.WANTED if wish else ""


def serves(type_: DocumentType) -> bool:
    """Whether words and their places are enough to read a document of this type.

    Fields and tables are found in the print. Boxes to tick, signatures and what a query asks for are not, nor pairs without a label
    that is known.
    """
    parsed = document_types.parsed(type_)
    return (
        parsed.operation in {"AnalyzeDocument", "DetectDocumentText"}  # the others name their values without the print
        and set(parsed.features) <= {"FORMS", "TABLES"}
        and parsed.every_pair is None
        and not any(spec.kind in {"checkbox", "signature"} for spec in parsed.fields)
    )


def read(document: Document, original: Artifact) -> bytes:
    """The answer that the PDF's own text makes, as `answer` does.

    Outside a transaction: storage and a sandbox are asked. Raises NotTaken, artifacts.Lost and storage's errors.
    """
    try:
        with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="text-") as folder:
            path = Path(folder) / "original"
            artifacts.copy_to(original, path)
            pages = sandbox.text(path, first=1, last=document.page_count)
    except sandbox.Unacceptable:
        raise NotTaken(TextLayer.UNSOUND) from None
    except sandbox.SandboxFailed:
        raise NotTaken(TextLayer.UNCHECKED) from None
    if not all(is_sound(page) for page in pages):
        raise NotTaken(TextLayer.UNSOUND)
    return answer(pages)


def check(
    document: Document, original: Artifact, blocks: Sequence[Mapping[str, Any]], *, read_from: Collection[str]
) -> dict[str, int]:
    """Show the witness a sample of the words; how often it agreed, differed and said nothing. `read_from` are the ids of words that
    became values.

    One that differs is enough to raise NotTaken: a dozen stand for hundreds, and a page that Textract reads in vain costs less than
    a wrong amount. Outside a transaction. Raises artifacts.Lost and storage's errors besides.
    """
    verdicts: list[bool | None] = []
    if not _turns.acquire(timeout=PATIENCE_SECONDS):
        raise NotTaken(TextLayer.UNCHECKED)
    try:
        for page, pieces in sample(blocks, seed=str(document.pk), read_from=read_from).items():
            texts = witness.read(document, original, page, pieces)
            verdicts += [witness.agrees(piece.text, text) for piece, text in zip(pieces, texts, strict=True)]
    except (witness.Unavailable, sandbox.SandboxFailed, sandbox.Unacceptable):
        raise NotTaken(TextLayer.UNCHECKED) from None
    finally:
        _turns.release()
    counts = {"agree": verdicts.count(True), "differ": verdicts.count(False), "silent": verdicts.count(None)}
    if counts["differ"]:
        raise NotTaken(TextLayer.DIFFERS, counts)
    if counts["agree"] < max(LEAST_AGREEING, len(verdicts) / 2):
        raise NotTaken(TextLayer.UNCHECKED, counts)
    return counts


def sample(
    blocks: Sequence[Mapping[str, Any]], *, seed: str, read_from: Collection[str]
) -> dict[int, list[witness.Piece]]:
    """Up to MOST_WORDS words to check, by page: with digits before others, those that became values before the rest.

    The same seed gives the same words. It is the document's id, which nobody knows who makes the file: else a lie could be put where
    nobody looks.
    """

    def rank(word: Mapping[str, Any]) -> tuple[bool, bool, bytes]:
        lot = hashlib.sha256(f"{seed} {word['Id']}".encode()).digest()
        return not any(each.isdigit() for each in word["Text"]), word["Id"] not in read_from, lot

    words = [block for block in blocks if block["BlockType"] == "WORD" and _can_be_seen(block)]
    by_page: dict[int, list[witness.Piece]] = {}
    for word in sorted(words, key=rank)[:MOST_WORDS]:
        by_page.setdefault(word["Page"], []).append(witness.Piece(word["Text"], _corners(word)))
    return dict(list(by_page.items())[: witness.MOST_PAGES])


def _can_be_seen(word: Mapping[str, Any]) -> bool:
    """Single characters and marks are often passed over by whoever reads them alone."""
    left, top, right, bottom = _corners(word)
    letters = sum(character.isalnum() for character in word["Text"])
    return 2 <= letters <= LONGEST_WORD and left < right and top < bottom


def _corners(word: Mapping[str, Any]) -> witness.Box:
    first, _right, last, _left = word["Geometry"]["Polygon"]
    return first["X"], first["Y"], last["X"], last["Y"]


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
