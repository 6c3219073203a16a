"""The n-th call to the outside, or the n-th statement to the database, fails once: for every n the document arrives, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection

from ocr import pipeline
from ocr.models import Artifact, Document
from tests import engine as stub
from tests import make
from tests.engine import Engine, Page
from tests.ocr.outside import Outside

committing = pytest.mark.django_db(transaction=True)
PAGES = (stub.CLEAR, Page.of("Thank you"))
MOST_STATEMENTS = 400
EVERY = 13  # statements


def _fails(call: Callable[[], Any]) -> Any:
    raise OSError(5, "Input/output error")


def _fails_after(call: Callable[[], Any]) -> Any:
    done = call()
    if hasattr(done, "close"):
        done.close()
    raise OSError(5, "Input/output error")


def _life(cast: make.Cast, engine: Engine) -> Document:
    """A document from its arrival to its rest; the sender repeats an upload that was not accepted."""
    content, key = make.pdf(len(PAGES)), uuid4().hex
    engine.reads(*PAGES)
    for _ in range(3):
        try:
            made = make.receive(cast.a, content, idempotency_key=key).document
            break
        except (OSError, OperationalError):
            continue
    for _ in range(make.MOST_STEPS):
        try:
            found = make.advance(made)
        except OperationalError:  # the worker's task ends; its lease runs out
            make.lease_expired(made)
            continue
        if not found.step:
            return found
    raise AssertionError(f"the document still waits for {found.step}: {found.error_code}")


def _check(made: Document) -> None:
    assert (made.status, made.attempts) == ("approved", 0)
    assert len(make.stored(made, Artifact.Kind.RAW)) >= 1
    pipeline.publish(made)  # what asking for the result does, where the failure hit its storing
    assert len(make.stored(made, Artifact.Kind.RESULT)) == 1
    assert [row.kind for row in make.trail(made)].count("TEXTRACT_SUCCEEDED") == 1
    assert len(make.extractions(made)) == 1


@committing
@pytest.mark.parametrize("when", ["before", "after"])
def test_each_call_outside(cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    outside = Outside(engine, monkeypatch)
    first = _life(cast, engine)
    calls = list(outside.seen)
    _check(first)
    assert calls[:2] == ["_save", "StartDocumentAnalysis"] and len(calls) >= 8
    for number in range(1, len(calls) + 1):
        before = len(engine.bill)
        outside.at(
            number,
            storage=_fails if when == "before" else _fails_after,
            engine=stub.lost_before if when == "before" else stub.lost_after,
        )
        made = _life(cast, engine)
        outside.reset()
        _check(made)
        assert len(engine.bill) == before + 1, f"call {number}, {calls[number - 1]}"
    assert engine.billed_twice() == make.broken() == []


@committing
@pytest.mark.parametrize("first", [1, 7])
def test_statements_to_the_database(cast: make.Cast, engine: Engine, first: int) -> None:
    for number in range(first, MOST_STATEMENTS, EVERY):
        before = len(engine.bill)
        seen = _Statements(number)
        with connection.execute_wrapper(seen):
            made = _life(cast, engine)
        _check(made)
        assert len(engine.bill) == before + 1, f"statement {number}"
        if seen.count < number:
            break
    else:
        raise AssertionError("a document's life has more statements than that")
    assert engine.billed_twice() == make.broken() == []


class _Statements:
    """Lets one statement of the run fail, as a server that restarts does."""

    def __init__(self, fails: int) -> None:
        self.count, self._fails = 0, fails

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        self.count += 1
        if self.count == self._fails:
            raise OperationalError("terminating connection due to administrator command")
        return execute(sql, params, many, context)
