"""Who waits for whom: one urgent document behind a flood, and a small tenant beside a large one.

The engine is the simulated Textract of this machine with 25 calls a second for each operation, uploads go over HTTP. Times are from
when an upload was due until the product says, at commit, that the document rests. Both cases are compared with the same product when
it has nothing else to do, in the same round.

- *flood*: thousands of low-priority documents, as fast as they are accepted; at once after the last one, while most of them wait, one
  with high priority, and some more, one a second. `added` is what a document takes beyond the engine's own time for it.
- *flood in the same quota*: as many more with normal priority, while most of the low ones still wait. Textract reads them with the
  operation that the urgent one needs too.
- *tenants*: one sends a hundred times the documents of the other, in the same time; the time of the small one's.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import _load
from benchmarks._charts import Chart
from benchmarks._traffic import Traffic, Who, p95
from benchmarks.throughput import KNOBS as UNDER_QUOTA
from benchmarks.throughput import QUOTA, SEED

TIMES = 100  # the large tenant's documents for each of the small one's
HEAD_START_SECONDS = 3.0  # of the large tenant
DRAIN_SECONDS = 240.0
ASYNCHRONOUS = (
    "StartDocumentAnalysis",
    "StartDocumentTextDetection",
    "GetDocumentAnalysis",
    "GetDocumentTextDetection",
)
KNOBS: dict[str, Any] = UNDER_QUOTA | {
    "quotas": dict.fromkeys((*_load.SYNCHRONOUS, *ASYNCHRONOUS), QUOTA),
    "concurrent_jobs": 600,
}


@dataclass(frozen=True, slots=True)
class Plan:
    rounds: int
    flood: int
    urgent: int
    small: int  # documents of the small tenant


@dataclass(frozen=True, slots=True)
class Times:
    """Of a few documents, in milliseconds: in all, and what was added to the engine's own time."""

    in_all: list[float]
    added: list[float]


@dataclass(frozen=True, slots=True)
class Round:
    urgent_quiet: Times
    urgent_flooded: Times
    urgent_same_quota: Times
    waiting: tuple[int, int]  # when the first urgent one was sent, in the two floods
    small_quiet: Times
    small_beside: Times
    failures: int


FULL = Plan(rounds=3, flood=5000, urgent=10, small=20)
QUICK = Plan(rounds=1, flood=500, urgent=4, small=5)


def measure(*, quick: bool) -> dict[str, Any]:
    """high_wait_in_engine_calls (at most 1) and small_p95_to_quiet (at most 2) are what is promised."""
    plan = QUICK if quick else FULL
    rounds: list[Round] = []
    engine: dict[str, Any] = {}
    for _ in range(plan.rounds):
        measured, engine = _round(plan)
        rounds.append(measured)
    call_ms = engine["AnalyzeDocument"]["p50"] * 1000
    quiet = [each for one in rounds for each in one.small_quiet.in_all]
    beside = [each for one in rounds for each in one.small_beside.in_all]
    waits = [_waits(one.urgent_flooded, one.urgent_quiet) for one in rounds]
    same = [_waits(one.urgent_same_quota, one.urgent_quiet) for one in rounds]
    return {
        "seed": SEED,
        "figures": {
            "flood": plan.flood,
            "waiting_at_the_first_urgent": [one.waiting for one in rounds],
            "high_added_ms_quiet": round(_median([one.urgent_quiet.added for one in rounds])),
            "high_added_ms_flooded": round(_median([one.urgent_flooded.added for one in rounds])),
            "high_added_ms_flooded_same_quota": round(_median([one.urgent_same_quota.added for one in rounds])),
            "first_high_wait_ms": round(statistics.median(first for first, _longest in waits)),
            "longest_high_wait_ms": round(max(longest for _first, longest in waits)),
            "first_high_wait_ms_same_quota": round(statistics.median(first for first, _longest in same)),
            "longest_high_wait_ms_same_quota": round(max(longest for _first, longest in same)),
            "engine_call_ms": round(call_ms),
            "tenants_documents": [plan.small, plan.small * TIMES],
            "small_p95_ms_quiet": round(p95(quiet)),
            "small_p95_ms_beside": round(p95(beside)),
            "small_added_ms_quiet": round(_median([one.small_quiet.added for one in rounds])),
            "small_added_ms_beside": round(_median([one.small_beside.added for one in rounds])),
            "failures": sum(one.failures for one in rounds),
            "rounds": plan.rounds,
        },
        "ratios": {
            "high_wait_in_engine_calls": round(statistics.median(first for first, _longest in waits) / call_ms, 2),
            "high_wait_in_engine_calls_same_quota": round(
                statistics.median(first for first, _longest in same) / call_ms, 2
            ),
            "small_p95_to_quiet": round(p95(beside) / p95(quiet), 2),
        },
    }


