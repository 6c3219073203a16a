"""Textract's blocks, made from what was read on a page."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.local.textract import expense, queries
from deploy.local.textract.checkboxes import Checkbox, find_checkboxes
from deploy.local.textract.forms import Pair, find_pairs
from deploy.local.textract.layout import Placed, Sheet, lay_out
from deploy.local.textract.reading import PageReading, Point, Quad
from deploy.local.textract.tables import Table, find_tables, item_words

Block = dict[str, Any]
NAMESPACE = uuid.UUID("5f8c3a7e-2d1b-5c7a-9f0e-6b1d2a3c4e5f")
WHOLE_PAGE: Quad = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Question:
    """A query as it was asked for this page."""

    text: str
    alias: str | None


def blocks_of(
    page: PageReading, *, number: int, sha256: str, features: frozenset[str], questions: Sequence[Question] = ()
) -> list[Block]:
    """All blocks of one page for the features asked for, PAGE first, then lines in reading order.

    Positions are fractions of the page as delivered; a page that lies on its side has WORDs with a RotationAngle.
    Ids depend on the document, the page and the order only, so the same request gives the same answer.
    """
    return _PageBlocks(page, number, sha256).build(features, questions)


def expense_document(page: PageReading, *, number: int, sha256: str) -> dict[str, Any]:
    """One page as AnalyzeExpense has it, its text blocks inside."""
    return _PageBlocks(page, number, sha256).expense()


class _PageBlocks:
    def __init__(self, page: PageReading, number: int, sha256: str) -> None:
        self._page, self._number, self._sha256 = page, number, sha256
        self._blocks: list[Block] = []
        self._sheet: Sheet = lay_out(page)
        self._words: list[Block] = []
        self._lines: list[Block] = []

    def build(self, features: frozenset[str], questions: Sequence[Question]) -> list[Block]:
        root = self._add("PAGE", WHOLE_PAGE)
        self._text()
        tables = find_tables(self._sheet) if features & {"TABLES", "FORMS", "LAYOUT", "QUERIES"} else []
        pairs = find_pairs(self._sheet, apart=item_words(tables)) if features & {"FORMS", "QUERIES"} else []
        top = list(self._lines)
        if "TABLES" in features:
            top += [self._table(table) for table in tables]
        if "FORMS" in features:
            top += [block for pair in pairs for block in self._pair(pair)]
            top += [block for each in find_checkboxes(self._sheet) for block in self._checkbox(each)]
        if "LAYOUT" in features:
            top += self._layout(tables)
        if "QUERIES" in features:
            top += [self._query(question, pairs) for question in questions]
        _relate(root, "CHILD", top)
        return self._blocks

    def expense(self) -> dict[str, Any]:
        root = self._add("PAGE", WHOLE_PAGE)
        self._text()
        _relate(root, "CHILD", self._lines)
        tables = find_tables(self._sheet)
        pairs = find_pairs(self._sheet, apart=item_words(tables))
        found = expense.document(self._sheet, pairs, tables, page=self._number, locate=self._place)
        return found | {"Blocks": self._blocks}

    def _place(self, words: Iterable[Placed]) -> Block:
        return self._geometry(self._around(words))

    def _add(self, kind: str, quad: Quad | None, **members: Any) -> Block:
        name = f"{self._sha256}:{self._number}:{len(self._blocks)}"
        block: Block = {"BlockType": kind, "Id": str(uuid.uuid5(NAMESPACE, name)), "Page": self._number}
        if quad is not None:
            block["Geometry"] = self._geometry(quad)
        block.update(members)
        self._blocks.append(block)
        return block

    def _geometry(self, quad: Quad) -> Block:
        points = [_delivered(point, self._page.rotation) for point in quad]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        box = {"Left": min(xs), "Top": min(ys), "Width": max(xs) - min(xs), "Height": max(ys) - min(ys)}
        return {"BoundingBox": box, "Polygon": [{"X": x, "Y": y} for x, y in points]}

    def _text(self) -> None:
        """LINE blocks in reading order, then their WORDs, in the order that `Placed.index` counts."""
        for line in self._sheet.lines:
            confidence = sum(word.confidence for word in line.words) / len(line.words)
            text = " ".join(word.text for word in line.words)
            self._lines.append(self._add("LINE", line.quad, Text=text, Confidence=confidence))
        for block, line in zip(self._lines, self._sheet.lines, strict=True):
            _relate(block, "CHILD", [self._word(word.text, word.confidence, word.quad) for word in line.words])

    def _word(self, text: str, confidence: float, quad: Quad) -> Block:
        block = self._add("WORD", quad, Text=text, Confidence=confidence, TextType="PRINTED")
        if self._page.rotation:
            block["Geometry"]["RotationAngle"] = float(self._page.rotation)
        self._words.append(block)
        return block

    def _around(self, words: Iterable[Placed]) -> Quad:
        """The rectangle around words, from their true places, not from the straightened ones."""
        all_words = [word for line in self._sheet.lines for word in line.words]
        points = [point for word in words for point in all_words[word.index].quad]
        return _rectangle(points)

    def _children(self, words: Iterable[Placed]) -> list[Block]:
        return [self._words[word.index] for word in words]

    def _table(self, table: Table) -> Block:
        words = [word for cell in table.cells for word in cell.words]
        block = self._add("TABLE", self._around(words), Confidence=table.confidence)
        block["EntityTypes"] = ["STRUCTURED_TABLE" if table.headed else "SEMI_STRUCTURED_TABLE"]
        cells = []
        for cell in table.cells:
            confidence = min([table.confidence, *(word.confidence for word in cell.words)])
            quad = self._around(cell.words) if cell.words else self._empty(cell.box)
            made = self._add("CELL", quad, Confidence=confidence, RowIndex=cell.row, ColumnIndex=cell.column)
            made.update(RowSpan=1, ColumnSpan=1)
            if cell.row <= table.heading:
                made["EntityTypes"] = ["COLUMN_HEADER"]
            _relate(made, "CHILD", self._children(cell.words))
            cells.append(made)
        _relate(block, "CHILD", cells)
        return block

    def _empty(self, box: Any) -> Quad:
        width, height = self._page.width, self._page.height
        left, right = _bounded(box.left / width), _bounded(box.right / width)
        top, bottom = _bounded(box.top / height), _bounded(box.bottom / height)
        return ((left, top), (right, top), (right, bottom), (left, bottom))

    def _pair(self, pair: Pair) -> tuple[Block, Block]:
        key_quad = self._around(pair.key)
        value_quad = self._around(pair.value) if pair.value else _beside(key_quad)
        key = self._add("KEY_VALUE_SET", key_quad, Confidence=pair.confidence, EntityTypes=["KEY"])
        value = self._add("KEY_VALUE_SET", value_quad, Confidence=pair.confidence, EntityTypes=["VALUE"])
        _relate(key, "VALUE", [value])
        _relate(key, "CHILD", self._children(pair.key))
        _relate(value, "CHILD", self._children(pair.value))
        return key, value

    def _checkbox(self, found: Checkbox) -> Iterator[Block]:
        """The box; with words beside it also a key whose value it is."""
        status = "SELECTED" if found.tick.selected else "NOT_SELECTED"
        box = self._add("SELECTION_ELEMENT", found.tick.quad, Confidence=found.tick.confidence, SelectionStatus=status)
        if not found.label:
            yield box
            return
        key = self._add("KEY_VALUE_SET", self._around(found.label), Confidence=found.confidence, EntityTypes=["KEY"])
        value = self._add("KEY_VALUE_SET", found.tick.quad, Confidence=found.confidence, EntityTypes=["VALUE"])
        _relate(key, "VALUE", [value])
        _relate(key, "CHILD", self._children(found.label))
        _relate(value, "CHILD", [box])
        yield from (key, value)

    def _query(self, question: Question, pairs: Sequence[Pair]) -> Block:
        asked = {"Text": question.text} | ({"Alias": question.alias} if question.alias else {})
        block = self._add("QUERY", None, Query=asked)
        found = queries.answer(question.text, pairs)
        if found:
            pair, likeness = found
            confidence = float(round(pair.confidence * min(1.0, 0.5 + likeness / 2)))
            result = self._add("QUERY_RESULT", self._around(pair.value), Text=pair.value_text, Confidence=confidence)
            _relate(block, "ANSWER", [result])
        return block

    def _layout(self, tables: Sequence[Table]) -> list[Block]:
        """A title if the page opens with larger text, a LAYOUT_TABLE per table, LAYOUT_TEXT for the rest."""
        line_of = {word.index: word.line for word in self._sheet.words}
        tabled = [sorted({line_of[number] for number in table.word_numbers}) for table in tables]
        taken = {line for lines in tabled for line in lines}
        answer = []
        title = self._title(taken)
        if title is not None:
            taken.add(title)
            answer.append(self._region("LAYOUT_TITLE", [title]))
        answer += [self._region("LAYOUT_TABLE", lines) for lines in tabled]
        answer += [self._region("LAYOUT_TEXT", lines) for lines in self._paragraphs(taken)]
        return answer

    def _region(self, kind: str, lines: Sequence[int]) -> Block:
        points = [point for number in lines for point in self._sheet.lines[number].quad]
        confidence = min(self._lines[number]["Confidence"] for number in lines)
        block = self._add(kind, _rectangle(points), Confidence=confidence)
        _relate(block, "CHILD", [self._lines[number] for number in lines])
        return block

    def _title(self, taken: set[int]) -> int | None:
        top = [n for n, line in enumerate(self._sheet.lines) if n not in taken and line.quad[0][1] < 0.33]
        tallest = max(top, key=self._line_height, default=None)
        enough = tallest is not None and self._line_height(tallest) >= 1.3 * self._sheet.line_height
        return tallest if enough else None

    def _line_height(self, number: int) -> float:
        quad = self._sheet.lines[number].quad
        return max(y for _, y in quad) * self._page.height - min(y for _, y in quad) * self._page.height

    def _paragraphs(self, taken: set[int]) -> list[list[int]]:
        """Lines one below the other at a small distance, in reading order."""
        groups: list[list[int]] = []
        for number in range(len(self._sheet.lines)):
            if number in taken:
                continue
            home = next((group for group in reversed(groups) if self._follows(group[-1], number)), None)
            if home is None:
                groups.append([number])
            else:
                home.append(number)
        return groups

    def _follows(self, above: int, below: int) -> bool:
        (left_a, _), (right_a, _), (_, bottom), _ = self._sheet.lines[above].quad
        (left_b, top), (right_b, _), _, _ = self._sheet.lines[below].quad
        gap = (top - bottom) * self._page.height
        return gap <= 0.6 * self._sheet.line_height and min(right_a, right_b) > max(left_a, left_b)


def _relate(block: Block, kind: str, others: Sequence[Block]) -> None:
    if others:
        block.setdefault("Relationships", []).append({"Type": kind, "Ids": [other["Id"] for other in others]})


def _delivered(point: Point, rotation: int) -> Point:
    """Where a point of the upright page is on the page as delivered, which is turned clockwise by `rotation`."""
    x, y = point
    return {0: (x, y), 90: (1 - y, x), 180: (1 - x, 1 - y), 270: (y, 1 - x)}[rotation]


def _rectangle(points: Sequence[Point]) -> Quad:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return ((min(xs), min(ys)), (max(xs), min(ys)), (max(xs), max(ys)), (min(xs), max(ys)))


def _beside(quad: Quad) -> Quad:
    """A small empty place right of a label, where its value would begin."""
    (_, top), (right, _), (_, bottom), _ = quad
    end = min(1.0, right + (bottom - top))
    return ((right, top), (end, top), (end, bottom), (right, bottom))


def _bounded(fraction: float) -> float:
    return min(max(fraction, 0.0), 1.0)
