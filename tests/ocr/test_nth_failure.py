"""The n-th call to the outside, or the n-th statement to the database, fails once: for every n the document arrives, once.

One case has another end: the answer of a synchronous call that got lost. No token guards that call, so nobody makes it again by
himself; the document says `charge_uncertain` and waits for a person.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection

from ocr import pipeline
from ocr.models import Artifact, Document
from review import decisions
from tests import engine as stub
from tests import make
from tests.engine import Engine
from tests.ocr.lives import AT_ONCE, LIVES, Life
from tests.ocr.outside import Outside

committing = pytest.mark.django_db(transaction=True)
MOST_STATEMENTS = 400
EVERY = 13  # statements


def _fails(call: Callable[[], Any]) -> Any:
    raise OSError(5, "Input/output error")


def _fails_after(call: Callable[[], Any]) -> Any:
    done = call()
    if hasattr(done, "close"):
        done.close()
    raise OSError(5, "Input/output error")


def _lived(cast: make.Cast, life: Life) -> Document:
    """A document from its arrival to its rest; the sender repeats an upload that was not accepted."""
    content, key = life.content(), uuid4().hex
    for _ in range(3):
        try:
            made = make.receive(cast.a, content, document_type=life.document_type, idempotency_key=key).document
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
    assert len([run for run in make.extractions(made) if run.state == "collected"]) == 1


@committing
@pytest.mark.parametrize("life", LIVES, ids=str)
@pytest.mark.parametrize("when", ["before", "after"])
def test_each_call_outside(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch, settings: Any, life: Life, when: str
) -> None:
    monkeypatch.setattr(pipeline, "STORE_AGAIN_SECONDS", (0.0,))
    life.set_up(engine, settings)
    outside = Outside(engine, monkeypatch)
    first = _lived(cast, life)
    assert tuple(outside.seen) == life.calls
    _check(first)
    for number, call in enumerate(life.calls, 1):
        before, asked = len(engine.bill), engine.count(life.sends)
        outside.at(
            number,
            storage=_fails if when == "before" else _fails_after,
            engine=stub.lost_before if when == "before" else stub.lost_after,
        )
        made = _lived(cast, life)
        outside.reset()
        assert engine.count(life.sends) - asked == int(life.synchronous)
        if call == life.sends:
            _nobody_knows(cast, made, engine, life)
            continue
        _check(made)
        assert len(engine.bill) == before + 1, f"call {number}, {call}"
    assert engine.billed_twice() == make.broken() == []


def _nobody_knows(cast: make.Cast, made: Document, engine: Engine, life: Life) -> None:
    """It is listed, not sent again; a person's retry goes by a job, whose token guards it."""
    assert (made.status, made.error_code) == ("failed", "charge_uncertain")
    (run,) = make.extractions(made)
    assert (run.state, run.charge_uncertain) == ("failed", True)
    asked = engine.count(life.sends)
    decisions.retry(made.pk, cast.sue)
    _check(make.run(made))
    assert engine.count(life.sends) == asked


@committing
def test_an_answer_that_was_paid_for_and_cannot_be_stored_is_not_asked_for_again(
    cast: make.Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(pipeline, "STORE_AGAIN_SECONDS", ())
    AT_ONCE.set_up(engine, settings)
    outside = Outside(engine, monkeypatch)
    outside.at(3, storage=_fails, engine=stub.lost_before)
    made = _lived(cast, AT_ONCE)
    outside.reset()
    assert (engine.count(stub.SYNC), len(engine.bill)) == (1, 1)
    _nobody_knows(cast, made, engine, AT_ONCE)
    assert make.broken() == []


@committing
@pytest.mark.parametrize("life", LIVES, ids=str)
@pytest.mark.parametrize("first", [1, 7])
def test_statements_to_the_database(cast: make.Cast, engine: Engine, settings: Any, life: Life, first: int) -> None:
    life.set_up(engine, settings)
    for number in range(first, MOST_STATEMENTS, EVERY):
        before = len(engine.bill)
        seen = _Statements(number)
        with connection.execute_wrapper(seen):
            made = _lived(cast, life)
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
