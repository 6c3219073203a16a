"""receive(): the one way in for documents, whatever door they come through."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from django.db import IntegrityError, OperationalError
from django.db.models import Model
from django.utils.translation import gettext as _

from audit import log, prepared, trail
from audit.models import Kind
from ocr import (
    artifacts,
    contract,
    disk,
    document_types,
    idempotency,
    lifecycle,
    queue,
    routing,
    sandbox,
    textlayer,
    told,
)
from ocr.models import TURN_AFTER, Artifact, Document, DocumentType, Page, Priority, Source, Status
from tenants import scope

METADATA_BYTES = 4096
DISK_FULL = "53100"  # PostgreSQL's code: the statement failed, so its transaction was rolled back
_LOOK_UP = """
    SELECT (SELECT id FROM ocr_documenttype WHERE name = $1 ORDER BY version DESC LIMIT 1), clock_timestamp()
"""
# Materialised, else the order may tempt the planner to walk through the tenant's documents until one has these bytes.
_FIRST_WITH = """
    WITH same AS MATERIALIZED (
        SELECT id, received_at FROM ocr_document WHERE tenant_id = $1 AND sha256 = $2 AND duplicate_of IS NULL
    )
    SELECT id FROM same ORDER BY received_at LIMIT 1
"""
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
    """A file that arrived, and what its sender said about it. `content` is a small file's bytes, or a file of ours that is left
    where it is."""

    content: Path | bytes
    filename: str = ""
    document_type: str = ""  # empty: found from the content
    priority: str = "normal"
    external_id: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)
    source: Source = Source.API
    idempotency_key: str | None = None
    split_of: UUID | None = None  # the document that these pages stood in, and which of its pages is their first
    split_first: int | None = None


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
    and OSError (ours: nothing was accepted, the sender may repeat; disk.Full says that it may take a while), idempotency.KeyReused
    and BadKey.
    """
    checked = _checked(upload)
    request = idempotency.Request.of(
        upload.idempotency_key, "documents", checked.sha256, upload.document_type, upload.priority, upload.external_id,
        json.dumps(dict(upload.metadata), sort_keys=True),
    )  # fmt: skip
    earlier = _answered(tenant_id, request)
    if earlier:
        return Receipt(earlier, repeated=True)
    document = _document(upload, checked, tenant_id=tenant_id, actor=actor)
    original = _stored(document, upload.content)
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
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", "") != DISK_FULL:
            raise  # whether it was committed is not known: then the bytes stay
        artifacts.delete(original.key)
        raise disk.Full from error
    log.event("received", tenant=tenant_id, document=document.pk, actor=actor, pages=document.page_count)
    return Receipt(document)


def receive_together(
    uploads: Sequence[Upload], *, tenant_id: UUID, actor: str, first: Callable[[], None]
) -> list[Document]:
    """Several documents, accepted all or none: `first` runs in the transaction that creates them, and what it raises refuses them.

    Raises what `receive` does.
    """
    made = [_document(upload, _checked(upload), tenant_id=tenant_id, actor=actor) for upload in uploads]
    originals: list[Artifact] = []
    try:
        for document, upload in zip(made, uploads, strict=True):
            originals.append(_stored(document, upload.content))
        with scope.scope([tenant_id]):
            first()
            for document, original in zip(made, originals, strict=True):
                _create(document, original, None, actor=actor, within=None)
    except OperationalError:
        raise  # whether it was committed is not known: then the bytes stay, and what belongs to nothing is swept
    except BaseException:
        for original in originals:
            artifacts.delete(original.key)
        raise
    for document in made:
        log.event("received", tenant=tenant_id, document=document.pk, actor=actor, pages=document.page_count)
    return made


@dataclass(frozen=True, slots=True)
class _Checked:
    """What is known of an upload that can be taken."""

    priority: Priority
    type_: DocumentType | None
    now: datetime
    inspection: sandbox.Inspection
    sha256: str
    size: int


def _checked(upload: Upload) -> _Checked:
    priority = _checked_priority(upload.priority)
    check_words(upload)
    disk.check(artifacts.length(upload.content))
    type_, now = _looked_up(upload.document_type)
    inspection = _inspected(upload.content)
    sha256, size = artifacts.fingerprint(upload.content)
    return _Checked(priority, type_, now, inspection, sha256, size)


