"""A manifest of 100,000 rows from its acceptance to its last row, with a pause, kills and a resume in between.

JSON Lines over HTTP, 400 pages of 150 KB that the rows name again and again, each row with an external_id of its own; the simulated
Textract answers at once, with short answers, and grants any number of calls, since what counts here is that every row becomes one
document. Four times the whole group of the low lane's cluster, feeder and reader in it, is killed with -9: twice at work, once while
the batch is paused, once at work after that. At the end the results are downloaded and compared with the manifest, and `verify` runs.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks import _load
from benchmarks.uploads import _Pages
from tests.faults import blows
from tests.product import Product, group

FILES = 400
SEED = 20261128
TENANT = "kestrel"  # the demo's first one: its folder below DTAT_IMPORTS is its bucket
CLUSTER = "workers-low"
CONCURRENCY = 1000
LOOK_SECONDS = 1.0
PAUSED_SECONDS = 10.0
LONGEST_SECONDS = 2 * 3600.0
KNOBS: dict[str, Any] = {
    "seed": SEED,
    "job": {"median": 0.1, "per_page": 0.0},
    "latency": {name: {"median": 0.1, "p95": 0.2} for name in _load.SYNCHRONOUS},
    "answers": {"kilobytes": 20, "kinds": {"invoice": 1}},
    "durable": False,
}


def measure(*, quick: bool) -> dict[str, Any]:
    """accepted_seconds (under 60), web_growth_mib (flat), and rows_once, which must be all rows, are what is promised."""
    rows = 4000 if quick else 100_000
    with (
        tempfile.TemporaryDirectory(prefix="dtat-bench-") as name,
        _load.product(Path(name), knobs=KNOBS, DTAT_TEXTRACT_TPS="1000") as (product, _simulator),
    ):
        manifest = _manifest(product, rows)
        before = _peak_mib(product)
        begun = time.monotonic()
        batch = _accepted(product, manifest)
        accepted = time.monotonic() - begun
        after = _peak_mib(product)
        kills, paused = _disturbed(product, batch, rows)
        told = _until(product, batch, lambda told: told["status"] == "completed")
        whole = time.monotonic() - begun
        found = _verified(product, batch, rows)
    return {
        "seed": SEED,
        "figures": {
            "rows": rows,
            "manifest_mib": round(len(manifest) / 2**20, 1),
            "accepted_seconds": round(accepted, 1),
            "web_peak_mib_before": round(before),
            "web_peak_mib_after": round(after),
            "web_growth_mib": round(after - before),
            "kills": kills,
            "documents_made_while_paused": paused,
            "seconds_to_the_last_row": round(whole),
            "rows_per_minute": round(rows / whole * 60),
            "counts": told["counts"],
            **found,
        },
        "ratios": {"rows_once": found["rows_with_one_document"] / rows},
    }


def _manifest(product: Product, rows: int) -> bytes:
    """The files in the tenant's folder, and a row for each document."""
    folder = product.home / "imports" / TENANT
    folder.mkdir(parents=True, exist_ok=True)
    pages = _Pages()
    for number in range(FILES):
        (folder / f"{number:03d}.jpg").write_bytes(pages.next())
    lines = (
        {"bucket": TENANT, "key": f"{row % FILES:03d}.jpg", "external_id": f"{row:06d}", "document_type": "invoice"}
        for row in range(rows)
    )
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


def _accepted(product: Product, manifest: bytes) -> str:
    """The path of the batch."""
    answer = product.api(
        "POST",
        f"/api/v1/batches/?max_concurrency={CONCURRENCY}",
        data=manifest,
        headers={"Content-Type": "application/x-ndjson"},
        timeout=300,
    )
    assert answer.status_code == 202, answer.text
    path: str = answer.json()["links"]["self"]
    return path


def _disturbed(product: Product, batch: str, rows: int) -> tuple[int, int]:
    """Kill, pause, kill, resume, kill, each after some more rows; how many kills, and how many documents came during the pause."""
    kills = 0
    for share in (0.05, 0.1):
        _until(product, batch, _settled(share * rows))
        kills += _kill(product)
    _until(product, batch, _settled(0.15 * rows))
    assert product.api("POST", f"{batch}pause/").status_code == 200
    kills += _kill(product)
    time.sleep(PAUSED_SECONDS)  # rows that were being fetched in that second are finished, and their lease ends
    before = _documents(product)
    time.sleep(PAUSED_SECONDS)
    made = _documents(product) - before
    assert product.api("POST", f"{batch}resume/").status_code == 200
    _until(product, batch, _settled(0.25 * rows))
    return kills + _kill(product), made


def _settled(rows: float) -> Callable[[dict[str, Any]], bool]:
    return lambda told: told["counts"]["done"] + told["counts"]["failed"] >= rows


def _until(product: Product, batch: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The batch once it has come so far."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        told: dict[str, Any] = product.api("GET", batch).json()
        if reached(told):
            return told
        time.sleep(LOOK_SECONDS)
    raise RuntimeError(f"the batch did not come so far: {told['counts']}")


def _kill(product: Product) -> int:
    """Every process of the cluster that feeds the batch and reads its documents."""
    for pid in group(blows.leader(product, CLUSTER)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return 1


def _documents(product: Product) -> int:
    return int(_asked(product, "SELECT count(*) FROM ocr_document")[0][0])


def _verified(product: Product, batch: str, rows: int) -> dict[str, Any]:
    """The downloaded results against the manifest, the table of documents, and what `verify` finds."""
    answer = product.api("GET", f"{batch}results/?format=jsonl", timeout=600)
    results = [json.loads(line) for line in answer.text.splitlines()]
    by_row = {result["external_id"]: result["document_id"] for result in results if result["document_id"]}
    in_table = Counter(dict(_asked(product, "SELECT external_id, count(*) FROM ocr_document GROUP BY 1")))
    ran = product.verify()
    return {
        "results": len(results),
        "results_by_status": dict(Counter(result["document_status"] for result in results)),
        "rows_with_one_document": sum(in_table[f"{row:06d}"] == 1 for row in range(rows)),
        "documents": in_table.total(),
        "different_documents_in_the_results": len(set(by_row.values())),
        "verify_broken": ran["broken"],
    }


def _asked(product: Product, query: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(product.credentials["database"]["superuser"])) as connection:
        cursor = connection.cursor()
        cursor.execute(query)
        return cursor.fetchall()


def _peak_mib(product: Product) -> float:
    """The most memory that any process of the web server ever held."""
    leader = json.loads((product.home / "run.json").read_text())["web"][0]
    kib = [
        int(line.split()[1])
        for pid in group(leader)
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM:")
    ]
    return max(kib) / 1024
