"""AnalyzeID's own answers: fields with one confidence and no place, dates that the engine understands."""

from __future__ import annotations

from typing import Any

import pytest

from ocr.extraction import Reading, read
from tests.extraction.make import Answer, field, problems, shipped


def stated(kind: str, text: Any, *, confidence: Any = 98.0, day: str | None = None, **more: Any) -> dict[str, Any]:
    normalised = {"NormalizedValue": {"Value": f"{day}T00:00:00", "ValueType": "Date"}} if day else {}
    return {"Type": {"Text": kind, **more}, "ValueDetection": {"Text": text, "Confidence": confidence, **normalised}}


def document(*fields: Any, **more: Any) -> dict[str, Any]:
    return {"DocumentIndex": 1, "IdentityDocumentFields": list(fields), **more}


def licence(*fields: Any, name: str = "identity_document", **more: Any) -> Reading:
    return read([], shipped(name), identity_documents=[document(*fields, **more)])


WHOLE = (
    stated("FIRST_NAME", "INES"),
    stated("LAST_NAME", "ALBRECHT", confidence=97.0),
    stated("MIDDLE_NAME", "", confidence=99.5),
    stated("DOCUMENT_NUMBER", "736HDV7874JSB", confidence=94.0),
    stated("EXPIRATION_DATE", "01/02/2031", day="2031-01-02"),
    stated("DATE_OF_BIRTH", "03/18/2001", day="2001-03-18"),
    stated("DATE_OF_ISSUE", "03/18/2018"),
)


def test_the_fields_of_a_licence_become_fields() -> None:
    reading = licence(*WHOLE)
    assert {each.name: each.value for each in reading.fields if each.value} == {
        "document_number": "736HDV7874JSB",
        "surname": "ALBRECHT",
        "given_names": "INES",
        "date_of_birth": "2001-03-18",
        "issued_on": "2018-03-18",
        "expires_on": "2031-01-02",
    }
    number = field(reading, "document_number")
    assert (number.source, number.why, number.text, number.page, number.box) == (
        "textract", "identity", "736HDV7874JSB", 1, None,
    )  # fmt: skip
    assert (number.confidence, number.word_confidence, number.mean_word_confidence) == (94.0, 94.0, 94.0)
    assert reading.problems == ()
    assert [page.number for page in reading.pages] == [1]


def test_a_type_with_a_confidence_of_its_own_grades_the_association() -> None:
    surname = field(licence(stated("LAST_NAME", "ALBRECHT", confidence=97.0, Confidence=88.0)), "surname")
    assert (surname.confidence, surname.word_confidence) == (88.0, 97.0)


def test_the_day_that_the_engine_understands_counts_and_the_other_meaning_is_a_suggestion() -> None:
    expires = field(licence(stated("EXPIRATION_DATE", "01/02/2031", day="2031-01-02")), "expires_on")
    assert (expires.value, expires.text) == ("2031-01-02", "01/02/2031")
    assert [each.value for each in expires.suggestions] == ["2031-02-01"]
    assert field(licence(stated("EXPIRATION_DATE", "01/02/2031")), "expires_on").value == "2031-02-01"


@pytest.mark.parametrize(
    "normalised",
    [{"Value": "2031-13-45", "ValueType": "DATE"}, {"Value": "0001-01-01T00:00:00", "ValueType": "DATE"},
     {"Value": "2031-01-02", "ValueType": "AGE"}, {"ValueType": "DATE"}, None],
)  # fmt: skip
def test_a_day_that_is_none_leaves_the_print(normalised: Any) -> None:
    spoilt = stated("EXPIRATION_DATE", "01/02/2031")
    spoilt["ValueDetection"]["NormalizedValue"] = normalised
    assert field(licence(spoilt), "expires_on").value == "2031-02-01"


