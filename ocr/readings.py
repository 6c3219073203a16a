"""What a stored answer says: blocks to fields, lines and words, and the rows that keep them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ocr import artifacts, document_types, extraction
from ocr.extraction import classification
from ocr.models import Artifact, Document, DocumentType, Extraction, Field, Page
from tenants import scope

LOCAL_ENGINE = "local-"  # how the one-machine engine's model version begins: nobody should take its answers for AWS's


def run_of(document: Document) -> Extraction:
    """The newest extraction of a document that is being or was read; inside a scope."""
    run = document.extractions.last()
    assert run, "a document that is being read has an extraction"
    return run


def raw_artifacts(document: Document, run: Extraction) -> list[Artifact]:
    """The stored pages of that extraction's answer, in order; inside a scope."""
    return list(document.artifacts.filter(kind=Artifact.Kind.RAW, number=run.number).order_by("part"))


def read(document: Document, run: Extraction, raw: list[Artifact]) -> tuple[extraction.Reading, DocumentType]:
    """The reading of the stored answer and the type version it was read with. Outside a transaction: storage is asked.

    The same bytes and type version always give the same. Raises artifacts.Lost.
    """
    blocks = _blocks(raw)
    type_, unclear = _type_of(document, blocks)
    reading = extraction.read(blocks, document_types.parsed(type_), warnings=run.warnings)
    return classification.with_unclear_type(reading, unclear), type_


def words(document: Document, page: int) -> list[dict[str, Any]]:
    """The words of one page as the reviewer's screen wants them: `[{id, text, confidence, box}]`, in reading order.

    Read from the stored answer when they are asked for. Outside a transaction: storage is asked. Raises artifacts.Lost.
    """
    with scope.scope([document.tenant_id]):
        # Documents that were read before have their words stored.
        stored = document.artifacts.filter(kind=Artifact.Kind.WORDS).first()
        run = document.extractions.last()
        raw = _parts_with(document, run, page) if run and not stored else []
    if stored:
        kept = {each["number"]: each["words"] for each in json.loads(artifacts.read(stored))}
        return kept.get(page, [])
    blocks = (block for block in _blocks(raw) if (block.get("Page") or 1) == page)
    return extraction.words_as_json(extraction.words(blocks))


def _parts_with(document: Document, run: Extraction, page: int) -> list[Artifact]:
    return [
        part
        for part in raw_artifacts(document, run)
        if part.first_page is None or part.last_page is None or part.first_page <= page <= part.last_page
    ]


def _blocks(raw: list[Artifact]) -> list[Mapping[str, Any]]:
    return [block for part in raw for block in json.loads(artifacts.read(part)).get("Blocks") or []]


def _type_of(document: Document, blocks: list[Mapping[str, Any]]) -> tuple[DocumentType, tuple[str, ...]]:
    """The type the uploader named, else the one that the content says, with the other candidates when two are close."""
    if document.type_given and document.document_type:
        return document.document_type, ()
    with scope.scope([document.tenant_id]):
        known = document_types.newest()
    found = classification.classify(blocks, [document_types.parsed(row) for row in known])
    by_name = {row.name: row for row in known}
    return by_name[found.name], tuple(by_name[name].label for name in found.unclear)


def write(document: Document, reading: extraction.Reading, type_: DocumentType) -> None:
    """Replace the document's fields, page turns and own problems by this reading's, in the caller's transaction."""
    document.fields.all().delete()
    told = extraction.as_json(reading)
    engine = "local" if run_of(document).model_version.startswith(LOCAL_ENGINE) else "textract"
    Field.objects.bulk_create(_rows(document, told, document_types.parsed(type_), engine=engine))
    for page in reading.pages:
        Page.objects.filter(document=document, number=page.number).update(rotation=page.rotation)
    own = [problem for problem in told["problems"] if not problem["field"]]
    Document.objects.filter(pk=document.pk).update(document_type=type_, problems=own)
    document.document_type, document.problems = type_, own


def _rows(document: Document, told: Mapping[str, Any], type_: extraction.DocumentType, *, engine: str) -> list[Field]:
    rows = [(None, field) for field in told["fields"]]
    rows += [(item["row"], cell) for item in told["line_items"] for cell in item["cells"]]
    sensitivity = {spec.name: spec.sensitivity for spec in type_.fields}
    return [
        Field(
            tenant_id=document.tenant_id,
            document=document,
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
    blocks = _blocks(raw_artifacts(document, run))
    assert document.document_type
    reading = extraction.as_json(
        extraction.read(blocks, document_types.parsed(document.document_type), warnings=run.warnings)
    )
    again = [(None, field) for field in reading["fields"]]
    again += [(item["row"], cell) for item in reading["line_items"] for cell in item["cells"]]
    now = {(row, field["name"]): (field["value"], field["text"], field["box"]) for row, field in again}
    kept = {(field.row, field.name): (field.machine_value, field.text, field.box) for field in document.fields.all()}
    return next(
        (
            f"{name} in row {row}" if row else name
            for row, name in now.keys() | kept.keys()
            if now.get((row, name)) != kept.get((row, name))
        ),
        "",
    )
