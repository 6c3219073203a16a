"""Which document type a page most likely is, from the words on it."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeGuard

from ocr.extraction import sentences
from ocr.extraction.document_types import DocumentType, FieldSpec
from ocr.extraction.reading import Problem, Reading
from ocr.extraction.tolerant import counted, text

# Two types are too close to tell when the weaker has more than this share of the stronger one's evidence.
CLOSE = 0.85
# Less evidence than this says nothing: the generic type takes the document.
LEAST = 1.1
WITHOUT_AMOUNT = 0.5  # a type that asks for an amount hardly fits a page that names none
# A label of words that any form may hold, or of a few letters ("P.O." begins an address as well), says little.
COMMON = 0.25
TELLING = 4
_COMMON_WORDS_TEXT = """
    address amount balance birth buyer change city client code country currency customer data date day description discount due
    expiration fax first freight from item items last month name no number of order page payable period phone port postage price
    quantity rate seller shipping state sum tax taxes telephone terms the time to total unit vendor year
"""
_COMMON_WORDS = frozenset(_COMMON_WORDS_TEXT.split())
TITLE_WEIGHT = 2.0  # the type's own name in a heading says more than one label
# A document says what it is on its first pages; of a long one the others are not waited for.
PAGES_LOOKED_AT = 10

_BLANKS = {code: " " for code in range(128) if not chr(code).isalnum() and chr(code) != "\n"}


@dataclass(frozen=True, slots=True)
class Classification:
    """The likeliest type's name; `unclear` holds the names of all candidates when two are close."""

    name: str
    unclear: tuple[str, ...] = ()


def classify(blocks: Iterable[Mapping[str, Any]], types: Sequence[DocumentType]) -> Classification:
    """The type whose title and labels the first pages show best; labels that several types share say less.

    A type without fields of its own takes what no other type claims. Near-ties are named, not decided in silence.
    """
    generic = next((type_.name for type_ in types if not type_.fields), "")
    scores = sorted(_scores(blocks, types), reverse=True)
    if not scores or (scores[0][0] < LEAST and generic):
        return Classification(generic)
    best = scores[0]
    close = tuple(name for score, name in scores if score > CLOSE * best[0])
    return Classification(best[1], close if len(close) > 1 else ())


def _scores(blocks: Iterable[Mapping[str, Any]], types: Sequence[DocumentType]) -> list[tuple[float, str]]:
    lines = _lines(blocks)
    words = frozenset(lines.split())
    return [(round(_evidence(lines, words, type_), 3), type_.name) for type_ in _known(tuple(types))]


def _lines(blocks: Iterable[Mapping[str, Any]]) -> str:
    """The printed lines, plain, each between blanks and on a row of its own: a label is looked for in all at once."""
    lines = [block for block in blocks if block.get("BlockType") == "LINE"]
    printed = [block.get("Text") for block in lines]
    if _are_plain(printed) and _are_first([block.get("Page") for block in lines]):
        return _spaced("\n".join(printed))
    known = [block for block in lines if counted(block.get("Page")) <= PAGES_LOOKED_AT]
    return _spaced("\n".join(text(block.get("Text")).replace("\n", " ") for block in known))


def _are_plain(printed: list[Any]) -> TypeGuard[list[str]]:
    """Whether these are texts of one line each, with nothing in them that cannot be printed."""
    try:
        return "".join(printed).isprintable()
    except TypeError:
        return False


def _are_first(pages: list[Any]) -> bool:
    """Whether each of these is surely the first page."""
    return pages.count(1) + pages.count(None) == len(pages)


def shows_title(lines: Iterable[str], type_: DocumentType) -> bool:
    """Whether one of the printed lines is the type's title and little else."""
    return _has_title(_spaced("\n".join(lines)), _plain(type_.label))


def with_unclear_type(reading: Reading, labels: Sequence[str]) -> Reading:
    """The reading with the problem that its type could be any of `labels`; unchanged when there are none."""
    if not labels:
        return reading
    message = sentences.UNCLEAR_TYPE(labels=", ".join(labels))
    return replace(reading, problems=(Problem("unclear_type", None, message, None), *reading.problems))


@dataclass(frozen=True, slots=True)
class _Known:
    """What a type looks for: its title, and its fields' labels by their first word, between blanks and with what they weigh."""

    name: str
    title: str
    fields: Sequence[str]
    labels: Mapping[str, Sequence[tuple[str, float, str]]]
    required: Sequence[str]
    amounts: Sequence[str]


@lru_cache(maxsize=64)
def _known(types: tuple[DocumentType, ...]) -> list[_Known]:
    """The types that have fields. A label weighs 1 when no other type knows it."""
    own = [type_ for type_ in types if type_.fields]
    owners = Counter(
        label for type_ in own for label in {_plain(text) for spec in type_.fields for text in spec.labels}
    )
    return [
        _Known(
            type_.name,
            _plain(type_.label),
            [spec.name for spec in type_.fields],
            _weighed(type_.fields, owners),
            [spec.name for spec in type_.fields if spec.required and spec.finder != "company"],
            [spec.name for spec in type_.fields if spec.required and spec.kind == "amount"],
        )
        for type_ in own
    ]


def _weighed(specs: Iterable[FieldSpec], owners: Mapping[str, int]) -> dict[str, list[tuple[str, float, str]]]:
    """By its first word each label of each field, with what it weighs."""
    by_first: dict[str, list[tuple[str, float, str]]] = defaultdict(list)
    for spec in specs:
        for label in {*map(_plain, spec.labels)} - {""}:
            weight = (1.0 if _is_telling(label) else COMMON) / owners[label] ** 2
            by_first[label.split()[0]].append((spec.name, weight, f" {label} "))
    return dict(by_first)


def _is_telling(label: str) -> bool:
    """Whether the label says more than words do that stand on every other form: "date", "total", "no"."""
    return len(label) >= TELLING and not _COMMON_WORDS.issuperset(label.split())


def _evidence(lines: str, words: frozenset[str], known: _Known) -> float:
    """Title and labels found, weighed by the share of the required fields that the page names: a date is on every form.

    A company's name stands on a page without a label, so it is not asked for.
    """
    score = TITLE_WEIGHT if _has_title(lines, known.title) else 0.0
    shown = dict.fromkeys(known.fields, 0.0)  # of each field the heaviest label that stands there
    for first in words.intersection(known.labels):
        for name, weight, label in known.labels[first]:
            if weight > shown[name] and label in lines:
                shown[name] = weight
    score += sum(shown.values())
    share = sum(shown[name] > 0 for name in known.required) / len(known.required) if known.required else 1.0
    without_amount = bool(known.amounts) and not any(shown[name] for name in known.amounts)
    return score * share * (WITHOUT_AMOUNT if without_amount else 1.0)


def _has_title(lines: str, title: str) -> bool:
    """Whether a line holds the title and little else."""
    return f" {title} " in lines and any(
        f" {title} " in line and len(line) - 2 <= 3 * len(title) for line in lines.split("\n")
    )


def _plain(text: str) -> str:
    """In lower case without accents, other characters as single blanks, line by line."""
    folded = text if text.isascii() else unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain = folded.lower().translate(_BLANKS)
    while "  " in plain:
        plain = plain.replace("  ", " ")
    return plain.replace(" \n", "\n").replace("\n ", "\n").strip()


def _spaced(text: str) -> str:
    """The same with each line between blanks."""
    return f" {_plain(text)} ".replace("\n", " \n ")
