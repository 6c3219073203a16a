"""Whose silence ends a part, and whose does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from deploy import groups, watchdog
from deploy.watchdog import BEATS, GRACE_MOST, GRACE_SECONDS, SILENCE_SECONDS, Beats, Host, Progress
from tests.conftest import URLS

NAMES = ["reader.low", "workers"]


class Clock:
    """Looks once a second at beats that somebody writes, as the supervisor does."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.now = 1000.0
        self.found: dict[str, object] | None = {}

    def beat(self, *names: str) -> None:
        assert self.found is not None
        self.found = self.found | dict.fromkeys(names, self.now)

    def run(self, seconds: float, *, beating: tuple[str, ...] = ()) -> None:
        for _ in range(int(seconds)):
            self.now += 1
            if beating:
                self.beat(*beating)
            self.progress.look(self.found, self.now)

    def silence(self, started_at: float = 0.0) -> float | None:
        return self.progress.silence(NAMES, started_at=started_at, now=self.now)


@pytest.fixture
def clock() -> Clock:
    return Clock(Progress(looked=True))


def test_a_part_that_beats_is_left_alone(clock: Clock) -> None:
    clock.run(100, beating=("reader.low", "workers"))
    assert clock.silence() is None


def test_a_part_that_beat_and_fell_silent(clock: Clock) -> None:
    clock.run(10, beating=("reader.low", "workers"))
    clock.run(SILENCE_SECONDS)
    assert clock.silence() is None
    clock.run(1)
    assert clock.silence() == SILENCE_SECONDS + 1


def test_one_of_two_beats_is_not_enough(clock: Clock) -> None:
    clock.run(10, beating=("reader.low", "workers"))
    clock.run(SILENCE_SECONDS + 1, beating=("reader.low",))
    assert clock.silence() is not None


def test_a_fresh_part_gets_its_time(clock: Clock) -> None:
    clock.run(50, beating=("reader.low", "workers"))
    started_at = clock.now
    clock.run(GRACE_SECONDS)
    assert clock.silence(started_at) is None
    clock.run(1)
    assert clock.silence(started_at) is not None


def test_a_part_that_never_starts_gets_more_time_each_time_and_no_more_than_that(clock: Clock) -> None:
    clock.run(1)
    given = []
    for _ in range(6):
        started_at = clock.now
        while clock.silence(started_at) is None:
            clock.run(1)
        given.append(clock.now - started_at - 1)
        clock.progress.replaced(NAMES)
    assert given == [25, 25, 50, 100, 200, 200]
    assert max(given) == GRACE_MOST
    clock.run(5, beating=("reader.low", "workers"))
    assert clock.silence(started_at) is None
    clock.progress.replaced(NAMES)
    assert clock.progress.grace["workers"] == GRACE_SECONDS


def test_nothing_is_judged_without_the_database_nor_right_after_it_was_away(clock: Clock) -> None:
    clock.run(10, beating=("reader.low", "workers"))
    before, clock.found = clock.found, None
    clock.run(300)
    assert clock.silence() is None
    clock.found = before
    clock.run(GRACE_SECONDS)
    assert clock.silence() is None
    clock.run(2)
    assert clock.silence() is not None


def test_beats_of_before_prove_nothing_to_a_watchdog_that_starts_beside_running_parts() -> None:
    clock = Clock(Progress())
    clock.beat(*NAMES)
    clock.run(GRACE_SECONDS + 2)
    assert clock.silence() is not None


# --- A host -------------------------------------------------------------------------------------------------------


class Written(Beats):
    """Beats that the test writes."""

    def __init__(self) -> None:
        self.found: dict[str, object] | None = {}

    def read(self) -> dict[str, object] | None:
        return self.found


@pytest.fixture
def sleepers() -> Iterator[Any]:
    """Process groups that do nothing, and are gone afterwards."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> groups.Group:
        started.append(subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True, stdout=-1))
        output = started[-1].stdout
        assert output is not None
        output.readline()
        return groups.Group(started[-1].pid, groups.birth(started[-1].pid))

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


# A leader with a child of its own.
SLEEPER = """
import os, signal, sys
if os.fork() == 0:
    signal.pause()
