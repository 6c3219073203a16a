"""What the start command looks at once a second: everybody is there, and everybody gets on with the work."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from deploy import watchdog
from deploy.local.postgres import Postgres
from deploy.local.processes import Child

PROBE_EVERY = 5.0  # seconds between two looks at a part that answers over HTTP
DUMB_SECONDS = 60.0  # without an answer for so long it is replaced; a busy one answers late, but sooner
RETRY_SECONDS = 2.0  # between two tries to start a database that does not start, for example over a full disk


@dataclass
class Watch:
    """Judges the children of one start. `say` tells whoever sits in front of it; `changed` is called when a child has a new process."""

    children: Sequence[Child]
    beats: watchdog.Beats
    postgres: Postgres | None
    probes: dict[str, str]  # of parts that answer over HTTP: their name and the address that has to answer
    say: Callable[[str], None]
    changed: Callable[[], None]
    _progress: watchdog.Progress = field(default_factory=watchdog.Progress)
    _answered: dict[str, float] = field(default_factory=dict)
    _next_probe: float = 0.0
    _database_at: float = 0.0

    def look(self) -> None:
        """One round: start what ended, replace what is stuck."""
        self.restart_ended()
        if self._database_is_up():
            self._replace_silent()
        self._replace_dumb()

    def restart_ended(self) -> None:
        for child in self.children:
            if child.has_ended():
                self.say(f"{child.name} ended and is started again (log: {child.log}).")
                self._replace(child)

    def _replace(self, child: Child) -> None:
        child.replace()
        self._answered.pop(child.name, None)
        self.changed()

    def _database_is_up(self) -> bool:
        """Whether beats could be read. An embedded database that ended is started again, one that hangs is ended first."""
        found = self.beats.read()
        now = time.monotonic()
        self._progress.look(found, now)
        if found is not None or not self._database_at:
            self._database_at = now
        if self.postgres is None:
            return found is not None
        if found is None and now - self._database_at > DUMB_SECONDS and self.postgres.hangs():
            self.say(f"PostgreSQL has not answered for {now - self._database_at:.0f} s and is ended.")
            self.postgres.stop(immediately=True)
        if self.postgres.has_ended():
            self._restart(self.postgres)
        return found is not None

    def _restart(self, postgres: Postgres) -> None:
        self.say("PostgreSQL ended and is started again.")
        try:
            postgres.start()
        except (RuntimeError, OSError) as error:
            self.say(f"{error} Trying again; nothing that was stored is lost.")
            time.sleep(RETRY_SECONDS)
        self._database_at = time.monotonic()

    def _replace_silent(self) -> None:
        for child in self.children:
            names = watchdog.BEATS.get(child.name, [])
            silence = self._progress.silence(names, started_at=child.started_at, now=time.monotonic())
            if silence is not None:
                self.say(f"{child.name} did no work for {silence:.0f} s and is replaced.")
                self._replace(child)

    def _replace_dumb(self) -> None:
        if time.monotonic() < self._next_probe:
            return
        self._next_probe = time.monotonic() + PROBE_EVERY
        for child in self.children:
            if child.name in self.probes and self._is_dumb(child):
                self.say(f"{child.name} has not answered for {DUMB_SECONDS:.0f} s and is replaced.")
                self._replace(child)

    def _is_dumb(self, child: Child) -> bool:
        now = time.monotonic()
        if answers(self.probes[child.name]):
            self._answered[child.name] = now
        return now - max(self._answered.get(child.name, 0.0), child.started_at) > DUMB_SECONDS


def answers(url: str) -> bool:
    """Whether something good is said at this address within three seconds."""
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
