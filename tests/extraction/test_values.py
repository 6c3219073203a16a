"""What a person types, by kind of field: the canonical value, or a sentence that says the expected form."""

from __future__ import annotations

import pytest

from ocr.extraction import InvalidValue, parse_kind, parse_value, values
from tests.extraction.make import a_type, shipped, spec


@pytest.mark.parametrize(
    "kind", ["text", "amount", "date", "currency", "number", "identifier", "email", "phone", "percent", "checkbox"]
)
def test_nothing_is_refused_for_every_kind(kind: str) -> None:
    with pytest.raises(InvalidValue, match=r"^Write a value, or mark the field as absent\.$") as refused:
        parse_value("  \n ", spec(kind))
    assert refused.value.code == "empty"


def test_a_text_that_is_too_long_is_refused() -> None:
    assert parse_value("x" * 1000, spec()) == "x" * 1000
    with pytest.raises(InvalidValue, match=r"^Write at most 1,000 characters\.$"):
        parse_value("x" * 1001, spec())


def test_blanks_are_folded() -> None:
    assert parse_value("  A \t B\n C ", spec()) == "A B C"
    assert parse_value(" INV  12 ", spec("identifier")) == "INV 12"


def test_an_identifier_needs_a_letter_or_digit() -> None:
    with pytest.raises(InvalidValue, match="as printed, for example INV-2026-0042"):
        parse_value("--", spec("identifier"))


@pytest.mark.parametrize(
    ("text", "value"), [("name@example.com", "name@example.com"), (" a.b+c@x-y.co.uk ", "a.b+c@x-y.co.uk")]
)
def test_an_email_address_stays_as_it_is(text: str, value: str) -> None:
    assert parse_value(text, spec("email")) == value


@pytest.mark.parametrize("text", ["name@", "name at example.com", "@example.com", "two@a.de, three@b.de"])
def test_what_is_no_email_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"for example name@example\.com"):
        parse_value(text, spec("email"))


@pytest.mark.parametrize(
    ("text", "value"),
    [("+60 7-554 7360", "+6075547360"), ("(030) 123 456", "030123456"), ("07.55.47.36.00", "0755473600")],
)
def test_a_telephone_number_keeps_its_digits(text: str, value: str) -> None:
    assert parse_value(text, spec("phone")) == value


@pytest.mark.parametrize("text", ["12345", "1234567890123456", "call me", "555-CALL-NOW"])
def test_what_is_no_telephone_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="telephone number with digits"):
        parse_value(text, spec("phone"))


@pytest.mark.parametrize(
    ("text", "value"),
    [("selected", "selected"), ("X", "selected"), ("[x]", "selected"), ("Ja", "selected"), ("not_selected", "not_selected"),
     ("Not selected", "not_selected"), ("[ ]", "not_selected"), ("no", "not_selected")],
)  # fmt: skip
def test_a_check_box_is_selected_or_not(text: str, value: str) -> None:
    assert parse_value(text, spec("checkbox")) == value


def test_what_is_no_check_box_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"^Write selected or not selected\.$"):
        parse_value("maybe", spec("checkbox"))


def test_a_choice_takes_its_own_spelling() -> None:
    assert parse_value("net  30", spec(choices=["Net 30", "Net 60"])) == "Net 30"


