"""One line per event for the log: an event code and ids, tied to the request that caused it.

Values, file names and bytes never go through here: the keyword names are checked against a list.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_request_id: ContextVar[str] = ContextVar("request_id", default="")

# What a log line may carry besides its event code. A new key is a decision, made here.
KEYS = frozenset(
    {"tenant", "document", "batch", "actor", "kind", "status", "step", "code", "count", "attempt", "milliseconds"}
    | {"method", "route", "operation", "pages", "fence", "error", "event"}
)


def request_id() -> str:
    """The id of the request being served, or of the one that queued the work being done; empty outside both."""
    return _request_id.get()


@contextmanager
def caused_by(request: str) -> Iterator[None]:
    """Every line and audit row written inside carries this request id."""
    token = _request_id.set(request)
    try:
        yield
    finally:
        _request_id.reset(token)


def event(name: str, *, level: int = logging.INFO, error: BaseException | None = None, **ids: object) -> None:
    """Write one log line. Raises ValueError for a key that is not in KEYS: values leak through new keys first."""
    unknown = ids.keys() - KEYS
    if unknown:
        raise ValueError(f"log keys {sorted(unknown)} are not in audit.log.KEYS")
    if error is not None:
        ids["error"] = type(error).__name__  # its text may hold values
    logging.getLogger("dtat").log(level, name, extra={"ids": {key: str(value) for key, value in ids.items()}})
