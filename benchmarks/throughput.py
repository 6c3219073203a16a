"""From an upload over HTTP to a document that rests (approved, or waiting for a person): how many a minute, and what is added.

The engine is the simulated Textract of this machine: 2.9 s in the median, lognormal, answers of 200 KB. Uploads are multipart
requests with an API key, pages of 150 KB, each another one. Four things are measured, each figure the median of the rounds:

- *quota*: 25 calls a second are granted and there is always a backlog. Documents that rest within the window, against the quota;
  processor time of all processes of the product, PostgreSQL included, over the same window, divided by those documents.
- *added time*: uploads at 80 % of the quota, whether answers come or not. From when the request was due until the product says, at
  commit, that the document rests (on the database's channel `dtat_rest`), less the time that the simulator's books say that the
  engine took for this document. Both ends are on one clock, of the process that measures; the upload itself is included.
- *quota lifted*: as the first, without a quota in the simulator and with 1,000 a second granted in the product's quota table, which an
  administrator changes in the admin. All other settings are those of a new installation.
- *plain scripts* (benchmarks/_floor.py), afterwards, with the product stopped: the floor and the "before". They receive nothing over
  HTTP, while the product has all uploads to receive in its windows.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks import _load
from benchmarks._charts import Chart
from benchmarks._traffic import Outcome, Traffic, p95
from deploy.local.postgres import Postgres
from tests.product import ROOT, Product

QUOTA = 25.0  # calls a second
STEADY_RATE = 0.8 * QUOTA
LIFTED = 1000
BACKLOG = 200  # under the quota: some 75 are being read, the others wait
LIFTED_BACKLOG = 600
FILL_SECONDS = 40.0  # at most, until the backlog is there; warming up comes after that
DRAIN_SECONDS = 90.0
SEED = 20261121
KNOBS: dict[str, Any] = {
    "seed": SEED,
    "quotas": dict.fromkeys(_load.SYNCHRONOUS, QUOTA),
    "latency": {name: {"median": 2.9, "p95": 5.0} for name in _load.SYNCHRONOUS},
    "answers": {"kilobytes": 200, "kinds": {"invoice": 1}},
    "durable": False,
}


@dataclass(frozen=True, slots=True)
class Span:
    """How many seconds of warming up, and how many that count."""

    warm_up: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    rounds: int
    quota: Span
    steady: Span
    lifted: Span
    floor: Span
    before: Span


FULL = Plan(3, Span(15, 60), Span(10, 60), Span(15, 45), Span(10, 40), Span(0, 60))
QUICK = Plan(1, Span(5, 8), Span(3, 6), Span(5, 6), Span(3, 5), Span(0, 9))


@dataclass(frozen=True, slots=True)
class Flood:
    """One window with a standing backlog."""

    per_minute: float
    least_backlog: int
    cpu_ms: dict[str, float]  # per document, by part of the product
    pss_mib: dict[str, float]
    sender_cpu_ms: float  # per document: ours, which the product has to share the machine with
    simulator_cpu_ms: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What the rounds with the product gave."""

    floods: list[Flood]
    lifted: list[Flood]
    added_ms: list[list[float]]
    upload_ms: list[float]
    outcome: Outcome
    refusals: Counter[int]
    doubled: int
    engine: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Script:
    """What one run of a plain script gave."""

    per_minute: float
    cpu_ms: float