def test_what_is_not_among_the_choices_is_refused_with_the_choices() -> None:
    with pytest.raises(InvalidValue, match=r"^Choose one of: Net 30, Net 60\.$") as refused:
        parse_value("Net 90", spec(choices=["Net 30", "Net 60"]))
    assert refused.value.code == "not_a_choice"


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("text", ": hello  world ;", ["hello world"]),
        ("text", " : - ", []),
        ("amount", "paid 5.00 of 10.00", ["5.00", "10.00"]),
        ("amount", "6% of 10.00", ["10.00"]),
        ("amount", "August 3, 2014", []),
        ("amount", "29670869006", []),
        ("number", "qty 3 at 10%", ["3"]),
        ("number", "3 pcs", ["3"]),
        ("number", "12u", ["12"]),
        ("number", "2,5Std", ["2.5"]),
        ("number", "12A", []),
        ("amount", "12kg", []),
        ("amount", "netto 14 dage", []),
        ("amount", "30 days 12.00", ["12.00"]),
        ("amount", "14.50 Tage", ["14.50"]),
        ("amount", "14 Tagesgeld", ["14.00"]),
        ("percent", "6% of 10.00", ["6"]),
        ("date", "on 27/03/2026 and 2026-04-01", ["2026-03-27", "2026-04-01"]),
        ("date", ": 20260327 10:15", ["2026-03-27"]),
        ("date", "no 20260327", []),
        ("date", "20261327", []),
        ("date", ": 171812026", ["2026-08-17"]),
        ("date", "17/812026", ["2026-08-17"]),
        ("date", "991812026", []),
        ("date", "no 171812026", []),
        ("currency", "RM 5.00", ["MYR"]),
        ("identifier", "INV-0042 dated 27/03/2026", ["INV-0042"]),
        ("identifier", "DE 232 446 240", ["DE 232 446 240"]),
        ("identifier", "AZL-F 0044 7120 88", ["AZL-F 0044 7120 88"]),
        ("identifier", "EB-3317 0924 6", ["EB-3317 0924 6"]),
        ("identifier", "INV-3317 6 pieces", ["INV-3317", "6"]),
        ("identifier", "n°FR-HX-2021-0093348", ["FR-HX-2021-0093348"]),
        ("identifier", "Nº123/4", ["123/4"]),
        ("identifier", "No.4711", ["4711"]),
        ("identifier", "INV#4711", ["4711"]),
        ("identifier", "NO.4711", ["4711"]),
        ("identifier", "CIF MOMBASA USD 5,402.50", []),
        ("identifier", "FA-1,FA-2", ["FA-1", "FA-2"]),
        ("identifier", "12/08/2025/K", ["12/08/2025/K"]),
        ("identifier", "12/08/2025", []),
        ("identifier", "12.50", []),
        ("identifier", "VAT 10%", []),
        ("identifier", "10 %", []),
        ("identifier", "Fälligkeiten", []),
        ("identifier", "549910 Datum", ["549910"]),
        ("identifier", "223894 18/03/2018", ["223894"]),
        ("email", "write to a@b.de or c@d.de", ["a@b.de", "c@d.de"]),
        ("phone", "tel +49 30 123456, fax 030 123457", ["+4930123456", "030123457"]),
        ("phone", "1234567890 1234567890", []),
        ("checkbox", " X ", ["selected"]),
        ("checkbox", "what", []),
    ],
)
def test_values_are_found_inside_a_text(kind: str, text: str, found: list[str]) -> None:
    assert [each.value for each in values.find_values(text, spec(kind))] == found


def test_choices_are_found_inside_a_text() -> None:
    made = spec(choices=["Net 30", "Net 60"])
    assert [each.value for each in values.find_values("Terms: net 60 days", made)] == ["Net 60"]


def test_only_the_beginning_of_an_endless_text_is_searched() -> None:
    assert values.find_values("x " * 5000 + "12.00", spec("amount")) == []


def test_a_typed_value_is_parsed_by_the_named_field_s_own_rules() -> None:
    made = a_type({"name": "terms", "choices": ["Net 30"]}, {"name": "day", "kind": "date"}, date_order="month_first")
    assert parse_kind("net 30", "text", document_type=made, name="terms") == "Net 30"
    assert parse_kind("03/04/2026", "date", document_type=made, name="day") == "2026-03-04"


def test_a_typed_cell_is_parsed_by_its_column() -> None:
    assert parse_kind("1.234,50", "amount", document_type=shipped("invoice"), name="unit_price") == "1234.50"


def test_a_field_that_the_type_does_not_name_is_parsed_by_its_kind() -> None:
    made = shipped("generic_form")
    assert parse_kind("X", "checkbox", document_type=made, name="us_citizen") == "selected"
    with pytest.raises(InvalidValue, match="selected or not selected"):
        parse_kind("maybe", "checkbox", document_type=made, name="us_citizen")
