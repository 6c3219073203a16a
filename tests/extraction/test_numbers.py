"""Printed numbers and money: both decimal marks, all groupings, signs, and what only looks like a number."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ocr.extraction import InvalidValue, numbers, parse_value
from tests.extraction.make import spec


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1 234.50", "1234.50"),
        ("1\u00a0234,50", "1234.50"),
        ("1\u202f234\u202f567,50", "1234567.50"),
        ("1'234.50", "1234.50"),
        ("1’234.50", "1234.50"),
        ("1,23,456.00", "123456.00"),
        ("1,234,567", "1234567.00"),
        ("1.234.567", "1234567.00"),
        ("1,234", "1234.00"),
        ("1.234", "1234.00"),
        ("0.125", "0.125"),
        ("0,125", "0.125"),
        ("12.5", "12.50"),
        ("12,5", "12.50"),
        ("12", "12.00"),
        ("12.3456", "12.3456"),
        (".50", "0.50"),
        ("12,-", "12.00"),
        ("12.–", "12.00"),
        ("-5", "-5.00"),
        ("−5.00", "-5.00"),
        ("- 5.00", "-5.00"),
        ("5.00-", "-5.00"),
        ("(5.00)", "-5.00"),
        ("(-)5.00", "-5.00"),
        ("(-) RM5.00", "-5.00"),
        ("-RM5.00", "-5.00"),
        ("RM-5.00", "-5.00"),
        ("RM -5.00", "-5.00"),
        ("RM - 5.00", "-5.00"),
        ("-RM 5.00", "-5.00"),
        ("-€ 5,00", "-5.00"),
        ("- € 5,00", "-5.00"),
        ("(RM5.00)", "-5.00"),
        ("RM 12.50", "12.50"),
        ("RM12.50", "12.50"),
        ("$6.90", "6.90"),
        ("US$ 6.90", "6.90"),
        ("6.90 €", "6.90"),
        ("6,90€", "6.90"),
        ("12.50 USD", "12.50"),
        ("EUR 1.000", "1000.00"),
        ("Rs. 1939", "1939.00"),
        ("12.50 ringgit", "12.50"),
    ],
)
def test_an_amount_is_understood_in_this_form(text: str, value: str) -> None:
    assert parse_value(text, spec("amount")) == value


@pytest.mark.parametrize(
    "text",
    [
        "twelve",
        "12 13",
        "10%",
        "10 %",
        "1.2.3",
        "1,2,3",
        "12 apples",
        "RM",
        "1.23.456",
        "1234,567,890",
        ",567",
        "a1",
        "12/13",
        "1234.567.8",
    ],
)
def test_what_is_no_amount_is_refused_with_the_expected_form(text: str) -> None:
    expected = r"^Write the amount with digits, for example 1,234\.50 or 1\.234,50\.$"
    with pytest.raises(InvalidValue, match=expected) as refused:
        parse_value(text, spec("amount"))
    assert refused.value.code == "invalid_amount"


@pytest.mark.parametrize(
    ("text", "value"), [("2", "2"), ("2.5", "2.5"), ("1.234", "1.234"), ("1,234", "1234"), ("1.00", "1.00")]
)
def test_a_number_keeps_its_printed_decimals(text: str, value: str) -> None:
    assert parse_value(text, spec("number")) == value


@pytest.mark.parametrize("text", ["two", "2 or 3", "7%"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"^Write a number, for example 12 or 2\.5\.$"):
        parse_value(text, spec("number"))


@pytest.mark.parametrize(("text", "value"), [("10", "10"), ("10 %", "10"), ("7,5%", "7.5"), ("7.50%", "7.50")])
def test_a_percentage_loses_its_sign(text: str, value: str) -> None:
    assert parse_value(text, spec("percent")) == value


def test_what_is_no_percentage_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"^Write a percentage, for example 10 or 7\.5 %\.$"):
        parse_value("some", spec("percent"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("TOTAL AMOUNT:$6.90", ["6.90"]),
        ("S=GST @6%: 122.00 7.30", ["6", "122.00", "7.30"]),
        ("1 160.00 160.00", ["1", "160.00", "160.00"]),
        ("4.00 S", ["4.00"]),
        ("86.00SR", ["86.00"]),
        ("86SR", []),
        ("86.00abc", []),
        ("2x 5.00", ["2", "5.00"]),
        ("-0.02 ", ["-0.02"]),
        ("SS21/62", []),
        ("07-5547360", []),
        ("15:17", []),
        ("PUMP #02", []),
        ("A4", []),
        ("a-5.00", []),
        ("a-RM 5.00", ["5.00"]),
        ("a - RM 5.00", ["5.00"]),
        ("a -RM 5.00", ["-5.00"]),
        ("INV_12", []),
        ("12_3", []),
        ("12#", []),
        ("1/4", []),
        ("1.2.3", []),
        ("No.5", []),
        ("(12", ["12"]),
        ("5.00 - 3.00", ["5.00", "3.00"]),
        ("Rounding -0.02", ["-0.02"]),
        ("Discount - 3.00", ["3.00"]),
        ("1.0'0", []),
    ],
)
def test_numbers_that_stand_alone_are_found_in_print(text: str, found: list[str]) -> None:
    assert [str(each.value) for each in numbers.find_numbers(text)] == found


def test_a_blank_at_the_point_of_the_last_amount_is_the_reader_s() -> None:
    def found(text: str) -> list[tuple[str, str]]:
        return [(str(each.value), text[each.start : each.end]) for each in numbers.find_numbers(text)]

    assert found("Total RM 9. 00") == [("9.00", "9. 00")]
    assert found("1,234 .50 ") == [("1234.50", "1,234 .50")]
    assert found("1. 20 pieces") == [("1", "1"), ("20", "20")]
    assert found("1. 200") == [("1", "1"), ("200", "200")]


def test_a_colon_may_be_a_point_misread_but_in_a_time_of_day() -> None:
    def found(text: str) -> list[tuple[str, str]]:
        return [(str(each.value), text[each.start : each.end]) for each in numbers.find_numbers(text)]

    assert found("Net payable (RM) 622:00") == [("622.00", "622:00")]
    assert found("1,622:50") == [("1622.50", "1,622:50")]
    assert found("31:50") == [("31.50", "31:50")]
    assert ("20.14", "20:14") not in found("at 20:14")


def test_a_blank_groups_thousands_in_print_only_before_a_decimal_comma() -> None:
    printed = numbers.whole_number("1 234,50", blanks_group=False)
    assert printed is not None and printed.value == Decimal("1234.50")
    assert numbers.whole_number("1 160.00", blanks_group=False) is None


def test_blanks_group_thousands_where_an_amount_stands_alone_or_behind_a_colon() -> None:
    def found(text: str) -> list[str]:
        return [str(each.value) for each in numbers.find_numbers(text)]

    assert found("Do zapłaty: 1 107,00 zł") == ["1107.00"]
    assert found("12 345 678,90 €") == ["12345678.90"]
    assert found("2 450,00 900,00") == ["2", "450.00", "900.00"]
    assert found("Article 2 450,00") == ["2", "450.00"]
    assert [found(text) for text in ("187 960 Ft", "39 960", "1 250 000 Kč")] == [["187960"], ["39960"], ["1250000"]]
    assert [found(text) for text in ("R41 745,14", "Total R41 745.14", "$41 745,14", "€ 2 450,00 900,00")] == [
        ["41745.14"], ["41745.14"], ["41745.14"], ["2450.00", "900.00"],
    ]  # fmt: skip
    assert found("39 960 187 960") == ["39", "960", "187", "960"]
    assert found("030 123 456") == ["30", "123", "456"]


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a (5.00) b", "(5.00)"),
        ("a 5.00- b", "5.00-"),
        ("a -RM5.00 b", "-RM5.00"),
        ("a RM -5.00 b", "RM -5.00"),
        ("a 5.00 b", "5.00"),
    ],
)
def test_a_number_s_place_includes_its_sign(text: str, printed: str) -> None:
    (found,) = numbers.find_numbers(text)
    assert text[found.start : found.end] == printed


def test_a_percentage_is_marked() -> None:
    assert [each.percent for each in numbers.find_numbers("6% of 100.00")] == [True, False]


@pytest.mark.parametrize(
    ("text", "code"),
    [("rm", "MYR"), ("EUR", "EUR"), ("usd", "USD"), ("$", "USD"), ("€", "EUR"), ("S$", "SGD"), ("Euro", "EUR"),
     ("Currency: CHF", "CHF"), ("kr", "SEK")],
)  # fmt: skip
def test_a_currency_becomes_its_code(text: str, code: str) -> None:
    assert parse_value(text, spec("currency")) == code


@pytest.mark.parametrize("text", ["dollarydoos", "EUR or USD", "xx", "12.50"])
def test_what_is_no_single_currency_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="three-letter code, for example EUR or MYR"):
        parse_value(text, spec("currency"))


def test_codes_in_print_count_in_capitals_only() -> None:
    assert [each.code for each in numbers.find_currencies("the cup is all inr, not INR")] == ["INR"]
    assert numbers.find_currencies("TOTALRM") == []


@pytest.mark.parametrize("thousands_dot", [True, False])
@pytest.mark.parametrize(
    "text", ["0", "12", "007", "12345678", "0.50", "12.34", "123456.78", "1,234.56", "12,345,678.90"]
)
def test_a_plain_amount_is_read_like_one_among_other_print(text: str, *, thousands_dot: bool) -> None:
    (alone,) = numbers.find_numbers(text, thousands_dot=thousands_dot)
    assert [alone] == numbers.find_numbers(f"{text} ", thousands_dot=thousands_dot)
    assert numbers.whole_number(text, thousands_dot=thousands_dot) == alone


@pytest.mark.parametrize("printed", [*numbers.SIGNS, *sorted(numbers.CODES)])
def test_every_sign_and_code_is_found_between_digits(printed: str) -> None:
    assert [(each.start, each.end) for each in numbers.find_currencies(f"1 {printed} 2")] == [(2, 2 + len(printed))]


def test_a_letter_r_before_cents_is_a_currency_and_before_a_whole_number_none() -> None:
    def found(text: str) -> list[str]:
        return [str(each.value) for each in numbers.find_numbers(text)]

    assert [found(text) for text in ("R26.21", "R1,250.00", "-R26.21", "R 26.21")] == [
        ["26.21"], ["1250.00"], ["-26.21"], ["26.21"],
    ]  # fmt: skip
    assert [found(text) for text in ("R36", "XR26.21", "R36.5")] == [[], [], []]
    whole = [numbers.whole_number(text) for text in ("R26.21", "R 26.21", "R36", "XR26.21")]
    assert [each and str(each.value) for each in whole] == ["26.21", "26.21", None, None]
