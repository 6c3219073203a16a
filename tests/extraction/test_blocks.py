"""The walk over Textract's block graph: what it understands, and everything it must tolerate."""

from __future__ import annotations

from typing import Any

import pytest

from ocr.extraction import Box, blocks
from ocr.extraction.tolerant import counted, listed, members, number, text
from tests.extraction.make import Answer, children_of, geometry


def word(identity: str, printed: str = "word", **more: Any) -> dict[str, Any]:
    return {"BlockType": "WORD", "Id": identity, "Text": printed, "Confidence": 99.0, **more}


def line(identity: str, *words: str, **more: Any) -> dict[str, Any]:
    return {"BlockType": "LINE", "Id": identity, "Text": "as printed", "Relationships": children_of(words), **more}


def test_nothing_gives_nothing() -> None:
    layout = blocks.resolve([])
    assert (layout.pages, layout.lines, layout.pairs, layout.tables, layout.answers) == ((), (), (), (), ())
    assert layout.unknown == {}


def test_a_line_s_text_is_that_of_its_words() -> None:
    layout = blocks.resolve([word("a", "one"), word("b", "two"), line("l", "a", "b")])
    assert [each.text for each in layout.lines] == ["one two"]


def test_a_line_without_words_keeps_its_own_text() -> None:
    assert [each.text for each in blocks.resolve([line("l")]).lines] == ["as printed"]


def test_reading_order_is_block_order_and_lines_come_first() -> None:
    stray = word("z", "stray")
    layout = blocks.resolve([stray, word("a", "one"), word("b", "two"), line("l", "b"), line("m", "a")])
    assert [each.text for each in layout.pages[0].words] == ["two", "one", "stray"]


def test_pages_count_from_one_and_a_missing_page_is_the_first() -> None:
    layout = blocks.resolve(
        [{"BlockType": "PAGE", "Id": "p", "Page": 2}, word("a"), word("b", Page=3), word("c", Page=None)]
    )
    assert [(page.number, len(page.words)) for page in layout.pages] == [(1, 2), (2, 0), (3, 1)]


@pytest.mark.parametrize(
    ("foreign", "counts"),
    [
        ("not a block", {"not_a_block": 1}),
        (None, {"not_a_block": 1}),
        ({}, {"not_a_block": 1}),
        ({"BlockType": None, "Id": "x"}, {"not_a_block": 1}),
        ({"BlockType": "HOLOGRAM", "Id": "x"}, {"unknown_block_type": 1}),
        ({"BlockType": "PAGE"}, {"block_without_id": 1}),
        ({"BlockType": "WORD", "Id": "a", "Text": "again"}, {"repeated_id": 1}),
        ({"BlockType": "LINE", "Id": "x", "Relationships": children_of(["nowhere", "a"])}, {"dangling_id": 1}),
        ({"BlockType": "LINE", "Id": "x", "Relationships": [{"Type": "CHILD", "Ids": [7]}]}, {"dangling_id": 1}),
        ({"BlockType": "LAYOUT_TEXT", "Id": "x", "Surprise": 1}, {}),
    ],
)
def test_what_is_foreign_is_ignored_and_counted(foreign: Any, counts: dict[str, int]) -> None:
    layout = blocks.resolve([word("a", "kept"), foreign])
    assert layout.unknown == counts
    assert [each.text for each in layout.pages[0].words] == ["kept"]


@pytest.mark.parametrize(
    "nulls",
    [
        {"Relationships": None, "Confidence": None, "Page": None, "Geometry": None, "EntityTypes": None, "Text": None},
        {"Relationships": [None], "Geometry": {"BoundingBox": None, "Polygon": None}},
        {"Relationships": [{"Type": "CHILD", "Ids": None}], "Geometry": {"Polygon": [None, None]}},
        {"Relationships": "none", "Confidence": "high", "Geometry": {"BoundingBox": {"Left": "0.1"}}},
        {"Geometry": {"Polygon": [{"X": 0.1, "Y": 0.1}, {"X": 0.1, "Y": 0.1}]}},
    ],
)
@pytest.mark.parametrize(
    "kind", ["LINE", "WORD", "KEY_VALUE_SET", "TABLE", "CELL", "QUERY", "PAGE", "SELECTION_ELEMENT"]
)
def test_null_is_absent_in_every_kind_of_block(kind: str, nulls: dict[str, Any]) -> None:
    layout = blocks.resolve([{"BlockType": kind, "Id": "x", **nulls}, word("a", "kept")])
    assert "kept" in [each.text for page in layout.pages for each in page.words]


