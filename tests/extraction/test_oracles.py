"""Every real answer says the same through extraction as through two public libraries, but for the libraries' known faults.

Where a library is known to err, the answer's own blocks say whether it does so here, and only that is left out or forgiven.
Each fault is shown by itself in test_oracle_faults.py and listed in docs/reading.md.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ocr.extraction import Field, Reading, read
from tests.extraction import oracles
from tests.extraction.make import a_type, shipped
from tests.extraction.oracles import Answer, Pair, Raw, Value, rounded

SHARED = Path(os.environ.get("DTAT_SHARED", Path(__file__).parents[3] / "shared"))
FOLDER = SHARED / "data" / "textract"
ANSWERS: dict[str, Answer] = {path.name: json.loads(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))}

pytestmark = pytest.mark.skipif(not ANSWERS, reason="the real answers are not here (DTAT_SHARED)")


def with_blocks(kind: str) -> list[str]:
    """The answers that hold blocks of a type."""
    found = [
        name for name, answer in ANSWERS.items() if kind in {each["BlockType"] for each in answer.get("Blocks", ())}
    ]
    return found or ["none"]


def with_member(member: str) -> list[str]:
    return [name for name, answer in ANSWERS.items() if answer.get(member)] or ["none"]


@cache
def by_textractor(name: str) -> Any:
    return oracles.textractor_document(ANSWERS[name])


def ours(name: str, document_type: str = "generic_form") -> Reading:
    answer = ANSWERS[name]
    return read(
        answer.get("Blocks") or (), shipped(document_type), expense_documents=answer.get("ExpenseDocuments") or (),
        identity_documents=answer.get("IdentityDocuments") or (), lending_results=answer.get("Results") or (),
    )  # fmt: skip


# --- the known faults, as the blocks show them


def without_words(answer: Answer, block: Raw) -> bool:
    return not any(each["BlockType"] == "WORD" for each in oracles.children(answer, block))


def value_of(answer: Answer, key: Raw) -> Raw:
    (value,) = oracles.children(answer, key, "VALUE")
    return value


def is_told_in_another_order(answer: Answer, value: Raw) -> bool:
    """Whether sorting the words by left plus top moves some."""
    boxes = [each["Geometry"]["BoundingBox"] for each in oracles.children(answer, value) if each["BlockType"] == "WORD"]
    places = [box["Left"] + box["Top"] for box in boxes]
    return places != sorted(places)


def cells_with_boxes_of_fields(answer: Answer) -> set[tuple[str, int, int]]:
    """The cells that hold a check box which is a form field's value as well."""
    by_id = {block["Id"]: block for block in answer["Blocks"]}
    fields = {each["Id"] for key in oracles.keys_of(answer) for each in oracles.children(answer, value_of(answer, key))}
    boxes = {identity for identity in fields if by_id[identity]["BlockType"] == "SELECTION_ELEMENT"}
    return {
        (table["Id"], cell["RowIndex"], cell["ColumnIndex"])
        for table in answer["Blocks"] if table["BlockType"] == "TABLE"
        for cell in oracles.children(answer, table)
        if boxes & {each["Id"] for each in oracles.children(answer, cell)}
    }  # fmt: skip


# --- form fields and check boxes


@pytest.mark.parametrize("name", with_blocks("KEY_VALUE_SET"))
def test_form_fields_are_those_of_trp(name: str) -> None:
    answer, found = ANSWERS[name], oracles.our_pairs(ANSWERS[name])
    keys = {key["Id"]: key for key in oracles.keys_of(answer)}
    wordless = {identity for identity, key in keys.items() if without_words(answer, key)}
    told = oracles.trp_pairs(answer)
    assert told.keys() == found.keys() - wordless
    for identity, pair in told.items():
        assert pair == as_trp_tells(found[identity], value_of(answer, keys[identity]))


def as_trp_tells(pair: Pair, value: Raw) -> Pair:
    if value.get("Relationships"):
        return pair
    assert (pair.value, pair.checks) == ("", ())
    return pair._replace(value=None, value_confidence=None)


@pytest.mark.parametrize("name", with_blocks("KEY_VALUE_SET"))
def test_form_fields_are_those_of_textractor(name: str) -> None:
    answer, found = ANSWERS[name], oracles.our_pairs(ANSWERS[name])
    told = oracles.textractor_pairs(by_textractor(name))
    assert told.keys() == found.keys()
    for key in oracles.keys_of(answer):
        pair, expected = told[key["Id"]], found[key["Id"]]
        if is_told_in_another_order(answer, value_of(answer, key)):
            assert Counter((pair.value or "").split()) == Counter((expected.value or "").split())
            pair = pair._replace(value=expected.value)
        assert pair == expected


# --- tables


@pytest.mark.parametrize("name", with_blocks("TABLE"))
def test_cells_are_those_of_trp(name: str) -> None:
    assert oracles.trp_cells(ANSWERS[name]) == oracles.our_cells(ANSWERS[name])


@pytest.mark.parametrize("name", with_blocks("TABLE"))
def test_cells_are_those_of_textractor(name: str) -> None:
    told, found = oracles.textractor_cells(by_textractor(name)), oracles.our_cells(ANSWERS[name])
    assert told.keys() == found.keys()
    for place in told.keys() - cells_with_boxes_of_fields(ANSWERS[name]):
        merged = told[place].confidence is None
        assert told[place] == (found[place]._replace(confidence=None) if merged else found[place])