def measure(*, quick: bool) -> dict[str, Any]:
    """documents_per_minute, overhead_p95_ms and the ratios are what is promised; the other figures say where they come from."""
    plan = QUICK if quick else FULL
    found = _of_the_product(plan)
    floors, befores = _of_the_scripts(plan)
    at_quota, lifted = _median(found.floods), _median(found.lifted)
    floor, before = (statistics.median(run.per_minute for run in runs) for runs in (floors, befores))
    return {
        "seed": SEED,
        "figures": {
            "documents_per_minute": round(at_quota),
            "failures": found.outcome.failed + found.refusals.total(),
            "lost": found.outcome.lost,
            "doubled": found.doubled + found.outcome.strays,
            "cpu_ms_per_document": round(_cpu_ms(found.floods), 1),
            "pss_mib": round(max(sum(flood.pss_mib.values()) for flood in found.floods + found.lifted)),
            "overhead_p95_ms": round(statistics.median(map(p95, found.added_ms))),
            "overhead_p50_ms": round(statistics.median(map(statistics.median, found.added_ms))),
            "documents_per_minute_lifted": round(lifted),
            "documents_per_minute_floor": round(floor),
            "documents_per_minute_before": round(before, 1),
            "documents": found.outcome.by_status.total(),
            "by_status": dict(found.outcome.by_status),
            "errors": dict(found.outcome.errors),
            "refusals": {str(status): number for status, number in found.refusals.items()},
            "upload_p95_ms": round(p95(found.upload_ms), 1),
            "cpu_ms_per_document_lifted": round(_cpu_ms(found.lifted), 1),
            "cpu_ms_per_document_floor": round(statistics.median(run.cpu_ms for run in floors), 1),
            "at_quota": _told(found.floods),
            "lifted": _told(found.lifted),
            "overhead_p95_ms_by_round": [round(p95(added)) for added in found.added_ms],
            "floor_by_round": [round(run.per_minute) for run in floors],
            "before_by_round": [round(run.per_minute, 1) for run in befores],
            "engine": found.engine,
            "rounds": plan.rounds,
        },
        "ratios": {
            "quota_share": round(at_quota / (QUOTA * 60), 3),
            "to_floor": round(lifted / floor, 2),
            "to_before": round(lifted / before, 1),
        },
    }


def chart(result: dict[str, Any]) -> Chart:
    """The product beside the plain scripts."""
    figures = result["figures"]
    names = {"before": "_before", "floor script": "_floor", "quota lifted": "_lifted", "quota of 25/s": ""}
    return Chart(
        title="Documents a minute, from upload to result",
        unit="documents a minute on one machine",
        labels=list(names),
        series={"documents": [figures[f"documents_per_minute{name}"] for name in names.values()]},
        kind="bars",
        bounds={"the quota: 1,500": QUOTA * 60},
        note=f"commit {result['commit']}, {result['machine']['cores']} cores",
    )


# --- The product --------------------------------------------------------------------------------------------------


def _of_the_product(plan: Plan) -> Measured:
    with (
        tempfile.TemporaryDirectory(prefix="dtat-bench-") as folder,
        _load.product(Path(folder), knobs=KNOBS, DTAT_TEXTRACT_TPS=str(int(QUOTA))) as (product, simulator),
        closing(Traffic(product)) as traffic,
    ):
        floods = [_flood(traffic, simulator, plan.quota, BACKLOG) for _ in range(plan.rounds)]
        begun = len(traffic.uploads)
        steadies = [_steadily(traffic, plan.steady) for _ in range(plan.rounds)]
        uploads = traffic.uploads[begun:]
        _lift(product, simulator)
        lifted = [_flood(traffic, simulator, plan.lifted, LIFTED_BACKLOG) for _ in range(plan.rounds)]
        about = traffic.books(simulator.report())
        added = [
            [(traffic.rests[each] - due) * 1000 - about[each]["engine_seconds"] * 1000 for each, due in round_.items()]
            for round_ in steadies
        ]
        return Measured(
            floods=floods,
            lifted=lifted,
            added_ms=added,
            upload_ms=[(upload.answered - upload.due) * 1000 for upload in uploads],
            outcome=traffic.outcome(),
            refusals=traffic.refusals,
            doubled=sum(each["billed"] > 1 for each in about.values()),
            engine=simulator.report()["engine"],
        )


def _flood(traffic: Traffic, simulator: _load.Simulator, span: Span, backlog: int) -> Flood:
    """Uploads as long as fewer than `backlog` documents are under way; what rested within the span, and what that cost."""
    with traffic.holding(backlog):
        filled = time.monotonic() + FILL_SECONDS
        while traffic.backlog() < backlog and time.monotonic() < filled:
            time.sleep(0.1)
        time.sleep(span.warm_up)
        before, ours, its, begun = _spent(traffic, simulator)
        least = backlog
        while time.monotonic() < begun + span.seconds:
            least = min(least, traffic.backlog())
            time.sleep(0.2)
        after, ours_after, its_after, ended = _spent(traffic, simulator)
    traffic.drain(DRAIN_SECONDS)
    documents = max(1, traffic.rested_within(begun, ended))
    return Flood(
        per_minute=documents / (ended - begun) * 60,
        least_backlog=least,
        cpu_ms={part: (spent - before.cpu_ms.get(part, 0.0)) / documents for part, spent in after.cpu_ms.items()},
        pss_mib=after.pss_mib,
        sender_cpu_ms=(ours_after - ours) / documents,
        simulator_cpu_ms=(its_after - its) / documents,
    )


