"""The reader: one long task that holds many calls to Textract at the same time, claims what is due, and saves in batches.

A thread for each call, one for the database. Threads wait for Textract side by side and understand their answers; everything they
bring back is settled in one transaction, whoever came meanwhile. The reader ends by itself after READER_SECONDS, or when it is told
to stop: it claims nothing more, waits for the calls that are out, saves them, and the next bell starts another one. Killed, it
leaves leases that expire. *Measured against asyncio and against a task for each document: docs/decisions/0011.*
"""

from __future__ import annotations

import logging
import random
import socket
import time
from collections.abc import Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, flock
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from audit import log
from ocr import notices, pipeline, queue, quota, textract, watch
from ocr.models import Priority

LOOK_SECONDS = 0.5  # how often a reader that hears nothing looks for what has become due
GATHER_SECONDS = 0.03  # what comes back, or becomes due, within this time is handled together
# The same while less than CROWDED_SHARE of the calls are out: what is added to each document counts then.
QUICK_SECONDS = 0.002
CROWDED_SHARE = 0.8
# While a quota is the limit, documents wait longer than this anyway: fewer and larger transactions cost them nothing. Well below the
# second's worth that a bucket holds, so that no token is lost.
PATIENT_SECONDS = 0.25
# Two readers share the normal lane's documents: what each does with its interpreter and its connection keeps those of the other
# waiting less. What the helper did not take within this time, it is not going to.
HELPED_SECONDS = 0.15
LIMITED_SECONDS = 1.5  # after a bucket was empty, it is taken to be the limit for so long
BESIDE_SECONDS = 1.0  # how often a long line behind an empty bucket is looked past, for what needs no token of it
MOST_AT_ONCE = 32  # documents in one transaction: it ends soon, whatever has piled up
NO_SIGN_SECONDS = 4.0  # a running reader shows one every 3 s
AGAIN_SECONDS = 0.5  # pause while the database is away


def read(lane: str) -> bool:
    """Run the lane's reader on this machine for its time; False, at once, when one runs already."""
    with _only_one(lane) as mine:
        if mine:
            Reader(lane).run()
    return mine


_rung: dict[str, float] = {}
RING_AGAIN_SECONDS = 5.0
LONG_AT_ONCE = 1  # such documents take the chores' workers for seconds each


def ring_due() -> int:
    """Ring for a reader in each lane that shows no sign of life here, and for long documents; how many bells. For the pulse."""
    silent = [lane for lane in settings.LANES if watch.silence(f"reader.{lane}") > NO_SIGN_SECONDS]
    lanes = [lane for lane in silent if time.monotonic() - _rung.get(lane, -RING_AGAIN_SECONDS) >= RING_AGAIN_SECONDS]
    for lane in lanes:
        _rung[lane] = time.monotonic()
        queue.ring_reader(lane)
    long = pipeline.long_due(LONG_AT_ONCE)
    for tenant_id, document_id in long:
        if time.monotonic() - _rung.get(str(document_id), -RING_AGAIN_SECONDS) >= RING_AGAIN_SECONDS:
            _rung[str(document_id)] = time.monotonic()
            queue.ring_to_advance(tenant_id, document_id)
    return len(lanes) + len(long)


@contextmanager
def _only_one(lane: str) -> Iterator[bool]:
    """Whether this is the lane's only reader on this machine; the lock goes with its holder, however that ends."""
    settings.DTAT_HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (settings.DTAT_HOME / f"reader-{lane}.lock").open("w") as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def hears(lane: str, told: Set[str]) -> bool:
    """Whether something for this lane's reader became due. Work of other lanes is found by looking now and then: their readers are at
    it."""
    helps = {notices.HELPED} if lane == queue.HELPER else set()
    return not told.isdisjoint({lane, notices.ANYTHING} | helps)


