"""What a stored answer says: blocks to fields, lines and words, and the rows that keep them."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

import orjson

from ocr import artifacts, document_types, extraction, rows, turns
from ocr.extraction import answers, classification, several
from ocr.models import Artifact, Document, DocumentType, Extraction, Field, Page
from tenants import scope

MOST_ROWS = 2000  # in one statement: a long form has twenty thousand fields
MOST_PAGES_APART = 60  # of a document whose pages are looked at one by one
FIRST_READ_VERSION = 2  # received, then reading: a document of this version has no fields yet
# How the model version begins of what nobody should take for AWS's answers, and what their fields are said to come from.
OTHER_ENGINES = {"local-": "local", "text-layer-": "text_layer"}


def run_of(document: Document) -> Extraction:
    """The newest extraction of a document that is being or was read; inside a scope."""
    run = document.extractions.last()
    assert run, "a document that is being read has an extraction"
    return run


def raw_artifacts(document: Document, run: Extraction) -> list[Artifact]:
    """The stored pages of that extraction's answer, in order; inside a scope."""
    return list(document.artifacts.filter(kind=Artifact.Kind.RAW, number=run.number).order_by("part"))


@dataclass(slots=True, kw_only=True)
class NewField:
    """A row of ocr_field that is not saved yet, by the names of its columns: a model costs several times as much, and a form has
    hundreds."""

    tenant_id: UUID
    document_id: UUID
    row: int | None
    position: int
    name: str
    label: str
    group: str
    kind: str
    value: str | None
    text: str
    machine_value: str | None
    confidence: float | None
    word_confidence: float | None
    mean_word_confidence: float | None
    page: int | None
    box: list[float] | None
    word_ids: list[str]
    source: str
    why: str
    state: str
    required: bool
    threshold: float
    sensitivity: str
    problems: list[dict[str, Any]]
    suggestions: list[Any]

    @property
    def path(self) -> str:
        """As models.Field's."""
        return self.name if self.row is None else f"line_items.{self.row}.{self.name}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a stored answer says, as rows that are not saved yet."""

    reading: extraction.Reading
    document_type: DocumentType
    fields: list[NewField]
    problems: list[dict[str, Any]]  # those of the document as a whole; fields hold their own
    reasons: list[str]  # the distinct codes of all problems: why a person is needed
    rotations: dict[int, int]  # of the pages that are not upright, by number


# What an answer says, in the parts in which it came.
Parts = Iterable[Mapping[str, Any]]


def found(document: Document, run: Extraction, parts: Parts, *, types: Sequence[DocumentType]) -> Found:
    """The reading of an answer that comes part by part, and the rows that keep it. Asks no database.

    `types` are the newest versions of all types. The same blocks and type version always give the same.
    """
    return as_found(document, run, *understood(document, run, parts, types=types))


def as_found(document: Document, run: Extraction, reading: extraction.Reading, type_: DocumentType) -> Found:
    """The rows that keep a reading."""
    told = extraction.as_json(reading)
    engine = next((name for begin, name in OTHER_ENGINES.items() if run.model_version.startswith(begin)), "textract")
    return Found(
        reading=reading,
        document_type=type_,
        fields=_rows(document, told, document_types.parsed(type_), engine=engine),
        problems=[problem for problem in told["problems"] if not problem["field"]],
        reasons=list(dict.fromkeys(problem.code for problem in reading.problems)),
        rotations={page.number: page.rotation for page in reading.pages if page.rotation},
    )


def parts_of(raw: Iterable[Artifact]) -> Iterator[Mapping[str, Any]]:
    """The stored parts, one in memory at a time. Raises artifacts.Lost."""
    for part in raw:
        yield extraction.decoded(artifacts.read(part))


def collected(document_id: UUID) -> Extraction | None:
    """The newest extraction of the document whose answer is kept whole; inside a scope that sees it."""
    kept = Extraction.objects.filter(document=document_id, state=Extraction.State.COLLECTED).select_related("document")
    return kept.order_by("-number").first()


