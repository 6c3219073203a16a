"""Whether one file holds several documents: which pages look like which type, and where another one seems to begin.

A guess for a person, from the print alone: a page that names a type begins a document when the pages before are of another one, or when
it bears the type's title again. A page that counts itself beyond the first, or that names no type, goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ocr.extraction import answers, sentences
from ocr.extraction.classification import classify, shows_title
from ocr.extraction.document_types import DocumentType
from ocr.extraction.reading import Problem, Reading
from ocr.extraction.tolerant import counted, text

RULE = "several_types"
_LATER_PAGE = re.compile(r"\b(?:page|seite|pagina|p[aá]g(?:ina)?|blatt)\W{0,3}(?:[2-9]|[1-9]\d+)\b", re.IGNORECASE)


class Stretch(NamedTuple):
    """Pages that belong together, and the type they look like ('' for none)."""

    first: int
    last: int
    document_type: str
    titled: bool = False  # its first page bears the type's title

    @property
    def pages(self) -> str:
        """As people write it: "3", "1-2"."""
        return f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"


class Prints:
    """The printed lines of each page, noted while the parts of an answer pass by."""

    def __init__(self) -> None:
        self.lines: dict[int, list[str]] = {}

    def watching(self, parts: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """The same parts."""
        for part in parts:
            for block in answers.blocks(part):
                if block.get("BlockType") == "LINE":
                    self.lines.setdefault(counted(block.get("Page")), []).append(text(block.get("Text")))
            yield part


def stretches(lines: Mapping[int, Sequence[str]], types: Sequence[DocumentType], *, pages: int) -> list[Stretch]:
    """All pages of a document in stretches that seem to belong together."""
    known = {type_.name: type_ for type_ in types if type_.fields}
    found: list[Stretch] = []
    for page in range(1, pages + 1):
        printed = lines.get(page, ())
        name = _type_of(printed, types)
        name = name if name in known else ""
        before = found[-1] if found else None
        titled = bool(name) and shows_title(printed, known[name])
        if before is None or titled or (name and name != before.document_type):
            found.append(Stretch(page, page, name, titled))
        else:
            found[-1] = before._replace(last=page)
    return found


def with_several(reading: Reading, found: Sequence[Stretch], labels: Mapping[str, str]) -> Reading:
    """The reading with the problem that its pages bear the titles of different types; unchanged where they do not."""
    if len({each.document_type for each in found if each.titled}) < 2:
        return reading
    told = "; ".join(f"{_pages(each)} like {labels.get(each.document_type, 'something else')}" for each in found)
    message = sentences.SEVERAL(stretches=told)
    return replace(reading, problems=(Problem("several_documents", None, message, RULE), *reading.problems))


def _type_of(printed: Sequence[str], types: Sequence[DocumentType]) -> str:
    if any(_LATER_PAGE.search(line) for line in printed):
        return ""
    return classify(({"BlockType": "LINE", "Text": line} for line in printed), types).name


def _pages(each: Stretch) -> str:
    return f"page {each.first}" if each.first == each.last else f"pages {each.first} to {each.last}"
