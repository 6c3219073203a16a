"""Ordinary pictures are known by their outline; whatever is not quite ordinary goes to the child, and both say the same."""

import io
import os
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ocr.sandbox import Inspection, PageSize, Sandbox, Unacceptable, plain

SHARED = Path(os.environ.get("DTAT_SHARED", Path(__file__).resolve().parents[3] / "shared"))
PICTURES = SHARED / "data" / "documents"


def picture(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> Image.Image:
    return Image.effect_noise(size, 40).convert(mode)


def saved(kind: str, mode: str = "RGB", size: tuple[int, int] = (60, 40), **options: object) -> bytes:
    stream = io.BytesIO()
    picture(mode, size).save(stream, kind, **options)
    return stream.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_chunk(name: bytes, data: bytes) -> bytes:
    content = saved("PNG")
    return content[:33] + chunk(name, data) + content[33:]


def text(*, zip: bool = False, **words: str) -> PngInfo:
    info = PngInfo()
    for name, value in words.items():
        info.add_text(name, value, zip=zip)
    return info


def with_segment(marker: int, data: bytes, content: bytes = saved("JPEG")) -> bytes:
    return content[:2] + struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data + content[2:]


ORDINARY = {
    "jpeg": saved("JPEG"),
    "grey jpeg": saved("JPEG", "L"),
    "progressive jpeg": saved("JPEG", progressive=True),
    "turned jpeg": saved("JPEG", exif=turned(6)),
    "jpeg with a profile": saved("JPEG", icc_profile=b"profile" * 100),
    "jpeg with a comment": saved("JPEG", comment=b"scanned"),
    "jpeg and something behind it": saved("JPEG") + bytes(1000),
    "blank jpeg": saved("JPEG", size=(1, 1)),
    "png": saved("PNG"),
    "black and white png": saved("PNG", "1"),
    "grey png": saved("PNG", "L"),
    "deep png": saved("PNG", "I;16"),
    "png with colours": saved("PNG", "P"),
    "png with glass": saved("PNG", "RGBA"),
    "grey png with glass": saved("PNG", "LA"),
    "turned png": saved("PNG", exif=turned(8)),
    "png with words": saved("PNG", pnginfo=text(Title="A receipt")),
    "png with resolution": saved("PNG", dpi=(300, 300)),
}
JPEG, PNG = ORDINARY["jpeg"], ORDINARY["png"]
EXIF = b"Exif\0\0" + turned(6).tobytes().removeprefix(b"Exif\0\0")

# What a program may make and a person may send, but not every day.
UNUSUAL = {
    "four inks": saved("JPEG", "CMYK"),
    "several pictures": saved("MPO", save_all=True, append_images=[picture()]),
    "twice turned": with_segment(0xE1, EXIF, saved("JPEG", exif=turned(3))),
    "turned elsewhere": with_segment(0xE1, b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="6"/>'),
    "exif with a hole": with_segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
    "exif without an order": with_segment(0xE1, b"Exif\0\0hello there"),
    "exif of 60,000 entries": with_segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\x60\xea" + bytes(60_000)),
    "packed words": saved("PNG", pnginfo=text(zip=True, Title="A receipt")),
    "moving": saved("PNG", save_all=True, append_images=[picture()]),
    "png with a profile": saved("PNG", icc_profile=b"profile" * 100),
    "a chunk nobody knows": with_chunk(b"vpAg", b"\0"),
    "exif as words": with_chunk(b"tEXt", b"Raw profile type exif\0" + b"00" * 20),
    "25 megapixels": saved("PNG", "1", (5_000, 5_000)),
    "many chunks": PNG[:33] + chunk(b"tEXt", b"a\0b") * plain.MOST_PARTS + PNG[33:],
    "no end": JPEG[:-2] + bytes(20),
    "no pixels in the scan": JPEG[: JPEG.index(b"\xff\xda") + 14] + b"\xff\xd9",
    "many segments": JPEG[:2] + b"\xff\xfe\x00\x02" * plain.MOST_PARTS + JPEG[2:],
}

DAMAGED: dict[str, bytes] = {
    "no tables": JPEG.replace(b"\xff\xdb", b"\xff\xfe").replace(b"\xff\xc4", b"\xff\xfe"),
    "no scan": JPEG[: JPEG.index(b"\xff\xda")] + b"\xff\xd9",
    "no pixel chunk": PNG[:33] + chunk(b"IEND", b""),
    "far too few pixels": PNG[:33].replace(struct.pack(">I", 60), struct.pack(">I", 4000)) + PNG[33:],
    "pixels that are no deflate": PNG[:33] + chunk(b"IDAT", bytes(5000)) + chunk(b"IEND", b""),
    "unknown depth": PNG[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 60, 40, 7, 2, 0, 0, 0)) + PNG[33:],
}


def at_child(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, path: Path) -> Inspection | str:
    with monkeypatch.context() as patch:
        patch.setattr(plain, "is_candidate", lambda head: False)
        try:
            return sandbox.inspect(path)
        except Unacceptable as refusal:
            return refusal.code


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_picture_is_known_and_the_child_agrees(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    found = plain.inspect(ORDINARY[name])
    assert found is not None
    path = tmp_path / "a"
    path.write_bytes(ORDINARY[name])
    assert at_child(sandbox, monkeypatch, path) == found


@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_picture_is_the_childs_to_judge(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    assert plain.inspect(UNUSUAL[name]) is None
    path = tmp_path / "a"
    path.write_bytes(UNUSUAL[name])
    assert sandbox.inspect(path).page_count >= 1


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_picture_is_refused_by_the_child(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    assert plain.inspect(DAMAGED[name]) is None
    path = tmp_path / "a"
    path.write_bytes(DAMAGED[name])
    with pytest.raises(Unacceptable) as refusal:
        sandbox.inspect(path)
    assert refusal.value.code == "damaged"


def test_no_child_is_needed_for_ordinary_pictures(own_sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(saved("JPEG", size=(120, 80)))
    assert own_sandbox.inspect(tmp_path / "a") == Inspection("image/jpeg", 1, (PageSize(120, 80),))
    assert own_sandbox.zygote_pid is None
    (tmp_path / "a").write_bytes(UNUSUAL["four inks"])
    assert own_sandbox.inspect(tmp_path / "a").page_count == 1
    assert own_sandbox.zygote_pid is not None


@pytest.mark.parametrize("name", ORDINARY)
def test_no_part_of_a_picture_is_taken_for_a_whole_one(name: str) -> None:
    content = ORDINARY[name].removesuffix(bytes(1000))
    assert not [length for length in range(len(content)) if plain.inspect(content[:length])]


@pytest.mark.parametrize("name", [name for name in ORDINARY if "png" in name])
def test_no_changed_byte_of_a_png_goes_unnoticed(name: str) -> None:
    content = bytearray(ORDINARY[name])
    for place in range(len(content)):
        content[place] ^= 0x11
        assert plain.inspect(bytes(content)) is None, place
        content[place] ^= 0x11


@pytest.mark.parametrize("name", ORDINARY)
def test_garbage_is_an_answer_within_the_limits_or_none(name: str) -> None:
    chance = random.Random(name)
    for _ in range(300):
        content = bytearray(ORDINARY[name])
        for _change in range(chance.randint(1, 12)):
            content[chance.randrange(min(700, len(content)))] = chance.choice(
                (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
            )
        found = plain.inspect(bytes(content))
        assert found is None or found.pages[0].width * found.pages[0].height <= plain.MOST_PIXELS


@pytest.mark.skipif(not PICTURES.is_dir(), reason="the shared collection of documents is not here")
def test_of_real_and_hostile_files_the_child_says_the_same(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [path for path in sorted(PICTURES.rglob("*")) if path.suffix.lower() in {".jpg", ".jpeg", ".png"}]
    chosen = [*random.Random(1).sample(files, min(60, len(files))), *(p for p in files if "hostile" in p.parts)]
    known: Callable[[Path], Inspection | None] = lambda path: plain.inspect(path.read_bytes())  # noqa: E731
    answers = {path: found for path in chosen if (found := known(path))}
    assert len(answers) > 20
    assert {path: at_child(sandbox, monkeypatch, path) for path in answers} == answers
