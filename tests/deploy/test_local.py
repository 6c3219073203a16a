"""The one-machine start: ports that stay free until their part listens there, and parts that say why they ended."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

from deploy import watchdog
from deploy.local import ports
from deploy.local.processes import Child
from deploy.local.watching import Watch


def kernels() -> range:
    low, high = (int(word) for word in Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    return range(low, high + 1)


def test_a_port_is_none_that_the_kernel_gives_to_whoever_connects() -> None:
    found = {ports.free() for _ in range(50)}
    assert not found & set(kernels())
    assert len(found) > 40, "two that start at once must not want the same"


def test_the_port_of_last_time_is_kept_until_somebody_else_has_it() -> None:
    wanted = ports.free()
    assert ports.free(wanted) == wanted
    with socket.socket() as other:
        other.bind((ports.HOST, wanted))
        other.listen()
        assert ports.free(wanted) != wanted


def test_a_part_that_ends_says_why(tmp_path: Path) -> None:
    said: list[str] = []
    program = "print('Loading'); raise SystemExit('Port 8000 is taken.\\n')"
    child = Child(
        "web",
        [sys.executable, "-u", "-c", program],
        env=os.environ,
        cwd=tmp_path,
        log=tmp_path / "web.log",
        stop_seconds=1,
    )
    host = watchdog.Host(tmp_path, watchdog.Beats("postgresql://nobody", "here"), said.append)
    watch = Watch([child], host, None, {}, said.append, lambda: None)
    child.start()
    try:
        while not child.has_ended():
            time.sleep(0.05)
        watch.restart_ended()
    finally:
        child.kill_group()
    assert said == [f"web ended and is started again (log: {tmp_path / 'web.log'}): Port 8000 is taken."]
