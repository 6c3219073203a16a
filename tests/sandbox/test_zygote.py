"""The zygote may die, be forgotten by a fork, idle out or lose its parent: callers never notice, nothing is left."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ocr.sandbox import Limits, PageSize, Sandbox, SandboxFailed, Unacceptable
from tests.sandbox import foreign

PATIENCE_SECONDS = 30


@contextlib.contextmanager
def watched(pid: int) -> Iterator[select.poll]:
    watch = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(watch, select.POLLIN)
    yield poll
    os.close(watch)


def ends(poll: select.poll) -> bool:
    return bool(poll.poll(PATIENCE_SECONDS * 1000))


def zygote_of(sandbox: Sandbox) -> int:
    assert sandbox.zygote_pid is not None
    return sandbox.zygote_pid


def child_of(zygote: int) -> int:
    """The child at work, once there is one."""
    listing = Path(f"/proc/{zygote}/task/{zygote}/children")
    for _ in range(PATIENCE_SECONDS * 1000):
        if children := listing.read_text().split():
            return int(children[0])
        threading.Event().wait(0.001)
    raise AssertionError("no child was started")


def test_one_zygote_serves_many_calls(own_sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.picture(tmp_path / "a.tif")
    pids = set()
    for _ in range(3):
        own_sandbox.inspect(path)
        pids.add(own_sandbox.zygote_pid)
    assert len(pids) == 1


def test_a_zygote_killed_between_calls_is_replaced_unseen(own_sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.picture(tmp_path / "a.tif")
    own_sandbox.inspect(path)
    first = zygote_of(own_sandbox)
    with watched(first) as end:
        os.kill(first, signal.SIGKILL)
        assert ends(end)
    assert own_sandbox.inspect(path).pages == (PageSize(120, 80),)
    assert zygote_of(own_sandbox) != first


def test_a_stopping_service_does_not_take_the_zygote_away_early(own_sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.picture(tmp_path / "a.tif")
    own_sandbox.inspect(path)
    first = zygote_of(own_sandbox)
    os.kill(first, signal.SIGTERM)
    own_sandbox.inspect(path)
    assert zygote_of(own_sandbox) == first


def test_a_zygote_killed_at_work_is_replaced_and_the_work_done_again(own_sandbox: Sandbox, tmp_path: Path) -> None:
    bomb = foreign.flate_bomb(tmp_path / "bomb.pdf")
    own_sandbox.inspect(bomb)
    first = zygote_of(own_sandbox)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(own_sandbox.render, bomb, page=1, content_type="application/pdf")
        child_of(first)
        os.kill(first, signal.SIGKILL)
        assert isinstance(answer.exception(), Unacceptable)
    assert zygote_of(own_sandbox) != first


def test_a_child_killed_from_outside_says_nothing_about_the_file(tmp_path: Path) -> None:
    patient = Sandbox(Limits(cpu_seconds=20, wall_seconds=60))
    bomb = foreign.flate_bomb(tmp_path / "bomb.pdf")
    patient.inspect(bomb)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(patient.render, bomb, page=1, content_type="application/pdf")
        os.kill(child_of(zygote_of(patient)), signal.SIGKILL)
        failure = answer.exception()
    patient.close()
    assert isinstance(failure, SandboxFailed)
    assert failure.code == "starved"


def test_an_idle_zygote_leaves_and_the_next_call_starts_another(tmp_path: Path) -> None:
    brief = Sandbox(Limits(idle_seconds=0.2))
    path = foreign.picture(tmp_path / "a.tif")
    brief.inspect(path)
    first = zygote_of(brief)
    with watched(first) as end:
        assert ends(end)
    assert brief.inspect(path).page_count == 1
    assert zygote_of(brief) != first
    brief.close()


def test_threads_get_each_their_own_answer(sandbox: Sandbox, tmp_path: Path) -> None:
    paths = [foreign.picture(tmp_path / f"{number}.tif", size=(20 + number, 9), mode="L") for number in range(24)]
    with ThreadPoolExecutor(8) as threads:
        widths = [found.pages[0].width for found in threads.map(sandbox.inspect, paths)]
    assert widths == [20 + number for number in range(24)]


def test_a_bomb_does_not_hold_up_the_other_threads(own_sandbox: Sandbox, tmp_path: Path) -> None:
    bomb, good = foreign.flate_bomb(tmp_path / "bomb.pdf"), foreign.picture(tmp_path / "a.tif")
    own_sandbox.inspect(good)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(own_sandbox.render, bomb, page=1, content_type="application/pdf")
        child = child_of(zygote_of(own_sandbox))
        own_sandbox.inspect(good)
        os.kill(child, 0)  # still at work
        assert isinstance(answer.exception(), Unacceptable)


def test_a_forked_process_starts_its_own_zygote(own_sandbox: Sandbox, tmp_path: Path) -> None:
    path = foreign.picture(tmp_path / "a.tif")
    own_sandbox.inspect(path)
    mine = zygote_of(own_sandbox)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            inherited = own_sandbox.zygote_pid
            width = own_sandbox.inspect(path).pages[0].width
            os.write(write, f"{inherited} {width} {own_sandbox.zygote_pid}".encode())
            own_sandbox.close()
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read) as report:
        answered = report.read().split()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert answered[:2] == ["None", "120"]
    assert int(answered[2]) != mine
    own_sandbox.inspect(path)
    assert zygote_of(own_sandbox) == mine


PARENT = """
import sys, threading
from pathlib import Path
from ocr import sandbox
path = Path(sys.argv[1])
found = sandbox.inspect(path)
print(sandbox.render.__self__.zygote_pid, flush=True)
if found.content_type == "application/pdf":
    sandbox.render(path, page=1, content_type=found.content_type)
threading.Event().wait()
"""


@pytest.fixture
def orphaned(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process of its own that uses the sandbox, and its zygote; killed for sure at the end."""
    make = foreign.flate_bomb if request.param == "at work" else foreign.picture
    path = make(tmp_path / ("a.pdf" if request.param == "at work" else "a.tif"))
    root = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(path)], stdout=subprocess.PIPE, text=True, cwd=root, env={"PYTHONPATH": "."}
    )
    assert parent.stdout is not None
    yield parent, int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()


@pytest.mark.parametrize("orphaned", ["idle"], indirect=True)
def test_no_zygote_outlives_a_killed_parent(orphaned: tuple[subprocess.Popen[str], int]) -> None:
    parent, zygote = orphaned
    with watched(zygote) as end:
        parent.kill()
        assert ends(end)


@pytest.mark.parametrize("orphaned", ["at work"], indirect=True)
def test_no_child_at_work_outlives_a_killed_parent(orphaned: tuple[subprocess.Popen[str], int]) -> None:
    parent, zygote = orphaned
    child = child_of(zygote)
    with watched(zygote) as zygote_end, watched(child) as child_end:
        parent.kill()
        assert ends(zygote_end)
        assert ends(child_end)


def test_a_sandbox_that_cannot_start_is_our_failure(
    own_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = foreign.picture(tmp_path / "a.tif")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(SandboxFailed) as failure:
        own_sandbox.inspect(path)
    assert failure.value.code == "cannot_start"
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SandboxFailed) as failure:
        own_sandbox.inspect(path)
    assert failure.value.code == "cannot_start"
