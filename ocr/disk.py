"""Whether there is room for another upload: files are refused before a disk is full, since a full one stops the database too."""

from __future__ import annotations

import errno
import os
from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import (
    FileUploadHandler,
    MemoryFileUploadHandler,
    SkipFile,
    TemporaryFileUploadHandler,
)
from django.http import HttpRequest
from django.utils.translation import gettext as _

MIB = 1024 * 1024
SHARE = 0.05  # of a volume: a small one would else never have room
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})


class Full(OSError):
    """Nothing can be stored now, and nothing of this upload was."""

    code = "storage_full"
    retry_after = 60  # seconds

    def __init__(self) -> None:
        super().__init__(
            _(
                "There is no room to store this file just now, and nothing of it was kept. Send it again later; "
                "if this stays, tell the administrator that the disk is full."
            )
        )


def check(coming_bytes: int = 0) -> None:
    """Raise Full unless every disk that an upload needs stays above its floor with so many bytes more."""
    if any(_missing(folder, coming_bytes) > 0 for folder in _folders()):
        raise Full


def is_full(error: OSError) -> bool:
    """Whether this error of a write means that the disk is full or broken."""
    return error.errno in _NO_ROOM


def told() -> tuple[bool, str]:
    """Whether uploads are taken, and a sentence for whoever watches the product."""
    missing = max((_missing(folder, 0) for folder in _folders()), default=0)
    if missing > 0:
        return False, f"Uploads are refused: {-(-missing // MIB)} MiB more have to be free on the disk."
    return True, "has room"


class _Arriving(FileUploadHandler):
    """Upload handler (FILE_UPLOAD_HANDLERS): a file for which there is no room is left out, before a byte of it is written.

    Django reads forms before any view runs; the view that misses its file asks `check` again, which tells the sender why.
    """

    chunk_size = 256 * 1024

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        try:
            check(length(self.request) if self.request else 0)
        except Full:
            raise SkipFile from None
        super().new_file(*args, **kwargs)


class SmallFiles(_Arriving, MemoryFileUploadHandler):
    """For a request of up to FILE_UPLOAD_MAX_MEMORY_SIZE: most pages. A file that is written once, where it belongs, costs least."""


class LargeFiles(_Arriving, TemporaryFileUploadHandler):
    """For every other request: their files are on the disk before anybody looks at them, and memory stays flat."""


def length(request: HttpRequest) -> int:
    """How many bytes the request brings."""
    return int(request.META.get("CONTENT_LENGTH") or 0)


def _folders() -> list[str]:
    """Those that an upload or its work writes to."""
    stored = [str(settings.DOCUMENTS_ROOT)] if settings.STORAGE == "files" else []
    return [*stored, str(settings.FILE_UPLOAD_TEMP_DIR), f"{settings.DTAT_HOME}/postgres"]


def _missing(folder: str, coming_bytes: int) -> int:
    """How many bytes more have to be free; zero or less when there are enough, or when the folder is not on this machine.

    The floor is DTAT_DISK_FLOOR_MIB, but never more than SHARE of the volume.
    """
    try:
        volume = os.statvfs(folder)
    except FileNotFoundError:
        return 0
    floor = min(settings.DISK_FLOOR_MIB * MIB, int(volume.f_blocks * volume.f_frsize * SHARE))
    return floor + coming_bytes - volume.f_bavail * volume.f_frsize
