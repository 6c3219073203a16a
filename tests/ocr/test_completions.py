"""Word of ended jobs: it brings the next look forward and is never believed; doubled, late, early, forged or lost, all ends well."""

from __future__ import annotations

import json
import signal
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from moto import mock_aws

from ocr import aws, completions, lifecycle, watch
from ocr.management.commands import completions as command
from ocr.models import Document, Extraction
from tenants import scope
from tests import make
from tests.engine import GET, START, STUCK, Engine, lost_after

pytestmark = pytest.mark.django_db
ROLE = "arn:aws:iam::123456789012:role/textract-tells"


class Word:
    """The topic, the queue that is subscribed to it, and what Textract says there."""

    def __init__(self) -> None:
        self.sns: Any = boto3.client("sns", region_name="us-east-1")
        self.sqs: Any = boto3.client("sqs", region_name="us-east-1")
        self.topic = self.sns.create_topic(Name="AmazonTextract-dtat")["TopicArn"]
        self.queue = self.sqs.create_queue(QueueName="dtat-textract")["QueueUrl"]
        self.sns.subscribe(
            TopicArn=self.topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:dtat-textract"
        )

    def says(self, made: Document, *, times: int = 1, **changed: object) -> None:
        message = _message(made) | changed
        for _ in range(times):
            self.sns.publish(TopicArn=self.topic, Message=json.dumps(message))

    def puts(self, body: str) -> None:
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    def waiting(self) -> int:
        told = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["All"])["Attributes"]
        return int(told["ApproximateNumberOfMessages"]) + int(told["ApproximateNumberOfMessagesNotVisible"])


