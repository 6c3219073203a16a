"""Workers are killed in the middle of 50 documents: all finish, none twice, every page is paid once."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from benchmarks import _load
from tests.faults import blows, soak
from tests.faults.traffic import drawn
from tests.product import Product, group

pytestmark = pytest.mark.faults
DOCUMENTS = 50
SEED = int(os.environ.get("DTAT_SEED", "20261121"))
KNOBS: dict[str, Any] = {"other_latency": 0.3, "job": 4.0, "answers": {"count": 8, "kilobytes": 20}, "durable": False}
SETTINGS = {"DTAT_LEASE_SECONDS": "5", "DTAT_TEXTRACT_READ_SECONDS": "4", "DTAT_TEXTRACT_TPS": "25"}


def asked(product: Product, question: str) -> int:
    with (
        closing(psycopg2.connect(product.credentials["database"]["auditor"])) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(question)
        (number,) = cursor.fetchone() or (0,)
    return int(number)


def unfinished(product: Product) -> int:
    return asked(product, "SELECT count(*) FROM ocr_document WHERE status IN ('received', 'reading')")


def _below_the_leaders(product: Product) -> list[int]:
    leaders = [blows.leader(product, cluster) for cluster in blows.CLUSTERS]
    return [pid for leader in leaders for pid in group(leader) if leader and pid != leader]


def crew(product: Product) -> list[int]:
    """The processes below the cluster's leader, once there are some: after a blow the supervisor starts a new cluster."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := _below_the_leaders(product):
            return found
        time.sleep(0.1)
    raise AssertionError("no new cluster was started")


def kill_every_worker_at_work(product: Product) -> int:
    """Kill the whole crew below the cluster's leader while a document is held; how many documents were left held by the dead."""
    held = "SELECT count(*) FROM ocr_document WHERE lease_until > now()"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if asked(product, held):
            for pid in _below_the_leaders(product):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if left := asked(product, held):
                return left
    return 0


def test_killed_workers_lose_nothing_and_pay_nothing_twice() -> None:
    chance = random.Random(SEED)
    print(f"seed {SEED}")  # noqa: T201  to repeat a failure
    with tempfile.TemporaryDirectory(prefix="dtat-faults-") as folder:
        with _load.product(Path(folder), knobs=KNOBS, **SETTINGS) as (product, simulator):
            # Low priority: read as jobs, whose calls carry a token that AWS knows again.
            ids = [
                product.upload(f"{number}.png", drawn(f"{SEED} {number}"), priority="low")
                for number in range(DOCUMENTS)
            ]
            struck = kill_every_worker_at_work(product)
            for _ in range(2):
                time.sleep(chance.uniform(0.5, 1.5))
                assert unfinished(product), (
                    "the documents were through before the workers were killed: this run proves nothing"
                )
                os.kill(chance.choice(crew(product)), signal.SIGKILL)
            ended = [product.wait_for(document_id, seconds=150) for document_id in ids]
            books, broken = simulator.report(), soak.verified(product, simulator)
        assert struck, "no worker was killed in the middle of a document: this run proves nothing"
        assert {document["status"] for document in ended} <= {"needs_review", "approved"}
        assert [entry["times_billed"] for entry in books["tokens"]] == [1] * DOCUMENTS
        assert books["billed"]["pages"] == DOCUMENTS
        assert broken == []
        assert product.processes() == []
