"""Tables that ruled lines draw whole, with the names of their columns in the first row."""

from collections.abc import Sequence

import pytest

from deploy.local.textract.gridded import grids
from deploy.local.textract.layout import Sheet
from deploy.local.textract.tables import find_tables
from tests.textract_endpoint import made

WIDE, TALL, LEFT, TOP = 240, 50, 20, 100
RUNS = (("Found", "Run 1", "Run 2"), ("Moisture", "11.8", "11.9"), ("Nitrate", "0.14", "0.15"), ("Ash", "12.3", "12.6"))
GRADES = (("", "PRESENT", "PROPOSED"), ("Title", "Typist", "Secretary"), ("Office", "Bldg. 1", "Bldg. 4"))


def drawn(*rows: Sequence[str], without: Sequence[tuple[int, int]] = (), aside: int = 60) -> Sheet:
    """Cells in rows and columns, of which the engine has not seen those `without`, and texts `aside` from the left of each."""
    places = [(row, column) for row, texts in enumerate(rows) for column in range(len(texts))]
    corners = {(row, column): (LEFT + WIDE * column, TOP + TALL * row) for row, column in places}
    texts = [
        (left + aside * (row > 0), top + 15, rows[row][column])
        for (row, column), (left, top) in corners.items()
        if rows[row][column]
    ]
    cells = [(left, top, left + WIDE, top + TALL) for place, (left, top) in corners.items() if place not in without]
    return made.sheet(*texts, cells=cells)


def texts(sheet: Sheet) -> list[list[str]]:
    return [[" ".join(word.text for word in words) for words in row] for grid in grids(sheet) for row in grid.words]


@pytest.mark.parametrize("rows", [RUNS, GRADES])
def test_the_first_row_names_the_columns(rows: Sequence[Sequence[str]]) -> None:
    assert texts(drawn(*rows)) == [list(row) for row in rows]
    (table,) = find_tables(drawn(*rows))
    assert (table.headed, table.columns, len({cell.row for cell in table.cells})) == (True, 3, len(rows))


def test_a_cell_that_was_not_seen_leaves_no_gap() -> None:
    assert texts(drawn(*RUNS, without=[(2, 1)])) == [list(row) for row in RUNS]


@pytest.mark.parametrize(
    "rows",
    [
        RUNS[:2],
        tuple(row[:2] for row in RUNS),
        (("Found", "11.7", "11.8"), *RUNS[1:]),
        (("Found:", "Run 1:", "Run 2:"), *RUNS[1:]),
        (("Name", "Owner", "Place"), ("Ada", "Jane", "Oslo"), ("Mary", "Anne", "Rome")),
        (("", "PRESENT", "PROPOSED"), ("Title", "Typist", "Secretary"), ("", "Bldg. 1", "Bldg. 4")),
    ],
)
def test_other_cells_are_no_such_table(rows: Sequence[Sequence[str]]) -> None:
    assert texts(drawn(*rows)) == []


def test_what_stands_beside_it_in_other_cells_is_no_part_of_it() -> None:
    rows = [[*row, "Lot", "Checked"] if number == 1 else row for number, row in enumerate(RUNS)]
    assert [len(row) for row in texts(drawn(*rows))] == [3, 3, 3, 3]


def test_a_table_of_items_is_still_one_with_its_sums_apart() -> None:
    items = (
        ("Description", "Qty", "Amount"),
        ("Paper", "2", "10.00"),
        ("Folders", "1", "5.00"),
        ("Total", "", "15.00"),
    )
    (table,) = find_tables(drawn(*items))
    assert (table.of_items, len({cell.row for cell in table.cells})) == (True, 3)
