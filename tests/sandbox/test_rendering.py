import io
from pathlib import Path
from typing import cast

import pytest
from PIL import Image, features

from ocr.sandbox import Box, Rendering, Sandbox, Unacceptable
from tests.sandbox import foreign

DARK, LIGHT = 60, 200


def drawn(rendering: Rendering) -> Image.Image:
    image = Image.open(io.BytesIO(rendering.content), formats=["JPEG"])
    assert (image.width, image.height) == (rendering.width, rendering.height)
    assert rendering.content_type == "image/jpeg"
    return image.convert("L")


def dark_side(rendering: Rendering) -> str:
    image = drawn(rendering)
    width, height = image.size
    middles = {"left": (3, height // 2), "right": (width - 4, height // 2), "top": (width // 2, 3)}
    middles["bottom"] = (width // 2, height - 4)
    values = {side: cast(float, image.getpixel(point)) for side, point in middles.items()}  # grey: one number
    dark = [side for side, value in values.items() if value < DARK]
    assert len(dark) == 1, values
    assert all(value > LIGHT for side, value in values.items() if side not in dark), values
    return dark[0]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_becomes_a_page(sandbox: Sandbox, tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    if mode == "I;16":
        eight = Image.open(foreign.picture(tmp_path / "eight.png", mode="L"))
        eight.convert("I").point(lambda value: value * 257).convert(mode).save(path)
    else:
        foreign.picture(path, mode=mode)
    assert dark_side(sandbox.render(path, page=1, content_type="image/png")) == "left"


@pytest.mark.parametrize(
    ("mode", "compression"),
    [
        ("1", "group4"),
        ("1", "group3"),
        ("L", "tiff_lzw"),
        ("CMYK", "raw"),
        ("RGB", "jpeg"),
        ("F", "raw"),
        ("LAB", "raw"),
    ],
)
def test_every_kind_of_tiff_becomes_a_page(sandbox: Sandbox, tmp_path: Path, mode: str, compression: str) -> None:
    assert features.check("libtiff")
    path = tmp_path / "a.tif"
    if mode == "LAB":
        Image.merge(
            "LAB", [Image.open(foreign.picture(tmp_path / "l.png", mode="L")), *[Image.new("L", (120, 80), 128)] * 2]
        ).save(path)
    else:
        foreign.picture(path, mode=mode, compression=compression)
    assert dark_side(sandbox.render(path, page=1, content_type="image/tiff")) == "left"


def test_a_cmyk_jpeg_becomes_a_page(sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.picture(tmp_path / "a.jpg", mode="CMYK")
    assert dark_side(sandbox.render(path, page=1, content_type="image/jpeg")) == "left"


def test_what_is_transparent_is_white(sandbox: Sandbox, tmp_path: Path) -> None:
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "a.png")
    shown = drawn(sandbox.render(tmp_path / "a.png", page=1, content_type="image/png"))
    assert shown.getextrema() == (255, 255)


@pytest.mark.parametrize(("orientation", "side"), [(1, "left"), (2, "right"), (3, "right"), (6, "top"), (8, "bottom")])
def test_the_camera_turned_is_turned_back(sandbox: Sandbox, tmp_path: Path, orientation: int, side: str) -> None:
    for name, content_type in (("a.jpg", "image/jpeg"), ("a.png", "image/png"), ("a.tif", "image/tiff")):
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = foreign.picture(tmp_path / name, exif=exif)
        assert dark_side(sandbox.render(path, page=1, content_type=content_type)) == side, name


@pytest.mark.parametrize(("rotation", "side"), [(0, "left"), (90, "top"), (180, "right"), (270, "bottom")])
def test_rotation_turns_clockwise(sandbox: Sandbox, tmp_path: Path, rotation: int, side: str) -> None:
    picture, sheet = foreign.picture(tmp_path / "a.png"), foreign.pdf(tmp_path / "a.pdf")
    assert dark_side(sandbox.render(picture, page=1, content_type="image/png", rotation=rotation)) == side
    assert dark_side(sandbox.render(sheet, page=1, content_type="application/pdf", rotation=rotation)) == side


def test_every_frame_of_a_tiff_is_a_page_of_its_own(sandbox: Sandbox, tmp_path: Path) -> None:
    frames = [Image.new("L", (50 + number, 40), 100 * number) for number in range(3)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    pages = [sandbox.render(tmp_path / "a.tif", page=page, content_type="image/tiff") for page in (1, 2, 3)]
    assert [page.width for page in pages] == [50, 51, 52]
    assert [drawn(page).getpixel((5, 5)) for page in pages] == pytest.approx([0, 100, 200], abs=4)


def test_a_pdf_page_is_drawn_at_the_resolution_asked_for(sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.pdf(tmp_path / "a.pdf", boxes=("0 0 720 360",))
    page = sandbox.render(path, page=1, content_type="application/pdf", dpi=100)
    assert (page.width, page.height) == pytest.approx((1000, 500), abs=1)


@pytest.mark.parametrize(("box", "dpi"), [("0 0 9000 9000", 150), ("0 0 9000 9", 1200), ("0 0 612 792", 1200)])
def test_no_pdf_page_is_drawn_larger_than_the_limits(sandbox: Sandbox, tmp_path: Path, box: str, dpi: int) -> None:
    path = foreign.pdf(tmp_path / "a.pdf", boxes=(box,))
    page = sandbox.render(path, page=1, content_type="application/pdf", dpi=dpi)
    assert max(page.width, page.height) <= 4_000
    assert page.width * page.height <= 16_000_000


@pytest.mark.parametrize(("size", "expected"), [((9_000, 3_000), (4_000, 1_333)), ((5_000, 10), (4_000, 8))])
def test_a_large_picture_is_brought_down_to_the_limits(
    sandbox: Sandbox, tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    path = foreign.picture(tmp_path / "a.jpg", size=size, mode="L")
    page = sandbox.render(path, page=1, content_type="image/jpeg")
    assert (page.width, page.height) == expected
    assert dark_side(page) == "left" if size[1] > 100 else True


def test_a_small_side_may_be_asked_for_and_nothing_is_enlarged(sandbox: Sandbox, tmp_path: Path) -> None:
    large, small = foreign.picture(tmp_path / "a.png", size=(1_200, 800)), foreign.picture(tmp_path / "b.png")
    thumbnail = sandbox.render(large, page=1, content_type="image/png", max_side=300)
    same = sandbox.render(small, page=1, content_type="image/png", max_side=300)
    assert (thumbnail.width, thumbnail.height) == (300, 200)
    assert (same.width, same.height) == (120, 80)


@pytest.mark.parametrize("name", ["a.png", "a.pdf"])
@pytest.mark.parametrize(("rotation", "side"), [(0, "left"), (90, "top"), (180, "right"), (270, "bottom")])
def test_a_piece_is_cut_from_the_page_as_it_is_shown(
    sandbox: Sandbox, tmp_path: Path, name: str, rotation: int, side: str
) -> None:
    picture = foreign.picture(tmp_path / "a.png", size=(200, 100))
    path = picture if name == "a.png" else foreign.pdf(tmp_path / name)
    content_type = sandbox.inspect(path).content_type
    whole = sandbox.render(path, page=1, content_type=content_type, rotation=rotation, dpi=72)
    near: dict[str, Box] = {
        "left": (0, 0, 0.8, 1),
        "top": (0, 0, 1, 0.8),
        "right": (0.2, 0, 1, 1),
        "bottom": (0, 0.2, 1, 1),
    }
    left, top, right, bottom = near[side]
    piece = sandbox.render(path, page=1, content_type=content_type, rotation=rotation, dpi=72, box=near[side])
    assert dark_side(piece) == side
    assert abs(piece.width - whole.width * (right - left)) <= 2, "at the scale of the page"
    assert abs(piece.height - whole.height * (bottom - top)) <= 2
    far: Box = (
        0.4 * (left == 0) * (right < 1),
        0.4 * (top == 0) * (bottom < 1),
        1 - 0.4 * (left > 0),
        1 - 0.4 * (top > 0),
    )
    light = drawn(sandbox.render(path, page=1, content_type=content_type, rotation=rotation, dpi=72, box=far))
    assert cast(float, light.getextrema()[0]) > LIGHT


@pytest.mark.parametrize("name", ["a.png", "a.pdf"])
def test_the_smallest_piece_still_is_a_picture(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    path = foreign.pdf(tmp_path / name) if name == "a.pdf" else foreign.picture(tmp_path / name)
    content_type = sandbox.inspect(path).content_type
    piece = sandbox.render(path, page=1, content_type=content_type, box=(0.999999, 0.0, 1.0, 0.000001))
    assert drawn(piece).size[0] in (1, 2)


def test_a_thumbnail_comes_with_its_page(sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.picture(tmp_path / "a.png", size=(1_200, 900))
    page = sandbox.render(path, page=1, content_type="image/png", thumbnail_side=300, patient=True)
    assert page.thumbnail
    assert ((page.width, page.height), (page.thumbnail.width, page.thumbnail.height)) == ((1_200, 900), (300, 225))
    assert (dark_side(page), dark_side(page.thumbnail)) == ("left", "left")
    small = sandbox.render(path, page=1, content_type="image/png", max_side=200, thumbnail_side=300)
    assert small.thumbnail and (small.thumbnail.width, small.width) == (200, 200), "nothing is enlarged"


def test_no_metadata_leaves(sandbox: Sandbox, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    path = foreign.picture(tmp_path / "a.jpg", exif=exif, comment=b"secret comment")
    content = sandbox.render(path, page=1, content_type="image/jpeg").content
    assert b"secret" in path.read_bytes()
    assert b"secret" not in content
    assert all(chunk not in content for chunk in (b"EXIF", b"XMP ", b"ICCP"))


def test_broken_metadata_does_not_spoil_a_sound_picture(sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.picture(tmp_path / "a.jpg", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert dark_side(sandbox.render(path, page=1, content_type="image/jpeg")) == "left"


@pytest.mark.parametrize("name", ["a.pdf", "a.png", "a.tif"])
def test_a_page_that_is_not_there_is_the_callers_mistake(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    path = foreign.pdf(tmp_path / name) if name == "a.pdf" else foreign.picture(tmp_path / name)
    content_type = sandbox.inspect(path).content_type
    with pytest.raises(ValueError, match="no page"):
        sandbox.render(path, page=2, content_type=content_type)


def test_a_type_that_does_not_fit_the_content_is_not_tried_as_another(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(Unacceptable) as refusal:
        sandbox.render(foreign.picture(tmp_path / "a.png"), page=1, content_type="image/tiff")
    assert refusal.value.code == "damaged"


@pytest.mark.parametrize(
    "wrong",
    [
        {"rotation": 45},
        {"page": 0},
        {"dpi": 0},
        {"content_type": "image/gif"},
        {"max_side": 0},
        {"box": (0.5, 0, 0.5, 1)},
        {"box": (0, 0, 1.1, 1)},
        {"box": (float("nan"), 0, 1, 1)},
    ],
)
def test_arguments_out_of_range_are_refused_before_anything_starts(tmp_path: Path, wrong: dict[str, object]) -> None:
    unused = Sandbox()
    arguments: dict[str, object] = {"page": 1, "content_type": "image/png"} | wrong
    with pytest.raises(ValueError, match="must|unknown"):
        unused.render(foreign.picture(tmp_path / "a.png"), **arguments)  # type: ignore[arg-type]
    assert unused.zygote_pid is None
