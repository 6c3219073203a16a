"""record, examine and verify, through the public functions."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from audit import log, trail
from audit.models import AuditEvent, Kind
from tenants import scope
from tests import make
from tests.audit.conftest import events, story
from tests.conftest import as_superuser


@pytest.mark.django_db
def test_events_follow_from_each_other() -> None:
    found = events(story(make.tenant().pk, length=3))
    assert [event.seq for event in found] == [1, 2, 3]
    assert [event.previous_hash for event in found] == ["", found[0].hash, found[1].hash]
    assert all(event.hash == trail.digest(event) for event in found)


@pytest.mark.django_db
def test_an_event_without_a_document_is_on_the_tenants_chain() -> None:
    tenant = make.tenant()
    with scope.everything(), log.caused_by("request-12345"):
        event = trail.record(Kind.KEY_ISSUED, tenant_id=tenant.pk, actor="user:ada")
    assert (event.chain, event.document_id, event.request_id) == (f"tenant:{tenant.pk}", "", "request-12345")


@pytest.mark.django_db(transaction=True)
def test_record_refuses_outside_a_transaction() -> None:
    tenant = make.tenant()
    with pytest.raises(transaction.TransactionManagementError, match="in the transaction of the change"):
        trail.record(Kind.VIEWED, tenant_id=tenant.pk, actor="user:ada")
    with scope.scope([tenant.pk]):
        trail.record(Kind.VIEWED, tenant_id=tenant.pk, actor="user:ada")
    assert [event.kind for event in events(f"tenant:{tenant.pk}")] == [Kind.VIEWED]


@pytest.mark.django_db(transaction=True)
def test_an_event_goes_with_its_transaction() -> None:
    tenant = make.tenant()
    with pytest.raises(ZeroDivisionError), scope.scope([tenant.pk]):
        trail.record(Kind.VIEWED, tenant_id=tenant.pk, actor="user:ada")
        raise ZeroDivisionError
    assert events(f"tenant:{tenant.pk}") == []
    with scope.everything():
        assert trail.examine().chains == 0


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ({"value": "Ada"}, "value"),
        ({"count": 1, "filename": "x.pdf"}, "filename"),
        ({"count": 0.5}, "whole numbers"),
        ({"counts": {"a": 1e16}}, "whole numbers"),
        ({"count": float("nan")}, "whole numbers"),
    ],
)
@pytest.mark.django_db
def test_record_refuses_codes_that_are_not_on_the_list_or_would_not_hold(codes: dict[str, Any], message: str) -> None:
    tenant = make.tenant()
    with scope.everything():
        with pytest.raises(ValueError, match=message):
            trail.record(Kind.VIEWED, tenant_id=tenant.pk, actor="user:ada", codes=codes)
        trail.record(Kind.VIEWED, tenant_id=tenant.pk, actor="user:ada", codes={"count": 1})
        assert trail.examine() == trail.Examination(chains=1, events=1, breaks=())


@pytest.mark.django_db
def test_whatever_record_takes_holds_when_it_is_read_again() -> None:
    tenant = make.tenant()
    odd: list[dict[str, object]] = [
        {"counts": {10: 1, 9: 2, "1": 3}},
        {"count": 10**40, "reasons": ("a", "b")},
        {"reason": 'quote " back \\ slash / ü 😀 \u2028', "claim": True, "target": None},
        {"kind": Kind.VIEWED, "counts": {"b": {"z": 1, "a": 2}, "a": []}},
    ]
    with scope.everything():
        for codes in odd:
            trail.record(Kind.VIEWED, tenant_id=tenant.pk, actor="user:ädä", codes=codes)
        assert trail.examine() == trail.Examination(chains=1, events=len(odd), breaks=())


@pytest.mark.django_db
def test_a_documents_chain_stays_with_its_tenant() -> None:
    a, b, document = make.tenant(), make.tenant(), uuid4()
    chain = story(a.pk, length=1, document_id=document)
    for view in (scope.everything(), scope.scope([b.pk])):
        with pytest.raises(ValueError, match="another tenant"), view:
            trail.record(Kind.VIEWED, tenant_id=b.pk, document_id=document, actor="user:ben")
    assert len(events(chain)) == 1


@pytest.mark.django_db(transaction=True)
def test_eight_threads_on_one_chain_get_consecutive_numbers() -> None:
    tenant, document, failed = make.tenant(), uuid4(), []
    together = threading.Barrier(8)

    def write() -> None:
        try:
            together.wait(10)
            for _ in range(5):
                with scope.scope([tenant.pk]):
                    trail.record(Kind.VIEWED, tenant_id=tenant.pk, document_id=document, actor="user:ada")
        except Exception as error:  # shown below
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert [event.seq for event in events(f"document:{document}")] == list(range(1, 41))
    with scope.everything():
        assert trail.examine() == trail.Examination(chains=1, events=40, breaks=())


@pytest.mark.django_db
def test_one_version_has_one_event() -> None:
    tenant, document = make.tenant(), uuid4()
    chain = story(tenant.pk, length=1, document_id=document)
    with pytest.raises(Exception, match="audit_one_row_per_version"), scope.everything():
        trail.record(Kind.VIEWED, tenant_id=tenant.pk, document_id=document, version=1, actor="user:ada")
    assert len(events(chain)) == 1


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 2000])
@pytest.mark.django_db
def test_verifying_counts_and_holds_wherever_a_page_ends(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "_PAGE_ROWS", rows)
    tenant = make.tenant()
    chains = [story(tenant.pk, length=length) for length in (1, 2, 3, 6)]
    with scope.everything():
        assert trail.examine() == trail.Examination(chains=4, events=12, breaks=())
        assert trail.examine(chains[1:3]) == trail.Examination(chains=2, events=5, breaks=())
        assert trail.examine(["document:nobody"]) == trail.Examination(chains=0, events=0, breaks=())
        assert trail.verify() == []


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.django_db
def test_events_written_while_verifying_are_no_breaks(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "_PAGE_ROWS", rows)
    tenant = make.tenant()
    for length in (2, 3, 4):
        story(tenant.pk, length=length)
    grown: list[str] = []
    checked = trail._fault

    def write_meanwhile(link: Any, last: Any) -> str:
        if grown.count(link.chain) < 3:
            grown.append(link.chain)
            trail.record(Kind.VIEWED, tenant_id=tenant.pk, document_id=link.document_id, actor="user:ada")
        return checked(link, last)

    monkeypatch.setattr(trail, "_fault", write_meanwhile)
    with scope.everything():
        assert trail.verify() == []
    assert len(grown) >= 8  # the chain of two may be done before it grows a third time


@pytest.mark.django_db
def test_a_tenants_chains_are_examined_alone() -> None:
    a, b = make.tenant(), make.tenant()
    story(a.pk, length=2)
    story(b.pk, length=3)
    with scope.everything():
        assert trail.examine(tenant_ids=[a.pk]) == trail.Examination(chains=1, events=2, breaks=())
        assert trail.examine(tenant_ids=[]) == trail.Examination(chains=0, events=0, breaks=())


@pytest.mark.django_db
def test_the_fast_reading_of_rows_is_that_of_an_export() -> None:
    story(make.tenant().pk, length=5)
    with scope.everything():
        links = list(trail._links({"chains": None, "tenants": None}))
        rows = [trail.as_dict(event) for event in AuditEvent.objects.order_by("seq")]
    assert [trail._hash_of(link) for link in links] == [row["hash"] for row in rows]
    assert [link.at for link in links] == [row["at"] for row in rows]


def test_the_superuser_of_the_tests_is_one() -> None:
    """What the other files prove rests on it: they change rows with the triggers off."""
    with as_superuser() as cursor:
        cursor.execute("SHOW is_superuser")
        assert cursor.fetchone() == ("on",)