@pytest.mark.parametrize("name", with_blocks("SELECTION_ELEMENT"))
def test_every_check_box_is_told_in_a_field_or_a_cell(name: str) -> None:
    answer = ANSWERS[name]
    boxes = {each["Id"] for each in answer["Blocks"] if each["BlockType"] == "SELECTION_ELEMENT"}
    held = [value_of(answer, key) for key in oracles.keys_of(answer)]
    held += [each for each in answer["Blocks"] if each["BlockType"] == "CELL"]
    inside = [each["Id"] for block in held for each in oracles.children(answer, block) if each["Id"] in boxes]
    in_fields = sum(len(pair.checks) for pair in oracles.our_pairs(answer).values())
    in_cells = sum(len(cell.checks) for cell in oracles.our_cells(answer).values())
    assert in_fields + in_cells == len(inside)
    assert boxes == set(inside)


# --- questions


@pytest.mark.parametrize("name", with_blocks("QUERY"))
def test_answers_to_questions_are_those_of_textractor(name: str) -> None:
    found, told = oracles.our_questions(ANSWERS[name]), oracles.textractor_questions(by_textractor(name))
    assert [each for each in told if each.answer] == found
    asked = sum(block["BlockType"] == "QUERY" for block in ANSWERS[name]["Blocks"])
    assert len(told) == asked


@pytest.mark.parametrize("name", [name for name in with_blocks("QUERY") if "console" not in name])
def test_answers_to_questions_are_those_of_trp2(name: str) -> None:
    told = [each for each in oracles.trp_questions(ANSWERS[name]) if each.answer]  # in the order of the page's children
    assert sorted(told) == sorted(oracles.our_questions(ANSWERS[name]))


# --- values that an operation names itself


def in_words(value: Value) -> str:
    label = value.label or value.type.replace("_", " ").capitalize()
    return label.rstrip(" :;.")


def check_fields(fields: tuple[Field, ...], told: list[Value]) -> None:
    printed = [value for value in told if value.text]
    assert [(field.label, field.text, rounded(field.confidence)) for field in fields] == [
        (in_words(value), value.text, value.confidence) for value in printed
    ]


@pytest.mark.parametrize("name", with_member("ExpenseDocuments"))
def test_expense_fields_are_those_of_trp2(name: str) -> None:
    check_fields(ours(name).fields, oracles.trp_expenses(ANSWERS[name]))


@pytest.mark.parametrize("name", with_member("ExpenseDocuments"))
def test_expense_rows_are_those_of_trp2(name: str) -> None:
    check_rows(name, oracles.trp_rows(ANSWERS[name]))


@pytest.mark.parametrize("name", [name for name in with_member("ExpenseDocuments") if "invoice" not in name])
def test_expense_fields_and_rows_are_those_of_textractor_where_there_are_blocks(name: str) -> None:
    check_fields(ours(name).fields, oracles.textractor_expenses(by_textractor(name)))
    check_rows(name, oracles.textractor_rows(by_textractor(name)))


def check_rows(name: str, told: list[list[Value]]) -> None:
    kinds = sorted({value.type for row in told for value in row})
    columns = [{"name": f"c{at}", "expense": [kind]} for at, kind in enumerate(kinds)]
    type_ = a_type({"name": "any"}, line_items=columns)
    items = read((), type_, expense_documents=ANSWERS[name]["ExpenseDocuments"]).line_items
    firsts = [{value.type: value for value in reversed(row)} for row in told]
    assert [[cell.text for cell in item.cells] for item in items] == [
        [row[kind].text if kind in row else "" for kind in kinds] for row in firsts
    ]
    assert [[rounded(cell.confidence) for cell in item.cells if cell.text] for item in items] == [
        [row[kind].confidence for kind in kinds if kind in row and row[kind].text] for row in firsts
    ]


@pytest.mark.parametrize("name", with_member("IdentityDocuments"))
def test_identity_fields_are_those_of_both_libraries(name: str) -> None:
    by_trp = [value for value, _day in oracles.trp_identities(ANSWERS[name])]
    check_fields(ours(name).fields, by_trp)
    check_fields(ours(name).fields, oracles.textractor_identities(by_textractor(name)))


@pytest.mark.parametrize("name", with_member("IdentityDocuments"))
def test_days_are_those_that_the_answer_normalised(name: str) -> None:
    days = {value.type: day for value, day in oracles.trp_identities(ANSWERS[name]) if day}
    specs = [{"name": f"d{at}", "kind": "date", "identity": [kind]} for at, kind in enumerate(days)]
    found = read((), a_type(*specs), identity_documents=ANSWERS[name]["IdentityDocuments"])
    assert days and [field.value for field in found.fields] == list(days.values())


@pytest.mark.parametrize("name", with_member("Results"))
def test_lending_values_are_those_of_trp2(name: str) -> None:
    """A box is told by its state or by that as its text; older answers hold boxes without either."""
    states = {"SELECTED": "selected", "NOT_SELECTED": "not_selected"}
    told = oracles.trp_lending(ANSWERS[name])
    assert [(field.page, field.label, field.value or "", rounded(field.confidence)) for field in ours(name).fields] == [
        (page, in_words(value), states.get(state or value.text, value.text), value.confidence)
        for page, value, state in told
    ]
