"""Whether the product works: beats of its processes, and the parts that `readyz` reports."""

from __future__ import annotations

import mmap
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import parent_process
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from audit import log
from ocr import artifacts, disk, quota
from ocr.models import Beat, Quota

STALE_SECONDS = 20
NOW_AND_THEN = 3.0
LONG_SECONDS = 5.0  # work that takes longer shows signs of life meanwhile
CLUSTERS = [*(f"reader.{lane}" for lane in settings.LANES), "workers"]
_last_beats: dict[str, float] = {}
# One byte that a cluster's processes share, since they are forked from the one that sets it. No lock: a worker killed in the
# middle of reading it must not hold up the others.
_told_to_stop = mmap.mmap(-1, 1)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the product: its name, whether it works, and a sentence about it."""

    name: str
    ready: bool
    says: str


def beat(name: str) -> None:
    """Note that this kind of process did work just now, on this host."""
    told = [Beat(name=f"{name}@{settings.HOST_NAME}", at=Now())]
    Beat.objects.bulk_create(told, update_conflicts=True, unique_fields=["name"], update_fields=["at"])


def silence(name: str) -> float:
    """Seconds since this kind of process showed a sign of life on this host; infinite when it never did."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM clock_timestamp() - at) FROM ocr_beat WHERE name = %s",
            [f"{name}@{settings.HOST_NAME}"],
        )
        row = cursor.fetchone()
    return float(row[0]) if row else float("inf")


def beat_now_and_then(name: str) -> None:
    """The same, but at most once in NOW_AND_THEN seconds per process: busy workers prove their progress by working."""
    if time.monotonic() - _last_beats.get(name, 0.0) >= NOW_AND_THEN:
        _last_beats[name] = time.monotonic()
        beat(name)


@contextmanager
def alive(name: str) -> Iterator[None]:
    """Beat now and then while the block runs, however long: what hangs in it is ended by the task's own time limit.

    The watchdog looks for clusters in which nothing runs. One long chore in the only worker that is free for chores is none.
    """
    over = threading.Event()

    def beat_until_over() -> None:
        while not over.wait(LONG_SECONDS):
            try:
                beat(name)
            except DatabaseError as error:
                log.event("beat_without_database", error=error, kind=name)
            finally:
                connection.close()

    beats = threading.Thread(target=beat_until_over, name=f"beats of {name}", daemon=True)
    beats.start()
    try:
        yield
    finally:
        over.set()
        beats.join()


def lead() -> None:
    """For the leader of a cluster, before it forks: a byte of its own, whatever it was forked from itself."""
    global _told_to_stop
    _told_to_stop = mmap.mmap(-1, 1)


def tell_to_stop() -> None:
    """For the leader of a cluster: have every process forked from it see `stopping`."""
    _told_to_stop[0] = 1


def stopping() -> bool:
    """Long work should finish what it holds and end: the cluster was told to stop, or its sentinel is gone. Costs next to nothing."""
    parent = parent_process()
    return bool(_told_to_stop[0]) or (parent is not None and os.getppid() != parent.pid)


def parts() -> list[Part]:
    """Every part that has to work, looked at now; nothing here raises."""
    database = _database()
    return [
        database,
        _storage(),
        _disk(),
        _textract(quota.stops() if database.ready else []),
        *(_beats() if database.ready else []),
    ]


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


def _disk() -> Part:
    ready, says = disk.told()
    return Part("disk", ready=ready, says=says)


def _textract(stopped: Sequence[Quota]) -> Part:
    if stopped:
        told = ", ".join(f"{each.operation}: {each.stopped_code}" for each in stopped)
        return Part(
            "textract", ready=False, says=f"The account's configuration refuses it ({told}). Mend it; nothing is lost."
        )
    if not settings.TEXTRACT_ENDPOINT:
        return Part("textract", ready=True, says="AWS (asked only when there is work)")
    try:
        with urllib.request.urlopen(settings.TEXTRACT_ENDPOINT.rstrip("/") + "/healthz", timeout=2) as answer:
            return Part("textract", ready=answer.status == 200, says="answers")
    except (OSError, urllib.error.URLError):
        return Part("textract", ready=False, says="The Textract endpoint does not answer.")


def _beats() -> list[Part]:
    """A part for each kind of process: it is ready when any host showed a sign of life lately."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT split_part(name, '@', 1), extract(epoch FROM clock_timestamp() - max(at)) FROM ocr_beat GROUP BY 1"
        )
        ages = {str(name): float(age) for name, age in cursor.fetchall()}
    return [_beat(name, ages.get(name)) for name in [*CLUSTERS, "pulse"]]


def _beat(name: str, age: float | None) -> Part:
    if age is None:
        return Part(name, ready=False, says="No sign of life yet.")
    return Part(name, ready=age <= STALE_SECONDS, says=f"last seen {age:.0f} s ago")
