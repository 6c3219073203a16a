"""Changing a few rows by their keys stays cheap, however the table has grown since the statement was planned."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from audit import prepared
from ocr import rows
from ocr.models import OutboxEvent
from tenants import scope
from tests import make

pytestmark = pytest.mark.django_db


def test_rows_are_looked_up_by_their_keys_by_the_plan_for_any_number_of_them(cast: make.Cast) -> None:
    now = timezone.now()
    with scope.everything(), connection.cursor() as cursor:
        events = OutboxEvent.objects.bulk_create(
            OutboxEvent(tenant_id=cast.a.pk, type="batch.stopped", data={"note": "x" * 200}, created_at=now, due_at=now)
            for _ in range(4000)
        )
        cursor.execute("ANALYZE ocr_outboxevent")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        assert rows.update(OutboxEvent, {events[0].pk: {"attempts": 3}}) == {events[0].pk}
        plan = _plan(events[1].pk)
    assert "Seq Scan on ocr_outboxevent" not in plan, plan


def _plan(key: UUID) -> str:
    """Of the statement that was prepared last, the one that has just run."""
    name = list(prepared._names[connection.connection].values())[-1]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN EXECUTE {name} (%s, %s)", [json.dumps([{"id": str(key), "attempts": 4}]), [str(key)]])
        return "\n".join(line for (line,) in cursor.fetchall())
