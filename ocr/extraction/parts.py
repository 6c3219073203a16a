"""From an answer that comes in parts of up to a thousand blocks to its pages, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ocr.extraction.blocks import refers_beyond
from ocr.extraction.tolerant import counted, members

# So many pages are in memory at most: one that names blocks which are not there waits for them, and the next ones with it.
MOST_HELD = 16


class Parts:
    """The blocks of one page after the other, in the order in which the pages begin.

    A page is given when the next one has begun and every block it names is there: its blocks may come in several parts,
    children later than what holds them. What never comes is waited for while `MOST_HELD` pages fit.
    """

    def __init__(self, parts: Iterable[Any]) -> None:
        self._parts = parts
        self._waiting: dict[int, list[Any]] = {}

    def __iter__(self) -> Iterator[list[Any]]:
        for part in self._parts:
            newest = self._take(part if isinstance(part, list | tuple) else [part])
            while self._waiting and self._may_go(newest):
                yield self._next()
        while self._waiting:
            yield self._next()

    def _take(self, blocks: Iterable[Any]) -> int:
        """Sort the part's blocks by page; the page of the last one."""
        page = 1
        for block in blocks:
            page = counted(members(block).get("Page"))
            self._waiting.setdefault(page, []).append(block)
        return page

    def _may_go(self, newest: int) -> bool:
        """Whether the page that began first is whole, as far as one can tell, or has waited long enough."""
        oldest, blocks = next(iter(self._waiting.items()))
        return len(self._waiting) > MOST_HELD or (oldest != newest and _is_whole(blocks))

    def _next(self) -> list[Any]:
        return self._waiting.pop(next(iter(self._waiting)))


def _is_whole(blocks: list[Any]) -> bool:
    found = [members(block) for block in blocks]
    known = {identity for block in found if isinstance(identity := block.get("Id"), str)}
    return not refers_beyond(found, known, by_pages=True)
