"""Captions in boxes, and cells that name the ones beside them."""

from collections.abc import Sequence
from dataclasses import replace

from deploy.local.textract.forms import find_pairs
from deploy.local.textract.layout import lay_out
from deploy.local.textract.reading import Quad
from deploy.local.textract.tables import find_tables, item_words
from tests.textract_endpoint import made

Cells = Sequence[tuple[int, int, int, int]]


def pairs(*texts: tuple[int, int, str], cells: Cells) -> list[tuple[str, str]]:
    found = made.sheet(*texts, cells=cells)
    return [(pair.key_text, pair.value_text) for pair in find_pairs(found, apart=item_words(find_tables(found)))]


def test_a_caption_in_the_corner_of_a_box_has_what_stands_under_it_in_the_box() -> None:
    texts = ((60, 60, "Owner"), (400, 60, "County"), (80, 100, "Ada Lovelace"), (420, 100, "Surrey"))
    assert pairs(*texts, cells=[(50, 50, 390, 140), (390, 50, 700, 140)]) == [
        ("Owner", "Ada Lovelace"),
        ("County", "Surrey"),
    ]


def test_a_box_in_which_nothing_stands_but_its_caption_has_an_empty_value() -> None:
    texts = ((60, 60, "Owner"), (60, 150, "Witness"), (80, 100, "Ada"))
    assert pairs(*texts, cells=[(50, 50, 390, 140), (50, 140, 390, 230)]) == [("Owner", "Ada"), ("Witness", "")]


def test_the_date_under_a_signature_in_a_box_is_a_field_of_its_own() -> None:
    signed = ((60, 60, "Engineering"), (80, 90, "S. Oakes"), (60, 120, "Date: 10/3/91"))
    empty = ((60, 190, "Finance"), (60, 250, "Date:"))
    assert pairs(*signed, *empty, cells=[(50, 50, 390, 150), (50, 180, 390, 280)]) == [
        ("Engineering", "S. Oakes"),
        ("Date:", "10/3/91"),
        ("Finance", ""),
        ("Date:", ""),
    ]


def test_brackets_make_no_larger_letters_of_a_caption() -> None:
    page = made.page((60, 60, "SOURCE (TANK, DRUM)"), (60, 100, "Tank 19 bottom"), cells=[(50, 50, 500, 140)])
    low = replace(page.lines[1], words=tuple(replace(word, quad=_lower(word.quad)) for word in page.lines[1].words))
    found = find_pairs(lay_out(replace(page, lines=(page.lines[0], low))))
    assert [(pair.key_text, pair.value_text) for pair in found] == [("SOURCE (TANK, DRUM)", "Tank 19 bottom")]


def _lower(quad: Quad) -> Quad:
    """The same word without what reaches above and below its letters."""
    (x0, y0), (x1, _), _, (_, y3) = quad
    return ((x0, y0), (x1, y0), (x1, y0 + 0.83 * (y3 - y0)), (x0, y0 + 0.83 * (y3 - y0)))


def test_several_captions_in_one_box_have_columns_of_their_own() -> None:
    texts = ((60, 60, "City"), (300, 60, "State"), (60, 100, "Albany"), (300, 100, "NY"))
    assert pairs(*texts, cells=[(50, 50, 500, 140)]) == [("City", "Albany"), ("State", "NY")]


def test_a_caption_under_the_numbers_of_its_box_is_one() -> None:
    texts = ((80, 60, "1135.65"), (80, 90, "1032.30"), (60, 120, "17 State income tax"))
    assert pairs(*texts, cells=[(50, 50, 500, 150)]) == [("17 State income tax", "1135.65 1032.30")]


def test_the_name_of_a_sum_under_a_column_of_prices_is_no_caption_of_theirs() -> None:
    texts = ((80, 60, "15.00"), (80, 90, "55.00"), (80, 120, "3.50"), (60, 240, "TOTAL"))
    assert pairs(*texts, cells=[(50, 50, 500, 270)]) == []


def test_a_text_in_a_box_is_no_caption() -> None:
    texts = ((60, 60, "Purchase and install one folder"), (60, 90, "unit that was bought in 1954"))
    assert pairs(*texts, cells=[(50, 50, 460, 140)]) == []