def test_a_pair_joins_key_and_value() -> None:
    (pair,) = blocks.resolve(Answer().pair("Name:", "Jane Doe", confidence=80).blocks).pairs
    assert (pair.key.text, pair.value and pair.value.text, pair.confidence) == ("Name:", "Jane Doe", 80)


def test_a_pair_s_confidence_is_the_lesser_of_its_two_blocks() -> None:
    answer = Answer().pair("Name:", "Jane", confidence=80)
    answer.blocks[-1]["Confidence"] = 60.0
    (pair,) = blocks.resolve(answer.blocks).pairs
    assert pair.confidence == 60


def test_a_key_without_text_or_without_value_stays_a_pair() -> None:
    layout = blocks.resolve(Answer().pair("", "lonely value").pair("lonely key", None).blocks)
    assert [(each.key.text, each.value and each.value.text) for each in layout.pairs] == [
        ("", "lonely value"),
        ("lonely key", None),
    ]


def test_several_values_of_one_key_are_read_as_one() -> None:
    made = [
        word("a", "one"), word("b", "two"),
        {"BlockType": "KEY_VALUE_SET", "Id": "v", "EntityTypes": ["VALUE"], "Confidence": 70.0, "Relationships": children_of(["a"])},
        {"BlockType": "KEY_VALUE_SET", "Id": "w", "EntityTypes": ["VALUE"], "Confidence": 60.0, "Relationships": children_of(["b"])},
        {"BlockType": "KEY_VALUE_SET", "Id": "k", "EntityTypes": ["KEY"], "Relationships": [{"Type": "VALUE", "Ids": ["v", "w"]}]},
    ]  # fmt: skip
    (pair,) = blocks.resolve(made).pairs
    assert pair.value is not None
    assert (pair.value.text, pair.value.confidence, pair.confidence) == ("one two", 60, 60)


def test_console_exports_write_key_and_value_as_block_types() -> None:
    made = [
        word("a", "Jane"),
        {"BlockType": "VALUE", "Id": "v", "Relationships": children_of(["a"]), "SearchKey": "?"},
        {"BlockType": "KEY", "Id": "k", "Relationships": [{"Type": "VALUE", "Ids": ["v"]}], "Text": "Name"},
    ]
    layout = blocks.resolve(made)
    assert [(each.key.text, each.value and each.value.text) for each in layout.pairs] == [("Name", "Jane")]


def test_a_check_box_keeps_the_word_beside_it() -> None:
    (pair,) = blocks.resolve(Answer().pair("US citizen?", "No", checked=True).blocks).pairs
    assert pair.value is not None
    assert (pair.value.text, pair.value.checks) == ("No", (True,))


def test_a_query_result_takes_the_words_in_its_box() -> None:
    (answer,) = blocks.resolve(Answer().line("before").query("total", "12.00 EUR").line("after").blocks).answers
    assert (answer.alias, answer.content.text) == ("total", "12.00 EUR")
    assert [each.text for each in answer.content.words] == ["12.00", "EUR"]


def test_a_query_result_without_a_box_has_no_words_and_one_with_children_has_those() -> None:
    made = [
        word("a", "12.00"),
        {"BlockType": "QUERY_RESULT", "Id": "r", "Text": "12.00"},
        {"BlockType": "QUERY_RESULT", "Id": "s", "Text": "12.00", "Relationships": children_of(["a"])},
        {"BlockType": "QUERY", "Id": "q", "Query": None, "Relationships": [{"Type": "ANSWER", "Ids": ["r", "s"]}]},
    ]
    layout = blocks.resolve(made)
    assert [(each.alias, len(each.content.words)) for each in layout.answers] == [("", 0), ("", 1)]


