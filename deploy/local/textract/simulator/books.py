"""What was asked, how it was answered, how long that took by order, and what AWS would have billed."""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from deploy.local.textract import prices
from deploy.local.textract.protocol import THROTTLES
from deploy.local.textract.simulator.jobs import Job, Shelf
from deploy.local.textract.simulator.knobs import SYNC


@dataclass(slots=True)
class _About:
    """One document: synchronous calls about it, jobs started, and how long the engine took at last."""

    calls: int = 0
    billed: int = 0
    jobs: int = 0
    engine_seconds: float = 0.0


@dataclass(slots=True)
class _Bill:
    times: int = 0
    pages: int = 0
    microdollars: int = 0


@dataclass(slots=True)
class Books:
    """The counts since the last reset."""

    shelf: Shelf
    _calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    _numbers: Counter[str] = field(default_factory=Counter)
    _seconds: dict[str, array[float]] = field(default_factory=dict)
    _documents: dict[str, _About] = field(default_factory=dict)
    _bills: dict[tuple[str, str, frozenset[str]], _Bill] = field(default_factory=dict)
    _counted_from: float = 0.0
    _in_flight: int = 0
    _most_in_flight: int = 0

    def __post_init__(self) -> None:
        for row in self.shelf.rows("bill"):
            bill = _Bill(row["times"], row["pages"], row["microdollars"])
            self._bills[row["name"], row["operation"], frozenset(row["features"])] = bill
            about = self._about(row["name"])
            about.calls, about.billed = about.calls + bill.times, about.billed + bill.times

    def number(self, operation: str) -> int:
        """The number of this call among those of its operation, from 1."""
        self._numbers[operation] += 1
        return self._numbers[operation]

    def arrived(self) -> None:
        """A call is being answered from now on."""
        self._in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)

    def answered(self, operation: str, outcome: str, *, name: str, seconds: float) -> None:
        """A call has its answer; `outcome` is "ok", the code it was refused with, or the fault that struck it.

        `name` is the document that the engine worked on, if it did, and `seconds` how long the answer really took.
        """
        self._in_flight -= 1
        self._calls[operation, outcome] += 1
        if name:
            self._seconds.setdefault(operation, array("d")).append(seconds)
            if operation in SYNC:
                self._about(name).engine_seconds = seconds

    def called(self, name: str) -> None:
        """A synchronous call about a document reached the engine."""
        self._about(name).calls += 1

    def started(self, job: Job) -> None:
        """A job was started."""
        about = self._about(job.name)
        about.jobs += 1
        about.engine_seconds = (job.ends_at or job.created_at) - job.created_at
        self._seconds.setdefault(f"job {job.operation}", array("d")).append(about.engine_seconds)

    def bill(self, name: str, operation: str, features: frozenset[str], *, microdollars: int) -> bool:
        """Bills the one page of a synchronous call; whether a flush has to be asked for."""
        bill = self._bills.setdefault((name, operation, features), _Bill())
        bill.times, bill.pages, bill.microdollars = bill.times + 1, bill.pages + 1, bill.microdollars + microdollars
        self._about(name).billed += 1
        identity = "\x1f".join((name, operation, *sorted(features)))
        return self.shelf.put("bill", identity, lambda: _bill(name, operation, features, bill))

    def reset(self) -> None:
        """Counts anew; jobs started before are no longer listed, but can still be fetched."""
        self._calls.clear()
        self._numbers.clear()
        self._seconds.clear()
        self._documents.clear()
        self._bills.clear()
        self.shelf.forget("bill")
        self._counted_from = time.time()
        self._most_in_flight = self._in_flight

    def metrics(self, jobs: Iterable[Job]) -> str:
        """The counts as Prometheus reads them."""
        pages, microdollars = self._billed([job for job in jobs if job.created_at >= self._counted_from])
        lines = [
            f'textract_calls_total{{operation="{operation}",outcome="{outcome}"}} {count}'
            for (operation, outcome), count in sorted(self._calls.items())
        ]
        lines += [
            f"textract_in_flight {self._in_flight}",
            f"textract_billed_pages_total {pages}",
            f"textract_billed_microdollars_total {microdollars}",
        ]
        return "\n".join(lines) + "\n"

    def _billed(self, jobs: Iterable[Job]) -> tuple[int, int]:
        """Pages and micro-dollars of these jobs and of all synchronous calls."""
        money = [(bill.pages, bill.microdollars) for bill in self._bills.values()]
        money += [(job.billed_pages, job.microdollars) for job in jobs]
        return sum(pages for pages, _ in money), sum(cost for _, cost in money)

    def report(self, jobs: Iterable[Job]) -> dict[str, Any]:
        """Everything, as JSON values."""
        now = time.time()
        counted = [job for job in jobs if job.created_at >= self._counted_from]
        pages, cost = self._billed(counted)
        return {
            "calls": self._counts(),
            "throttles": sum(count for (_, outcome), count in self._calls.items() if outcome in THROTTLES),
            "in_flight": {"now": self._in_flight, "most": self._most_in_flight},
            "jobs": _statuses(counted, now),
            "billed": {"pages": pages, "microdollars": cost, "price_table": prices.VERSION},
            "tokens": [_token(job, now) for job in counted],
            "documents": [*_sync_documents(self._bills), *_job_documents(counted)],
            "engine": {operation: _summary(seconds) for operation, seconds in sorted(self._seconds.items())},
            "by_document": {
                name: {
                    "calls": about.calls,
                    "billed": about.billed,
                    "jobs": about.jobs,
                    "engine_seconds": round(about.engine_seconds, 4),
                }
                for name, about in self._documents.items()
            },
        }

    def _about(self, name: str) -> _About:
        found = self._documents.get(name)
        if found is None:
            found = self._documents[name] = _About()
        return found

    def _counts(self) -> dict[str, dict[str, int]]:
        counts: dict[str, dict[str, int]] = {}
        for (operation, outcome), count in sorted(self._calls.items()):
            counts.setdefault(operation, {})[outcome] = count
        return counts


