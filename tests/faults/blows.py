"""Blows to a running product's processes: who plays which role, and how long it takes until work flows again."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import closing, suppress
from pathlib import Path

import psycopg2

from tests.product import Product, group

CLUSTERS = {
    "workers-high": ["reader.high"],
    "workers-normal": ["reader.normal"],
    "workers-low": ["reader.low", "workers"],
}
ROLES = ("main", "sentinel", "worker", "monitor", "pusher")


def leader(product: Product, child: str) -> int:
    """The process that the supervisor started under this name; it leads a group of its own."""
    pid: int = json.loads((product.home / "run.json").read_text())[child][0]
    return pid


def crew(product: Product, cluster: str) -> dict[str, list[int]]:
    """The cluster's processes by role. A cluster that is just being started is waited for."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        main = leader(product, cluster)
        with suppress(IndexError):
            (sentinel,) = _children(main)
            # Forked in this order; a process that replaces another one is the youngest, so this holds for a fresh cluster.
            *workers, monitor, pusher = sorted(_children(sentinel), key=_born)
            if workers:
                return {
                    "main": [main],
                    "sentinel": [sentinel],
                    "worker": workers,
                    "monitor": [monitor],
                    "pusher": [pusher],
                }
        time.sleep(0.1)
    raise AssertionError(f"{cluster} has not all its processes")


def lock_holders(product: Product, cluster: str) -> list[int]:
    """Idle processes of the cluster that hold a queue's read lock: those blocked in read(2). The others wait for the lock."""
    return [pid for pid in group(leader(product, cluster)) if _system_call(pid) == "0"]


def idle_lock_holder(product: Product, cluster: str) -> int:
    """The idle worker that holds the lock of the cluster's queue; waited for, since a busy one is none."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        workers = crew(product, cluster)["worker"]
        if held := [pid for pid in lock_holders(product, cluster) if pid in workers]:
            return held[0]
        time.sleep(0.05)
    raise AssertionError(f"no worker of {cluster} is idle")


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def seconds_until_work_flows(product: Product, cluster: str, *, at_most: float = 60) -> float:
    """How long, from now, until each kind of task that the cluster runs has run once more."""
    begun, before = time.monotonic(), _beats(product)
    # One may have been under way while the blow fell: only the second new beat counts where the first came at once.
    while time.monotonic() - begun < at_most:
        now = _beats(product)
        if all(name in now and now[name] > before.get(name, 0.0) + 1.0 for name in CLUSTERS[cluster]):
            return time.monotonic() - begun
        time.sleep(0.2)
    raise AssertionError(f"{cluster} did no work for {at_most} s")


def orphans(product: Product) -> list[int]:
    """Living processes of the product that belong to none of the groups that its supervisor knows."""
    known = json.loads((product.home / "run.json").read_text())
    members = {pid for noted, *_ in known.values() for pid in group(noted)}
    supervisor = product.process.pid if product.process else 0
    return [pid for pid in product.processes() if pid not in members | {supervisor} and not _is_database(pid)]


def _beats(product: Product) -> dict[str, float]:
    """Seconds since the epoch of each kind's last beat; empty while the database is away."""
    try:
        connection = psycopg2.connect(product.credentials["database"]["app"], connect_timeout=3)
    except psycopg2.OperationalError:
        return {}
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT split_part(name, '@', 1), extract(epoch FROM at) FROM ocr_beat")
        return {str(name): float(at) for name, at in cursor.fetchall()}


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _born(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])


def _system_call(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/syscall").read_text().split()[0]
    except (OSError, IndexError):
        return ""


def _is_database(pid: int) -> bool:
    try:
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
