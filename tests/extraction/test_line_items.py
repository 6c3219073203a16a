"""The item table: finding it, naming its columns, and leaving out what is no item."""

from __future__ import annotations

import pytest

from ocr.extraction import Reading
from tests.extraction.make import Answer, a_type, children_of, field, problems

HEADER = ["Description", "Qty", "Unit price", "Amount"]
TYPE = a_type(
    {"name": "total", "kind": "amount", "labels": ["total"]},
    line_items=[
        {"name": "code", "kind": "identifier", "labels": ["code"]},
        {"name": "description", "labels": ["description", "item"]},
        {"name": "quantity", "kind": "number", "labels": ["qty"]},
        {"name": "unit_price", "kind": "amount", "labels": ["unit price", "price"]},
        {"name": "amount", "kind": "amount", "labels": ["amount", "price"]},
    ],
    rules=[{"name": "items", "kind": "items", "column": "amount", "equals": ["total"]}],
)


def rows(reading: Reading) -> list[list[str | None]]:
    return [[cell.value for cell in item.cells[1:]] for item in reading.line_items]


def test_rows_become_line_items_with_the_type_s_columns() -> None:
    reading = Answer().table(HEADER, ["Red paint", "2", "5.00", "10.00"], ["Brush", "1", "3,50", "3.50"]).read(TYPE)
    assert rows(reading) == [["Red paint", "2", "5.00", "10.00"], ["Brush", "1", "3.50", "3.50"]]
    first = reading.line_items[0]
    assert (first.row, first.page, [cell.name for cell in first.cells]) == (
        1, 1, ["code", "description", "quantity", "unit_price", "amount"],
    )  # fmt: skip
    assert (first.cells[0].state, first.cells[0].value) == ("certain", None)
    amount = first.cells[4]
    assert (amount.text, amount.confidence, amount.word_confidence, amount.why, amount.source) == (
        "10.00", 95.0, 99.0, "table", "textract",
    )  # fmt: skip


def test_a_type_without_line_items_has_none() -> None:
    assert Answer().table(HEADER, ["Red paint", "2", "5.00", "10.00"]).read(a_type({"name": "total"})).line_items == ()


def test_sums_beside_a_note_are_no_items_and_an_item_may_be_called_like_one() -> None:
    beside = ["Pay within 14 days.", "Total", "", "3.50"]
    assert rows(Answer().table(HEADER, ["Brush", "1", "3.50", "3.50"], beside).read(TYPE)) == [
        ["Brush", "1", "3.50", "3.50"]
    ]
    called = ["AB-1", "Total", "2", "3.50", "7.00"]
    assert rows(Answer().table(["Code", *HEADER], called).read(TYPE)) == [["Total", "2", "3.50", "7.00"]]


def test_a_row_that_names_nothing_and_says_what_those_above_make_is_no_item() -> None:
    paint, brush, nails = (
        ["Red paint", "2", "5.00", "10.00"],
        ["Brush", "1", "3.50", "3.50"],
        ["Nails", "1", "2.00", "2.00"],
    )
    made = Answer().table(HEADER, paint, brush, ["", "1", "", "13.50"], nails, ["15,50", "", "", "15.50"]).read(TYPE)
    assert rows(made) == [paint, brush, nails]
    assert [item.row for item in made.line_items] == [1, 2, 3]


@pytest.mark.parametrize("name", ["Carried forward", "À reporter", "Übertrag", "Balance c/f", "Mastercard XXXX 2209"])
def test_what_is_carried_to_the_next_page_or_was_paid_is_no_item(name: str) -> None:
    paint, brush, nails = (
        ["Red paint", "2", "5.00", "10.00"],
        ["Brush", "1", "3.50", "3.50"],
        ["Nails", "1", "2.00", "2.00"],
    )
    made = (
        Answer()
        .table(HEADER, paint, brush, [name, "", "", "13.50"])
        .table([name, "", "", "13.50"], nails, header=False)
    )
    assert rows(made.read(TYPE)) == [paint, brush, nails]
    other = [name, None, None, "13.40"]
    assert rows(Answer().table(HEADER, paint, brush, [name, "", "", "13.40"]).read(TYPE)) == [paint, brush, other]


