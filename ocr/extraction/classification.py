"""Which document type a page most likely is, from the words on it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ocr.extraction.document_types import DocumentType
from ocr.extraction.reading import Problem, Reading

# Two types are too close to tell when the weaker has more than this share of the stronger one's evidence.
CLOSE = 0.8
# Less evidence than this says nothing: the generic type takes the document.
LEAST = 2.0
TITLE_WEIGHT = 3.0  # the type's own name in a heading says more than one label


@dataclass(frozen=True, slots=True)
class Classification:
    """The likeliest type's name; `unclear` holds the names of all candidates when two are close."""

    name: str
    unclear: tuple[str, ...] = ()


def classify(blocks: Sequence[Mapping[str, Any]], types: Sequence[DocumentType]) -> Classification:
    """Count, for every type with fields of its own, which of its titles and labels the page shows.

    A type without fields takes what no other type claims. Ties and near-ties are named, not decided in silence.
    """
    lines = [_plain(block.get("Text") or "") for block in blocks if block.get("BlockType") == "LINE"]
    generic = next((type_.name for type_ in types if not type_.fields), "")
    scores = sorted(((_evidence(lines, type_), type_.name) for type_ in types if type_.fields), reverse=True)
    if not scores or (scores[0][0] < LEAST and generic):
        return Classification(generic)
    best = scores[0]
    close = tuple(name for score, name in scores if score > CLOSE * best[0])
    return Classification(best[1], close if len(close) > 1 else ())


def with_unclear_type(reading: Reading, labels: Sequence[str]) -> Reading:
    """The reading with the problem that its type could be any of `labels`; unchanged when there are none."""
    if not labels:
        return reading
    message = f"This could be: {', '.join(labels)}. Check the type of the document."
    return replace(reading, problems=(Problem("unclear_type", None, message, None), *reading.problems))


def words_as_json(reading: Reading) -> list[dict[str, Any]]:
    """The words of every page, for the reviewer's screen: `[{number, rotation, words: [{id, text, box, confidence}]}]`."""
    return [
        {
            "number": page.number,
            "rotation": page.rotation,
            "words": [
                {
                    "id": word.id,
                    "text": word.text,
                    "confidence": word.confidence,
                    "box": [round(edge, 5) for edge in (word.box.left, word.box.top, word.box.width, word.box.height)],
                }
                for word in page.words
                if word.box
            ],
        }
        for page in reading.pages
    ]


def _evidence(lines: Sequence[str], type_: DocumentType) -> float:
    title = _plain(type_.label)
    score = TITLE_WEIGHT if any(_holds(line, title) and len(line) <= 3 * len(title) for line in lines) else 0.0
    for spec in type_.fields:
        labels = [_plain(label) for label in spec.labels]
        if any(_holds(line, label) for line in lines for label in labels if label):
            score += 1.0 / max(1.0, len(type_.fields) / 8)
    return score


def _holds(line: str, label: str) -> bool:
    return f" {label} " in f" {line} "


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", " ", folded).strip()
