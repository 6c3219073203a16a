"""Small Textract answers and document types, built by hand: `Answer().line('Total 12.00').blocks`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ocr.extraction import DocumentType, Field, FieldSpec, Reading, document_type, read

TYPES = Path(__file__).parents[2] / "ocr" / "document_types"
LETTER = 0.01
HEIGHT = 0.02


@cache
def shipped(name: str) -> DocumentType:
    """One of the document types that the project ships."""
    return document_type(yaml.safe_load((TYPES / f"{name}.yaml").read_text(encoding="utf-8")))


def a_type(*fields: dict[str, Any], **more: Any) -> DocumentType:
    """A document type with these fields."""
    data = {"name": "test", "version": 1, "label": "Test", "fields": list(fields), **more}
    return document_type(data)


def spec(kind: str = "text", **more: Any) -> FieldSpec:
    return a_type({"name": "field", "kind": kind, **more}, features=["FORMS", "SIGNATURES"]).fields[0]


def field(reading: Reading, name: str) -> Field:
    return next(each for each in reading.fields if each.name == name)


def problems(reading: Reading) -> set[tuple[str, str | None, str | None]]:
    return {(each.code, each.field, each.rule) for each in reading.problems}


class Answer:
    """Blocks in the making. Lines go down the page by themselves; words are as wide as their letters."""

    def __init__(self) -> None:
        self.blocks: list[dict[str, Any]] = []
        self.top = 0.05

    def add(self, kind: str, **members: Any) -> str:
        identity = f"{kind.lower()}-{len(self.blocks)}"
        self.blocks.append({"BlockType": kind, "Id": identity, **members})
        return identity

    def words(
        self, text: str, *, left: float = 0.1, top: float = 0.05, confidence: float = 99.0, page: int = 1,
        letter: float = LETTER,
    ) -> list[str]:  # fmt: skip
        made = []
        for word in text.split():
            box = geometry(left, top, letter * len(word), HEIGHT)
            made.append(self.add("WORD", Text=word, Confidence=confidence, TextType="PRINTED", Page=page, Geometry=box))
            left += letter * (len(word) + 1)
        return made

    def line(
        self, text: str, *, left: float = 0.1, top: float | None = None, confidence: float = 99.0, page: int = 1,
        height: float = HEIGHT, letter: float = LETTER,
    ) -> Answer:  # fmt: skip
        """A line below the one before it, or at `top`."""
        if top is None:
            top = self.top = self.top + 0.03
        children = self.words(text, left=left, top=top, confidence=confidence, page=page, letter=letter)
        box = geometry(left, top, letter * len(text), height)
        self.add("LINE", Text=text, Confidence=confidence, Page=page, Geometry=box, Relationships=children_of(children))
        return self

    def row(self, *texts: str, lefts: Sequence[float] = (0.1, 0.4, 0.6, 0.8), confidence: float = 99.0) -> Answer:
        """Several lines beside each other."""
        self.top += 0.03
        for text, left in zip(texts, lefts, strict=False):
            self.line(text, left=left, top=self.top, confidence=confidence)
        return self

    def lines(self, *texts: str) -> Answer:
        for text in texts:
            self.line(text)
        return self

    def pair(
        self, key: str, value: str | None, *, confidence: float = 95.0, words: float = 99.0,
        checked: bool | None = None, page: int = 1,
    ) -> Answer:  # fmt: skip
        """A form field; `value` None gives a key without a value block."""
        self.top += 0.03
        relationships = children_of(self.words(key, top=self.top, page=page))
        if value is not None:
            children = self.words(value, left=0.5, top=self.top, confidence=words, page=page)
            if checked is not None:
                status = "SELECTED" if checked else "NOT_SELECTED"
                children.append(self.add("SELECTION_ELEMENT", SelectionStatus=status, Confidence=90.0, Page=page))
            made = self.add(
                "KEY_VALUE_SET", EntityTypes=["VALUE"], Confidence=confidence, Page=page,
                Geometry=geometry(0.5, self.top, 0.3, HEIGHT), Relationships=children_of(children),
            )  # fmt: skip
            relationships = [*relationships, {"Type": "VALUE", "Ids": [made]}]
        self.add(
            "KEY_VALUE_SET", EntityTypes=["KEY"], Confidence=confidence, Page=page,
            Geometry=geometry(0.1, self.top, 0.3, HEIGHT), Relationships=relationships,
        )  # fmt: skip
        return self

    def query(self, alias: str, answer: str | None, *, confidence: float = 90.0) -> Answer:
        relationships = []
        if answer is not None:
            self.top += 0.03
            self.words(answer, top=self.top)
            box = geometry(0.1, self.top, LETTER * len(answer), HEIGHT)
            made = self.add("QUERY_RESULT", Text=answer, Confidence=confidence, Page=1, Geometry=box)
            relationships = [{"Type": "ANSWER", "Ids": [made]}]
        self.add("QUERY", Query={"Text": f"What is {alias}?", "Alias": alias}, Relationships=relationships)
        return self

    def table(
        self, *rows: Sequence[str], header: bool = True, confidence: float = 95.0, words: float = 99.0, page: int = 1,
        roles: dict[int, str] | None = None, shuffled: bool = False,
    ) -> Answer:  # fmt: skip
        """A table, its first row marked as header; `roles` marks the cells of a row (from 1) otherwise."""
        cells = []
        for row, texts in enumerate(rows, 1):
            self.top += 0.03
            for column, text in enumerate(texts, 1):
                left = 0.1 + 0.2 * (column - 1)
                children = self.words(text, left=left, top=self.top, confidence=words, page=page)
                role = (roles or {}).get(row, "COLUMN_HEADER" if header and row == 1 else "")
                cells.append(
                    self.add(
                        "CELL", RowIndex=row, ColumnIndex=column, RowSpan=1, ColumnSpan=1, Confidence=confidence,
                        Page=page, Geometry=geometry(left, self.top, 0.2, HEIGHT), Relationships=children_of(children),
                        EntityTypes=[role] if role else None,
                    )
                )  # fmt: skip
        self.add(
            "TABLE", Confidence=confidence, Page=page, Relationships=children_of(cells[::-1] if shuffled else cells)
        )
        return self

    def read(self, type_: DocumentType | str, **more: Any) -> Reading:
        return read(self.blocks, shipped(type_) if isinstance(type_, str) else type_, **more)


def geometry(left: float, top: float, width: float, height: float, *, turned: int = 0) -> dict[str, Any]:
    """A box with its polygon; `turned` is how far the text itself is turned clockwise."""
    right, bottom = left + width, top + height
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    first = turned // 90
    polygon = [{"X": x, "Y": y} for x, y in corners[first:] + corners[:first]]
    return {"BoundingBox": {"Left": left, "Top": top, "Width": width, "Height": height}, "Polygon": polygon}


def children_of(identities: Sequence[str]) -> list[dict[str, Any]]:
    return [{"Type": "CHILD", "Ids": list(identities)}] if identities else []