def _document(upload: Upload, checked: _Checked, *, tenant_id: UUID, actor: str) -> Document:
    return Document(
        id=uuid4(),
        tenant_id=tenant_id,
        priority=checked.priority,
        document_type=checked.type_,
        type_given=checked.type_ is not None,
        external_id=upload.external_id,
        filename=clean_name(upload.filename),
        metadata=dict(upload.metadata),
        source=upload.source,
        received_by=actor,
        request_id=log.request_id(),
        content_type=checked.inspection.content_type,
        size_bytes=checked.size,
        sha256=checked.sha256,
        page_count=checked.inspection.page_count,
        split_of=upload.split_of,
        split_first=upload.split_first,
        status=Status.RECEIVED,
        received_at=checked.now,
        status_at=checked.now,
        due_at=checked.now,
        turn_at=checked.now + TURN_AFTER[checked.priority],
        step="start",
    )


def _stored(document: Document, content: Path | bytes) -> Artifact:
    """The original's row to save, once its bytes are on the disk. Raises OSError (disk.Full when that is why), with nothing left."""
    try:
        return artifacts.store(
            document,
            Artifact.Kind.ORIGINAL,
            content,
            content_type=document.content_type,
            known=(document.sha256, document.size_bytes),
        )
    except OSError as error:
        with suppress(OSError):  # what cannot be deleted now has no row, and goes with the orphans
            artifacts.delete(artifacts.key_of(document, Artifact.Kind.ORIGINAL))
        if disk.is_full(error):
            raise disk.Full from error
        raise


def _inspected(content: Path | bytes) -> sandbox.Inspection:
    try:
        return sandbox.inspect(content)
    except sandbox.Unacceptable as refusal:
        raise Unacceptable(refusal.code, told.sentence(refusal.sentence)) from None


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
        document.text_layer = textlayer.wanted(document)
        document.operation = routing.first_quota(document)
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
        if document.split_of and document.split_first:
            codes |= {"split_of": str(document.split_of), "from": document.split_first}
        started = trail.Entry(
            kind=Kind.WORKFLOW_STARTED,
            tenant_id=document.tenant_id,
            document_id=document.pk,
            actor="system",
            step="start",
        )
        lifecycle.begin(document, actor=actor, codes=codes, also=[started], parts=_parts(document, original, request))
        if within:
            within(document)
        queue.ring(document)


def _parts(document: Document, original: Artifact, request: idempotency.Request | None) -> list[Model]:
    """The rows that are written together with the document's."""
    numbers = range(1, document.page_count + 1)
    pages = [Page(tenant_id=document.tenant_id, document_id=document.pk, number=number) for number in numbers]
    if request is None:
        return [original, *pages]
    answer = contract.accepted(document)
    key = idempotency.row(document.tenant_id, request, answer=answer, status_code=202, document_id=document.pk)
    return [original, *pages, key]


def _answered(tenant_id: UUID, request: idempotency.Request | None) -> Document | None:
    if request is None:
        return None
    with scope.scope([tenant_id]):
        row = idempotency.known(tenant_id, request)
        return lifecycle.of(row.document_id) if row and row.document_id else None


def _first_with(document: Document) -> UUID | None:
    """The first document of the same tenant with the same bytes: another tenant's files say nothing here."""
    found = prepared.fetch(_FIRST_WITH, document.tenant_id, document.sha256)
    return found[0][0] if found else None


def _looked_up(name: str) -> tuple[DocumentType | None, datetime]:
    """The newest version of the named type, and the database's time, which all hosts share."""
    [(key, now)] = prepared.fetch(_LOOK_UP, name)
    if name and key is None:
        known = ", ".join(row.name for row in document_types.newest())
        raise Unacceptable(
            "unknown_document_type",
            _("There is no document type of that name. Use one of: %(known)s.") % {"known": known},
        )
    return (document_types.row(key) if name else None), now


def _checked_priority(name: str) -> Priority:
    try:
        return Priority[name.upper()]
    except KeyError:
        raise Unacceptable("unknown_priority", _("The priority is one of: high, normal, low.")) from None


def check_words(upload: Upload) -> None:
    """Raise Unacceptable for an external_id or metadata that cannot be kept; the file is not looked at."""
    if len(upload.external_id) > 200 or not upload.external_id.isprintable():
        raise Unacceptable("external_id_invalid", _("An external_id has at most 200 printable characters."))
    if not _can_be_kept(upload.metadata):
        raise Unacceptable(
            "metadata_invalid", _("The metadata is a JSON object of text and finite numbers, without NUL characters.")
        )
    if len(json.dumps(dict(upload.metadata))) > METADATA_BYTES:
        raise Unacceptable(
            "metadata_too_large", _("The metadata has at most %(most)s bytes of JSON.") % {"most": METADATA_BYTES}
        )


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
