"""How many pages files have, told without opening them."""

import io

import pytest
from PIL import Image

from deploy.local.textract.simulator.counting import pages_in
from tests.textract_endpoint import drawn


def tiff(pages: int) -> bytes:
    first, *others = [Image.new("L", (8, 8), number) for number in range(pages)]
    stream = io.BytesIO()
    first.save(stream, "TIFF", save_all=True, append_images=others)
    return stream.getvalue()


@pytest.mark.parametrize("pages", [1, 2, 7])
def test_pages_of_tiff_and_pdf_files(pages: int) -> None:
    notes = [drawn.note(f"page {number}") for number in range(pages)]
    assert pages_in(tiff(pages), "TIFF") == pages
    assert pages_in(drawn.pages(*notes), "PDF") == pages


def test_a_picture_is_a_page() -> None:
    assert pages_in(b"", "PNG") == pages_in(b"", "JPEG") == 1


@pytest.mark.parametrize("broken", [b"II*\x00", b"II*\x00\xff\xff\xff\xff", b"MM\x00*\x00\x00\x00\x00"])
def test_a_broken_chain_tells_nothing(broken: bytes) -> None:
    assert pages_in(broken, "TIFF") is None


def test_a_chain_that_bites_its_tail_ends() -> None:
    loop = b"II*\x00\x08\x00\x00\x00" + b"\x00\x00" + b"\x08\x00\x00\x00"
    assert pages_in(loop, "TIFF") == 1


def test_a_pdf_with_hidden_pages_tells_by_its_tree_or_not_at_all() -> None:
    assert pages_in(b"%PDF-1.7 /Type /Pages /Count 12 >>", "PDF") == 12
    assert pages_in(b"%PDF-1.7 compressed", "PDF") is None