def test_an_item_that_is_called_like_a_sum_and_costs_as_much_as_the_one_above_stays() -> None:
    survey, report = ["Survey", None, None, "120.00"], ["Report", None, None, "120.00"]
    assert rows(Answer().table(HEADER, ["Survey", "", "", "120.00"], ["Report", "", "", "120.00"]).read(TYPE)) == [
        survey,
        report,
    ]
    paint, brush = ["Red paint", "2", "5.00", "10.00"], ["Brush", "1", "3.50", "3.50"]
    terminal = ["Payment terminal", "1", "13.50", "13.50"]
    assert rows(Answer().table(HEADER, paint, brush, terminal).read(TYPE)) == [paint, brush, terminal]


def test_an_item_of_as_much_as_the_others_stays_and_so_does_one_without_a_name() -> None:
    paint, brush = ["Red paint", "2", "5.00", "10.00"], ["Brush", "1", "3.50", "3.50"]
    named, other = ["Ladder", "1", "13.50", "13.50"], ["1", "4.00", "4.00"]
    found = rows(Answer().table(HEADER, paint, brush, named, ["", *other]).read(TYPE))
    assert found[2:] == [named, [None, *other]]
    nothing = [["", "1", "2.00", "2.00"], ["", "1", "3.00", "3.00"], ["", "1", "5.00", "5.00"]]
    assert len(rows(Answer().table(HEADER, *nothing).read(TYPE))) == 3


def test_what_is_withheld_or_due_behind_the_total_with_its_tax_is_no_item() -> None:
    kind = a_type(
        *({"name": name, "kind": "amount", "labels": [name]} for name in ("subtotal", "tax", "total")),
        line_items=[{"name": "description", "labels": ["description"]}, {"name": "amount", "kind": "amount", "labels": ["amount"]}],
        rules=[
            {"name": "sums", "kind": "sum", "terms": ["subtotal", "tax"], "equals": "total"},
            {"name": "items", "kind": "items", "column": "amount", "equals": ["subtotal"]},
        ],
    )  # fmt: skip

    def read(*rows: list[str]) -> list[str | None]:
        made = Answer().table(["Description", "Amount"], *rows).read(kind)
        return [item.cells[0].value for item in made.line_items]

    planning, advice = ["Planning", "1850.00"], ["Advice", "320.00"]
    withheld, left = ["Withheld 15 %", "-325.50"], ["To be transferred", "2300.20"]
    sums = [["Subtotal", "2170.00"], ["21 % tax", "455.70"], ["Total", "2625.70"]]
    assert read(planning, advice, *sums, withheld, left) == ["Planning", "Advice"]
    assert read(planning, ["Total", "1850.00"], advice) == ["Planning", "Advice"]


@pytest.mark.parametrize("name", ["Suma conceptos", "Value of goods", "Summe"])
def test_a_sum_under_a_name_of_its_own_is_no_item(name: str) -> None:
    paint, brush = ["Red paint", "2", "5.00", "10.00"], ["Brush", "1", "3.50", "3.50"]
    assert rows(Answer().table(HEADER, paint, brush, [name, "", "", "13.50"]).read(TYPE)) == [paint, brush]


@pytest.mark.parametrize(
    "row",
    [
        ["", "", "Total 9 % of 38.03", "3.42"],
        ["Total DKK", "", "", "3.50"],
        ["Total now due", "", "", "3.50"],
        ["", "", "VAT 20 %", "0.70"],
        ["", "Umsatzsteuer", "", "0.70"],
        ["", "", "20.0%", "2.92"],
    ],
)
def test_a_row_with_one_number_that_names_no_item_is_none(row: list[str]) -> None:
    brush = ["Brush", "1", "3.50", "3.50"]
    assert rows(Answer().table(HEADER, brush, row).read(TYPE)) == [brush]


