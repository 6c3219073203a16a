"""Which database role can do what to the trail. Raw connections: nothing of the application stands in between."""

from __future__ import annotations

from typing import Any

import psycopg2
import pytest
from psycopg2 import errors

from tests.audit.conftest import Written
from tests.conftest import as_superuser

TABLES = ("audit_auditevent", "audit_audithead")
TRIGGERS = {
    "audit_auditevent": ("audit_event_append_only", "audit_event_no_truncate"),
    "audit_audithead": ("audit_head_only_forward", "audit_head_no_truncate"),
}
WRITES = {
    "update": "UPDATE {table} SET hash = repeat('0', 64)",
    "update one column back to itself": "UPDATE {table} SET hash = hash",
    "delete": "DELETE FROM {table}",
    "truncate": "TRUNCATE {table}",
    "truncate and what hangs on it": "TRUNCATE {table} CASCADE",
}
TAMPERING = {
    "disable a trigger": "ALTER TABLE {table} DISABLE TRIGGER {trigger}",
    "disable every trigger": "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "drop a trigger": "DROP TRIGGER {trigger} ON {table}",
    "replica role": "SET session_replication_role = replica",
    "replica role for the transaction": "SET LOCAL session_replication_role = replica",
    "replica role by function": "SELECT set_config('session_replication_role', 'replica', true)",
    "no row-level security": "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    "no forced row-level security": "ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
    "drop the policy": "DROP POLICY tenant_scope ON {table}",
    "drop the table": "DROP TABLE {table}",
    "a rule": "CREATE RULE quiet AS ON UPDATE TO {table} DO INSTEAD NOTHING",
    "another trigger": "CREATE TRIGGER quiet BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "another function": "CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "drop the function": "DROP FUNCTION audit_refuse_change CASCADE",
    "become the owner": "SET ROLE dtat_owner",
    "own it": "ALTER TABLE {table} OWNER TO dtat_app",
    "overwrite on conflict": "INSERT INTO {table} SELECT * FROM {table} ON CONFLICT ({key}) DO UPDATE SET hash = 'x'",
}  # fmt: skip
KEYS = {"audit_auditevent": "id", "audit_audithead": "chain"}


def attempts(kinds: dict[str, str]) -> list[Any]:
    found = []
    for table in TABLES:
        for name, statement in kinds.items():
            for trigger in TRIGGERS[table] if "{trigger}" in statement else ("",):
                text = statement.format(table=table, trigger=trigger, key=KEYS[table])
                found.append(pytest.param(text, id=f"{table}-{name}-{trigger}"))
    return found


def everything() -> tuple[Any, Any]:
    """All rows of both tables."""
    with as_superuser() as cursor:
        cursor.execute("SELECT array_agg(e ORDER BY id) FROM audit_auditevent e")
        rows = cursor.fetchone()
        cursor.execute("SELECT array_agg(h ORDER BY chain) FROM audit_audithead h")
        return rows, cursor.fetchone()


def attempt(role: str, statement: str) -> None:
    """The statement as this role, with every row in view, committed."""
    with as_superuser(role) as cursor:
        cursor.execute("SELECT set_config('dtat.everything', 'on', true)")
        cursor.execute(statement)


@pytest.mark.parametrize("statement", attempts(WRITES | TAMPERING))
def test_the_app_role_is_refused(written: Written, statement: str) -> None:
    before = everything()
    with pytest.raises(errors.InsufficientPrivilege):
        attempt("app", statement)
    assert everything() == before


@pytest.mark.parametrize(
    ("role", "table", "rights"),
    [
        ("dtat_app", "audit_auditevent", {"SELECT", "INSERT"}),
        ("dtat_app", "audit_audithead", {"SELECT", "INSERT", "UPDATE"}),
        ("dtat_auditor", "audit_auditevent", {"SELECT"}),
        ("dtat_auditor", "audit_audithead", {"SELECT"}),
    ],
)
def test_rights_are_withheld_also_where_no_trigger_would_be(
    written: Written, role: str, table: str, rights: set[str]
) -> None:
    with as_superuser() as cursor:
        cursor.execute(
            "SELECT array_agg(p) FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p "
            "WHERE has_table_privilege(%s, %s, p)",
            [role, table],
        )
        assert set(cursor.fetchone()[0]) == rights


@pytest.mark.parametrize("statement", attempts(WRITES))
def test_the_owner_is_stopped_by_the_triggers(written: Written, statement: str) -> None:
    before = everything()
    with pytest.raises(errors.InsufficientPrivilege, match=r"append-only|only moves to the next event"):
        attempt("owner", statement)
    assert everything() == before


@pytest.mark.parametrize("statement", attempts(WRITES | TAMPERING))
def test_the_auditor_role_is_refused(written: Written, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        attempt("auditor", statement)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO audit_audithead (chain, tenant_id, seq, hash) VALUES ('x', gen_random_uuid(), 0, '')",
        "INSERT INTO tenants_tenant (id, name, slug, created_at) VALUES (gen_random_uuid(), 'x', 'x', now())",
        "UPDATE ocr_document SET status = 'approved'",
        "DELETE FROM tenants_membership",
        "SELECT nextval('audit_auditevent_id_seq')",
        "CREATE TABLE mine (id int)",
    ],
)
def test_the_auditor_role_writes_nothing_else_either(written: Written, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        attempt("auditor", statement)


def test_the_auditor_role_reads_every_tenant_without_a_scope(written: Written) -> None:
    with as_superuser("auditor") as cursor:
        cursor.execute("SELECT DISTINCT tenant_id::text FROM audit_auditevent")
        assert {tenant for (tenant,) in cursor.fetchall()} == {str(written.a.pk), str(written.b.pk)}


@pytest.mark.parametrize(
    "change",
    ["seq = seq + 2", "seq = seq - 1", "seq = 0", "tenant_id = gen_random_uuid(), seq = seq + 1", "chain = 'document:x', seq = seq + 1"],
)  # fmt: skip
def test_a_head_moves_only_to_the_next_event(written: Written, change: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match="only moves to the next event"):
        attempt("app", f"UPDATE audit_audithead SET {change} WHERE chain = '{written.chains[0]}'")


@pytest.mark.parametrize("role", ["app", "owner"])
def test_without_a_scope_there_is_nothing_to_see(written: Written, role: str) -> None:
    with as_superuser(role) as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,)


def test_the_kinds_are_closed(written: Written) -> None:
    with pytest.raises(psycopg2.errors.CheckViolation):
        attempt(
            "app",
            "INSERT INTO audit_auditevent (chain, seq, tenant_id, document_id, kind, at, actor, step, codes, request_id, "
            "previous_hash, hash) VALUES ('x', 1, gen_random_uuid(), '', 'FORGOTTEN', now(), '', '', '{}', '', '', '')",
        )
