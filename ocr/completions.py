"""Word from Textract that a job has ended: SNS to SQS, one long poll after the other. A hint that brings the next look forward.

Nothing that a message says is believed: how the job ended, and whether it did, is asked of Textract by the document's own check. So
messages may be forged, doubled, late, out of order or missing. Without word a job is looked at after SWEEP_SECONDS all the same,
and while nobody hears the queue, jobs are polled as if there were none.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from audit import log
from ocr import aws, leases, notices
from ocr.models import Document, Extraction, Priority
from tenants import scope

BEAT = "completions"  # the sign of life of whoever hears the queue
HEARD_WITHIN_SECONDS = 60.0
ASK_AGAIN_SECONDS = 5.0  # how long the answer to "does anybody hear the queue?" is good
SWEEP_SECONDS = 600.0
# Shorter than the 20 s that SQS allows, so that the hearer's beat is never older than the watchdog takes for death.
LONG_POLL_SECONDS = 10
MESSAGES = 10  # at a time. Source: SQS, ReceiveMessage
EARLY_SECONDS = 10  # until a message that came before its document could use it comes once more
EARLY_TIMES = 6  # a Start's answer is written down within a lease's time, or its Start is sent again
_JOB_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Word:
    """What a message says: some job of some document has ended."""

    document_id: UUID
    job_id: str


def wanted(document: Document) -> dict[str, Any]:
    """What a Start for this document says so that its end is told; empty without a topic. The tag says in the message whose job it was."""
    if not settings.TEXTRACT_TOPIC:
        return {}
    channel = {"SNSTopicArn": settings.TEXTRACT_TOPIC, "RoleArn": settings.TEXTRACT_ROLE}
    return {"NotificationChannel": channel, "JobTag": str(document.pk)}


def expected(run: Extraction) -> bool:
    """Whether word of this job's end is to come, and somebody hears it."""
    return "NotificationChannel" in run.job_options and _heard()


_known: tuple[float, bool] = (float("-inf"), False)


def _heard() -> bool:
    """Whether any host heard the queue lately."""
    global _known
    if not settings.TEXTRACT_NOTICES:
        return False
    now = time.monotonic()
    if now - _known[0] > ASK_AGAIN_SECONDS:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM ocr_beat WHERE name LIKE %s AND at > clock_timestamp() - %s * interval '1 second'",
                [f"{BEAT}@%", HEARD_WITHIN_SECONDS],
            )
            _known = (now, cursor.fetchone()[0] > 0)
    return _known[1]


def hear() -> int:
    """Wait for messages, bring forward what they speak of, and delete them; how many came.

    Raises a botocore error when the queue cannot be read, and DatabaseError before anything is deleted.
    """
    client = aws.sqs()
    got = client.receive_message(
        QueueUrl=settings.TEXTRACT_NOTICES,
        MaxNumberOfMessages=MESSAGES,
        WaitTimeSeconds=LONG_POLL_SECONDS,
        VisibilityTimeout=EARLY_SECONDS,
        AttributeNames=["ApproximateReceiveCount"],
    ).get("Messages", [])
    done = _done(got)
    if done:
        entries = [{"Id": str(number), "ReceiptHandle": each["ReceiptHandle"]} for number, each in enumerate(done)]
        client.delete_message_batch(QueueUrl=settings.TEXTRACT_NOTICES, Entries=entries)
    return len(got)


def _done(messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those messages that are not needed any more. The others came too early, and come again."""
    words = [word_in(message["Body"]) for message in messages]
    early = _brought_forward({word for word in words if word})
    unread = sum(word is None for word in words)
    if unread:
        log.event("completion_not_understood", level=logging.WARNING, count=unread)
    return [
        message
        for message, word in zip(messages, words, strict=True)
        if word not in early or int(message["Attributes"]["ApproximateReceiveCount"]) >= EARLY_TIMES
    ]


def word_in(body: str) -> Word | None:
    """The job that this message speaks of, delivered raw or in SNS's envelope; None when it does not, or is none of ours."""
    told = _object(body)
    if "Message" in told:
        if told.get("TopicArn") != settings.TEXTRACT_TOPIC:
            return None
        told = _object(told["Message"])
    job_id, tag = told.get("JobId"), told.get("JobTag")
    if not isinstance(job_id, str) or not isinstance(tag, str) or not _JOB_ID.fullmatch(job_id):
        return None
    try:
        return Word(UUID(tag), job_id)
    except ValueError:
        return None


def _object(text: object) -> dict[str, Any]:
    try:
        told = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _brought_forward(words: set[Word]) -> set[Word]:
    """Have the checks of these jobs' documents made now; the words that came too early for that.

    Too early: the job's id is not written down yet, or somebody looks at the job this moment and may have been told that it still runs.
    """
    if not words:
        return set()
    with scope.everything():
        ids = {word.document_id for word in words}
        running = [Extraction.State.PLANNED, Extraction.State.STARTED]
        runs = Extraction.objects.filter(document__in=ids, document__step__in=["start", "check"], state__in=running)
        open_ = {run.document_id: run for run in runs.order_by("number")}
        known = {word for word in words if _may_be(word, open_)}
        started = {word for word in known if open_[word.document_id].job_id}
        brought = leases.bring_forward([word.document_id for word in started])
        lanes = {Priority(document.priority).name.lower() for document in brought.values()}
        notices.tell_all(notices.DUE, sorted(lanes))
    return {word for word in known if word.document_id not in brought}


def _may_be(word: Word, open_: Mapping[UUID, Extraction]) -> bool:
    run = open_.get(word.document_id)
    return run is not None and run.job_id in {"", word.job_id}
