"""`POST /ocr` under load: how many documents a minute 200 callers get back who wait for each, and what we add to the engine's time.

The engine is the simulated Textract of this machine: 2.9 s in the median, lognormal, 25 calls a second. A closed loop of 200 callers,
each sending its next page when it has the last one's document, shows how much of the quota is used; arrivals at 80 % of the quota,
whether answers came or not, show the time that we add. Every page is another one, a JPEG or PNG of 150 KB. Any answer but 200 with
a document that was read is a failure, also 202. Figures are medians of the rounds.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks import _load
from benchmarks.uploads import _Pages
from tests.product import Product

QUOTA = 25.0  # calls a second
CLIENTS = 200
STEADY_RATE = 0.8 * QUOTA
SEED = 20261121
KNOBS: dict[str, Any] = {
    "seed": SEED,
    "quotas": dict.fromkeys(_load.SYNCHRONOUS, QUOTA),
    "latency": {name: {"median": 2.9, "p95": 5.0} for name in _load.SYNCHRONOUS},
    "durable": False,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one caller got: when, after how many seconds, and for which page."""

    at: float
    seconds: float
    status: int
    body: bytes
    page: int

    @property
    def failure(self) -> str:
        """Why this is no document that was read; empty when it is one."""
        if self.status != 200:
            return str(self.status)
        read = json.loads(self.body)["status"]
        return "" if read in {"approved", "needs_review"} else str(read)


@dataclass(frozen=True, slots=True)
class Flood:
    """One round of the closed loop."""

    per_minute: float
    failures: Counter[str]
    seconds: list[float]
    cpu_ms_per_document: dict[str, float]  # by part of the product
    pss_mib: dict[str, float]


@dataclass(frozen=True, slots=True)
class Steady:
    """One round at a steady rate; `added_ms` is, for each document, what it took beyond the engine's own time."""

    added_ms: list[float]
    failures: Counter[str]


def measure(*, quick: bool) -> dict[str, Any]:
    """documents_per_minute and overhead_p95_ms are what is promised; the other figures say where they come from."""
    rounds, warm_up, flood_seconds, steady_seconds = (1, 8.0, 15.0, 15.0) if quick else (3, 15.0, 60.0, 60.0)
    with tempfile.TemporaryDirectory(prefix="dtat-bench-") as folder:
        given = {"DTAT_TEXTRACT_TPS": str(int(QUOTA))}
        with _load.product(Path(folder), knobs=KNOBS, **given) as (product, simulator):
            callers = Callers(product)
            floods = [asyncio.run(_flood(callers, simulator, warm_up, flood_seconds)) for _ in range(rounds)]
            steadies = [asyncio.run(_steady(callers, simulator, warm_up, steady_seconds)) for _ in range(rounds)]
            report = simulator.report()
    per_minute = statistics.median(flood.per_minute for flood in floods)
    failures = sum(
        [*(flood.failures for flood in floods), *(steady.failures for steady in steadies)], start=Counter[str]()
    )
    return {
        "seed": SEED,
        "figures": {
            "documents_per_minute": round(per_minute),
            "failures": failures.total(),
            "clients": CLIENTS,
            "overhead_p95_ms": round(statistics.median(_p95(steady.added_ms) for steady in steadies)),
            "overhead_p50_ms": round(statistics.median(statistics.median(steady.added_ms) for steady in steadies)),
            "failures_by_kind": dict(failures),
            "answer_p95_ms_under_flood": round(statistics.median(_p95(flood.seconds) for flood in floods) * 1000),
            "cpu_ms_per_document": round(
                statistics.median(sum(flood.cpu_ms_per_document.values()) for flood in floods), 1
            ),
            "cpu_ms_per_document_by_part": {
                part: round(spent, 1) for part, spent in floods[-1].cpu_ms_per_document.items()
            },
            "pss_mib_under_flood": round(max(sum(flood.pss_mib.values()) for flood in floods)),
            "pss_mib_by_part": {part: round(held) for part, held in floods[-1].pss_mib.items()},
            "rounds": rounds,
            "documents_per_minute_by_round": [round(flood.per_minute) for flood in floods],
            "overhead_p95_ms_by_round": [round(_p95(steady.added_ms)) for steady in steadies],
            "engine": report["engine"],
        },
        "ratios": {"quota_share": round(per_minute / (QUOTA * 60), 3)},
    }


