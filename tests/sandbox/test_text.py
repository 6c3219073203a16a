"""What the sandbox says of a PDF's text layer."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from ocr.sandbox import Limits, PageText, Sandbox, Unacceptable
from tests.sandbox import foreign

SHOWN = "BT /F 10 Tf 20 70 Td (Total:9.00 at 10:30) Tj 0 -20 Td (Second line) Tj ET"


def only(pages: tuple[PageText, ...]) -> PageText:
    (page,) = pages
    return page


def test_words_come_with_their_lines_and_boxes_of_the_upright_page(sandbox: Sandbox, tmp_path: Path) -> None:
    page = only(sandbox.text(foreign.text_pdf(tmp_path / "a.pdf", SHOWN), first=1, last=1))
    assert [(word.text, word.line) for word in page.words] == [
        ("Total:", 0), ("9.00", 0), ("at", 0), ("10:30", 0), ("Second", 1), ("line", 1),
    ]  # fmt: skip
    total, value = page.words[:2]
    assert total.left == pytest.approx(0.1, abs=0.01)
    assert total.top == pytest.approx(0.2, abs=0.05) and total.bottom == pytest.approx(0.3, abs=0.05)
    assert total.right <= value.left + 0.01
    assert (page.hidden, page.pictures) == (0, 0)


@pytest.mark.parametrize(
    ("rotate", "left", "top"), [(0, 0.1, 0.22), (90, 0.69, 0.1), (180, 0.62, 0.68), (270, 0.22, 0.62)]
)
def test_a_page_that_the_file_turns_is_upright(
    sandbox: Sandbox, tmp_path: Path, rotate: int, left: float, top: float
) -> None:
    path = foreign.text_pdf(tmp_path / "a.pdf", "BT /F 10 Tf 20 70 Td (Turned word) Tj ET", rotate=rotate)
    page = only(sandbox.text(path, first=1, last=1))
    assert min(word.left for word in page.words) == pytest.approx(left, abs=0.04)
    assert min(word.top for word in page.words) == pytest.approx(top, abs=0.04)


def test_places_are_those_of_the_page_that_is_shown(sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.text_pdf(tmp_path / "a.pdf", SHOWN, crop="10 40 110 100")
    word = only(sandbox.text(path, first=1, last=1)).words[0]
    assert word.left == pytest.approx(0.1, abs=0.01)  # ten points into a hundred


def test_what_is_drawn_invisibly_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.text_pdf(tmp_path / "a.pdf", "BT 3 Tr /F 10 Tf 20 70 Td (What a scanner guessed) Tj ET")
    assert only(sandbox.text(path, first=1, last=1)).hidden == pytest.approx(1, abs=0.2)


def test_what_only_the_font_understands_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.digital_pdf(tmp_path / "a.pdf", ["Total: 12.50"], says={"1": "\ue000", "5": "9"})
    page = only(sandbox.text(path, first=1, last=1))
    assert [word.text for word in page.words] == ["Total:", "\ue0002.90"]


def test_the_pages_asked_for_are_answered(sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.text_pdf(tmp_path / "a.pdf", SHOWN, pages=3)
    assert len(sandbox.text(path, first=2, last=3)) == 2
    with pytest.raises(ValueError, match="page"):
        sandbox.text(path, first=3, last=4)
    with pytest.raises(ValueError, match="count from 1"):
        sandbox.text(path, first=0, last=1)


def test_a_page_without_text_says_so(sandbox: Sandbox, tmp_path: Path) -> None:
    assert only(sandbox.text(foreign.pdf(tmp_path / "a.pdf"), first=1, last=1)).words == ()


def test_a_file_that_cannot_be_opened_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(Unacceptable, match="password"):
        sandbox.text(foreign.encrypted_pdf(tmp_path / "a.pdf"), first=1, last=1)
    with pytest.raises(Unacceptable):
        sandbox.text(foreign.write(tmp_path / "b.pdf", b"%PDF-1.7 nothing"), first=1, last=1)


def test_a_bomb_costs_one_child(tmp_path: Path) -> None:
    sandbox = Sandbox(Limits(cpu_seconds=1))
    try:
        with pytest.raises(Unacceptable):
            sandbox.text(foreign.flate_bomb(tmp_path / "a.pdf"), first=1, last=1)
        assert only(sandbox.text(foreign.text_pdf(tmp_path / "b.pdf", SHOWN), first=1, last=1)).words
    finally:
        sandbox.close()


def test_pieces_of_a_page_stand_on_one_sheet(sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.picture(tmp_path / "a.png")  # black on its left
    boxes = [(0.0, 0.2, 0.2, 0.4), (0.6, 0.2, 0.9, 0.4)]
    sheet = sandbox.crops(path, page=1, content_type="image/png", boxes=boxes)
    picture = Image.open(io.BytesIO(sheet.content))
    means = []
    for top, bottom in sheet.bands:
        band = picture.crop((30, round(top * picture.height) + 2, 60, round(bottom * picture.height) - 2))
        means.append(ImageStat.Stat(band).mean[0])
    assert means[0] < 40 and means[1] > 250
    assert sheet.bands[0][1] < sheet.bands[1][0]


@pytest.mark.parametrize("boxes", [[], [(0.5, 0.1, 0.4, 0.2)], [(0.1, 0.1, 1.2, 0.2)], [(0.1, 0.1, 0.2, 0.2)] * 41])
def test_pieces_lie_within_the_page(
    sandbox: Sandbox, tmp_path: Path, boxes: list[tuple[float, float, float, float]]
) -> None:
    with pytest.raises(ValueError, match="40 boxes"):
        sandbox.crops(foreign.picture(tmp_path / "a.png"), page=1, content_type="image/png", boxes=boxes)


def test_forty_pieces_fit_into_one_order(sandbox: Sandbox, tmp_path: Path) -> None:
    boxes = [(n / 50 + 0.000123456789, 0.123456789123, n / 50 + 0.0198765432, 0.2345678912345) for n in range(40)]
    path = foreign.picture(tmp_path / "a.png")
    assert len(sandbox.crops(path, page=1, content_type="image/png", boxes=boxes).bands) == 40
