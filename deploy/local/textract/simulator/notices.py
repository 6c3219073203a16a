"""Completion notices: published to SNS, put into an SQS queue or posted to an address, late, twice or never as set."""

import json
import logging
import threading
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from deploy.local.textract.simulator.chance import Chance
from deploy.local.textract.simulator.jobs import Job
from deploy.local.textract.simulator.knobs import Notices

Later = Callable[[float, Callable[[], None]], Any]
POST_SECONDS = 10
CASES = {"upper": str.upper, "lower": str.lower, "mixed": str.capitalize}

log = logging.getLogger(__name__)


class Sender:
    """Sends notices from a thread of its own: a slow receiver must not hold up answers."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(2, "notice")
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = threading.Lock()
        self._count = 0
        self.counts: Counter[str] = Counter()

    def tell(self, job: Job, status: str, knobs: Notices, chance: Chance, later: Later) -> None:
        """Sends the notice of a job that ended, as the knobs have it."""
        self._count += 1
        source = chance.draw("notice", self._count)
        if source.random() < knobs.drop:
            self.counts["dropped"] += 1
            return
        delay = knobs.delay + (knobs.reorder_seconds if source.random() < knobs.reorder else 0.0)
        copies = 2 if source.random() < knobs.duplicate else 1
        message = _message(job, CASES[knobs.status_case](status))
        for copy in range(copies):
            envelope = _envelope(job, message)
            later(delay + copy * knobs.duplicate_seconds, lambda envelope=envelope: self._send(envelope, knobs))  # type: ignore[misc]
        if copies > 1:
            self.counts["doubled"] += 1

    def close(self) -> None:
        """Waits for what is being sent."""
        self._threads.shutdown()

    def _send(self, envelope: dict[str, Any], knobs: Notices) -> None:
        self._threads.submit(self._deliver, envelope, knobs)

    def _deliver(self, envelope: dict[str, Any], knobs: Notices) -> None:
        try:
            if knobs.sns_endpoint:
                client = self._client("sns", knobs.sns_endpoint)
                client.publish(TopicArn=envelope["TopicArn"], Message=envelope["Message"])
            if knobs.queue_url:
                client = self._client("sqs", knobs.queue_endpoint or knobs.queue_url)
                client.send_message(QueueUrl=knobs.queue_url, MessageBody=json.dumps(envelope))
            if knobs.url:
                _post(knobs.url, envelope)
        except Exception as error:  # the receiver is somebody else's: what it does is counted, and the next is sent
            self.counts["failed"] += 1
            log.warning("a notice could not be sent: %s", error)
        else:
            self.counts["sent"] += 1

    def _client(self, service: str, endpoint: str) -> Any:
        import boto3  # only who asks for notices pays for it

        with self._making:
            if (service, endpoint) not in self._clients:
                make: Any = boto3.client  # typed for each service by name; here the name is a value
                self._clients[service, endpoint] = make(
                    service,
                    endpoint_url=endpoint,
                    region_name="us-east-1",
                    aws_access_key_id="local",
                    aws_secret_access_key="local",
                )
            return self._clients[service, endpoint]


def _message(job: Job, status: str) -> str:
    """What Textract says. Source: Textract developer guide, completion notifications."""
    told = {
        "JobId": job.job_id,
        "Status": status,
        "API": job.operation,
        **({"JobTag": job.tag} if job.tag else {}),
        "Timestamp": int(time.time() * 1000),
        "DocumentLocation": {"S3ObjectName": job.key, "S3Bucket": job.bucket},
    }
    return json.dumps(told)


def _envelope(job: Job, message: str) -> dict[str, Any]:
    """What SNS hands on. Source: SNS message formats."""
    return {
        "Type": "Notification",
        "MessageId": str(uuid.uuid4()),
        "TopicArn": job.topic or "",
        "Message": message,
        "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "SignatureVersion": "1",
    }


def _post(url: str, envelope: dict[str, Any]) -> None:
    headers = {"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification"}
    request = urllib.request.Request(url, json.dumps(envelope).encode(), headers)
    with urllib.request.urlopen(request, timeout=POST_SECONDS) as answer:
        answer.read()