def cut(bodies: Iterable[bytes], *, first: int, last: int) -> list[bytes]:
    """The parts of an answer as far as they speak of these pages, which are counted from 1 then. One is there at least."""
    parts = [answers.cut(extraction.decoded(body), first=first, last=last) for body in bodies]
    kept = [part for part in parts if not answers.is_empty(part)] or parts[:1]
    return [orjson.dumps(part) for part in kept]


def warnings_of(run: Extraction, *, first: int, last: int) -> list[dict[str, Any]]:
    """What the engine warned of on these pages, which are counted from 1 then."""
    found = []
    for warning in run.warnings:
        pages = [page - first + 1 for page in warning.get("Pages") or [] if first <= page <= last]
        found += [{**warning, "Pages": pages}] if pages else []
    return found


def read(parts: Parts, type_: extraction.DocumentType, *, warnings: Sequence[Any]) -> extraction.Reading:
    """What the parts of an answer say, read as this type. Blocks go page by page; an answer of documents is taken whole."""
    rest = iter(parts)
    first = next(rest, {})
    answer = chain(_emptied(deque([first])), rest)
    if answers.names_values(first):
        return extraction.read((), type_, warnings=warnings, **answers.documents(answer))
    del first  # else it is kept while the others are read
    return extraction.read(map(answers.blocks, answer), type_, warnings=warnings)


def understood(
    document: Document, run: Extraction, parts: Parts, *, types: Sequence[DocumentType]
) -> tuple[extraction.Reading, DocumentType]:
    """What `found` makes rows of, and the type version that it was read with."""
    begin: deque[Mapping[str, Any]] = deque()
    prints = several.Prints() if _may_be_several(document) else None
    rest = prints.watching(parts) if prints else iter(parts)
    type_, unclear = _type_of(document, begin, rest, types)
    reading = read(chain(_emptied(begin), rest), document_types.parsed(type_), warnings=run.warnings)
    reading = classification.with_unclear_type(reading, unclear)
    return (_with_several(document, reading, prints, types) if prints else reading), type_


def _may_be_several(document: Document) -> bool:
    """Whether it is asked if the file holds several documents: not where its sender said what it is."""
    return not document.type_given and 1 < document.page_count <= MOST_PAGES_APART


def _with_several(
    document: Document, reading: extraction.Reading, prints: several.Prints, types: Sequence[DocumentType]
) -> extraction.Reading:
    parsed = [document_types.parsed(row) for row in types]
    found = several.stretches(prints.lines, parsed, pages=document.page_count)
    return several.with_several(reading, found, {row.name: row.label for row in types})


