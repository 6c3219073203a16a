"""Pages that never were on paper: invoices, receipts, forms and plain text, drawn as Textract's blocks.

What changes from document to document stays open as a mark in the bytes: `SALT` in ids, `PAGE` as the page's number and
`DIGITS` in the number that a document goes by. `pool` fills them in.
"""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

Block = dict[str, Any]
Box = tuple[float, float, float, float]

SALT = "@SALT@@@"
PAGE = "@PAGE@"
DIGITS = "@DIGIT@"
"""As long as what replaces them: eight hexadecimal digits and seven decimal ones; PAGE, with its quotes, a number."""

LETTER, LINE = 0.0088, 0.0125
"""The width of a letter and the height of a line of the usual size, as fractions of the page."""

_COMPANIES = (
    "Northgate Timber Ltd",
    "Bluewater Fittings Ltd",
    "Harrow & Pike Supplies Ltd",
    "Castell Print GmbH",
    "Ostend Marine Services Ltd",
    "Alder Lane Joinery Ltd",
    "Pennine Office Goods Ltd",
    "Quarry Hill Tools Ltd",
    "Seabright Laundry Ltd",
    "Weald Garden Centre Ltd",
)
_STREETS = ("12 Mill Road", "4 Harbour Street", "88 Station Lane", "27 Foundry Yard", "3 Orchard Close")
_TOWNS = ("Leeds LS1 4AB", "Bristol BS2 8QT", "Exeter EX4 1HQ", "York YO1 7HU", "Dover CT16 1AA")
_SHOPS = ("Corner Pantry", "Lighthouse Cafe", "Market Row Grocers", "Old Town Bakery", "Riverside Pharmacy")
_PEOPLE = ("Anna Whitfield", "Tomas Keller", "Ruth Okafor", "Idris Lloyd", "Marta Silva")
_GOODS = (
    "Oak shelf 120 cm",
    "Copy paper A4",
    "Steel hinges",
    "Desk lamp",
    "Toner black",
    "Packing tape",
    "Work gloves",
    "Paint brush set",
    "Cable drum",
    "Door handle",
    "Wood glue",
    "Floor cleaner",
)
_TERMS = (
    "The goods remain the property of the seller until they have been fully settled and the buyer keeps them "
    "apart from others and insured against loss and damage Any complaint is to be made in writing within eight days "
    "after the goods were handed over and hidden faults as soon as they are found The seller may then choose whether "
    "to mend or to replace what is faulty and further claims are ruled out unless they rest on intent or on gross "
    "neglect Where a part of these terms does not hold the rest of them holds all the same"
)
_PROSE = _TERMS.split()


@dataclass(frozen=True, slots=True)
class Fact:
    """A printed label and the words of its value."""

    label: str
    words: tuple[Block, ...]


