"""Labels that stand over their values in columns."""

from deploy.local.textract.forms import find_pairs
from tests.textract_endpoint import made

Text = tuple[int, int, str]
FIRST: tuple[Text, ...] = ((60, 100, "Sponsor"), (400, 100, "Crop"), (60, 130, "Fairlawn"), (400, 130, "Sweet corn"))
SECOND: tuple[Text, ...] = ((60, 200, "Format"), (400, 200, "Inks"), (400, 230, "Four"))


def pairs(*texts: Text) -> list[tuple[str, str]]:
    return [(pair.key_text, pair.value_text) for pair in find_pairs(made.sheet(*texts))]


def test_labels_have_the_values_under_them_or_none() -> None:
    assert pairs(*FIRST, *SECOND) == [
        ("Sponsor", "Fairlawn"),
        ("Crop", "Sweet corn"),
        ("Format", ""),
        ("Inks", "Four"),
    ]


def test_two_rows_by_themselves_may_be_anything() -> None:
    assert pairs(*FIRST) == []


def test_rows_as_far_from_one_another_are_a_list_of_its_own() -> None:
    third = ((60, 160, "Format"), (400, 160, "Inks"), (60, 190, "Quarto"), (400, 190, "Four"))
    assert ("Crop", "Sweet corn") not in pairs(*FIRST, *third)
