"""Process groups by the pid of their leader, told apart from later processes that got the same pid."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_BOOT = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


@dataclass(frozen=True, slots=True)
class Group:
    """A process that leads a group of its own, and when it was born, in clock ticks since the machine started."""

    leader: int
    birth: int

    @property
    def born_at(self) -> float:
        """Seconds since the machine started, as `now` counts them."""
        return self.birth / TICKS_PER_SECOND

    def members(self) -> list[int]:
        """Its living processes; those that a dead leader left behind belong to it, too."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            pid = int(path.parent.name)
            facts = _facts(pid)
            if facts is not None and facts[0] == self.leader and not facts[1]:
                found.append(pid)
        # Without its leader nobody can have taken the group's number. With one, it has to be the one that was noted.
        return [] if self.leader in found and birth(self.leader) != self.birth else found

    def end(self) -> int:
        """SIGKILL to all of them; how many were there."""
        members = self.members()
        for pid in members:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(members)


def now() -> float:
    """Seconds since the machine started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def noted(path: Path) -> dict[str, Group]:
    """The groups that somebody noted since this machine started; none where there is no such file."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: Group(pid, birth) for name, (pid, birth, boot) in told.items() if boot == _BOOT}


def note(groups: dict[str, Group], path: Path) -> None:
    """Write them down, whole or not at all: name -> pid of the leader, its birth, and which start of the machine counts it."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps({name: [each.leader, each.birth, _BOOT] for name, each in groups.items()}), "utf-8")
    beside.replace(path)


def end_noted(path: Path) -> int:
    """End the groups of an earlier start that was killed, and forget them; how many were still there."""
    ended = sum(1 for group in noted(path).values() if group.end())
    path.unlink(missing_ok=True)
    return ended


def birth(pid: int) -> int:
    """When the process was born; 0 when there is none."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    except OSError:
        return 0


def _facts(pid: int) -> tuple[int, bool] | None:
    """The group of a process, and whether it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return int(fields[2]), fields[0] == "Z"
