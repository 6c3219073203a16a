"""Log lines without values, and the request id that ties them together."""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

from django.http import HttpRequest, HttpResponseBase

from audit import log

_ACCEPTED = re.compile(r"[A-Za-z0-9_-]{8,64}")
_QUIET = frozenset({"healthz", "readyz", "metrics"})


class RequestId:
    """Middleware: every request has an id, in the answer's X-Request-ID, the log and the audit trail."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _ACCEPTED.fullmatch(given) else uuid4().hex
        started = time.monotonic()
        with log.caused_by(request_id):
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            route = request.resolver_match.view_name if request.resolver_match else "none"
            if route not in _QUIET:
                log.event(
                    "request",
                    method=request.method,
                    route=route,
                    status=response.status_code,
                    milliseconds=round((time.monotonic() - started) * 1000),
                )
        return response


class JsonLines(logging.Formatter):
    """One JSON object a line: at, level, event, ids, request, and for an error where it came from."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_line(record), ensure_ascii=True)


class TextLines(logging.Formatter):
    """The same for people: time, level, event, key=value."""

    def format(self, record: logging.LogRecord) -> str:
        line = _line(record)
        first = f"{line.pop('at')[11:19]} {line.pop('level'):<7} {line.pop('event')}"
        return _one_line(" ".join([first, *(f"{key}={value}" for key, value in line.items())]))


def _one_line(text: str) -> str:
    """Control and direction characters as escapes: no id or name can forge a second line or colour a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _line(record: logging.LogRecord) -> dict[str, str]:
    line = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "event": _event(record),
        **getattr(record, "ids", {}),
    }
    if log.request_id():
        line["request"] = log.request_id()
    if hasattr(record, "status_code"):
        line["status"] = str(record.status_code)
    if record.exc_info and record.exc_info[0]:
        line["error"] = record.exc_info[0].__name__
        line["raised_at"] = _frames(record)
    return line


def _event(record: logging.LogRecord) -> str:
    """Ours by its code; a library's by its place, since its text may hold arguments, names or values."""
    if record.name == "dtat":
        return str(record.msg)
    return f"{record.name}:{record.module}:{record.lineno}"


def _frames(record: logging.LogRecord) -> str:
    assert record.exc_info
    stack = traceback.extract_tb(record.exc_info[2])[-6:]
    return " < ".join(
        f"{frame.filename.rsplit('/', 2)[-2]}/{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
        for frame in reversed(stack)
    )
