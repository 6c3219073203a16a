"""Parses and draws foreign files. Imported by the zygote only, run in its limited children only."""

import ctypes
import io
import math
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageFile, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin

from ocr.sandbox import formats

MAX_RENDERED_PIXELS = 16_000_000
MAX_RENDERED_SIDE = 4_000
# Of three samples WebP (quality 80, method 2) took 91 to 143 ms to write and Chromium 17 to 44 ms to decode, JPEG 7 to 11 and 11 to
# 19 ms, for 1.4 to 2.4 times the bytes.
_JPEG_QUALITY = 80
_WHOLE = (0.0, 0.0, 1.0, 1.0)  # the box of a whole page

_PICTURE_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/tiff": "TIFF"}
# Named so that Pillow finds each format loaded and never tries its forty others. Some JPEG photos are MPO inside.
_LOADED = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin)
Image.preinit()  # else every child would do it again: 20 ms of imports

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_CLOCKWISE = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}

_PDF_ERRORS = {
    pdfium.FPDF_ERR_PASSWORD: "password_protected",
    pdfium.FPDF_ERR_SECURITY: "password_protected",
    pdfium.FPDF_ERR_SUCCESS: "no_pages",  # "failed with success" is how the library calls a sound file without pages
}

Image.MAX_IMAGE_PIXELS = formats.MAX_PICTURE_PIXELS
warnings.simplefilter("ignore")  # libraries warn about odd files, and nobody reads it here
warnings.simplefilter("error", Image.DecompressionBombWarning)  # without this Pillow objects only at twice the limit


class Refusal(Exception):
    """The file is to be refused with this code; `seen` is what an unsupported file looks like."""

    def __init__(self, code: str, seen: str = "") -> None:
        super().__init__(code)
        self.code, self.seen = code, seen


class NoSuchPage(Exception):
    """The page asked for is beyond the document's end."""


def inspect(file: BinaryIO) -> dict[str, object]:
    """Content type and the upright size of every page, after all limits were checked. Raises Refusal."""
    content_type = _admitted(file)
    sizes = _pdf_sizes(file) if content_type == "application/pdf" else _picture_sizes(file, content_type)
    return {"content_type": content_type, "pages": sizes}


def render(
    file: BinaryIO,
    *,
    page: int,
    content_type: str,
    rotation: int,
    dpi: int,
    max_side: int,
    box: list[float] | None = None,
    thumbnail_side: int | None = None,
) -> list[tuple[tuple[int, int], bytes]]:
    """Size and JPEG bytes of one page, upright, then turned clockwise; of the piece in `box` only, where there is one.

    `box` is `[left, top, right, bottom]` in fractions of the page as it is shown then. With `thumbnail_side` the same comes once more,
    no larger than that. Raises Refusal, NoSuchPage.
    """
    side = min(max_side, MAX_RENDERED_SIDE)
    with _foreign_bytes():
        if content_type == "application/pdf":
            picture = _pdf_page(file, page, rotation, dpi, side, box or _WHOLE)
        else:
            picture = _cut_out(_picture_page(file, page, content_type, rotation, side), box or _WHOLE)
        drawn = [picture]
        if thumbnail_side is not None:
            drawn.append(_resized(picture, _reduced_size(picture, thumbnail_side)))
        return [(each.size, _jpeg(each)) for each in drawn]


def crops(
    file: BinaryIO, *, page: int, content_type: str, rotation: int, boxes: list[list[float]]
) -> tuple[list[list[float]], bytes]:
    """These pieces of one page, one under the other on a white sheet, and the band of each: top and bottom in fractions of it.

    `boxes` are `[left, top, right, bottom]` in fractions of the upright page. PNG bytes. Raises Refusal, NoSuchPage.
    """
    with _foreign_bytes():
        if content_type == "application/pdf":
            picture = _pdf_page(file, page, rotation, _CROP_DPI, MAX_RENDERED_SIDE)
        else:
            picture = _picture_page(file, page, content_type, rotation, MAX_RENDERED_SIDE)
        return _sheet([_crop(picture, box) for box in boxes])


def text(file: BinaryIO, *, first: int, last: int) -> list[dict[str, object]]:
    """What the text layer of these pages of a PDF says, as it is; whether it can be believed is the caller's question.

    Of each page `words` as `[text, left, top, right, bottom, line]` in fractions of the upright page, in the file's order; `hidden`,
    the share of its characters that are drawn invisibly; `pictures`, the share of the page that pictures cover (overlaps count twice).
    Raises Refusal, NoSuchPage.
    """
    with _foreign_bytes():
        document = pypdfium2.PdfDocument(file)
        if not 1 <= first <= last <= len(document):
            raise NoSuchPage
        return [_page_text(document[number - 1]) for number in range(first, last + 1)]


