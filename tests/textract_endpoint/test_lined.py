"""Lines to fill in whose names stand under or over them."""

from collections.abc import Sequence

from deploy.local.textract.forms import find_pairs
from tests.textract_endpoint import made

Ruled = Sequence[tuple[int, int, int]]


def pairs(*texts: tuple[int, int, str], ruled: Ruled) -> list[tuple[str, str]]:
    return [(pair.key_text, pair.value_text) for pair in find_pairs(made.sheet(*texts, ruled=ruled))]


NAMES = ((60, 105, "Originator"), (460, 105, "Chief engineer"))
VALUES = ((70, 74, "D. R. Voss"), (470, 74, "P. Enright"))
LINES = [(50, 400, 100), (450, 800, 100)]


def test_a_name_right_under_a_line_has_what_stands_upon_it() -> None:
    more = ((70, 194, "Bexley"), (60, 225, "Town"))
    assert pairs(*VALUES, *NAMES, *more, ruled=[*LINES, (50, 400, 220)]) == [
        ("Originator", "D. R. Voss"),
        ("Chief engineer", "P. Enright"),
        ("Town", "Bexley"),
    ]


def test_a_name_over_a_line_has_what_stands_upon_it() -> None:
    names = ((50, 40, "Employer"), (450, 40, "Occupation"), (50, 160, "Maiden name"))
    values = ((60, 94, "Public Library"), (460, 94, "Librarian"), (60, 214, "Lindgren"))
    assert pairs(*names, *values, ruled=[(50, 400, 120), (450, 800, 120), (50, 400, 240)]) == [
        ("Employer", "Public Library"),
        ("Occupation", "Librarian"),
        ("Maiden name", "Lindgren"),
    ]


def test_a_line_upon_which_nothing_stands_leaves_its_name_empty() -> None:
    more = ((60, 225, "Town"),)
    found = dict(pairs(*VALUES, *NAMES, *more, ruled=[*LINES, (50, 400, 220)]))
    assert found == {"Originator": "D. R. Voss", "Chief engineer": "P. Enright", "Town": ""}


def test_one_or_two_such_names_are_not_believed_unless_we_know_one() -> None:
    assert pairs(*VALUES, *NAMES, ruled=LINES) == []
    signed = ((470, 74, "9/30/78"), (460, 105, "Date"))
    assert ("Date", "9/30/78") in pairs(VALUES[0], NAMES[0], *signed, ruled=LINES)


def test_underlined_words_and_lines_with_a_name_beside_them_are_not_meant() -> None:
    heading = ((50, 74, "INSURANCE"), (50, 105, "Plan"), (50, 174, "HISTORY"), (50, 205, "None"), (50, 274, "NOTES"))
    assert pairs(*heading, ruled=[(50, 160, 100), (50, 135, 200), (50, 110, 300)]) == []
    beside = ((50, 74, "Name:"), (140, 74, "Ada"), (140, 105, "(print or type)"))
    assert pairs(*beside, ruled=[(130, 600, 100)])[0][1] == "Ada"
