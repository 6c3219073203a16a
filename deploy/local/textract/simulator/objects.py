"""How many pages a document has, by the settings or by a look into its bytes."""

import mmap
from fnmatch import fnmatchcase
from pathlib import Path

from deploy.local.textract.simulator.counting import pages_in
from deploy.local.textract.simulator.knobs import Pages
from deploy.local.textract.simulator.requests import Document
from deploy.local.textract.stores import Buckets, checked


class Objects:
    """Documents as the callers mean them. Files of a bucket that a folder stands for are looked into once."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._counted: dict[Path, tuple[tuple[int, int], int | None]] = {}

    def pages(self, document: Document, knobs: Pages, *, at_once: bool) -> int:
        """How many pages the document has. Raises Refusal for what is not there, or is no document."""
        told = next((count for glob, count in knobs.keys if fnmatchcase(document.key, glob)), None)
        looks = told is None and knobs.look_into_files
        if document.content is not None:
            found = self._pages_of_content(document, looks=looks, at_once=at_once)
        else:
            found = self._pages_of_object(document, looks=looks, at_once=at_once)
        return told or found or knobs.default

    @staticmethod
    def _pages_of_content(document: Document, *, looks: bool, at_once: bool) -> int | None:
        assert document.content is not None
        kind = checked(document.content[:1024], document.size, at_once=at_once)
        return pages_in(document.content, kind) if looks and len(document.content) == document.size else None

    def _pages_of_object(self, document: Document, *, looks: bool, at_once: bool) -> int | None:
        place = document.place
        assert place is not None
        if not self._buckets.has(place.bucket):
            return None  # a bucket that nobody showed us: its objects are taken on trust
        path = self._buckets.object_path(place.bucket, place.name, place.version)
        if not looks:
            return None
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._counted.get(path)
        if known is None or known[0] != stamp:
            self._counted[path] = known = (stamp, _pages_of_file(path, stat.st_size, at_once=at_once))
        return known[1]


def _pages_of_file(path: Path, size: int, *, at_once: bool) -> int | None:
    with path.open("rb") as stream:
        kind = checked(stream.read(1024), size, at_once=at_once)
        if kind in ("PNG", "JPEG"):
            return 1
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return pages_in(content, kind)
