"""Stored objects of a document: put and get by what they are, on disk or in S3.

Bytes first, row second: `store` writes and answers with an unsaved Artifact, which the caller saves in the transaction that makes
it true. A crash in between leaves an object without a row, which the sweeper deletes after a day.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages

from ocr.models import Artifact, Document

_AREAS = {
    Artifact.Kind.ORIGINAL: "raw",
    Artifact.Kind.RAW: "engine",
    Artifact.Kind.WORDS: "results",
    Artifact.Kind.RESULT: "results",
    Artifact.Kind.IMAGE: "pages",
}
CHUNK = 1024 * 1024


class Lost(Exception):
    """The row exists but its object does not, or its bytes are not those that were stored."""

    code = "artifact_lost"


class DurableFiles(FileSystemStorage):
    """Files that are there, whole, once `save` has answered: written beside, flushed to the disk, then renamed."""

    def _save(self, name: str, content: File[bytes]) -> str:
        path = Path(self.path(name))
        new: list[Path] = []
        try:
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        except FileNotFoundError:
            new = _make_folders(path.parent)
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                for chunk in content.chunks(CHUNK):
                    stream.write(chunk)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        # A new folder is on the disk only when the one that holds it is.
        for folder in (path.parent, *(made.parent for made in new)):
            _sync_folder(folder)
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Keys are made by us and written once or with the same bytes, so a name is never changed."""
        return name


def _make_folders(folder: Path) -> list[Path]:
    """Those that were not there."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return new


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storage() -> Any:
    """Where documents are kept (STORAGES["documents"])."""
    return storages["documents"]


def key_of(document: Document, kind: Artifact.Kind, *, number: int = 1, part: int = 1, fence: int = 0) -> str:
    """The object's key: made from ids only, never from what an uploader wrote.

    A folder holds a tenant's day, not a document: each new folder costs the disk another flush. What was stored under an earlier
    layout stays where its row says. With the fence of a worker's lease in it, a worker that comes late writes beside what its
    successor stored, never over it.
    """
    start = f"{_AREAS[kind]}/{document.received_at:%Y/%m/%d}/{document.tenant_id}/{document.pk}"
    if kind == Artifact.Kind.ORIGINAL:
        return f"{start}.original"
    return f"{start}.{kind}-{number:04d}-{part:05d}" + (f"-{fence}" if fence else "")


def store(
    document: Document,
    kind: Artifact.Kind,
    content: bytes | Path,
    *,
    content_type: str,
    number: int = 1,
    part: int = 1,
    fence: int = 0,
    known: tuple[str, int] | None = None,
) -> Artifact:
    """Write the bytes and give back the row to save; `known` is their fingerprint where the caller has it.

    Raises OSError or a botocore error when storage refuses.
    """
    key = key_of(document, kind, number=number, part=part, fence=fence)
    sha256, size = known or fingerprint(content)
    if isinstance(content, Path):
        with content.open("rb") as stream:
            storage().save(key, File(stream, name=key))
    else:
        storage().save(key, ContentFile(content, name=key))
    return Artifact(
        tenant_id=document.tenant_id,
        document_id=document.pk,
        kind=kind,
        number=number,
        part=part,
        key=key,
        sha256=sha256,
        size_bytes=size,
        content_type=content_type,
    )


def left_behind(
    document: Document, kind: Artifact.Kind, key: str, *, number: int, content_type: str
) -> tuple[Artifact, bytes] | None:
    """The unsaved row and the bytes of an object that was stored under this key and never written down; None when there is none."""
    try:
        with storage().open(key, "rb") as stream:
            content: bytes = stream.read()
    except FileNotFoundError:
        return None
    row = Artifact(
        tenant_id=document.tenant_id,
        document_id=document.pk,
        kind=kind,
        number=number,
        part=1,
        key=key,
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        content_type=content_type,
    )
    return row, content


def length(content: Path | bytes) -> int:
    """How many bytes it has."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def fingerprint(content: Path | bytes) -> tuple[str, int]:
    """SHA-256 in hex, and the size in bytes."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest(), len(content)
    digest = hashlib.sha256()
    with content.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
        return digest.hexdigest(), stream.tell()


def read(artifact: Artifact) -> bytes:
    """The stored bytes, checked against the row's hash. Raises Lost."""
    try:
        with storage().open(artifact.key, "rb") as stream:
            content: bytes = stream.read()
    except FileNotFoundError:
        raise Lost(f"The stored {artifact.kind} of document {artifact.document_id} is gone.") from None
    if hashlib.sha256(content).hexdigest() != artifact.sha256:
        raise Lost(f"The stored {artifact.kind} of document {artifact.document_id} was changed.")
    return content


def open_(artifact: Artifact) -> IO[bytes]:
    """The stored object as a stream, for large answers. Raises Lost."""
    try:
        stream: IO[bytes] = storage().open(artifact.key, "rb")
    except FileNotFoundError:
        raise Lost(f"The stored {artifact.kind} of document {artifact.document_id} is gone.") from None
    return stream


def copy_to(artifact: Artifact, path: Path) -> None:
    """Write the stored object to a file of ours, for the sandbox, which reads files. Raises Lost."""
    with open_(artifact) as stream, path.open("wb") as target:
        while chunk := stream.read(CHUNK):
            target.write(chunk)


def delete(key: str) -> None:
    storage().delete(key)


def listing() -> Iterator[tuple[str, Any]]:
    """Every stored key with the time it was last written: for `verify` and the sweeper of orphans."""
    yield from _walk(storage(), "")


def _walk(store_: Any, folder: str) -> Iterator[tuple[str, Any]]:
    try:
        folders, files = store_.listdir(folder)
    except FileNotFoundError:
        return
    for name in files:
        key = f"{folder}/{name}" if folder else name
        yield key, store_.get_modified_time(key)
    for name in folders:
        yield from _walk(store_, f"{folder}/{name}" if folder else name)
