"""Answers that were recorded from the real service, each given for the documents that a map names."""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from deploy.local.textract.inputs import Asked, S3Object
from deploy.local.textract.refusals import Refusal, invalid
from deploy.local.textract.simulator.answers import Cursor, Part
from deploy.local.textract.simulator.jobs import Job
from deploy.local.textract.simulator.knobs import OPERATIONS, Json, Outcome
from deploy.local.textract.simulator.papers import encoded
from deploy.local.textract.simulator.pruning import pruned
from deploy.local.textract.simulator.requests import Document
from deploy.local.textract.stores import Buckets

KEPT = 64
NAMESPACE = uuid.UUID("0a9c1b52-6f0e-5a41-8b3d-7d2f4b6c9e10")
LARGEST_BYTES = 200 << 20
EXPENSES_A_PART = 20
"""How many expense documents an answer holds at most, as AWS has it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Which documents an answer is for: those with this sha256, or whose key matches; `paths` are its files in order."""

    sha256: str
    key: str
    operation: str
    paths: tuple[Path, ...]

    def holds(self, document: Document, operation: str, sha256: Callable[[], str | None]) -> bool:
        """Whether the answer is for this document; its hash is asked for only where it matters."""
        if not fnmatchcase(operation, self.operation):
            return False
        return sha256() == self.sha256 if self.sha256 else fnmatchcase(document.key, self.key)


@dataclass(frozen=True, slots=True)
class Recording:
    """An answer, all its pages together. `members` are all but the lists."""

    members: Json
    blocks: tuple[Json, ...]
    expenses: tuple[Json, ...]
    identities: tuple[Json, ...]
    results: tuple[Json, ...]

    @property
    def pages(self) -> int:
        told = (self.members.get("DocumentMetadata") or {}).get("Pages")
        return told if isinstance(told, int) and told > 0 else max((b.get("Page") or 1 for b in self.blocks), default=1)


def entries(config: Json, folder: Path) -> tuple[Entry, ...]:
    """The map in a replay's settings (`documents`, `fallback`), out of which those members are taken.

    Paths are relative to `folder`, or to the member `folder`. Raises Refusal for what cannot be read.
    """
    base = folder / _text(config.pop("folder", ""), "folder")
    given = config.pop("documents", [])
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise invalid("documents must be a list of structures with sha256 or key, and answer.")
    found = [_entry(each, f"documents[{number}]", base) for number, each in enumerate(given)]
    fallback = config.pop("fallback", None)
    if fallback is not None:
        found.append(Entry("", "*", "*", _paths(fallback, "fallback", base)))
    if not found:
        raise invalid("The mode replay needs documents or a fallback: there is nothing to answer with.")
    return tuple(found)


def _entry(given: Json, where: str, base: Path) -> Entry:
    unknown = [name for name in given if name not in ("sha256", "key", "operation", "answer")]
    if unknown:
        raise invalid(f"{where} has no {unknown[0]!r}. There are: sha256, key, operation, answer.")
    sha256, key = _text(given.get("sha256", ""), f"{where}.sha256"), _text(given.get("key", ""), f"{where}.key")
    if bool(sha256) == bool(key):
        raise invalid(f"{where} needs either a sha256 or a key.")
    operation = _text(given.get("operation", "*"), f"{where}.operation")
    return Entry(sha256, key, operation, _paths(given.get("answer"), f"{where}.answer", base))


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise invalid(f"{where} must be a text.")
    return value


def _paths(given: Any, where: str, base: Path) -> tuple[Path, ...]:
    names = given if isinstance(given, list) else [given]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise invalid(f"{where} must name a file, or a list of files.")
    paths = tuple(base / name for name in names)
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise invalid(f"{where}: there is no file {missing[0]}.")
    return paths


def load(paths: Sequence[Path]) -> Recording:
    """The recording in these files, each one answer or a list of answers. Raises Refusal for what is none."""
    answers = [answer for path in paths for answer in _answers(path)]

    def together(name: str) -> tuple[Json, ...]:
        return tuple(chain.from_iterable(answer.get(name) or [] for answer in answers))

    lists = ("Blocks", "ExpenseDocuments", "IdentityDocuments", "Results", "NextToken", "ResponseMetadata", "$metadata")
    members = {name: value for answer in answers for name, value in answer.items() if name not in lists}
    return Recording(
        members, together("Blocks"), together("ExpenseDocuments"), together("IdentityDocuments"), together("Results")
    )


def _answers(path: Path) -> list[Json]:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise invalid(f"{path} is over {LARGEST_BYTES >> 20} MB.")
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise invalid(f"{path} cannot be read as JSON: {error}") from None
    answers = found if isinstance(found, list) else [found]
    if not answers or not all(isinstance(answer, dict) for answer in answers):
        raise invalid(f"{path} is neither an answer nor a list of answers.")
    return answers


