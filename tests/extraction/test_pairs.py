"""Document types without fixed fields: every form pair becomes a field of its own."""

from __future__ import annotations

import pytest

from ocr.extraction import document_type
from ocr.extraction.pairs import slug
from tests.extraction.make import Answer, children_of, problems


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


# --- Cells of tables


def jobs() -> Answer:
    """Two jobs in a table, as on an application for employment."""
    return (
        Answer()
        .pair("Name:", "Jane Doe")
        .table(["Start Date", "Employer", ""], ["1/15/2009", "Any Company", "full"], ["7/1/2011", "", "part"])
    )


def test_every_cell_under_the_name_of_its_column_becomes_a_field() -> None:
    reading = jobs().read("generic_form")
    assert [(each.name, each.label, each.value, each.why) for each in reading.fields] == [
        ("name", "Name", "Jane Doe", "key_value"),
        ("start_date", "Start Date", "1/15/2009", "table"),
        ("employer", "Employer", "Any Company", "table"),
        ("start_date_2", "Start Date", "7/1/2011", "table"),
    ]
    assert reading.problems == ()


def test_a_cell_in_doubt_needs_a_person() -> None:
    unsure = Answer().table(["Start Date"], ["1/15/2009"], confidence=20.0).read("generic_form")
    assert problems(unsure) == {("low_confidence", "start_date", "pair_confidence")}
    badly_printed = Answer().table(["Start Date"], ["1/15/2009"], words=40.0).read("generic_form")
    assert {code for code, _, _ in problems(badly_printed)} == {"low_confidence"}


def test_columns_without_a_name_give_no_fields_and_types_that_do_not_ask_none() -> None:
    assert not Answer().table(["1/15/2009"], ["7/1/2011"], header=False).read("generic_form").fields
    pairs_only = document_type({"name": "form", "version": 1, "label": "Form", "every_pair": {}})
    assert [each.name for each in jobs().read(pairs_only).fields] == ["name"]


@pytest.mark.parametrize("role", ["TABLE_SECTION_TITLE", "TABLE_TITLE", "TABLE_FOOTER"])
def test_titles_in_a_table_are_no_values(role: str) -> None:
    answer = Answer().table(["Start Date"], ["Last jobs"], ["7/1/2011"], roles={1: "COLUMN_HEADER", 2: role})
    assert [each.value for each in answer.read("generic_form").fields] == ["7/1/2011"]


def test_a_column_is_named_by_all_lines_of_its_header() -> None:
    answer = Answer().table(["Start"], ["Date"], ["7/1/2011"], roles={1: "COLUMN_HEADER", 2: "COLUMN_HEADER"})
    assert [(each.label, each.value) for each in answer.read("generic_form").fields] == [("Start Date", "7/1/2011")]


def test_a_cell_that_is_a_pair_already_is_no_second_field() -> None:
    answer = jobs()
    cell = next(block for block in answer.blocks if block["BlockType"] == "CELL" and block["RowIndex"] == 2)
    value = answer.add(
        "KEY_VALUE_SET", EntityTypes=["VALUE"], Confidence=95.0, Page=1, Relationships=cell["Relationships"]
    )
    key = answer.words("Since", left=0.1, top=0.9)
    answer.add(
        "KEY_VALUE_SET", EntityTypes=["KEY"], Confidence=95.0, Page=1,
        Relationships=[*children_of(key), {"Type": "VALUE", "Ids": [value]}],
    )  # fmt: skip
    found = [(each.label, each.value) for each in answer.read("generic_form").fields]
    assert ("Since", "1/15/2009") in found
    assert ("Start Date", "1/15/2009") not in found


def test_a_header_that_claims_to_span_very_many_columns_or_lines_does_no_harm() -> None:
    answer = Answer().table(
        ["Start"], *(["Date"] for _ in range(30)), ["7/1/2011"], roles=dict.fromkeys(range(1, 32), "COLUMN_HEADER")
    )
    for block in answer.blocks:
        if block["BlockType"] == "CELL" and block["RowIndex"] == 1:
            block["ColumnSpan"] = 10**12
    (found,) = answer.read("generic_form").fields
    assert (found.label, found.value) == ("Start" + 7 * " Date", "7/1/2011")
