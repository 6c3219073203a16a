"""Any process may die, the one that holds a queue's lock included; work flows again by itself, and nobody is left behind.

One product, one blow after the other. The long form of this is `make soak`.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import blows
from tests.product import Product, group

pytestmark = pytest.mark.faults
FLOWS_SECONDS = 30


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    # Not below pytest's own folder: the database's user has to pass through, and another run would close it meanwhile.
    with tempfile.TemporaryDirectory(prefix="dtat-faults-") as folder:
        Path(folder).chmod(0o711)
        product = Product(Path(folder) / "home")
        product.start()
        yield product
        product.stop()
        assert product.processes() == []


def test_clusters_that_stand_still_with_all_their_processes(product: Product) -> None:
    """Low: its idle worker is killed while it holds the lock of the queue; the stock cluster never runs a task again after that.
    (Only low has idle workers: elsewhere the one worker reads.) Normal: nobody is killed, nobody gets on."""
    blows.kill(blows.idle_lock_holder(product, "workers-low"))
    for pid in group(blows.leader(product, "workers-normal")):
        os.kill(pid, signal.SIGSTOP)
    blows.seconds_until_work_flows(product, "workers-low", "workers-normal", at_most=FLOWS_SECONDS)
    assert blows.orphans(product) == []


@pytest.mark.parametrize("role", blows.ROLES)
def test_each_role_of_a_cluster(product: Product, role: str) -> None:
    cluster = sorted(blows.CLUSTERS)[blows.ROLES.index(role) % len(blows.CLUSTERS)]
    blows.kill(blows.crew(product, cluster)[role][0])
    blows.seconds_until_work_flows(product, cluster, at_most=FLOWS_SECONDS)
    assert blows.orphans(product) == []


def test_a_monitor_that_held_the_lock_of_its_queue_has_a_successor_that_acknowledges(product: Product) -> None:
    """A monitor is nearly always idle, so it holds the lock; without it every bell would be heard again and again."""
    monitor = blows.idle_lock_holder(product, "workers-low", role="monitor")
    lost, rung = blows.waiting_bells(product)  # earlier blows left some that are rung again after a while
    blows.kill(monitor)
    deadline = time.monotonic() + FLOWS_SECONDS
    while time.monotonic() < deadline:
        waiting, now_rung = blows.waiting_bells(product)
        if now_rung > rung + 2 and not waiting - lost:  # the pulse rings twice every five seconds
            return
        time.sleep(0.05)
    raise AssertionError(f"never acknowledged: {waiting - lost}")


def _leader_of_web(product: Product) -> int | None:
    """The process that leads the web server; None while it is being started."""
    told = json.loads((product.home / "run.json").read_text())
    return int(told["web"][0]) if "web" in told else None


def _serves_again(product: Product, killed: int) -> None:
    """The web server is led by another process than the one that was killed, and answers."""
    deadline = time.monotonic() + FLOWS_SECONDS
    while time.monotonic() < deadline and (
        _leader_of_web(product) in {None, killed} or not blows.answers(f"{product.url}/readyz")
    ):
        time.sleep(0.2)
    assert _leader_of_web(product) not in {None, killed}
    assert blows.answers(f"{product.url}/readyz")


def test_the_one_that_starts_all_parts(product: Product) -> None:
    web = product.leader_of("web")
    blows.kill(json.loads((product.home / "workers.json").read_text())["workers"][0])
    blows.seconds_until_work_flows(product, *blows.CLUSTERS, at_most=FLOWS_SECONDS)
    _serves_again(product, web)  # it is one of them
    assert blows.orphans(product) == []


def test_the_database(product: Product) -> None:
    database = int((product.home / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(database, signal.SIGQUIT)  # what `pg_ctl stop -m immediate` sends
    blows.seconds_until_work_flows(product, *blows.CLUSTERS, at_most=FLOWS_SECONDS)
    assert product.api("GET", "/api/v1/documents/").status_code == 200
    said = Path(product.output).read_text()
    assert "PostgreSQL ended and is started again." in said


def test_the_web_server(product: Product) -> None:
    killed = product.leader_of("web")
    blows.kill(killed)
    _serves_again(product, killed)
    assert blows.orphans(product) == []
