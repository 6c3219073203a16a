"""What AnalyzeID found: the fields of passports and driving licences as named values.

Source: AWS Textract developer guide, analyzing identity documents: a field has a type and a value with one confidence, dates
also in ISO 8601, and nothing says where on the page it stands.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any

from ocr.extraction import dates, values
from ocr.extraction.blocks import Layout, Span, union
from ocr.extraction.named import Named
from ocr.extraction.reading import Word
from ocr.extraction.tolerant import listed, members, number, text

_MARKS = " ,.;:*"
_MOST_WORDS = 20  # longer texts are not looked for in the print
_MOST_PLACES = 100  # nor those that begin with a word that stands everywhere


def named(document: Any, layout: Layout, page: int) -> Iterator[Named]:
    """The fields of one identity document, which is the page `page`."""
    places = _Places(layout.words_on(page))
    for each in listed(members(document).get("IdentityDocumentFields")):
        kind, detection = members(members(each).get("Type")), members(members(each).get("ValueDetection"))
        content = _content(detection, number(kind.get("Confidence")), places, page)
        if content.text:  # a field that was not found has no text and often a high score
            yield Named(
                "identity", text(kind.get("Text")), content, day=_day(members(detection.get("NormalizedValue")))
            )


def _content(detection: Mapping[str, Any], type_confidence: float | None, places: _Places, page: int) -> Span:
    """The value with the words that print it. The one confidence there is grades the whole, its reading too where no words tell."""
    printed, own = values.fold(text(detection.get("Text"))), number(detection.get("Confidence"))
    words = places.only(printed)
    box = union([word.box for word in words])
    confidence = own if type_confidence is None else type_confidence
    return Span(printed, words or (Word("", printed, own, page, None, "PRINTED"),), page, box, confidence)


def _day(normalised: Mapping[str, Any]) -> str | None:
    """The day of a normalised date ('2028-01-20T00:00:00'). The model writes its type DATE, real answers Date."""
    if text(normalised.get("ValueType")).upper() != "DATE":
        return None
    try:
        day = date.fromisoformat(text(normalised.get("Value"))[:10]).isoformat()
    except ValueError:
        return None
    return day if dates.find(day) else None  # a year that no document has is no day of any field


class _Places:
    """Where the words of a page stand, to find a value's place in the print: accents and marks do not count."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._words = words
        self._plain = [_plain(word.text) for word in words]
        self._at: dict[str, list[int]] = defaultdict(list)
        for at, plain in enumerate(self._plain):
            self._at[plain].append(at)

    def only(self, printed: str) -> tuple[Word, ...]:
        """The words that print the text, when they stand on the page once: nothing tells which of several is meant."""
        wanted = [_plain(each) for each in printed.split(" ")]
        if len(wanted) > _MOST_WORDS or not all(wanted):
            return ()
        begins = self._at.get(wanted[0], [])
        matches = (at for at in begins[:_MOST_PLACES] if self._plain[at : at + len(wanted)] == wanted)
        found = list(islice(matches, 2))
        if len(found) != 1 or len(begins) > _MOST_PLACES:
            return ()
        return tuple(self._words[found[0] : found[0] + len(wanted)])


def _plain(printed: str) -> str:
    if not printed.isascii():
        printed = "".join(each for each in unicodedata.normalize("NFKD", printed) if not unicodedata.combining(each))
    return printed.strip(_MARKS)
