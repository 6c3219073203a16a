"""The faults of the libraries that serve as oracles, each shown by a small answer that extraction reads as it is meant.

docs/reading.md lists every test of this file. When a newer library no longer errs, its test fails and can go.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trp
from marshmallow import ValidationError

from ocr.extraction import read
from tests.extraction import oracles, test_identity, test_lending
from tests.extraction.make import Answer, children_of, geometry, shipped

READING = Path(__file__).parents[2] / "docs" / "reading.md"


def whole(answer: Answer) -> dict[str, Any]:
    """The answer with all that the libraries insist on: a page that lists everything, places and confidences."""
    inner = [block["Id"] for block in answer.blocks]
    page = {"BlockType": "PAGE", "Id": "page", "Relationships": children_of(inner)}
    blocks = [
        {"Confidence": 90.0, "Page": 1, "Geometry": geometry(0, 0, 1, 1), **each} for each in (page, *answer.blocks)
    ]
    return {"DocumentMetadata": {"Pages": 1}, "Blocks": blocks}


def block_of(answer: dict[str, Any], kind: str, entity: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = next(
        block
        for block in answer["Blocks"]
        if block["BlockType"] == kind and (entity is None or entity in block["EntityTypes"])
    )
    return found


def test_every_fault_is_listed_and_every_listed_one_is_shown() -> None:
    shown = {name for name in globals() if name.startswith(("test_trp", "test_textractor"))}
    words = READING.read_text(encoding="utf-8").replace("`", " ").split()
    assert {each for each in words if each.startswith(("test_trp", "test_textractor"))} == shown


# --- trp


def test_trp_drops_a_field_whose_key_has_no_text() -> None:
    answer = whole(Answer().pair("", "2,500.00").pair("Total", "12.00"))
    assert [pair.value for pair in oracles.trp_pairs(answer).values()] == ["12.00"]
    assert [pair.value for pair in oracles.our_pairs(answer).values()] == ["2,500.00", "12.00"]


def test_trp_has_no_value_where_nothing_is_filled_in() -> None:
    answer = whole(Answer().pair("Signed on", "", confidence=91.0))
    (told,), (found,) = oracles.trp_pairs(answer).values(), oracles.our_pairs(answer).values()
    assert (told.value, told.value_confidence) == (None, None)
    assert (found.value, found.value_confidence) == ("", 91.0)


def test_trp_keeps_the_last_of_several_values() -> None:
    answer = whole(Answer().pair("Name", "Ines").pair("", "Albrecht"))
    first, second = oracles.keys_of(answer)
    first["Relationships"][-1]["Ids"] += second["Relationships"][-1]["Ids"]
    answer["Blocks"].remove(second)
    assert [pair.value for pair in oracles.trp_pairs(answer).values()] == ["Albrecht"]
    assert [pair.value for pair in oracles.our_pairs(answer).values()] == ["Ines Albrecht"]


def test_trp_writes_the_state_of_a_box_into_the_text_of_its_cell() -> None:
    made = Answer().table(["Yes"], header=False)
    made.add("SELECTION_ELEMENT", SelectionStatus="SELECTED")
    answer = whole(made)
    cell, box = block_of(answer, "CELL"), block_of(answer, "SELECTION_ELEMENT")
    cell["Relationships"][0]["Ids"].append(box["Id"])
    table = block_of(answer, "TABLE")["Id"]
    ((told,),) = [row.cells for row in trp.Document(answer).pages[0].tables[0].rows]
    assert told.text == "Yes SELECTED, "
    found = oracles.our_cells(answer)[table, 1, 1]
    assert (found.text, found.checks) == ("Yes", (True,))


def test_trp_fails_on_null_instead_of_relationships() -> None:
    answer = whole(Answer().pair("Total", "12.00").pair("Paid", None))
    oracles.keys_of(answer)[1]["Relationships"] = None
    with pytest.raises(TypeError):
        oracles.trp_pairs(answer)
    assert [pair.value for pair in oracles.our_pairs(answer).values()] == ["12.00", None]


def test_trp_fails_on_an_id_that_leads_nowhere() -> None:
    answer = whole(Answer().pair("Total", "12.00"))
    oracles.keys_of(answer)[0]["Relationships"][0]["Ids"].append("nowhere")
    with pytest.raises(KeyError):
        oracles.trp_pairs(answer)
    assert [pair.value for pair in oracles.our_pairs(answer).values()] == ["12.00"]


def test_trp_passes_over_the_fields_of_a_console_export() -> None:
    answer = whole(Answer().pair("Total", "12.00"))
    block_of(answer, "KEY_VALUE_SET", "VALUE")["BlockType"] = "VALUE"
    block_of(answer, "KEY_VALUE_SET", "KEY")["BlockType"] = "KEY"
    assert oracles.trp_pairs(answer) == {}
    (field,) = read(answer["Blocks"], shipped("generic_form")).fields
    assert field.value == "12.00"


def test_trp2_refuses_what_it_does_not_know() -> None:
    answer = whole(Answer().query("total", "12.00"))
    assert [each.answer for each in oracles.trp_questions(answer)] == ["12.00"]
    block_of(answer, "WORD")["Geometry"]["RotationAngle"] = 0
    with pytest.raises(ValidationError):
        oracles.trp_questions(answer)
    assert [each.answer for each in oracles.our_questions(answer)] == ["12.00"]


def test_trp2_refuses_an_identity_document_with_a_member_it_does_not_know() -> None:
    document = test_identity.document(test_identity.stated("LAST_NAME", "ALBRECHT"), Comment="unknown")
    with pytest.raises(ValidationError):
        oracles.trp_identities({"IdentityDocuments": [document]})
    (field,) = read((), shipped("generic_form"), identity_documents=[document]).fields
    assert field.value == "ALBRECHT"


# --- textractor


def test_textractor_sorts_the_words_of_a_value_by_left_plus_top() -> None:
    made = Answer().pair("Address", "")
    words = made.words("1 Market Street", left=0.5, top=0.1) + made.words("Bigtown", left=0.5, top=0.12)
    answer = whole(made)
    block_of(answer, "KEY_VALUE_SET", "VALUE")["Relationships"] = children_of(words)
    (told,), (found,) = told_by_textractor(answer).values(), oracles.our_pairs(answer).values()
    assert (told.value, found.value) == ("1 Market Bigtown Street", "1 Market Street Bigtown")


def told_by_textractor(answer: dict[str, Any]) -> oracles.Pairs:
    return oracles.textractor_pairs(oracles.textractor_document(answer))


def test_textractor_drops_the_words_beside_a_check_box() -> None:
    answer = whole(Answer().pair("Insured", "No", checked=True))
    value = block_of(answer, "KEY_VALUE_SET", "VALUE")
    value["Relationships"][0]["Ids"].reverse()
    (told,), (found,) = told_by_textractor(answer).values(), oracles.our_pairs(answer).values()
    assert (told.value, told.checks) == ("", (True,))
    assert (found.value, found.checks) == ("No", (True,))


def test_textractor_takes_form_fields_with_a_box_out_of_their_cell() -> None:
    made = Answer().pair("Yes", "", checked=True).table(["Yes"], header=False)
    answer = whole(made)
    key, cell = oracles.keys_of(answer)[0], block_of(answer, "CELL")
    box = block_of(answer, "SELECTION_ELEMENT")
    cell["Relationships"] = children_of([*key["Relationships"][0]["Ids"], box["Id"]])
    place = (block_of(answer, "TABLE")["Id"], 1, 1)
    told = oracles.textractor_cells(oracles.textractor_document(answer))[place]
    found = oracles.our_cells(answer)[place]
    assert (told.text, told.checks) == ("", ())
    assert (found.text, found.checks) == ("Yes", (True,))


def test_textractor_reads_the_cells_of_a_page_upside_down_backwards() -> None:
    made = Answer()
    words = made.words("Value", left=0.6, top=0.5) + made.words("3.1", left=0.5, top=0.5)
    cell = made.add("CELL", RowIndex=1, ColumnIndex=1, RowSpan=1, ColumnSpan=1, Relationships=children_of(words))
    made.add("TABLE", Relationships=children_of([cell]))
    answer = whole(made)
    for block in answer["Blocks"]:
        box = block["Geometry"]["BoundingBox"]
        block["Geometry"] = geometry(box["Left"], box["Top"], box["Width"], box["Height"], turned=180)
    (told,) = oracles.textractor_document(answer).tables[0].table_cells
    (found,) = oracles.our_cells(answer).values()
    assert (told.text.strip(), found.text) == ("3.1 Value", "Value 3.1")


def test_textractor_fails_on_a_key_without_a_value() -> None:
    answer = whole(Answer().pair("Paid", None))
    with pytest.raises(IndexError):
        oracles.textractor_document(answer)
    assert [pair.value for pair in oracles.our_pairs(answer).values()] == [None]


def test_textractor_fails_on_several_pages_that_do_not_say_their_number() -> None:
    answer = whole(Answer().pair("Total", "12.00"))
    answer["Blocks"].append({**block_of(answer, "PAGE"), "Id": "second", "Relationships": None})
    answer["DocumentMetadata"]["Pages"] = 2
    for block in answer["Blocks"]:
        del block["Page"]
    with pytest.raises(KeyError):
        oracles.textractor_document(answer)
    assert [pair.value for pair in oracles.our_pairs(answer).values()] == ["12.00"]


def test_textractor_fails_when_the_number_of_pages_is_another() -> None:
    answer = whole(Answer().pair("Total", "12.00"))
    answer["DocumentMetadata"]["Pages"] = 2
    with pytest.raises(AssertionError):
        oracles.textractor_document(answer)
    assert [pair.value for pair in oracles.our_pairs(answer).values()] == ["12.00"]


def test_textractor_fails_on_a_word_without_a_text_type() -> None:
    answer = whole(Answer().line("Total"))
    block_of(answer, "WORD")["TextType"] = None
    with pytest.raises(KeyError):
        oracles.textractor_document(answer)
    assert read(answer["Blocks"], shipped("generic_form")).unknown == {}


def test_textractor_fails_on_expense_and_identity_answers_without_blocks() -> None:
    document = test_identity.document(test_identity.stated("LAST_NAME", "ALBRECHT"))
    with pytest.raises(AssertionError):
        oracles.textractor_document({"DocumentMetadata": {"Pages": 1}, "IdentityDocuments": [document]})
    (field,) = read((), shipped("generic_form"), identity_documents=[document]).fields
    assert field.value == "ALBRECHT"


def test_textractor_keeps_the_last_of_several_identity_fields_of_a_type() -> None:
    stated = [test_identity.stated("ADDRESS", "1 MARKET STREET"), test_identity.stated("ADDRESS", "BIGTOWN")]
    page = {"BlockType": "PAGE", "Id": "page", "Confidence": 90.0, "Page": 1, "Geometry": geometry(0, 0, 1, 1)}
    answer: dict[str, Any] = {
        "DocumentMetadata": {"Pages": 1}, "IdentityDocuments": [test_identity.document(*stated, Blocks=[page])],
    }  # fmt: skip
    told = oracles.textractor_identities(oracles.textractor_document(answer))
    found = read((), shipped("generic_form"), identity_documents=answer["IdentityDocuments"]).fields
    assert [value.text for value in told] == ["BIGTOWN"]
    assert [field.value for field in found] == ["1 MARKET STREET", "BIGTOWN"]


def test_textractor_knows_no_lending_answers() -> None:
    with pytest.raises(KeyError):
        oracles.textractor_document({"DocumentMetadata": {"Pages": 1}, "Results": [test_lending.SLIP]})
    assert len(read((), shipped("generic_form"), lending_results=[test_lending.SLIP]).fields) == 5
