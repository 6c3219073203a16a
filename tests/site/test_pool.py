"""The connections that threads share: used again, bounded, never handed on in the middle of anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.db import connection, connections
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from dtat_site.pooled import base, pool
from dtat_site.pooled.pool import Pool
from tests.conftest import as_superuser


def make() -> Any:
    return psycopg2.connect(os.environ["DATABASE_URL"], application_name="pool test")


@pytest.fixture
def shared() -> Iterator[Pool]:
    made = Pool(most=2, seconds=600)
    yield made
    made.close()


def ask(connected: Any, statement: str = "SELECT pg_backend_pid()") -> Any:
    with connected.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def test_one_that_was_given_back_is_used_again(shared: Pool) -> None:
    first = shared.take(make)
    shared.give(first)
    assert shared.take(make) is first
    assert shared.counts() == (1, 0)


def test_what_was_begun_is_rolled_back(shared: Pool) -> None:
    first = shared.take(make)
    ask(first, "SELECT set_config('dtat.tenants', '{1}', true)")
    shared.give(first)
    again = shared.take(make)
    assert again is first
    assert again.info.transaction_status == TRANSACTION_STATUS_IDLE
    assert not ask(again, "SELECT current_setting('dtat.tenants', true)")


def test_one_in_a_failed_transaction_is_used_again(shared: Pool) -> None:
    first = shared.take(make)
    with pytest.raises(psycopg2.Error):
        ask(first, "SELECT nothing")
    shared.give(first)
    assert ask(shared.take(make)) == first.info.backend_pid


def test_one_that_the_server_ended_is_replaced(shared: Pool) -> None:
    first = shared.take(make)
    shared.give(first)
    with as_superuser() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first.info.backend_pid])
    second = shared.take(make)
    assert second is not first and ask(second)
    assert first.closed


def test_one_that_broke_in_use_is_not_kept(shared: Pool) -> None:
    first = shared.take(make)
    with as_superuser() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first.info.backend_pid])
    with pytest.raises(psycopg2.Error):
        ask(first)
    shared.give(first)
    assert shared.counts() == (0, 0)


def test_never_more_than_allowed(shared: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "PATIENCE_SECONDS", 0.01)
    first, second = shared.take(make), shared.take(make)
    with pytest.raises(psycopg2.OperationalError, match="in use"):
        shared.take(make)
    shared.give(first)
    assert shared.take(make) is first
    assert second.closed == 0


def test_who_waits_gets_the_next_one(shared: Pool) -> None:
    first, _second = shared.take(make), shared.take(make)
    got: list[Any] = []
    thread = Thread(target=lambda: got.append(shared.take(make)))
    thread.start()
    shared.give(first)
    thread.join(20)
    assert got == [first]


def test_first_come_first_served(shared: Pool) -> None:
    first, _second = shared.take(make), shared.take(make)
    got: list[int] = []

    def come(place: int) -> Thread:
        def act() -> None:
            taken = shared.take(make)
            got.append(place)
            shared.give(taken)

        thread = _thread(act)
        while len(shared._line) <= place and thread.is_alive():
            Event().wait(0.001)
        return thread

    threads = [come(place) for place in range(4)]
    shared.give(first)
    for thread in threads:
        thread.join(20)
    assert got == [0, 1, 2, 3]


def test_one_that_could_not_be_made_takes_no_place(shared: Pool) -> None:
    def fail() -> Any:
        raise psycopg2.OperationalError("away")

    for _ in range(3):
        with pytest.raises(psycopg2.OperationalError, match="away"):
            shared.take(fail)
    assert shared.counts() == (0, 0)


def test_a_thread_that_ends_without_giving_back_holds_nothing(shared: Pool) -> None:
    def forget() -> None:
        shared.take(make)

    for _ in range(3):
        thread = Thread(target=forget)
        thread.start()
        thread.join(20)
    assert shared.counts() == (0, 0)


def test_old_and_idle_ones_end(shared: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    idle, used = shared.take(make), shared.take(make)
    shared.give(idle)
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.0)
    shared.give(used)
    assert shared.counts()[1] == 0 and idle.closed
    shared.seconds = 0
    old = shared.take(make)
    shared.give(old)
    assert old.closed and shared.counts() == (0, 0)


def test_what_only_a_burst_needed_ends_sooner_than_the_few_that_are_always_needed(
    shared: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.most = 4
    burst = [shared.take(make) for _ in range(4)]
    monkeypatch.setattr(pool, "SPARE_SECONDS", 0.0)
    for each in burst:
        shared.give(each)
    assert shared.counts() == (0, pool.FEW)
    assert [each.closed for each in burst] == [1, 1, 0, 0], "the last ones used are kept"


def test_a_fork_begins_with_none(shared: Pool) -> None:
    kept = shared.take(make)
    shared.give(shared.take(make))
    child = os.fork()
    if child == 0:
        shared.give(kept)  # the parent's
        own = shared.counts() == (0, 0) and ask(shared.take(make)) != kept.info.backend_pid
        os._exit(0 if own else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert ask(kept) == kept.info.backend_pid
    assert ask(shared.take(make))


# --- Django over it -----------------------------------------------------------------------------------------------


@pytest.fixture
def through_django(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[Pool]:
    made = Pool(most=3, seconds=600)
    monkeypatch.setitem(base._pools, str(settings.DATABASES["default"]["NAME"]), made)
    connection.close()
    yield made
    connection.close()
    made.close()


def test_closing_gives_back_and_connecting_takes(through_django: Pool) -> None:
    first = ask(connection)
    connection.close()
    assert through_django.counts() == (0, 1)
    assert ask(connection) == first
    assert connection.connection.autocommit


def test_threads_share(through_django: Pool) -> None:
    pids = []
    for _ in range(5):
        thread = _thread(lambda: pids.append(ask(connection)))
        thread.join(20)
    assert len(pids) == 5 and len(set(pids)) == 1


def test_many_threads_stay_within_the_bound(through_django: Pool) -> None:
    done, seen = [], []

    def work() -> None:
        ask(connection, "SELECT pg_sleep(0.005)")
        with through_django._lock:
            seen.append(len(through_django._taken) + len(through_django._free))
        done.append(1)

    threads = [_thread(work) for _ in range(30)]
    for thread in threads:
        thread.join(30)
    assert len(done) == 30
    assert max(seen) <= 3


def test_the_role_of_a_connection_is_looked_at_once(through_django: Pool) -> None:
    ask(connection)
    connection.close()
    with pytest.MonkeyPatch.context() as patch:
        asked = Event()
        patch.setattr("django.db.backends.utils.CursorWrapper.execute", lambda *arguments: asked.set())
        connection.ensure_connection()
        assert not asked.is_set()
    assert through_django.counts() == (1, 0)


def _thread(act: Callable[[], object]) -> Thread:
    def run() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    return thread
