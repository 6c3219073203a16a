"""Document types as versioned data: the YAML files beside this one, and the rows that documents pin."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.db.models import Max

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


def newest() -> list[DocumentType]:
    """The newest version of every type, by label."""
    versions = DocumentType.objects.values("name").annotate(newest=Max("version"))
    wanted = {(row["name"], row["newest"]) for row in versions}
    return [row for row in DocumentType.objects.order_by("label") if (row.name, row.version) in wanted]


def named(name: str) -> DocumentType | None:
    """The newest version of the type with this name."""
    return DocumentType.objects.filter(name=name).order_by("-version").first()


def row(pk: int) -> DocumentType:
    """The stored version with this key; rows never change, so each is fetched once per process."""
    if pk not in _rows:
        _rows[pk] = DocumentType.objects.get(pk=pk)
    return _rows[pk]


_rows: dict[int, DocumentType] = {}


def parsed(row: DocumentType) -> extraction.DocumentType:
    """The type as extraction reads it; rows never change, so it is parsed once per process."""
    return _parse(row.pk, json.dumps(row.definition))


@lru_cache(maxsize=256)
def _parse(pk: int, definition: str) -> extraction.DocumentType:
    return extraction.document_type(json.loads(definition))