def test_a_value_has_the_words_that_print_it_whatever_their_accents_and_marks() -> None:
    blocks = Answer().line("1 MÁRIA 2 BIGTOWN, MA", confidence=80.0).line("100 MARKET STREET", confidence=95.0).blocks
    fields = [
        stated("FIRST_NAME", "MARIA"),
        stated("PLACE_OF_BIRTH", "BIGTOWN MA"),
        stated("ADDRESS", "100 MARKET STREET"),
    ]
    reading = licence(*fields, Blocks=blocks)
    name, place = field(reading, "given_names"), field(reading, "place_of_birth")
    assert (name.value, name.word_confidence, len(name.word_ids)) == ("MARIA", 80.0, 1)
    assert (len(place.word_ids), place.confidence) == (2, 98.0)
    assert name.box is not None and place.box is not None and name.box.right < place.box.left
    address = field(licence(*fields, name="generic_form", Blocks=blocks), "address")
    assert (len(address.word_ids), address.mean_word_confidence) == (3, 95.0)


def test_a_value_that_is_printed_twice_has_no_place_since_either_may_be_meant() -> None:
    blocks = Answer().lines("NONE", "NONE", "D").blocks
    reading = licence(
        stated("RESTRICTIONS", "NONE", confidence=77.0), stated("CLASS", "D"), name="generic_form", Blocks=blocks
    )
    restrictions, class_ = field(reading, "restrictions"), field(reading, "class")
    assert (restrictions.word_ids, restrictions.box, restrictions.word_confidence) == ((), None, 77.0)
    assert len(class_.word_ids) == 1


def test_every_field_that_was_found_is_one_of_a_form() -> None:
    reading = licence(*WHOLE, name="generic_form")
    assert [(each.name, each.label, each.value) for each in reading.fields][:3] == [
        ("first_name", "First name", "INES"),
        ("last_name", "Last name", "ALBRECHT"),
        ("document_number", "Document number", "736HDV7874JSB"),
    ]
    assert len(reading.fields) == len(WHOLE) - 1
    assert {(each.why, each.source) for each in reading.fields} == {("identity", "textract")}


def test_the_back_of_a_card_is_a_page_of_its_own() -> None:
    front = document(stated("LAST_NAME", "ALBRECHT"), Blocks=Answer().line("ALBRECHT").blocks)
    behind = [{**block, "Id": f"back-{block['Id']}", "Relationships": None} for block in Answer().line("X-1").blocks]
    back = document(stated("DOCUMENT_NUMBER", "X-1"), DocumentIndex=2, Blocks=behind)
    reading = read([], shipped("identity_document"), identity_documents=[front, back])
    assert [page.number for page in reading.pages] == [1, 2]
    number = field(reading, "document_number")
    assert (number.page, number.word_ids, field(reading, "surname").page) == (2, ("back-word-0",), 1)


@pytest.mark.parametrize("text", ["", None, "  "])
def test_a_field_that_was_not_found_has_no_text_and_counts_as_absent(text: str | None) -> None:
    reading = licence(stated("DOCUMENT_NUMBER", text, confidence=99.9))
    assert ("missing", "document_number", "required") in problems(reading)
    assert licence(stated("DOCUMENT_NUMBER", text), name="generic_form").fields == ()


@pytest.mark.parametrize(
    "foreign",
    [None, "text", [], {}, {"IdentityDocumentFields": None}, {"IdentityDocumentFields": [None, {}, {"Type": None}, "x"]},
     {"IdentityDocumentFields": [{"Type": "LAST_NAME", "ValueDetection": []}], "Blocks": [None, "x"]},
     document(stated("LAST_NAME", 12), {"ValueDetection": {"Text": "of no type"}, "Comment": "unknown member"})],
)  # fmt: skip
def test_foreign_shapes_do_no_harm(foreign: Any) -> None:
    reading = read([], shipped("identity_document"), identity_documents=[foreign, document(*WHOLE)])
    assert (field(reading, "surname").value, field(reading, "surname").page) == ("ALBRECHT", 2)


def test_texts_and_words_that_stand_everywhere_are_not_looked_for() -> None:
    blocks = Answer().lines(*["AND"] * 101, "AND X-1").blocks
    reading = licence(stated("DOCUMENT_NUMBER", "AND X-1"), stated("LAST_NAME", "A " * 30), Blocks=blocks)
    assert (field(reading, "document_number").word_ids, field(reading, "surname").word_ids) == ((), ())
