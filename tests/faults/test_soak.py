"""The short form of `make soak`: several roles at a time die under load, the database stops, and the books are right."""

from __future__ import annotations

import os
import random
import tempfile
import time
from pathlib import Path

import pytest

from benchmarks import _load
from tests.faults import roles, soak
from tests.faults.roles import Target
from tests.faults.traffic import Traffic

pytestmark = pytest.mark.faults
SEED = int(os.environ.get("DTAT_SEED") or time.time())
TOGETHER = (
    (Target("workers-high", "worker"), Target("workers-normal", "sentinel"), Target("workers-low", roles.LOCK_HOLDER),
     Target("web", roles.SERVER)),
    (Target("database", roles.DATABASE),),
    (Target("workers-high", "main"), Target("workers-normal", "monitor"), Target("workers-low", "pusher"), Target("pulse", roles.LEADER)),
    (Target("web", roles.MASTER), Target("workers", roles.LEADER)),
)  # fmt: skip


def test_several_die_at_a_time_and_nothing_is_lost_or_paid_twice() -> None:
    print(f"DTAT_SEED={SEED}")  # noqa: T201  repeats the choices
    with tempfile.TemporaryDirectory(prefix="dtat-faults-") as folder:
        with _load.product(Path(folder), knobs=soak.knobs(SEED), **soak.SETTINGS) as (product, simulator):
            siege = soak.Siege(product, simulator, random.Random(SEED), Traffic(product, SEED, pause_seconds=0.4))
            siege.traffic.start()
            soak.submit_batch(product, 12, seed=SEED)
            for targets in TOGETHER:
                siege.strike(*targets)
            found = siege.end()
            accepted, decided = siege.traffic.accepted, siege.traffic.decided
        assert found == []
        assert len(accepted) >= 20 and decided
        assert product.processes() == []
