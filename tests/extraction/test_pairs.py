"""Document types without fixed fields: every form pair becomes a field of its own."""

from __future__ import annotations

import pytest

from ocr.extraction.pairs import slug
from tests.extraction.make import Answer, problems


def test_every_pair_becomes_a_field_in_the_order_of_the_print() -> None:
    reading = Answer().pair("Last name:", "Doe").pair("First name:", "Jane").read("generic_form")
    assert [(each.name, each.label, each.value, each.kind) for each in reading.fields] == [
        ("last_name", "Last name", "Doe", "text"),
        ("first_name", "First name", "Jane", "text"),
    ]
    assert {each.state for each in reading.fields} == {"certain"}
    assert reading.problems == ()


def test_names_are_unique() -> None:
    answer = Answer().pair("Date", "1").pair("Date", "2").pair("Date 2", "3").pair("Date", "4")
    assert [each.name for each in answer.read("generic_form").fields] == ["date", "date_2", "date_2_2", "date_3"]


@pytest.mark.parametrize("order", [["a 2", "a", "a"], ["a", "a", "a 2"], ["a", "a 2", "a", "a 2", "a"]])
def test_names_are_unique_in_every_order(order: list[str]) -> None:
    answer = Answer()
    for key in order:
        answer.pair(key, "x")
    names = [each.name for each in answer.read("generic_form").fields]
    assert len(set(names)) == len(order)


def test_what_leads_from_a_label_to_its_value_is_not_part_of_it() -> None:
    reading = (
        Answer()
        .pair("Tear tape ----", "gold")
        .pair("Total....", "9.00")
        .pair("Age =", "7")
        .pair("ID -", "8")
        .read("generic_form")
    )
    assert [each.label for each in reading.fields] == ["Tear tape", "Total", "Age", "ID -"]


@pytest.mark.parametrize(
    ("label", "name"),
    [("Date of birth:", "date_of_birth"), ("Größe (cm)", "große_cm".replace("ß", "_").replace("o", "o")), ("1. Name", "field_1_name"),
     ("Prénom", "prenom"), ("***", "field"), ("x" * 80, "x" * 60), ("日付", "field")],
)  # fmt: skip
def test_a_label_becomes_a_name(label: str, name: str) -> None:
    assert slug(label) == name


def test_a_key_without_text_keeps_its_value() -> None:
    (found,) = Answer().pair("", "12345").read("generic_form").fields
    assert (found.name, found.label, found.value) == ("without_a_label", "Without a label", "12345")


def test_a_value_without_text_is_empty_and_certain() -> None:
    first, second = Answer().pair("Name", "").pair("Place", None).read("generic_form").fields
    assert (first.value, first.state, second.value, second.state) == (None, "certain", None, "certain")
    assert second.box is not None  # where it would be written: beside its key


@pytest.mark.parametrize(("checked", "value"), [(True, "selected"), (False, "not_selected")])
def test_a_check_box_by_itself_is_selected_or_not(checked: bool, value: str) -> None:  # noqa: FBT001
    (found,) = Answer().pair("US citizen", "", checked=checked).read("generic_form").fields
    assert (found.kind, found.value, found.state) == ("checkbox", value, "certain")


@pytest.mark.parametrize(("checked", "value"), [(True, "No"), (False, None)])
def test_a_word_beside_a_check_box_counts_when_it_is_ticked(checked: bool, value: str | None) -> None:  # noqa: FBT001
    (found,) = Answer().pair("US citizen", "No", checked=checked).read("generic_form").fields
    assert (found.kind, found.text, found.value) == ("text", "No", value)


@pytest.mark.parametrize(("confidence", "open_"), [(80.0, False), (79.0, True)])
def test_the_type_s_threshold_applies_to_the_words(confidence: float, open_: bool) -> None:  # noqa: FBT001
    reading = Answer().pair("Name", "Doe", words=confidence).read("generic_form")
    assert problems(reading) == ({("low_confidence", "name", "word_confidence")} if open_ else set())


def test_a_doubtful_pair_is_told_from_a_doubtful_word() -> None:
    assert problems(Answer().pair("Name", "Doe", confidence=20).read("generic_form")) == {
        ("low_confidence", "name", "pair_confidence")
    }


def test_a_form_without_a_single_pair_is_a_problem() -> None:
    assert problems(Answer().line("a letter").read("generic_form")) == {("missing", None, "no_field")}


def test_a_label_is_no_longer_than_what_can_be_stored_and_a_value_ends_somewhere() -> None:
    reading = Answer().pair("long label " * 40, "word " * 2000).read("generic_form")
    (found,) = reading.fields
    assert len(found.label) <= 200 and found.value is not None and len(found.value) <= 4000
    assert reading.unknown == {"long_text": 1}
