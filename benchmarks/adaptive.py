"""What becomes of the rate when the engine refuses: at random, because the quota was halved, and when it is whole again.

The engine is the simulated Textract of this machine with 25 calls a second; the product is told of 25 and never of the change. Uploads
go over HTTP and there is always a backlog. Each phase is judged by the simulator's books and by when each document's successful call
began: when the document rested less what the engine took for it.

- *random*: 30 % of all calls are refused, whatever the rate. For each document that is read, 1 / (1 - 0.3) calls cannot be avoided.
- *halved*, then *whole*: the quota falls to the half, and rises again. No refusal is unavoidable: the minimum is a call a document.
  Reached again: the beginning of the first ten seconds, after the first that fell short, with 95 % of the quota; 0 if none fell short.
"""

from __future__ import annotations

import bisect
import statistics
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import _load
from benchmarks._charts import Chart
from benchmarks._traffic import Outcome, Traffic
from benchmarks.throughput import BACKLOG, DRAIN_SECONDS, KNOBS, QUOTA, SEED

REFUSED = 0.3
SHARE = 0.95
WINDOW_SECONDS = 10.0
STEP_SECONDS = 0.5
COURSE_SECONDS = 5
NAMES = {"random": "30 % refused", "halved": "quota halved", "whole": "quota whole"}
THROTTLING = "ProvisionedThroughputExceededException"


@dataclass(frozen=True, slots=True)
class Plan:
    rounds: int
    warm_up: float
    random: float
    between: float
    halved: float
    whole: float


@dataclass(frozen=True, slots=True)
class Phase:
    """A span under one condition: calls by the simulator's books, and when the calls that succeeded began, from its start on."""

    quota: float
    seconds: float
    refused: int
    begun: list[float]

    @property
    def calls(self) -> int:
        return self.refused + len(self.begun)

    def share(self, second: float, window: float = WINDOW_SECONDS) -> float:
        """How much of the quota was used in the window that begins at this second."""
        number = bisect.bisect_left(self.begun, second + window) - bisect.bisect_left(self.begun, second)
        return number / (window * self.quota)

    def shares(self) -> list[tuple[float, float]]:
        """Window by window: when it begins, and its share."""
        seconds = [n * STEP_SECONDS for n in range(int((self.seconds - WINDOW_SECONDS) / STEP_SECONDS) + 1)]
        return [(second, self.share(second)) for second in seconds]

    @property
    def reached_again(self) -> float:
        """Infinite when it was not within the phase."""
        shares = self.shares()
        short = next((place for place, (_second, share) in enumerate(shares) if share < SHARE), None)
        if short is None:
            return 0.0
        return next((second for second, share in shares[short:] if share >= SHARE), float("inf"))

    @property
    def share_afterwards(self) -> float:
        """Of the quota, from when it was reached again to the phase's end."""
        begins = min(self.reached_again, self.seconds - WINDOW_SECONDS)
        return self.share(begins, self.seconds - begins)


@dataclass(frozen=True, slots=True)
class Round:
    random: Phase
    halved: Phase
    whole: Phase
    outcome: Outcome
    refusals: Counter[int]
    doubled: int


FULL = Plan(rounds=3, warm_up=15, random=60, between=30, halved=75, whole=75)
QUICK = Plan(rounds=1, warm_up=4, random=10, between=3, halved=14, whole=14)


def measure(*, quick: bool) -> dict[str, Any]:
    """failures (0), the seconds (at most 60) and calls_to_minimum (at most 1.2) are what is promised."""
    plan = QUICK if quick else FULL
    with (
        tempfile.TemporaryDirectory(prefix="dtat-bench-") as folder,
        _load.product(Path(folder), knobs=KNOBS, DTAT_TEXTRACT_TPS=str(int(QUOTA))) as (product, simulator),
        closing(Traffic(product)) as traffic,
    ):
        rounds = [_round(traffic, simulator, plan) for _ in range(plan.rounds)]
    random, halved, whole = ([getattr(each, name) for each in rounds] for name in ("random", "halved", "whole"))
    return {
        "seed": SEED,
        "figures": {
            "failures": rounds[-1].outcome.failed + rounds[-1].refusals.total(),
            "by_status": dict(rounds[-1].outcome.by_status),
            "errors": dict(rounds[-1].outcome.errors),
            "refusals": {str(status): number for status, number in rounds[-1].refusals.items()},
            "lost": rounds[-1].outcome.lost,
            "doubled": rounds[-1].doubled,
            "documents": rounds[-1].outcome.by_status.total(),
            "halved_reached_seconds": _known(statistics.median(each.reached_again for each in halved)),
            "whole_reached_seconds": _known(statistics.median(each.reached_again for each in whole)),
            "halved_reached_seconds_by_round": [_known(each.reached_again) for each in halved],
            "whole_reached_seconds_by_round": [_known(each.reached_again) for each in whole],
            "random_documents_per_minute": round(statistics.median(_per_minute(each) for each in random)),
            "random_documents_per_minute_possible": round(QUOTA * (1 - REFUSED) * 60),
            "halved_documents_per_minute": round(statistics.median(_per_minute(each) for each in halved)),
            "whole_documents_per_minute": round(statistics.median(_per_minute(each) for each in whole)),
            "random_calls": [each.calls for each in random],
            "random_answered": [len(each.begun) for each in random],
            "halved_calls": [each.calls for each in halved],
            "halved_answered": [len(each.begun) for each in halved],
            "rate_by_second": _course(rounds[-1]),
            "rounds": plan.rounds,
        },
        "ratios": {
            "random_calls_to_minimum": _ratio(random, 1 - REFUSED),
            "random_calls_to_documents": _ratio(random, 1.0),
            "halved_calls_to_minimum": _ratio(halved, 1.0),
            "whole_calls_to_minimum": _ratio(whole, 1.0),
            "halved_share_afterwards": round(statistics.median(each.share_afterwards for each in halved), 3),
            "whole_share_afterwards": round(statistics.median(each.share_afterwards for each in whole), 3),
        },
    }


