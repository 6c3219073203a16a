"""What is sent back, and what becomes of it on the way."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploy.local.textract.protocol import CONTENT_TYPE
from deploy.local.textract.refusals import Refusal

HTML_TYPE = "text/html"
HTML = b"<html><head><title>%d</title></head><body><h1>The page is not to be had just now</h1></body></html>"


@dataclass(slots=True)
class Reply:
    """An answer to be sent `delay` seconds after the call.

    `reset` closes the connection instead; `sent_bytes` closes it after so much of the body; `seconds` is how long the
    body takes on its way. `stream` gives the body in parts when it is too large to be had at once, `length` its size.
    `name` is the document about which the engine worked, if it did.
    """

    status: int
    body: bytes
    outcome: str
    delay: float = 0.0
    content_type: str = CONTENT_TYPE
    reset: bool = False
    sent_bytes: int | None = None
    seconds: float = 0.0
    stream: Iterator[bytes] | None = None
    length: int = 0
    name: str = ""


def refused(refusal: Refusal, *, http_status: int | None = None, delay: float = 0.0) -> Reply:
    """The answer that says why not."""
    body = json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
    return Reply(http_status or refusal.http_status, body, refusal.code, delay)


def said(members: Any, *, outcome: str = "ok") -> Reply:
    """A small answer."""
    return Reply(200, json.dumps(members).encode(), outcome)
