from __future__ import annotations

from multiprocessing import Process, get_context
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management.base import BaseCommand, CommandParser
from django_q.cluster import Cluster, Sentinel
from django_q.conf import Conf

from ocr import watch

_fork = get_context("fork")


class Guard(Sentinel):  # type: ignore[misc]
    """A sentinel that frees the lock which the only reader of a queue held when it was killed.

    Without that the process put in its place waits for ever: a new monitor acknowledges nothing, a new worker runs nothing. Where
    several workers read from the queue nobody can say who held the lock; then the cluster falls silent and is replaced as a whole.
    """

    def reincarnate(self, process: Process) -> None:
        if not process.is_alive() and (process is self.monitor or self.pool == [process]):
            queue = self.result_queue if process is self.monitor else self.task_queue
            queue._rlock.acquire(block=False)  # held by the dead or by nobody: now by us in either case
            queue._rlock.release()
        super().reincarnate(process)


class Lane(Cluster):  # type: ignore[misc]
    """A django-q2 cluster whose long tasks hear at once that it has to stop, while short ones simply finish."""

    def start(self) -> int:
        self.stop_event, self.start_event = _fork.Event(), _fork.Event()
        facts = (self.stop_event, self.start_event, self.cluster_id, self.broker, self.timeout)
        self.sentinel = _fork.Process(target=Guard, args=facts)
        self.sentinel.start()
        pid: int = self.pid
        return pid

    def stop(self) -> bool:
        watch.tell_to_stop()
        stopped: bool = super().stop()
        return stopped


class Command(BaseCommand):
    help = "Runs the django-q2 cluster of one priority: high, normal or low. Low also runs the chores."
    requires_system_checks = [checks.Tags.security, "dtat"]  # not those that load every page: five processes stay small

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lane", choices=list(settings.LANES))

    def handle(self, *args: Any, lane: str, **options: Any) -> None:
        # django-q2 reads its settings when it is imported, too early for `qcluster --name` to have a say on Linux.
        Conf.CLUSTER_NAME, Conf.WORKERS = lane, settings.LANES[lane]
        watch.lead()
        cluster = Lane()
        cluster.start()
        cluster.sentinel.join()
