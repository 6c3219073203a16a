"""Asks for progress, not existence: which parts of this host did no work for too long, judged by their beats in the database.

django-q2 can stop for good while all its processes are there: when the idle worker that holds the queue's lock is killed, the
next one waits for that lock for ever. So each cluster rings for itself every five seconds, the task that answers writes a beat,
and a cluster without one for SILENCE_SECONDS is ended as a whole and started again.

The one-machine start (deploy/local) uses this judgement for its own children. Beside systemd, `python -m deploy.watchdog` does
the same for the units of deploy/systemd: it kills a silent unit's processes, and `Restart=always` brings them back.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

SILENCE_SECONDS = 20.0  # without a beat for so long, a part is replaced
GRACE_SECONDS = 30.0  # a fresh part, and every part after the database was away, gets so long for its first beat
LANES = ("high", "normal", "low")
# What each part has to show.
BEATS = {**{f"workers-{lane}": [f"reader.{lane}"] for lane in LANES}, "pulse": ["pulse"]}
BEATS["workers-low"].append("workers")
UNITS = {**{f"workers-{lane}": f"dtat-workers@{lane}.service" for lane in LANES}, "pulse": "dtat-pulse.service"}
CGROUPS = Path("/sys/fs/cgroup")


def host_name() -> str:
    """What this machine's beats are filed under; dtat_site.settings says the same."""
    return os.environ.get("DTAT_HOST_NAME", "").strip() or socket.gethostname()


class Beats:
    """The beats of one host, read over a connection that is kept: signing in every second would cost more than reading."""

    def __init__(self, database_url: str, host: str) -> None:
        self._url = database_url
        self._host = host
        self._connection: psycopg2.extensions.connection | None = None

    def read(self) -> dict[str, object] | None:
        """When each kind of process last beat, by its name; None when the database does not answer."""
        try:
            return self._read()
        except psycopg2.Error:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return None

    def _read(self) -> dict[str, object]:
        if self._connection is None:
            self._connection = psycopg2.connect(self._url, connect_timeout=3, options="-c statement_timeout=3000")
            self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT name, at FROM ocr_beat WHERE name LIKE '%%@' || %s", [self._host])
            return {str(name).partition("@")[0]: at for name, at in cursor.fetchall()}


@dataclass
class Progress:
    """Remembers, by this process's own clock, when each beat last changed. Clocks of other machines do not matter."""

    seen: dict[str, object] = field(default_factory=dict)
    changed: dict[str, float] = field(default_factory=dict)
    looked: bool = False
    answers_since: float | None = None  # since when the database has answered without a gap

    def look(self, found: Mapping[str, object] | None, now: float) -> None:
        """Take in what Beats.read gave."""
        if found is None:
            self.answers_since = None
            return
        self.answers_since = now if self.answers_since is None else self.answers_since
        for name, at in found.items():
            if self.looked and self.seen.get(name) != at:
                self.changed[name] = now
            self.seen[name] = at
        self.looked = True

    def silence(self, names: Iterable[str], *, started_at: float, now: float) -> float | None:
        """Seconds for which one of `names` has been silent for too long; None while all is well or cannot be known."""
        if self.answers_since is None:
            return None
        known_from = max(started_at, self.answers_since)
        worst = 0.0
        for name in names:
            last = self.changed.get(name, 0.0)
            fresh = last <= known_from
            quiet = now - max(last, known_from)
            if quiet > (GRACE_SECONDS if fresh else SILENCE_SECONDS):
                worst = max(worst, quiet)
        return worst or None


# --- Beside systemd -----------------------------------------------------------------------------------------------


def watch_units(database_url: str, *, running: Callable[[], bool] = lambda: True) -> None:
    """Kill the units that fall silent, for as long as `running`."""
    progress, beats = Progress(), Beats(database_url, host_name())
    while running():
        progress.look(beats.read(), time.monotonic())
        for part in UNITS:
            if progress.silence(BEATS[part], started_at=0, now=time.monotonic()) is not None:
                _judge_unit(part, progress)
        time.sleep(1)


def _judge_unit(part: str, progress: Progress) -> None:
    """Kill the part's unit if it has been silent since it was started, too; a unit that somebody stopped is left alone."""
    unit = UNITS[part]
    group, started_at = unit_facts(unit)
    silence = progress.silence(BEATS[part], started_at=started_at, now=time.monotonic())
    if silence is not None and (killed := kill_group(CGROUPS / group) if group else 0):
        _say(f"{unit} did no work for {silence:.0f} s: {killed} processes were killed, systemd starts it again.")


def unit_facts(unit: str) -> tuple[str, float]:
    """The unit's control group (empty when it does not run) and when it was started, on the monotonic clock."""
    properties = "--property=ControlGroup,ActiveEnterTimestampMonotonic"
    shown = subprocess.run(["systemctl", "show", properties, unit], capture_output=True, text=True, check=False)
    facts = dict(line.partition("=")[::2] for line in shown.stdout.splitlines())
    return facts.get("ControlGroup", "").lstrip("/"), int(facts.get("ActiveEnterTimestampMonotonic") or 0) / 1e6


def kill_group(folder: Path) -> int:
    """End every process of a control group at once; how many. It needs no rights beyond those of the processes' own user."""
    try:
        members = [int(word) for word in (folder / "cgroup.procs").read_text(encoding="ascii").split()]
    except OSError:
        return 0
    for pid in members:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(members)


def main() -> int:
    """Watch until SIGTERM."""
    url = os.environ.get("DATABASE_URL", "").strip()
    if not url:
        _say("Set DATABASE_URL: the watchdog reads the beats there.")
        return 1
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: asked_to_stop.append(number))
    watch_units(url, running=lambda: not asked_to_stop)
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
