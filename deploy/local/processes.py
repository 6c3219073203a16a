"""Child processes of the one-machine start: each in a group of its own, restarted when it ends, gone when we are."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from deploy import groups

PR_SET_PDEATHSIG = 1
RESTART_PAUSE_SECONDS = 1.0
LAST_WORDS_BYTES = 400
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def last_words(path: Path) -> str:
    """The last line of a log."""
    with suppress(OSError), path.open("rb") as log:
        log.seek(max(log.seek(0, os.SEEK_END) - LAST_WORDS_BYTES, 0))
        lines = log.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
    return ""


class Child:
    """One supervised process and its group."""

    def __init__(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path, stop_seconds: float
    ) -> None:
        self.name = name
        self.command = list(command)
        self.env = dict(env)
        self.cwd = cwd
        self.log = log
        self.stop_seconds = stop_seconds
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self.started_at = groups.now()

    @property
    def group(self) -> groups.Group:
        pid = self.process.pid if self.process else 0
        return groups.Group(pid, groups.birth(pid))

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def replace(self) -> None:
        """End the whole group at once and start anew: a queue whose lock died with its holder never comes back by itself."""
        self.kill_group()
        time.sleep(RESTART_PAUSE_SECONDS)
        self.start()

    def ask_to_stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def wait_until_gone(self) -> None:
        """Wait for the polite end, then take the group down; orphans of a dead leader belong to it too."""
        if self.process:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(self.stop_seconds)
        self.kill_group()

    def kill_group(self) -> None:
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
