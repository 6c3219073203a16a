"""What may go: objects that belong to nothing, keys that are past their time, files that a killed process left."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from audit import log
from ocr import artifacts, tallies
from ocr.models import Artifact, IdempotencyKey
from tenants import scope

ORPHAN = timedelta(hours=24)  # an upload that was stored but never accepted: its sender got no 202 and repeats
LEFTOVER = timedelta(hours=1)


def tidy() -> int:
    """Delete all of it and say how many things went. Safe to run at any time, twice, and beside itself."""
    gone = _orphans() + _keys() + _leftovers() + tallies.drop_old()
    if gone:
        log.event("tidied", count=gone)
    return gone


def _orphans() -> int:
    """Bytes first, row second: a crash in between leaves bytes without a row. Young ones may still get theirs."""
    limit = timezone.now() - ORPHAN
    old = [key for key, written in artifacts.listing() if _aware(written) < limit]
    gone = 0
    for start in range(0, len(old), 500):
        batch = old[start : start + 500]
        with scope.everything():
            kept = set(Artifact.objects.filter(key__in=batch).values_list("key", flat=True))
        for key in set(batch) - kept:
            artifacts.delete(key)
            gone += 1
    return gone


def _keys() -> int:
    with scope.everything():
        return IdempotencyKey.objects.filter(created_at__lt=Now() - timedelta(days=settings.IDEMPOTENCY_DAYS)).delete()[
            0
        ]


def _leftovers() -> int:
    limit = (timezone.now() - LEFTOVER).timestamp()
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    old = (
        [path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime < limit]
        if folder.is_dir()
        else []
    )
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _aware(moment: datetime) -> datetime:
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
