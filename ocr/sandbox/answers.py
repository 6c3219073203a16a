"""What the sandbox answers, and the check that an answer is one: the child that made it had read a foreign file."""

import json
from dataclasses import dataclass, replace

from ocr.sandbox.formats import CONTENT_TYPES, MAX_PAGES
from ocr.sandbox.refusals import CODES, SandboxFailed, Unacceptable

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class PageSize:
    """Upright width and height of one page: pixels of a picture, points (1/72 inch, rounded) of a PDF page."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file is, by its content: image/jpeg, image/png, image/tiff or application/pdf."""

    content_type: str
    page_count: int
    pages: tuple[PageSize, ...]


@dataclass(frozen=True, slots=True)
class Rendering:
    """One page, or a piece of it, as an upright picture (image/jpeg) without any metadata; width and height in pixels."""

    content: bytes
    content_type: str
    width: int
    height: int
    thumbnail: "Rendering | None" = None  # where one was asked for


@dataclass(frozen=True, slots=True)
class Sheet:
    """Pieces of a page one under the other, as a PNG; `bands` are the top and bottom of each in fractions of the sheet."""

    content: bytes
    bands: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class PrintedWord:
    """One word of a PDF's text layer, its box in fractions of the upright page. `line` counts the page's lines from 0."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    line: int


@dataclass(frozen=True, slots=True)
class PageText:
    """What the text layer of one page says, in the file's order.

    `hidden` is the share (0-1) of its characters that are drawn invisibly, `pictures` the share of the page that pictures cover.
    """

    words: tuple[PrintedWord, ...]
    hidden: float
    pictures: float


def as_inspection(answer: bytes) -> Inspection:
    head, _ = _split(answer)
    sizes = head.get("pages")
    if head.get("content_type") not in CONTENT_TYPES or not isinstance(sizes, list) or not 1 <= len(sizes) <= MAX_PAGES:
        raise SandboxFailed("not_an_inspection")
    pages = tuple(PageSize(*_pair(size)) for size in sizes)
    return Inspection(str(head["content_type"]), len(pages), pages)


def as_rendering(answer: bytes) -> Rendering:
    head, content = _split(answer)
    drawn: list[Rendering] = []
    pictures = head.get("pictures")
    for picture in pictures if isinstance(pictures, list) else []:
        one, content = _picture(picture, content)
        drawn.append(one)
    if content or not 1 <= len(drawn) <= 2:
        raise SandboxFailed("not_a_rendering")
    return replace(drawn[0], thumbnail=drawn[1] if drawn[1:] else None)


def _picture(picture: object, content: bytes) -> tuple[Rendering, bytes]:
    """The picture that `content` begins with, and what comes after it."""
    match picture:
        case {"size": size, "bytes": int(length)} if content[:3] == b"\xff\xd8\xff" and 3 < length <= len(content):
            width, height = _pair(size)
            return Rendering(content[:length], "image/jpeg", width, height), content[length:]
    raise SandboxFailed("not_a_rendering")


def as_sheet(answer: bytes, *, pieces: int) -> Sheet:
    head, content = _split(answer)
    bands = head.get("bands")
    if content[:8] != b"\x89PNG\r\n\x1a\n" or not isinstance(bands, list) or len(bands) != pieces:
        raise SandboxFailed("not_a_sheet")
    return Sheet(content, tuple(map(_band, bands)))


def _band(band: object) -> tuple[float, float]:
    match band:
        case [int() | float() as top, int() | float() as bottom]:
            return float(top), float(bottom)
    raise SandboxFailed("not_a_sheet")


def as_pdf(answer: bytes) -> bytes:
    _head, content = _split(answer)
    if content[:5] != b"%PDF-":
        raise SandboxFailed("not_a_pdf")
    return content


def as_texts(answer: bytes, *, pages: int) -> tuple[PageText, ...]:
    head, _ = _split(answer)
    found = head.get("pages")
    if not isinstance(found, list) or len(found) != pages:
        raise SandboxFailed("not_a_text")
    return tuple(map(_page_text, found))


def _page_text(page: object) -> PageText:
    match page:
        case {"words": list(words), "hidden": float(hidden), "pictures": float(pictures)}:
            return PageText(tuple(map(_word, words)), hidden, pictures)
    raise SandboxFailed("not_a_text")


def _word(word: object) -> PrintedWord:
    match word:
        case [str(text), float(left), float(top), float(right), float(bottom), int(line)]:
            return PrintedWord(text, _share(left), _share(top), _share(right), _share(bottom), line)
    raise SandboxFailed("not_a_text")


def _share(side: float) -> float:
    return min(max(side, 0.0), 1.0)


def _split(answer: bytes) -> tuple[dict[str, object], bytes]:
    line, _, content = answer.partition(b"\n")
    try:
        head = json.loads(line)
    except ValueError as error:
        raise SandboxFailed("not_an_answer") from error
    if not isinstance(head, dict):
        raise SandboxFailed("not_an_answer")
    if head.get("refused") in CODES:
        raise Unacceptable(str(head["refused"]), seen=str(head.get("seen", "")))
    if "no_page" in head:
        raise ValueError("the document has no page of that number")
    return head, content


def _pair(size: object) -> tuple[int, int]:
    if (
        isinstance(size, list)
        and len(size) == 2
        and all(isinstance(side, int) and 1 <= side <= 100_000 for side in size)
    ):
        return size[0], size[1]
    raise SandboxFailed("not_a_size")
