"""Doorbells in PostgreSQL: rung inside the transaction that makes the work, so that both are there or neither."""

from __future__ import annotations

import time
from typing import Any

from django.db import DatabaseError, connections
from django.db.models.functions import Now
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from audit import log
from ocr.brokers import Bell, RingsItself

# One statement, and the database's clock: a host whose own clock is wrong would start tasks late, or twice.
_TAKE = """
    UPDATE django_q_ormq SET lock = clock_timestamp() + %s * interval '1 second'
     WHERE id = (SELECT id FROM django_q_ormq WHERE key = %s AND lock <= clock_timestamp()
                 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
 RETURNING id, payload"""
WITHOUT_DATABASE_SECONDS = 1.0


class _Table(ORM):  # type: ignore[misc]
    def enqueue(self, task: str) -> int:
        bell: OrmQ = self.get_connection().create(key=self.list_key, payload=task, lock=Now())
        number: int = bell.pk
        return number

    def dequeue(self) -> list[Bell] | None:
        """The oldest waiting bell of this lane. A database that is away is waited for: the pusher must not end over it."""
        try:
            found = self._take()
        except DatabaseError as error:
            log.event("bells_without_database", error=error)
            connections[Conf.ORM].close()
            time.sleep(WITHOUT_DATABASE_SECONDS)
            return None
        if not found:
            time.sleep(Conf.POLL)
        return found

    def _take(self) -> list[Bell]:
        with connections[Conf.ORM].cursor() as cursor:
            cursor.execute(_TAKE, [Conf.RETRY, self.list_key])
            return list(cursor.fetchall())

    def acknowledge(self, task_id: Any) -> None:
        """A bell that cannot be taken away is heard once more, which is harmless; the monitor must not end over it."""
        try:
            super().acknowledge(task_id)
        except DatabaseError as error:
            log.event("bell_not_acknowledged", error=error)
            connections[Conf.ORM].close()


class Bells(RingsItself, _Table):
    """django-q2's ORM broker, by the database's clock and through its outages."""
