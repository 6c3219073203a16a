"""Doorbells in Amazon SQS, one queue per lane: `DTAT_QUEUE_PREFIX` and the lane, made when it is missing."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django_q.brokers.aws_sqs import Sqs

from ocr.brokers import Bell, RingsItself


class _Queue(Sqs):  # type: ignore[misc]
    """django-q2's SQS broker, with a connection for each process.

    The cluster's processes are forked after the broker was made: those that share its open connection read each other's answers.
    """

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(f"{settings.QUEUE_PREFIX}-{list_key}")
        self._pid = os.getpid()

    def dequeue(self) -> list[Bell] | None:
        self._connect_here()
        bells: list[Bell] | None = super().dequeue()
        return bells

    def acknowledge(self, task_id: Any) -> None:
        self._connect_here()
        super().acknowledge(task_id)

    def _connect_here(self) -> None:
        if self._pid != os.getpid():
            self.connection = self.get_connection(self.list_key)
            self.queue = self.get_queue()
            self._pid = os.getpid()


class Bells(RingsItself, _Queue):
    """One lane's queue in SQS."""
