"""Delivers the outbox: at least once, with the same id at every try. Where to: the EventBridge bus of DTAT_EVENT_BUS."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from audit import log
from ocr import aws
from ocr.models import OutboxEvent
from tenants import scope

BATCH = 10  # Source: EventBridge PutEvents takes at most 10 entries
SOURCE = "dtat.documents"
# Pauses before the next try, seconds; after the last one the event is dead, and shown.
LADDER = (5, 30, 120, 600, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
IN_FLIGHT = timedelta(seconds=60)


def envelope(event: OutboxEvent) -> dict[str, Any]:
    """What a subscriber gets: ids, names and codes, never values."""
    return {
        "id": str(event.id),
        "type": event.type,
        "at": event.created_at.isoformat().replace("+00:00", "Z"),
        "tenant": str(event.tenant_id),
        **_about(event),
    }


def _about(event: OutboxEvent) -> dict[str, Any]:
    if event.batch_id:
        return {"batch_id": str(event.batch_id), "data": event.data}
    return {"document_id": str(event.document_id), "data": {**event.data, "version": event.version}}


def deliver() -> int:
    """Send what is due and say how many were delivered. Without a bus the events stay in the outbox, readable there."""
    if not settings.EVENT_BUS:
        return 0
    delivered = 0
    while events := _due():
        delivered += _send(events)
    return delivered


def _due() -> list[OutboxEvent]:
    """Take up to BATCH events: others leave them alone for a minute, and find them again should we die."""
    with scope.everything():
        waiting = OutboxEvent.objects.filter(
            due_at__lte=Now(), delivered_at=None, dead_at=None, withdrawn_at=None
        ).order_by("due_at")
        events = list(waiting.select_for_update(skip_locked=True)[:BATCH])
        ids = [event.pk for event in events]
        OutboxEvent.objects.filter(pk__in=ids).update(due_at=Now() + IN_FLIGHT, attempts=F("attempts") + 1)
    return events


def _send(events: list[OutboxEvent]) -> int:
    entries = [
        {
            "EventBusName": settings.EVENT_BUS,
            "Source": SOURCE,
            "DetailType": event.type,
            "Detail": json.dumps(envelope(event)),
            "Time": event.created_at,
        }
        for event in events
    ]
    try:
        answers = aws.events().put_events(Entries=entries)["Entries"]
    except (ClientError, BotoCoreError) as error:
        log.event("events_not_delivered", error=error, count=len(events))
        answers = [{"ErrorCode": "unreachable"}] * len(events)
    good = [event for event, answer in zip(events, answers, strict=True) if not answer.get("ErrorCode")]
    with scope.everything():
        OutboxEvent.objects.filter(pk__in=[event.pk for event in good]).update(delivered_at=Now())
        for event in events:
            if event not in good:
                _later(event)
    return len(good)


def _later(event: OutboxEvent) -> None:
    tries = event.attempts + 1
    if tries > len(LADDER):
        OutboxEvent.objects.filter(pk=event.pk).update(dead_at=Now())
        log.event("event_dead", tenant=event.tenant_id, document=event.document_id, event=event.type)
        return
    OutboxEvent.objects.filter(pk=event.pk).update(due_at=Now() + timedelta(seconds=LADDER[tries - 1]))
