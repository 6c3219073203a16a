"""An answer that comes in parts is read as if it came whole, and its blocks are let go page by page."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import random
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ocr import extraction
from ocr.extraction import Reading, as_json, gathering, parts, read
from tests.extraction.make import Answer, a_type, children_of, field, shipped

SHARED = Path(os.environ.get("DTAT_SHARED", Path(__file__).parents[3] / "shared"))
FOLDER = SHARED / "data" / "textract"
# Of one shape: pairs in the manner of a console export come after all others when both are in one answer.
REAL = sorted(path for path in FOLDER.glob("*.json") if "console" not in path.name)
TYPES = ("invoice", "receipt", "generic_form")

Block = dict[str, Any]


def page(number: int, *, date: str = "12/03/2026", total: str = "48.00") -> list[Block]:
    """A page of an invoice; every id of its own."""
    answer = Answer().lines("Alder Ironworks Ltd", "Tax invoice").line(f"Invoice number: INV-{number}")
    answer.line(f"Invoice date: {date}").line(f"Due date: {date}").pair("Total:", total).pair(
        "Agreed", "", checked=True
    )
    answer.table(("Description", "Quantity", "Unit price", "Amount"), ("Hinges", "2", "5.00", "10.00"))
    made = [{"BlockType": "PAGE", "Id": "page", "Relationships": children_of([each["Id"] for each in answer.blocks])}]
    return moved([*made, *answer.blocks], number)


def moved(blocks: Sequence[Block], by: int) -> list[Block]:
    """The blocks on another page, their ids unlike those of any other."""
    found = copy.deepcopy(list(blocks))
    for block in found:
        block |= {"Page": by, "Id": f"{by}/{block['Id']}"}
        for relationship in block.get("Relationships") or []:
            relationship["Ids"] = [f"{by}/{each}" for each in relationship.get("Ids") or []]
    return found


def cut(blocks: Sequence[Block], chance: random.Random, most: int) -> Iterator[list[Block]]:
    at = 0
    while at < len(blocks):
        size = chance.randint(1, most)
        yield list(blocks[at : at + size])
        at += size


def told(reading: Reading) -> str:
    return json.dumps(as_json(reading), sort_keys=True)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("most", [1, 7, 40, 1000])
def test_wherever_an_answer_is_cut_it_says_the_same(name: str, most: int) -> None:
    blocks = [block for number in range(1, 6) for block in page(number, date=f"{number + 20}/03/2026")]
    for seed in range(5):
        assert told(read(cut(blocks, random.Random(seed), most), shipped(name))) == told(read(blocks, shipped(name)))


@pytest.mark.skipif(not REAL, reason="the real answers are not here (DTAT_SHARED)")
@pytest.mark.parametrize("name", TYPES)
def test_real_pages_say_the_same_in_parts(name: str) -> None:
    chance = random.Random(20)
    documents = [json.loads(path.read_text(encoding="utf-8")).get("Blocks") or [] for path in REAL]
    whole = [block for blocks in documents if len({block.get("Page") for block in blocks}) > 1 for block in [blocks]]
    single = [blocks for blocks in documents if blocks and len({block.get("Page") for block in blocks}) == 1]
    for _ in range(3):
        chosen = chance.sample(single, 4)
        whole.append([block for number, blocks in enumerate(chosen, 1) for block in moved(blocks, number)])
    for blocks in whole:
        for most in (30, 1000):
            assert told(read(cut(blocks, chance, most), shipped(name))) == told(read(blocks, shipped(name)))


def test_children_may_come_in_a_later_part_than_what_holds_them() -> None:
    first, second = page(1), page(2)
    late = [block for block in first if block["BlockType"] == "WORD"]
    early = [block for block in first if block["BlockType"] != "WORD"]
    found = read(iter([[*early, *second[:3]], late, second[3:]]), shipped("invoice"))
    assert told(found) == told(read([*early, *late, *second], shipped("invoice")))
    assert field(found, "total").value == "48.00"


def test_what_never_comes_is_counted_and_holds_nobody_up() -> None:
    pages = [page(number) for number in range(1, parts.MOST_HELD + 6)]
    for blocks in pages:
        blocks.append(
            {"BlockType": "LINE", "Id": "lost", "Page": blocks[0]["Page"], "Relationships": children_of(["nowhere"])}
        )
    held = [len(parts_held) for parts_held in _held(pages)]
    assert max(held) <= parts.MOST_HELD + 1
    assert read(iter(pages), shipped("invoice")).unknown["dangling_id"] == len(pages)


def _held(pages: Sequence[list[Block]]) -> Iterator[list[int]]:
    """Which pages wait, each time that a part is asked for."""
    waiting: list[int] = []

    def given() -> Iterator[list[Block]]:
        for blocks in pages:
            waiting.append(blocks[0]["Page"])
            yield blocks

    for blocks in parts.Parts(given()):
        yield list(waiting)
        waiting.remove(blocks[0]["Page"])


def test_pages_in_any_order_are_all_read() -> None:
    found = read(iter([page(3), page(1), page(2)]), shipped("invoice"))
    assert [each.number for each in found.pages] == [1, 2, 3]
    assert [item.page for item in found.line_items] == [3, 1, 2]


def test_a_date_on_the_last_page_says_how_those_of_the_first_are_meant() -> None:
    proof = [page(1, date="04/05/2026"), page(2, date="04/05/2026"), page(3, date="04/25/2026")]
    assert field(read(iter(proof), shipped("invoice")), "invoice_date").value == "2026-04-05"
    without = proof[:2]
    assert field(read(iter(without), shipped("invoice")), "invoice_date").value == "2026-05-04"
    contradiction = [*proof, page(4, date="25/04/2026")]
    assert field(read(iter(contradiction), shipped("invoice")), "invoice_date").value == "2026-05-04"


def test_blocks_are_let_go_page_by_page() -> None:
    alive: weakref.WeakSet[Any] = weakref.WeakSet()
    most = 0

    class Known:
        """Lives as long as the block that holds it."""

    def given() -> Iterator[list[Block]]:
        nonlocal most
        for number in range(1, 61):
            blocks = page(number)
            for block in blocks:
                block["Witness"] = witness = Known()
                alive.add(witness)
            most = max(most, len(alive))
            yield blocks
            del blocks, block, witness

    for name in TYPES:
        most = 0
        read(given(), shipped(name))
        assert 0 < most <= 6 * len(page(1)), name
        assert len(alive) == 0, name


def test_more_fields_than_anybody_reviews_are_left_out_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST_FIELDS", 12)
    pages = [page(number) for number in range(1, 11)]
    pairs_only = dataclasses.replace(shipped("generic_form"), every_cell=False)
    found = read(iter(pages), pairs_only)
    (problem,) = [each for each in found.problems if each.rule == "too_many_fields"]
    assert (len(found.fields), problem.code, problem.field) == (12, "partial_result", None)
    assert problem.message.startswith("The document has 20 form fields; the first 12 are listed.")
    assert not [each for each in read(iter(pages[:6]), pairs_only).problems if each.rule == "too_many_fields"]


def test_more_line_items_than_anybody_reviews_are_left_out_and_no_sum_is_made_of_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    columns = len(shipped("invoice").line_items or ())
    monkeypatch.setattr(gathering, "MOST_FIELDS", 4 * columns)
    found = read(iter([page(number, total="10.00") for number in range(1, 7)]), shipped("invoice"))
    assert len(found.line_items) == 4
    assert "too_many_line_items" in {each.rule for each in found.problems}
    assert not [each for each in found.problems if each.message.startswith("The line items add up")]


def test_of_very_many_values_the_likeliest_is_chosen() -> None:
    type_ = a_type({"name": "code", "kind": "identifier", "labels": ["Code"]})
    pages = [moved(Answer().pair("Code", f"A-{number}", confidence=90).blocks, number) for number in range(1, 700)]
    pages[650] = moved(Answer().pair("Code", "B-1", confidence=99).blocks, 651)
    assert field(read(iter(pages), type_), "code").value == "B-1"


def test_parts_that_are_empty_or_no_parts_do_no_harm() -> None:
    assert read(iter([[], []]), shipped("invoice")).pages == ()
    blocks = page(1)
    mixed: list[Any] = [blocks[:5], None, *blocks[5:], "x"]
    found = read(iter(mixed), shipped("invoice"))
    assert field(found, "total").value == "48.00"
    assert found.unknown == {"not_a_block": 2}


@pytest.mark.parametrize(
    ("body", "said"),
    [(b'{"a": 1.5}', {"a": 1.5}), (b'["\\ud800"]', ["\ud800"]), (b"[1e999]", [float("inf")])],
)
def test_answers_are_decoded_whatever_the_fast_reader_refuses(body: bytes, said: Any) -> None:
    assert extraction.decoded(body) == said


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": ', b"\xff"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        extraction.decoded(body)
