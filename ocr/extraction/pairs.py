"""Form pairs as fields of their own, for document types without fixed fields."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from ocr.extraction import values
from ocr.extraction.blocks import Pair, Span
from ocr.extraction.candidates import Candidate
from ocr.extraction.document_types import FieldSpec
from ocr.extraction.fields import judged, plain_field
from ocr.extraction.reading import Field

_MOST_LETTERS = 60
_NOTHING = Span("", (), 1, None, None)


class PairFields:
    """One field for each pair, in the order of the print, named after its key and made unique by a number.

    A check box by itself is of kind checkbox; one with words beside it is text, and empty unless it is ticked. The
    words of the key count for the reading's confidence only when there is no value to read. Beyond `most` further
    pairs are counted in `left_out` and not kept.
    """

    def __init__(self, pattern: FieldSpec, *, most: int) -> None:
        self._pattern = pattern
        self._most = most
        self._taken: dict[str, int] = {}
        self.fields: list[Field] = []
        self.left_out = 0

    def look(self, pairs: Iterable[Pair]) -> None:
        for pair in pairs:
            if len(self.fields) >= self._most:
                self.left_out += 1
                continue
            label = values.fold(pair.key.text).rstrip(" :;.") or "Without a label"
            spec = replace(self._pattern, name=_unique(slug(label), self._taken), label=label)
            self.fields.append(_field(pair, spec))


def slug(label: str) -> str:
    """A field name made of a printed label: 'Date of birth:' becomes date_of_birth."""
    plain = unicodedata.normalize("NFKD", label.lower())
    joined = re.sub(r"[^a-z0-9]+", "_", "".join(letter for letter in plain if not unicodedata.combining(letter)))
    cut = joined.strip("_")[:_MOST_LETTERS].strip("_")
    return cut if cut[:1].isalpha() else f"field_{cut}".strip("_")


def _unique(name: str, taken: dict[str, int]) -> str:
    """The name, with _2, _3, ... when it was given before."""
    while True:
        taken[name] = taken.get(name, 0) + 1
        unique = name if taken[name] == 1 else f"{name}_{taken[name]}"
        if unique == name or unique not in taken:
            taken.setdefault(unique, 1)
            return unique


def _field(pair: Pair, spec: FieldSpec) -> Field:
    value = pair.value or _NOTHING
    text, kind, meaning = values.fold(value.text), "text", None
    if value.checks and not text:
        kind, meaning = "checkbox", values.SELECTED if any(value.checks) else values.NOT_SELECTED
    elif text and (not value.checks or any(value.checks)):
        meaning = text
    place = value.box or pair.key.box
    words = value.words
    made = Candidate(
        spec.name, meaning, text, words, pair.key.page, place, "key_value", 0.0, "textract", pair.confidence
    )
    field = replace(plain_field(spec, made), kind=kind)
    return judged(field, spec) if meaning is not None else field
