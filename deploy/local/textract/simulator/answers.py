"""What every source of answers offers: the drawn ones and the recorded ones."""

from dataclasses import dataclass
from typing import Protocol

from deploy.local.textract.inputs import Asked
from deploy.local.textract.simulator.jobs import Job
from deploy.local.textract.simulator.knobs import Outcome
from deploy.local.textract.simulator.requests import Document

Cursor = tuple[int, int]
"""A place in a job's results: the page, from 1, and how many of its blocks come before."""
START: Cursor = (1, 0)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a job's results as members of a JSON object, and the place where the next begins, None at the end."""

    members: bytes
    after: Cursor | None


class Source(Protocol):
    """Where answers come from."""

    operations: frozenset[str]
    """What it has answers for; beside these only Get belongs to a Start."""
    version: str

    def pages(self, document: Document, operation: str) -> int | None:
        """How many pages the document has, None when the source does not know. Raises Refusal for no answer."""

    def outcome(self, document: Document, operation: str) -> Outcome | None:
        """How a job for the document ends, None when that is left to the settings. Raises Refusal for no answer."""

    def at_once(self, document: Document, operation: str, asked: Asked) -> bytes:
        """The whole answer to a synchronous call. Raises Refusal when there is none."""

    def part(self, job: Job, operation: str, at: Cursor, limit: int) -> Part:
        """Up to `limit` blocks (or expense documents, or results) of a job's results from a place on."""
