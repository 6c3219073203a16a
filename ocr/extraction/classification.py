"""Which document type a page most likely is, from the words on it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ocr.extraction.document_types import DocumentType, FieldSpec
from ocr.extraction.reading import Problem, Reading

# Two types are too close to tell when the weaker has more than this share of the stronger one's evidence.
CLOSE = 0.85
# Less evidence than this says nothing: the generic type takes the document.
LEAST = 1.3
WITHOUT_AMOUNT = 0.5  # a type that asks for an amount hardly fits a page that names none
TITLE_WEIGHT = 2.0  # the type's own name in a heading says more than one label


@dataclass(frozen=True, slots=True)
class Classification:
    """The likeliest type's name; `unclear` holds the names of all candidates when two are close."""

    name: str
    unclear: tuple[str, ...] = ()


def classify(blocks: Sequence[Mapping[str, Any]], types: Sequence[DocumentType]) -> Classification:
    """The type whose title and labels the page shows best; labels that several types share say less.

    A type without fields of its own takes what no other type claims. Near-ties are named, not decided in silence.
    """
    generic = next((type_.name for type_ in types if not type_.fields), "")
    scores = sorted(_scores(blocks, types), reverse=True)
    if not scores or (scores[0][0] < LEAST and generic):
        return Classification(generic)
    best = scores[0]
    close = tuple(name for score, name in scores if score > CLOSE * best[0])
    return Classification(best[1], close if len(close) > 1 else ())


def _scores(blocks: Sequence[Mapping[str, Any]], types: Sequence[DocumentType]) -> list[tuple[float, str]]:
    lines = [_plain(block.get("Text") or "") for block in blocks if block.get("BlockType") == "LINE"]
    own = [type_ for type_ in types if type_.fields]
    owners = Counter(
        label for type_ in own for label in {_plain(text) for spec in type_.fields for text in spec.labels}
    )
    return [(round(_evidence(lines, type_, owners), 3), type_.name) for type_ in own]


def with_unclear_type(reading: Reading, labels: Sequence[str]) -> Reading:
    """The reading with the problem that its type could be any of `labels`; unchanged when there are none."""
    if not labels:
        return reading
    message = f"This could be: {', '.join(labels)}. Check the type of the document."
    return replace(reading, problems=(Problem("unclear_type", None, message, None), *reading.problems))


def _evidence(lines: Sequence[str], type_: DocumentType, owners: Mapping[str, int]) -> float:
    """Title and labels found, weighed by the share of the required fields that the page names: a date is on every form.

    A company's name stands on a page without a label, so it is not asked for.
    """
    title = _plain(type_.label)
    score = TITLE_WEIGHT if any(_holds(line, title) and len(line) <= 3 * len(title) for line in lines) else 0.0
    shown = {spec.name: _rarest(lines, spec, owners) for spec in type_.fields}
    score += sum(shown.values())
    required = [spec.name for spec in type_.fields if spec.required and spec.finder != "company"]
    share = sum(shown[name] > 0 for name in required) / len(required) if required else 1.0
    amounts = [spec.name for spec in type_.fields if spec.required and spec.kind == "amount"]
    without_amount = bool(amounts) and not any(shown[name] for name in amounts)
    return score * share * (WITHOUT_AMOUNT if without_amount else 1.0)


def _rarest(lines: Sequence[str], spec: FieldSpec, owners: Mapping[str, int]) -> float:
    """What the field's best label on the page weighs: 1 when no other type knows that label, 0 when it has none there."""
    labels = {_plain(text) for text in spec.labels} - {""}
    return max(
        (1.0 / owners[label] ** 2 for label in labels if any(_holds(line, label) for line in lines)), default=0.0
    )


def _holds(line: str, label: str) -> bool:
    return f" {label} " in f" {line} "


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", " ", folded).strip()