def test_an_unanswered_query_gives_no_answer() -> None:
    assert blocks.resolve(Answer().query("total", None).blocks).answers == ()


def test_cells_come_in_row_order_however_they_arrive() -> None:
    (table,) = blocks.resolve(Answer().table(["a", "b"], ["c", "d"], shuffled=True).blocks).tables
    assert [each.content.text for each in table.cells] == ["a", "b", "c", "d"]


def test_a_merged_cell_stands_for_the_cells_it_covers() -> None:
    answer = Answer().table(["wide", "title"], ["c", "d"])
    covered = [each["Id"] for each in answer.blocks if each["BlockType"] == "CELL"][:2]
    merged = answer.add(
        "MERGED_CELL", RowIndex=1, ColumnIndex=1, ColumnSpan=2, RowSpan=1, Relationships=children_of(covered)
    )
    stranger = answer.add("LINE", Text="no cell")
    table = next(each for each in answer.blocks if each["BlockType"] == "TABLE")
    table["Relationships"] += [{"Type": "MERGED_CELL", "Ids": [merged, stranger]}]
    table["Relationships"][0]["Ids"].append(stranger)
    (found,) = blocks.resolve(answer.blocks).tables
    assert [(each.content.text, each.column_span) for each in found.cells] == [("wide title", 2), ("c", 1), ("d", 1)]


def test_cells_that_contain_themselves_do_no_harm() -> None:
    made = [
        {"BlockType": "CELL", "Id": "c", "Relationships": children_of(["c"])},
        {"BlockType": "MERGED_CELL", "Id": "m", "Relationships": children_of(["m", "c"])},
        {
            "BlockType": "TABLE",
            "Id": "t",
            "Relationships": [*children_of(["c"]), {"Type": "MERGED_CELL", "Ids": ["m"]}],
        },
    ]
    (table,) = blocks.resolve(made).tables
    assert [each.content.text for each in table.cells] == [""]


# --- direction


@pytest.mark.parametrize(("turned", "rotation"), [(0, 0), (90, 270), (180, 180), (270, 90)])
def test_the_polygon_tells_how_far_the_page_must_be_turned(turned: int, rotation: int) -> None:
    box = geometry(0.2, 0.3, 0.1, 0.1, turned=turned)
    (page,) = blocks.resolve([word("a", Geometry=box)]).pages
    assert page.rotation == rotation


@pytest.mark.parametrize(("angle", "rotation"), [(0, 0), (90, 270), (180, 180), (270, 90), (-90, 90), (360.0, 0)])
def test_the_rotation_angle_tells_it_where_the_polygon_does_not(angle: float, rotation: int) -> None:
    flat = geometry(0.2, 0.3, 0.1, 0.1)
    for shape in ({**flat, "RotationAngle": angle}, {"BoundingBox": flat["BoundingBox"], "RotationAngle": angle}):
        (page,) = blocks.resolve([word("a", Geometry=shape)]).pages
        assert page.rotation == rotation


def test_the_polygon_wins_over_a_contrary_rotation_angle() -> None:
    (page,) = blocks.resolve(
        [word("a", Geometry={**geometry(0.2, 0.3, 0.1, 0.1, turned=180), "RotationAngle": 0})]
    ).pages
    assert page.rotation == 180


def test_without_geometry_the_page_is_upright() -> None:
    (page,) = blocks.resolve([word("a")]).pages
    assert page.rotation == 0


def test_the_majority_of_letters_decides() -> None:
    upright, turned = geometry(0.1, 0.1, 0.1, 0.02), geometry(0.5, 0.5, 0.1, 0.02, turned=180)
    made = [
        word("a", "no", Geometry=upright),
        word("b", "no", Geometry=upright),
        word("c", "decisive", Geometry=turned),
    ]
    (page,) = blocks.resolve(made).pages
    assert page.rotation == 180


