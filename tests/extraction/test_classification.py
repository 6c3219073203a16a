"""Which document type a page is taken for, when the uploader named none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ocr import extraction
from ocr.extraction.classification import classify, with_unclear_type

FOLDER = Path(__file__).resolve().parent.parent.parent / "ocr" / "document_types"
TYPES = [
    extraction.document_type({**yaml.safe_load(path.read_text()), "version": 1})
    for path in sorted(FOLDER.glob("*.yaml"))
]


def page(*lines: str) -> list[dict[str, Any]]:
    return [{"BlockType": "LINE", "Id": str(number), "Text": line} for number, line in enumerate(lines)]


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (
            ("Tax Invoice", "Invoice no: 4711", "Invoice date: 07/03/2026", "Due date: 06/04/2026", "Total: 12.00"),
            "invoice",
        ),
        (("Rechnung", "Rechnungsnummer 4711", "Rechnungsdatum 07.03.2026", "Gesamtbetrag 12,00"), "invoice"),
        (("Receipt", "Date: 07/03/2026", "Total 12.00", "Cash 20.00", "Change 8.00"), "receipt"),
        (("Registration form", "Name: A. Petrov", "Date: 07/03/2026", "Telephone: 555 0100"), "generic_form"),
        (("Delivery receipt", "Date and time", "Received by", "Order no: 17"), "generic_form"),
        (("Research grant", "Date", "Total direct costs", "Identification number"), "generic_form"),
        (("Laboratory request", "P.O. Box 12", "Number of samples", "Due date", "Total weight"), "generic_form"),
        ((), "generic_form"),
    ],
)
def test_the_type_follows_the_labels_on_the_page(lines: tuple[str, ...], name: str) -> None:
    assert classify(page(*lines), TYPES).name == name


def test_two_close_types_are_named_and_not_decided_in_silence() -> None:
    both = page("Invoice", "Receipt", "Invoice no: 4711", "Date: 1/2/2026", "Total 12.00", "Cash 20.00")
    found = classify(both, TYPES)
    assert set(found.unclear) == {"invoice", "receipt"}


def test_without_a_generic_type_the_likeliest_takes_the_page() -> None:
    assert classify(page("Date: 07/03/2026"), [type_ for type_ in TYPES if type_.fields]).name in {"invoice", "receipt"}
    assert classify(page("Date"), []).name == ""


def test_an_unclear_type_is_a_problem_of_the_whole_document() -> None:
    reading = extraction.read(page("Total 12.00"), TYPES[0])
    assert with_unclear_type(reading, ()) is reading
    problem = with_unclear_type(reading, ("Invoice", "Receipt")).problems[0]
    assert (problem.code, problem.field) == ("unclear_type", None)
    assert "Invoice, Receipt" in problem.message


def test_words_are_told_with_their_boxes() -> None:
    box = {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.04}
    blocks: list[dict[str, Any]] = [
        {"BlockType": "PAGE", "Id": "p", "Relationships": [{"Type": "CHILD", "Ids": ["l"]}]},
        {"BlockType": "LINE", "Id": "l", "Text": "Total", "Relationships": [{"Type": "CHILD", "Ids": ["w", "x"]}]},
        {"BlockType": "WORD", "Id": "w", "Text": "Total", "Confidence": 99.0, "Geometry": {"BoundingBox": box}},
        {"BlockType": "WORD", "Id": "x", "Text": "unplaced", "Confidence": 99.0},
    ]
    told = extraction.words_as_json(extraction.words(blocks))
    assert told == [{"id": "w", "text": "Total", "confidence": 99.0, "box": [0.1, 0.2, 0.3, 0.04]}]
