"""Many events at once: each chain grows in the order given, also while others write to it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection

from audit import trail
from audit.models import AuditEvent, Kind
from tenants import scope
from tests import make
from tests.ocr.conftest import cast as cast


def _entries(cast: make.Cast, chains: list[str], times: int) -> list[trail.Entry]:
    return [
        trail.Entry(
            kind=Kind.NORMALIZED, tenant_id=cast.a.pk, document_id=chain, actor="system", codes={"count": number}
        )
        for number in range(times)
        for chain in chains
    ]


@pytest.mark.django_db
def test_a_batch_is_what_single_records_would_be(cast: make.Cast) -> None:
    known, new = str(uuid4()), str(uuid4())
    with scope.scope([cast.a.pk]):
        trail.record(Kind.INGESTED, tenant_id=cast.a.pk, document_id=known, actor="user:ada")
        made = trail.record_all(_entries(cast, [known, new], 3))
    assert [(event.seq, event.codes["count"]) for event in made if event.document_id == known] == [
        (2, 0),
        (3, 1),
        (4, 2),
    ]
    assert [event.seq for event in made if event.document_id == new] == [1, 2, 3]
    with scope.everything():
        assert trail.verify() == []


@pytest.mark.django_db
def test_a_batch_of_nothing_writes_nothing(cast: make.Cast) -> None:
    with scope.scope([cast.a.pk]):
        assert trail.record_all([]) == []


@pytest.mark.django_db
def test_a_foreign_chain_stops_the_whole_batch(cast: make.Cast) -> None:
    foreign, own = str(uuid4()), str(uuid4())
    with scope.scope([cast.b.pk]):
        trail.record(Kind.INGESTED, tenant_id=cast.b.pk, document_id=foreign, actor="user:ben")
    with pytest.raises(ValueError, match="another tenant"), scope.scope([cast.a.pk]):
        trail.record_all(_entries(cast, [own, foreign], 1))
    with scope.everything():
        assert not AuditEvent.objects.filter(document_id=own).exists()


@pytest.mark.django_db(transaction=True)
def test_batches_at_the_same_time_share_chains(cast: make.Cast) -> None:
    chains = [str(uuid4()) for _ in range(6)]
    barrier = Barrier(4)

    def write(order: int) -> None:
        mine = chains if order % 2 else chains[::-1]
        for round_ in range(5):
            if round_ == 0:
                barrier.wait(20)
            with scope.scope([cast.a.pk]):
                trail.record_all(_entries(cast, mine, 2))
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    with scope.everything():
        assert AuditEvent.objects.filter(document_id__in=chains).count() == 4 * 5 * 2 * 6
        assert trail.verify() == []
