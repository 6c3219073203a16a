"""From Textract's block graph to pages, lines, form pairs, tables and answers, every box on the upright page.

The walk is tolerant: unknown block types and members are ignored and counted, null is absent, a missing Page is 1,
ids that lead nowhere are counted. One pass builds the index, one pass reads it. Reading order is block order:
coordinates belong to the page as delivered, which may be upside down.
Source: AWS Textract developer guide, text detection and document analysis response objects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ocr.extraction.reading import Box, PageReading, Rotation, Word
from ocr.extraction.tolerant import counted, listed, members, number, text

RawBlock = Mapping[str, Any]

_KEY_TYPES = ("KEY_VALUE_SET", "KEY", "VALUE")  # console exports write KEY and VALUE as block types
# What the walk reads, and what it may pass over: the words under these are lines or cells as well.
_KNOWN_TYPE_NAMES = """
    PAGE LINE WORD KEY_VALUE_SET KEY VALUE TABLE CELL MERGED_CELL SELECTION_ELEMENT QUERY QUERY_RESULT
    SIGNATURE TITLE FOOTER TABLE_TITLE TABLE_FOOTER LAYOUT_TEXT LAYOUT_TITLE LAYOUT_HEADER LAYOUT_FOOTER
    LAYOUT_SECTION_HEADER LAYOUT_PAGE_NUMBER LAYOUT_LIST LAYOUT_FIGURE LAYOUT_TABLE LAYOUT_KEY_VALUE
"""
_KNOWN_TYPES = frozenset(_KNOWN_TYPE_NAMES.split())


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text on one page: a line, a key, a value or a cell's content. Check boxes are kept apart."""

    text: str
    words: tuple[Word, ...]
    page: int
    box: Box | None
    confidence: float | None
    checks: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """A form field as the engine associates it. `value` is None when the key has no value block."""

    key: Span
    value: Span | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    row: int
    column: int
    row_span: int
    column_span: int
    content: Span
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Table:
    """Cells in row order, merged cells standing for the cells they cover."""

    page: int
    confidence: float | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query found."""

    alias: str
    query: str
    content: Span


@dataclass(frozen=True, slots=True)
class Layout:
    """One document's blocks, resolved. `slopes` is each page's skew: how far y rises per x along a printed line."""

    pages: tuple[PageReading, ...]
    lines: tuple[Span, ...]
    pairs: tuple[Pair, ...]
    tables: tuple[Table, ...]
    answers: tuple[Answer, ...]
    slopes: Mapping[int, float]
    unknown: Mapping[str, int]


def resolve(blocks: Iterable[Any]) -> Layout:
    """The document that the blocks describe; all pages together, every result page already collected."""
    return _Graph(blocks).layout()


def turned_box(raw: Any, rotation: Rotation) -> Box | None:
    """A geometry's bounding box on the upright page; None when it has none that is usable."""
    found = members(members(raw).get("BoundingBox"))
    left, top = number(found.get("Left")), number(found.get("Top"))
    width, height = number(found.get("Width")), number(found.get("Height"))
    if left is None or top is None or width is None or height is None:
        return None
    match rotation:
        case 90:
            return Box(1 - top - height, left, height, width)
        case 180:
            return Box(1 - left - width, 1 - top - height, width, height)
        case 270:
            return Box(top, 1 - left - width, height, width)
        case _:
            return Box(left, top, width, height)


