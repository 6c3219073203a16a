"""Item tables that were not drawn as tables: column names in the print, and what stands under them."""

from __future__ import annotations

import pytest

from ocr.extraction import Reading
from tests.extraction.make import Answer
from tests.extraction.test_line_items import HEADER, TYPE, rows

LEFTS = (0.1, 0.5, 0.65, 0.8)


def page(*printed: tuple[str, ...]) -> Answer:
    answer = Answer().row(*HEADER, lefts=LEFTS)
    for row in printed:
        answer.row(*row, lefts=LEFTS)
    return answer


def test_print_under_column_names_becomes_line_items() -> None:
    reading: Reading = page(("Red paint", "2", "5.00", "10.00"), ("Brush", "1", "3.50", "3.50")).read(TYPE)
    assert rows(reading) == [["Red paint", "2", "5.00", "10.00"], ["Brush", "1", "3.50", "3.50"]]
    cell = reading.line_items[0].cells[4]
    assert (cell.page, cell.word_confidence, bool(cell.box), len(cell.word_ids)) == (1, 99.0, True, 1)


def test_a_drawn_table_is_believed_before_the_print() -> None:
    answer = page(("Red paint", "2", "5.00", "10.00")).table(HEADER, ["Brush", "1", "3.50", "3.50"])
    assert rows(answer.read(TYPE)) == [["Brush", "1", "3.50", "3.50"]]


def test_the_table_ends_where_it_is_summed_up() -> None:
    reading = page(("Brush", "1", "3.50", "3.50"), ("Total", "", "", "3.50"), ("Card", "1", "0.00", "3.50")).read(TYPE)
    assert rows(reading) == [["Brush", "1", "3.50", "3.50"]]


def test_two_names_beside_each_other_are_no_heading() -> None:
    answer = Answer().row("Description", "Amount").row("Brush", "3.50")
    assert answer.read(TYPE).line_items == ()


def test_a_sentence_that_holds_the_names_is_no_heading() -> None:
    answer = (
        Answer()
        .line("The description, qty and unit price of every item stand in the annex")
        .row("a", "1", "2.00", "3.00")
    )
    assert answer.read(TYPE).line_items == ()


@pytest.mark.parametrize("gap", [1, 12])
def test_a_wide_gap_ends_the_table(gap: int) -> None:
    answer = page(("Brush", "1", "3.50", "3.50"))
    answer.top += 0.01 * gap
    answer.row("Page", "1", "2.00", "2.00", lefts=LEFTS)
    assert len(rows(answer.read(TYPE))) == (2 if gap == 1 else 1)


def test_print_under_several_columns_is_shared_out_by_words() -> None:
    answer = Answer().row(*HEADER, lefts=LEFTS).row("Brush", "1", "3.50  3.50", lefts=(0.1, 0.5, 0.65))
    (item,) = answer.read(TYPE).line_items
    assert item.cells[1].value == "Brush"