def cut(file: BinaryIO, *, first: int, last: int) -> bytes:
    """These pages of a PDF as a PDF of their own. Raises Refusal, NoSuchPage."""
    with _foreign_bytes():
        document = pypdfium2.PdfDocument(file)
        if not 1 <= first <= last <= len(document):
            raise NoSuchPage
        made, content = pypdfium2.PdfDocument.new(), io.BytesIO()
        made.import_pages(document, list(range(first - 1, last)))
        made.save(content)
        return content.getvalue()


def _admitted(file: BinaryIO) -> str:
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise Refusal("empty_file")
    if size > formats.DOCUMENT_BYTES:
        raise Refusal("too_large")
    content_type, seen = formats.recognise(file.read(formats.HEAD_BYTES))
    if not content_type:
        raise Refusal("unsupported_type", seen)
    if size > formats.MAX_BYTES[content_type]:
        raise Refusal("too_large")
    return content_type


@contextmanager
def _foreign_bytes() -> Iterator[None]:
    """Whatever a library throws over a foreign file means one thing to its owner: it cannot be opened.

    Both libraries raise nearly every built-in exception on broken files, so no shorter list would hold.
    """
    try:
        yield
    except (Refusal, NoSuchPage, MemoryError):
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Refusal("too_many_pixels") from None
    except pypdfium2.PdfiumError as error:
        raise Refusal(_PDF_ERRORS.get(error.err_code, "damaged")) from None
    except Exception:
        raise Refusal("damaged") from None


# Pieces of a page

_CROP_DPI = 200
_CROP_MARGIN = 0.3  # of its height around a piece: letters reach out of their boxes
_CROP_HEIGHT = 48  # pixels: what recognisers are trained on
_CROP_WIDTH = 1600
_BETWEEN = 24  # pixels of white, so that no two pieces are read as one


def _crop(picture: Image.Image, box: list[float]) -> Image.Image:
    left, top, right, bottom = (side * size for side, size in zip(box, picture.size * 2, strict=True))
    margin = _CROP_MARGIN * max(1.0, bottom - top)
    corners = (
        math.floor(left - margin),
        math.floor(top - margin),
        math.ceil(right + margin),
        math.ceil(bottom + margin),
    )
    # Cut to the picture first: beyond its edges Pillow would add black.
    width, height = picture.size
    piece = picture.crop((max(0, corners[0]), max(0, corners[1]), min(width, corners[2]), min(height, corners[3])))
    factor = min(_CROP_HEIGHT * (1 + 2 * _CROP_MARGIN) / max(1, piece.height), _CROP_WIDTH / max(1, piece.width))
    size = (max(1, round(piece.width * factor)), max(1, round(piece.height * factor)))
    return piece.convert("L").resize(size, Image.Resampling.LANCZOS)


def _sheet(pieces: list[Image.Image]) -> tuple[list[list[float]], bytes]:
    width = max(piece.width for piece in pieces) + 2 * _BETWEEN
    height = sum(piece.height + _BETWEEN for piece in pieces) + _BETWEEN
    sheet, down, bands = Image.new("L", (width, height), 255), _BETWEEN, []
    for piece in pieces:
        sheet.paste(piece, (_BETWEEN, down))
        bands.append([down / height, (down + piece.height) / height])
        down += piece.height + _BETWEEN
    content = io.BytesIO()
    sheet.save(content, "PNG")
    return bands, content.getvalue()


# PDF


def _pdf_sizes(file: BinaryIO) -> list[tuple[int, int]]:
    with _foreign_bytes():
        document = pypdfium2.PdfDocument(file)
        if document.get_formtype() == pdfium.FORMTYPE_XFA_FULL:
            raise Refusal("unsupported_type", "xfa")
        if len(document) < 1:
            raise Refusal("no_pages")
        if len(document) > formats.MAX_PAGES:
            raise Refusal("too_many_pages")
        sizes = [document.get_page_size(index) for index in range(len(document))]
    if any(min(size) <= 0 for size in sizes):  # cropped to nothing: there is nothing to read or to show
        raise Refusal("damaged")
    if any(max(size) > formats.MAX_PDF_POINTS for size in sizes):
        raise Refusal("page_too_large")
    return [(max(1, round(width)), max(1, round(height))) for width, height in sizes]


