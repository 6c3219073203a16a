"""The whole reading: pages, problems of the document, warnings, and its JSON."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from ocr.extraction import Box, Field, PageReading, Reading, as_json, field_as_json, problem_as_json, read, words
from tests.extraction.make import Answer, a_type, field, problems, shipped

INVOICE = (
    Answer()
    .lines("Green Leaf Ltd", "Invoice no: A-12", "Invoice date: 27/03/2026")
    .table(["Description", "Qty", "Amount"], ["Red paint", "2", "100.00"])
    .lines("Subtotal 100.00", "VAT 10% 10.00", "Total EUR 110.00")
)


def test_an_invoice_is_read_whole() -> None:
    reading = INVOICE.read("invoice")
    assert {each.name: each.value for each in reading.fields if each.value} == {
        "supplier": "Green Leaf Ltd",
        "invoice_number": "A-12",
        "invoice_date": "2026-03-27",
        "currency": "EUR",
        "subtotal": "100.00",
        "tax": "10.00",
        "total": "110.00",
    }
    assert (reading.document_type, reading.type_version, reading.problems) == ("invoice", 1, ())
    assert len(reading.line_items) == 1


def test_a_receipt_is_read_whole() -> None:
    answer = Answer().lines("GREEN LEAF SDN BHD", "12, Jalan Besar", "27/03/2026 15:17")
    answer.row("Sub Total", "RM 100.00").row("GST 6%", "RM 6.00").row("Rounding Adj", "-0.02").row(
        "Nett Total", "RM 105.98"
    )
    answer.row("Cash", "RM 110.00").row("Change", "RM 4.02")
    reading = answer.read("receipt")
    assert {each.name: each.value for each in reading.fields if each.value} == {
        "merchant": "GREEN LEAF SDN BHD",
        "date": "2026-03-27",
        "total": "105.98",
        "subtotal": "100.00",
        "tax": "6.00",
        "rounding": "-0.02",
        "cash": "110.00",
        "change": "4.02",
        "currency": "MYR",
    }
    assert reading.problems == ()


def test_the_same_blocks_give_the_same_reading() -> None:
    assert INVOICE.read("invoice") == INVOICE.read("invoice")


def test_a_broken_sum_opens_the_total_and_is_told_once() -> None:
    reading = (
        Answer()
        .lines("Invoice no: A-12", "Date: 27/03/2026", "Subtotal 100.00", "VAT 10.00", "Total 111.00")
        .read("invoice")
    )
    total = field(reading, "total")
    assert (total.value, total.state) == ("111.00", "open")
    assert [each.message for each in total.problems] == ["Subtotal plus tax is 110.00, not 111.00."]
    assert list(reading.problems) == list(total.problems)


@pytest.mark.parametrize("name", ["invoice", "receipt", "generic_form"])
def test_nothing_at_all_is_a_problem_never_an_error(name: str) -> None:
    assert ("missing", None, "no_text") in problems(read([], shipped(name)))


def test_a_document_with_none_of_the_required_fields_may_be_of_another_type() -> None:
    reading = Answer().line("Dear Sir or Madam, we are pleased").read("invoice")
    assert ("unclear_type", None, "no_required_field") in problems(reading)
    assert reading.problems[0].message == (
        "None of the required fields was found; is this a document of the type Invoice?"
    )
    reading = Answer().line("Invoice no: A-12").read("invoice")
    assert ("unclear_type", None, "no_required_field") not in problems(reading)


def test_a_document_without_any_field_is_a_problem_even_when_none_is_required() -> None:
    made = a_type({"name": "note", "labels": ["note"]})
    assert problems(Answer().line("hello").read(made)) == {("missing", None, "no_field")}
    assert problems(Answer().line("Note: hello").read(made)) == set()


@pytest.mark.parametrize(
    ("warning", "sentence", "rule"),
    [
        ({"ErrorCode": "PAGE_CHARACTERS_EXCEEDED", "Pages": [2]}, "Page 2 could not be read completely (PAGE_CHARACTERS_EXCEEDED).",
         "PAGE_CHARACTERS_EXCEEDED"),
        ({"ErrorCode": "X", "Pages": [2, 3, 5]}, "Pages 2, 3 and 5 could not be read completely (X).", "X"),
        ({"ErrorCode": "X", "Pages": None}, "A part of the document could not be read (X).", "X"),
        ({"Pages": [1]}, "Page 1 could not be read completely (unknown).", "unknown"),
        (None, "A part of the document could not be read (unknown).", "unknown"),
    ],
)  # fmt: skip
def test_the_engine_s_warnings_are_problems(warning: Any, sentence: str, rule: str) -> None:
    problem = INVOICE.read("invoice", warnings=[warning]).problems[0]
    assert (problem.code, problem.field, problem.message, problem.rule) == ("partial_result", None, sentence, rule)


def test_what_was_ignored_is_counted() -> None:
    answer = Answer().line("Note: hello")
    answer.add("HOLOGRAM")
    assert answer.read(a_type({"name": "note", "labels": ["note"]})).unknown == {"unknown_block_type": 1}


def test_pages_come_with_their_turn() -> None:
    answer = Answer().line("one two").line("three", page=2)
    assert answer.read("generic_form").pages == (PageReading(1, 0), PageReading(2, 0))


def test_the_words_of_a_page_come_in_reading_order() -> None:
    assert [word.text for word in words(Answer().line("one two").line("three").blocks)] == ["one", "two", "three"]


def test_a_reading_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        INVOICE.read("invoice").document_type = "receipt"  # type: ignore[misc]


# --- JSON


def test_the_json_survives_a_round_trip_and_has_every_part() -> None:
    told = as_json(INVOICE.read("invoice", warnings=[{"ErrorCode": "X"}]))
    assert json.loads(json.dumps(told)) == told
    assert set(told) == {"document_type", "type_version", "fields", "line_items", "problems", "pages", "unknown"}
    assert told["pages"] == [{"number": 1, "rotation": 0}]
    assert told["problems"][0] == {
        "code": "partial_result", "field": None, "message": "A part of the document could not be read (X).", "rule": "X",
    }  # fmt: skip
    assert [item["row"] for item in told["line_items"]] == [1]
    assert told["line_items"][0]["cells"][1]["value"] == "Red paint"


def test_a_field_s_json_holds_all_its_members() -> None:
    told = field_as_json(field(INVOICE.read("invoice"), "total"))
    assert set(told) == set(Field._fields)
    assert {"name", "label", "value", "text", "confidence", "word_confidence", "page", "box", "source", "state", "required",
            "threshold", "problems"} <= set(told)  # fmt: skip


def test_boxes_have_five_digits_and_confidences_two() -> None:
    answer = Answer().line("Note: 07/03/2026", left=1 / 3, confidence=98.76543)
    told = as_json(answer.read(a_type({"name": "note", "kind": "date", "labels": ["note"]})))["fields"][0]
    assert (told["word_confidence"], told["box"][0]) == (98.77, 0.39333)
    assert told["suggestions"][0] == {
        "value": "2026-07-03", "text": "07/03/2026", "confidence": told["confidence"], "word_confidence": 98.77,
        "page": 1, "box": told["box"], "word_ids": told["word_ids"], "why": "other_date_order",
    }  # fmt: skip


def test_what_is_absent_is_null() -> None:
    told = field_as_json(field(INVOICE.read("invoice"), "due_date"))
    assert (told["value"], told["confidence"], told["box"], told["page"], told["word_ids"]) == (
        None,
        None,
        None,
        None,
        [],
    )


def test_a_problem_s_json() -> None:
    problem = read([], shipped("invoice")).problems[0]
    assert problem_as_json(problem) == {
        "code": "missing", "field": None, "message": "No text was found on the document.", "rule": "no_text",
    }  # fmt: skip


def test_a_reading_without_ignored_parts_has_an_empty_count() -> None:
    assert Reading("x", 1, (), (), (), ()).unknown == {}
    assert Box(0, 0, 1, 1).centre == (0.5, 0.5)