def _emptied(parts: deque[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Each part, let go when it is given."""
    while parts:
        yield parts.popleft()


def words(document: Document, page: int, *, turn: int = 0) -> list[dict[str, Any]]:
    """The words of one page as the reviewer's screen wants them: `[{id, text, confidence, box}]`, in reading order.

    `turn` is how far a person turned the page: the boxes are on the page as it is shown.

    Read from the stored answer when they are asked for. Outside a transaction: storage is asked. Raises artifacts.Lost.
    """
    found = _words(document, page)
    return [{**word, "box": turns.turned(word["box"], turn)} for word in found] if turn else found


def _words(document: Document, page: int) -> list[dict[str, Any]]:
    with scope.scope([document.tenant_id]):
        # Documents that were read before have their words stored.
        stored = document.artifacts.filter(kind=Artifact.Kind.WORDS).first()
        run = document.extractions.last()
        raw = _parts_with(document, run, page) if run and not stored else []
    if stored:
        kept: dict[int, list[dict[str, Any]]] = {
            each["number"]: each["words"] for each in extraction.decoded(artifacts.read(stored))
        }
        return kept.get(page, [])
    blocks = (block for part in parts_of(raw) for block in answers.blocks(part) if (block.get("Page") or 1) == page)
    return extraction.words_as_json(extraction.words(blocks))


def _parts_with(document: Document, run: Extraction, page: int) -> list[Artifact]:
    return [
        part
        for part in raw_artifacts(document, run)
        if part.first_page is None or part.last_page is None or part.first_page <= page <= part.last_page
    ]


def _type_of(
    document: Document,
    begin: deque[Mapping[str, Any]],
    rest: Iterator[Mapping[str, Any]],
    types: Sequence[DocumentType],
) -> tuple[DocumentType, tuple[str, ...]]:
    """The type the uploader named, else the one that the content says, with the other candidates when two are close.

    What has to be looked at for that is taken from `rest` and put into `begin`.
    """
    if document.type_given and document.document_type:
        return document.document_type, ()
    for part in rest:
        begin.append(part)
        blocks = answers.blocks(part)
        if blocks and (blocks[-1].get("Page") or 1) > classification.PAGES_LOOKED_AT:
            break
    told = classification.classify(answers.chained(begin), [document_types.parsed(row) for row in types])
    by_name = {row.name: row for row in types}
    return by_name[told.name], tuple(by_name[name].label for name in told.unclear)


def write_all(readings: Sequence[tuple[Document, Found]]) -> None:
    """Replace the fields and page turns of many documents. Their own columns are the caller's, who moves them anyway."""
    read_before = [document.pk for document, _found in readings if document.version > FIRST_READ_VERSION]
    if read_before:
        Field.objects.filter(document__in=read_before).delete()
    fields = [row for _document, each in readings for row in each.fields]
    for begin in range(0, len(fields), MOST_ROWS):
        rows.insert_plain(Field, fields[begin : begin + MOST_ROWS])
    for document, each in readings:
        for turn in set(each.rotations.values()):
            turned = [number for number, rotation in each.rotations.items() if rotation == turn]
            Page.objects.filter(document=document, number__in=turned).update(rotation=turn)


def _rows(
    document: Document, told: Mapping[str, Any], type_: extraction.DocumentType, *, engine: str
) -> list[NewField]:
    rows = [(None, field) for field in told["fields"]]
    rows += [(item["row"], cell) for item in told["line_items"] for cell in item["cells"]]
    sensitivity = {spec.name: spec.sensitivity for spec in type_.fields}
    tenant_id, document_id = document.tenant_id, document.pk
    return [
        NewField(
            tenant_id=tenant_id,
            document_id=document_id,
            row=row,
            position=position,
            machine_value=field["value"],
            sensitivity=sensitivity.get(field["name"], "internal"),
            source=engine if field["source"] == "textract" else field["source"],
            **{name: field[name] for name in _COPIED},
        )
        for position, (row, field) in enumerate(rows)
    ]


_COPIED = (
    "name", "label", "group", "kind", "value", "text", "confidence", "word_confidence", "mean_word_confidence", "page", "box",
    "word_ids", "why", "state", "required", "threshold", "problems", "suggestions",
)  # fmt: skip


def counts(reading: extraction.Reading, type_: DocumentType) -> dict[str, object]:
    """What the audit trail may say of a reading: its type, and how many of what."""
    codes: dict[str, int] = {}
    for problem in reading.problems:
        codes[problem.code] = codes.get(problem.code, 0) + 1
    return {
        "document_type": type_.name,
        "type_version": type_.version,
        "fields": len(reading.fields),
        "count": len(reading.line_items),
        "problems": codes,
    }


def differs_from_stored(document: Document) -> str:
    """Reads the stored answer again and names the first field whose machine value is not the stored one; '' when all agree.

    Writes nothing and calls nobody. For `verify`.
    """
    run = run_of(document)
    assert document.document_type
    known = copy.copy(document)
    known.type_given = True  # the version that it was read with, not today's
    again = found(known, run, parts_of(raw_artifacts(document, run)), types=[])
    now = {(row.row, row.name): (row.machine_value, row.text, row.box) for row in again.fields}
    # What a person added is in no reading, and what the engine missed stands where a person says.
    kept = {
        (field.row, field.name): (field.machine_value, field.text, None if field.why == "missed" else field.box)
        for field in document.fields.exclude(why="added")
    }
    return next(
        (
            f"{name} in row {row}" if row else name
            for row, name in now.keys() | kept.keys()
            if now.get((row, name)) != kept.get((row, name))
        ),
        "",
    )