def _pdf_page(
    file: BinaryIO, page: int, rotation: int, dpi: int, max_side: int, box: Sequence[float] = _WHOLE
) -> Image.Image:
    document = pypdfium2.PdfDocument(file)
    if page > len(document):
        raise NoSuchPage
    sheet = document[page - 1]
    width, height = (max(side, 0.01) for side in sheet.get_size())
    pixels = (width * dpi / 72, height * dpi / 72)
    # The library rounds each side up, so aim half a pixel low to stay inside the limits.
    scale = dpi / 72 * _reduction(pixels[0] + 0.5, pixels[1] + 0.5, max_side - 1)
    left, top, right, bottom = box
    wide, high = (height, width) if rotation in (90, 270) else (width, height)
    # What lies outside is not drawn at all. The order is the library's: left, bottom, right, top; it rounds each up.
    outside = (left * wide, (1 - bottom) * high, (1 - right) * wide, top * high)
    outside = tuple(max(0.0, length - 1 / scale) for length in outside)
    picture: Image.Image = sheet.render(scale=scale, rotation=rotation, crop=outside).to_pil()
    return picture


_INVISIBLE = 3  # Source: ISO 32000-1, 9.3.6, text rendering modes: neither fill nor stroke; what scanners put under their picture
_DEVICE = 1_000_000  # a page as so many whole units a side


def _page_text(page: pypdfium2.PdfPage) -> dict[str, object]:
    layer = page.get_textpage()
    count = layer.count_chars()
    hidden = sum(_is_hidden(layer, index) for index in range(count))
    width, height = page.get_size()
    covered = sum(
        max(0.0, right - left) * max(0.0, top - bottom)
        for left, bottom, right, top in (each.get_bounds() for each in page.get_objects([pdfium.FPDF_PAGEOBJ_IMAGE]))
    )
    return {
        "words": [[word, *_upright(page, box), line] for word, box, line in _page_words(layer, count)],
        "hidden": hidden / count if count else 0.0,
        "pictures": min(1.0, float(covered / (width * height))) if width * height > 0 else 0.0,
    }


def _is_hidden(layer: pypdfium2.PdfTextPage, index: int) -> bool:
    drawn = pdfium.FPDFText_GetTextObject(layer, index)
    return bool(drawn) and pdfium.FPDFTextObj_GetTextRenderMode(drawn) == _INVISIBLE


_PageBox = tuple[float, float, float, float]  # left, bottom, right, top in the page's own units


def _page_words(layer: pypdfium2.PdfTextPage, count: int) -> Iterator[tuple[str, _PageBox, int]]:
    """Each word with its box and the number of the line that the library takes it to be in."""
    word, line = "", 0
    boxes: list[_PageBox] = []
    for index in range(count + 1):
        character = chr(pdfium.FPDFText_GetUnicode(layer, index)) if index < count else "\n"
        ends = character.isspace() or not (character.isprintable() or _is_private(character))
        if word and (ends or _is_after_label(word, character)):
            yield word, _around(boxes), line
            word, boxes = "", []
        if ends:
            line += character == "\n"
        else:
            word += character
            boxes.append(_character_box(layer, index))


def _is_private(character: str) -> bool:
    """Whether only the font knows what the character means: what is printed is told, else a layer with holes would look whole."""
    return "\ue000" <= character <= "\uf8ff"


def _is_after_label(word: str, character: str) -> bool:
    """Whether a value begins that nothing parts from its label: 'Total:9.00' is two words, '10:30' and 'http://' are one."""
    return word[-1] == ":" and character != "/" and not (word[-2:-1].isdigit() and character.isdigit())


def _character_box(layer: pypdfium2.PdfTextPage, index: int) -> _PageBox:
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(layer, index, left, right, bottom, top)
    return left.value, bottom.value, right.value, top.value


def _around(boxes: list[_PageBox]) -> _PageBox:
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def _upright(page: pypdfium2.PdfPage, box: _PageBox) -> list[float]:
    """The box in fractions of the page as it is shown: turned, cut to its crop box, origin top left."""
    corners = []
    for x, y in ((box[0], box[1]), (box[2], box[3])):
        right, down = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(page, 0, 0, _DEVICE, _DEVICE, 0, x, y, right, down)
        corners.append((right.value / _DEVICE, down.value / _DEVICE))
    (x0, y0), (x1, y1) = corners
    return [round(part, 5) for part in (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))]


# Pictures