def test_an_item_beside_the_label_of_another_field_is_one() -> None:
    kind = a_type(
        {"name": "day", "kind": "date", "labels": ["date"]}, line_items=[
            {"name": "description", "labels": ["description"]}, {"name": "quantity", "kind": "number", "labels": ["qty"]},
            {"name": "amount", "kind": "amount", "labels": ["amount"]},
        ],
    )  # fmt: skip
    answer = Answer().table(
        ["", "Description", "Qty", "Amount"], ["Date", "Brush", "1", "3.50"], ["Date", "", "", "3.50"]
    )
    assert [[cell.value for cell in item.cells] for item in answer.read(kind).line_items] == [["Brush", "1", "3.50"]]


def test_a_summary_of_taxes_has_no_items() -> None:
    brush = ["Brush", "1", "3.50", "3.50"]
    rates = ["Price", "Tax", "Amount"], ["20.0%", "0.58", "2.92"]
    assert rows(Answer().table(HEADER, brush).table(*rates).read(TYPE)) == [brush]


def test_a_number_by_itself_and_a_service_without_a_quantity_are_items() -> None:
    assert rows(Answer().table(HEADER, ["", "", "", "0.70"]).read(TYPE)) == [[None, None, None, "0.70"]]
    service = Answer().table(["Description", "Amount"], ["Total care of the garden", "70.00"]).read(TYPE)
    assert rows(service) == [["Total care of the garden", None, None, "70.00"]]


def test_a_table_without_a_known_header_is_no_item_table() -> None:
    assert Answer().table(["Name", "Place"], ["Jane", "Here"]).table([]).read(TYPE).line_items == ()
    assert Answer().table(["Description", "Place"], ["Red paint", "Here"]).read(TYPE).line_items == ()


def test_a_title_may_stand_above_the_header() -> None:
    reading = Answer().table(["What you bought", "", "", ""], HEADER, ["Brush", "1", "3.50", "3.50"]).read(TYPE)
    assert rows(reading) == [["Brush", "1", "3.50", "3.50"]]


def test_the_stronger_label_names_the_column_and_the_right_one_of_two_equal() -> None:
    reading = Answer().table(["Item", "Price", "Price"], ["Brush", "3.00", "6.00"]).read(TYPE)
    assert rows(reading) == [["Brush", None, "6.00", "6.00"]]
    reading = Answer().table(["Item", "Amount", "Price"], ["Brush", "6.00", "3.00"]).read(TYPE)
    assert rows(reading) == [["Brush", None, "3.00", "6.00"]]


@pytest.mark.parametrize(
    "row",
    [
        ["", "", "", ""],
        ["Total", "", "", "13.50"],
        ["Total RM", "3", "", "13.50"],
        ["A note without numbers", "", "", ""],
        ["Paints", "", "7%", ""],
    ],
)
def test_what_is_no_item_is_left_out_and_the_rest_goes_on(row: list[str]) -> None:
    reading = (
        Answer().table(HEADER, ["Red paint", "2", "5.00", "10.00"], row, ["Brush", "1", "3.50", "3.50"]).read(TYPE)
    )
    assert [item.cells[1].value for item in reading.line_items] == ["Red paint", "Brush"]
    assert [item.row for item in reading.line_items] == [1, 2]


@pytest.mark.parametrize("role", ["TABLE_SUMMARY", "TABLE_FOOTER", "TABLE_SECTION_TITLE", "TABLE_TITLE"])
def test_rows_that_the_engine_marks_as_no_items_are_left_out(role: str) -> None:
    table = (HEADER, ["Brush", "1", "3.50", "3.50"], ["Sums", "1", "3.50", "3.50"])
    reading = Answer().table(*table, roles={3: role}).read(TYPE)
    assert [item.cells[1].value for item in reading.line_items] == ["Brush"]