@dataclass(slots=True)
class Paper:
    """A page being drawn. Scores come from `source`; `doubtful` pages have something that a person should look at."""

    source: random.Random
    number: int
    doubtful: bool = False
    facts: list[Fact] = field(default_factory=list)
    _made: int = 0
    _lines: list[Block] = field(default_factory=list)
    _words: list[Block] = field(default_factory=list)
    _more: list[Block] = field(default_factory=list)
    _top: list[Block] = field(default_factory=list)

    def write(self, left: float, top: float, text: str, *, size: float = 1.0, doubt: bool = False) -> list[Block]:
        """A line of text; its WORD blocks. With `doubt` one of them is hardly to be read."""
        words, at = [], left
        texts = text.split()
        for place, each in enumerate(texts):
            width = LETTER * size * len(each)
            score = (
                self.source.uniform(31, 72) if doubt and place == len(texts) - 1 else self.source.uniform(97.2, 99.97)
            )
            members = {"Confidence": score, "Text": each, "TextType": "PRINTED"}
            words.append(self._block("WORD", (at, top, width, LINE * size), members))
            at += width + LETTER * size
        score = sum(word["Confidence"] for word in words) / len(words)
        line = self._block("LINE", _around(words), {"Confidence": score, "Text": text})
        self._lines.append(_related(line, CHILD=words))
        self._words += words
        return words

    def pair(self, label: str, value: str, left: float, top: float, right: float, *, doubt: bool = False) -> None:
        """A label with its value to the right, as a form field."""
        key = self.write(left, top, label)
        words = self.write(right, top, value, doubt=doubt)
        self.facts.append(Fact(label, tuple(words)))
        score = self.source.uniform(88, 96)
        said = self._block("KEY_VALUE_SET", _around(words), {"Confidence": score, "EntityTypes": ["VALUE"]})
        asked = self._block("KEY_VALUE_SET", _around(key), {"Confidence": score, "EntityTypes": ["KEY"]})
        self._more += [_related(asked, VALUE=[said], CHILD=key), _related(said, CHILD=words)]
        self._top += [asked, said]

    def check(self, label: str, left: float, top: float, *, selected: bool) -> None:
        """A label with a check box."""
        key = self.write(left + 0.03, top, label)
        score = self.source.uniform(88, 99)
        status = {"Confidence": score, "SelectionStatus": "SELECTED" if selected else "NOT_SELECTED"}
        box = self._block("SELECTION_ELEMENT", (left, top, 0.012, 0.009), status)
        said = self._block("KEY_VALUE_SET", _around([box]), {"Confidence": score, "EntityTypes": ["VALUE"]})
        asked = self._block("KEY_VALUE_SET", _around(key), {"Confidence": score, "EntityTypes": ["KEY"]})
        self._more += [box, _related(asked, VALUE=[said], CHILD=key), _related(said, CHILD=[box])]
        self._top += [asked, said]

    def table(self, lefts: Sequence[float], top: float, rows: Sequence[Sequence[str]], *, step: float = 0.019) -> float:
        """A table with a heading row; where it ends."""
        cells: list[Block] = []
        score = self.source.uniform(96, 99.9)
        edges = [*lefts, 0.95]
        for row, texts in enumerate(rows, start=1):
            for column, text in enumerate(texts, start=1):
                words = self.write(lefts[column - 1], top, text)
                box = (lefts[column - 1], top, edges[column] - lefts[column - 1], step)
                place = {"RowIndex": row, "ColumnIndex": column, "RowSpan": 1, "ColumnSpan": 1}
                heading = {"EntityTypes": ["COLUMN_HEADER"]} if row == 1 else {}
                cell = self._block("CELL", box, {"Confidence": self.source.uniform(85, 97), **place, **heading})
                cells.append(_related(cell, CHILD=words))
            top += step
        members = {"Confidence": score, "EntityTypes": ["STRUCTURED_TABLE"]}
        table = _related(self._block("TABLE", _around(cells), members), CHILD=cells)
        self._more += [table, *cells]
        self._top.append(table)
        return top

    def heading(self) -> Sequence[Block]:
        """The words of the first line that was written."""
        return self._words[: len(self._lines[0]["Text"].split())] if self._lines else ()

    def sign(self, left: float, top: float) -> None:
        """A signature."""
        block = self._block("SIGNATURE", (left, top, 0.16, 0.03), {"Confidence": self.source.uniform(50, 98)})
        self._more.append(block)
        self._top.append(block)

    def lay_out(self) -> None:
        """The regions: a title over what follows."""
        for kind, lines in (("LAYOUT_TITLE", self._lines[:1]), ("LAYOUT_TEXT", self._lines[1:])):
            if not lines:
                continue
            block = self._block(kind, _around(lines), {"Confidence": self.source.uniform(60, 99)})
            self._more.append(_related(block, CHILD=lines))
            self._top.append(block)

    def fill(self, least_bytes: int, top: float) -> None:
        """Small print from `top` down, until the page's blocks take so many bytes."""
        lacking = least_bytes - len(encoded(self.blocks()))
        each = 5200  # a line of eleven words
        count = max(0, round(lacking / each))
        step = min(0.012, (0.985 - top) / count) if count else 0.0
        for number in range(count):
            start = self.source.randrange(len(_PROSE))
            words = [_PROSE[(start + place) % len(_PROSE)] for place in range(11)]
            self.write(0.06, top + number * step, " ".join(words), size=0.7)

    def blocks(self) -> list[Block]:
        """All blocks, the PAGE first, lines before words, as Textract orders them."""
        page = self._block("PAGE", (0.0, 0.0, 1.0, 1.0), {}, index=0)
        return [_related(page, CHILD=[*self._lines, *self._top]), *self._lines, *self._words, *self._more]

    def questions(self, queries: Sequence[tuple[str, str | None]]) -> list[Block]:
        """QUERY blocks, each with its QUERY_RESULT where the page has a label that the question names."""
        made = []
        for number, (text, alias) in enumerate(queries):
            query = {"Query": {"Text": text} | ({"Alias": alias} if alias else {})}
            block = self._block("QUERY", None, query, index=9000 + 2 * number)
            made.append(block)
            found = self._fact(text)
            if found:
                text = " ".join(word["Text"] for word in found.words)
                said = {"Confidence": float(round(self.source.uniform(60, 99))), "Text": text}
                result = self._block("QUERY_RESULT", _around(found.words), said, index=9001 + 2 * number)
                made.append(result)
                _related(block, ANSWER=[result])
        return made

    def _fact(self, question: str) -> Fact | None:
        asked = {word.strip("?.,:").lower() for word in question.split()}
        known = [(sum(word in asked for word in _plain(fact.label)), -place) for place, fact in enumerate(self.facts)]
        hits, place = max(known, default=(0, 0))
        return self.facts[-place] if hits and hits == len(_plain(self.facts[-place].label)) else None

    def _block(self, kind: str, box: Box | None, members: Block, *, index: int | None = None) -> Block:
        if index is None:
            self._made += 1
            index = self._made
        block: Block = {"BlockType": kind, **members}
        if box is not None:
            block["Geometry"] = _geometry(box)
        block["Id"] = f"{SALT}-{self.number & 0xFFFF:04x}-4000-8000-{index:012x}"
        block["Page"] = PAGE
        return block