def _bill(name: str, operation: str, features: frozenset[str], bill: _Bill) -> dict[str, Any]:
    money = {"times": bill.times, "pages": bill.pages, "microdollars": bill.microdollars}
    return {"name": name, "operation": operation, "features": sorted(features), **money}


def _statuses(jobs: Iterable[Job], now: float) -> dict[str, int]:
    counts = dict.fromkeys(("IN_PROGRESS", "SUCCEEDED", "PARTIAL_SUCCESS", "FAILED"), 0)
    for job in jobs:
        counts[job.status(now)] += 1
    return counts


def _token(job: Job, now: float) -> dict[str, Any]:
    return {
        "token": job.token,
        "operation": job.operation,
        "job_id": job.job_id,
        "status": job.status(now),
        "sha256": None,
        "key": job.key,
        "pages": job.pages,
        "times_billed": 1 if job.billed_pages else 0,
        "pages_billed": job.billed_pages,
    }


def _sync_documents(bills: dict[tuple[str, str, frozenset[str]], _Bill]) -> Iterable[dict[str, Any]]:
    for (name, operation, features), bill in bills.items():
        yield _document(name, operation, features, bill)


def _job_documents(jobs: Iterable[Job]) -> Iterable[dict[str, Any]]:
    bills: dict[tuple[str, str, frozenset[str]], _Bill] = {}
    for job in jobs:
        if job.billed_pages:
            bill = bills.setdefault((job.name, job.operation, job.asked.features), _Bill())
            bill.times += 1
            bill.pages += job.billed_pages
            bill.microdollars += job.microdollars
    return _sync_documents(bills)


def _document(name: str, operation: str, features: frozenset[str], bill: _Bill) -> dict[str, Any]:
    at_once = "://" not in name
    return {
        "sha256": name if at_once else None,
        "key": None if at_once else name,
        "operation": operation,
        "features": " ".join(sorted(features)),
        "times_billed": bill.times,
        "pages_billed": bill.pages,
        "microdollars": bill.microdollars,
    }


def _summary(seconds: array[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "count": len(ordered),
        "p50": round(ordered[len(ordered) // 2], 4),
        "p95": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 4),
        "most": round(ordered[-1], 4),
        "mean": round(sum(ordered) / len(ordered), 4),
    }
