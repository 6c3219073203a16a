"""Where documents come from and where results go: folders that stand for S3 buckets, and the server's own state."""

import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from deploy.local.textract.refusals import Refusal, bad_document, too_large, unsupported

MEBIBYTE = 1 << 20
SYNC_BYTES = 10 * MEBIBYTE
IMAGE_BYTES = 10 * MEBIBYTE
LONG_DOCUMENT_BYTES = 500 * MEBIBYTE

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_OTHER_MAGIC = (
    (b"GIF8", "a GIF picture"),
    (b"PK\x03\x04", "a ZIP or Office file"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"BM", "a BMP picture"),
    (b"<", "a web page or XML file"),
)


class StateInUse(Exception):
    """Another endpoint uses the folder: two would carry out, and bill, each other's jobs."""


def locked(state: Path) -> IO[str]:
    """The lock on a state folder, held until it is closed. Raises StateInUse."""
    lock = (state / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise StateInUse(f"Another endpoint uses {state}. Choose another --state, or end it.") from error
    return lock


@dataclass(frozen=True, slots=True)
class Document:
    """A document taken over into the server's own folder, so that nobody can change it while it is read."""

    path: Path
    kind: str
    sha256: str
    size_bytes: int


class Buckets:
    """Folders by bucket name."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = {name: folder.resolve() for name, folder in folders.items()}

    def has(self, bucket: str) -> bool:
        """Whether a folder stands for the bucket."""
        return bucket in self._folders

    def object_path(self, bucket: str, key: str, version: str | None) -> Path:
        """The file of an object. Raises Refusal (InvalidS3ObjectException) when it is missing or not to be had."""
        path = self.place(bucket, key)
        if version not in (None, "null"):
            raise _no_object(f"Version {version} of {key} is not kept: a folder has one version. Leave Version out.")
        if not path.is_file():
            raise _no_object(f"There is no object {key} in {bucket}. Check the name and that it was stored.")
        return path

    def place(self, bucket: str, key: str) -> Path:
        """Where an object is or would be; never outside the bucket's folder, not by dots and not by links."""
        folder = self._folders.get(bucket)
        if folder is None:
            raise _no_object(f"There is no bucket {bucket} here. Start the endpoint with --store {bucket}=FOLDER.")
        if "\x00" in key or PurePosixPath(key).is_absolute() or ".." in PurePosixPath(key).parts:
            raise _no_object(f"The key {key!r} leads outside its bucket.")
        path = (folder / key).resolve()
        if not path.is_relative_to(folder):
            raise _no_object(f"The key {key!r} leads outside its bucket.")
        return path


def _no_object(message: str) -> Refusal:
    return Refusal("InvalidS3ObjectException", message)


class Intake:
    """The folder of documents being read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def take_bytes(self, content: bytes) -> Document:
        """The document, checked by size and first bytes for a synchronous call. Raises Refusal."""
        kind = checked(content[:1024], len(content), at_once=True)
        path = self._new_path()
        path.write_bytes(content)
        return Document(path, kind, hashlib.sha256(content).hexdigest(), len(content))

    def take_file(self, source: Path, *, at_once: bool) -> Document:
        """A copy of the file, checked by size and first bytes; `at_once` applies the limits of synchronous calls."""
        with source.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            kind = checked(stream.read(1024), size, at_once=at_once)
            stream.seek(0)
            path = self._new_path()
            with path.open("wb") as copy:
                shutil.copyfileobj(stream, copy, MEBIBYTE)
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        return Document(path, kind, sha256, size)

    def place(self, name: str) -> Path:
        """Where the document of this name lies."""
        return self._folder / name

    def drop(self, path: Path) -> None:
        """Removes a document that has been read."""
        path.unlink(missing_ok=True)

    def keep_only(self, paths: Iterable[Path]) -> None:
        """Removes what a server that was killed left behind."""
        kept = {path.name for path in paths}
        for path in self._folder.iterdir():
            if path.name not in kept:
                path.unlink()

    def _new_path(self) -> Path:
        return self._folder / uuid.uuid4().hex


def checked(head: bytes, size: int, *, at_once: bool) -> str:
    """The kind of document (PNG, JPEG, TIFF or PDF) by its first bytes. Raises Refusal for what Textract does not take."""
    if size == 0:
        raise bad_document("The document is empty. Send it again.")
    if at_once and size > SYNC_BYTES:
        raise too_large("The document is over 10 MB. Store it in a bucket and start an asynchronous job.")
    kind = _kind(head)
    limit = IMAGE_BYTES if kind in ("PNG", "JPEG") else LONG_DOCUMENT_BYTES
    if size > limit:
        raise too_large(
            f"The {kind} file is over {limit // MEBIBYTE} MB. Split it or scan it with fewer dots per inch."
        )
    return kind


def _kind(head: bytes) -> str:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if b"%PDF-" in head:
        return "PDF"
    looks = next((name for magic, name in _OTHER_MAGIC if head.startswith(magic)), None)
    if head[4:8] == b"ftyp":
        looks = "a HEIC picture or a film"
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        looks = "a WebP picture"
    said = f"It looks like {looks}." if looks else "Its kind is not known."
    raise unsupported(f"Only JPEG, PNG, PDF and TIFF are read. {said} Convert it first.")
