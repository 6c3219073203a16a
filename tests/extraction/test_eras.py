"""A day before numbers such as the paper's were given out: doubted, and proposed with the digit whose ink was lost."""

from __future__ import annotations

import pytest

from ocr.extraction.reading import Field
from tests.extraction.make import Answer, a_type, field

RECEIPT = a_type({"name": "date", "kind": "date", "finder": "any_date", "labels": ["date"]})
MALAYSIAN = "GST 000292065280"


def dated(*lines: str) -> Field:
    return field(Answer().lines(*lines).read(RECEIPT), "date")


@pytest.mark.parametrize("number", [MALAYSIAN, "GST Reg No: 001234567890", "(GST ID :000292065280)"])
def test_a_year_with_a_faint_digit_is_proposed_with_the_whole_one(number: str) -> None:
    found = dated("04-05-2013 16:07", number)
    assert (found.value, found.text, found.state) == ("2018-05-04", "04-05-2013", "open")
    assert [problem.code for problem in found.problems] == ["ambiguous"]
    assert [each.value for each in found.suggestions] == ["2018-04-05", "2013-05-04"]


@pytest.mark.parametrize(("year", "whole"), [("2010", "2018"), ("2011", "2017"), ("13", "2018")])
def test_the_digit_is_one_that_may_have_lost_ink(year: str, whole: str) -> None:
    assert dated(f"Date: 14/05/{year}", MALAYSIAN).value == f"{whole}-05-14"


def test_a_day_that_cannot_be_mended_counts_half() -> None:
    sure, early = dated("14-05-2016", MALAYSIAN), dated("14-05-2012", MALAYSIAN)
    assert (early.value, early.state, [each.code for each in early.problems]) == (
        "2012-05-14",
        "open",
        ["low_confidence"],
    )
    assert early.confidence is not None and sure.confidence is not None
    assert early.confidence <= 0.6 * sure.confidence


@pytest.mark.parametrize(
    "lines",
    [
        ("14-05-2013", "Tel 000292065280"),
        ("14-05-2013", "GST 10 123 456 789"),
        ("14-05-2013", "GST 6 %"),
        ("14-05-2013",),
    ],
)
def test_without_such_a_number_a_day_is_what_it_is(lines: tuple[str, ...]) -> None:
    found = dated(*lines)
    assert (found.value, found.state) == ("2013-05-14", "certain")


@pytest.mark.parametrize("day", ["2016-05-14", "2015-03-02", "2014-06-01"])
def test_a_day_on_which_the_number_may_have_been_printed_is_what_it_is(day: str) -> None:
    found = dated(day, MALAYSIAN)
    assert (found.value, found.state) == (day, "certain")


def test_indian_numbers_are_younger() -> None:
    assert dated("14-05-2013", "GSTIN: 27AAPFU0939F1ZV").value == "2018-05-14"
    assert dated("14-05-2016", "GSTIN: 27AAPFU0939F1ZV").state == "open"


def test_the_number_may_stand_on_another_page() -> None:
    answer = Answer().lines("14-05-2013")
    answer.line("GST 000292065280", page=2)
    assert field(answer.read(RECEIPT), "date").value == "2018-05-14"
