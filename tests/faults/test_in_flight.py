"""Readers are killed while a hundred calls are out: what AWS knows by its token is asked again, what it does not know is listed."""

from __future__ import annotations

import os
import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from benchmarks import _load
from tests.faults import roles, soak
from tests.faults.traffic import drawn
from tests.product import Product

pytestmark = pytest.mark.faults
SEED = int(os.environ.get("DTAT_SEED") or time.time())
AT_ONCE, JOBS = 75, 50
MOST = 100  # in flight when the blow falls; two readers hold them, so one of them holds at least half
SLOW = 40.0
KNOBS: dict[str, Any] = {
    "latency": dict.fromkeys((*_load.SYNCHRONOUS, "StartDocumentAnalysis"), SLOW),
    "other_latency": 0.02,
    "job": 0.5,
    "answers": {"count": 8, "kilobytes": 20},
    "durable": False,
}
SETTINGS = {"DTAT_LEASE_SECONDS": "8", "DTAT_TEXTRACT_READ_SECONDS": "60", "DTAT_TEXTRACT_TPS": "200"}
READERS = [roles.Target(f"workers-{lane}", roles.READER) for lane in ("normal", "low")]


def test_readers_with_a_hundred_calls_in_flight() -> None:
    print(f"DTAT_SEED={SEED}")  # noqa: T201  repeats the choices
    with tempfile.TemporaryDirectory(prefix="dtat-faults-") as folder:
        with _load.product(Path(folder), knobs=KNOBS, **SETTINGS) as (product, simulator):
            sent = _send(product)
            flying = _until_in_flight(simulator)
            cast = roles.Cast(product, random.Random(SEED))
            for target in READERS:
                cast.strike(target)
            simulator.turn(latency=dict.fromkeys(KNOBS["latency"], 0.05))
            found = {document_id: product.wait_for(document_id, seconds=120) for document_id in sent}
            books, broken = simulator.report(), soak.verified(product, simulator)
        uncertain = {each for each, told in found.items() if told["status"] == "failed"}
        assert flying >= MOST
        _check(found, uncertain, sent, books)
        assert broken == []


def _send(product: Product) -> dict[str, str]:
    """The documents' ids, with their priorities."""
    wanted = ["normal"] * AT_ONCE + ["low"] * JOBS
    random.Random(SEED).shuffle(wanted)
    with ThreadPoolExecutor(4) as pool:
        ids = pool.map(
            lambda item: product.upload(f"{item[0]}.png", drawn(f"{SEED} {item[0]}"), priority=item[1]),
            enumerate(wanted),
        )
        return dict(zip(ids, wanted, strict=True))


def _until_in_flight(simulator: _load.Simulator) -> int:
    deadline = time.monotonic() + SLOW
    while (flying := int(simulator.report()["in_flight"]["now"])) < MOST and time.monotonic() < deadline:
        time.sleep(0.1)
    return flying


def _check(found: dict[str, dict[str, Any]], uncertain: set[str], sent: dict[str, str], books: dict[str, Any]) -> None:
    assert {told["status"] for each, told in found.items() if each not in uncertain} <= {"approved", "needs_review"}
    assert {found[each]["error"] for each in uncertain} == {"charge_uncertain"}
    assert {sent[each] for each in uncertain} == {"normal"}, "what has a token ends well"
    about = {name.rsplit("/", 1)[-1].partition(".")[0]: told for name, told in books["by_document"].items()}
    calls = {each: (told["calls"], told["jobs"]) for each, told in about.items()}
    # A reader that dies between its commit and its call has sent nothing, and cannot know: that one is listed all the same.
    never_sent = sent.keys() - calls.keys()
    assert never_sent <= uncertain and len(never_sent) < AT_ONCE / 2
    assert calls == {each: (1, 0) if sent[each] == "normal" else (0, 1) for each in sent.keys() - never_sent}
    assert {entry["times_billed"] for entry in books["tokens"]} == {1}
    assert len(books["tokens"]) == JOBS
    assert len(uncertain) >= MOST - JOBS
