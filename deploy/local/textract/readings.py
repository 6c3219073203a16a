"""Pages read once: by a child when they are new, from the disk ever after."""

import threading
from importlib.metadata import version
from pathlib import Path

from deploy.local.textract import calibration, reading
from deploy.local.textract.processes import Pool
from deploy.local.textract.reading import PageReading
from deploy.local.textract.stores import Document

ENGINE_VERSION = version("rapidocr")
MODEL_VERSION = f"local-rapidocr-{ENGINE_VERSION}"
LAYOUT_OF_CACHE = 6
_EDITION = f"{ENGINE_VERSION}-{calibration.VERSION}-{LAYOUT_OF_CACHE}"


class Readings:
    """What stands on pages, kept by the document's sha256, the page and the engine's version."""

    def __init__(self, folder: Path, *, inspectors: Pool, readers: Pool) -> None:
        self._folder, self._inspectors, self._readers = folder, inspectors, readers
        self._busy: set[Path] = set()
        self._changed = threading.Condition()

    def count_pages(self, document: Document, *, soon: bool = False) -> int:
        """The number of pages. `soon` says that a page will be read next, so that an engine is started meanwhile.

        Raises Refusal when the document cannot be read, ChildDied when it killed the child that looked.
        """
        if soon and not self._place(document, 1).exists():
            self._readers.warm()
        answer = self._inspectors.ask({"path": str(document.path), "kind": document.kind})
        return int(answer["pages"])

    def page(self, document: Document, number: int) -> PageReading:
        """One page, counting from 1. Raises Refusal when it cannot be drawn, ChildDied when it killed the child."""
        place = self._place(document, number)
        with self._changed:
            self._changed.wait_for(lambda: place not in self._busy)
            self._busy.add(place)
        try:
            if not place.exists():
                self._read(document, number, place)
            return reading.from_json(place.read_text("utf-8"))
        finally:
            with self._changed:
                self._busy.remove(place)
                self._changed.notify_all()

    def _read(self, document: Document, number: int, place: Path) -> None:
        answer = self._readers.ask({"path": str(document.path), "kind": document.kind, "page": number})
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = place.with_suffix(".part")
        unfinished.write_text(answer["page"], "utf-8")
        unfinished.rename(place)

    def _place(self, document: Document, number: int) -> Path:
        return self._folder / document.sha256[:2] / f"{document.sha256}-{number}-{_EDITION}.json"
