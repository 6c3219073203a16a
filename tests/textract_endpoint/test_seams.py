"""Words that end a label and begin the value upon the line behind it."""

import pytest

from deploy.local.textract.forms import find_pairs
from tests.textract_endpoint import made


def words(text: str, *, line_at: float, below: int = 2) -> list[str]:
    """How the words are cut when a ruled line begins `line_at` letters from the left, so far under them."""
    begin = round(100 + line_at * made.LETTER)
    sheet = made.sheet((100, 50, text), ruled=[(begin, 900, 50 + made.LINE + below)])
    return [word.text for word in sheet.words]


@pytest.mark.parametrize(
    ("text", "line_at", "cut"),
    [
        ("Arrival dateOct. 5", 12, ["Arrival", "date", "Oct.", "5"]),
        ("Time required15 minutes", 14, ["Time", "required", "15", "minutes"]),
        ("Accompanied by (spouse)Ruth", 22, ["Accompanied", "by", "(spouse)", "Ruth"]),
        ("Rush?Yes", 5, ["Rush?", "Yes"]),
    ],
)
def test_a_word_is_parted_where_the_line_begins(text: str, line_at: float, cut: list[str]) -> None:
    assert words(text, line_at=line_at) == cut


@pytest.mark.parametrize(
    ("text", "line_at", "below"),
    [
        ("McDonald", 6, 2),  # the line begins elsewhere
        ("McDonald", 0, 2),  # under the whole word
        ("dateOct.", 4, -20),  # across it
        ("dateOct.", 4, 30),  # far below it
        ("Preparedby", 8, 2),  # no place to part it
        ("iPhone", 1, 2),  # a letter is no label's end
    ],
)
def test_other_words_stay_whole(text: str, line_at: float, below: int) -> None:
    assert words(text, line_at=line_at, below=below) == [text]


def test_what_is_parted_is_a_label_and_its_value() -> None:
    ruled = [(100 + 12 * made.LETTER, 900, 50 + made.LINE + 2)]
    found = find_pairs(made.sheet((100, 50, "Arrival dateOct. 5"), ruled=ruled))
    assert [(pair.key_text, pair.value_text) for pair in found] == [("Arrival date", "Oct. 5")]