def _open(file: BinaryIO, content_type: str) -> ImageFile.ImageFile:
    file.seek(0)
    return Image.open(file, formats=[_PICTURE_FORMATS[content_type]])


def _picture_sizes(file: BinaryIO, content_type: str) -> list[tuple[int, int]]:
    with _foreign_bytes():
        picture = _open(file, content_type)
        sizes = _tiff_sizes(picture) if content_type == "image/tiff" else [_upright_size(picture)]
        if any(max(size) > formats.MAX_PICTURE_SIDE or math.prod(size) > formats.MAX_PICTURE_PIXELS for size in sizes):
            raise Refusal("too_many_pixels")
        # Decoded once, small where the format allows it: a file cut short is found now, not by the reviewer.
        picture = _open(file, content_type)
        picture.draft(None, (1, 1))
        picture.load()
    return sizes


def _tiff_sizes(picture: Image.Image) -> list[tuple[int, int]]:
    sizes: list[tuple[int, int]] = []
    while True:
        try:
            picture.seek(len(sizes))
        except EOFError:
            return sizes
        if len(sizes) == formats.MAX_PAGES:
            raise Refusal("too_many_pages")
        sizes.append(picture.size)  # Pillow has already applied the orientation of a TIFF frame to its size


def _upright_size(picture: Image.Image) -> tuple[int, int]:
    width, height = picture.size
    return (height, width) if _orientation(picture) >= 5 else (width, height)


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # broken metadata is no reason to refuse a sound picture
        return 1


def _picture_page(file: BinaryIO, page: int, content_type: str, rotation: int, max_side: int) -> Image.Image:
    source = _open(file, content_type)
    _seek(source, page, content_type)
    size = _reduced_size(source, max_side)
    if size != source.size:
        source.draft(None, size)
    orientation = 1 if content_type == "image/tiff" else _orientation(source)  # a TIFF frame loads upright
    source.load()
    picture = _on_white(_resized(_eight_bit(source), size))
    for turn in (_UPRIGHT.get(orientation), _CLOCKWISE.get(rotation)):
        picture = picture.transpose(turn) if turn is not None else picture
    return picture


def _cut_out(picture: Image.Image, box: Sequence[float]) -> Image.Image:
    if box is _WHOLE:
        return picture
    left, top, right, bottom = (side * size for side, size in zip(box, picture.size * 2, strict=True))
    return picture.crop((math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)))


def _seek(source: Image.Image, page: int, content_type: str) -> None:
    if content_type != "image/tiff":
        if page != 1:
            raise NoSuchPage
        return
    try:
        source.seek(page - 1)
    except EOFError:
        raise NoSuchPage from None


def _reduced_size(picture: Image.Image, max_side: int) -> tuple[int, int]:
    factor = _reduction(picture.width, picture.height, max_side)
    return max(1, math.floor(picture.width * factor)), max(1, math.floor(picture.height * factor))


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _reduction(width: float, height: float, max_side: int) -> float:
    return min(1.0, max_side / max(width, height), math.sqrt(MAX_RENDERED_PIXELS / (width * height)))


def _eight_bit(picture: Image.Image) -> Image.Image:
    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode in ("P", "PA"):
        return picture.convert("RGBA" if "transparency" in picture.info or picture.mode == "PA" else "RGB")
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _scaled_down(picture)
    return picture if picture.mode in ("L", "RGB", "LA", "RGBA") else picture.convert("RGB")


def _scaled_down(picture: Image.Image) -> Image.Image:
    """Deep grey values brought to 0-255; converting alone would cut everything above 255 to white."""
    deep = picture if picture.mode == "F" else picture.convert("I")
    low, high = (float(value) for value in deep.getextrema())  # type: ignore[arg-type]
    if not math.isfinite(low) or not math.isfinite(high):
        raise Refusal("damaged")
    black, white = min(low, 0.0), _white(high, fractions=deep.mode == "F")
    factor = 255 / (white - black)
    return deep.point(lambda value: value * factor - black * factor).convert("L")


def _white(high: float, *, fractions: bool) -> float:
    """The value that was meant as white: the next usual full scale above the brightest point."""
    scales = (1.0, 255.0, 65_535.0) if fractions else (255.0, 65_535.0)
    return next((scale for scale in scales if high <= scale), high)


def _on_white(picture: Image.Image) -> Image.Image:
    if "A" not in picture.mode:
        return picture
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture.convert("RGBA"))
    return paper.convert("RGB")


def _jpeg(picture: Image.Image) -> bytes:
    picture.info.clear()
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=_JPEG_QUALITY)
    return content.getvalue()
