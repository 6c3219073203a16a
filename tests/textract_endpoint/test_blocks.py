"""Textract's blocks from what was read: relations, places, queries."""

from collections import Counter
from typing import Any

import pytest

from deploy.local.textract.blocks import Block, Question, blocks_of
from tests.textract_endpoint import made

ALL = frozenset({"FORMS", "TABLES", "QUERIES", "SIGNATURES", "LAYOUT"})
LETTER = ((300, 40, "Northwind Ltd"), (50, 200, "Total: 9.00"), (50, 240, "Due date: 1/2/2026"))


def blocks(features: frozenset[str] = ALL, rotation: int = 0, **more: Any) -> list[Block]:
    return blocks_of(made.page(*LETTER, rotation=rotation), number=1, sha256="ab", features=features, **more)


def kinds(found: list[Block]) -> Counter[str]:
    return Counter(block["BlockType"] for block in found)


def test_plain_text_is_a_page_its_lines_and_their_words() -> None:
    found = blocks(frozenset())
    assert kinds(found) == {"PAGE": 1, "LINE": 3, "WORD": 7}
    assert [block["Text"] for block in found if block["BlockType"] == "LINE"] == [
        "Northwind Ltd",
        "Total: 9.00",
        "Due date: 1/2/2026",
    ]


def test_only_what_was_asked_for_is_answered() -> None:
    assert "KEY_VALUE_SET" not in kinds(blocks(frozenset({"TABLES"})))
    assert kinds(blocks(frozenset({"FORMS"})))["KEY_VALUE_SET"] == 4
    assert "SIGNATURE" not in kinds(blocks())


def test_no_relation_names_a_block_that_is_not_there() -> None:
    found = blocks(questions=[Question("What is the total?", "total")])
    ids = [block["Id"] for block in found]
    named = [other for block in found for relation in block.get("Relationships", []) for other in relation["Ids"]]
    assert len(ids) == len(set(ids))
    assert set(named) <= set(ids)


def test_the_same_document_gives_the_same_blocks() -> None:
    assert blocks() == blocks()
    other = blocks_of(made.page(*LETTER), number=2, sha256="ab", features=ALL)
    assert not {block["Id"] for block in blocks()} & {block["Id"] for block in other}


@pytest.mark.parametrize(
    ("rotation", "own_top_left"), [(0, (0.05, 0.2)), (90, (0.8, 0.05)), (180, (0.95, 0.8)), (270, (0.2, 0.95))]
)
def test_a_turned_page_keeps_places_as_delivered(rotation: int, own_top_left: tuple[float, float]) -> None:
    word = next(block for block in blocks(rotation=rotation) if block.get("Text") == "Total:")
    first = word["Geometry"]["Polygon"][0]
    assert (first["X"], first["Y"]) == pytest.approx(own_top_left)
    assert word["Geometry"].get("RotationAngle") == (float(rotation) if rotation else None)
    box = word["Geometry"]["BoundingBox"]
    assert (box["Width"] > box["Height"]) == (rotation in (0, 180))


def test_key_and_value_carry_the_same_confidence_and_their_words() -> None:
    found = blocks(frozenset({"FORMS"}))
    by_id = {block["Id"]: block for block in found}
    key = next(block for block in found if block.get("EntityTypes") == ["KEY"])
    related = {relation["Type"]: [by_id[other] for other in relation["Ids"]] for relation in key["Relationships"]}
    assert [block["Text"] for block in related["CHILD"]] == ["Total:"]
    (value,) = related["VALUE"]
    assert value["Confidence"] == key["Confidence"]
    assert [by_id[other]["Text"] for other in value["Relationships"][0]["Ids"]] == ["9.00"]


def test_a_query_is_answered_from_the_labels_and_left_open_when_none_fits() -> None:
    asked = [Question("What is the due date?", "due"), Question("Who signed the lease?", None)]
    found = blocks(frozenset({"QUERIES"}), questions=asked)
    answered, open_one = [block for block in found if block["BlockType"] == "QUERY"]
    assert answered["Query"] == {"Text": "What is the due date?", "Alias": "due"}
    (result,) = [block for block in found if block["BlockType"] == "QUERY_RESULT"]
    assert answered["Relationships"] == [{"Type": "ANSWER", "Ids": [result["Id"]]}]
    assert (result["Text"], result["Confidence"] % 1) == ("1/2/2026", 0)
    assert "Relationships" not in open_one


def test_a_page_without_text_is_a_page() -> None:
    (page,) = blocks_of(made.page(), number=1, sha256="ab", features=ALL - {"QUERIES"})
    assert page["BlockType"] == "PAGE"
    assert "Relationships" not in page


def test_the_layout_is_a_title_and_texts() -> None:
    tall = made.page(*LETTER[1:], (50, 300, "and so on"))
    found = blocks_of(tall, number=1, sha256="ab", features=frozenset({"LAYOUT"}))
    assert kinds(found)["LAYOUT_TEXT"] >= 1
    assert "LAYOUT_TITLE" not in kinds(found)
