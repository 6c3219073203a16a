"""The check that every commit makes of a changed document stays cheap, however long its tenant's trail is."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from tenants import scope
from tests.conftest import as_superuser

pytestmark = pytest.mark.django_db
BY_DOCUMENT = {"audit_one_row_per_version", "audit_chain_seq"}


def guard_query() -> str:
    """What the deferred trigger asks, with a document's values in it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'ocr_status_audited'")
        (source,) = cursor.fetchone()
    (query,) = re.findall(r"EXISTS \((.*?)\);", source, re.DOTALL)
    values = {"NEW.id": f"'{uuid4()}'::text", "NEW.version": "3", "NEW.tenant_id": f"'{uuid4()}'::uuid"}
    for name, value in values.items():
        query = query.replace(name, value)
    return str(query)


def used_by(explained: str) -> set[str]:
    return set(re.findall(r"Index (?:Only )?Scan (?:using|on) (\w+)", explained))


def explain(cursor: Any) -> str:
    cursor.execute("SET LOCAL enable_seqscan = off")  # the test's table is small; the trail is not
    cursor.execute(f"EXPLAIN {guard_query()}")
    return "\n".join(line for (line,) in cursor.fetchall())


def test_it_looks_an_audit_row_up_by_its_document() -> None:
    with scope.everything(), connection.cursor() as cursor:
        plan = explain(cursor)
    assert used_by(plan) and used_by(plan) <= BY_DOCUMENT, plan


def test_no_statistics_can_make_it_walk_through_the_tenant_s_trail() -> None:
    """Without the two right indexes it could take no other: so it never takes another one beside them."""
    with as_superuser() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DROP CONSTRAINT audit_chain_seq")
        cursor.execute("DROP INDEX audit_one_row_per_version")
        assert used_by(explain(cursor)) == set()
        cursor.connection.rollback()
