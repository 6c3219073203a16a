"""receive(): the one way in for documents, whatever door they come through."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from django.db import IntegrityError

from audit import log, trail
from audit.models import Kind
from ocr import artifacts, contract, document_types, idempotency, lifecycle, queue, sandbox
from ocr.models import TURN_AFTER, Artifact, Document, DocumentType, Page, Priority, Source
from tenants import scope

METADATA_BYTES = 4096
_ESCAPED_NUL = re.compile(
    r"(?<!\\)(?:\\\\)*\\u0000"
)  # an even number of backslashes before it are backslashes themselves


class Unacceptable(Exception):
    """The upload cannot be taken as it is: `code` is stable, `sentence` tells its sender what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that arrived, and what its sender said about it. `path` is ours and is left where it is."""

    path: Path
    filename: str = ""
    document_type: str = ""  # empty: found from the content
    priority: str = "normal"
    external_id: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)
    source: Source = Source.API
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The document that an upload became; `repeated` when the same request had been answered before."""

    document: Document
    repeated: bool = False


def receive(
    upload: Upload, *, tenant_id: UUID, actor: str, within: Callable[[Document], None] | None = None
) -> Receipt:
    """Check the file, store it, create the document and ring the workers; once this returns, nothing can lose it.

    Bytes first, row second, answer last. `within` runs in the transaction that creates the document; when it raises
    lifecycle.Overtaken, nothing was accepted. Raises Unacceptable (the sender must change something), sandbox.SandboxFailed
    and OSError (ours: nothing was accepted, the sender may repeat), idempotency.KeyReused and BadKey.
    """
    type_ = _checked_type(upload.document_type)
    priority = _checked_priority(upload.priority)
    check_words(upload)
    inspection = _inspected(upload.path)
    sha256, _size = artifacts.fingerprint(upload.path)
    request = idempotency.Request.of(
        upload.idempotency_key, "documents", sha256, upload.document_type, upload.priority, upload.external_id,
        json.dumps(dict(upload.metadata), sort_keys=True),
    )  # fmt: skip
    earlier = _answered(tenant_id, request)
    if earlier:
        return Receipt(earlier, repeated=True)
    document = Document(
        id=uuid4(),
        tenant_id=tenant_id,
        priority=priority,
        document_type=type_,
        type_given=type_ is not None,
        external_id=upload.external_id,
        filename=clean_name(upload.filename),
        metadata=dict(upload.metadata),
        source=upload.source,
        received_by=actor,
        request_id=log.request_id(),
        content_type=inspection.content_type,
        sha256=sha256,
        page_count=inspection.page_count,
        step="start",
    )
    with scope.scope([tenant_id]):
        document.received_at = document.status_at = document.due_at = lifecycle.database_now()
        document.turn_at = document.received_at + TURN_AFTER[priority]
    original = artifacts.store(document, Artifact.Kind.ORIGINAL, upload.path, content_type=inspection.content_type)
    document.size_bytes = original.size_bytes
    try:
        _create(document, original, request, actor=actor, within=within)
    except lifecycle.Overtaken:
        artifacts.delete(original.key)
        raise
    except IntegrityError:
        artifacts.delete(original.key)
        earlier = _answered(tenant_id, request)
        if earlier is None:
            raise
        return Receipt(earlier, repeated=True)
    log.event("received", tenant=tenant_id, document=document.pk, actor=actor, pages=document.page_count)
    return Receipt(document)


def _inspected(path: Path) -> sandbox.Inspection:
    try:
        return sandbox.inspect(path)
    except sandbox.Unacceptable as refusal:
        raise Unacceptable(refusal.code, refusal.sentence) from None


def _create(
    document: Document,
    original: Artifact,
    request: idempotency.Request | None,
    *,
    actor: str,
    within: Callable[[Document], None] | None,
) -> None:
    with scope.scope([document.tenant_id]):
        document.duplicate_of = _first_with(document)
        codes: dict[str, object] = {
            "sha256": document.sha256,
            "bytes": document.size_bytes,
            "pages": document.page_count,
            "content_type": document.content_type,
            "source": document.source,
            "priority": contract.priority_name(document),
            "document_type": document.document_type.name if document.document_type else "",
            "external_id_given": bool(document.external_id),
        }
        if document.duplicate_of:
            codes["duplicate_of"] = str(document.duplicate_of)
        lifecycle.begin(document, actor=actor, codes=codes)
        original.save(force_insert=True)
        Page.objects.bulk_create(
            Page(tenant_id=document.tenant_id, document_id=document.pk, number=number + 1)
            for number in range(document.page_count)
        )
        trail.record(
            Kind.WORKFLOW_STARTED, tenant_id=document.tenant_id, document_id=document.pk, actor="system", step="start"
        )
        if request:
            idempotency.keep(
                document.tenant_id,
                request,
                answer=contract.accepted(document),
                status_code=202,
                document_id=document.pk,
            )
        if within:
            within(document)
        queue.ring(document.tenant_id, document.pk)


def _answered(tenant_id: UUID, request: idempotency.Request | None) -> Document | None:
    with scope.scope([tenant_id]):
        row = idempotency.known(tenant_id, request)
        return lifecycle.of(row.document_id) if row and row.document_id else None


def _first_with(document: Document) -> UUID | None:
    """The first document of the same tenant with the same bytes: another tenant's files say nothing here."""
    same = Document.objects.filter(tenant_id=document.tenant_id, sha256=document.sha256, duplicate_of=None)
    return same.order_by("received_at").values_list("pk", flat=True).first()


def _checked_type(name: str) -> DocumentType | None:
    if not name:
        return None
    type_ = document_types.named(name)
    if type_ is None:
        known = ", ".join(row.name for row in document_types.newest())
        raise Unacceptable("unknown_document_type", f"There is no document type of that name. Use one of: {known}.")
    return type_


def _checked_priority(name: str) -> Priority:
    try:
        return Priority[name.upper()]
    except KeyError:
        raise Unacceptable("unknown_priority", "The priority is one of: high, normal, low.") from None


def check_words(upload: Upload) -> None:
    """Raise Unacceptable for an external_id or metadata that cannot be kept; the file is not looked at."""
    if len(upload.external_id) > 200 or not upload.external_id.isprintable():
        raise Unacceptable("external_id_invalid", "An external_id has at most 200 printable characters.")
    if not _can_be_kept(upload.metadata):
        raise Unacceptable(
            "metadata_invalid", "The metadata is a JSON object of text and finite numbers, without NUL characters."
        )
    if len(json.dumps(dict(upload.metadata))) > METADATA_BYTES:
        raise Unacceptable("metadata_too_large", f"The metadata has at most {METADATA_BYTES} bytes of JSON.")


def _can_be_kept(metadata: Mapping[str, object]) -> bool:
    """Whether PostgreSQL takes it as jsonb, which knows neither NaN nor NUL nor halves of surrogate pairs."""
    try:
        told = json.dumps(dict(metadata), allow_nan=False, ensure_ascii=False)
        told.encode()
    except (ValueError, TypeError, RecursionError):  # UnicodeEncodeError is a ValueError
        return False
    return not _ESCAPED_NUL.search(told)


def clean_name(name: str) -> str:
    """The uploader's file name as something to show: the last part, without control and direction characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(c for c in last if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    if len(shown) <= 255:
        return shown
    stem, dot, extension = shown.rpartition(".")
    return f"{stem[: 250 - len(extension)]}…{dot}{extension}" if dot and len(extension) < 10 else shown[:255]
