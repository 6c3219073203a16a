"""Names that are underlined, and the texts under them."""

from collections.abc import Sequence

from deploy.local.textract.forms import find_pairs
from tests.textract_endpoint import made

Ruled = Sequence[tuple[int, int, int]]
NAMES = ((60, 100, "Objective"), (60, 200, "Method"), (500, 200, "Institution"))
TEXTS = ((60, 128, "To learn whether the loss of bases"), (60, 156, "follows the moisture of the leaf."))
BESIDE = ((60, 228, "Dry air"), (500, 228, "Carver State College"))
LINES = [(60, 160, 122), (60, 130, 222), (500, 620, 222)]


def pairs(*texts: tuple[int, int, str], ruled: Ruled) -> list[tuple[str, str]]:
    return [(pair.key_text, pair.value_text) for pair in find_pairs(made.sheet(*texts, ruled=ruled))]


def test_an_underlined_name_has_the_lines_under_it() -> None:
    assert pairs(*NAMES, *TEXTS, *BESIDE, ruled=LINES) == [
        ("Objective", "To learn whether the loss of bases follows the moisture of the leaf."),
        ("Method", "Dry air"),
        ("Institution", "Carver State College"),
    ]


def test_one_that_is_underlined_is_a_title() -> None:
    assert pairs((60, 100, "Objective"), *TEXTS, ruled=LINES[:1]) == []


def test_three_in_a_row_head_the_columns_of_a_table() -> None:
    heads = ((60, 100, "Step"), (300, 100, "By whom"), (540, 100, "When"))
    entries = [
        (left, top, text) for top in (128, 156) for left, text in ((60, "Plan it"), (300, "Roush"), (540, "March"))
    ]
    found = pairs(*heads, *entries, ruled=[(60, 110, 122), (300, 390, 122), (540, 600, 122)])
    assert ("Step", "Plan it Plan it") not in found
