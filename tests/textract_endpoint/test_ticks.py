"""Check boxes of a page: found by their frame, ticked by what is inside, labelled by the words beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from deploy.local.textract.blocks import blocks_of
from deploy.local.textract.reading import PageReading
from tests.textract_endpoint import made

FORMS = frozenset({"FORMS"})


def pixels(image: Image.Image) -> Any:
    return np.ascontiguousarray(np.asarray(image)[:, :, ::-1])


def sheet(size: tuple[int, int] = (1000, 700)) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", size, "white")
    return image, ImageDraw.Draw(image)


def box(draw: ImageDraw.ImageDraw, left: int, top: int, side: int, mark: str = "", width: int = 2) -> None:
    draw.rectangle((left, top, left + side, top + side), outline="black", width=width)
    inner = side // 4
    if mark == "x":
        draw.line((left + inner, top + inner, left + side - inner, top + side - inner), fill="black", width=3)
        draw.line((left + inner, top + side - inner, left + side - inner, top + inner), fill="black", width=3)
    if mark == "tick":
        draw.line((left + inner, top + side // 2, left + side // 2, top + side - inner), fill="black", width=3)
        draw.line((left + side // 2, top + side - inner, left + side - inner, top + inner), fill="black", width=3)
    if mark == "full":
        draw.rectangle((left + inner, top + inner, left + side - inner, top + side - inner), fill="black")


def found(image: Image.Image) -> list[tuple[int, int, bool]]:
    from deploy.local.textract.grey import shrunk
    from deploy.local.textract.ticks import ticks_of

    width, height = image.size
    return [
        (round(t.quad[0][0] * width), round(t.quad[0][1] * height), t.selected) for t in ticks_of(shrunk(pixels(image)))
    ]


@pytest.mark.parametrize("side", [16, 20, 30, 44])
@pytest.mark.parametrize("mark", ["", "x", "tick", "full"])
def test_a_box_is_found_and_whether_it_is_ticked(side: int, mark: str) -> None:
    image, draw = sheet()
    box(draw, 100, 200, side, mark)
    [(left, top, selected)] = found(image)
    assert abs(left - 100) <= 1 and abs(top - 200) <= 1
    assert selected == bool(mark)


def test_letters_lines_tables_and_combs_are_no_boxes() -> None:
    image, draw = sheet()
    for top, text in ((40, "DO OD QUOTE 0008 DOBOQ"), (120, "Book of 80 DDOO8800 BB"), (200, "HEADED EMBED")):
        draw.text((60, top), text, fill="black", font=ImageFont.load_default(34))
    draw.rectangle((60, 300, 900, 380), outline="black", width=2)
    for left in range(60, 400, 30):  # one letter each, as forms have it
        draw.rectangle((left, 450, left + 30, 480), outline="black", width=2)
    assert found(image) == []


def test_a_cross_that_runs_over_its_frame_is_a_tick_and_an_8_is_none() -> None:
    image, draw = sheet((1500, 700))
    for left, top in ((100, 200), (300, 260)):
        draw.rectangle((left, top, left + 24, top + 24), outline="black", width=2)
        draw.line((left - 5, top - 6, left + 30, top + 29), fill="black", width=4)
        draw.line((left - 6, top + 30, left + 29, top - 4), fill="black", width=4)
    draw.text((100, 400), "8 B 0 H 888 XX", fill="black", font=ImageFont.load_default(34))
    assert [selected for _left, _top, selected in found(image)] == [True, True]


def test_a_small_box_that_its_cross_fills_is_one_among_others_and_a_bullet_is_none() -> None:
    image, draw = sheet((760, 1000))
    for top in (200, 230):
        draw.rectangle((100, top, 112, top + 12), outline="black")
    draw.rectangle((100, 260, 112, 272), fill="black")
    draw.rectangle((300, 600, 312, 612), fill="black")
    assert [(left, top, selected) for left, top, selected in found(image)] == [
        (100, 200, False), (100, 230, False), (100, 260, True),
    ]  # fmt: skip


def test_a_small_box_whose_mark_runs_over_its_frame_is_one_among_others_and_letters_are_none() -> None:
    image, draw = sheet((760, 1000))
    for top, side in ((200, 12), (230, 13), (260, 12), (290, 12)):
        draw.rectangle((100, top, 100 + side, top + side), outline="black")
        draw.text((120, top - 3), "DO BOOKED 8000 BD", fill="black", font=ImageFont.load_default(17))
    draw.line((102, 265, 107, 271, 119, 252), fill="black", width=2)
    draw.line((96, 286, 116, 306), fill="black", width=2)
    draw.line((96, 306, 116, 286), fill="black", width=2)
    boxes = found(image)
    assert [selected for _left, _top, selected in boxes] == [False, False, True, True]
    assert [round(top, -1) for _left, top, _selected in boxes] == [200, 230, 260, 290]
    assert all(abs(left - 100) <= 1 for left, _top, _selected in boxes)


def test_brackets_with_a_mark_or_nothing_between_them_are_boxes() -> None:
    typed = made.page(
        (50, 100, "Smoker: ( ) yes (X)no"), (50, 140, "[x] Return [ ] Keep"), (50, 180, "f(x) and Fig. (viii) (*)")
    )
    assert choices(typed) == {"yes": "NOT_SELECTED", "no": "SELECTED", "Return": "SELECTED", "Keep": "NOT_SELECTED"}
    lines = [
        block["Text"]
        for block in blocks_of(typed, number=1, sha256="ab", features=FORMS)
        if block["BlockType"] == "LINE"
    ]
    assert lines == ["Smoker: yes no", "Return Keep", "f(x) and Fig. (viii) (*)"]


def test_a_picture_twice_as_wide_has_the_same_boxes() -> None:
    image, draw = sheet()
    box(draw, 100, 200, 24, "x")
    box(draw, 100, 260, 24)
    large = image.resize((2000, 1400), Image.Resampling.BICUBIC)
    assert [selected for _left, _top, selected in found(large)] == [True, False]


def choices(of: PageReading) -> dict[str, str]:
    blocks = blocks_of(of, number=1, sha256="ab", features=FORMS)
    by_id = {block["Id"]: block for block in blocks}

    def named(block: Any, kind: str) -> list[Any]:
        return [by_id[other] for r in block.get("Relationships", []) if r["Type"] == kind for other in r["Ids"]]

    answer = {}
    for block in blocks:
        if block.get("EntityTypes") == ["KEY"]:
            for state in (each for value in named(block, "VALUE") for each in named(value, "CHILD")):
                if state["BlockType"] == "SELECTION_ELEMENT":
                    answer[" ".join(word["Text"] for word in named(block, "CHILD"))] = state["SelectionStatus"]
    return answer


def test_the_words_to_the_right_are_the_label_up_to_the_next_box() -> None:
    ticks = (made.tick(50, 102, selected=True), made.tick(200, 102, selected=False))
    assert choices(made.page((80, 100, "New claim"), (230, 100, "Renewal"), ticks=ticks)) == {
        "New claim": "SELECTED",
        "Renewal": "NOT_SELECTED",
    }


def test_to_the_left_only_where_nothing_is_right_and_far_words_are_none() -> None:
    assert choices(made.page((50, 100, "Agreed"), ticks=(made.tick(140, 102, selected=True),))) == {
        "Agreed": "SELECTED"
    }
    assert choices(made.page((500, 100, "Far away"), ticks=(made.tick(50, 102, selected=True),))) == {}


def test_boxes_nearer_to_the_words_before_them_and_those_dots_lead_to_take_these() -> None:
    ticks = (made.tick(110, 102, selected=True), made.tick(200, 102, selected=False))
    assert choices(made.page((60, 100, "YES"), (170, 100, "NO"), ticks=ticks)) == {
        "YES": "SELECTED",
        "NO": "NOT_SELECTED",
    }
    nearer_behind = made.page((50, 100, "Sex"), (130, 100, "male"), (230, 100, "female"), ticks=ticks)
    assert choices(nearer_behind) == {"male": "SELECTED", "female": "NOT_SELECTED"}
    led = made.page((50, 100, "Smoker....."), (240, 100, "page 1"), ticks=(made.tick(200, 102, selected=True),))
    assert choices(led) == {"Smoker.....": "SELECTED"}


def test_a_box_without_words_is_told_by_itself_and_none_without_forms() -> None:
    one = made.page(ticks=(made.tick(50, 102, selected=True),))
    kinds = [block["BlockType"] for block in blocks_of(one, number=1, sha256="ab", features=FORMS)]
    assert kinds == ["PAGE", "SELECTION_ELEMENT"]
    assert [block["BlockType"] for block in blocks_of(one, number=1, sha256="ab", features=frozenset())] == ["PAGE"]


@pytest.mark.engine
def test_the_engine_reads_labels_and_states_of_a_drawn_form() -> None:
    from deploy.local.textract.engine import Engine

    image, draw = sheet()
    draw.text((60, 30), "Claim form", fill="black", font=ImageFont.load_default(40))
    for top, text, mark in ((120, "Repair", ""), (180, "Replacement", "x"), (240, "Refund", "tick")):
        box(draw, 60, top, 24, mark)
        draw.text((100, top - 4), text, fill="black", font=ImageFont.load_default(28))
    assert choices(Engine().read(pixels(image))) == {
        "Repair": "NOT_SELECTED",
        "Replacement": "SELECTED",
        "Refund": "SELECTED",
    }


def test_the_round_of_a_letter_is_no_box_and_a_box_in_front_of_its_word_read_together_is_one() -> None:
    small = made.tick(150, 106, selected=True, side=10)
    assert choices(made.page((50, 100, "Occupation and more"), ticks=(small,))) == {}
    assert choices(made.page((50, 100, "8,885.88"), ticks=(made.tick(76, 102, selected=True),))) == {}
    assert choices(made.page((50, 100, "Passport"), ticks=(made.tick(50, 102, selected=False),))) == {
        "Passport": "NOT_SELECTED"
    }
