"""Form pairs as fields of their own, for document types without fixed fields."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ocr.extraction import values
from ocr.extraction.blocks import Pair, Span
from ocr.extraction.candidates import Candidate
from ocr.extraction.document_types import FieldSpec
from ocr.extraction.fields import judged, plain_field
from ocr.extraction.reading import Field

_MOST_LETTERS = 60
_NOTHING = Span("", (), 1, None, None)


def as_fields(pairs: Iterable[Pair], pattern: FieldSpec) -> Iterator[Field]:
    """One field for each pair, in the order of the print, named after its key and made unique by a number.

    A check box by itself is of kind checkbox; one with words beside it is text, and empty unless it is ticked. The
    words of the key count for the reading's confidence only when there is no value to read.
    """
    taken: dict[str, int] = {}
    for pair in pairs:
        label = values.fold(pair.key.text).rstrip(" :;.") or "Without a label"
        name = _unique(slug(label), taken)
        spec = replace(pattern, name=name, label=label)
        yield _field(pair, spec)


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
