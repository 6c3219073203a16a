"""The text layer of a PDF as an answer of Textract's shape, and which text layers are believed at all."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ocr import extraction, textract
from ocr.sandbox import PageText, PrintedWord
from ocr.textlayer import answer, is_sound


def word(text: str, left: float, top: float, line: int, *, width: float = 0.1, height: float = 0.01) -> PrintedWord:
    return PrintedWord(text, left, top, left + width, top + height, line)


PAGE = PageText(
    (
        word("Total:", 0.1, 0.5, 0),
        word("9.00", 0.205, 0.5, 0),
        word("far", 0.6, 0.5, 0),  # the file says it is the same line; a column lies between
        word("Heading", 0.1, 0.1, 1),
        word("below", 0.1, 0.3, 1),  # ... and this one jumps
    ),
    hidden=0.0,
    pictures=0.0,
)


def blocks(*pages: PageText) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(answer(pages))["Blocks"]
    return found


def texts(kind: str, *pages: PageText) -> list[str]:
    return [block["Text"] for block in blocks(*pages) if block["BlockType"] == kind]


def test_lines_are_cut_at_columns_and_come_in_reading_order() -> None:
    assert texts("LINE", PAGE) == ["Heading", "below", "Total: 9.00", "far"]
    assert texts("WORD", PAGE) == ["Heading", "below", "Total:", "9.00", "far"]


def test_it_is_a_whole_answer_that_reads_as_any_other() -> None:
    checked = textract.checked(answer([PAGE, PAGE]), operation="TextLayer")
    textract.check_complete(checked, expected_pages=2)
    words = extraction.words(block for block in checked.blocks if block["Page"] == 2)
    assert [each.text for each in words] == ["Heading", "below", "Total:", "9.00", "far"]
    assert words[3].box == extraction.Box(0.205, 0.5, 0.1, 0.01)
    assert len({block["Id"] for block in checked.blocks}) == len(checked.blocks)


def test_the_same_pages_give_the_same_bytes() -> None:
    assert answer([PAGE]) == answer([PAGE])


def test_a_page_without_words_is_a_page() -> None:
    (block,) = blocks(PageText((), 0.0, 0.0))
    assert (block["BlockType"], block["Page"]) == ("PAGE", 1)


LONG = PageText(tuple(word("enough", 0.1, 0.1 * n, n) for n in range(5)), 0.0, 0.0)


@pytest.mark.parametrize(
    ("page", "believed"),
    [
        (LONG, True),
        (replace(LONG, words=LONG.words[:3]), False),  # a stamp over a scan
        (replace(LONG, hidden=0.5), False),  # what a scanner guessed
        (replace(LONG, pictures=0.9), False),
        (replace(LONG, pictures=0.3), True),  # a logo
        (replace(LONG, words=(*LONG.words, word("\ufffd\ue000", 0.1, 0.9, 6))), False),  # a font without a proper table
    ],
)
def test_only_what_the_maker_wrote_is_believed(page: PageText, *, believed: bool) -> None:
    assert is_sound(page) is believed