@pytest.fixture
def word(settings: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch, db: None) -> Iterator[Word]:
    """Textract tells a topic of jobs that have ended, and somebody hears the queue behind it."""
    with mock_aws(config={"core": {"mock_credentials": False, "passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        made = Word()
        settings.TEXTRACT_TOPIC, settings.TEXTRACT_ROLE, settings.TEXTRACT_NOTICES = made.topic, ROLE, made.queue
        settings.POLL_FIRST_SECONDS = settings.POLL_MOST_SECONDS = 30
        monkeypatch.setattr(completions, "LONG_POLL_SECONDS", 0)
        monkeypatch.setattr(completions, "EARLY_SECONDS", 0)
        monkeypatch.setattr(completions, "_known", (float("-inf"), False))
        aws.forget()
        watch.beat(completions.BEAT)
        yield made
    aws.forget()


def _message(made: Document) -> dict[str, object]:
    """What Textract says. Source: developer guide, completion notifications."""
    run = make.extractions(made)[-1]
    return {
        "JobId": run.job_id,
        "Status": "SUCCEEDED",
        "API": run.operation,
        "JobTag": str(made.pk),
        "Timestamp": 1700000000000,
        "DocumentLocation": {"S3ObjectName": "raw/x", "S3Bucket": "documents"},
    }


def _wait(made: Document) -> float:
    """Seconds until the document's next step is due."""
    with scope.everything():
        due_at = make.reload(made).due_at
        assert due_at
        return (due_at - lifecycle.database_now()).total_seconds()


def test_a_start_names_the_topic_and_is_looked_at_late(cast: make.Cast, word: Word, engine: Engine) -> None:
    made = make.document(cast.a, "reading")
    asked = engine.calls[0].arguments
    assert asked["NotificationChannel"] == {"SNSTopicArn": word.topic, "RoleArn": ROLE}
    assert asked["JobTag"] == str(made.pk)
    assert _wait(made) > completions.SWEEP_SECONDS - 60


def test_word_has_the_job_looked_at(cast: make.Cast, word: Word, engine: Engine) -> None:
    made, other = make.document(cast.a, "reading"), make.document(cast.b, "reading")
    word.says(made)
    assert completions.hear() == 1
    assert word.waiting() == 0
    assert _wait(made) <= 0 < _wait(other)
    assert engine.count(GET) == 0
    assert make.run(made).status == "approved"


def test_without_a_topic_nothing_is_said_and_jobs_are_polled(
    cast: make.Cast, word: Word, engine: Engine, settings: Any
) -> None:
    settings.TEXTRACT_TOPIC = settings.TEXTRACT_ROLE = settings.TEXTRACT_NOTICES = ""
    made = make.document(cast.a, "reading")
    assert not {"NotificationChannel", "JobTag"} & engine.calls[0].arguments.keys()
    assert _wait(made) <= 30


def test_while_nobody_hears_jobs_are_polled(cast: make.Cast, word: Word) -> None:
    with scope.everything():
        from ocr.models import Beat

        Beat.objects.filter(name__startswith=completions.BEAT).update(
            at=Now() - timedelta(seconds=completions.HEARD_WITHIN_SECONDS + 1)
        )
    assert _wait(make.document(cast.a, "reading")) <= 30


def test_ten_times_the_same_word_is_one_look(cast: make.Cast, word: Word, engine: Engine) -> None:
    made = make.document(cast.a, "reading")
    word.says(made, times=10)
    assert completions.hear() == 10
    assert make.advance(made).status == "approved"
    looks = engine.count(GET)
    word.says(made, times=3)
    assert completions.hear() == 3
    assert (word.waiting(), engine.count(GET)) == (0, looks)
    assert make.broken() == []


@pytest.mark.parametrize("status", ["FAILED", "failed", "Succeeded", "ERROR", "", None, 7])
def test_what_a_message_says_of_the_end_is_not_believed(
    cast: make.Cast, word: Word, engine: Engine, status: object
) -> None:
    engine.jobs_end(waits=1)
    made = make.document(cast.a, "reading")
    word.says(made, Status=status)
    completions.hear()
    looked = make.advance(made)
    assert (looked.status, looked.step) == ("reading", "check")
    assert _wait(made) <= 60  # whoever said so too early must not make it wait for the sweep
    assert make.run(made).status == "approved"


def test_a_failure_is_told_by_the_job_itself(cast: make.Cast, word: Word, engine: Engine) -> None:
    engine.jobs_end("FAILED")
    made = make.document(cast.a, "reading")
    word.says(made, Status="SUCCEEDED")
    completions.hear()
    assert make.advance(made).error_code == "engine_failed"


def test_a_lost_word_is_made_up_for_by_the_sweep(cast: make.Cast, word: Word) -> None:
    made = make.document(cast.a, "reading")
    assert completions.hear() == 0
    assert _wait(made) <= completions.SWEEP_SECONDS
    assert make.advance(made).status == "approved"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "<html>",
        "[" * 100_000,
        '{"Message": "no JSON"}',
        '{"Message": {"JobId": "x"}}',
        '{"JobId": "x"}',
        '{"JobId": 7, "JobTag": "11111111-2222-3333-4444-555555555555"}',
        '{"JobId": "x y", "JobTag": "11111111-2222-3333-4444-555555555555"}',
        '{"JobId": "x", "JobTag": "no id"}',
        '{"JobId": "x", "JobTag": "11111111-2222-3333-4444-555555555555"}',
    ],
)
def test_what_cannot_be_understood_or_is_not_ours_is_let_go(cast: make.Cast, word: Word, body: str) -> None:
    made = make.document(cast.a, "reading")
    word.puts(body or " ")
    word.says(made)  # the message behind it is heard all the same
    while completions.hear():
        pass
    assert word.waiting() == 0
    assert _wait(made) <= 0


def test_another_job_or_another_topic_moves_nothing(cast: make.Cast, word: Word) -> None:
    made = make.document(cast.a, "reading")
    word.says(made, JobId="somebody-elses")
    word.says(made, JobTag=str(uuid.uuid4()))
    foreign = {"Type": "Notification", "TopicArn": word.topic + "-of-others", "Message": json.dumps(_message(made))}
    word.puts(json.dumps(foreign))
    assert completions.hear() == 3
    assert word.waiting() == 0
    assert _wait(made) > completions.SWEEP_SECONDS - 60


def test_a_message_without_envelope_is_understood(cast: make.Cast, word: Word) -> None:
    made = make.document(cast.a, "reading")
    word.puts(json.dumps(_message(made)))
    completions.hear()
    assert _wait(made) <= 0


def test_word_that_comes_before_the_job_is_written_down_comes_again(cast: make.Cast, word: Word) -> None:
    made = make.document(cast.a, "reading")
    word.says(made)
    with scope.everything():
        (run,) = Extraction.objects.filter(document=made)
        Extraction.objects.filter(pk=run.pk).update(job_id="", state="planned")
    assert completions.hear() == 1
    assert word.waiting() == 1
    with scope.everything():
        Extraction.objects.filter(pk=run.pk).update(job_id=run.job_id, state="started")
    assert completions.hear() == 1
    assert word.waiting() == 0
    assert _wait(made) <= 0


def test_word_of_a_job_that_is_just_looked_at_comes_again_for_a_while(cast: make.Cast, word: Word) -> None:
    made = make.document(cast.a, "reading")
    with scope.everything():
        Document.objects.filter(pk=made.pk).update(lease_until=Now() + timedelta(seconds=60))
    word.says(made)
    for _ in range(completions.EARLY_TIMES - 1):
        completions.hear()
        assert word.waiting() == 1
    completions.hear()
    assert word.waiting() == 0
    assert _wait(made) > completions.SWEEP_SECONDS - 60


def test_a_start_that_was_sent_twice_is_looked_at_soon(cast: make.Cast, word: Word, engine: Engine) -> None:
    """Under the same token Textract starts nothing, and sends no second word."""
    engine.fail(START, lost_after)
    made = make.document(cast.a, "reading")
    make.advance(made)
    assert engine.count(START) == 2 and engine.billed_pages() == 1
    assert engine.calls[0].arguments == engine.calls[1].arguments
    assert _wait(made) <= 30


def test_a_repeated_start_says_the_same_though_the_topic_changed(
    cast: make.Cast, word: Word, engine: Engine, settings: Any
) -> None:
    engine.fail(START, lost_after)
    made = make.document(cast.a, "reading")
    settings.TEXTRACT_TOPIC = settings.TEXTRACT_ROLE = ""
    assert make.run(made).status == "approved"
    assert engine.billed_pages() == 1


def test_the_command_hears_until_it_is_told_to_stop(
    cast: make.Cast, word: Word, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.jobs_end(waits=STUCK)
    made = make.document(cast.a, "reading")
    word.says(made)
    running = command.Command()
    real = completions.hear

    def once() -> int:
        running.running = False
        return real()

    monkeypatch.setattr(completions, "hear", once)
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    monkeypatch.setattr(command, "close_old_connections", lambda: None)
    call_command(running)
    assert _wait(made) <= 0


def test_the_command_needs_a_queue() -> None:
    with pytest.raises(CommandError, match="DTAT_TEXTRACT_NOTICES"):
        call_command("completions")
