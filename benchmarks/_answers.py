"""Textract answers of one page as bytes, as dense as real ones: geometry with all its digits, ids of 36 characters."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import orjson

_SYLLABLES = """
    al ber con dor el far gan hol in jar kel lum mor nes or pel quin ras sol tan ul ver win yor zan
"""
PAGE, NUMBER = "PPPPPPPP", 987654321  # stand for the page in a template: in its ids, and as its number


class Paper:
    """One page of blocks in the making."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.blocks: list[dict[str, Any]] = []
        self.on_page: list[str] = []
        self._top = 0.02

    def word(self) -> str:
        return "".join(self.random.choices(_SYLLABLES.split(), k=2)).capitalize()

    def row(
        self, *texts: str, lefts: Sequence[float] = (0.08, 0.36, 0.62, 0.8), step: float = 0.0126
    ) -> list[list[str]]:
        """A printed row: one line for each text; the ids of the words of each."""
        self._top += step
        found = []
        for text, left in zip(texts, lefts, strict=False):
            words, begin = [], left
            for word in text.split():
                width = 0.0083 * len(word)
                words.append(self._add("WORD", left, width, Text=word, TextType="PRINTED"))
                left += width + 0.005
            self.on_page.append(self._add("LINE", begin, left - begin, words, Text=text))
            found.append(words)
        return found

    def pairs(self, *texts: str) -> None:
        """A row of form fields: key, value, key, value."""
        printed = self.row(*texts)
        for key, value in zip(printed[::2], printed[1::2], strict=True):
            of_value = self._add("KEY_VALUE_SET", 0.4, 0.2, value, EntityTypes=["VALUE"])
            of_key = self._add("KEY_VALUE_SET", 0.1, 0.2, key, EntityTypes=["KEY"])
            self.blocks[-1]["Relationships"].append({"Type": "VALUE", "Ids": [of_value]})
            self.on_page += [of_key, of_value]

    def table(self, *rows: Sequence[str], headed: bool = False) -> None:
        cells = []
        for number, texts in enumerate(rows, 1):
            role = {"EntityTypes": ["COLUMN_HEADER"]} if headed and number == 1 else {}
            for column, words in enumerate(self.row(*texts), 1):
                cells.append(
                    self._add(
                        "CELL",
                        0.2 * column,
                        0.2,
                        words,
                        RowIndex=number,
                        ColumnIndex=column,
                        RowSpan=1,
                        ColumnSpan=1,
                        **role,
                    )
                )
        self.on_page.append(self._add("TABLE", 0.1, 0.8, cells))

    def whole(self) -> list[dict[str, Any]]:
        """All blocks, those of the page first."""
        self._add("PAGE", 0.0, 1.0, self.on_page)
        return [self.blocks[-1], *self.blocks[:-1]]

    def _add(self, kind: str, left: float, width: float, children: Sequence[str] = (), **members: Any) -> str:
        identity = f"{PAGE}-7d5e-4a1f-9c3b-{len(self.blocks):012d}"
        right, bottom, top = left + width, self._top + 0.0101171875, self._top
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        geometry = {
            "BoundingBox": {
                "Width": self._fine(width),
                "Height": self._fine(0.0101),
                "Left": self._fine(left),
                "Top": self._fine(top),
            },
            "Polygon": [{"X": self._fine(x), "Y": self._fine(y)} for x, y in corners],
        }
        block: dict[str, Any] = {
            "BlockType": kind, "Confidence": self.random.uniform(96, 99.99), **members, "Geometry": geometry, "Id": identity,
        }  # fmt: skip
        block["Relationships"] = [{"Type": "CHILD", "Ids": list(children)}] if children else []
        self.blocks.append(block | {"Page": NUMBER})
        return identity

    def _fine(self, value: float) -> float:
        return value + self.random.uniform(0, 1e-5)


def headed_form(seed: int) -> list[dict[str, Any]]:
    """The same with names over the columns of its table: 100 fields more."""
    return form(seed, headed=True)


def form(seed: int, *, headed: bool = False) -> list[dict[str, Any]]:
    """A dense form: some 880 blocks, 64 fields, a table."""
    paper = Paper(seed)
    paper.row("Registration of a household")
    for _ in range(32):
        paper.pairs(
            f"{paper.word()} {paper.word()}:", f"{paper.word()} {paper.word()}", f"{paper.word()}:", paper.word()
        )
    rows = [[f"{paper.word()} {paper.word()}" for _ in range(4)] for _ in range(26)]
    paper.table(*rows, headed=headed)
    while len(paper.blocks) < 876:
        paper.row(paper.word(), step=0.003)
    return paper.whole()


def invoice(seed: int) -> list[dict[str, Any]]:
    """An invoice of 16 items: some 430 blocks."""
    paper = Paper(seed)
    paper.row(f"{paper.word()} {paper.word()} Ltd", "Tax invoice")
    paper.row(
        f"{paper.random.randint(1, 99)} {paper.word()} Street", f"Telephone 555 {paper.random.randint(1000, 9999)}"
    )
    paper.pairs("Invoice number:", f"INV-{paper.random.randint(1000, 9999)}", "Invoice date:", "12/03/2026")
    paper.pairs("Due date:", "12/04/2026", "Customer:", f"{paper.word()} {paper.word()}")
    amounts = [paper.random.randint(100, 9999) for _ in range(16)]
    items = [(f"{paper.word()} {paper.word()}", "1", _money(each), _money(each)) for each in amounts]
    paper.table(("Description", "Quantity", "Unit price", "Amount"), *items)
    tax = sum(amounts) // 5
    paper.pairs("Subtotal:", _money(sum(amounts)), "Tax:", _money(tax))
    paper.pairs("Total:", _money(sum(amounts) + tax))
    for _ in range(8):
        paper.row(" ".join(paper.word() for _ in range(7)))
    return paper.whole()


def receipt(seed: int) -> list[dict[str, Any]]:
    """A till receipt of 12 items: some 150 blocks."""
    paper = Paper(seed)
    paper.row(f"{paper.word()} {paper.word()} Cafe")
    paper.row("Receipt", f"Date: {paper.random.randint(1, 28):02d}/03/2026 11:41")
    amounts = [paper.random.randint(100, 1999) for _ in range(12)]
    for each in amounts:
        paper.row(f"{paper.word()} {paper.word()}", _money(each))
    paper.pairs("Total:", _money(sum(amounts)))
    paper.pairs("Cash:", _money(sum(amounts) + 100), "Change:", "1.00")
    paper.row("Thank you for coming")
    return paper.whole()


def _money(cents: int) -> str:
    return f"{cents / 100:,.2f}"


class Template:
    """A page whose number can be set cheaply: each block as bytes."""

    def __init__(self, blocks: Sequence[dict[str, Any]]) -> None:
        self._blocks = [orjson.dumps(block) for block in blocks]

    def page(self, number: int) -> list[bytes]:
        identity, place = f"{number:08d}".encode(), str(number).encode()
        return [block.replace(PAGE.encode(), identity).replace(str(NUMBER).encode(), place) for block in self._blocks]


def body(blocks: Sequence[bytes], pages: int) -> bytes:
    """An answer with these blocks."""
    told = (
        b'{"DocumentMetadata":{"Pages":%d},"JobStatus":"SUCCEEDED","AnalyzeDocumentModelVersion":"1.0","Blocks":['
        % pages
    )
    return told + b",".join(blocks) + b"]}"
