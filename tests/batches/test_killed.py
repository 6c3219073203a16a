"""Feeders in processes of their own, killed with SIGKILL in the middle of their work, again and again: every row once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ocr import batches
from tests import make
from tests.batches import manifest as m
from tests.conftest import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
ROWS = 20
KILLS = 3
FEEDER = """
import sys, django
django.setup()
from uuid import UUID
from ocr import batches
while True:
    batches.feed(UUID(sys.argv[1]), UUID(sys.argv[2]))
"""


def test_feeders_that_are_killed_again_and_again_make_every_row_once(
    cast: make.Cast, folder: Path, settings: Any
) -> None:
    batch = m.submit(cast.a, m.rows(folder, ROWS))
    for kill in range(1, KILLS + 1):
        _feed_until(batch, settings, count=kill * ROWS // (KILLS + 2))
        batches.pause(batch, actor="user:sue")
        m.feeder_died(batch)
        batches.resume(batch, actor="user:sue")
    assert 0 < len(m.documents(batch)) < ROWS
    assert m.run(batch).status == "completed"
    assert m.states(batch) == ["done"] * ROWS
    assert sorted(d.filename for d in m.documents(batch)) == sorted(f"{n}.png" for n in range(1, ROWS + 1))
    assert len({item.document_id for item in m.items(batch)}) == ROWS
    assert len(m.events(batch)) == 1


def _feed_until(batch: Any, settings: Any, *, count: int) -> None:
    """A feeder runs until so many documents are there, and is killed at whatever it does then."""
    env = os.environ | {"DTAT_IMPORTS": str(settings.IMPORTS_ROOT)}
    command = [sys.executable, "-c", FEEDER, str(batch.tenant_id), str(batch.pk)]
    feeder = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(m.documents(batch)) < count:
        assert feeder.poll() is None and time.monotonic() < deadline, "the feeder makes nothing"
        time.sleep(0.005)
    feeder.send_signal(signal.SIGKILL)
    feeder.wait(20)
