"""Form pairs as fields of their own, for document types without fixed fields."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from ocr.extraction import values
from ocr.extraction.blocks import Pair, Span
from ocr.extraction.document_types import FieldSpec
from ocr.extraction.fields import judged
from ocr.extraction.reading import Field

_BETWEEN = re.compile(r"[^a-z0-9]+")
_BLANKS = {code: " " for code in range(128) if not chr(code).isalnum()}
_MOST_LETTERS = 60
_MOST_IN_A_LABEL = 200  # no column of the database holds more; the whole key stands on the page
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
            label, name = _named(pair.key.text)
            self.fields.append(_field(pair, self._pattern, name=_unique(name, self._taken), label=label))


@lru_cache(maxsize=4096)
def _named(printed: str) -> tuple[str, str]:
    """The label that a key's print is, and a field's name made of it: forms of one kind say the same again."""
    label = _bare(values.fold(printed))[:_MOST_IN_A_LABEL] or "Without a label"
    return label, slug(label)


def _bare(label: str) -> str:
    """The label without what leads from it to its value: a colon, or a row of dashes or dots."""
    bare = label.rstrip(" :;.=")
    return bare.rstrip(" :;.=-–—_…") if bare.endswith(("--", "––", "——", "__", "…")) else bare


def slug(label: str) -> str:
    """A field name made of a printed label: 'Date of birth:' becomes date_of_birth."""
    plain = label.lower()
    if plain.isascii():
        joined = "_".join(plain.translate(_BLANKS).split())
    else:
        bare = "".join(each for each in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(each))
        joined = _BETWEEN.sub("_", bare)
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


def _field(pair: Pair, pattern: FieldSpec, *, name: str, label: str) -> Field:
    value = pair.value or _NOTHING
    text, kind, meaning = values.fold(value.text), "text", None
    if value.checks and not text:
        kind, meaning = "checkbox", values.SELECTED if any(value.checks) else values.NOT_SELECTED
    elif text and (not value.checks or any(value.checks)):
        meaning = text
    word_ids, scores = value.as_read()
    least, mean = (min(scores), sum(scores) / len(scores)) if scores else (None, None)
    # by place: a page has some dozen of them, and naming seventeen members takes twice as long
    field = Field(
        name, label, pattern.group, kind, meaning, text, pair.confidence, least, mean,
        pair.key.page, value.box or pair.key.box, word_ids, "textract", pair.why, "certain", pattern.required, pattern.threshold,
    )  # fmt: skip
    return judged(field, pattern) if meaning is not None else field
