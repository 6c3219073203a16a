from pathlib import Path

import pytest
from PIL import Image

from ocr.sandbox import Inspection, PageSize, Sandbox
from tests.sandbox import foreign


@pytest.mark.parametrize(
    ("name", "content_type"), [("a.jpg", "image/jpeg"), ("a.png", "image/png"), ("a.tif", "image/tiff")]
)
def test_it_tells_the_type_and_size_of_a_picture(
    sandbox: Sandbox, tmp_path: Path, name: str, content_type: str
) -> None:
    found = sandbox.inspect(foreign.picture(tmp_path / name))
    assert found == Inspection(content_type, 1, (PageSize(120, 80),))


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.pdf"])
def test_bytes_say_the_same_as_a_file(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    path = foreign.pdf(tmp_path / name) if name.endswith("pdf") else foreign.picture(tmp_path / name)
    assert sandbox.inspect(path.read_bytes()) == sandbox.inspect(path)


def test_it_tells_the_points_of_every_pdf_page(sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.pdf(tmp_path / "a.pdf", boxes=("0 0 595.28 841.89", "0 0 100 50"))
    assert sandbox.inspect(path) == Inspection("application/pdf", 2, (PageSize(595, 842), PageSize(100, 50)))


def test_it_counts_the_frames_of_a_tiff(sandbox: Sandbox, tmp_path: Path) -> None:
    assert sandbox.inspect(foreign.tiff(tmp_path / "a.tif", frames=3_000)).page_count == 3_000


def test_it_believes_the_content_and_not_the_name(sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.picture(tmp_path / "a.png")
    assert sandbox.inspect(path.rename(tmp_path / "a.pdf")).content_type == "image/png"


@pytest.mark.parametrize("before", [b"", b"\r\n", b"%comment " * 50])
def test_a_pdf_header_may_stand_a_little_later(sandbox: Sandbox, tmp_path: Path, before: bytes) -> None:
    path = foreign.pdf(tmp_path / "a.pdf")
    path.write_bytes(before + path.read_bytes())
    assert sandbox.inspect(path).content_type == "application/pdf"


def test_sizes_are_those_of_the_upright_page(sandbox: Sandbox, tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "a.tif"):
        exif = Image.Exif()
        exif[0x0112] = 6
        path = foreign.picture(tmp_path / name, exif=exif)
        assert sandbox.inspect(path).pages == (PageSize(80, 120),), name


def test_a_file_that_is_not_there_is_an_ordinary_error(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sandbox.inspect(tmp_path / "gone.pdf")


def test_only_regular_files_are_opened(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="regular"):
        sandbox.inspect(tmp_path)