class _Graph:
    """The index of one document's blocks and the walk over it."""

    def __init__(self, blocks: Iterable[Any]) -> None:
        self.unknown: Counter[str] = Counter()
        self.by_id: dict[str, RawBlock] = {}
        self.by_type: dict[str, list[RawBlock]] = {}
        for block in blocks:
            self._index(block)
        self.rotations = self._rotations()
        self.words: dict[str, Word] = {}
        for block in self._of_type("WORD"):
            word = self._word(block)
            self.words.setdefault(word.id, word)
        self.page_words: dict[int, list[Word]] = {}
        for word in self.words.values():
            self.page_words.setdefault(word.page, []).append(word)

    def layout(self) -> Layout:
        lines = tuple(self._span(block) for block in self._of_type("LINE"))
        pairs = tuple(pair for kind in _KEY_TYPES for pair in self._pairs(kind))
        return Layout(
            pages=self._pages(lines),
            lines=lines,
            pairs=pairs,
            tables=tuple(self._table(block) for block in self._of_type("TABLE")),
            answers=tuple(answer for block in self._of_type("QUERY") for answer in self._answers(block)),
            slopes=self._slopes(),
            unknown=dict(self.unknown),
        )

    def _index(self, block: Any) -> None:
        kind = block.get("BlockType") if isinstance(block, Mapping) else None
        if not isinstance(kind, str):
            self.unknown["not_a_block"] += 1
            return
        if kind not in _KNOWN_TYPES:
            self.unknown["unknown_block_type"] += 1
        self.by_type.setdefault(kind, []).append(block)
        identity = block.get("Id")
        if isinstance(identity, str) and identity not in self.by_id:
            self.by_id[identity] = block
        else:
            self.unknown["repeated_id" if isinstance(identity, str) else "block_without_id"] += 1

    def _of_type(self, kind: str) -> Sequence[RawBlock]:
        return self.by_type.get(kind, ())

    def related(self, block: RawBlock, kind: str) -> list[RawBlock]:
        """The blocks that a relationship names, in its order; ids that lead nowhere are counted and left out."""
        found = []
        for relationship in listed(block.get("Relationships")):
            named = members(relationship)
            if named.get("Type") != kind:
                continue
            for identity in listed(named.get("Ids")):
                target = self.by_id.get(identity) if isinstance(identity, str) else None
                if target is None:
                    self.unknown["dangling_id"] += 1
                else:
                    found.append(target)
        return found

    # --- pages and words

    def _rotations(self) -> dict[int, Rotation]:
        """Per page the turn that the majority of words needs, each word counting by its length."""
        votes: dict[int, Counter[Rotation]] = {}
        for block in self._of_type("WORD") or self._of_type("LINE"):
            turn = _turn(members(block.get("Geometry")))
            if turn is not None:
                weight = len(text(block.get("Text")))
                votes.setdefault(_page(block), Counter())[turn] += weight
        return {page: count.most_common(1)[0][0] for page, count in votes.items()}

    def rotation(self, page: int) -> Rotation:
        return self.rotations.get(page, 0)

    def _word(self, block: RawBlock) -> Word:
        page = _page(block)
        return Word(
            id=text(block.get("Id")),
            text=text(block.get("Text")),
            confidence=number(block.get("Confidence")),
            page=page,
            box=turned_box(block.get("Geometry"), self.rotation(page)),
            text_type=str(block.get("TextType") or "PRINTED"),
        )

    def _pages(self, lines: Sequence[Span]) -> tuple[PageReading, ...]:
        ordered: dict[int, dict[str, Word]] = {_page(block): {} for block in self._of_type("PAGE")}
        for line in lines:
            ordered.setdefault(line.page, {}).update((word.id, word) for word in line.words)
        for word in self.words.values():
            ordered.setdefault(word.page, {}).setdefault(word.id, word)
        return tuple(
            PageReading(number, self.rotation(number), tuple(words.values()))
            for number, words in sorted(ordered.items())
        )

    def _slopes(self) -> dict[int, float]:
        slopes: dict[int, list[float]] = {}
        for block in self._of_type("LINE"):
            slope = _slope(members(block.get("Geometry")), self.rotation(_page(block)))
            if slope is not None:
                slopes.setdefault(_page(block), []).append(slope)
        return {page: sorted(found)[len(found) // 2] for page, found in slopes.items()}

    # --- spans

    def _span(self, block: RawBlock) -> Span:
        """The text under a block: its words, or its own Text when it has none."""
        page = _page(block)
        words, checks = self._content(block)
        printed = " ".join(word.text for word in words) or text(block.get("Text"))
        return Span(
            text=printed,
            words=words,
            page=page,
            box=turned_box(block.get("Geometry"), self.rotation(page)),
            confidence=number(block.get("Confidence")),
            checks=checks,
        )

    def _content(self, block: RawBlock) -> tuple[tuple[Word, ...], tuple[bool, ...]]:
        words, checks = [], []
        for child in self.related(block, "CHILD"):
            kind = child["BlockType"]
            if kind == "WORD" and child.get("Id") in self.words:
                words.append(self.words[child["Id"]])
            elif kind == "SELECTION_ELEMENT":
                checks.append(child.get("SelectionStatus") == "SELECTED")
            elif kind == "CELL" and block["BlockType"] == "MERGED_CELL":
                inner = self._content(child)
                words.extend(inner[0])
                checks.extend(inner[1])
        return tuple(words), tuple(checks)

    # --- forms, queries, tables

    def _pairs(self, kind: str) -> Iterable[Pair]:
        for block in self._of_type(kind):
            if kind != "KEY" and "KEY" not in listed(block.get("EntityTypes")):
                continue
            values = [self._span(value) for value in self.related(block, "VALUE")]
            key = self._span(block)
            value = joined(values)
            scores = [span.confidence for span in (key, value) if span is not None and span.confidence is not None]
            yield Pair(key, value, min(scores, default=None))

    def _answers(self, block: RawBlock) -> Iterable[Answer]:
        query = members(block.get("Query"))
        for result in self.related(block, "ANSWER"):
            yield Answer(text(query.get("Alias")), text(query.get("Text")), self._answer_span(result))

    def _answer_span(self, result: RawBlock) -> Span:
        """A query result names no words; they are those whose middle lies in its box."""
        span = self._span(result)
        if span.words or span.box is None:
            return span
        words = tuple(_held(self.page_words.get(span.page, ()), span.box))
        return Span(span.text, words, span.page, span.box, span.confidence, span.checks)

    def _table(self, block: RawBlock) -> Table:
        merged = [cell for cell in self.related(block, "MERGED_CELL") if cell["BlockType"] == "MERGED_CELL"]
        covered = {str(child.get("Id")) for cell in merged for child in self.related(cell, "CHILD")}
        plain = [
            cell
            for cell in self.related(block, "CHILD")
            if cell["BlockType"] == "CELL" and str(cell.get("Id")) not in covered
        ]
        cells = sorted((self._cell(cell) for cell in (*plain, *merged)), key=lambda cell: (cell.row, cell.column))
        return Table(_page(block), number(block.get("Confidence")), tuple(cells))

    def _cell(self, block: RawBlock) -> Cell:
        return Cell(
            row=counted(block.get("RowIndex")),
            column=counted(block.get("ColumnIndex")),
            row_span=counted(block.get("RowSpan")),
            column_span=counted(block.get("ColumnSpan")),
            content=self._span(block),
            roles=frozenset(role for role in listed(block.get("EntityTypes")) if isinstance(role, str)),
        )


def joined(spans: Sequence[Span]) -> Span | None:
    """Several pieces of one page read as one; None when there are none."""
    if not spans:
        return None
    words = tuple(word for span in spans for word in span.words)
    checks = tuple(check for span in spans for check in span.checks)
    scores = [span.confidence for span in spans if span.confidence is not None]
    printed = " ".join(span.text for span in spans if span.text)
    return Span(printed, words, spans[0].page, union([span.box for span in spans]), min(scores, default=None), checks)


def union(boxes: Iterable[Box | None]) -> Box | None:
    """The smallest box around all that are known."""
    whole: Box | None = None
    for box in boxes:
        if box is not None:
            whole = box if whole is None else whole.joined(box)
    return whole


def ids_of(words: Sequence[Word]) -> tuple[str, ...]:
    """The words' ids, without those that the engine gave none."""
    return tuple(word.id for word in words if word.id)


def words_within(layout: Layout, page: int, box: Box | None) -> tuple[Word, ...]:
    """The words of a page whose middle lies in the box."""
    words = next((each.words for each in layout.pages if each.number == page), ())
    return tuple(_held(words, box)) if box else ()


def _held(words: Iterable[Word], box: Box) -> Iterator[Word]:
    for word in words:
        if word.box is not None:
            x, y = word.box.centre
            if box.left <= x <= box.right and box.top <= y <= box.bottom:
                yield word


def _page(block: RawBlock) -> int:
    return counted(block.get("Page"))


# --- direction of the text


def _baseline(geometry: Mapping[str, Any]) -> tuple[float, float] | None:
    """The vector along the text: polygon[0] is where it begins, polygon[1] where its top edge ends."""
    points = listed(geometry.get("Polygon"))
    if len(points) < 2:
        return None
    begin, end = members(points[0]), members(points[1])
    x0, y0, x1, y1 = number(begin.get("X")), number(begin.get("Y")), number(end.get("X")), number(end.get("Y"))
    if x0 is None or y0 is None or x1 is None or y1 is None or (x0, y0) == (x1, y1):
        return None
    return x1 - x0, y1 - y0


def _turn(geometry: Mapping[str, Any]) -> Rotation | None:
    """How far a word must be turned clockwise to be upright; None when its geometry does not tell.

    The polygon decides. RotationAngle (taken as the text's own clockwise turn) counts where the polygon is missing
    or lies along the page as a mere bounding box does.
    """
    along = _baseline(geometry)
    turn: Rotation = 0
    if along is not None:
        x, y = along
        if abs(y) > abs(x):
            turn = 270 if y > 0 else 90
        elif x < 0:
            turn = 180
    if turn:
        return turn
    stated = number(geometry.get("RotationAngle"))
    if stated is not None:
        return _opposite(round(stated / 90) % 4)
    return None if along is None else 0


def _opposite(quarters: int) -> Rotation:
    turns: tuple[Rotation, ...] = (0, 270, 180, 90)
    return turns[quarters]


def _slope(geometry: Mapping[str, Any], rotation: Rotation) -> float | None:
    """dy/dx of a line on the upright page; lines too short to tell are left out."""
    along = _baseline(geometry)
    if along is None:
        return None
    x, y = along
    match rotation:
        case 90:
            x, y = -y, x
        case 180:
            x, y = -x, -y
        case 270:
            x, y = y, -x
        case _:
            pass
    return y / x if x > 0.1 else None
