"""Signatures that the engine found: a field says that one is there, not whose it is."""

from __future__ import annotations

from typing import Any

import pytest

from ocr.extraction import InvalidType, InvalidValue, parse_value
from tests.extraction.make import Answer, a_type, field, geometry, problems

APPLICANT = {"name": "applicant", "kind": "signature", "labels": ["signature of applicant"]}
WITNESS = {"name": "witness", "kind": "signature", "labels": ["signature of witness"]}


def type_(*fields: dict[str, Any]) -> Any:
    return a_type(*fields, features=["FORMS", "SIGNATURES"])


def paper(*signatures: tuple[float, float, float]) -> Answer:
    """Two labels, one below the other, and signatures at (left, top) with a confidence."""
    answer = Answer()
    answer.line("Signature of applicant", top=0.5)
    answer.line("Signature of witness", top=0.7)
    for left, top, confidence in signatures:
        answer.add("SIGNATURE", Confidence=confidence, Geometry=geometry(left, top, 0.2, 0.03))
    return answer


@pytest.mark.parametrize("place", [(0.4, 0.5), (0.12, 0.46), (0.12, 0.53)], ids=["right", "above", "below"])
def test_a_signature_beside_its_label_is_present(place: tuple[float, float]) -> None:
    reading = paper((*place, 92.0)).read(type_(APPLICANT, WITNESS))
    found = field(reading, "applicant")
    assert (found.value, found.text, found.confidence, found.source, found.why, found.state) == (
        "present",
        "",
        92.0,
        "textract",
        "signature",
        "certain",
    )
    assert found.box is not None and found.box.left == pytest.approx(place[0])
    assert field(reading, "witness").value is None


def test_where_one_is_looked_for_any_will_do() -> None:
    assert field(paper((0.6, 0.9, 80.0)).read(type_(APPLICANT)), "applicant").value == "present"


def test_far_from_every_label_it_is_nobodys_of_two() -> None:
    reading = paper((0.6, 0.9, 80.0)).read(type_(APPLICANT, WITNESS))
    assert [field(reading, name).value for name in ("applicant", "witness")] == [None, None]


def test_what_is_hardly_one_needs_a_person() -> None:
    reading = paper((0.4, 0.5, 11.2)).read(type_(APPLICANT))
    assert problems(reading) == {("low_confidence", "applicant", "pair_confidence")}


def test_a_required_one_that_is_not_there_is_missing_and_a_printed_name_is_none() -> None:
    answer = Answer()
    answer.line("Signature of applicant: Jane Doe", top=0.5)
    reading = answer.read(type_({**APPLICANT, "required": True}))
    assert ("missing", "applicant", "required") in problems(reading)


@pytest.mark.parametrize(
    ("text", "value"), [("present", "present"), ("Signed", "present"), ("not signed", "absent"), ("no", "absent")]
)
def test_a_person_says_present_or_absent(text: str, value: str) -> None:
    assert parse_value(text, type_(APPLICANT).fields[0]) == value


def test_a_person_says_nothing_else() -> None:
    with pytest.raises(InvalidValue, match="Write present or absent"):
        parse_value("Jane Doe", type_(APPLICANT).fields[0])


def test_a_type_that_looks_for_one_has_to_ask_for_it() -> None:
    with pytest.raises(InvalidType, match=r"features must contain SIGNATURES, since fields\[0\] is a signature"):
        a_type(APPLICANT, features=["FORMS"])