def chart(result: dict[str, Any]) -> Chart:
    """What an urgent document waits beyond the engine's time, and what it may."""
    figures = result["figures"]
    return Chart(
        title="What an urgent document waits beyond the engine's own time",
        unit="milliseconds, median",
        labels=["nothing else to do", f"{figures['flood']:,} low before it", f"{figures['flood']:,} normal before it"],
        series={"added": [figures[f"high_added_ms_{name}"] for name in ("quiet", "flooded", "flooded_same_quota")]},
        kind="bars",
        bounds={"one call of the engine": figures["engine_call_ms"]},
        note=f"commit {result['commit']}, {result['machine']['cores']} cores",
    )


def _round(plan: Plan) -> tuple[Round, dict[str, Any]]:
    """One product: quiet, beside a large tenant, behind each flood. It is stopped with what is left of the last flood."""
    with (
        tempfile.TemporaryDirectory(prefix="dtat-bench-") as folder,
        _load.product(Path(folder), knobs=KNOBS, DTAT_TEXTRACT_TPS=str(int(QUOTA))) as (product, simulator),
        closing(Traffic(product)) as traffic,
    ):
        large = traffic.who.key
        urgent, small = Who(large, "high"), Who(product.credentials["second_tenant"]["api_key"])
        spans = [_sent(traffic, urgent, plan.urgent), _sent(traffic, small, plan.small)]
        traffic.drain(DRAIN_SECONDS)
        spans.append(_beside(traffic, small, plan.small))
        traffic.drain(DRAIN_SECONDS)
        waiting = []
        for priority in ("low", "normal"):
            traffic.flood(plan.flood, Who(large, priority))
            waiting.append(traffic.backlog())
            spans.append(_sent(traffic, urgent, plan.urgent))
            _until_rested(traffic, spans[-1])
        report = simulator.report()
        quiet, small_quiet, beside, flooded, same_quota = (_times(traffic, span, report) for span in spans)
        return Round(
            urgent_quiet=quiet,
            urgent_flooded=flooded,
            urgent_same_quota=same_quota,
            waiting=(waiting[0], waiting[1]),
            small_quiet=small_quiet,
            small_beside=beside,
            failures=traffic.outcome().failed + traffic.refusals.total(),
        ), report["engine"]


def _sent(traffic: Traffic, who: Who, number: int) -> list[tuple[str, float]]:
    """So many documents, one a second: their ids, and when they were due."""
    return [(each.document_id, each.due) for each in traffic.steadily(1.0, number, who)]


def _beside(traffic: Traffic, small: Who, number: int) -> list[tuple[str, float]]:
    flood = threading.Thread(target=traffic.flood, args=(number * TIMES,))
    flood.start()
    time.sleep(HEAD_START_SECONDS)
    sent = _sent(traffic, small, number)
    flood.join()
    return sent


def _until_rested(traffic: Traffic, sent: Sequence[tuple[str, float]]) -> None:
    deadline = time.monotonic() + DRAIN_SECONDS
    while any(each not in traffic.rests for each, _due in sent) and time.monotonic() < deadline:
        time.sleep(0.1)


def _times(traffic: Traffic, sent: Sequence[tuple[str, float]], report: dict[str, Any]) -> Times:
    """A document that does not rest in time is a KeyError, not a missing figure."""
    books = traffic.books(report)
    in_all = [(traffic.rests[each] - due) * 1000 for each, due in sent]
    engine = [books[each]["engine_seconds"] * 1000 for each, _due in sent]
    return Times(in_all, [took - its for took, its in zip(in_all, engine, strict=True)])


def _waits(flooded: Times, quiet: Times) -> tuple[float, float]:
    """Of the first document and of the one that waited longest: how much more was added than when it is quiet."""
    usual = statistics.median(quiet.added)
    return flooded.added[0] - usual, max(flooded.added) - usual


def _median(values: Sequence[Sequence[float]]) -> float:
    return statistics.median(map(statistics.median, values))
