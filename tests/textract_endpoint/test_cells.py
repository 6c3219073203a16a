"""What ruled lines shut in: found in the picture."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from deploy.local.textract.cells import cells_of
from deploy.local.textract.grey import shrunk
from tests.textract_endpoint import drawn


def cells(image: Image.Image) -> list[tuple[int, int, int, int]]:
    """Left, top, right and bottom in pixels."""
    width, height = image.size
    found = cells_of(shrunk(np.ascontiguousarray(np.asarray(image)[:, :, ::-1])))
    return [
        (round(x0 * width), round(y0 * height), round(x1 * width), round(y1 * height))
        for (x0, y0), _, (x1, y1), _ in found
    ]


def grid(columns: tuple[int, ...], rows: tuple[int, ...], *texts: tuple[int, int, int, str]) -> Image.Image:
    image = drawn.picture(*texts)
    draw = ImageDraw.Draw(image)
    for left in columns:
        draw.line((left, rows[0], left, rows[-1]), fill="black", width=2)
    for top in rows:
        draw.line((columns[0], top, columns[-1], top), fill="black", width=2)
    return image


def near(found: tuple[int, int, int, int], sought: tuple[int, int, int, int]) -> bool:
    return all(abs(one - other) <= 4 for one, other in zip(found, sought, strict=True))


def test_the_cells_of_a_grid_are_found_row_by_row_with_what_stands_in_them() -> None:
    image = grid((100, 400, 900), (100, 180, 300), (110, 110, 26, "1 Wages"), (420, 200, 40, "Ada Lovelace"))
    found = cells(image)
    sought = [(100, 100, 400, 180), (400, 100, 900, 180), (100, 180, 400, 300), (400, 180, 900, 300)]
    assert len(found) == 4 and all(map(near, found, sought)), found


def test_a_cell_askew_by_half_a_degree_and_one_with_a_gap_in_its_line_are_found() -> None:
    image = grid((100, 400, 900), (100, 180, 300))
    ImageDraw.Draw(image).line((600, 180, 604, 180), fill="white", width=4)
    assert len(cells(image.rotate(0.5, Image.Resampling.BICUBIC, fillcolor="white"))) == 4


def test_text_underlines_and_open_frames_make_none() -> None:
    image = drawn.picture((60, 100, 40, "HEIGHT AND LENGTH OF ALL THE FILLED FIELDS"), (60, 200, 30, "Name"))
    draw = ImageDraw.Draw(image)
    draw.line((200, 235, 600, 235), fill="black", width=2)
    draw.line((100, 300, 900, 300), fill="black", width=2)
    draw.line((100, 300, 100, 400), fill="black", width=2)
    draw.line((100, 400, 900, 400), fill="black", width=2)
    assert cells(image) == []


def test_what_lies_around_other_cells_and_a_page_that_is_all_cells_are_none() -> None:
    image = grid((200, 500, 800), (200, 360, 520))
    ImageDraw.Draw(image).rectangle((100, 100, 900, 600), outline="black", width=2)
    assert len(cells(image)) == 4
    pattern = grid(tuple(range(20, 980, 25)), tuple(range(20, 700, 20)))
    assert cells(pattern) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3)])
def test_the_smallest_pictures_have_none(size: tuple[int, int]) -> None:
    assert cells(Image.new("RGB", size, "white")) == []
