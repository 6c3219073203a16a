"""Tables by columns that line up."""

import pytest

from deploy.local.textract.tables import Table, find_tables, item_words
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
    assert not any(table.of_items for table in find_tables(made.sheet(*names, *rows)))
    signed = ((50, 50, "Signed by"), (400, 50, "Date"), (700, 50, "Ledger no"))
    below = ((50, 90, "S. Lund"), (400, 90, "3/16/17"), (700, 90, "Audited"))
    assert not any(table.headed for table in find_tables(made.sheet(*signed, *below)))


def test_a_column_beside_the_items_is_none_of_theirs() -> None:
    beside = ((50, 100, "Telephone 0400"), (50, 120, "Invoice"), (50, 162, "Date due"), (50, 222, "1 May"))
    items = tuple((left + 300, top, text) for left, top, text in ITEMS)
    (table,) = find_tables(made.sheet(*beside, *items))
    assert table.of_items and rows(table)[0] == ["Description", "Qty", "Unit price", "Amount"]
    assert len(rows(table)) == 4 and "Date due" not in str(rows(table))


def test_a_first_column_without_a_name_stays_with_the_items() -> None:
    first = tuple((50, top, f"{top}") for top in (140, 180, 240))
    items = tuple((left + 100, top, text) for left, top, text in ITEMS)
    (table,) = find_tables(made.sheet(*first, *items))
    assert [row[0] for row in rows(table)] == ["", "140", "180", "240"]


def test_a_text_that_reaches_into_the_items_ends_the_column_beside_them() -> None:
    beside = ((50, 120, "Invoice"), (50, 162, "Date due"), (50, 222, "a long text that reaches into the items"))
    items = tuple((left + 300, top, text) for left, top, text in ITEMS if top != 206)
    assert not any(len(rows(table)) > 3 and table.of_items for table in find_tables(made.sheet(*beside, *items)))


# --- Columns whose names we do not know

LOTS = (("Lot", "Porosity", "Burn rate"), ("7A", "31.2", "4.61"), ("7B", "33.0", "4.78"), ("7C", "28.7", "4.33"))


def lined_up(
    *lines: tuple[str, ...], lefts: tuple[int, ...] = (50, 300, 550), top: int = 50
) -> list[tuple[int, int, str]]:
    return [
        (left, top + 34 * row, text)
        for row, texts in enumerate(lines)
        for left, text in zip(lefts, texts, strict=False)
        if text
    ]


def heading(*lines: tuple[str, ...]) -> list[int]:
    return [table.heading for table in find_tables(made.sheet(*lined_up(*lines)))]


def test_names_over_columns_of_numbers_are_a_heading_but_no_items() -> None:
    (table,) = find_tables(made.sheet(*lined_up(*LOTS)))
    assert (table.heading, table.of_items, rows(table)) == (1, False, [list(row) for row in LOTS])


def test_a_heading_has_a_second_line_and_units_in_brackets() -> None:
    names, *lots = LOTS
    (table,) = find_tables(made.sheet(*lined_up(names, ("no", "(mg/m2)", "(mm/min)"), *lots)))
    assert (table.heading, rows(table)[2:]) == (2, [list(row) for row in lots])


def test_a_sum_or_a_label_under_the_last_item_ends_the_table() -> None:
    for after in (("", "Total", "13.72"), ("Tested by:", "R. Amato", "4/12/84")):
        table = next(each for each in find_tables(made.sheet(*lined_up(*LOTS, after))) if each.heading)
        assert len(rows(table)) == len(LOTS), after


@pytest.mark.parametrize(
    "lines",
    [
        (("Clerk", "Grade", "Salary"), ("First", "11-4", "9,216"), ("Second", "Water", "Opdyke"), ("Third", "40", "Lund")),
        (("Kirsty Mawson", "Invoice date", "Burleigh"), ("27 Coolamon St", "31 May 2024", "Unit 4"), ("Lot 9", "QLD 4213", "Heads 42")),
        (("Maker", "Broker", "Phone"), ("Lorrimer", "Hinkle 2", "555-4092"), ("Product", "Pack", "Weight"), ("Gallant", "60", "31.5")),
        (("Name:", "Age", "Weight"), ("Doe", "31", "71"), ("Roe", "40", "80")),
        (("Porosity", "Burn rate"), ("31.2", "4.61"), ("33.0", "4.78"), ("28.7", "4.33")),
    ],
    ids=["words among the numbers", "addresses side by side", "labels over values", "a label with a colon", "two columns"],
)  # fmt: skip
def test_what_only_lines_up_has_no_heading(lines: tuple[tuple[str, ...], ...]) -> None:
    assert not any(heading(*lines))


def test_words_in_columns_without_a_name_may_be_labels() -> None:
    (table,) = find_tables(made.sheet(*lined_up(*LOTS), (800, 84, "INVOICE"), (800, 118, "TLT-3305")))
    apart = item_words([table])
    told = {word.text: word.index in apart for cell in table.cells for word in cell.words}
    assert (told["7B"], told["INVOICE"], told["TLT-3305"]) == (True, False, False)


def test_a_table_of_items_ends_with_its_frame_though_its_heading_stands_outside() -> None:
    items = lined_up(("Code", "Name", "Amount"), ("HF-1", "Licorice", "4.00"), ("HF-2", "Cocoa", "5.00"))
    cells = [(left, top, left + 250, top + 34) for top in (78, 112) for left in (40, 290, 540)]
    form = lined_up(("Solvent", "PG 4"), ("Used", "9 of 10"), top=160)
    (table, *_) = find_tables(made.sheet(*items, *form, cells=cells))
    assert len(rows(table)) == 3


def test_a_table_of_items_ends_before_other_names() -> None:
    items = lined_up(("Gross cost", "Discount", "Net cost"), ("4,860.00", "729.00", "4,131.00"))
    (table, *_) = find_tables(made.sheet(*items, *lined_up(("Buyer", "Date placed", "Confirmed by"), top=118)))
    assert len(rows(table)) == 2


def test_a_table_of_items_ends_before_labels_with_their_values() -> None:
    items = lined_up(("Division", "Code", "Amount"), ("State", "4-1102", "2,500.00"), ("Public", "4-1310", "1,250.00"))
    for below in (("Instructions:", "mail", "to payee"), ("25. Signature", "26. Accepted", "27. Charge")):
        (table, *_) = find_tables(made.sheet(*items, *lined_up(below, top=160)))
        assert len(rows(table)) == 3, below
