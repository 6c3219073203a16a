"""Which process of a running product plays which role, also after some were replaced, and what shows that it is there again."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import blows
from tests.product import Product

READER = "reader"
WAIT_SECONDS = 40.0  # for a process that plays the role: it may be just about to be started
LOCK_HOLDER, MASTER, SERVER, LEADER, DATABASE = (
    "idle lock holder",
    "gunicorn master",
    "gunicorn worker",
    "leader",
    "database",
)


@dataclass(frozen=True, slots=True)
class Target:
    """A role to strike, in a part of the product: a cluster, `web`, `pulse`, `workers` (who starts the others) or `database`."""

    part: str
    role: str

    def __str__(self) -> str:
        return self.role if self.role in {MASTER, SERVER, DATABASE} else f"{self.part}: {self.role}"


CLUSTER_ROLES = tuple(Target(cluster, role) for cluster in blows.CLUSTERS for role in blows.ROLES)
OTHERS = (
    Target("workers-low", LOCK_HOLDER),
    Target("pulse", LEADER),
    Target("workers", LEADER),
    Target("web", MASTER),
    Target("web", SERVER),
    Target("database", DATABASE),
)
ALL = CLUSTER_ROLES + OTHERS


@dataclass
class Cast:
    """Finds the processes. It remembers who was who in each cluster, so that one that replaces another is known by its place."""

    product: Product
    chance: random.Random
    _known: dict[int, dict[int, str]] = field(default_factory=dict)  # by sentinel: its children and their roles

    def strike(self, target: Target) -> int:
        """Kill one process that plays the role (stop the database at once, without a clean end); its pid."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            if found := self._playing(target):
                pid = self.chance.choice(found)
                with suppress(ProcessLookupError):
                    os.kill(
                        pid, signal.SIGQUIT if target.role == DATABASE else signal.SIGKILL
                    )  # QUIT: `stop -m immediate`
                    return pid
            time.sleep(0.05)
        raise AssertionError(f"nobody plays {target}")

    def leader(self, part: str) -> int:
        """The process that leads the part; 0 while there is none."""
        if part == "database":
            return self._postmaster()
        if part == "web":
            with suppress(OSError, KeyError, ValueError):
                return int(json.loads((self.product.home / "run.json").read_text())["web"][0])
            return 0
        return blows.leader(self.product, part)

    def _playing(self, target: Target) -> list[int]:
        leader = self.leader(target.part)
        if not leader:
            return []
        finders: dict[str, Callable[[], list[int]]] = {
            SERVER: lambda: blows.children(leader),
            "sentinel": lambda: blows.children(leader)[:1],
            READER: lambda: self._reading(target.part),
            LOCK_HOLDER: lambda: self._holding(target.part, leader),
        }
        if target.role in {"worker", "monitor", "pusher"}:
            return self._crew(leader, target.role)
        return finders.get(target.role, lambda: [leader])()

    def _crew(self, leader: int, role: str) -> list[int]:
        for sentinel in blows.children(leader)[:1]:
            children = sorted(blows.children(sentinel), key=_born)
            known = self._known.get(sentinel)
            if known is None:
                if len(children) < 3:
                    return []  # still being started
                # Forked in this order: the workers, the monitor, the pusher.
                known = dict(zip(children, ["worker"] * (len(children) - 2) + ["monitor", "pusher"], strict=True))
            else:
                gone = [known[pid] for pid in known if pid not in children]
                new = [pid for pid in children if pid not in known]
                known = {pid: known[pid] for pid in children if pid in known} | dict(zip(new, gone, strict=False))
            self._known[sentinel] = known
            return [pid for pid, playing in known.items() if playing == role]
        return []

    def _holding(self, cluster: str, leader: int) -> list[int]:
        workers = self._crew(leader, "worker")
        return [pid for pid in blows.lock_holders(self.product, cluster) if pid in workers]

    def _reading(self, cluster: str) -> list[int]:
        """The worker that holds the file lock of the lane's reader."""
        path = self.product.home / f"reader-{cluster.removeprefix('workers-')}.lock"
        inode = str(path.stat().st_ino) if path.exists() else "none"
        held = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        return [int(words[4]) for words in held if words[1] == "FLOCK" and words[5].split(":")[-1] == inode]

    def _postmaster(self) -> int:
        try:
            return int((self.product.home / "postgres" / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return 0


def _born(pid: int) -> int:
    try:
        return blows.born(pid)
    except OSError:
        return 0


@dataclass
class Recovery:
    """Watches one strike until the struck part works again: it has shown a sign of life of its own, newer than the strike."""

    product: Product
    cast: Cast
    target: Target
    led_by: int  # before the strike
    struck_at: float = field(default_factory=time.time)
    since: float = 0.0  # from when on a sign counts: what the dead leave behind may still beat
    done_after: float | None = None
    last: str = ""  # what came back last

    def look(self, beats: dict[str, float]) -> bool:
        """Whether it works again; `beats` are the signs of life by kind, in seconds since the epoch."""
        if self.done_after is None and self._works(beats):
            self.done_after = time.time() - self.struck_at
        return self.done_after is not None

    def _works(self, beats: dict[str, float]) -> bool:
        part = self.target.part
        if self.target.role in {"main", "sentinel", LEADER, MASTER} and self.cast.leader(part) in {0, self.led_by}:
            return False
        self.since = self.since or max(time.time() if self._is_replaced() else self.struck_at, self.struck_at)
        if part == "web":
            return blows.answers(f"{self.product.url}/readyz")
        silent = [name for name in self._kinds() if beats.get(name, 0.0) <= self.since + 0.1]
        self.last = silent[0] if silent else self.last
        return not silent

    def _kinds(self) -> list[str]:
        kinds = {"pulse": ["pulse"], **blows.CLUSTERS}
        return kinds.get(self.target.part) or [each for cluster in blows.CLUSTERS.values() for each in cluster]

    def _is_replaced(self) -> bool:
        return self.target.role in {"main", "sentinel", LEADER, MASTER}