def encoded(value: Any) -> bytes:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _plain(label: str) -> list[str]:
    return [word.strip(".:").lower() for word in label.split()]


def _geometry(box: Box) -> Block:
    left, top, width, height = box
    right, bottom = left + width, top + height
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return {
        "BoundingBox": {"Height": height, "Left": left, "Top": top, "Width": width},
        "Polygon": [{"X": x, "Y": y} for x, y in corners],
    }


def _around(blocks: Iterable[Block]) -> Box:
    boxes = [block["Geometry"]["BoundingBox"] for block in blocks]
    left, top = min(box["Left"] for box in boxes), min(box["Top"] for box in boxes)
    right, bottom = max(box["Left"] + box["Width"] for box in boxes), max(box["Top"] + box["Height"] for box in boxes)
    return (left, top, right - left, bottom - top)


def _related(block: Block, **others: Sequence[Block]) -> Block:
    named = [{"Type": kind, "Ids": [other["Id"] for other in found]} for kind, found in others.items() if found]
    if named:
        block["Relationships"] = named
    return block


# --- What is printed ----------------------------------------------------------------------------------------------


def invoice(paper: Paper) -> float:
    """A letter with a table of items that adds up; where it ends on the page."""
    source = paper.source
    doubt = source.choice(("total", "number", "sum")) if paper.doubtful else ""
    supplier, buyer = source.choice(_COMPANIES), source.choice(_PEOPLE)
    paper.write(0.07, 0.05, supplier, size=1.6)
    paper.write(0.07, 0.08, source.choice(_STREETS))
    paper.write(0.07, 0.095, source.choice(_TOWNS))
    paper.write(0.70, 0.05, "INVOICE", size=1.8)
    paper.write(0.07, 0.15, "Bill to")
    paper.write(0.07, 0.167, buyer)
    issued = date(2026, 1, 1) + timedelta(days=source.randrange(300))
    facts = (
        ("VAT number:", f"GB{source.randrange(10**8, 10**9)}"),
        ("Invoice number:", f"{source.choice(('RE', 'SI', 'A'))}-{DIGITS}"),
        ("Invoice date:", issued.strftime("%d %B %Y")),
        ("Due date:", (issued + timedelta(days=30)).strftime("%d %B %Y")),
        ("PO number:", str(source.randrange(10_000, 99_999))),
        ("Currency:", "GBP"),
    )
    for place, (label, value) in enumerate(facts):
        paper.pair(label, value, 0.55, 0.12 + 0.02 * place, 0.75, doubt=doubt == "number" and place == 1)
    items, net = _items(source)
    end = paper.table((0.07, 0.15, 0.52, 0.66, 0.82), 0.28, items)
    tax = round(net * 20 / 100)
    total = net + tax + (1000 if doubt == "sum" else 0)
    for place, (label, cents) in enumerate((("Subtotal", net), ("VAT", tax), ("Total", total))):
        paper.pair(label, money(cents), 0.62, end + 0.02 * (place + 1), 0.82, doubt=doubt == "total" and place == 2)
    return end + 0.1


