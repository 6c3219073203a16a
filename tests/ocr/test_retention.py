"""What belongs to nothing goes; what belongs to somebody stays."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models.functions import Now

from ocr import artifacts, retention
from ocr.models import Artifact, IdempotencyKey
from tenants import scope
from tests import make

pytestmark = pytest.mark.django_db


def aged(path: Path, hours: float) -> Path:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))
    return path


def test_an_old_object_without_a_row_goes_and_one_with_a_row_stays(engine: object) -> None:
    document = make.document(make.tenant(), status="received")
    with scope.everything():
        key = Artifact.objects.get(document=document).key
    kept = aged(Path(artifacts.storage().path(key)), 48)
    orphan, young = kept.with_name("orphan"), kept.with_name("young")
    orphan.write_bytes(b"x")
    young.write_bytes(b"x")
    aged(orphan, 48)
    retention.tidy()
    assert (kept.exists(), orphan.exists(), young.exists()) == (True, False, True)


def test_old_files_of_killed_uploads_go_and_running_ones_stay() -> None:
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    old, running = folder / "old.upload", folder / "running.upload"
    old.write_bytes(b"x")
    running.write_bytes(b"x")
    aged(old, 2)
    retention.tidy()
    assert (old.exists(), running.exists()) == (False, True)
    running.unlink()


def test_keys_past_their_time_go(engine: object) -> None:
    tenant = make.tenant()
    with scope.scope([tenant.pk]):
        for name in ("old", "young"):
            IdempotencyKey.objects.create(
                tenant=tenant, key=name, route="x", body_sha256="", answer={}, status_code=202
            )
        IdempotencyKey.objects.filter(key="old").update(created_at=Now() - timedelta(days=8))
    retention.tidy()
    with scope.scope([tenant.pk]):
        assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["young"]


def test_tidying_twice_does_nothing_the_second_time(engine: object) -> None:
    retention.tidy()
    assert retention.tidy() == 0
