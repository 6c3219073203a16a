"""Document types as versioned data: the YAML files beside this one, and the rows that documents pin."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from audit import prepared
from ocr import extraction
from ocr.models import DocumentType

FOLDER = Path(__file__).parent


def ship() -> None:
    """Store each shipped type whose definition is not yet its newest version; versions in use are never changed."""
    for path in sorted(FOLDER.glob("*.yaml")):
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))
        add_version(definition)


def add_version(definition: dict[str, Any]) -> DocumentType:
    """The newest version of the type, made when `definition` differs from it. Raises extraction.InvalidType with a sentence."""
    parsed = extraction.document_type({**definition, "version": 1})
    digest = hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()
    newest = DocumentType.objects.filter(name=parsed.name).order_by("-version").first()
    if newest and newest.digest == digest:
        return newest
    version = newest.version + 1 if newest else 1
    return DocumentType.objects.create(
        name=parsed.name,
        version=version,
        label=parsed.label,
        definition={**definition, "version": version},
        digest=digest,
    )


# Versions never change and their keys are never used again, so what was once fetched or parsed holds for the process's life.
# Which version is the newest is asked anew each time: one that somebody adds counts at once, on every host.
_rows: dict[int, DocumentType] = {}
_parsed: dict[int, extraction.DocumentType] = {}


def newest() -> list[DocumentType]:
    """The newest version of every type, by label: one small statement, and the definitions only the first time."""
    keys = prepared.fetch("SELECT DISTINCT ON (name) id FROM ocr_documenttype ORDER BY name, version DESC")
    return sorted(_fetched([key for (key,) in keys]), key=lambda each: each.label.casefold())


def named(name: str) -> DocumentType | None:
    """The newest version of the type with this name."""
    key = DocumentType.objects.filter(name=name).order_by("-version").values_list("pk", flat=True).first()
    return row(key) if key else None


class Unknown(Exception):
    """There is no such type, or no such version; the sentence says which there are."""

    code = "unknown_document_type"


def stored(name: str) -> DocumentType:
    """The stored version NAME@VERSION, or the newest of NAME. Raises Unknown."""
    plain, at, version = name.partition("@")
    versions = DocumentType.objects.filter(name=plain).order_by("-version")
    numbers = dict(versions.values_list("version", "pk"))
    if not numbers:
        known = ", ".join(DocumentType.objects.order_by("name").distinct("name").values_list("name", flat=True))
        raise Unknown(f"There is no document type of that name ({plain}). Use one of: {known}.")
    by_text = {str(number): pk for number, pk in numbers.items()} | ({} if at else {"": next(iter(numbers.values()))})
    if version not in by_text:
        kept = ", ".join(map(str, numbers))
        raise Unknown(f"There is no version {version} of the document type {plain}. Stored versions: {kept}.")
    return row(by_text[version])


def row(pk: int) -> DocumentType:
    """The stored version with this key."""
    if pk not in _rows:
        _rows[pk] = DocumentType.objects.get(pk=pk)
    return _rows[pk]


def parsed(row: DocumentType) -> extraction.DocumentType:
    """The type as extraction reads it."""
    known = _parsed.get(row.pk)
    if known is None:
        known = _parsed[row.pk] = extraction.document_type(row.definition)
    return known


def _fetched(keys: list[int]) -> list[DocumentType]:
    if missing := [pk for pk in keys if pk not in _rows]:
        _rows.update(DocumentType.objects.in_bulk(missing))
    return [_rows[pk] for pk in keys]
