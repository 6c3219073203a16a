"""Tables by columns that line up."""

from deploy.local.textract.tables import Table, find_tables
from tests.textract_endpoint import made

ITEMS = (
    (50, 100, "Description"),
    (400, 100, "Qty"),
    (550, 100, "Unit price"),
    (800, 100, "Amount"),
    (50, 140, "Copy paper A4"),
    (400, 140, "10"),
    (550, 140, "4.20"),
    (800, 140, "42.00"),
    (50, 180, "Blue folders with a long"),
    (400, 180, "25"),
    (550, 180, "1.10"),
    (800, 180, "27.50"),
    (50, 206, "second line"),
    (50, 240, "Desk stapler"),
    (550, 240, "9.00"),
    (800, 240, "108.00"),
    (550, 300, "Subtotal"),
    (800, 300, "177.50"),
)


def rows(table: Table) -> list[list[str]]:
    lines: dict[int, list[str]] = {}
    for cell in table.cells:
        lines.setdefault(cell.row, []).append(" ".join(word.text for word in cell.words))
    return [lines[number] for number in sorted(lines)]


def test_the_items_of_an_invoice_come_out_as_rows_and_columns() -> None:
    (table,) = find_tables(made.sheet(*ITEMS))
    assert table.headed
    assert rows(table) == [
        ["Description", "Qty", "Unit price", "Amount"],
        ["Copy paper A4", "10", "4.20", "42.00"],
        ["Blue folders with a long second line", "25", "1.10", "27.50"],
        ["Desk stapler", "", "9.00", "108.00"],
    ]


def test_columns_that_line_up_over_three_rows_are_a_table_without_a_heading() -> None:
    texts = [(x, 100 + 40 * n, f"{word}{n}") for n in range(3) for x, word in ((50, "left"), (500, "right"))]
    (table,) = find_tables(made.sheet(*texts))
    assert not table.headed
    assert rows(table) == [["left0", "right0"], ["left1", "right1"], ["left2", "right2"]]


def test_two_rows_or_plain_text_are_no_table() -> None:
    two = [(x, 100 + 40 * n, "words") for n in range(2) for x in (50, 500)]
    text = [(50, 100 + 40 * n, "a line of a letter as people write them") for n in range(5)]
    assert find_tables(made.sheet(*two)) == []
    assert find_tables(made.sheet(*text)) == []


def test_a_word_that_stands_twice_or_captions_of_signatures_are_no_heading() -> None:
    names = ((50, 50, "LAST NAME"), (400, 50, "FIRST NAME"), (700, 50, "NAME"))
    rows = tuple((left, top, f"{top}") for top in (90, 130) for left in (50, 400, 700))
    assert not any(table.headed for table in find_tables(made.sheet(*names, *rows)))
    signed = ((50, 50, "Signed by"), (400, 50, "Date"), (700, 50, "Ledger no"))
    below = ((50, 90, "S. Lund"), (400, 90, "3/16/17"), (700, 90, "Audited"))
    assert not any(table.headed for table in find_tables(made.sheet(*signed, *below)))
