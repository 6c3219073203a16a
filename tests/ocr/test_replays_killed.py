"""The command as operators run it, with its two processes, killed with SIGKILL in the middle of applying: every document once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from ocr.models import ReplayChunk
from tenants import scope
from tests import make
from tests.conftest import ROOT
from tests.engine import Engine
from tests.ocr.test_replays import without_total

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
DOCUMENTS = 12


def _command(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, *arguments]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


RUN = """
import sys, django
django.setup()
from django.core.management import call_command
from ocr import replays
replays.CHUNK = 1
call_command("replay_documents", "--json", *sys.argv[1:])
"""


def _done() -> int:
    with scope.everything():
        return ReplayChunk.objects.exclude(state="planned").count()


def test_a_killed_command_leaves_no_process_and_applies_nothing_twice(cast: make.Cast, engine: Engine) -> None:
    made = [make.document(cast.a, "needs_review") for _ in range(DOCUMENTS)]
    without_total()
    calls = engine.count()
    killed = _command("--apply")
    deadline = time.monotonic() + 60
    while not _done():
        assert killed.poll() is None and time.monotonic() < deadline, "nothing is read"
        time.sleep(0.002)
    children = _children(killed.pid)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    while any(_lives(pid) for pid in children):
        assert time.monotonic() < deadline, "a worker outlived its command"
        time.sleep(0.01)
    assert len(children) == 2 and 0 < _done() < DOCUMENTS
    again = _command("--resume")
    told, said = again.communicate(timeout=60)
    assert again.returncode == 0, said
    summary = json.loads(told)
    assert (summary["applied"], summary["read"], summary["ended"]) == (DOCUMENTS, DOCUMENTS, True)
    assert [make.reload(each).version for each in made] == [each.version + 1 for each in made]
    assert engine.count() == calls
    assert make.broken() == []


def _children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listed:  # noqa: PTH123  not a file of ours
        return [int(each) for each in listed.read().split()]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
