"""Sums and the order of dates, while reading and when a person corrects."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ocr.extraction import DocumentType, Problem, check
from ocr.extraction.rules import decimal
from tests.extraction.make import a_type, shipped

INVOICE = shipped("invoice")
RECEIPT = shipped("receipt")
WHOLE: dict[str, str | None] = {"invoice_number": "1", "invoice_date": "2026-03-07", "total": "110.00"}
PAID: dict[str, str | None] = {"merchant": "Shop", "date": "2026-03-07", "total": "12.00"}


def broken(
    values: dict[str, str | None], made: DocumentType = INVOICE, items: list[Any] | None = None
) -> list[tuple[Any, ...]]:
    return [(each.code, each.field, each.rule) for each in check(values, items or [], made)]


def test_complete_values_have_no_problem() -> None:
    assert check({**WHOLE, "subtotal": "100.00", "tax": "10.00"}, [{"amount": "100.00"}], INVOICE) == ()


@pytest.mark.parametrize("absent", [None, ""])
def test_each_required_field_without_a_value_is_missing(absent: str | None) -> None:
    assert broken({**WHOLE, "total": absent}) == [("missing", "total", "required")]
    assert check({}, [], INVOICE)[0] == Problem(
        "missing", "invoice_number", "Invoice number was not found on the document.", "required"
    )


@pytest.mark.parametrize(
    ("tax", "holds"), [("10.00", True), ("10.02", True), ("9.98", True), ("10.03", False), ("0.00", False)]
)
def test_subtotal_plus_tax_is_the_total(tax: str, *, holds: bool) -> None:
    found = broken({**WHOLE, "subtotal": "100.00", "tax": tax})
    assert found == ([] if holds else [("invalid", "total", "subtotal_plus_tax")])


def test_the_sentence_gives_both_amounts() -> None:
    (problem,) = check({**WHOLE, "subtotal": "1775.30", "tax": "88.76", "total": "1884.06"}, [], INVOICE)
    assert problem.message == "Subtotal plus tax is 1,864.06, not 1,884.06."


@pytest.mark.parametrize("missing", ["subtotal", "tax", "total"])
def test_a_sum_with_a_missing_term_says_nothing(missing: str) -> None:
    values = {**WHOLE, "subtotal": "1.00", "tax": "1.00", missing: None}
    assert ("invalid", "total", "subtotal_plus_tax") not in broken(values)


@pytest.mark.parametrize(
    "extra", [{"shipping": "5.00", "total": "115.00"}, {"discount": "5.00", "total": "105.00"}, {"discount": "-5.00", "total": "105.00"},
              {"shipping": "5.00", "discount": "2.00", "total": "113.00"}, {"shipping": "5.00"}]
)  # fmt: skip
def test_shipping_and_discount_join_when_they_are_there(extra: dict[str, str]) -> None:
    assert broken({**WHOLE, "subtotal": "100.00", "tax": "10.00", **extra}) == []


def test_the_sentence_names_what_joined() -> None:
    values = {**WHOLE, "subtotal": "1.00", "tax": "1.00", "discount": "0.50"}
    assert check(values, [], INVOICE)[0].message == "Subtotal plus tax minus discount is 1.50, not 110.00."


@pytest.mark.parametrize(
    ("cash", "change", "holds"),
    [
        ("20.00", "8.00", True),
        ("20.00", "-8.00", True),
        ("20.00", "8.05", True),
        ("20.00", "8.06", False),
        ("12.00", "0.00", True),
    ],
)
def test_cash_less_change_is_the_total(cash: str, change: str, *, holds: bool) -> None:
    found = broken({**PAID, "cash": cash, "change": change}, RECEIPT)
    assert found == ([] if holds else [("invalid", "total", "cash_less_change")])


def test_cash_without_change_says_nothing() -> None:
    assert broken({**PAID, "cash": "20.00"}, RECEIPT) == []


@pytest.mark.parametrize("subtotal", ["12.00", "11.32"])
def test_receipts_may_include_the_tax_in_the_subtotal(subtotal: str) -> None:
    assert broken({**PAID, "subtotal": subtotal, "tax": "0.68"}, RECEIPT) == []
    assert broken({**PAID, "subtotal": "10.00", "tax": "0.68"}, RECEIPT) == [("invalid", "total", "subtotal_plus_tax")]


def test_an_abbreviation_keeps_its_capitals_in_the_sentence() -> None:
    made = a_type(
        {"name": "net", "kind": "amount"}, {"name": "gst", "label": "GST", "kind": "amount"}, {"name": "total", "kind": "amount"},
        rules=[{"name": "sum", "terms": ["net", "gst"], "equals": "total"}],
    )  # fmt: skip
    assert (
        check({"net": "1.00", "gst": "1.00", "total": "3.00"}, [], made)[0].message == "Net plus GST is 2.00, not 3.00."
    )


ITEMS = [{"amount": "60.00"}, {"amount": "40.00"}]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"subtotal": "100.00"}, None),
        ({"subtotal": "100.02"}, None),
        ({"subtotal": "90.00"}, "subtotal"),
        ({"total": "100.00"}, None),
        ({"subtotal": "90.00", "tax": "10.00", "total": "100.00"}, None),
        ({"subtotal": "91.00", "tax": "8.00", "total": "99.00"}, "subtotal"),
        ({"total": "100.00", "tax": "10.00"}, None),
        ({"total": "110.00", "tax": "10.00"}, None),
        ({"total": "115.00", "tax": "10.00", "shipping": "5.00"}, None),
        ({"total": "105.00", "tax": "10.00", "discount": "5.00"}, None),
        ({"total": "120.00", "tax": "10.00"}, "total"),
        ({"total": None}, None),
    ],
)
def test_the_line_items_add_up_to_the_subtotal_or_the_total(values: dict[str, str | None], problem: str | None) -> None:
    found = [each for each in broken({**WHOLE, **values}, items=ITEMS) if each[2] == "items_sum"]
    assert found == ([("invalid", problem, "items_sum")] if problem else [])


def test_the_sentence_says_what_the_items_add_up_to() -> None:
    problem = check({**WHOLE, "subtotal": "110.00"}, ITEMS, INVOICE)[0]
    assert problem.message == "The line items add up to 100.00, not 110.00 (subtotal)."


@pytest.mark.parametrize(
    "items", [[], [{"amount": None}], [{"amount": "60.00"}, {"amount": None}], [{"amount": "60.00"}, {}]]
)
def test_items_without_all_their_amounts_say_nothing(items: list[Any]) -> None:
    assert broken({**WHOLE, "subtotal": "100.00"}, items=items) == []


@pytest.mark.parametrize(
    ("due", "holds"), [("2026-03-07", True), ("2026-04-07", True), ("2026-03-06", False), (None, True)]
)
def test_nothing_is_due_before_it_was_invoiced(due: str | None, *, holds: bool) -> None:
    found = broken({**WHOLE, "due_date": due})
    assert found == ([] if holds else [("invalid", "due_date", "due_not_before_invoice")])


def test_the_sentence_names_both_dates() -> None:
    (problem,) = check({**WHOLE, "due_date": "2026-03-06"}, [], INVOICE)
    assert problem.message == "Due date 2026-03-06 is before invoice date 2026-03-07."


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("12.50", Decimal("12.50")),
        ("-1", Decimal(-1)),
        ("", None),
        (None, None),
        ("x", None),
        ("NaN", None),
        ("Infinity", None),
    ],
)
def test_only_finite_numbers_take_part(value: str | None, amount: Decimal | None) -> None:
    assert decimal(value) == amount
