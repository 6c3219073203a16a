"""How the local engine pairs the words that Textract read, beside the pairs that Textract itself made of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import _scores
from benchmarks._scores import Overlap
from deploy.local.textract.forms import find_pairs
from deploy.local.textract.layout import Sheet, lay_out
from deploy.local.textract.reading import Line, PageReading, Quad, Word
from deploy.local.textract.tables import find_tables, item_words

Block = Mapping[str, Any]

WIDTH, HEIGHT = 1700, 2200
"""Pixels that a page is taken to have: an answer does not say."""

LEAST = 80.0
"""How alike both sides of a pair must be, as on forms with truth."""


def with_textract(folder: Path) -> dict[str, Any]:
    """Pairs in common over all stored answers with pairs; those without words of lines are left out.

    There is no picture, so the ruled lines and check boxes that the engine would see are missing. Textract's pairs are no truth:
    on receipts it makes pairs of items, and of W-2 forms it joins boxes.
    """
    by_answer = {path.stem: _of_answer(json.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.json"))}
    found = {name: overlap for name, overlap in by_answer.items() if overlap.sought}
    whole = sum(found.values(), Overlap())
    return {
        "answers": len(found), "n": whole.sought, "precision": whole.precision, "recall": whole.recall, "f1": whole.f1,
        "by_answer": {name: overlap.f1 for name, overlap in found.items()},
    }  # fmt: skip


def _of_answer(answer: Mapping[str, Any]) -> Overlap:
    blocks = answer.get("Blocks") or []
    by_id = {block["Id"]: block for block in blocks}
    pages: dict[int, list[Block]] = defaultdict(list)
    for block in blocks:
        pages[block.get("Page") or 1].append(block)
    return sum((_of_page(page, by_id) for page in pages.values()), Overlap())


def _of_page(blocks: Sequence[Block], by_id: Mapping[str, Block]) -> Overlap:
    lines = [
        Line(_quad(block), words)
        for block in blocks
        if block["BlockType"] == "LINE" and (words := tuple(map(_word, _words(block, by_id))))
    ]
    sought = [pair for block in blocks for pair in _pairs(block, by_id)]
    if not lines or not sought:
        return Overlap()
    return _scores.pairs_in_common(sought, _found(lay_out(PageReading(WIDTH, HEIGHT, 0, tuple(lines)))), least=LEAST)


def _found(sheet: Sheet) -> list[tuple[str, str]]:
    pairs = find_pairs(sheet, apart=item_words(find_tables(sheet)))
    return [(_bare(pair.key_text), pair.value_text) for pair in pairs if pair.value]


def _pairs(block: Block, by_id: Mapping[str, Block]) -> Iterable[tuple[str, str]]:
    if "KEY" in (block.get("EntityTypes") or ()):
        key = _bare(_text(block, by_id))
        value = " ".join(_text(each, by_id) for each in _related(block, "VALUE", by_id))
        if key and value:
            yield key, value


def _related(block: Block, kind: str, by_id: Mapping[str, Block]) -> list[Block]:
    named = (each["Ids"] for each in block.get("Relationships") or () if each["Type"] == kind)
    return [by_id[identity] for ids in named for identity in ids if identity in by_id]


def _words(block: Block, by_id: Mapping[str, Block]) -> list[Block]:
    return [each for each in _related(block, "CHILD", by_id) if each["BlockType"] == "WORD"]


def _text(block: Block, by_id: Mapping[str, Block]) -> str:
    return " ".join(word["Text"] for word in _words(block, by_id))


def _word(block: Block) -> Word:
    return Word(block["Text"], block["Confidence"], _quad(block))


def _quad(block: Block) -> Quad:
    first, second, third, fourth = ((point["X"], point["Y"]) for point in block["Geometry"]["Polygon"])
    return first, second, third, fourth


def _bare(key: str) -> str:
    return key.rstrip(" :;.")
