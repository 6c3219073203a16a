"""Where doorbells wait: django-q2's brokers, with what our clusters need besides. `DTAT_BROKER` names the module.

Each cluster also rings for itself, through the same locks and workers that other work goes through. So every host reads
what is due even when nobody rings, and a cluster whose workers are stuck falls silent and is replaced (deploy/watchdog.py).
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from django.conf import settings
from django.utils import timezone
from django_q.brokers import Broker
from django_q.conf import Conf
from django_q.signing import SignedPackage

READ, BEAT = "ocr.tasks.read", "ocr.tasks.beat"
OWN_BELL_SECONDS = 5.0
CHORES = "low"  # the lane whose cluster also runs everything that is not reading

Bell = tuple[Any, str]  # what acknowledges it (None: nothing to acknowledge), and the signed task


class RingsItself(Broker):  # type: ignore[misc]
    """A broker whose cluster gets its own bells every OWN_BELL_SECONDS, on top of those that wait in the queue.

    Only the cluster's pusher calls `dequeue`. While all workers are busy it is blocked, so bells do not pile up.
    """

    _next_bell = 0.0

    def dequeue(self) -> list[Bell] | None:
        if time.monotonic() < self._next_bell:
            waiting: list[Bell] | None = super().dequeue()
            return waiting
        self._next_bell = time.monotonic() + OWN_BELL_SECONDS
        return own_bells(Conf.CLUSTER_NAME)


def own_bells(lane: str) -> list[Bell]:
    """What the lane's cluster asks of itself; nothing for a cluster that is none of our lanes."""
    if lane not in settings.LANES:
        return []
    beat = [_bell(BEAT)] if lane == CHORES else []
    return [*beat, _bell(READ, lane)]


def _bell(task: str, *args: str) -> Bell:
    key = uuid.uuid4().hex
    package = {"id": key, "name": key, "func": task, "args": args, "kwargs": {}, "started": timezone.now()}
    return None, SignedPackage.dumps(package)
