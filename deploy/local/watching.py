"""What the start command looks at all the time: everybody is there, and everybody gets on with the work."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from deploy import groups, watchdog
from deploy.local.postgres import Postgres
from deploy.local.processes import Child

PROBE_EVERY = 5.0  # seconds between two looks at a part that answers over HTTP
DUMB_SECONDS = 60.0  # without an answer for so long it is replaced; a busy one answers late, but sooner
RETRY_SECONDS = 2.0  # between two tries to start a database that does not start, for example over a full disk


@dataclass
class Watch:
    """Judges what one start has started. `say` tells whoever sits in front of it; `changed` is called when there are new processes."""

    children: Sequence[Child]
    host: watchdog.Host
    postgres: Postgres | None
    probes: dict[str, str]  # of children that answer over HTTP: their name and the address that has to answer
    say: Callable[[str], None]
    changed: Callable[[], None]
    _answered: dict[str, float] = field(default_factory=dict)
    _next_probe: float = 0.0
    _database_at: float = field(default_factory=groups.now)
    _parts: dict[str, groups.Group] = field(default_factory=dict)

    def look(self) -> None:
        """One round: start what ended, replace what is stuck."""
        self.restart_ended()
        if self.host.look():
            self._database_at = groups.now()
        elif self.postgres:
            self._tend(self.postgres)
        self._replace_dumb()
        parts = groups.noted(self.host.home / watchdog.NOTED_IN)
        if parts != self._parts:
            self._parts = parts
            self.changed()

    def restart_ended(self) -> None:
        for child in self.children:
            if child.has_ended():
                words = child.last_words()
                self.say(
                    f"{child.name} ended and is started again (log: {child.log})" + (f": {words}" if words else ".")
                )
                self._replace(child)

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
            if child.name in self.probes and self._is_dumb(child):
                self.say(f"{child.name} has not answered for {DUMB_SECONDS:.0f} s and is replaced.")
                self._replace(child)

    def _is_dumb(self, child: Child) -> bool:
        now = groups.now()
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
