"""Printed dates: every form they come in, what they can mean, and what proves the order of day and month."""

from __future__ import annotations

from datetime import date

import pytest

from ocr.extraction import InvalidValue, dates, parse_value
from tests.extraction.make import Answer, a_type, field, spec


@pytest.mark.parametrize(
    ("text", "day_first"),
    [
        ("07/03/2026", "2026-03-07"),
        ("7.3.2026", "2026-03-07"),
        ("7-3-26", "2026-03-07"),
        ("07 / 03 / 2026", "2026-03-07"),
        ("O7/03/2026", "2026-03-07"),
        ("07-O3-2o26", "2026-03-07"),
        ("l7.03.26", "2026-03-17"),
        ("07 03 2026", "2026-03-07"),
        ("13/12/50", "1950-12-13"),
        ("13/12/49", "2049-12-13"),
        ("2026-03-07", "2026-03-07"),
        ("2026/3/7", "2026-03-07"),
        ("2026.03.07", "2026-03-07"),
        ("20260307", "2026-03-07"),
        ("20260307 15:17", "2026-03-07"),
        ("date07-03-26", "2026-03-07"),
        ("8:13pm07-03-26", "2026-03-07"),
        ("99-03-07", "1999-03-07"),
        ("7 March 2026", "2026-03-07"),
        ("7th of March, 2026", "2026-03-07"),
        ("March 7, 2026", "2026-03-07"),
        ("March 7th 2026", "2026-03-07"),
        ("Mar. 7, '26", "2026-03-07"),
        ("07-Mar-26", "2026-03-07"),
        ("07MAR2026", "2026-03-07"),
        ("Feb10'18 11:09AM", "2018-02-10"),
        ("07 0CT 2016", "2016-10-07"),
        ("26Ju117 23:58", "2017-07-26"),
        ("2026 March 7", "2026-03-07"),
        ("7. März 2026", "2026-03-07"),
        ("1. Januar 2026", "2026-01-01"),
        ("24. Dez. 2025", "2025-12-24"),
        ("1er février 2026", "2026-02-01"),
        ("le 14 août 2025", "2025-08-14"),
        ("7 Mac 2026", "2026-03-07"),
        ("31 Ogos 2018", "2018-08-31"),
        ("3 de marzo 2026", "2026-03-03"),
        ("14 września 2025", "2025-09-14"),
        ("12 paź 2025", "2025-10-12"),
        ("3. maj 2026", "2026-05-03"),
        ("2026. március 7.", "2026-03-07"),
        ("5. srpna 2026", "2026-08-05"),
        ("7 Kasım 2026", "2026-11-07"),
        ("Tuesday, 3 March 2026", "2026-03-03"),
        ("Di, 3. März 2026", "2026-03-03"),
        ("07/03/2026 15:17", "2026-03-07"),
        ("07/03/2026 10:25:49 PM", "2026-03-07"),
        ("07/03/202615:17", "2026-03-07"),
        ("07/03/2615:17", "2026-03-07"),
        ("07.03.26-15:17", "2026-03-07"),
        ("2026/03/0713:34:14", "2026-03-07"),
        ("Date: 07/03/2026", "2026-03-07"),
    ],
)
def test_a_date_is_understood_in_this_form(text: str, day_first: str) -> None:
    assert parse_value(text, spec("date")) == day_first


