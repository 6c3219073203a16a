"""Asks for progress, not existence: which parts of this host did no work for too long, judged by their beats in the database.

django-q2 can stop for good while all its processes are there: when the idle worker that holds the queue's lock is killed, the
next one waits for that lock for ever. So each cluster rings for itself every five seconds, the task that answers writes a beat,
and a cluster without one for SILENCE_SECONDS is ended as a whole; deploy/parts.py starts it again.

`python -m deploy.watchdog` runs beside deploy/parts.py as the same user (deploy/systemd); the one-machine start judges alike.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from deploy import groups
from deploy.groups import Group

SILENCE_SECONDS = 20.0  # without a beat for so long, a part is replaced
GRACE_SECONDS = 25.0  # a fresh part, and every part after the database was away, gets so long for its first beat
GRACE_MOST = (
    200.0  # and each time twice as long as the last, up to this: a machine that starts slowly must not start for ever
)
LOOK_SECONDS = 0.5
AGAIN_SECONDS = 10.0  # what was ended is there again by then; if not, whoever should start it is stuck, too
LANES = ("high", "normal", "low")
# What each part has to show.
BEATS = {**{f"workers-{lane}": [f"reader.{lane}"] for lane in LANES}, "pulse": ["pulse"]}
BEATS["workers-low"].append("workers")
BEATS["completions"] = ["completions"]  # runs only where Textract tells of jobs that have ended
NOTED_IN = "workers.json"  # written by deploy/parts.py
STARTER = "workers"  # under which it notes itself there
WEB = "web"  # the web server, where deploy/parts.py starts it, too


def host_name() -> str:
    """What this machine's beats are filed under; dtat_site.settings says the same."""
    return os.environ.get("DTAT_HOST_NAME", "").strip() or socket.gethostname()


# A connection that says nothing for some seconds is none: whoever watches must not wait. Seconds, the last two in milliseconds.
_IMPATIENT: dict[str, Any] = {
    "connect_timeout": 3,
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5000,
    "options": "-c statement_timeout=3000",
}


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
            self._connection = psycopg2.connect(self._url, **_IMPATIENT)
            self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT name, at FROM ocr_beat WHERE name LIKE '%%@' || %s", [self._host])
            return {str(name).partition("@")[0]: at for name, at in cursor.fetchall()}


@dataclass
class Progress:
    """Remembers, by this process's own clock, when each beat last changed. Clocks of other machines do not matter."""

    seen: dict[str, object] = field(default_factory=dict)
    changed: dict[str, float] = field(default_factory=dict)
    looked: bool = False  # True at once where nobody else's beats can stand in the database
    grace: dict[str, float] = field(default_factory=dict)
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

    def silence(self, names: Sequence[str], *, started_at: float, now: float) -> float | None:
        """Seconds for which one of `names` has been silent for too long; None while all is well or cannot be known."""
        if self.answers_since is None:
            return None
        known_from = max(started_at, self.answers_since)
        quiet = [self._too_quiet(name, known_from, now) for name in names]
        return max(quiet, default=0.0) or None

    def _too_quiet(self, name: str, known_from: float, now: float) -> float:
        last = self.changed.get(name, 0.0)
        if last > known_from:
            self.grace.pop(name, None)
            return now - last if now - last > SILENCE_SECONDS else 0.0
        return now - known_from if now - known_from > self.grace.get(name, GRACE_SECONDS) else 0.0

    def replaced(self, names: Sequence[str]) -> None:
        """A part was started again over its silence: next time it gets longer, unless it beats."""
        for name in names:
            self.grace[name] = min(2 * self.grace.get(name, GRACE_SECONDS / 2), GRACE_MOST)


@dataclass
class Host:
    """The parts of one host, and the judgement over them."""

    home: Path
    beats: Beats
    say: Callable[[str], None]
    progress: Progress = field(default_factory=Progress)
    _ended: dict[str, float] = field(default_factory=dict)

    def look(self) -> bool:
        """End the parts that are stuck; whether the database answered."""
        found = self.beats.read()
        self.progress.look(found, groups.now())
        known = groups.noted(self.home / NOTED_IN)
        for part, names in BEATS.items():
            if part in known:
                self._judge(part, names, known)
        return found is not None

    def _judge(self, part: str, names: Sequence[str], known: Mapping[str, Group]) -> None:
        now = groups.now()
        silence = self.progress.silence(names, started_at=known[part].born_at, now=now)
        if silence is None or now < self._ended.get(part, -AGAIN_SECONDS) + AGAIN_SECONDS:
            return
        self._ended[part] = now
        self.progress.replaced(names)
        if known[part].end():
            self.say(f"{part} did no work for {silence:.0f} s and is replaced.")
        elif STARTER in known and known[STARTER].end():
            self.say(f"{part} is gone and nobody starts it again: all workers are replaced.")


def main() -> int:
    """Watch until SIGTERM."""
    url, home = (os.environ.get(name, "").strip() for name in ("DATABASE_URL", "DTAT_HOME"))
    if not url or not home:
        _say("Set DATABASE_URL and DTAT_HOME: the watchdog reads the beats there and finds the processes there.")
        return 1
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: asked_to_stop.append(number))
    host = Host(Path(home), Beats(url, host_name()), _say)
    while not asked_to_stop:
        host.look()
        time.sleep(LOOK_SECONDS)
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
