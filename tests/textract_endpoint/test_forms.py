"""Labels and values by where they stand."""

import pytest

from deploy.local.textract.forms import find_pairs
from tests.textract_endpoint import made


def pairs(*texts: tuple[int, int, str]) -> dict[str, str]:
    return {pair.key_text: pair.value_text for pair in find_pairs(made.sheet(*texts))}


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
