"""Document types as versioned data: the YAML files beside this one, and the rows that documents pin."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit import prepared, trail
from audit.models import Kind
from ocr import extraction
from ocr.document_types import written
from ocr.extraction import sentences
from ocr.models import DocumentType
from tenants import access
from tenants.changes import PLATFORM

FOLDER = Path(__file__).parent
SHIPPED = "system"  # who made the versions that come with the product


class Overtaken(Exception):
    """Somebody else saved the type since it was opened; the text says so."""

    code = "overtaken"


def ship() -> None:
    """Store each shipped type that is not stored yet as a new version; versions in use are never changed.

    A type whose newest version a person saved stays as that person wants it.
    """
    for path in sorted(FOLDER.glob("*.yaml")):
        source = path.read_text(encoding="utf-8")
        definition = yaml.safe_load(source)
        newest = DocumentType.objects.filter(name=definition["name"]).order_by("-version").first()
        if newest is None or newest.made_by == SHIPPED:
            add_version(definition, source=source)


def add_version(definition: dict[str, Any], *, source: str = "", made_by: str = SHIPPED) -> DocumentType:
    """The newest version of the type, made when `definition` differs from it. Raises extraction.InvalidType with a sentence."""
    parsed = extraction.document_type({**definition, "version": 1})
    digest = _digest(definition)
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
        source=source,
        made_by=made_by,
    )


def save(text: str, *, name: str, based_on: int, actor: str) -> DocumentType:
    """The type's next version from its YAML, told in the audit trail; the newest one where nothing differs from it.

    `name` is the type that is edited ('' for a new one), `based_on` the version that was (0 for a new one). It holds for the next
    document, on every host. Raises written.Unreadable, or Overtaken when somebody else saved meanwhile. Platform admins only: the
    caller has checked.
    """
    definition = written.definition(text)
    if name and definition["name"] != name:
        raise written.Unreadable(sentences.KEPT_NAME(name=name), written.line_of_name(text))
    with transaction.atomic():
        newest = named(definition["name"])
        if (newest.version if newest else 0) != based_on:
            raise _overtaken(definition["name"], newest, is_new=not name)
        if newest and _digest({**newest.definition, "version": 0}) == _digest({**definition, "version": 0}):
            return newest
        try:
            with transaction.atomic():
                made = add_version(definition, source=text, made_by=actor)
        except IntegrityError:
            raise _overtaken(definition["name"], named(definition["name"]), is_new=not name) from None
        codes = {"document_type": made.name, "type_version": made.version, "change": "added", "sha256": made.digest}
        trail.record(Kind.DOCUMENT_TYPE_CHANGED, tenant_id=PLATFORM, actor=actor, codes=codes)
    return made


def _overtaken(name: str, newest: DocumentType | None, *, is_new: bool) -> Overtaken:
    if is_new:
        return Overtaken(
            _("There is a document type called %(name)s already. Choose another name, or edit that one.")
            % {"name": name}
        )
    version, who = (newest.version, newest.made_by) if newest else (0, "")
    return Overtaken(
        _("Version %(n)s was saved by %(who)s meanwhile. Open the type again and make your change there.")
        % {"n": version, "who": access.called(who)}
    )


def _digest(definition: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()


# Versions never change and their keys are never used again, so what was once fetched or parsed holds for the process's life.
# Which version is the newest is asked anew each time: one that somebody adds counts at once, on every host.
_rows: dict[int, DocumentType] = {}
_parsed: dict[int, extraction.DocumentType] = {}


def newest() -> list[DocumentType]:
    """The newest version of every type, by label: one small statement, and the definitions only the first time."""
    keys = prepared.fetch("SELECT DISTINCT ON (name) id FROM ocr_documenttype ORDER BY name, version DESC")
    return sorted(_fetched([key for (key,) in keys]), key=lambda each: each.label.casefold())


def versions(name: str) -> tuple[int, ...]:
    """The keys of all versions of the type with this name."""
    return tuple(pk for (pk,) in prepared.fetch("SELECT id FROM ocr_documenttype WHERE name = $1::text", name))


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
        raise Unknown(
            _("There is no document type of that name (%(name)s). Use one of: %(known)s.")
            % {"name": plain, "known": known}
        )
    by_text = {str(number): pk for number, pk in numbers.items()} | ({} if at else {"": next(iter(numbers.values()))})
    if version not in by_text:
        kept = ", ".join(map(str, numbers))
        raise Unknown(
            _("There is no version %(version)s of the document type %(name)s. Stored versions: %(known)s.")
            % {"version": version, "name": plain, "known": kept}
        )
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
