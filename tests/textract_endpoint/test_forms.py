"""Labels and values by where they stand."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local.textract.forms import find_pairs
from deploy.local.textract.layout import lay_out
from deploy.local.textract.reading import Stroke
from tests.textract_endpoint import made


def pairs(*texts: tuple[int, int, str], ruled: Sequence[tuple[int, int, int]] = ()) -> dict[str, str]:
    return {pair.key_text: pair.value_text for pair in find_pairs(made.sheet(*texts, ruled=ruled))}


def test_a_value_stands_after_the_colon_on_the_same_line() -> None:
    assert pairs((50, 50, "Invoice No: A-17")) == {"Invoice No:": "A-17"}


def test_one_line_may_hold_several_pairs() -> None:
    assert pairs((50, 50, "Tel: 03-555 Fax: 03-556")) == {"Tel:": "03-555", "Fax:": "03-556"}
    found = pairs((50, 50, "Name: Ada Lovelace Date of birth: 10.12.1815"))
    assert found == {"Name:": "Ada Lovelace", "Date of birth:": "10.12.1815"}


def test_a_value_stands_right_of_its_label_with_a_blank_between() -> None:
    assert pairs((50, 50, "Total :"), (700, 50, "9.00")) == {"Total :": "9.00"}
    assert pairs((50, 50, "TOTAL"), (300, 52, "RM"), (400, 50, "9.00")) == {"TOTAL": "RM 9.00"}


def test_a_value_stands_below_its_label() -> None:
    assert pairs((50, 50, "Invoice Date"), (50, 84, "12/03/2026")) == {"Invoice Date": "12/03/2026"}


def test_an_address_goes_on_over_several_lines() -> None:
    texts = ((50, 50, "Bill To:"), (50, 84, "Ada Lovelace"), (50, 112, "12 St James Sq"), (50, 140, "London"))
    assert pairs(*texts, (600, 84, "Date: 1/2/2026")) == {
        "Bill To:": "Ada Lovelace 12 St James Sq London",
        "Date:": "1/2/2026",
    }


def test_a_known_label_needs_no_colon_but_a_fitting_value() -> None:
    assert pairs((50, 50, "Invoice No 20417")) == {"Invoice No": "20417"}
    assert pairs((50, 50, "TOTAL INCL GST 6%"), (700, 50, "19.90")) == {"TOTAL INCL GST 6%": "19.90"}
    assert pairs((50, 50, "Total"), (700, 50, "thank you")) == {}
    assert pairs((50, 50, "Date of the meeting in the hall")) == {}


def test_the_amount_with_decimals_is_taken_not_the_count() -> None:
    assert pairs((50, 50, "Total"), (300, 50, "3"), (700, 50, "27.00")) == {"Total": "27.00"}


def test_of_several_amounts_beside_a_label_the_last_is_taken() -> None:
    assert pairs((50, 50, "Total"), (300, 50, "20.00"), (500, 50, "7.00"), (700, 50, "27.00")) == {"Total": "27.00"}


def test_the_rows_of_a_table_of_amounts_are_no_list_of_labels() -> None:
    rows = [
        (left, 50 + 34 * n, text) for n in range(3) for left, text in ((50, "Rent of it"), (400, "5.00"), (700, "6.00"))
    ]
    assert pairs(*rows) == {}
    assert set(pairs(*[row for row in rows if row[0] < 700])) == {"Rent of it"}


def test_a_label_with_a_colon_and_nothing_beside_it_has_an_empty_value() -> None:
    assert pairs((50, 50, "Approved by:")) == {"Approved by:": ""}


def test_a_time_is_no_label() -> None:
    assert pairs((50, 50, "12:30 14:45")) == {}


def test_no_word_serves_twice() -> None:
    found = find_pairs(
        made.sheet((50, 50, "Date:"), (50, 84, "Due date:"), (400, 50, "1/2/2026"), (400, 84, "1/3/2026"))
    )
    words = [word.index for pair in found for word in (*pair.key, *pair.value)]
    assert len(words) == len(set(words))
    assert {pair.key_text: pair.value_text for pair in found} == {"Date:": "1/2/2026", "Due date:": "1/3/2026"}


@pytest.mark.parametrize(
    ("texts", "least", "most"),
    [
        (((50, 50, "Total: 9.00"),), 95, 99),
        (((50, 50, "Total"), (300, 50, "9.00")), 90, 96),
        (((50, 50, "Invoice Date"), (50, 84, "12/03/2026")), 85, 92),
        (((50, 50, "Customer"), (50, 84, "Ada")), 60, 80),
    ],
)
def test_confidence_falls_with_the_doubt_about_the_pairing(
    texts: tuple[tuple[int, int, str], ...], least: float, most: float
) -> None:
    (pair,) = find_pairs(made.sheet(*texts))
    assert least <= pair.confidence <= most
    (worse,) = find_pairs(made.sheet(*texts, confidence=60.0))
    assert worse.confidence < 60


def test_what_stands_upon_a_ruled_line_belongs_to_the_words_before_it() -> None:
    written = (50, 50, "Purpose of the sample for the market")
    assert pairs(written) == {}
    assert pairs(written, ruled=[(314, 500, 75)]) == {"Purpose of the sample": "for the market"}
    both = ((50, 50, "Glue roller"), (300, 50, "Mk II"), (500, 50, "Plug wrap"), (700, 50, "E-626"))
    assert pairs(*both, ruled=[(300, 360, 75), (700, 760, 75)]) == {"Glue roller": "Mk II", "Plug wrap": "E-626"}


def test_a_heading_that_is_underlined_and_a_table_with_borders_make_no_pairs() -> None:
    assert pairs((50, 50, "Summary of the budget"), ruled=[(50, 302, 75)]) == {}
    assert pairs((50, 50, "Apples"), (300, 50, "ripe"), ruled=[(40, 500, 75)]) == {}


def test_a_value_goes_on_upon_the_next_ruled_lines() -> None:
    texts = ((50, 50, "Reason given"), (230, 50, "it rained"), (60, 84, "for three days"), (60, 140, "Another thing"))
    assert pairs(*texts, ruled=[(220, 600, 75), (50, 600, 109)]) == {"Reason given": "it rained for three days"}


def test_a_text_below_its_label_goes_on_beside_another_column() -> None:
    texts = (
        (400, 50, "Handling precautions:"),
        (50, 84, "Flammable"), (400, 84, "Gloves and hood as its effects are not"),
        (50, 112, "Irritant"), (400, 112, "known to anybody here; treat as hazardous."),
        (50, 140, "Toxic"), (400, 140, "Somebody else"),
    )  # fmt: skip
    told = "Gloves and hood as its effects are not known to anybody here; treat as hazardous."
    assert pairs(*texts)["Handling precautions:"] == told


def test_remarks_written_upon_several_ruled_lines_are_one_value() -> None:
    texts = (
        (50, 50, "REMARKS"),
        (60, 80, "ASK NANCY"),
        (60, 120, "BEFORE JIM."),
        (60, 160, "NEEDS IT BACK"),
        (50, 240, "DO NOT USE THIS FORM"),
    )
    ruled = [(50, 900, y) for y in (106, 146, 186)]
    assert pairs(*texts, ruled=ruled)["REMARKS"] == "ASK NANCY BEFORE JIM. NEEDS IT BACK"


@pytest.mark.parametrize(
    "under",
    ["If any addresses have changed since the last report please check", "2. Where did you hear of this", "Weight:"],
)
def test_what_else_stands_under_a_value_is_none_of_it(under: str) -> None:
    found = pairs((50, 50, "Name of the lobbyist:"), (320, 50, "Peter J. McGinn of the Eastern"), (50, 78, under))
    assert found["Name of the lobbyist:"] == "Peter J. McGinn of the Eastern"


def test_dots_on_which_nothing_stands_lead_to_a_value_and_others_are_a_line_to_fill_in() -> None:
    lead, filled = (Stroke((left / 1000, 0.078), (0.7, 0.078), dotted=True) for left in (0.27, 0.13))
    leading = made.page((50, 50, "Total paid"), (720, 50, "9.00"))
    assert [pair.value_text for pair in find_pairs(lay_out(replace(leading, strokes=(lead,))))] == ["9.00"]
    written = made.page((50, 50, "Trip Attend workshop"))
    pairs_ = find_pairs(lay_out(replace(written, strokes=(replace(filled, begin=(0.105, 0.078)),))))
    assert [(pair.key_text, pair.value_text) for pair in pairs_] == [("Trip", "Attend workshop")]


def test_a_ruled_line_on_which_nothing_stands_is_an_empty_value() -> None:
    texts = ((50, 50, "Approved by:"), (500, 50, "Day"))
    assert pairs(*texts) == {"Approved by:": "Day"}
    assert pairs(*texts, ruled=[(200, 450, 75)]) == {"Approved by:": ""}


def test_a_colon_inside_a_filled_in_value_makes_no_label() -> None:
    texts = ((50, 50, "Description:"), (220, 50, "Study of the west: wave 2"))
    assert pairs(*texts, ruled=[(215, 600, 75)]) == {"Description:": "Study of the west: wave 2"}


def test_labels_side_by_side_have_their_values_below() -> None:
    texts = ((50, 50, "Casing"), (300, 50, "Blend"), (50, 84, "7773"), (300, 84, "1077-84"))
    assert pairs(*texts) == {"Casing": "7773", "Blend": "1077-84"}


def test_lists_side_by_side_are_told_apart() -> None:
    rows = [
        ((50, top, key), (250, top, value), (500, top, other), (800, top, also))
        for top, key, value, other, also in (
            (50, "Labels", "white", "Blend", "Barnes"),
            (84, "Closures", "blue", "Filters", "Shaw"),
            (118, "Cartons", "red", "Packing", "Fernald"),
        )
    ]
    assert pairs(*(text for row in rows for text in row)) == {
        "Labels": "white", "Closures": "blue", "Cartons": "red", "Blend": "Barnes", "Filters": "Shaw", "Packing": "Fernald",
    }  # fmt: skip


def test_an_address_ends_where_another_label_has_its_value() -> None:
    texts = ((50, 50, "To:"), (200, 50, "Ada"), (50, 84, "From:"), (200, 84, "Ben"))
    assert pairs(*texts) == {"To:": "Ada", "From:": "Ben"}


def test_a_date_further_on_in_a_sentence_is_no_value() -> None:
    assert pairs((50, 50, "Date of the report that came 27/04/1982")) == {}


# A table with a ruled line under each row; the second column's name has two lines.
RULED_TABLE = [
    (50, 60, "NAME OF SHOP"), (400, 26, "NO. OF"), (400, 60, "STORES"),
    (50, 94, "Oak Tree"), (420, 94, "23"), (50, 128, "Elm Tree"), (420, 128, "7"), (50, 162, "Fir Tree"), (420, 162, "15"),
]  # fmt: skip


def _under_rows(*tops: int) -> list[tuple[int, int, int]]:
    return [(40, 560, top + 25) for top in tops]


def test_each_entry_of_a_ruled_table_belongs_to_the_name_of_its_column() -> None:
    found = find_pairs(made.sheet(*RULED_TABLE, ruled=_under_rows(60, 94, 128, 162)))
    assert sorted((pair.key_text, pair.value_text) for pair in found) == [
        ("NAME OF SHOP", "Elm Tree"), ("NAME OF SHOP", "Fir Tree"), ("NAME OF SHOP", "Oak Tree"),
        ("NO. OF STORES", "15"), ("NO. OF STORES", "23"), ("NO. OF STORES", "7"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "texts",
    [
        RULED_TABLE[:7],
        [*RULED_TABLE[:3], (50, 94, "Oak Tree and all that stands here besides"), *RULED_TABLE[5:]],
    ],
)
def test_two_rows_or_an_entry_under_two_names_make_no_table(texts: list[tuple[int, int, str]]) -> None:
    found = find_pairs(made.sheet(*texts, ruled=_under_rows(60, 94, 128, 162)))
    assert not found


def test_a_value_goes_on_upon_the_line_it_stands_upon() -> None:
    row = ((50, 50, "Cost: 12,500"), (400, 50, "(10-15-87)"), (700, 50, "seen"))
    assert pairs(*row, ruled=[(115, 560, 75)])["Cost:"] == "12,500 (10-15-87)"
    assert pairs(*row)["Cost:"] == "12,500"


def test_a_word_or_two_at_the_row_s_end_go_on_with_a_value_where_its_line_ends() -> None:
    row = ((50, 50, "Money spent until now"), (400, 50, "$212,475 +10%"))
    assert pairs(*row, ruled=[(395, 500, 75)]) == {"Money spent until now": "$212,475 +10%"}
    prose = ((50, 50, "Money spent until now"), (400, 50, "$212,475 of what was granted"))
    assert pairs(*prose, ruled=[(395, 500, 75)]) == {"Money spent until now": "$212,475"}


def test_an_equals_sign_ends_a_label_as_a_colon_does() -> None:
    assert pairs((50, 50, "Adults ="), (400, 50, "80%")) == {"Adults =": "80%"}
    assert pairs((50, 50, "Adults"), (150, 50, "="), (400, 50, "80%")) == {"Adults =": "80%"}


def test_what_ends_as_a_label_does_is_no_value() -> None:
    assert pairs((50, 50, "Groups:"), (50, 84, "Adults =")) == {"Groups:": "", "Adults =": ""}
    assert pairs((50, 50, "Hints"), (170, 50, "/ Remarks:"), ruled=[(165, 400, 75)]) == {"Remarks:": ""}


def test_the_number_of_the_next_label_and_a_mere_sign_are_no_values() -> None:
    below = ((60, 84, "Full name"), (400, 84, "Ada Lovelace"))
    assert pairs((50, 50, "Please tell us:"), (50, 84, "1."), *below)["Please tell us:"] == ""
    assert pairs((50, 50, "Please tell us:"), (50, 84, "*")) == {"Please tell us:": ""}


def test_each_number_on_its_own_line_is_a_value_of_the_label_before_them() -> None:
    row = ((50, 50, "Each month"), (300, 50, "162"), (500, 50, "53%"))
    found = find_pairs(made.sheet(*row, ruled=[(290, 360, 75), (490, 560, 75)]))
    assert [(pair.key_text, pair.value_text) for pair in found] == [("Each month", "162"), ("Each month", "53%")]
    words = ((50, 50, "Each month"), (300, 50, "often"), (500, 50, "53%"))
    found = find_pairs(made.sheet(*words, ruled=[(290, 380, 75), (490, 560, 75)]))
    assert [(pair.key_text, pair.value_text) for pair in found] == [("Each month", "often")]


def test_words_where_the_line_under_a_text_is_broken_are_no_label() -> None:
    text = ((50, 50, "We thank"), (156, 50, "all who"), (250, 50, "came to us"))
    assert pairs(*text, ruled=[(45, 150, 75), (248, 400, 75)]) == {}
    assert pairs((50, 50, "In the end,"), (200, 50, "we thank you"), ruled=[(195, 400, 75)]) == {}


def test_a_filled_in_value_ends_where_a_hint_or_another_label_follows() -> None:
    filled = ((50, 50, "Handed in"), (210, 50, "2 May"))
    ruled = [(200, 500, 75), (45, 500, 103)]
    assert pairs(*filled, (60, 78, "by the porter"), ruled=ruled)["Handed in"] == "2 May by the porter"
    assert pairs(*filled, (60, 78, "(within 30 days)"), ruled=ruled)["Handed in"] == "2 May"
    assert pairs(*filled, (60, 78, "and by whom:"), ruled=ruled)["Handed in"] == "2 May"


def test_brackets_by_themselves_are_the_second_line_of_a_label() -> None:
    above = ((50, 50, "Tar"), (300, 50, "Nicotine"), (50, 78, "(mg/l)"), (300, 78, "(mg/l)"))
    assert pairs(*above, (60, 112, "3"), (310, 112, "0.3")) == {"Tar (mg/l)": "3", "Nicotine (mg/l)": "0.3"}


def test_text_may_begin_below_its_label_and_further_right() -> None:
    text = ((50, 50, "Reasons:"), (200, 80, "Moved to the next year"), (200, 106, "for want of money."))
    assert pairs(*text) == {"Reasons:": "Moved to the next year for want of money."}
    assert pairs(*text, (600, 50, "seen"))["Reasons:"] == "seen"


def test_numbers_centred_on_their_lines_make_a_list_too() -> None:
    rows = (
        (50, 50, "Counter top"),
        (200, 50, "15"),
        (50, 84, "Floor"),
        (206, 84, "9"),
        (50, 118, "Posters"),
        (188, 118, "1000"),
    )
    assert pairs(*rows) == {"Counter top": "15", "Floor": "9", "Posters": "1000"}


def test_what_goes_on_below_a_value_in_the_label_s_own_segment_belongs_to_it() -> None:
    copies = ((50, 50, "cc: A. Byron"), (98, 78, "C. Babbage"), (98, 104, "M. Somerville"))
    assert pairs(*copies) == {"cc:": "A. Byron C. Babbage M. Somerville"}


def test_a_label_with_a_colon_may_have_ten_words() -> None:
    asked = "About how many of the shops keep it under glass:"
    assert pairs((50, 50, asked), (800, 50, "45%"), ruled=[(795, 900, 75)]) == {asked: "45%"}
    assert pairs((50, 50, "And " + asked), (900, 50, "45%"), ruled=[(895, 990, 75)]) == {}


BOXES = (
    (50, 50, "a Worker's number"),
    (400, 50, "1 Wages and tips"),
    (700, 50, "2 Tax withheld"),
    (180, 84, "12-345"),
    (560, 84, "900.00"),
    (860, 84, "90.00"),
    (50, 140, "b Name and address"),
    (400, 140, "3 Other income"),
    (60, 174, "Ada Lovelace"),
    (60, 208, "12 St James Sq"),
)


def test_what_stands_in_a_box_belongs_to_the_caption_with_its_number() -> None:
    assert pairs(*BOXES) == {
        "a Worker's number": "12-345",
        "1 Wages and tips": "900.00",
        "2 Tax withheld": "90.00",
        "b Name and address": "Ada Lovelace 12 St James Sq",
        "3 Other income": "",
    }


def test_a_caption_without_a_number_in_a_row_of_boxes_is_one_and_a_known_label_beside_a_value_is_not_in_it() -> None:
    found = pairs(
        *BOXES, (50, 260, "4 State"), (250, 260, "Place"), (50, 294, "CA"), (250, 294, "Dover"), (400, 294, "Fax: 7")
    )
    assert {name: found[name] for name in ("4 State", "Place", "Fax:")} == {
        "4 State": "CA",
        "Place": "Dover",
        "Fax:": "7",
    }


def test_numbered_paragraphs_have_no_boxes() -> None:
    rules = [(50, 50 + 60 * n, f"{n + 1} Rule of the house") for n in range(5)]
    assert pairs(*rules, *[(74, top + 30, "applies to all") for _, top, _ in rules]) == {}


def test_numbered_questions_with_their_answers_beside_them_have_no_boxes() -> None:
    asked = ((50, 50, "1. Name: Ada"), (500, 50, "2. City: London"), (50, 84, "3. Sex: F"), (500, 84, "4. Work: sums"))
    assert pairs(*asked) == {
        "Name:": "Ada", "City:": "London", "Sex:": "F", "Work:": "sums",
    }  # fmt: skip
    lines = [(50 + 450 * n, 50 + 60 * row, f"{2 * row + n + 1} First name") for row in range(3) for n in range(2)]
    filled = [(left + 190, top, "Ada Byron") for left, top, _ in lines]
    found = find_pairs(
        made.sheet(*lines, *filled, ruled=[(left + 185, left + 400, top + 25) for left, top, _ in lines])
    )
    assert [pair.value_text for pair in found] == ["Ada Byron"] * 6


def test_a_number_sign_ends_a_label_where_a_number_follows() -> None:
    assert pairs((50, 50, "ST# 1477 TE# 20")) == {"ST#": "1477", "TE#": "20"}
    assert pairs((50, 50, "APPROVAL"), (180, 50, "#"), (400, 50, "114801")) == {"APPROVAL #": "114801"}
    assert pairs((50, 50, "ACCOUNT #"), (400, 50, "****")) == {}


def test_a_label_we_know_may_stand_in_wide_letters() -> None:
    assert pairs((50, 50, "CHANGE"), (160, 50, "DUE"), (400, 50, "0.50")) == {"CHANGE DUE": "0.50"}
    assert pairs((50, 50, "CHANGE"), (200, 50, "DUE"), (400, 50, "0.50")).keys() == {"CHANGE"}


def test_a_sign_before_a_label_is_part_of_it() -> None:
    assert pairs((50, 50, "% Adults = 80%")) == {"% Adults =": "80%"}
    assert pairs((50, 50, "- Adults = 80%")) == {"Adults =": "80%"}


def test_numbers_close_together_belong_each_to_the_name_above_it() -> None:
    names = ((50, 50, "File"), (150, 50, "Dept"), (225, 50, "Clock"))
    row = made.sheet(*names, (50, 84, "126543 12345 700412"))
    assert len(row.rows[1]) == 1
    assert {pair.key_text: pair.value_text for pair in find_pairs(row)} == {
        "File": "126543", "Dept": "12345", "Clock": "700412",
    }  # fmt: skip


def test_the_names_of_a_table_are_no_labels_of_its_first_row() -> None:
    names = ((50, 50, "Kind of pay"), (300, 50, "Per shift"), (500, 50, "So far"))
    first = ((50, 84, "Regular"), (300, 84, "10.50"), (500, 84, "32.00"))
    assert pairs(*names, *first)["Per shift"] == "10.50"
    assert pairs(*names, *first, (50, 118, "Overtime"), (300, 118, "15.00"), (500, 118, "1.00")) == {}


def test_an_amount_behind_other_words_is_theirs() -> None:
    row = ((50, 50, "Gross pay"), (300, 50, "452.43"), (600, 50, "Hours left"), (850, 50, "40.00"))
    assert pairs(*row)["Gross pay"] == "452.43"


@pytest.mark.parametrize(
    ("lines", "label"),
    [
        (("Pay to the", "order of:"), "Pay to the order of:"),
        (("Kind of business (shop,", "market or other):"), "Kind of business (shop, market or other):"),
        (("This change:", "(from the budget)"), "This change: (from the budget)"),
    ],
)
def test_a_label_may_have_two_lines(lines: tuple[str, str], label: str) -> None:
    beside = 50 if lines[0].endswith(":") else 78
    assert pairs((50, 50, lines[0]), (50, 78, lines[1]), (600, beside, "John Stiles")) == {label: "John Stiles"}


def test_what_stands_above_a_label_that_begins_with_a_capital_or_is_known_is_not_its_first_line() -> None:
    assert pairs((50, 50, "Project file"), (50, 78, "cc: S. Willinger")) == {"cc:": "S. Willinger"}
    assert pairs((50, 50, "Pay to the"), (50, 78, "Order of:"), (600, 78, "John Stiles")) == {
        "Order of:": "John Stiles"
    }


def test_a_text_goes_on_to_the_end_of_its_rows() -> None:
    below = (
        (50, 78, "The tickets could be sent out a little sooner. This"),
        (50, 106, "year they came on the Thursday before."),
    )
    said = "The tickets could be sent out a little sooner. This year they came on the Thursday before."
    assert pairs((50, 50, "Suggestions:"), *below) == {"Suggestions:": said}
    beside = (
        (50, 50, "Suggestions: The tickets could be sent a little sooner."),
        (50, 78, "This year they came on the Thursday before."),
    )
    assert pairs(*beside) == {"Suggestions:": said.replace("sent out", "sent")}


def test_a_text_ends_where_the_next_word_had_room_or_a_label_follows() -> None:
    short = (
        (50, 50, "Suggestions: Send them a little sooner please."),
        (50, 78, "Signed in the hall on the third of May by all of the board."),
    )
    assert pairs(*short) == {"Suggestions:": "Send them a little sooner please."}
    label = ((50, 50, "Suggestions: Send them a little sooner if you can"), (50, 78, "Signed by: the board"))
    assert pairs(*label) == {"Suggestions:": "Send them a little sooner if you can", "Signed by:": "the board"}


def test_entries_on_lines_of_their_own_below_an_underlined_name_are_its_values() -> None:
    names = ("Lecithin", "Bean oil", "Nitrate, wet")
    texts = [(50, 50, "Solids"), *((100, 84 + 34 * n, name) for n, name in enumerate(names))]
    ruled = [(45, 200, 75), *((95, 400, 109 + 34 * n) for n in range(3))]
    found = find_pairs(made.sheet(*texts, ruled=ruled))
    assert [(pair.key_text, pair.value_text) for pair in found] == [("Solids", name) for name in names]
    assert find_pairs(made.sheet(*texts[:3], ruled=ruled[:3])) == []


def test_what_is_written_above_a_line_belongs_to_the_known_label_under_it() -> None:
    signed = ((50, 50, "12 May 2026"), (400, 50, "A. Lovelace"), (60, 84, "(Date)"), (410, 84, "Signature"))
    ruled = [(45, 250, 75), (395, 600, 75)]
    assert pairs(*signed, ruled=ruled) == {"(Date)": "12 May 2026", "Signature": "A. Lovelace"}
    assert pairs(*signed) == {}


def test_the_entries_of_a_table_without_lines_are_no_labels_and_values() -> None:
    names = ("Start date", "Employer name", "Position held", "Reason")
    entries = (
        ("1/2/2009", "7 Elms", "Baker", "moved"),
        ("7/1/2011", "9 Oaks", "Chef", "offer"),
        ("8/5/2013", "4 Ashes", "Cook", "none"),
    )
    rows = [
        (50 + 220 * n, 50 + 40 * at, text) for at, row in enumerate((names, *entries)) for n, text in enumerate(row)
    ]
    assert pairs(*rows) == {}
    assert pairs(*rows[:8])["Start date"] == "1/2/2009"


def test_words_that_belong_elsewhere_leave_rows_without_any() -> None:
    page = made.sheet(
        (50, 50, "Kind"),
        (250, 50, "Size"),
        (450, 50, "Price"),
        (50, 84, "7"),
        (250, 84, "8"),
        (50, 118, "9"),
        (250, 118, "6"),
    )
    below = frozenset(word.index for segment in page.rows[1] for word in segment.words)
    assert find_pairs(page, apart=below) == []


def test_dashes_or_dots_lead_from_a_label_to_its_value() -> None:
    assert pairs((50, 50, "Tear tape ---- gold foil")) == {"Tear tape": "gold foil"}
    assert pairs((50, 50, "Labels--"), (400, 50, "old gold")) == {"Labels--": "old gold"}
    assert pairs((50, 50, "TOTAL AMT ......"), (400, 50, "9.00")) == {"TOTAL AMT": "9.00"}
    assert pairs((50, 50, "Filter production ---")) == {"Filter production": ""}


def test_a_single_dash_leads_on_where_others_do() -> None:
    row = (50, 50, "Original to - Ada Lovelace")
    assert pairs(row) == {}
    leaders = ((50, 84, "Written by -- C. Babbage"), (50, 118, "Copies to --- A. Byron"))
    assert pairs(row, *leaders) == {"Original to": "Ada Lovelace", "Written by": "C. Babbage", "Copies to": "A. Byron"}


def test_dashes_in_a_sentence_lead_nowhere() -> None:
    assert pairs((50, 50, "we came -- and went")) == {}
    assert pairs((50, 50, "They all came to the hall -- and went")) == {}


def test_a_currency_sign_that_a_label_seems_to_end_with_belongs_to_the_amount() -> None:
    rows = (
        (50, 50, "Jan $"),
        (300, 50, "10,000.00"),
        (50, 84, "Feb"),
        (300, 84, "10,000.00"),
        (50, 118, "Mar $"),
        (300, 118, "15,000.00"),
    )
    assert pairs(*rows) == {"Jan": "$ 10,000.00", "Feb": "10,000.00", "Mar": "$ 15,000.00"}


def test_words_in_three_columns_are_no_labels_and_values() -> None:
    words = [
        (50 + 300 * column, 50 + 34 * row, f"{name} {'abc'[row]}")
        for row in range(3)
        for column, name in enumerate(("Decal", "Mobile", "Dangler"))
    ]
    assert pairs(*words) == {}
    assert len(pairs(*[each for each in words if each[0] < 600])) == 3


def test_a_paragraph_below_a_known_label_without_a_colon_is_no_value() -> None:
    prose = "Do not make any commitment or authorize any spending of any kind here"
    assert pairs((50, 50, "Company"), (50, 80, prose)) == {}
    assert pairs((50, 50, "Company"), (50, 80, "Green Leaf and Daughters")) == {"Company": "Green Leaf and Daughters"}


PIECES = (
    "Total:", "12.00", "RM", "Name", "Invoice No", "A-17", "1 Wages and tips", "b Address", "#", "TE# 20", ":", "=", "(Date)", "order of:",
    "Pay to the", "12/03/2026", "Description", "Qty", "Amount", "a", "$", "This is a text of some words which goes", "1.", "X", "Bill To:",
    "Tear tape -- gold", "Jan $", "....",
)  # fmt: skip
PLACES = st.tuples(
    st.integers(0, 20).map(lambda n: 45 * n), st.integers(0, 14).map(lambda n: 14 * n), st.sampled_from(PIECES)
)
CELLS = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 8), st.integers(1, 4)).map(
    lambda cell: (100 * cell[0], 28 * cell[1], 100 * (cell[0] + cell[2]), 28 * (cell[1] + cell[3]))
)
LINES = st.tuples(st.integers(0, 400), st.integers(401, 990), st.integers(0, 220))


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(
    st.lists(PLACES, min_size=1, max_size=40),
    st.lists(LINES, max_size=8),
    st.lists(CELLS, max_size=8),
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 220)), max_size=4),
    st.sets(st.integers(0, 80), max_size=60),
)
def test_whatever_stands_anywhere_is_paired_without_an_error(
    texts: list[tuple[int, int, str]],
    ruled: list[tuple[int, int, int]],
    cells: list[tuple[int, int, int, int]],
    boxes: list[tuple[int, int]],
    apart: set[int],
) -> None:
    ticks = [made.tick(left, top, selected=True) for left, top in boxes]
    page = made.sheet(*texts, ruled=ruled, cells=cells, ticks=ticks)
    found = find_pairs(page, apart=frozenset(apart))
    values = [word.index for pair in found for word in pair.value]
    keys = {word.index for pair in found for word in pair.key}
    assert len(values) == len(set(values)), "no word is a value twice"
    assert keys.isdisjoint(values) and apart.isdisjoint({*keys, *values})
    assert all(0 <= pair.confidence <= 100 and pair.key for pair in found)


def test_a_colon_in_brackets_or_at_the_end_of_a_sentence_makes_no_label() -> None:
    assert pairs((50, 50, "Signature (of a minor: the guardian's)")) == {}
    assert pairs((50, 50, "What you should know about opening an account: the law asks")) == {}


def test_where_check_boxes_follow_a_label_nothing_else_is_its_value() -> None:
    ticks = [made.tick(150, 52, selected=True), made.tick(350, 52, selected=False)]
    texts = ((50, 50, "Sex:"), (180, 50, "Male"), (380, 50, "Female"), (50, 84, "How did you hear of us"))
    found = {pair.key_text: pair.value_text for pair in find_pairs(made.sheet(*texts, ticks=ticks))}
    assert found == {"Sex:": ""}


def test_a_label_with_a_leader_has_its_value_in_its_own_row() -> None:
    texts = ((50, 50, "Freight ....."), (300, 50, "79.30"), (50, 84, "Wiring ....."), (50, 118, "Nothing more"))
    assert pairs(*texts) == {"Freight": "79.30", "Wiring": ""}


def test_a_question_in_front_of_a_line_may_be_long_and_its_answer_goes_on_upon_the_next_line() -> None:
    question = "3. What, if anything, did you like about it?"
    texts = ((20, 50, question), (600, 50, "Nice aroma when you open"), (605, 84, "it was not bitter"))
    ruled = [(590, 910, 75), (590, 910, 109)]
    assert pairs(*texts, ruled=ruled) == {question: "Nice aroma when you open it was not bitter"}
    assert pairs(texts[0], (600, 50, "Nice"), texts[2], ruled=ruled)[question] == "Nice"


def test_dots_that_look_like_a_line_to_fill_in_do_not_hide_the_value() -> None:
    texts = ((50, 50, "Wiring ....."), (500, 50, "79.30"), (50, 84, "Freight ....."))
    assert pairs(*texts, ruled=[(200, 420, 72)])["Wiring"] == "79.30"


def test_a_label_and_its_value_upon_one_line_are_no_label_of_the_next_line() -> None:
    texts = ((60, 100, "Crop"), (300, 100, "90331"), (500, 100, "Plot"), (750, 100, "90332"))
    found = find_pairs(made.sheet(*texts, ruled=[(60, 440, 122), (500, 880, 122)]))
    assert ("Crop 90331", "Plot 90332") not in [(pair.key_text, pair.value_text) for pair in found]


def test_dots_read_with_the_value_lead_to_it_all_the_same() -> None:
    rows = (
        (50, 50, "Grade ."),
        (400, 50, "... paper E-5"),
        (50, 84, "Width .."),
        (400, 84, "… 27 mm"),
        (50, 118, "Tear ---- gold"),
    )
    assert pairs(*rows) == {"Grade": "paper E-5", "Width": "27 mm", "Tear": "gold"}


def test_the_first_word_of_a_value_is_no_label_where_the_line_under_it_is_broken() -> None:
    row = ((50, 50, "TO:"), (300, 50, "Ms. Eleanor Drake"))
    begin = 300 + 4 * made.LETTER
    assert pairs(*row, ruled=[(begin, 900, 52 + made.LINE)]) == {"TO:": "Ms. Eleanor Drake"}


def test_a_known_word_with_a_comma_behind_it_goes_on() -> None:
    row = ((50, 50, "SPACE"), (200, 50, "Page, 4 colors"))
    assert pairs(*row, ruled=[(190, 700, 52 + made.LINE)]) == {"SPACE": "Page, 4 colors"}


def test_a_mere_dash_leads_to_no_value_where_dots_do() -> None:
    led = ((50, 50, "Freight ....."), (500, 50, "79.30"), (50, 84, "Wiring ....."), (500, 84, "12.10"))
    row = ((50, 118, "Meter - end of week"),)
    assert "Meter" not in pairs(*led, *row)
    dashes = ((50, 50, "Freight --- 79.30"), (50, 84, "Wiring --- 12.10"))
    assert pairs(*dashes, (50, 118, "Meter - 41,806"))["Meter"] == "41,806"


LIST = (
    (50, 50, "Casing"), (400, 50, "C-19"), (50, 84, "Flavor"), (400, 84, "F-201"), (50, 118, "Burley"), (400, 118, "28.0"),
)  # fmt: skip


def test_rows_elsewhere_in_the_columns_of_a_list_belong_to_it() -> None:
    found = pairs(*LIST, (50, 300, "Porosity"), (400, 300, "34 Coresta"), (50, 400, "Ash"), (480, 400, "7 Ohio"))
    assert found["Porosity"] == "34 Coresta"
    assert "Ash" not in found


def test_a_long_list_tells_a_known_label_that_its_value_stands_beside_it() -> None:
    more = [(left, top + 102, text) for left, top, text in LIST]
    found = pairs(
        *LIST, *more, (50, 260, "Type"), (400, 260, "Cellulose acetate"), (50, 294, "Draft"), (400, 294, "2.9")
    )
    assert (found["Type"], found["Draft"]) == ("Cellulose acetate", "2.9")
