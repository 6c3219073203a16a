"""What is sent back, and what becomes of it on the way."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploy.local.textract.refusals import Refusal
from deploy.local.textract.simulator.knobs import Fault

JSON_TYPE = "application/x-amz-json-1.1"
HTML = b"<html><head><title>%d</title></head><body><h1>The page is not to be had just now</h1></body></html>"


@dataclass(slots=True)
class Reply:
    """An answer to be sent `delay` seconds after the call.

    `reset` closes the connection instead; `sent_bytes` closes it after so much of the body; `seconds` is how long the
    body takes on its way. `stream` gives the body in parts when it is too large to be had at once, `length` its size.
    """

    status: int
    body: bytes
    outcome: str
    delay: float = 0.0
    content_type: str = JSON_TYPE
    reset: bool = False
    sent_bytes: int | None = None
    seconds: float = 0.0
    stream: Iterator[bytes] | None = None
    length: int = 0


def refused(refusal: Refusal, *, http_status: int | None = None, delay: float = 0.0) -> Reply:
    """The answer that says why not."""
    body = json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
    return Reply(http_status or refusal.http_status, body, refusal.code, delay)


def said(members: Any, *, outcome: str = "ok") -> Reply:
    """A small answer."""
    return Reply(200, json.dumps(members).encode(), outcome)


def struck(reply: Reply, fault: Fault) -> Reply:
    """The answer after a fault has struck it on its way; the work behind it was done."""
    reply.outcome = fault.fault
    match fault.fault:
        case "lost_answer":
            reply.reset = True
        case "slow_body":
            reply.seconds = fault.seconds
        case "cut_body":
            reply.sent_bytes = len(reply.body) // 2
        case "truncated":
            reply.body = reply.body[: len(reply.body) // 2]
        case "html_200":
            reply.body, reply.content_type = HTML % 200, "text/html"
    return reply