def test_a_description_that_only_begins_with_a_label_is_an_item() -> None:
    reading = Answer().table(HEADER, ["Total care shampoo", "1", "3.50", "3.50"]).read(TYPE)
    assert [item.cells[1].value for item in reading.line_items] == ["Total care shampoo"]


def test_a_table_without_columns_of_numbers_keeps_every_row() -> None:
    made = a_type(
        {"name": "total"}, line_items=[{"name": "what", "labels": ["what"]}, {"name": "who", "labels": ["who"]}]
    )
    reading = Answer().table(["What", "Who"], ["paint", "Jane"], ["", ""]).read(made)
    assert [[cell.value for cell in item.cells] for item in reading.line_items] == [["paint", "Jane"]]


def test_an_item_table_goes_on_over_pages_without_its_header() -> None:
    answer = Answer().table(HEADER, ["Red paint", "2", "5.00", "10.00"])
    answer.table(["Brush", "1", "3.50", "3.50"], header=False, page=2)
    reading = answer.read(TYPE)
    assert [(item.row, item.page, item.cells[1].value) for item in reading.line_items] == [
        (1, 1, "Red paint"),
        (2, 2, "Brush"),
    ]


def test_a_table_of_another_width_does_not_go_on() -> None:
    answer = Answer().table(HEADER, ["Red paint", "2", "5.00", "10.00"]).table(["Brush", "1", "3.50"], header=False)
    assert len(answer.table(["Nail", "1", "3.50", "3.50"], header=False).read(TYPE).line_items) == 1


def test_a_merged_cell_fills_the_columns_it_covers() -> None:
    answer = Answer().table(HEADER, ["Red", "paint", "5.00", "10.00"])
    covered = [each["Id"] for each in answer.blocks if each["BlockType"] == "CELL" and each["RowIndex"] == 2][:2]
    merged = answer.add("MERGED_CELL", RowIndex=2, ColumnIndex=1, ColumnSpan=2, Relationships=children_of(covered))
    table = next(each for each in answer.blocks if each["BlockType"] == "TABLE")
    table["Relationships"].append({"Type": "MERGED_CELL", "Ids": [merged]})
    (item,) = answer.read(TYPE).line_items
    assert (item.cells[1].value, item.cells[4].value) == ("Red paint", "10.00")


def test_a_row_that_is_too_short_leaves_its_columns_empty() -> None:
    (item,) = Answer().table(HEADER, ["Brush", "1"]).read(TYPE).line_items
    assert (item.cells[2].value, item.cells[4].value, item.cells[4].state) == ("1", None, "certain")


def test_a_cell_s_problem_names_its_row_and_column() -> None:
    reading = Answer().table(HEADER, ["Brush", "1", "3.50", "3.50"], words=50.0).read(TYPE)
    assert ("low_confidence", "line_items.1.amount", "word_confidence") in problems(reading)
    amount = reading.line_items[0].cells[4]
    assert amount.problems[0].message == "Row 1: Read with 50 % confidence, 90 % needed."


def test_a_cell_of_the_wrong_kind_is_invalid() -> None:
    reading = Answer().table(HEADER, ["Brush", "1", "free of charge", "3.50"]).read(TYPE)
    assert ("invalid", "line_items.1.unit_price", "invalid_amount") in problems(reading)


def test_a_code_without_digits_is_still_a_code() -> None:
    (item,) = Answer().table(["Code", "Amount"], ["ABC", "3.50"]).read(TYPE).line_items
    assert (item.cells[0].value, item.cells[0].state) == ("ABC", "certain")


def test_items_that_do_not_add_up_are_a_problem_of_the_total() -> None:
    reading = Answer().table(HEADER, ["Brush", "1", "3.50", "3.50"]).line("Total 4.00").read(TYPE)
    assert field(reading, "total").state == "open"
    assert ("invalid", "total", "items") in problems(reading)
    reading = Answer().table(HEADER, ["Brush", "1", "3.50", "3.50"]).line("Total 3.50").read(TYPE)
    assert reading.problems == ()
