"""AnalyzeExpense's own answers: summary fields and line items, with and without text blocks."""

from __future__ import annotations

from typing import Any

import pytest

from ocr.extraction import read
from tests.extraction.make import Answer, field, geometry, problems, shipped


def expense(kind: str, text: str | None, *, confidence: Any = 99.0, reading: Any = 98.0, **more: Any) -> dict[str, Any]:
    return {
        "Type": {"Text": kind, "Confidence": confidence},
        "ValueDetection": {"Text": text, "Confidence": reading, "Geometry": geometry(0.1, 0.08, 0.3, 0.02)},
        "PageNumber": 1,
        **more,
    }


def document(*fields: Any, rows: Any = (), **more: Any) -> dict[str, Any]:
    items = [{"LineItems": [{"LineItemExpenseFields": list(row)} for row in rows]}]
    return {"SummaryFields": list(fields), "LineItemGroups": items, **more}


WHOLE = document(
    expense("INVOICE_RECEIPT_ID", "A-12"),
    expense("INVOICE_RECEIPT_DATE", "27/03/2026"),
    expense("TOTAL", "$ 13.50", Currency={"Code": "USD", "Confidence": 97.0}),
    expense("OTHER", "whatever"),
    rows=[
        [
            expense("ITEM", "Red\npaint"),
            expense("QUANTITY", "2"),
            expense("PRICE", "10.00"),
            expense("EXPENSE_ROW", "all of it"),
        ],
        [expense("ITEM", "Brush"), expense("PRICE", "3.50", reading=60.0)],
        [expense("EXPENSE_ROW", "nothing known")],
    ],
)


def test_summary_fields_become_fields() -> None:
    reading = read([], shipped("invoice"), expense_documents=[WHOLE])
    assert {each.name: each.value for each in reading.fields if each.value} == {
        "invoice_number": "A-12",
        "invoice_date": "2026-03-27",
        "total": "13.50",
        "currency": "USD",
    }
    total = field(reading, "total")
    assert (total.why, total.source, total.confidence, total.word_confidence, total.word_ids) == (
        "expense", "textract", 99.0, 98.0, (),
    )  # fmt: skip
    assert field(reading, "currency").confidence == 97.0


def test_line_items_become_line_items() -> None:
    reading = read([], shipped("invoice"), expense_documents=[WHOLE])
    assert [[cell.value for cell in item.cells] for item in reading.line_items] == [
        [None, "Red paint", "2", None, "10.00"],
        [None, "Brush", None, None, "3.50"],
    ]
    assert ("low_confidence", "line_items.2.amount", "word_confidence") in problems(reading)


def test_types_without_line_items_leave_them_out() -> None:
    assert read([], shipped("receipt"), expense_documents=[WHOLE]).line_items == ()


def test_the_words_of_the_blocks_inside_are_those_of_the_value() -> None:
    blocks = Answer().line("13.50", left=0.1, top=0.08, confidence=70.0).blocks
    reading = read([], shipped("invoice"), expense_documents=[document(expense("TOTAL", "13.50"), Blocks=blocks)])
    total = field(reading, "total")
    assert (total.word_confidence, len(total.word_ids)) == (70.0, 1)
    assert [page.number for page in reading.pages] == [1]


@pytest.mark.parametrize("text", ["", None, "  "])
def test_a_field_that_was_not_found_has_no_text_and_counts_as_absent(text: str | None) -> None:
    reading = read([], shipped("invoice"), expense_documents=[document(expense("TOTAL", text))])
    assert field(reading, "total").state == "open"
    assert ("missing", "total", "required") in problems(reading)


@pytest.mark.parametrize(
    "foreign",
    [None, "text", [], {}, {"SummaryFields": None, "LineItemGroups": None}, {"SummaryFields": [None, {}, {"Type": None}]},
     {"LineItemGroups": [None, {"LineItems": [None, {"LineItemExpenseFields": [None, {}]}]}]}, {"Blocks": [None]},
     document(expense("TOTAL", "1.00", Currency={"Code": None}), expense("TOTAL", "1.00", Currency="USD"))],
)  # fmt: skip
def test_foreign_shapes_do_no_harm(foreign: Any) -> None:
    reading = read([], shipped("invoice"), expense_documents=[foreign, WHOLE])
    assert field(reading, "invoice_number").value == "A-12"


def test_a_value_without_confidences_or_place_is_taken() -> None:
    bare = {"Type": {"Text": "TOTAL"}, "ValueDetection": {"Text": "13.50"}}
    total = field(read([], shipped("invoice"), expense_documents=[document(bare)]), "total")
    assert (total.value, total.confidence, total.word_confidence, total.box, total.page) == (
        "13.50",
        None,
        None,
        None,
        1,
    )
