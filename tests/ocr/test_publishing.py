"""Every change of status is announced: at least once, with the same id, with names and codes but never values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError
from django.db.models.functions import Now
from moto import mock_aws

from ocr import aws, publishing
from ocr.models import Document, OutboxEvent
from tenants import scope
from tests import make
from tests.engine import Engine

pytestmark = pytest.mark.django_db
BUS = "documents"


class Bus:
    """The subscriber's end; `fails` lets the next deliveries fail."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.got: list[dict[str, Any]] = []
        self.fails = 0
        self.refuses: set[str] = set()

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        if self.fails:
            self.fails -= 1
            raise BotoCoreError
        answer: dict[str, Any] = self.client.put_events(Entries=Entries)
        for entry, told in zip(Entries, answer["Entries"], strict=True):
            if entry["DetailType"] in self.refuses:
                told.clear()
                told["ErrorCode"] = "ThrottlingException"
            else:
                self.got.append(entry)
        return answer


@pytest.fixture
def bus(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    settings.EVENT_BUS = BUS
    with mock_aws(config={"core": {"mock_credentials": False, "passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        aws.forget()
        client = boto3.client("events", region_name="us-east-1")
        client.create_event_bus(Name=BUS)
        made = Bus(client)
        monkeypatch.setattr(aws, "events", lambda: made)
        yield made
    aws.forget()


def _due_again() -> None:
    with scope.everything():
        OutboxEvent.objects.filter(delivered_at=None).update(due_at=Now())


def test_what_a_subscriber_gets(cast: make.Cast, engine: Engine, bus: Bus) -> None:
    made = make.document(cast.a, "needs_review", filename="canary.png", external_id="canary")
    assert publishing.deliver() == 3
    told = [json.loads(entry["Detail"]) for entry in bus.got]
    assert [each["type"] for each in told] == ["document.received", "document.reading", "document.review.required"]
    assert [entry["DetailType"] for entry in bus.got] == [each["type"] for each in told]
    assert {(entry["Source"], entry["EventBusName"]) for entry in bus.got} == {("dtat.documents", BUS)}
    last = told[-1]
    assert last.keys() == {"id", "type", "at", "tenant", "document_id", "data"}
    assert (last["tenant"], last["document_id"]) == (str(cast.a.pk), str(made.pk))
    assert (last["data"]["version"], last["data"]["reasons"]) == (3, ["low_confidence"])
    assert last["at"].endswith("Z")
    assert not any(word in json.dumps(told) for word in ("canary", "12.50", "Harbour"))
    assert all(event.delivered_at for event in make.events(made))
    assert publishing.deliver() == 0


def test_the_real_client_is_understood(cast: make.Cast, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    make.receive(cast.a)
    monkeypatch.setattr(aws, "events", lambda: aws.client("events", "put", read_seconds=10, process=0))
    assert publishing.deliver() == 1


def test_without_a_bus_events_wait(cast: make.Cast, settings: Any) -> None:
    made = make.receive(cast.a).document
    assert publishing.deliver() == 0
    assert [event.delivered_at for event in make.events(made)] == [None]


def test_a_retry_has_the_same_id(cast: make.Cast, bus: Bus) -> None:
    made = make.receive(cast.a).document
    [before] = make.events(made)
    bus.fails = 1
    assert publishing.deliver() == 0
    [waiting] = make.events(made)
    assert (waiting.delivered_at, waiting.attempts, waiting.due_at > before.due_at) == (None, 1, True)
    assert publishing.deliver() == 0  # not due yet
    _due_again()
    assert publishing.deliver() == 1
    [after] = make.events(made)
    assert (json.loads(bus.got[0]["Detail"])["id"], after.attempts) == (str(before.id), 2)


def test_one_that_is_refused_does_not_hold_up_the_others(cast: make.Cast, engine: Engine, bus: Bus) -> None:
    bus.refuses = {"document.reading"}
    made = make.document(cast.a, "approved")
    assert publishing.deliver() == 2
    assert [event.type for event in make.events(made) if not event.delivered_at] == ["document.reading"]
    bus.refuses = set()
    _due_again()
    assert publishing.deliver() == 1


def test_more_than_one_request_holds_are_all_sent(cast: make.Cast, bus: Bus) -> None:
    documents = [make.receive(cast.a).document for _ in range(publishing.BATCH + 2)]
    assert publishing.deliver() == len(documents)
    assert len({json.loads(entry["Detail"])["document_id"] for entry in bus.got}) == len(documents)


def test_after_the_last_pause_an_event_is_dead_and_shown(cast: make.Cast, bus: Bus) -> None:
    made = make.receive(cast.a).document
    bus.fails = 100
    pauses = []
    for _ in range(len(publishing.LADDER) + 1):
        _due_again()
        publishing.deliver()
        [event] = make.events(made)
        pauses.append(event)
    assert [event.dead_at is None for event in pauses] == [True] * len(publishing.LADDER) + [False]
    _due_again()
    bus.fails = 0
    assert publishing.deliver() == 0
    assert bus.got == []


def test_an_event_whose_sender_died_is_sent_again(cast: make.Cast, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed() -> None:
        raise Killed

    made = make.receive(cast.a).document
    with monkeypatch.context() as patch:
        patch.setattr(aws, "events", killed)
        with pytest.raises(Killed):
            publishing.deliver()
    assert publishing.deliver() == 0  # for a minute it counts as on its way
    _due_again()
    assert publishing.deliver() == 1
    assert [event.delivered_at is not None for event in make.events(made)] == [True]


def test_an_event_stands_or_falls_with_its_change(cast: make.Cast) -> None:
    class Abandoned(Exception):
        pass

    made: list[Document] = []
    with pytest.raises(Abandoned), scope.scope([cast.a.pk]):
        made.append(make.receive(cast.a).document)
        raise Abandoned
    assert make.events(made[0]) == []