def chart(result: dict[str, Any]) -> Chart:
    """The rate over time, in the last round."""
    course = result["figures"]["rate_by_second"]
    phases = {name: points for name, points in course.items() if points}
    labels = [NAMES[name] if n == 0 else "" for name, points in phases.items() for n, _point in enumerate(points)]
    return Chart(
        title="The rate while the engine refuses",
        unit=f"documents a second, a point every {COURSE_SECONDS} s",
        labels=labels,
        series={"read": [rate for points in phases.values() for _second, rate in points]},
        bounds={"quota 25": QUOTA, "half": QUOTA / 2},
        note=f"commit {result['commit']}, {result['machine']['cores']} cores",
    )


def _round(traffic: Traffic, simulator: _load.Simulator, plan: Plan) -> Round:
    refuse = {"fault": THROTTLING, "operation": "AnalyzeDocument", "probability": REFUSED}
    steps: list[tuple[dict[str, Any], float]] = [
        ({"faults": []}, plan.warm_up),
        ({"faults": [refuse]}, plan.random),
        ({"faults": []}, plan.between),
        ({"quotas": dict.fromkeys(_load.SYNCHRONOUS, QUOTA / 2)}, plan.halved),
        ({"quotas": dict.fromkeys(_load.SYNCHRONOUS, QUOTA)}, plan.whole),
    ]
    ends: list[tuple[float, dict[str, int]]] = []
    with traffic.holding(BACKLOG):
        for knobs, seconds in steps:
            simulator.turn(**knobs)
            time.sleep(seconds)
            ends.append((time.monotonic(), _calls(simulator)))
    traffic.drain(DRAIN_SECONDS)
    books = traffic.books(simulator.report())
    begun = sorted(at - books[each]["engine_seconds"] for each, at in traffic.rests.items() if each in books)
    random, _between, halved, whole = (
        _phase(begun, earlier, later, quota)
        for earlier, later, quota in zip(ends[:-1], ends[1:], (QUOTA, QUOTA, QUOTA / 2, QUOTA), strict=True)
    )
    doubled = sum(each["billed"] > 1 for each in books.values())
    return Round(random, halved, whole, traffic.outcome(), traffic.refusals.copy(), doubled)


def _calls(simulator: _load.Simulator) -> dict[str, int]:
    found: dict[str, int] = simulator.report(only="calls")["calls"].get("AnalyzeDocument", {})
    return found


def _phase(
    begun: list[float], earlier: tuple[float, dict[str, int]], later: tuple[float, dict[str, int]], quota: float
) -> Phase:
    (begins, calls_before), (ends, calls_after) = earlier, later
    inside = begun[bisect.bisect_left(begun, begins) : bisect.bisect_left(begun, ends)]
    return Phase(
        quota=quota,
        seconds=ends - begins,
        refused=_refused(calls_after) - _refused(calls_before),
        begun=[at - begins for at in inside],
    )


def _refused(calls: dict[str, int]) -> int:
    """Those that succeed count when they begin, not when the books have them: many are under way when a phase ends."""
    return sum(number for outcome, number in calls.items() if outcome != "ok")


def _per_minute(phase: Phase) -> float:
    return len(phase.begun) / phase.seconds * 60


def _ratio(phases: list[Phase], unavoidable: float) -> float:
    """Calls to the least that would have done for the documents that were answered."""
    return round(statistics.median(each.calls / max(1.0, len(each.begun) / unavoidable) for each in phases), 3)


def _known(seconds: float) -> float | None:
    """None: not within the phase."""
    return None if seconds == float("inf") else seconds


def _course(measured: Round) -> dict[str, list[tuple[float, float]]]:
    """For the chart: documents a second over time, by phase."""
    phases = {"random": measured.random, "halved": measured.halved, "whole": measured.whole}
    return {
        name: [
            (second, round(share * phase.quota, 1)) for second, share in phase.shares() if second % COURSE_SECONDS == 0
        ]
        for name, phase in phases.items()
    }
