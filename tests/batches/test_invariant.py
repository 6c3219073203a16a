"""`verify` finds a batch that does not add up."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db.models import F
from django.db.models.functions import Now

from dtat_site import invariants
from ocr.models import Batch, BatchItem, Document, OutboxEvent
from tenants import scope
from tests import make
from tests.batches import manifest as m

pytestmark = pytest.mark.django_db


def found() -> list[str]:
    """The others need documents that were really read."""
    ((says, look),) = [(says, look) for says, (id_, look) in invariants.CHECKS.items() if id_ == "I12"]
    invariant = invariants.Invariant("I12", says)
    with scope.everything():
        look(invariant, {})
    assert invariant.checked == 2
    return invariant.broken


@pytest.fixture
def ended(cast: make.Cast, folder: Path) -> Batch:
    m.submit(cast.a, m.rows(folder, 1))
    return m.run(m.submit(cast.a, m.rows(folder, 2)))


def test_batches_that_add_up_are_no_finding(ended: Batch) -> None:
    assert found() == []


def test_each_way_not_to_add_up_is_found(cast: make.Cast, ended: Batch) -> None:
    items = BatchItem.objects.filter(batch=ended)
    with scope.everything():
        document = items.first().document  # type: ignore[union-attr]
        Batch.objects.filter(pk=ended.pk).update(total=F("total") + 1)
        assert found() == [f"batch {ended.pk} has 2 rows instead of 3"]
        Batch.objects.filter(pk=ended.pk).update(total=F("total") - 1)

        OutboxEvent.objects.filter(batch_id=ended.pk).update(type="batch.stopped")
        assert found() == [f"batch {ended.pk} said 0 times that it ended"]
        OutboxEvent.objects.filter(batch_id=ended.pk).update(type="batch.completed", created_at=Now())

        items.filter(row=1).update(document=None)
        assert found() == [f"document {document.pk} belongs to no row of a batch"]
        items.filter(row=1).update(state="submitted")
        assert f"batch {ended.pk} row 1 has no document" in found()
        items.filter(row=1).update(document=None, state="pending")
        assert found()[-1] == f"batch {ended.pk} has ended with rows open"
        items.filter(row=1).update(document=document, state="done", tenant=cast.b)
        assert f"batch {ended.pk} row 1 has a document of another tenant" in found()
        assert f"batch {ended.pk} row 1 has another tenant" in found()
        assert Document.objects.filter(pk=document.pk).exists()