class Recorded:
    """Answers from recordings, in the shape of the operation that asks: what its features did not ask for is left out."""

    operations = frozenset(OPERATIONS)
    version = "recorded"

    def __init__(self, entries: Sequence[Entry], buckets: Buckets, *, fresh_ids: bool) -> None:
        self._entries, self._buckets, self._fresh_ids = entries, buckets, fresh_ids
        self._hashes: dict[str, str] = {}
        self._load = lru_cache(KEPT)(load)
        self._parts: dict[tuple[object, ...], tuple[str, list[bytes]]] = {}

    def pages(self, document: Document, operation: str) -> int | None:
        return self._recording(document, operation).pages

    def outcome(self, document: Document, operation: str) -> Outcome | None:
        members = self._recording(document, operation).members
        status = members.get("JobStatus") or "SUCCEEDED"
        if status not in ("FAILED", "PARTIAL_SUCCESS", "IN_PROGRESS"):
            return None
        warnings = members.get("Warnings") or []
        code = next((str(each.get("ErrorCode")) for each in warnings), "")
        return Outcome(status, "*", "*", 1.0, frozenset(), str(members.get("StatusMessage") or ""), code, ())

    def at_once(self, document: Document, operation: str, asked: Asked) -> bytes:
        recording = self._recording(document, operation)
        name, items = _items(recording, operation, asked)
        head = _head(recording, operation)
        return encoded({**head, name: self._fresh(items, document.name)})

    def part(self, job: Job, operation: str, at: Cursor, limit: int) -> Part:
        document = Document(job.name, None, 0, S3Object(job.bucket, job.key, None))
        recording = self._recording(document, job.operation)
        if operation == "GetLendingAnalysisSummary":
            summary = recording.members.get("Summary") or {"DocumentGroups": [], "UndetectedDocumentTypes": []}
            return Part(encoded({**_version(recording, operation), "Summary": summary})[1:-1], None)
        name, parts = self._parts_of(job, recording)
        size = min(limit, EXPENSES_A_PART) if name == "ExpenseDocuments" else limit
        first, last = at[1], at[1] + size
        head = encoded(_version(recording, job.operation))[1:-1]
        members = [head] if head else []
        warnings = recording.members.get("Warnings")
        if warnings and not job.missing:
            members.append(b'"Warnings":' + encoded(warnings))
        members.append(b'"%s":[%s]' % (name.encode(), b",".join(parts[first:last])))
        return Part(b",".join(members), (1, last) if last < len(parts) else None)

    def _parts_of(self, job: Job, recording: Recording) -> tuple[str, list[bytes]]:
        """The name of the list that a job answers with, and its items as JSON; made once for a job."""
        key = (job.name, job.operation, job.asked.features, job.missing, job.job_id if self._fresh_ids else "")
        found = self._parts.get(key)
        if found is None:
            name, items = _items(recording, job.operation, job.asked)
            if len(self._parts) >= KEPT:
                self._parts.clear()
            there = [each for each in items if each.get("Page") not in job.missing]
            found = self._parts[key] = (name, [encoded(each) for each in self._fresh(there, job.job_id)])
        return found

    def _recording(self, document: Document, operation: str) -> Recording:
        def sha256() -> str | None:
            return self._sha256(document)

        entry = next((each for each in self._entries if each.holds(document, operation, sha256)), None)
        if entry is None:
            raise Refusal(
                "InvalidS3ObjectException" if document.place else "BadDocumentException",
                f"No recorded answer to {operation} for {document.key}. Name one in the replay's settings.",
            )
        return self._load(entry.paths)

    def _sha256(self, document: Document) -> str | None:
        """The hash of a document's bytes; None for an object of a bucket that no folder stands for."""
        place = document.place
        if place is None:
            return document.name
        if document.name not in self._hashes and self._buckets.has(place.bucket):
            with self._buckets.object_path(place.bucket, place.name, place.version).open("rb") as stream:
                self._hashes[document.name] = hashlib.file_digest(stream, "sha256").hexdigest()
        return self._hashes.get(document.name)

    def _fresh(self, items: Sequence[Json], about: str) -> Sequence[Json]:
        return [_renamed(each, about) for each in items] if self._fresh_ids else items


_NAMES = {"Expense": "AnalyzeExpense", "ID": "AnalyzeID", "Lending": "AnalyzeLending", "Text": "DetectDocumentText"}


def _items(recording: Recording, operation: str, asked: Asked) -> tuple[str, Sequence[Json]]:
    """The list that the operation answers with and its name. Raises Refusal when it was not recorded."""
    if "Expense" in operation:
        return "ExpenseDocuments", _recorded(recording.expenses, operation)
    if "Lending" in operation:
        return "Results", _recorded(recording.results, operation)
    if operation == "AnalyzeID":
        return "IdentityDocuments", _recorded(recording.identities, operation)
    inner = chain.from_iterable(each.get("Blocks") or [] for each in (*recording.expenses, *recording.identities))
    return "Blocks", pruned(recording.blocks or inner, asked.features)


def _recorded(items: Sequence[Json], operation: str) -> Sequence[Json]:
    if not items:
        raise invalid(f"The recorded answer for this document is none to {operation}.")
    return items


def _head(recording: Recording, operation: str) -> Json:
    return {"DocumentMetadata": {"Pages": recording.pages}, **_version(recording, operation)}


def _version(recording: Recording, operation: str) -> Json:
    """The model's version under the operation's name for it, as far as the service tells one there."""
    called = next((name for part, name in _NAMES.items() if part in operation), "AnalyzeDocument")
    if called == "AnalyzeExpense" and operation == "AnalyzeExpense":
        return {}
    told: Iterable[Any] = (
        value for name, value in recording.members.items() if name.endswith("ModelVersion") and value
    )
    return {f"{called}ModelVersion": str(next(iter(told), "recorded"))}


def _renamed(value: Any, about: str) -> Any:
    """The same with every block id replaced by one that belongs to this job or document alone."""
    if isinstance(value, Mapping):
        return {
            name: _id(each, about) if name == "Id" else _renamed_ids(name, each, about) for name, each in value.items()
        }
    return [_renamed(each, about) for each in value] if isinstance(value, list) else value


def _renamed_ids(name: str, value: Any, about: str) -> Any:
    return [_id(each, about) for each in value] if name == "Ids" and isinstance(value, list) else _renamed(value, about)


def _id(value: Any, about: str) -> Any:
    if not isinstance(value, str):
        return value
    return str(uuid.uuid5(NAMESPACE, hashlib.sha256(f"{about} {value}".encode()).hexdigest()))