print("ready", flush=True)
signal.pause()
"""


def _gone(group: groups.Group) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not group.members():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Its clock stands beyond every grace."""
    monkeypatch.setattr(groups, "now", lambda: time.clock_gettime(time.CLOCK_BOOTTIME) + 1000)
    said: list[str] = []
    host = Host(tmp_path, Written(), said.append, Progress(looked=True, answers_since=0.0))
    host.__dict__["said"] = said
    return host


def _with(host: Host, **noted: groups.Group) -> None:
    groups.note({name.replace("_", "-"): group for name, group in noted.items()}, host.home / watchdog.NOTED_IN)


def test_the_whole_group_of_a_silent_part_is_ended_and_nobody_else(host: Host, sleepers: Any) -> None:
    silent, starter = sleepers(), sleepers()
    _with(host, workers_low=silent, workers=starter)
    assert host.look()
    assert _gone(silent)
    assert len(starter.members()) == 2
    assert "workers-low did no work for" in host.__dict__["said"][0]


def test_a_part_that_nobody_starts_again_takes_its_starter_along(
    host: Host, sleepers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, starter = sleepers(), sleepers()
    _with(host, workers_low=silent, workers=starter)
    host.look()
    assert _gone(silent)
    host.look()
    assert len(starter.members()) == 2, "it has a few seconds to start the part again"
    later = groups.now() + watchdog.AGAIN_SECONDS + GRACE_SECONDS * 4
    monkeypatch.setattr(groups, "now", lambda: later)
    host.look()
    assert _gone(starter)


def test_a_database_that_does_not_answer_ends_nobody(host: Host, sleepers: Any) -> None:
    silent = sleepers()
    _with(host, workers_low=silent)
    host.beats.found = None  # type: ignore[attr-defined]
    assert not host.look()
    assert len(silent.members()) == 2


def test_a_process_that_got_the_number_of_another_is_not_meant(host: Host, sleepers: Any) -> None:
    other = sleepers()
    _with(host, workers_low=groups.Group(other.leader, other.birth - 1))
    host.look()
    assert len(other.members()) == 2


def test_what_was_noted_before_the_machine_started_anew_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "workers.json"
    path.write_text(f'{{"pulse": [{os.getpid()}, 1, "another start of the machine"]}}')
    assert groups.noted(path) == {}
    assert groups.end_noted(path) == 0
    assert not path.exists()


def test_a_group_outlives_its_leader_and_is_ended_all_the_same(sleepers: Any) -> None:
    group = sleepers()
    os.kill(group.leader, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while group.leader in group.members() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(group.members()) == 1
    assert group.end() == 1
    assert _gone(group)


# --- What stands in the database ----------------------------------------------------------------------------------


def test_the_beats_of_one_host_are_read(django_db_setup: None) -> None:
    connection = psycopg2.connect(URLS["app"])
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            at = datetime(2026, 11, 21, tzinfo=UTC)
            for name in ("pulse@one", "reader.high@one", "pulse@two"):
                cursor.execute("INSERT INTO ocr_beat (name, at) VALUES (%s, %s)", [name, at])
        assert Beats(URLS["app"], "one").read() == {"pulse": at, "reader.high": at}
        assert Beats(URLS["app"], "three").read() == {}
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM ocr_beat")
        connection.close()


def test_a_database_that_is_not_there_says_nothing() -> None:
    assert Beats("postgresql://a:b@127.0.0.1:9/c", "one").read() is None


def test_every_part_has_something_to_show() -> None:
    from deploy.parts import COMMANDS

    assert set(BEATS) == set(COMMANDS)
    from django.conf import settings

    assert {name.removeprefix("workers-") for name in COMMANDS if name not in {"pulse", "completions"}} == set(
        settings.LANES
    )
