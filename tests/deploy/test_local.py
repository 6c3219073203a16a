"""The one-machine start: ports that stay free until their part listens there, and parts that say why they ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy import groups, watchdog
from deploy.local import ports, watching
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
    watch = Watch([child], tmp_path, host, None, {}, said.append, lambda: None)
    child.start()
    try:
        while not child.has_ended():
            time.sleep(0.05)
        watch.look_at_processes()
    finally:
        child.kill_group()
    assert said == [f"web ended and is started again (log: {tmp_path / 'web.log'}): Port 8000 is taken."]


def test_a_web_server_that_does_not_answer_is_replaced_wherever_it_was_forked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    stuck = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    (tmp_path / "web.log").write_text("Booting.\nOut of threads.\n", encoding="utf-8")
    groups.note({"web": groups.Group(stuck.pid, groups.birth(stuck.pid))}, tmp_path / watchdog.NOTED_IN)
    host = watchdog.Host(tmp_path, watchdog.Beats("postgresql://nobody", "here"), said.append)
    watch = Watch([], tmp_path, host, None, {"web": "http://127.0.0.1:9/healthz"}, said.append, lambda: None)
    try:
        watch.look()
        assert stuck.poll() is None and said == [], "it has a while to answer"
        monkeypatch.setattr(watching, "DUMB_SECONDS", 0.0)
        monkeypatch.setattr(watching, "PROBE_EVERY", 0.0)
        watch._next_probe = 0.0
        watch.look()
        assert stuck.wait(5) == -signal.SIGKILL
        assert said == ["web has not answered for 0 s and is replaced."]
        groups.note({}, tmp_path / watchdog.NOTED_IN)
        watch.look_at_processes()
        assert said[1:] == [f"web ended and is started again (log: {tmp_path / 'web.log'}): Out of threads."]
    finally:
        stuck.kill()
        stuck.wait()


@pytest.mark.parametrize(
    ("act", "code", "words"),
    [
        ("None", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('Port 8000 is taken.')", 1, "Port 8000 is taken.\n"),
        ("1 / 0", 1, "division by zero"),
    ],
)
def test_a_part_ends_as_a_program_would(act: str, code: int, words: str) -> None:
    program = f"import sys; from deploy.parts import _lead; _lead(lambda: {act})"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == code
    assert words in ended.stderr and bool(words) == bool(ended.stderr)