def _spent(traffic: Traffic, simulator: _load.Simulator) -> tuple[_load.Cost, float, float, float]:
    """Of the product, of this process and of the simulator, and when."""
    cost = _load.cost(traffic.product, simulator)
    return cost, time.process_time() * 1000, _load.cpu_ms(simulator.process.pid), time.monotonic()


def _steadily(traffic: Traffic, span: Span) -> dict[str, float]:
    """Uploads at 80 % of the quota; the documents that count, and when each was due."""
    begun = time.monotonic()
    sent = traffic.steadily(STEADY_RATE, span.warm_up + span.seconds)
    traffic.drain(DRAIN_SECONDS)
    counted = [upload for upload in sent if upload.due >= begun + span.warm_up]
    return {upload.document_id: upload.due for upload in counted if upload.document_id in traffic.rests}


def _lift(product: Product, simulator: _load.Simulator) -> None:
    """No quota in the simulator, and as good as none in the product."""
    simulator.turn(quotas=dict.fromkeys(_load.SYNCHRONOUS, "none"))
    with closing(psycopg2.connect(product.credentials["database"]["superuser"])) as connection, connection:
        connection.cursor().execute("UPDATE ocr_quota SET granted = %s, throttled_at = NULL", [LIFTED])


# --- The plain scripts --------------------------------------------------------------------------------------------


def _of_the_scripts(plan: Plan) -> tuple[list[Script], list[Script]]:
    """The floor and the "before", over a simulator without quotas and a PostgreSQL of the product's kind."""
    with tempfile.TemporaryDirectory(prefix="dtat-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        postgres = Postgres(folder)
        postgres.start()
        simulator = _load.Simulator(folder, store=folder, knobs=KNOBS | {"quotas": {}})
        try:
            databases = [postgres.create(f"floor{n}")["superuser"] for n in range(plan.rounds)]
            floors = [_script("floor", simulator, database, plan.floor) for database in databases]
            files = [str(folder / f"before{n}.sqlite") for n in range(plan.rounds)]
            befores = [_script("before", simulator, file, plan.before) for file in files]
        finally:
            simulator.stop()
            postgres.stop()
    return floors, befores


def _script(name: str, simulator: _load.Simulator, database: str, span: Span) -> Script:
    seconds = span.warm_up + span.seconds
    command = [sys.executable, "-m", "benchmarks._floor", name, simulator.url, database, str(seconds)]
    ran = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=True)
    told = json.loads(ran.stdout)
    counted = sum(span.warm_up <= at < seconds for at in told["finished"])
    if name == "before":  # one after another: the last one that was begun in time counts, with the time that it took
        counted, seconds = len(told["finished"]), told["finished"][-1]
    return Script(
        counted / (seconds - span.warm_up) * 60, told["cpu_ticks"] * _load.TICK_MS / max(1, len(told["finished"]))
    )


# --- Figures ------------------------------------------------------------------------------------------------------


def _median(floods: list[Flood]) -> float:
    return statistics.median(flood.per_minute for flood in floods)


def _cpu_ms(floods: list[Flood]) -> float:
    return statistics.median(sum(flood.cpu_ms.values()) for flood in floods)


def _told(floods: list[Flood]) -> dict[str, Any]:
    last = floods[-1]
    return {
        "by_round": [round(flood.per_minute) for flood in floods],
        "least_backlog": min(flood.least_backlog for flood in floods),
        "cpu_ms_by_part": {part: round(spent, 1) for part, spent in last.cpu_ms.items()},
        "pss_mib_by_part": {part: round(held) for part, held in last.pss_mib.items()},
        "sender_cpu_ms": round(last.sender_cpu_ms, 1),
        "simulator_cpu_ms": round(last.simulator_cpu_ms, 1),
    }