@dataclass(slots=True)
class _Claims:
    """When to look for work again: after word of it, when a quota has room, and every now and then."""

    next_look: float = 0.0
    blocked: dict[str, float] = field(default_factory=dict)  # operation -> when its bucket is worth a look again
    more: bool = False  # the last look found as much as was wanted: there is probably more
    limited_until: float = 0.0
    beside_at: float = 0.0  # when to look past what waits for a token

    def open_operations(self, now: float) -> list[str]:
        return [each for each in pipeline.READ_BY_READERS if self.blocked.get(each, 0.0) <= now]

    def note(self, claimed: pipeline.Claimed, *, limit: int, now: float) -> None:
        for operation, wait in claimed.waits.items():
            self.blocked[operation] = now + wait
        if claimed.waits:
            self.limited_until = now + LIMITED_SECONDS
        self.more = claimed.found >= limit and self._looks_beside(claimed, now)
        self.next_look = now + LOOK_SECONDS

    def _looks_beside(self, claimed: pipeline.Claimed, now: float) -> bool:
        """Whether to look at once for what may stand behind the documents that were found: if those wait for a token, now and then."""
        if not claimed.waits:
            return True
        due = now >= self.beside_at
        if due:
            self.beside_at = now + BESIDE_SECONDS
        return due

    def hear(self, now: float, *, within: float = 0.0) -> None:
        """Something became due that may wait so long. While a quota is the limit, it stands in line like the others."""
        self.next_look = min(self.next_look, now + (PATIENT_SECONDS if self.limited(now) else within))

    def limited(self, now: float) -> bool:
        """Whether a quota is what documents wait for."""
        return now < self.limited_until

    def wait(self, now: float) -> float:
        """Seconds until the next look."""
        opens = [at for at in self.blocked.values() if at > now]
        return max(0.0, min([self.next_look, *opens]) - now)

    def is_time(self, now: float) -> bool:
        opened = [operation for operation, at in self.blocked.items() if at <= now]
        for operation in opened:
            del self.blocked[operation]
        return bool(opened) or self.more or now >= self.next_look


