from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django_q.cluster import Cluster
from django_q.conf import Conf

from ocr import watch


class Lane(Cluster):  # type: ignore[misc]
    """A django-q2 cluster whose long tasks hear at once that it has to stop, while short ones simply finish."""

    def stop(self) -> bool:
        watch.tell_to_stop()
        stopped: bool = super().stop()
        return stopped


class Command(BaseCommand):
    help = "Runs the django-q2 cluster of one priority: high, normal or low. Low also runs the chores."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lane", choices=list(settings.LANES))

    def handle(self, *args: Any, lane: str, **options: Any) -> None:
        # django-q2 reads its settings when it is imported, too early for `qcluster --name` to have a say on Linux.
        Conf.CLUSTER_NAME, Conf.WORKERS = lane, settings.LANES[lane]
        Lane().start()
