import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from ocr.sandbox import Sandbox, Unacceptable
from ocr.sandbox.refusals import CODES
from tests.sandbox import foreign


def refusal(sandbox: Sandbox, path: Path) -> Unacceptable:
    with pytest.raises(Unacceptable) as caught:
        sandbox.inspect(path)
    return caught.value


def sparse(path: Path, head: bytes, size: int) -> Path:
    foreign.write(path, head)
    with path.open("r+b") as file:
        file.truncate(size)
    return path


def half(path: Path) -> Path:
    content = foreign.picture(path, size=(600, 600)).read_bytes()
    return foreign.write(path, content[: len(content) // 2])


FILES: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "nothing": ("empty_file", lambda folder: foreign.write(folder / "a.pdf", b"")),
    "noise": ("unsupported_type", lambda folder: foreign.write(folder / "a.pdf", bytes(range(128, 256)))),
    "large jpeg": ("too_large", lambda folder: sparse(folder / "a", b"\xff\xd8\xff\xe0", 10 * 1024 * 1024 + 1)),
    "large pdf": ("too_large", lambda folder: sparse(folder / "a", b"%PDF-1.7\n", 500 * 1024 * 1024 + 1)),
    "many frames": ("too_many_pages", lambda folder: foreign.tiff(folder / "a.tif", frames=3_001)),
    "many pages": ("too_many_pages", lambda folder: foreign.pdf(folder / "a.pdf", boxes=("0 0 9 9",) * 3_001)),
    "large page": ("page_too_large", lambda folder: foreign.pdf(folder / "a.pdf", boxes=("0 0 99 99", "0 0 9001 9"))),
    "huge page": ("page_too_large", lambda folder: foreign.pdf(folder / "a.pdf", boxes=("0 0 1000000 1000000",))),
    "long picture": ("too_many_pixels", lambda folder: foreign.picture(folder / "a.png", size=(10_001, 2), mode="L")),
    "81 megapixels": ("too_many_pixels", lambda folder: foreign.png_header(folder / "a.png", 9_000, 9_000)),
    "10 gigapixels": ("too_many_pixels", lambda folder: foreign.png_header(folder / "a.png", 100_000, 100_000)),
    "password": ("password_protected", lambda folder: foreign.encrypted_pdf(folder / "a.pdf")),
    "half a jpeg": ("damaged", lambda folder: half(folder / "a.jpg")),
    "half a png": ("damaged", lambda folder: half(folder / "a.png")),
    "no pixels": ("damaged", lambda folder: foreign.png_header(folder / "a.png", 100, 100)),
    "only a header": ("damaged", lambda folder: foreign.write(folder / "a.pdf", b"%PDF-1.7\nnothing else")),
    "no area": ("damaged", lambda folder: foreign.pdf(folder / "a.pdf", boxes=("0 0 9 9]/CropBox[50 50 60 60",))),
    "no pages": ("no_pages", lambda folder: foreign.pdf(folder / "a.pdf", boxes=())),
    "interactive form": (
        "unsupported_type",
        lambda folder: foreign.pdf(folder / "a.pdf", extra="/NeedsRendering true/AcroForm<</Fields[]/XFA(x)>>"),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_each_limit_refuses_with_its_own_code(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    code, make = FILES[name]
    assert refusal(sandbox, make(tmp_path)).code == code


def test_files_at_the_limits_are_taken(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.inspect(foreign.picture(tmp_path / "a.png", size=(10_000, 3), mode="L"))
    sandbox.inspect(foreign.pdf(tmp_path / "a.pdf", boxes=("0 0 9000 9000",)))
    large = foreign.picture(tmp_path / "a.jpg")
    sandbox.inspect(sparse(large, large.read_bytes(), 10 * 1024 * 1024))


def archive(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name in names:
            made.writestr(name, "application/vnd.oasis.opendocument.text" if name == "mimetype" else "x" * 200)
    return content.getvalue()


def saved(kind: str) -> bytes:
    content = io.BytesIO()
    Image.new("L", (8, 8)).save(content, kind)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "This is a HEIC photo. Save it as JPEG, PNG, TIFF or PDF"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00", "This is a video"),
        (saved("WEBP"), "This is a WebP picture"),
        (saved("GIF"), "This is a GIF picture"),
        (saved("BMP"), "This is a BMP picture"),
        (saved("JPEG2000"), "This is a JPEG 2000 picture"),
        (archive("[Content_Types].xml", "_rels/.rels", "word/document.xml"), "This is a Word document. Save it as PDF"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), "This is an Excel workbook"),
        (archive("mimetype", "content.xml"), "This is an OpenDocument file"),
        (archive("scan-1.jpg"), "This is a ZIP archive. Unpack it"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "older Office program"),
        (b"<!DOCTYPE html><html></html>", "This is a web page"),
        (b'<?xml version="1.0"?>\n<!-- made -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', "This is an SVG drawing"),
        (b"<?xml version='1.0'?><invoice/>", "This is an XML file"),
        (b"Invoice 1\r\nTotal 12.00 \xe2\x82\xac\r\n", "This is a plain text file"),
        (b"From: ada@example.org\r\nSubject: invoice\r\n", "This is an e-mail"),
        (b"MZ\x90\x00", "This is a program"),
        (b"\x01\x02\x03\x04", "not a document that can be read here"),
    ],
)
def test_what_it_is_instead_is_named(sandbox: Sandbox, tmp_path: Path, content: bytes, words: str) -> None:
    found = refusal(sandbox, foreign.write(tmp_path / "customer.pdf", content))
    assert found.code == "unsupported_type"
    assert words in found.sentence


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_refusal_is_sentences_that_say_what_to_do(code: str) -> None:
    sentence = Unacceptable(code).sentence
    assert sentence.endswith(".")
    assert any(verb in sentence for verb in ("upload", "Upload"))
    assert not any(word in sentence.lower() for word in ("pillow", "pdfium", "error", "exception", "sandbox"))