def test_pages_turn_by_themselves() -> None:
    made = [
        word("a", Geometry=geometry(0.1, 0.1, 0.1, 0.1, turned=90)),
        word("b", Page=2, Geometry=geometry(0.1, 0.1, 0.1, 0.1)),
    ]
    assert [page.rotation for page in blocks.resolve(made).pages] == [270, 0]


def test_lines_vote_when_there_are_no_words() -> None:
    layout = blocks.resolve(
        [{"BlockType": "PAGE", "Id": "p"}, line("l", Geometry=geometry(0.2, 0.3, 0.1, 0.1, turned=180))]
    )
    assert [page.rotation for page in layout.pages] == [180]


@pytest.mark.parametrize(
    ("rotation", "box"),
    [
        (0, (0.1, 0.2, 0.3, 0.05)),
        (90, (0.75, 0.1, 0.05, 0.3)),
        (180, (0.6, 0.75, 0.3, 0.05)),
        (270, (0.2, 0.6, 0.05, 0.3)),
    ],
)
def test_boxes_lie_on_the_upright_page(rotation: Any, box: tuple[float, ...]) -> None:
    turned = blocks.turned_box(geometry(0.1, 0.2, 0.3, 0.05), rotation)
    assert turned is not None
    assert (turned.left, turned.top, turned.width, turned.height) == pytest.approx(box)


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_skew_is_measured_on_the_upright_page(turned: int) -> None:
    points = {
        0: [(0.1, 0.10), (0.9, 0.18)],
        90: [(0.9, 0.1), (0.82, 0.9)],
        180: [(0.9, 0.9), (0.1, 0.82)],
        270: [(0.1, 0.9), (0.18, 0.1)],
    }[turned]
    shape = {"Polygon": [{"X": x, "Y": y} for x, y in points]}
    layout = blocks.resolve([line("l", Geometry=shape)])
    assert layout.slopes == pytest.approx({1: 0.1})


def test_the_middle_one_of_the_lines_tells_the_skew() -> None:
    shapes = [{"Polygon": [{"X": 0.1, "Y": 0.1}, {"X": 0.6, "Y": 0.1 + rise}]} for rise in (0.2, 0.0, 0.05)]
    layout = blocks.resolve([line(str(number), Geometry=shape) for number, shape in enumerate(shapes)])
    assert layout.slopes == pytest.approx({1: 0.1})


def test_short_lines_do_not_tell_the_skew() -> None:
    assert blocks.resolve([line("l", Geometry=geometry(0.1, 0.1, 0.05, 0.02)), line("m")]).slopes == {}


# --- boxes and members


def test_a_box_knows_its_edges_and_joins_another() -> None:
    box = Box(0.1, 0.2, 0.3, 0.4)
    assert (box.right, box.bottom, *box.centre) == pytest.approx((0.4, 0.6, 0.25, 0.4))
    joined = box.joined(Box(0.0, 0.5, 0.2, 0.3))
    assert (joined.left, joined.top, joined.right, joined.bottom) == pytest.approx((0.0, 0.2, 0.4, 0.8))


def test_words_within_a_box_of_a_page() -> None:
    layout = blocks.resolve([*Answer().line("in here").blocks, word("b", "boxless")])
    assert [each.text for each in blocks.words_within(layout, 1, Box(0, 0, 1, 1))] == ["in", "here"]
    assert blocks.words_within(layout, 2, Box(0, 0, 1, 1)) == ()
    assert blocks.words_within(layout, 1, None) == ()


@pytest.mark.parametrize("found", [None, "0.5", True, [0.5], float("nan"), float("inf")])
def test_what_is_no_finite_number_counts_as_absent(found: object) -> None:
    assert number(found) is None


def test_members_of_the_right_shape_are_taken() -> None:
    assert (number(1), number(0.5), counted(3), listed([1]), members({"a": 1}), text("a")) == (
        1.0,
        0.5,
        3,
        [1],
        {"a": 1},
        "a",
    )


def test_members_of_another_shape_count_as_absent() -> None:
    foreign: bool = True
    assert [counted(each) for each in (0, foreign, "2", None)] == [1, 1, 1, 1]
    assert (listed("ab"), members([]), text(3)) == ((), {}, "")