@pytest.mark.parametrize(
    "text",
    [
        "31/02/2026", "13/13/2026", "0/1/2026", "yesterday", "07/03", "07/03/2026 or 08/03/2026", "paid 07/03/2026",
        "1.2.3.4", "12/2026", "2026-13-01", "192.168.10.1", "99 Mar 2026", "7 Foo 2026", "01/01/0001", "99/99/99",
        "20261399", "99 Mars 1850",
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused_with_the_expected_form(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"^Write the date as day/month/year, for example 07/03/2026\.$") as refused:
        parse_value(text, spec("date"))
    assert refused.value.code == "invalid_date"


@pytest.mark.parametrize(
    ("order", "value", "form"),
    [
        ("day_first", "2026-03-07", "day/month/year"),
        ("month_first", "2026-07-03", "month/day/year"),
        ("year_first", "2026-03-07", "year-month-day"),
    ],
)
def test_the_order_of_the_type_decides_between_two_readings(order: str, value: str, form: str) -> None:
    assert parse_value("07/03/2026", spec("date"), date_order=order) == value  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match=form):
        parse_value("no date", spec("date"), date_order=order)  # type: ignore[arg-type]


def test_a_date_that_can_be_read_one_way_only_is_read_that_way() -> None:
    assert parse_value("03/27/2026", spec("date")) == "2026-03-27"
    assert parse_value("27/03/2026", spec("date"), date_order="month_first") == "2026-03-27"


def test_several_dates_are_found_in_order_and_none_twice() -> None:
    text = "from 01/02/2026 to March 3, 2026, paid 2026-03-04"
    assert [text[each.start : each.end] for each in dates.find(text)] == ["01/02/2026", "March 3, 2026", "2026-03-04"]


def test_letters_may_stand_before_a_full_year_or_speak_of_a_date() -> None:
    assert [
        each.start for text in ("R07-03-2026", "date07-03-26", "x07/03/26", "x07-03-26") for each in dates.find(text)
    ] == [1, 4, 1]


def test_overlapping_readings_count_once() -> None:
    assert [each.day_first for each in dates.find("3 March 2026 March 7")] == [date(2026, 3, 3)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no digits at all",
        "tel 03-9054 3785",
        "1/2",
        "12.50",
        "HC03-7 - 15",
        "EZ10-11-12",
        "20260307",
        "20261307 15:17",
    ],
)
def test_no_date_is_found_where_there_is_none(text: str) -> None:
    assert dates.find(text) == []


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["01/02/2026", "27/03/2026"], "day_first"),
        (["01/02/2026", "03/27/2026"], "month_first"),
        (["03/27/2026", "27/03/2026"], None),
        (["01/02/2026"], None),
        (["7 March 2026", "2026-03-04"], None),
        ([], None),
    ],
)
def test_other_dates_prove_the_order(texts: list[str], order: str | None) -> None:
    assert dates.proven_order(found for text in texts for found in dates.find(text)) == order


def test_a_short_year_may_stand_first() -> None:
    (found,) = dates.find("31-12-99 and 99-12-31"[13:])
    assert found.readings("day_first") == (date(1999, 12, 31),)


TYPE = a_type({"name": "date", "kind": "date", "labels": ["date"], "required": True})


def test_an_ambiguous_date_takes_the_type_s_order_and_suggests_the_other() -> None:
    found = field(Answer().line("Date: 07/03/2026").read(TYPE), "date")
    assert (found.value, found.state, found.problems) == ("2026-03-07", "certain", ())
    assert [(each.value, each.why) for each in found.suggestions] == [("2026-07-03", "other_date_order")]


def test_a_second_date_in_the_document_proves_the_other_order() -> None:
    found = field(Answer().line("Date: 07/03/2026").line("Printed 12/31/2026").read(TYPE), "date")
    assert found.value == "2026-07-03"


def test_an_american_address_says_that_the_month_stands_first() -> None:
    def day(*lines: str) -> str | None:
        return field(Answer().lines("Date: 07/03/2026", *lines).read(TYPE), "date").value

    assert day("STONEHAM MA 02180", "Total $9.00") == "2026-07-03"
    assert day("Boise, ID 83702-1172", "Total $9.00") == "2026-07-03"
    assert day("STONEHAM MA 02180", "Total $9.00", "Printed 27/03/2026") == "2026-03-07"  # a proof counts for more
    assert day("STONEHAM MA 02180", "Total 9.00 EUR", "$") == "2026-03-07"
    assert day("STONEHAM MA 02180", "Total $9.00", "GST 6%") == "2026-03-07"
    assert day("KUALA LUMPUR 02180", "Total $9.00") == "2026-03-07"


def test_an_unambiguous_date_has_no_suggestion() -> None:
    found = field(Answer().line("Date: 27/03/2026").read(TYPE), "date")
    assert (found.value, found.suggestions) == ("2026-03-27", ())


def test_a_date_in_pieces_along_its_row_is_joined() -> None:
    found = field(Answer().row("Date", "3 March", "2026").read(TYPE), "date")
    assert found.value == "2026-03-03"


def test_a_label_with_nothing_like_a_date_beside_it_finds_none() -> None:
    found = field(Answer().row("Date", "soon").read(TYPE), "date")
    assert (found.value, found.state) == (None, "open")
