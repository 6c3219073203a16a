"""What the engine makes of print that its recogniser gets nearly right."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import samples

FONT = ImageFont.truetype(Path(samples.__file__).parent / "fonts" / "LiberationSans-Regular.ttf", 28)


@cache
def _engine() -> Any:
    from deploy.local.textract.engine import Engine

    return Engine()


def _read(first: str, second: str, *, apart: float) -> list[tuple[str, bool]]:
    """What is read of two numbers, so many digits apart, with words around them; and whether it is read surely."""
    image = Image.new("RGB", (900, 400), "white")
    pen = ImageDraw.Draw(image)
    pen.text((60, 60), "Total of the table", font=FONT, fill="black")
    pen.text((500, 60), first, font=FONT, fill="black")
    pen.text((500 + FONT.getlength(first) + apart * FONT.getlength("0"), 60), second, font=FONT, fill="black")
    page = _engine().read(np.ascontiguousarray(np.asarray(image)[:, :, ::-1]))
    return [(word.text, word.confidence >= 95) for line in page.lines for word in line.words if word.text[0].isdigit()]


@pytest.mark.engine
@pytest.mark.parametrize(("whole", "cents"), [("47", "80"), ("190", "00")])
def test_the_point_of_an_amount_that_cannot_be_seen_is_set_and_doubted(whole: str, cents: str) -> None:
    assert _read(whole, cents, apart=0.35) == [(f"{whole}.{cents}", False)]
    assert _read(whole, cents, apart=1.0) == [(whole, True), (cents, True)]


@pytest.mark.engine
def test_two_numbers_that_are_no_amount_stay_apart() -> None:
    assert _read("47", "801", apart=0.35) == [("47", True), ("801", True)]


@pytest.mark.engine
@pytest.mark.parametrize("turned", [0, 180])
def test_rows_of_asterisks_do_not_say_which_way_up_a_page_is(turned: int) -> None:
    image = Image.new("RGB", (900, 1400), "white")
    pen = ImageDraw.Draw(image)
    for row in range(10):
        pen.text((40, 40 + 130 * row), "*" * 50, font=FONT, fill="black")
        pen.text((40, 100 + 130 * row), f"Article {row} 12.50", font=FONT, fill="black")
    pixels = np.asarray(image.rotate(turned))[:, :, ::-1]
    page = _engine().read(np.ascontiguousarray(pixels))
    assert page.rotation == turned
    assert "Article" in {word.text for line in page.lines for word in line.words}