def test_the_names_of_columns_are_no_captions() -> None:
    texts = ((60, 60, "IND/LOR"), (60, 86, "VOLUME"), (60, 130, "Dairy"), (60, 170, "Conoco"))
    assert pairs(*texts, cells=[(50, 50, 300, 120), (50, 120, 300, 160), (50, 160, 300, 200)]) == []


def test_of_cells_in_two_columns_the_left_ones_name_the_right_ones() -> None:
    texts = ((60, 60, "Asset tag"), (320, 60, "LT-20931"), (60, 100, "Serial number"), (60, 140, "IP address"))
    cells = [(left, top, right, top + 40) for top in (50, 90, 130) for left, right in ((50, 310), (310, 800))]
    assert pairs(*texts, (320, 140, "10.44.7.129"), cells=cells) == [
        ("Asset tag", "LT-20931"),
        ("Serial number", ""),
        ("IP address", "10.44.7.129"),
    ]


def test_cells_in_two_columns_with_captions_of_their_own_name_nothing_beside_them() -> None:
    tops = (50, 130, 210)
    signed = [(60, top + 10, name) for top, name in zip(tops, ("Submitted by", "Manager", "Director"), strict=True)]
    signed += [(90, top + 44, name) for top, name in zip(tops, ("A. Lovelace", "C. Babbage", "G. Hopper"), strict=True)]
    dated = [(420, top + 10, "Date") for top in tops] + [(440, top + 44, f"11/{top}/83") for top in tops[:2]]
    cells = [(left, top, right, top + 80) for top in tops for left, right in ((50, 410), (410, 800))]
    found = pairs(*signed, *dated, cells=cells)
    assert [each for each in found if each[0] == "Date"] == [("Date", "11/50/83"), ("Date", "11/130/83"), ("Date", "")]
    assert ("Manager", "C. Babbage") in found


def test_cells_with_numbers_name_nothing() -> None:
    texts = [(60, top, f"Lot {top}") for top in (60, 100, 140)]
    texts += [(320, top, f"{top}.00") for top in (60, 100, 140)]
    cells = [(left, top, right, top + 40) for top in (50, 90, 130) for left, right in ((50, 310), (310, 800))]
    assert pairs(*texts, cells=cells) == []


def test_what_stands_in_two_panels_side_by_side_is_not_mixed() -> None:
    names = ("Buildings ....", "Freight ....", "Install ....", "Wiring ....")
    left = [(60, 60 + 40 * n, name) for n, name in enumerate(names)] + [(330, 60 + 40 * n, f"{n}7") for n in range(4)]
    right = [(430, 60 + 40 * n, f"Saving {'abcd'[n]} ....") for n in range(4)]
    cells = [(50, 50, 420, 230), (420, 50, 900, 230)]
    found = dict(pairs(*left, *right, cells=cells))
    assert [found[name.removesuffix(" ....")] for name in names] == ["07", "17", "27", "37"]
    assert not any(value for name, value in found.items() if name.startswith("Saving"))


def test_a_table_of_items_ends_with_its_frame_and_captions_are_no_heading() -> None:
    items = ((60, 60, "Date"), (300, 60, "Amount"), (60, 100, "9/10/91"), (300, 100, "61.35"), (60, 140, "8/9/91"))
    cells = [(left, top, right, top + 40) for top in (50, 90, 130) for left, right in ((50, 290), (290, 600))]
    below = ((60, 190, "Gross rate"), (300, 190, "184.05"))
    found = made.sheet(*items, (300, 140, "7.00"), *below, cells=cells)
    assert [len({cell.row for cell in table.cells}) for table in find_tables(found) if table.headed] == [3]
    boxes = (
        (60, 60, "Code"),
        (300, 60, "Estimate no"),
        (600, 60, "Date"),
        (60, 90, "HF"),
        (300, 90, "217"),
        (600, 90, "9/91"),
    )
    under = [(50, 50, 290, 130), (290, 50, 590, 130), (590, 50, 900, 130)]
    assert dict(pairs(*boxes, cells=under)) == {"Code": "HF", "Estimate no": "217", "Date": "9/91"}


def test_an_address_in_a_box_may_hold_a_label_of_its_own() -> None:
    texts = ((60, 60, "PUBLISHER"), (80, 94, "MAGAZINE"), (80, 122, "Attn: Production"), (80, 150, "2100 Drive"))
    assert pairs(*texts, cells=[(50, 50, 600, 190)])[0] == ("PUBLISHER", "MAGAZINE Attn: Production 2100 Drive")
