"""The parts of one host behind the web server as forks of one process: `python -m deploy.parts` runs the clusters and the pulse.

The code stands in memory once instead of four times, and a part that ended is there again in a second. Each part leads a process
group of its own, noted in DTAT_HOME/workers.json, where the watchdog finds the group of a part that makes no progress.
Name some of the parts to run only those.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

import django
from django.conf import settings
from django.core.management import BaseCommand, call_command

from deploy import groups
from deploy.watchdog import LANES, NOTED_IN, STARTER

COMMANDS = {
    **{f"workers-{lane}": ["workers", lane] for lane in LANES},
    "pulse": ["pulse"],
    "completions": ["completions"],
}
LOADED_BEFORE = ["ocr.management.commands.workers", "ocr.management.commands.pulse", "ocr.tasks", "boto3.session"]
CHECKS = ["security", "dtat"]  # not those that load every page
PAUSE_SECONDS = 1.0  # before a part is started again that ended within SHORT_SECONDS: it would do so again at once
SHORT_SECONDS = 5.0
PR_SET_PDEATHSIG = 1
_STOPPING = {signal.SIGTERM, signal.SIGINT}


class Parts:
    """Forks the parts, forks each again that ends, and on SIGTERM waits until all have finished what they held."""

    def __init__(self, names: list[str], home: Path) -> None:
        self.names = names
        self.noted_in = home / NOTED_IN
        self.leaders: dict[str, groups.Group] = {}
        self.stopping = False

    def run(self) -> None:
        groups.end_noted(self.noted_in)  # of a starter that was killed: told to end, but maybe stuck
        for number in _STOPPING:
            signal.signal(number, self._stop)
        gc.collect()
        gc.freeze()  # what is there now never becomes garbage; looking at it again would only unshare it
        for name in self.names:
            self._start(name)
        while self.leaders:
            pid, _status = os.wait()
            self._ended(pid)
        self.noted_in.unlink(missing_ok=True)

    def _ended(self, pid: int) -> None:
        name = next((name for name, group in self.leaders.items() if group.leader == pid), None)
        if name is None:
            return
        group = self.leaders.pop(name)
        group.end()  # what a killed leader left behind still holds locks and takes bells
        if not self.stopping:
            sys.stderr.write(f"{name} ended and is started again.\n")
            sys.stderr.flush()
            time.sleep(PAUSE_SECONDS if groups.now() - group.born_at < SHORT_SECONDS else 0)
            self._start(name)

    def _start(self, name: str) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        if not self.stopping:
            pid = os.fork()
            if pid == 0:
                _lead(COMMANDS[name])
            self.leaders[name] = groups.Group(pid, groups.birth(pid))
            me = groups.Group(os.getpid(), groups.birth(os.getpid()))
            groups.note(self.leaders | {STARTER: me}, self.noted_in)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True
        for group in self.leaders.values():
            with suppress(ProcessLookupError):
                os.kill(group.leader, signal.SIGTERM)


def _lead(command: list[str]) -> None:
    """In a fresh fork: lead a group that ends with its starter, run the command, and never come back."""
    code = 1
    try:
        os.setpgid(0, 0)
        for number in _STOPPING:
            signal.signal(number, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        call_command(*command)
        code = 0
    except Exception:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def _all() -> list[str]:
    """Every part that this configuration needs."""
    return [name for name in COMMANDS if name != "completions" or settings.TEXTRACT_NOTICES]


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in COMMANDS]
    if unknown:
        sys.stderr.write(f"There is no part {', '.join(unknown)}. Choose from {', '.join(COMMANDS)}.\n")
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dtat_site.settings")
    django.setup()
    BaseCommand().check(tags=CHECKS)
    for module in LOADED_BEFORE:
        importlib.import_module(module)
    Parts(names or _all(), settings.DTAT_HOME).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
