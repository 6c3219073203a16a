"""The members of an engine's answer that hold what it read: blocks, or the documents of the operations that name values themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from ocr.extraction.sheets import Sheets
from ocr.extraction.tolerant import counted, listed, members

# By the member of AnalyzeExpense, AnalyzeID and the lending analysis that lists their documents: what `read` calls it.
DOCUMENTS: Mapping[str, str] = {
    "ExpenseDocuments": "expense_documents",
    "IdentityDocuments": "identity_documents",
    "Results": "lending_results",
}
_PAGES = frozenset({"Page", "PageNumber"})


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


def cut(part: Mapping[str, Any], *, first: int, last: int) -> dict[str, Any]:
    """What the part says of these pages, which become the first ones of an answer of their own."""
    told = {name: value for name, value in part.items() if name not in {"NextToken", "Warnings"}}
    for name in ("Blocks", *DOCUMENTS):
        if name in told:
            kept = [each for each in listed(told[name]) if first <= _page_of(each) <= last]
            told[name] = [_renumbered(each, first - 1) for each in kept]
    return {**told, "DocumentMetadata": {"Pages": last - first + 1}}


def is_empty(part: Mapping[str, Any]) -> bool:
    """Whether nothing is left in it."""
    return not any(listed(part.get(name)) for name in ("Blocks", *DOCUMENTS))


def _page_of(read: Any) -> int:
    """The page of a block or document; a document may name it in its fields or blocks only."""
    told = members(read)
    if "Page" in told:
        return counted(told["Page"])
    inside = [*listed(told.get("Blocks")), *listed(told.get("SummaryFields"))]
    pages = (members(each).get(name) for each in inside for name in ("Page", "PageNumber"))
    return counted(next((page for page in pages if page is not None), told.get("ExpenseIndex")))


def _renumbered(read: Any, before: int) -> Any:
    """The same with the pages counted from the cut on."""
    if isinstance(read, Mapping):
        return {
            name: value - before if name in _PAGES and type(value) is int else _renumbered(value, before)
            for name, value in read.items()
        }
    return [_renumbered(each, before) for each in read] if isinstance(read, list) else read
