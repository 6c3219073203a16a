"""What the start command looks at all the time: everybody is there, and everybody gets on with the work."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy import groups, watchdog
from deploy.local.postgres import Postgres
from deploy.local.processes import Child, last_words

PROBE_EVERY = 5.0  # seconds between two looks at a part that answers over HTTP
DUMB_SECONDS = 60.0  # without an answer for so long it is replaced; a busy one answers late, but sooner
RETRY_SECONDS = 2.0  # between two tries to start a database that does not start, for example over a full disk


@dataclass
class Watch:
    """Judges what one start has started. `say` tells whoever sits in front of it; `changed` is called when there are new processes."""

    children: Sequence[Child]
    logs: Path
    host: watchdog.Host
    postgres: Postgres | None
    probes: dict[str, str]  # of children and parts that answer over HTTP: their name and the address that has to answer
    say: Callable[[str], None]
    changed: Callable[[], None]
    _answered: dict[str, float] = field(default_factory=dict)
    _next_probe: float = 0.0
    _database_at: float = field(default_factory=groups.now)
    _parts: dict[str, groups.Group] = field(default_factory=dict)

    def look(self) -> None:
        """One round: start what ended, replace what is stuck."""
        self.look_at_processes()
        if self.host.look():
            self._database_at = groups.now()
        elif self.postgres:
            self._tend(self.postgres)
        self._replace_dumb()

    def look_at_processes(self) -> None:
        """Start children that ended, and tell of the web server when it is another one."""
        for child in self.children:
            if child.has_ended():
                self._tell_of_end(child.name, child.log)
                self._replace(child)
        parts = groups.noted(self.host.home / watchdog.NOTED_IN)
        if parts != self._parts:
            before, self._parts = self._parts.get(watchdog.WEB), parts
            if before and before != parts.get(watchdog.WEB):
                self._tell_of_end(watchdog.WEB, self.logs / f"{watchdog.WEB}.log")
            self.changed()

    def _tell_of_end(self, name: str, log: Path) -> None:
        words = last_words(log)
        self.say(f"{name} ended and is started again (log: {log})" + (f": {words}" if words else "."))

    def _replace(self, child: Child) -> None:
        child.replace()
        self._answered.pop(child.name, None)
        self.changed()

    def _tend(self, postgres: Postgres) -> None:
        """The embedded database does not answer: one that ended is started again, one that hangs is ended first."""
        silence = groups.now() - self._database_at
        if silence > DUMB_SECONDS and postgres.hangs():
            self.say(f"PostgreSQL has not answered for {silence:.0f} s and is ended.")
            postgres.stop(immediately=True)
        if not postgres.has_ended():
            return
        self.say("PostgreSQL ended and is started again.")
        try:
            postgres.start()
        except (RuntimeError, OSError) as error:
            self.say(f"{error} Trying again; nothing that was stored is lost.")
            time.sleep(RETRY_SECONDS)
        self._database_at = groups.now()

    def _replace_dumb(self) -> None:
        if groups.now() < self._next_probe:
            return
        self._next_probe = groups.now() + PROBE_EVERY
        for child in self.children:
            if self._is_dumb(child.name, child.started_at):
                self._replace(child)
        for name, group in self._parts.items():
            if self._is_dumb(name, group.born_at):
                group.end()  # who forked it starts it again

    def _is_dumb(self, name: str, started_at: float) -> bool:
        if name not in self.probes:
            return False
        now = groups.now()
        if answers(self.probes[name]):
            self._answered[name] = now
        dumb = now - max(self._answered.get(name, 0.0), started_at) > DUMB_SECONDS
        if dumb:
            self.say(f"{name} has not answered for {DUMB_SECONDS:.0f} s and is replaced.")
        return dumb


def answers(url: str) -> bool:
    """Whether something good is said at this address within three seconds."""
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
