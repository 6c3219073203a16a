"""Documents opened and turned into pictures. Used in children only: a hostile file may abort the process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_raw
from PIL import Image, ImageOps, UnidentifiedImageError

from deploy.local.textract.refusals import Refusal, bad_document, too_large, unsupported

Image.MAX_IMAGE_PIXELS = None  # replaced by our own limits, which refuse where Pillow only warns

DPI = 200
MAX_RENDERED_PIXELS = 16_000_000
MAX_IMAGE_SIDE = 10_000
MAX_IMAGE_PIXELS = 100_000_000
MAX_POINTS = 9_000
MAX_PAGES = 3_000
STRIP = 32
"""Pixels under which a picture is a strip without room for text; such a page is empty, however long it is."""

ENCRYPTED = "The document is encrypted. Remove its password and send it again."


def count_pages(path: Path, kind: str) -> int:
    """How many pages the document has. Raises Refusal when it cannot or may not be read."""
    pages = _pdf_pages(path) if kind == "PDF" else _image_pages(path, kind)
    if pages > MAX_PAGES:
        raise too_large(f"The document has {pages} pages and the limit is {MAX_PAGES:,}. Split it.")
    return pages


def picture_of(path: Path, kind: str, page: int) -> npt.NDArray[np.uint8]:
    """One page (counting from 1) as pixels, blue first, upright as its file says. Raises Refusal."""
    image = _rendered(path, page) if kind == "PDF" else _decoded(path, kind, page)
    return np.ascontiguousarray(np.asarray(_shrunk(image))[:, :, ::-1])


@contextmanager
def _pdf(path: Path) -> Iterator[pdfium.PdfDocument]:
    try:
        with pdfium.PdfDocument(path) as document:
            yield document
    except pdfium.PdfiumError as error:
        password = "password" in str(error).lower() or "security" in str(error).lower()
        raise bad_document(ENCRYPTED if password else "The PDF is damaged. Print it to a new PDF.") from error


def _pdf_pages(path: Path) -> int:
    with _pdf(path) as document:
        if document.get_formtype() in (pdfium_raw.FORMTYPE_XFA_FULL, pdfium_raw.FORMTYPE_XFA_FOREGROUND):
            raise unsupported("XFA forms are not read. Print the form to a plain PDF and send that.")
        pages = len(document)
        if pages == 0:
            raise bad_document("The PDF has no pages.")
        # Beyond the page limit the document is refused anyway; looking at every size could take minutes.
        for index in range(min(pages, MAX_PAGES)):
            if max(document.get_page_size(index)) > MAX_POINTS:
                raise too_large(f"Page {index + 1} is larger than {MAX_POINTS:,} points. Print it smaller.")
        return pages


def _rendered(path: Path, page: int) -> Image.Image:
    with _pdf(path) as document:
        leaf = document[page - 1]
        width, height = leaf.get_size()
        if width <= 0 or height <= 0:
            raise bad_document(f"Page {page} of the PDF has no size. Print it to a new PDF.")
        largest = (MAX_RENDERED_PIXELS / max(width * height, 1.0)) ** 0.5
        scale = min(DPI / 72, largest, MAX_IMAGE_SIDE / max(width, height, 1.0))
        image: Image.Image = leaf.render(scale=scale).to_pil()
        return image.convert("RGB")


@contextmanager
def _image(path: Path, kind: str) -> Iterator[Image.Image]:
    try:
        with Image.open(path, formats=[kind]) as image:
            yield image
    except Refusal:
        raise
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        TypeError,
        KeyError,
        IndexError,
    ) as error:
        # Pillow's decoders raise all of these on broken files.
        raise bad_document(f"The {kind} file is damaged and cannot be opened.") from error


def _image_pages(path: Path, kind: str) -> int:
    with _image(path, kind) as image:
        pages = int(getattr(image, "n_frames", 1)) if kind == "TIFF" else 1
        for frame in range(min(pages, MAX_PAGES)):
            if frame:
                image.seek(frame)
            _check_size(image)
        return pages


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if min(width, height) < STRIP:
        return
    if max(width, height) > MAX_IMAGE_SIDE or width * height > MAX_IMAGE_PIXELS:
        raise too_large(
            f"The picture is {width} x {height} pixels; the limit is {MAX_IMAGE_SIDE:,} a side. "
            "Scan it with fewer dots per inch."
        )


def _decoded(path: Path, kind: str, page: int) -> Image.Image:
    with _image(path, kind) as image:
        if page > 1:
            image.seek(page - 1)
        _check_size(image)
        image.draft("RGB", (image.width // 2, image.height // 2)) if _oversized(image) else None
        image.load()
        return _flat(ImageOps.exif_transpose(image))


def _oversized(image: Image.Image) -> bool:
    return image.width * image.height > 4 * MAX_RENDERED_PIXELS


def _flat(image: Image.Image) -> Image.Image:
    """RGB on white paper: transparent parts are white, 16-bit greys keep their tones."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        levels = np.asarray(image, dtype=np.float64)
        image = Image.fromarray((levels * (255.0 / max(levels.max(), 255.0))).clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    return image.convert("RGB")


def _shrunk(image: Image.Image) -> Image.Image:
    pixels = image.width * image.height
    if pixels <= MAX_RENDERED_PIXELS:
        return image
    scale = (MAX_RENDERED_PIXELS / pixels) ** 0.5
    return image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale))))
