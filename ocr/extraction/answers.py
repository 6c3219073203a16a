"""The members of an engine's answer that hold what it read: blocks, or the documents of the operations that name values themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from ocr.extraction.sheets import Sheets
from ocr.extraction.tolerant import listed

# By the member of AnalyzeExpense, AnalyzeID and the lending analysis that lists their documents: what `read` calls it.
DOCUMENTS: Mapping[str, str] = {
    "ExpenseDocuments": "expense_documents",
    "IdentityDocuments": "identity_documents",
    "Results": "lending_results",
}


def names_values(part: Mapping[str, Any]) -> bool:
    """Whether the answer that this is a part of lists documents instead of blocks."""
    return any(name in part for name in DOCUMENTS)


def documents(parts: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """What the parts of one such answer list, together, by the names that `read` takes."""
    found: dict[str, list[Any]] = {}
    for part in parts:
        for name, called in DOCUMENTS.items():
            if name in part:
                found.setdefault(called, []).extend(listed(part[name]))
    return found


def blocks(part: Mapping[str, Any]) -> Sequence[Any]:
    """The blocks of one part: its own, or those inside its documents, with their pages."""
    if not names_values(part):
        return listed(part.get("Blocks"))
    return list(Sheets(**documents([part])).blocks())


def pages(part: Mapping[str, Any]) -> set[int]:
    """The pages that the part's documents stand for by themselves, whether they hold blocks or not."""
    return set(Sheets(**documents([part])).pages) if names_values(part) else set()


def chained(parts: Iterable[Mapping[str, Any]]) -> Iterable[Any]:
    """The blocks of all parts."""
    return chain.from_iterable(map(blocks, parts))
