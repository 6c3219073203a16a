"""Row-level security: which tenants' rows the database shows, for the length of one transaction.

The application's own filter is `visible_to(user)`; this is what stands behind it. `SET LOCAL` ends with the transaction, so a
pooled connection never carries one person's view to the next. Outside a scope the database shows no tenant's rows at all.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection, migrations, transaction

TENANTS = "dtat.tenants"
EVERYTHING = "dtat.everything"


@contextmanager
def scope(tenant_ids: Iterable[UUID | str]) -> Iterator[None]:
    """A transaction that sees and writes the rows of these tenants only."""
    wanted = "{" + ",".join(str(UUID(str(tenant_id))) for tenant_id in tenant_ids) + "}"
    with _transaction(wanted, "off"):
        yield


@contextmanager
def everything() -> Iterator[None]:
    """A transaction that sees every tenant: for sign-in, the sweeper, `verify` and platform admins, nothing else."""
    with _transaction("{}", "on"):
        yield


class _Here(threading.local):
    """What this thread's connection shows now, since a transaction began here; None outside."""

    view: tuple[str, str] | None = None


_here = _Here()


@contextmanager
def _transaction(tenants: str, all_of_them: str) -> Iterator[None]:
    before, _here.view = _here.view, (tenants, all_of_them)
    try:
        if not connection.in_atomic_block:
            with transaction.atomic(), connection.cursor() as cursor:
                _set(cursor, tenants, all_of_them)
                yield  # its end is the transaction's, which takes the settings back
        elif before == _here.view:
            with transaction.atomic():
                yield  # what is shown is what was shown
        else:
            with _another(tenants, all_of_them):
                yield
    finally:
        _here.view = before


@contextmanager
def _another(tenants: str, all_of_them: str) -> Iterator[None]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting(%s, true), current_setting(%s, true), set_config(%s, %s, true), set_config(%s, %s, true)",
            [TENANTS, EVERYTHING, TENANTS, tenants, EVERYTHING, all_of_them],
        )
        before = cursor.fetchone()
        yield
        # An outer scope goes on with its own view. After an error the savepoint's rollback restores it.
        if not connection.needs_rollback:
            _set(cursor, before[0] or "", before[1] or "")


def _set(cursor: Any, tenants: str, all_of_them: str) -> None:
    cursor.execute(
        "SELECT set_config(%s, %s, true), set_config(%s, %s, true)", [TENANTS, tenants, EVERYTHING, all_of_them]
    )


def protect(table: str, *, column: str | None = "tenant_id") -> migrations.RunSQL:
    """A migration step: FORCE row-level security on `table`, for its owner too; the auditor role reads every tenant.

    Without a `column` the rows are no tenant's in particular: they are there only where everything is shown.
    """
    all_shown = f"(SELECT current_setting('{EVERYTHING}', true)) = 'on'"
    theirs = f" OR {column} = ANY ((SELECT nullif(current_setting('{TENANTS}', true), ''))::uuid[])" if column else ""
    seen = f"({all_shown}{theirs})"
    return migrations.RunSQL(
        sql=f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
            CREATE POLICY tenant_scope ON {table} USING {seen} WITH CHECK {seen};
            CREATE POLICY auditor_reads ON {table} FOR SELECT TO dtat_auditor USING (true);
        """,
        reverse_sql=f"""
            DROP POLICY auditor_reads ON {table};
            DROP POLICY tenant_scope ON {table};
            ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
            ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
        """,
    )
