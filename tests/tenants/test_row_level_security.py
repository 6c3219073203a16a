"""What stands behind the application's own filters: the database, for the role that the application connects as."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from psycopg2 import errors
from pytest_django.plugin import DjangoDbBlocker

from audit.models import AuditEvent, AuditHead
from tenants.models import Role, Tenant, TenantOwned
from tests import conftest, make
from tests.conftest import as_superuser

GUARDED: list[type[models.Model]] = [
    *(model for model in apps.get_models() if issubclass(model, TenantOwned)),
    Tenant,
    AuditEvent,
    AuditHead,
]
TABLES = {model._meta.db_table: "id" if model is Tenant else "tenant_id" for model in GUARDED}
# Those in which receiving a document with a key leaves rows; the others are empty here and only their catalog entry is looked at.
FILLED = [
    "tenants_tenant", "tenants_membership", "tenants_apikey", "audit_auditevent", "audit_audithead",
    "ocr_document", "ocr_artifact", "ocr_outboxevent", "ocr_idempotencykey",
]  # fmt: skip


@pytest.fixture(scope="module")
def two(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[str, str]]:
    """Two tenants with people, keys and a document each, committed once for the module; their ids."""
    with django_db_blocker.unblock():
        tenants = make.tenant("Alder"), make.tenant("Birch")
        for tenant in tenants:
            make.key(tenant, make.user(tenant, Role.UPLOADER))
            make.receive(tenant, idempotency_key=f"once-{tenant.slug}")
        yield str(tenants[0].pk), str(tenants[1].pk)
        conftest.empty_tables()


class view:  # used like a function
    """The app role's cursor with exactly these tenants in view; what it did is committed."""

    def __init__(self, *tenants: str) -> None:
        self.opened = as_superuser("app")
        self.tenants = "{" + ",".join(tenants) + "}"

    def __enter__(self) -> Any:
        cursor = self.opened.__enter__()
        cursor.execute("SELECT set_config('dtat.tenants', %s, true)", [self.tenants])
        return cursor

    def __exit__(self, *error: Any) -> None:
        self.opened.__exit__(*error)


def rows(table: str, tenant: str) -> list[dict[str, Any]]:
    with as_superuser() as cursor:
        cursor.execute(f"SELECT to_json(t) FROM {table} t WHERE {TABLES[table]} = %s", [tenant])
        return [row for (row,) in cursor.fetchall()]


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_tenants_table_has_forced_row_level_security_and_its_policies(two: Any, table: str) -> None:
    with as_superuser() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity, relowner::regrole::text FROM pg_class WHERE oid = %s::regclass",
            [table],
        )
        assert cursor.fetchone() == (True, True, "dtat_owner")
        cursor.execute(
            "SELECT policyname, permissive, roles::text[], cmd, qual, with_check FROM pg_policies WHERE tablename = %s",
            [table],
        )
        policies = {row[0]: row[1:] for row in cursor.fetchall()}
    assert set(policies) == {"tenant_scope", "auditor_reads"}
    assert policies["auditor_reads"] == ("PERMISSIVE", ["dtat_auditor"], "SELECT", "true", None)
    permissive, roles, command, shown, written = policies["tenant_scope"]
    assert (permissive, roles, command, shown) == ("PERMISSIVE", ["public"], "ALL", written)
    assert f"({TABLES[table]} = ANY" in shown


def test_every_table_with_a_tenant_is_guarded(two: Any) -> None:
    with as_superuser() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant_id'"
        )
        assert {table for (table,) in cursor.fetchall()} == set(TABLES) - {"tenants_tenant"}


@pytest.mark.parametrize("table", FILLED)
def test_the_database_shows_one_tenant_only_its_own(two: tuple[str, str], table: str) -> None:
    a, b = two
    assert rows(table, a)
    assert rows(table, b)
    for tenants, wanted in (((a,), {a}), ((b,), {b}), ((a, b), {a, b}), ((), set())):
        with view(*tenants) as cursor:
            cursor.execute(f"SELECT {TABLES[table]}::text FROM {table}")
            assert {tenant for (tenant,) in cursor.fetchall()} == wanted


@pytest.mark.parametrize("table", FILLED)
def test_nothing_is_shown_where_no_scope_was_set(two: tuple[str, str], table: str) -> None:
    with as_superuser("app") as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("table", FILLED)
def test_a_row_for_another_tenant_is_refused(two: tuple[str, str], table: str) -> None:
    a, b = two
    insert = f"INSERT INTO {table} SELECT * FROM json_populate_record(NULL::{table}, %s)"
    foreign = json.dumps(rows(table, b)[0])
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"), view(a) as cursor:
        cursor.execute(insert, [foreign])
    with pytest.raises(errors.UniqueViolation), view(b) as cursor:  # the same row passes where it belongs
        cursor.execute(insert, [foreign])


@pytest.mark.parametrize("table", FILLED)
def test_a_row_cannot_be_given_to_another_tenant(two: tuple[str, str], table: str) -> None:
    a, b = two
    refusals = (errors.InsufficientPrivilege, errors.CheckViolation)
    with pytest.raises(refusals), view(a) as cursor:
        cursor.execute(f"UPDATE {table} SET {TABLES[table]} = %s", [b])


@pytest.mark.parametrize("table", [table for table in FILLED if not table.startswith("audit_")])
def test_another_tenants_rows_cannot_be_changed_or_deleted(two: tuple[str, str], table: str) -> None:
    a, b = two
    before = rows(table, b)
    with view(a) as cursor:
        cursor.execute(f"UPDATE {table} SET {TABLES[table]} = {TABLES[table]} WHERE {TABLES[table]} = %s", [b])
        assert cursor.rowcount == 0
        cursor.execute(f"DELETE FROM {table} WHERE {TABLES[table]} = %s", [b])
        assert cursor.rowcount == 0
    assert rows(table, b) == before
