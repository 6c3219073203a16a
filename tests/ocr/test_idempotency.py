"""A request that is sent again with its key is done once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from ocr.idempotency import BadKey, KeyReused
from ocr.models import Document
from tenants import scope
from tests import make


@pytest.mark.django_db
def test_the_same_request_gets_the_same_document(cast: make.Cast) -> None:
    content = make.image()
    first = make.receive(cast.a, content, idempotency_key="k1")
    again = make.receive(cast.a, content, idempotency_key="k1")
    other = make.receive(cast.a, content, idempotency_key="k2")
    assert (first.repeated, again.repeated, other.repeated) == (False, True, False)
    assert again.document.pk == first.document.pk != other.document.pk
    assert len(make.files(cast.a)) == 2


@pytest.mark.django_db
def test_the_first_answer_stays_when_the_document_went_on(cast: make.Cast, engine: Any) -> None:
    content = make.image()
    made = make.document(cast.a, "approved", content=content, idempotency_key="k1")
    again = make.receive(cast.a, content, idempotency_key="k1")
    assert (again.repeated, again.document.pk) == (True, made.pk)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"content": make.image("other")},
        {"document_type": "invoice"},
        {"priority": "high"},
        {"external_id": "2"},
        {"metadata": {"a": 2}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_request_with_the_key_is_refused(cast: make.Cast, change: dict[str, Any]) -> None:
    given: dict[str, Any] = {"content": make.image("one"), "idempotency_key": "k1"}
    make.receive(cast.a, **given)
    with pytest.raises(KeyReused):
        make.receive(cast.a, **given | change)
    assert len(make.files(cast.a)) == 1
    with scope.everything():
        assert Document.objects.count() == 1


@pytest.mark.django_db
def test_keys_of_tenants_do_not_meet(cast: make.Cast) -> None:
    first = make.receive(cast.a, make.image("one"), idempotency_key="k1")
    other = make.receive(cast.b, make.image("two"), idempotency_key="k1")
    assert not other.repeated
    assert other.document.pk != first.document.pk


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "new\nline", "ключ", "\x7f"])
def test_a_key_that_is_none_is_refused(cast: make.Cast, key: str) -> None:
    with pytest.raises(BadKey):
        make.receive(cast.a, idempotency_key=key)
    assert make.files(cast.a) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("bodies", [1, 2], ids=["same", "different"])
def test_twenty_at_once_make_one_document(cast: make.Cast, bodies: int) -> None:
    contents = [make.image(f"body {number}") for number in range(bodies)]
    barrier = Barrier(20)

    def send(number: int) -> Any:
        try:
            barrier.wait(30)
            return make.receive(cast.a, contents[number % bodies], idempotency_key="k1")
        except KeyReused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        told = list(pool.map(send, range(20)))
    receipts = [each for each in told if not isinstance(each, KeyReused)]
    assert len(receipts) == 20 // bodies
    assert [receipt.repeated for receipt in receipts].count(False) == 1
    assert len({receipt.document.pk for receipt in receipts}) == 1
    with scope.everything():
        assert Document.objects.count() == 1
    assert len(make.files(cast.a)) == 1
    assert make.broken() == []
