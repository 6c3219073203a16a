"""The three ways in which a document is read: at once, as a job whose answer comes whole, as one whose answer comes in parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests import engine as stub
from tests import make
from tests.engine import Engine, Page


@dataclass(frozen=True, slots=True)
class Life:
    """One way, and the calls to the outside that it takes from arrival to rest."""

    name: str
    calls: tuple[str, ...]
    pages: tuple[Page, ...] = (stub.CLEAR,)
    synchronous: bool = False
    part_size: int = 1000

    def __str__(self) -> str:
        return self.name

    def set_up(self, engine: Engine, settings: Any) -> None:
        """Documents that arrive from now on go this way."""
        settings.SYNCHRONOUS = self.synchronous
        engine.part_size = self.part_size
        engine.reads(*self.pages)

    def content(self) -> bytes:
        """A new document's file."""
        return make.image() if len(self.pages) == 1 else make.pdf(len(self.pages))


AT_ONCE = Life("at-once", ("_save", stub.SYNC, "_save", "_save"), synchronous=True)
JOB = Life("job", ("_save", stub.START, stub.GET, "_save", "_save"))
PARTS = Life(
    "parts",
    ("_save", stub.START, *(stub.GET, "_save") * 3, *("_open",) * 3, "_save"),
    pages=(stub.CLEAR, Page.of("Thank you")),
    part_size=8,
)
LIVES = (AT_ONCE, JOB, PARTS)