class Reader:
    """One run of a lane's reader. Everything but the calls happens in the thread that calls `run`."""

    def __init__(self, lane: str) -> None:
        self.lane = lane
        self.slots = settings.READER_CALLS
        self._done: SimpleQueue[pipeline.Work] = SimpleQueue()
        # Works that are being asked for, and since when their lease holds.
        self._out: dict[int, tuple[pipeline.Work, float]] = {}
        self._unsaved: list[pipeline.Work] = []
        self._claims = _Claims()
        self._ready = False
        self._listener = notices.Listener()
        # A pair of sockets, not a pipe: a call that ends after its reader must not write to a descriptor that is another one by then.
        self._woken, self._wake = socket.socketpair()
        self._woken.settimeout(0)
        self._wake.settimeout(0)
        self._ends_at = time.monotonic() + settings.READER_SECONDS * random.uniform(0.85, 1.0)

    def run(self) -> None:
        """Read until the time is over or somebody says stop, and until nothing is out any more."""
        quota.ensure()
        self._listener.listen(notices.DUE)
        pool = ThreadPoolExecutor(self.slots, thread_name_prefix=f"reader-{self.lane}")
        try:
            while not self._finished():
                self._turn(pool)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            self._listener.close()
            self._woken.close()
            self._wake.close()
            if self._out or self._unsaved:
                log.event(
                    "reader_left_work", level=logging.WARNING, kind=self.lane, count=len(self._out) + len(self._unsaved)
                )

    def _finished(self) -> bool:
        now = time.monotonic()
        late = now > self._ends_at + settings.READER_DRAIN_SECONDS
        return self._closing(now) and (late or not (self._out or self._unsaved))

    def _closing(self, now: float) -> bool:
        if now < self._ends_at and watch.stopping():
            self._ends_at = now
        return now >= self._ends_at

    def _turn(self, pool: ThreadPoolExecutor) -> None:
        """One look at what came back, one at what is due; then wait for the next thing to happen."""
        try:
            watch.beat_now_and_then(f"reader.{self.lane}")
            self._save(pool)
            self._claim(pool)
            self._keep_leases()
        except (DatabaseError, InterfaceError) as error:
            # The database may be away for a while. What came back is kept and saved when it is there again.
            log.event("reader_without_database", error=error, kind=self.lane)
            with suppress(DatabaseError, InterfaceError):
                connection.close()
            time.sleep(AGAIN_SECONDS)
            return
        self._wait()

    def _claim(self, pool: ThreadPoolExecutor) -> None:
        now = time.monotonic()
        # The first one alone: while its client is made, those that the quota lets through one by one would gather, go out all at once,
        # and be refused as too many.
        limit = min(self.slots - len(self._out), MOST_AT_ONCE if self._ready else 1)
        if self._closing(now) or limit <= 0 or not self._claims.is_time(now):
            return
        claimed = pipeline.claim(self.lane, limit=limit, operations=self._claims.open_operations(now))
        self._claims.note(claimed, limit=limit, now=time.monotonic())
        self._send(pool, claimed.works)

    def _send(self, pool: ThreadPoolExecutor, works: Sequence[pipeline.Work]) -> None:
        if works and not self._ready:
            textract.get_ready()
            self._ready = True
        for work in works:
            self._out[id(work)] = (work, time.monotonic())
            pool.submit(self._ask, work)

    def _ask(self, work: pipeline.Work) -> None:
        pipeline.ask(work)
        self._done.put(work)
        with suppress(OSError):  # full: it is awake already; closed: nobody is there any more
            self._wake.send(b".")

    def _save(self, pool: ThreadPoolExecutor) -> None:
        self._gather()
        if not self._unsaved:
            return
        batch = self._unsaved[:MOST_AT_ONCE]
        going = pipeline.settle(batch)
        del self._unsaved[: len(batch)]
        self._send(pool, going)
        if any(work.answer and work.answer.next_token for work in batch):
            self._claims.more = True  # their next part is due at once

    def _gather(self) -> None:
        with suppress(Empty):
            while True:
                work = self._done.get_nowait()
                del self._out[id(work)]
                self._unsaved.append(work)

    def _keep_leases(self) -> None:
        """Work that takes long keeps its lease, as long as this process lives."""
        now = time.monotonic()
        old = [key for key, (_work, since) in self._out.items() if now - since > settings.LEASE_SECONDS / 3]
        if not old:
            return
        leases_ = [self._out[key][0].lease for key in old]
        pipeline.keep(leases_)
        for key in old:
            self._out[key] = (self._out[key][0], now)

    def _wait(self) -> None:
        """Until something comes back, something becomes due, or it is time to look."""
        told = {notice.payload for notice in self._listener.wait(self._patience(), or_readable=self._woken.fileno())}
        now, heard = time.monotonic(), hears(self.lane, told)
        if heard:
            self._claims.hear(now)
        elif self.lane == queue.HELPED and notices.HELPED in told:
            self._claims.hear(now, within=HELPED_SECONDS)
        if heard or self._unsaved or not self._done.empty():
            time.sleep(self._gather_seconds(now))  # its neighbours come along
        with suppress(BlockingIOError):
            self._woken.recv(65536)

    def _patience(self) -> float:
        """How long to wait if nothing happens."""
        now = time.monotonic()
        if self._unsaved or not self._done.empty():
            return 0.0
        if not self._can_claim(now):
            return LOOK_SECONDS
        return 0.0 if self._claims.more else min(self._claims.wait(now), LOOK_SECONDS)

    def _gather_seconds(self, now: float) -> float:
        """How long to let neighbours come along: longer where all wait for a quota, and nothing urgent is among them."""
        urgent = any(work.document.priority == Priority.HIGH for work, _since in list(self._out.values()))
        if self._claims.limited(now) and not urgent:
            return PATIENT_SECONDS
        return GATHER_SECONDS if len(self._out) > self.slots * CROWDED_SHARE else QUICK_SECONDS

    def _can_claim(self, now: float) -> bool:
        return len(self._out) < self.slots and not self._closing(now)
