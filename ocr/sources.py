"""Where batches take their files from: buckets that the operator allows a tenant, or folders below one import folder.

DTAT_MANIFEST_BUCKETS lists `tenant:bucket` or `tenant:bucket/prefix`; `*` stands for every tenant, and `{tenant}` for the slug of
whoever asks. What is not on the list is not read, whatever a manifest says. Without S3 a bucket is a folder below DTAT_IMPORTS.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from ocr import aws
from ocr.extraction import sentences

MOST_BYTES = 500 * 1024 * 1024  # what an upload may have at most
FETCH_SECONDS = 12.0  # then the fetch is given up for now: whoever waits for it has an end of its own
CHUNK = 1024 * 1024
RULE = re.compile(r"(?P<tenant>\*|[-\w]+):(?P<bucket>[A-Za-z0-9{][A-Za-z0-9._{}-]*)(?:/(?P<prefix>.*))?")
_MISSING = {"NoSuchKey", "NoSuchVersion", "NoSuchBucket", "404", "InvalidArgument", "MethodNotAllowed"}
_FORBIDDEN = {"AccessDenied", "403", "AllAccessDisabled", "InvalidObjectState"}


@dataclass(frozen=True, slots=True)
class Place:
    """One file: a bucket, a key in it, and a version where the bucket keeps several ('' is the newest)."""

    bucket: str
    key: str
    version: str = ""


class Missing(Exception):
    """The file cannot be had, and asking again changes nothing: `code` is stable, the text tells the batch's owner what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Busy(Exception):
    """The storage did not answer as it should; it may later."""


def allowed(place: Place, *, tenant: str) -> bool:
    """Whether this tenant (its slug) may have files read from there; never from the bucket of the documents."""
    if has_versions() and place.bucket == settings.BUCKET:
        return False
    for rule in settings.MANIFEST_BUCKETS:
        found = RULE.fullmatch(rule)
        if found is None or found["tenant"] not in {"*", tenant}:
            continue
        bucket, prefix = (part.replace("{tenant}", tenant) for part in (found["bucket"], found["prefix"] or ""))
        # Without a last slash `acme` would open `acme-private/` too.
        inside = not prefix or place.key.startswith(prefix if prefix.endswith("/") else f"{prefix}/")
        if bucket == place.bucket and inside:
            return True
    return False


def has_versions() -> bool:
    """Whether a row may name a version: folders keep none."""
    return bool(settings.STORAGE == "s3")


def fetch(place: Place, into: Path) -> None:
    """Write the file to `into`. Raises Missing, Busy, or OSError when our own disk refuses. Ask `allowed` first."""
    if settings.STORAGE == "s3":
        _from_bucket(place, into)
    else:
        _from_folder(place, into)


def _from_bucket(place: Place, into: Path) -> None:
    version = {"VersionId": place.version} if place.version else {}
    try:
        answer = aws.s3().get_object(Bucket=place.bucket, Key=place.key, **version)
        _check_size(int(answer["ContentLength"]))
        with closing(answer["Body"]) as body:
            _copy(body.iter_chunks(CHUNK), into)
    except ClientError as error:
        raise _sorted(error) from None
    except BotoCoreError as error:
        raise Busy(type(error).__name__) from None


def _sorted(error: ClientError) -> Missing | Busy:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _MISSING:
        return Missing("object_missing", "There is no such object in the bucket. Check bucket, key and version.")
    if code in _FORBIDDEN or code.startswith("KMS"):
        return Missing("object_forbidden", "The bucket does not let us read the object, or it does not exist.")
    return Busy(code)


def _from_folder(place: Place, into: Path) -> None:
    """A regular file that lies, all links followed, inside the bucket's folder."""
    folder = (Path(settings.IMPORTS_ROOT) / place.bucket).resolve()
    path = (folder / place.key).resolve()
    gone = Missing("object_missing", "There is no such file in the folder. Check bucket and key.")
    if folder.parent != Path(settings.IMPORTS_ROOT).resolve() or not path.is_relative_to(folder):
        raise gone
    try:
        # Without waiting: a pipe would hold us until somebody writes into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        raise gone from None
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise gone
        _check_size(about.st_size)
        _copy(iter(lambda: os.read(descriptor, CHUNK), b""), into)
    finally:
        os.close(descriptor)


def _check_size(size_bytes: int) -> None:
    if size_bytes > MOST_BYTES:
        raise Missing("file_too_large", sentences.FILE_TOO_LARGE(count=str(MOST_BYTES // 1024 // 1024)))


def _copy(chunks: Iterable[bytes], into: Path) -> None:
    deadline = time.monotonic() + FETCH_SECONDS
    size = 0
    with into.open("wb") as target:
        for chunk in chunks:
            size += len(chunk)
            _check_size(size)
            if time.monotonic() > deadline:
                raise Busy("slow")
            target.write(chunk)
