"""Blows to a running product's processes: who plays which role, and how long it takes until work flows again."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import closing, suppress
from pathlib import Path

import psycopg2
import requests

from tests.product import Product, group, is_database

CLUSTERS = {
    "workers-high": ["reader.high"],
    "workers-normal": ["reader.normal"],
    "workers-low": ["reader.low", "workers"],
}
ROLES = ("main", "sentinel", "worker", "monitor", "pusher")


def leader(product: Product, part: str) -> int:
    """The process that leads the part's group; 0 while it is being started."""
    try:
        pid: int = json.loads((product.home / "workers.json").read_text())[part][0]
    except (OSError, KeyError):
        return 0
    return pid


def crew(product: Product, cluster: str) -> dict[str, list[int]]:
    """The cluster's processes by role. A cluster that is just being started is waited for."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        main = leader(product, cluster)
        with suppress(IndexError):
            (sentinel,) = children(main)
            # Forked in this order; a process that replaces another one is the youngest, so this holds for a fresh cluster.
            *workers, monitor, pusher = sorted(children(sentinel), key=born)
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


def idle_lock_holder(product: Product, cluster: str, *, role: str = "worker") -> int:
    """The idle process of this role that holds the lock of its queue; waited for, since a busy one holds none."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        theirs = crew(product, cluster)[role]
        if held := [pid for pid in lock_holders(product, cluster) if pid in theirs]:
            return held[0]
        time.sleep(0.05)
    raise AssertionError(f"no {role} of {cluster} is idle")


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def seconds_until_work_flows(product: Product, *clusters: str, at_most: float = 60) -> float:
    """How long, from now, until each kind of task that these clusters run has run anew."""
    begun, before = time.monotonic(), beats(product)
    names = [name for cluster in clusters for name in CLUSTERS[cluster]]
    while time.monotonic() - begun < at_most:
        now = beats(product)
        # A process that was struck may have shown its last sign of life a moment later than it was asked.
        if all(name in now and now[name] > before.get(name, 0.0) + 1.0 for name in names):
            return time.monotonic() - begun
        time.sleep(0.2)
    raise AssertionError(f"{clusters} did no work for {at_most} s")


def orphans(product: Product) -> list[int]:
    """Processes of the product that belong to nobody. What is just being replaced is waited for."""
    deadline = time.monotonic() + 10
    while (found := _orphans(product)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def _orphans(product: Product) -> list[int]:
    known: dict[str, list[int]] = {}
    for name in ("run.json", "workers.json"):
        with suppress(OSError):
            known |= json.loads((product.home / name).read_text())
    members = {pid for noted, *_ in known.values() for pid in group(noted)}
    supervisor = product.process.pid if product.process else 0
    return [pid for pid in product.processes() if pid not in members | {supervisor} and not is_database(pid)]


def waiting_bells(product: Product) -> tuple[set[int], int]:
    """The numbers of all bells in the lane of the chores that wait or that nobody has acknowledged, and the last number given."""
    with (
        closing(psycopg2.connect(product.credentials["database"]["app"])) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT last_value FROM django_q_ormq_id_seq")
        (last,) = cursor.fetchone() or (0,)
        cursor.execute("SELECT id FROM django_q_ormq WHERE key = 'low' AND id <= %s", [last])
        return {int(number) for (number,) in cursor.fetchall()}, int(last)


def answers(url: str) -> bool:
    """Whether something good is said at this address."""
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


def beats(product: Product) -> dict[str, float]:
    """Seconds since the epoch of each kind's last beat; empty while the database is away."""
    try:
        connection = psycopg2.connect(product.credentials["database"]["app"], connect_timeout=3)
    except psycopg2.OperationalError:
        return {}
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT split_part(name, '@', 1), extract(epoch FROM at) FROM ocr_beat")
        return {str(name): float(at) for name, at in cursor.fetchall()}


def children(pid: int) -> list[int]:
    """The processes that this one has started and that still live."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def born(pid: int) -> int:
    """When the process was born, in ticks since the machine started. Raises OSError when there is none."""
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])


def _system_call(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/syscall").read_text().split()[0]
    except (OSError, IndexError):
        return ""
