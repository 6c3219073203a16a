"""The sweeper rings for what is due and forgotten: the urgent first, once, and never more than workers can answer."""

from __future__ import annotations

import pytest
from django.db.models.functions import Now
from django_q.models import OrmQ

from ocr import pipeline
from ocr.models import Document
from tenants import scope
from tests import engine as stub
from tests import make
from tests.engine import Engine

pytestmark = pytest.mark.django_db
LONG_AGO = "2020-01-01T00:00:00Z"


def _forget_bells(*documents: Document) -> None:
    """The queue was lost, and that was a while ago."""
    OrmQ.objects.all().delete()
    with scope.everything():
        Document.objects.filter(pk__in=[each.pk for each in documents]).update(rung_at=LONG_AGO)


def _rung() -> list[str]:
    return [arguments[1] for _task, arguments in make.doorbells()]


def test_a_lost_doorbell_is_rung_again_once(cast: make.Cast) -> None:
    made = make.document(cast.a)
    _forget_bells(made)
    assert (pipeline.sweep(), pipeline.sweep()) == (1, 0)
    assert make.doorbells() == [("ocr.tasks.advance", (str(cast.a.pk), str(made.pk)))]


def test_a_bell_that_was_just_rung_is_not_lost(cast: make.Cast) -> None:
    make.document(cast.a)
    assert pipeline.sweep() == 0
    assert len(make.doorbells()) == 1


def test_a_bell_that_nobody_answers_is_rung_again(cast: make.Cast) -> None:
    made = make.document(cast.a)
    _forget_bells(made)
    assert pipeline.sweep() == 1
    _forget_bells(made)
    assert pipeline.sweep() == 1


def test_the_urgent_first_and_then_the_older(cast: make.Cast) -> None:
    low, normal, high, older = (
        make.document(cast.a if priority != "high" else cast.b, priority=priority)
        for priority in ("low", "normal", "high", "normal")
    )
    with scope.everything():
        Document.objects.filter(pk=older.pk).update(due_at=LONG_AGO)
    _forget_bells(low, normal, high, older)
    assert pipeline.sweep(limit=3) == 3
    assert _rung() == [str(each.pk) for each in (high, older, normal)]
    OrmQ.objects.all().delete()
    assert pipeline.sweep(limit=3) == 1
    assert _rung() == [str(low.pk)]


def test_it_leaves_alone_what_waits_is_held_or_rests(cast: make.Cast, engine: Engine) -> None:
    waits = make.document(cast.a, "reading")
    rests = [make.document(cast.a, status) for status in ("needs_review", "approved", "rejected", "failed")]
    held = make.document(cast.a)
    with scope.everything():
        Document.objects.filter(pk=held.pk).update(lease_until="2100-01-01T00:00:00Z")
    _forget_bells(waits, held, *rests)
    assert pipeline.sweep() == 0
    make.due(waits)
    make.lease_expired(held)
    assert pipeline.sweep() == 2
    assert set(_rung()) == {str(waits.pk), str(held.pk)}


def test_a_wait_that_is_over_rings_at_once(cast: make.Cast, engine: Engine) -> None:
    """The document was rung for a moment ago, but for the step before."""
    engine.jobs_end(waits=stub.STUCK)
    made = make.document(cast.a, "reading")
    OrmQ.objects.all().delete()
    with scope.everything():
        Document.objects.filter(pk=made.pk).update(due_at=Now())
    assert pipeline.sweep() == 1


def test_a_full_queue_gets_no_further_bells(cast: make.Cast) -> None:
    documents = [make.document(cast.a) for _ in range(3)]
    _forget_bells(*documents)
    assert [pipeline.sweep(limit=2), pipeline.sweep(limit=2)] == [2, 0]
    OrmQ.objects.first().delete()
    assert pipeline.sweep(limit=2) == 1
    assert len(set(_rung())) == 2


def test_tasks_carry_ids_only(cast: make.Cast, engine: Engine) -> None:
    make.document(cast.a, "approved", filename="canary.png", external_id="canary")
    for row in OrmQ.objects.all():
        assert row.task["func"] in {"ocr.tasks.advance", "ocr.tasks.warm"}
        assert len(row.task["args"]) == 2 and all(len(id_) == 36 for id_ in row.task["args"])
        assert not row.task["kwargs"] and "canary" not in repr(row.task)


def test_doorbells_carry_a_document_to_its_rest(cast: make.Cast, engine: Engine) -> None:
    made = make.receive(cast.a).document
    for _ in range(5):
        make.answer_doorbells()
        make.due(made)
        pipeline.sweep()
    assert make.reload(made).status == "approved"
    assert make.broken() == []
