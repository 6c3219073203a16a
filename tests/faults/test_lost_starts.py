"""Of every ten accepted Starts three answers are lost: each page is paid once. DTAT_LOST_STARTS=1000 takes a thousand documents."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db.models import F
from django.db.models.functions import Now

from benchmarks._load import Simulator
from ocr import pipeline, quota
from ocr.models import Document, Quota
from tenants import scope
from tests import make

pytestmark = [pytest.mark.faults, pytest.mark.django_db]
DOCUMENTS = int(os.environ.get("DTAT_LOST_STARTS") or 100)
CALLS = 16
MOST_ROUNDS = 100_000


def test_no_start_is_paid_twice(cast: make.Cast, simulator: Simulator) -> None:
    simulator.turn(faults=[{"fault": "lost_answer", "operation": "Start*", "probability": 0.3}])
    for _ in range(DOCUMENTS):
        make.receive(cast.a)
    quota.ensure()
    Quota.objects.update(jobs_granted=10 * DOCUMENTS)
    with ThreadPoolExecutor(CALLS) as pool:
        for _ in range(MOST_ROUNDS):
            if not _round(pool) and not _time_passes():
                break
    with scope.everything():
        ends = set(Document.objects.values_list("status", "attempts"))
    books = simulator.report()
    lost = sum(counts.get("lost_answer", 0) for counts in books["calls"].values())
    assert {status for status, _attempts in ends} <= {"approved", "needs_review"}
    assert lost >= 0.2 * DOCUMENTS
    assert [entry["times_billed"] for entry in books["tokens"]] == [1] * DOCUMENTS
    assert books["billed"]["pages"] == DOCUMENTS
    assert make.broken() == []


def _round(pool: ThreadPoolExecutor) -> int:
    works = pipeline.claim("normal", limit=32).works
    worked = len(works)
    while works:
        list(pool.map(pipeline.ask, works))
        works = pipeline.settle(works)
    return worked


def _time_passes() -> int:
    """Whatever waits is due; how much that is."""
    with scope.everything():
        Quota.objects.update(tokens=F("granted"))
        return Document.objects.exclude(step="").update(due_at=Now())
