"""The parts of one host as forks of one process: `python -m deploy.parts` runs the clusters and the pulse.

The code stands in memory once instead of four times, and a part that ended is there again in a second. Each part leads a process
group of its own, noted in DTAT_HOME/workers.json, where the watchdog finds the group of a part that makes no progress.
Name some of the parts to run only those. With `--web LOG` gunicorn is one of them, and writes there: that spares a second copy of
the code, where one machine does everything.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType

import django
from django.conf import settings
from django.core.management import BaseCommand, call_command
from django.utils.module_loading import import_string
from gunicorn.app.wsgiapp import WSGIApplication

from deploy import groups
from deploy.watchdog import LANES, NOTED_IN, STARTER, WEB

COMMANDS = {
    **{f"workers-{lane}": ["workers", lane] for lane in LANES},
    "pulse": ["pulse"],
    "completions": ["completions"],
}
LOADED_BEFORE = ["ocr.management.commands.workers", "ocr.management.commands.pulse", "ocr.tasks", "boto3.session"]
# Whoever makes an address loads every page.
CALLED_BEFORE = [("django.urls.reverse", "healthz"), ("ocr.aws.load", "textract")]
SERVED = "dtat_site.wsgi"
CHECKS = ["security", "dtat"]  # what has to be right before work begins; `manage.py check` looks at the rest
PAUSE_SECONDS = 1.0  # before a part is started again that ended within SHORT_SECONDS: it would do so again at once
SHORT_SECONDS = 5.0
PR_SET_PDEATHSIG = 1
_STOPPING = {signal.SIGTERM, signal.SIGINT}


class Parts:
    """Forks the parts, forks each again that ends, and on SIGTERM waits until all have finished what they held."""

    def __init__(self, acts: Mapping[str, Callable[[], object]], home: Path) -> None:
        """`acts` says of each part what its process does, until it ends."""
        self.acts = acts
        self.noted_in = home / NOTED_IN
        self.leaders: dict[str, groups.Group] = {}
        self.stopping = False

    def run(self) -> None:
        groups.end_noted(self.noted_in)  # of a starter that was killed: told to end, but maybe stuck
        for number in _STOPPING:
            signal.signal(number, self._stop)
        gc.collect()
        gc.freeze()  # what is there now never becomes garbage; looking at it again would only unshare it
        for name in self.acts:
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
                _lead(self.acts[name])
            self.leaders[name] = groups.Group(pid, groups.birth(pid))
            me = groups.Group(os.getpid(), groups.birth(os.getpid()))
            groups.note(self.leaders | {STARTER: me}, self.noted_in)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True
        for group in self.leaders.values():
            with suppress(ProcessLookupError):
                os.kill(group.leader, signal.SIGTERM)


def _lead(act: Callable[[], object]) -> None:
    """In a fresh fork: lead a group that ends with its starter, act, and never come back."""
    code: int | str | None = 1
    try:
        os.setpgid(0, 0)
        for number in _STOPPING:
            signal.signal(number, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        act()
        code = 0
    except SystemExit as ended:
        code = ended.code
    except Exception:
        sys.excepthook(*sys.exc_info())
    finally:
        if isinstance(code, str):  # as Python ends: words are an error
            sys.stderr.write(f"{code}\n")
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def serve(log: Path) -> None:
    """What `python -m gunicorn -c deploy/gunicorn.conf.py dtat_site.wsgi` does, its words in a file of their own."""
    with log.open("ab") as file:
        for number in (sys.stdout.fileno(), sys.stderr.fileno()):
            os.dup2(file.fileno(), number)
    sys.argv = ["gunicorn", "-c", str(Path(__file__).with_name("gunicorn.conf.py")), SERVED]
    WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]", prog="gunicorn").run()


def _all() -> list[str]:
    """Every part behind the web server that this configuration needs."""
    return [name for name in COMMANDS if name != "completions" or settings.TEXTRACT_NOTICES]


def _load(*, web: bool) -> None:
    """Everything that a part needs, before it is forked. Nothing is connected and no thread begins."""
    for module in [*LOADED_BEFORE, *([SERVED] if web else [])]:
        importlib.import_module(module)
    for call, *words in CALLED_BEFORE:
        import_string(call)(*words)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.parts")
    parser.add_argument("names", nargs="*", metavar="part", help=f"run only these of {', '.join(COMMANDS)}")
    parser.add_argument("--web", type=Path, metavar="LOG", help="serve the web, too, and write its log there")
    told = parser.parse_args(arguments)
    if unknown := [name for name in told.names if name not in COMMANDS]:
        sys.stderr.write(f"There is no part {', '.join(unknown)}. Choose from {', '.join(COMMANDS)}.\n")
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dtat_site.settings")
    django.setup()
    BaseCommand().check(tags=CHECKS)
    _load(web=bool(told.web))
    acts: dict[str, Callable[[], object]] = {
        name: partial(call_command, *COMMANDS[name]) for name in told.names or _all()
    }
    if told.web:
        acts[WEB] = partial(serve, told.web)
    Parts(acts, settings.DTAT_HOME).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
