"""The ruled lines of a page, and the words that the engine's text is cut into."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from deploy.local.textract.grey import shrunk
from deploy.local.textract.strokes import strokes_of
from tests.textract_endpoint import drawn, made


def strokes(image: Image.Image) -> list[tuple[int, int, int]]:
    """Left, right and height in pixels."""
    found = strokes_of(shrunk(np.ascontiguousarray(np.asarray(image)[:, :, ::-1])))
    width, height = image.size
    return [(round(s.begin[0] * width), round(s.end[0] * width), round(s.begin[1] * height)) for s in found]


def test_ruled_lines_are_found_and_text_is_none() -> None:
    image = drawn.picture((60, 100, 30, "HEIGHT AND LENGTH OF ALL THE FILLED FELT"), (60, 200, 30, "Name"))
    assert strokes(image) == []
    ImageDraw.Draw(image).line((200, 235, 600, 235), fill="black", width=2)
    ((left, right, height),) = strokes(image)
    assert abs(left - 200) <= 3 and abs(right - 600) <= 3 and abs(height - 235) <= 2


def test_a_line_a_little_askew_is_found() -> None:
    image = drawn.picture()
    ImageDraw.Draw(image).line((200, 300, 700, 306), fill="black", width=3)
    assert len(strokes(image)) == 1


def test_the_feet_of_a_word_s_letters_are_no_line_and_what_stands_under_or_across_it_is() -> None:
    word = (100, 100, "PROBLEMS")
    kept = {
        ruled: len(made.sheet(word, ruled=[ruled]).strokes)
        for ruled in ((110, 160, 112), (110, 160, 122), (110, 300, 112))
    }
    assert kept == {(110, 160, 112): 0, (110, 160, 122): 1, (110, 300, 112): 1}


def test_a_line_among_the_letters_of_a_text_is_none() -> None:
    text = (100, 100, "Percent volatile")
    kept = [len(made.sheet(text, ruled=[(105, right, 112)]).strokes) for right in (290, 600)]
    assert kept == [0, 1]


def test_dotted_lines_are_found_and_specks_are_none() -> None:
    image = drawn.picture(size=(1000, 1400))
    draw = ImageDraw.Draw(image)
    for left in range(200, 700, 8):
        draw.rectangle((left, 300 + left // 100, left + 2, 302 + left // 100), fill="black")  # a little askew
    for speck in range(400):
        x, y = speck * 7919 % 990, 400 + speck * 104729 % 900
        draw.rectangle((x, y, x + 2, y + 2), fill="black")
    ((left, right, height),) = strokes(image)
    assert abs(left - 200) <= 6 and abs(right - 700) <= 8 and abs(height - 303) <= 3


def test_a_page_that_is_all_lines_has_none() -> None:
    image = drawn.picture(size=(1000, 3000))
    for top in range(20, 2980, 6):
        ImageDraw.Draw(image).line((100, top, 900, top), fill="black", width=2)
    assert strokes(image) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3)])
def test_the_smallest_pictures_have_none(size: tuple[int, int]) -> None:
    assert strokes(Image.new("RGB", size, "white")) == []


@pytest.mark.parametrize(
    ("read", "words"),
    [
        ("Total: 47. 80", ["Total:", "47.80"]),
        ("No 3. 12/04/2026", ["No", "3.", "12/04/2026"]),
        ("Name: _Ada_Byron__", ["Name:", "Ada_Byron"]),
        ("____ 12", ["12"]),
    ],
)
def test_words_are_cut_where_an_eye_would(read: str, words: list[str]) -> None:
    from deploy.local.textract import engine

    assert [read[start:end].replace(" ", "") for start, end in engine._spans(read)] == words