def _items(source: random.Random) -> tuple[list[list[str]], int]:
    """The rows of a table of items, the heading first, and their sum in cents."""
    rows, net = [["Item", "Description", "Quantity", "Unit price", "Amount"]], 0
    for number in range(1, source.randrange(4, 13)):
        quantity, price = source.randrange(1, 30), source.randrange(250, 19_000)
        net += quantity * price
        rows.append([str(number), source.choice(_GOODS), str(quantity), money(price), money(quantity * price)])
    return rows, net


def receipt(paper: Paper) -> float:
    """A till's slip; where it ends on the page."""
    source = paper.source
    doubt = source.choice(("total", "date")) if paper.doubtful else ""
    paper.write(0.30, 0.05, source.choice(_SHOPS), size=1.6)
    paper.write(0.30, 0.08, "Receipt")
    day = date(2026, 1, 1) + timedelta(days=source.randrange(300))
    paper.pair("Receipt no:", f"R{DIGITS}", 0.30, 0.11, 0.50)
    paper.pair("Date:", day.strftime("%d %B %Y"), 0.30, 0.13, 0.50, doubt=doubt == "date")
    top, net = 0.17, 0
    for _ in range(source.randrange(2, 12)):
        cents = source.randrange(95, 4_000)
        net += cents
        paper.write(0.30, top, source.choice(_GOODS))
        paper.write(0.62, top, money(cents))
        top += 0.018
    paper.pair("Total", money(net), 0.30, top + 0.02, 0.62, doubt=doubt == "total")
    return top + 0.08


def form(paper: Paper) -> float:
    """An application with check boxes and a signature; where it ends on the page."""
    source = paper.source
    paper.write(0.07, 0.05, "Application for a parking permit", size=1.5)
    born = date(1950, 1, 1) + timedelta(days=source.randrange(18_000))
    facts = (
        ("Full name:", source.choice(_PEOPLE)),
        ("Date of birth:", born.strftime("%d %B %Y")),
        ("Street:", source.choice(_STREETS)),
        ("Town:", source.choice(_TOWNS)),
        ("Permit:", f"P{DIGITS}"),
        ("Vehicle:", f"{source.choice('ABCDEFG')}{source.randrange(10, 99)} {source.choice(('KLM', 'XYZ', 'RST'))}"),
    )
    for place, (label, value) in enumerate(facts):
        paper.pair(label, value, 0.07, 0.10 + 0.03 * place, 0.30, doubt=paper.doubtful and place == 0)
    for place, label in enumerate(("Resident", "Business", "Visitor")):
        paper.check(label, 0.07 + 0.2 * place, 0.30, selected=source.random() < 0.4)
    paper.write(0.07, 0.36, "Signature of the applicant")
    paper.sign(0.35, 0.35)
    return 0.42


def prose(paper: Paper) -> float:
    """A later page of a long document: nothing but text; where its heading ends."""
    paper.write(0.07, 0.05, "General terms", size=1.5)
    return 0.09


def money(cents: int) -> str:
    return f"{cents // 100:,}.{cents % 100:02}"