class Callers:
    """Sends pages to POST /ocr, each another one, as cheaply as this process can."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self._port, self._key = product.port, product.credentials["api_key"]
        self._pages = _Pages()
        self._numbers = count()
        self.digests: dict[int, str] = {}  # of the pages sent, by number

    async def call(self, due: float | None = None) -> Answer:
        """One page on a connection of its own; the time counts from when it was due."""
        number, page = next(self._numbers), self._pages.next()
        self.digests[number] = hashlib.sha256(page).hexdigest()
        begun = time.monotonic() if due is None else due
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.writelines([self._head(len(page)), _BEFORE, page, _AFTER])
            status, body = await _answer(reader)
        finally:
            writer.close()
        now = time.monotonic()
        return Answer(now, now - begun, status, body, number)

    def forget(self) -> None:
        self.digests.clear()

    def _head(self, size: int) -> bytes:
        return (
            f"POST /ocr HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAuthorization: Api-Key {self._key}\r\n"
            f"Content-Type: multipart/form-data; boundary=page\r\nContent-Length: {size + len(_BEFORE) + len(_AFTER)}\r\n"
            "Connection: close\r\n\r\n"
        ).encode()


_BEFORE = (
    b'--page\r\nContent-Disposition: form-data; name="wait_seconds"\r\n\r\n60\r\n'
    b'--page\r\nContent-Disposition: form-data; name="document_type"\r\n\r\nreceipt\r\n'
    b'--page\r\nContent-Disposition: form-data; name="file"; filename="page"\r\nContent-Type: image/jpeg\r\n\r\n'
)
_AFTER = b"\r\n--page--\r\n"


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body; 0 for a connection that broke."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), await reader.read()
    except (OSError, asyncio.IncompleteReadError, IndexError, ValueError):
        return 0, b""


async def _flood(callers: Callers, simulator: _load.Simulator, warm_up: float, seconds: float) -> Flood:
    """CLIENTS callers who send their next page when they have the last one's document; the warm-up is not counted."""
    callers.forget()
    begun = time.monotonic()
    counted_from, ends = begun + warm_up, begun + warm_up + seconds

    async def client(place: int) -> list[Answer]:
        await asyncio.sleep(place * min(5.0, warm_up / 2) / CLIENTS)
        answers = []
        while time.monotonic() < ends:
            answers.append(await callers.call())
            if answers[-1].status != 200:
                await asyncio.sleep(1.0)
        return answers

    running = [asyncio.create_task(client(place)) for place in range(CLIENTS)]
    await asyncio.sleep(warm_up)
    before = await asyncio.to_thread(_load.cost, callers.product, simulator)
    await asyncio.sleep(max(0.0, ends - time.monotonic()))
    after = await asyncio.to_thread(_load.cost, callers.product, simulator)
    answers = [answer for task in running for answer in await task]
    failures = Counter(answer.failure for answer in answers if answer.failure)
    inside = [answer for answer in answers if counted_from <= answer.at <= ends and not answer.failure]
    return Flood(
        per_minute=len(inside) / seconds * 60,
        failures=failures,
        seconds=[answer.seconds for answer in inside],
        cpu_ms_per_document={
            part: (used - before.cpu_ms.get(part, 0.0)) / max(1, len(inside)) for part, used in after.cpu_ms.items()
        },
        pss_mib=after.pss_mib,
    )


async def _steady(callers: Callers, simulator: _load.Simulator, warm_up: float, seconds: float) -> Steady:
    """Pages at STEADY_RATE, whether answers came or not."""
    callers.forget()
    begun = time.monotonic()
    running = []
    for turn in range(round((warm_up + seconds) * STEADY_RATE)):
        due = begun + turn / STEADY_RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        running.append(asyncio.create_task(callers.call(due)))
    answers = [await task for task in running][round(warm_up * STEADY_RATE) :]
    engine = simulator.report()["by_document"]
    read = [answer for answer in answers if not answer.failure]
    added = [(answer.seconds - _engine_seconds(engine, callers, answer)) * 1000 for answer in read]
    return Steady(added, Counter(answer.failure for answer in answers if answer.failure))


def _engine_seconds(engine: dict[str, Any], callers: Callers, answer: Answer) -> float:
    """How long the simulator says that it took for this page; it names a page by its digest, or by its key in the store."""
    digest = callers.digests[answer.page]
    if digest in engine:
        return float(engine[digest]["engine_seconds"])
    document_id = json.loads(answer.body)["id"]
    named = next(found for name, found in engine.items() if document_id in name)
    return float(named["engine_seconds"])


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else float("nan")
