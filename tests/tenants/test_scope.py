"""Which tenants' rows the database shows, and for how long."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from tenants import scope
from tenants.models import Tenant
from tests import make


def seen() -> set[str]:
    """Every tenant that the database shows, without any filter of the application."""
    return set(Tenant.objects.values_list("name", flat=True))


@pytest.fixture
def two(db: None) -> tuple[Tenant, Tenant]:
    return make.tenant("Alder"), make.tenant("Birch")


def test_a_scope_shows_its_tenants_and_nothing_else(two: tuple[Tenant, Tenant]) -> None:
    a, b = two
    assert seen() == set()
    with scope.scope([a.pk]):
        assert seen() == {"Alder"}
    with scope.scope([str(b.pk)]):
        assert seen() == {"Birch"}
    with scope.scope([a.pk, b.pk]):
        assert seen() == {"Alder", "Birch"}
    with scope.scope([]):
        assert seen() == set()
    with scope.everything():
        assert seen() == {"Alder", "Birch"}
    assert seen() == set()


def test_an_inner_scope_gives_the_view_back(two: tuple[Tenant, Tenant]) -> None:
    a, b = two
    with scope.scope([a.pk]):
        with scope.everything():
            assert seen() == {"Alder", "Birch"}
            with scope.scope([b.pk]):
                assert seen() == {"Birch"}
            assert seen() == {"Alder", "Birch"}
        assert seen() == {"Alder"}


def test_an_inner_scope_that_fails_gives_the_view_back_too(two: tuple[Tenant, Tenant]) -> None:
    a, _b = two
    with scope.scope([a.pk]):
        with pytest.raises(ZeroDivisionError), scope.everything():
            raise ZeroDivisionError
        assert seen() == {"Alder"}
        with pytest.raises(transaction.TransactionManagementError), scope.everything():
            transaction.set_rollback(True)
            seen()
        assert seen() == {"Alder"}


@pytest.mark.parametrize("text", ["", "x", "},{", "00000000-0000-0000-0000-000000000000}'; SELECT 1"])
def test_a_scope_takes_ids_only(db: None, text: str) -> None:
    with pytest.raises(ValueError, match="badly formed"), scope.scope([text]):
        pass


@pytest.mark.parametrize("ends", ["commit", "rollback"])
@pytest.mark.django_db(transaction=True)
def test_no_view_outlives_its_transaction_on_the_same_connection(ends: str) -> None:
    a = make.tenant("Alder")
    seen()
    before = connection.connection
    for view in (scope.everything(), scope.scope([a.pk])):
        with transaction.atomic():
            with view:
                assert seen() == {"Alder"}
            transaction.set_rollback(ends == "rollback")
        assert connection.connection is before
        assert seen() == set()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('dtat.everything', true), current_setting('dtat.tenants', true)")
            assert cursor.fetchone() in {(None, None), ("", "")}


@pytest.mark.django_db(transaction=True)
def test_the_view_ends_with_the_transaction_and_with_an_error() -> None:
    """Outermost, where no transaction of a test is around it: the connection carries nothing on."""
    a, b = make.tenant("Alder"), make.tenant("Birch")
    with scope.scope([a.pk]):
        assert seen() == {"Alder"}
        with scope.scope([b.pk]):
            assert seen() == {"Birch"}
        assert seen() == {"Alder"}
    assert seen() == set()
    with pytest.raises(ZeroDivisionError), scope.everything():
        assert seen() == {"Alder", "Birch"}
        raise ZeroDivisionError
    assert seen() == set()


def test_the_same_scope_once_more_is_a_transaction_of_its_own_and_asks_nothing(
    two: tuple[Tenant, Tenant], django_assert_num_queries: Any
) -> None:
    a, b = two
    with scope.scope([a.pk]):
        with django_assert_num_queries(2), scope.scope([a.pk]):  # a savepoint and its end
            pass
        with pytest.raises(ZeroDivisionError), scope.scope([a.pk]):
            Tenant.objects.filter(pk=a.pk).update(name="Ash")
            raise ZeroDivisionError
        assert seen() == {"Alder"}
        with scope.scope([b.pk]), scope.scope([b.pk]):
            assert seen() == {"Birch"}
        with scope.scope([a.pk]):
            assert seen() == {"Alder"}
    assert seen() == set()
