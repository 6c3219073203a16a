"""Whether the product works: beats of its processes, and the parts that `readyz` reports."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from ocr import artifacts
from ocr.models import Beat

STALE_SECONDS = 20
NOW_AND_THEN = 3.0
_last_beats: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the product: its name, whether it works, and a sentence about it."""

    name: str
    ready: bool
    says: str


def beat(name: str) -> None:
    """Note that this kind of process did work just now."""
    Beat.objects.update_or_create(name=name, defaults={"at": Now()})


def beat_now_and_then(name: str) -> None:
    """The same, but at most once in NOW_AND_THEN seconds per process: busy workers prove their progress by working."""
    if time.monotonic() - _last_beats.get(name, 0.0) >= NOW_AND_THEN:
        _last_beats[name] = time.monotonic()
        beat(name)


def parts() -> list[Part]:
    """Every part that has to work, looked at now; nothing here raises."""
    database = _database()
    return [database, _storage(), _textract(), *([_beat("workers"), _beat("pulse")] if database.ready else [])]


def _database() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Part("database", ready=False, says="The database does not answer.")
    return Part("database", ready=True, says="answers")


def _storage() -> Part:
    key = f"probe/{uuid4()}"
    try:
        store = artifacts.storage()
        store.save(key, ContentFile(b"ready", name=key))
        store.delete(key)
    except Exception:  # any backend's error means the same here, and it is told
        return Part("storage", ready=False, says="The document storage cannot be written.")
    return Part("storage", ready=True, says="can be written")


def _textract() -> Part:
    if not settings.TEXTRACT_ENDPOINT:
        return Part("textract", ready=True, says="AWS (asked only when there is work)")
    try:
        with urllib.request.urlopen(settings.TEXTRACT_ENDPOINT.rstrip("/") + "/healthz", timeout=2) as answer:
            return Part("textract", ready=answer.status == 200, says="answers")
    except (OSError, urllib.error.URLError):
        return Part("textract", ready=False, says="The Textract endpoint does not answer.")


def _beat(name: str) -> Part:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp() - at) FROM ocr_beat WHERE name = %s", [name])
        row = cursor.fetchone()
    if row is None:
        return Part(name, ready=False, says="No sign of life yet.")
    age = float(row[0])
    return Part(name, ready=age <= STALE_SECONDS, says=f"last seen {age:.0f} s ago")
