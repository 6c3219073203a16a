"""The next document is a few steps along an index, however many wait and however many of them are somebody else's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection, transaction

from review import worklist
from tenants import access
from tests import make
from tests.conftest import as_superuser
from tests.engine import Engine

pytestmark = pytest.mark.django_db(transaction=True)

WAITING, APART = 20_000, 300
# As many documents again as the one that is there, later in the queue; the first few of them in each state that keeps them from ada.
COPIES = """
    INSERT INTO ocr_document
    SELECT (jsonb_populate_record(d, jsonb_build_object('id', gen_random_uuid(), 'turn_at', d.turn_at + n * interval '1 s'))).*
      FROM ocr_document AS d, generate_series(1, %(waiting)s) AS n
"""
STATES = """
    CREATE TEMPORARY TABLE ranked AS SELECT id, tenant_id, version, row_number() OVER (ORDER BY turn_at) AS n FROM ocr_document;
    INSERT INTO review_escalation (document_id, tenant_id, note, escalated_by, escalated_at)
    SELECT id, tenant_id, '', 'user:sue', now() FROM ranked WHERE n <= %(apart)s;
    INSERT INTO review_aside (document_id, tenant_id, holder_id, until, times)
    SELECT id, tenant_id, %(ada)s, now() + interval '1 hour', 1 FROM ranked WHERE n BETWEEN %(apart)s + 1 AND 2 * %(apart)s;
    INSERT INTO review_check (document_id, tenant_id, version, number, person_id, reviewer, said, differs, added_rows, note, checked_at)
    SELECT id, tenant_id, version, 1, %(ada)s, 'user:ada', '{}', '[]', '[]', '', now()
      FROM ranked WHERE n BETWEEN 2 * %(apart)s + 1 AND 3 * %(apart)s;
    INSERT INTO review_comment (document_id, tenant_id, field, text, author_id, asked_id, written_at)
    SELECT id, tenant_id, '', '', %(ada)s, %(sue)s, now() FROM ranked WHERE n BETWEEN 3 * %(apart)s + 1 AND 4 * %(apart)s;
    INSERT INTO review_assignment (document_id, tenant_id, person_id, assigned_by, assigned_at)
    SELECT id, tenant_id, %(sue)s, 'user:sue', now() FROM ranked WHERE n BETWEEN 4 * %(apart)s + 1 AND 5 * %(apart)s;
"""


def test_the_next_document_is_found_along_the_index(cast: make.Cast, engine: Engine) -> None:
    make.document(cast.a, "needs_review")
    given = {"waiting": WAITING, "apart": APART, "ada": cast.ada.pk, "sue": cast.sue.pk}
    with as_superuser() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(COPIES, given)
        cursor.execute(STATES, given)
    with as_superuser() as cursor:
        cursor.execute("ANALYZE")
    asked: dict[str, Any] = {
        "tenants": [str(cast.a.pk)],
        "supervised": [],
        "holder": cast.ada.pk,
        "without": [],
        "offers": worklist.OFFERS[0],
        "wanted": 2,
        "to_open": 1,
        "seconds": 60,
    }
    with access.scope_of(cast.ada), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {worklist.NEXT_SQL}", asked)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        transaction.set_rollback(True)  # what it claimed
    assert "Seq Scan on ocr_document" not in plan, plan
    looked_at = [int(found) for found in re.findall(r"ocr_document.*?actual rows=(\d+)", plan)]
    assert max(looked_at) <= 5 * APART + 2 * worklist.OFFERS[0], plan
    handed = worklist.hand_out(cast.ada)
    assert handed.current and handed.reserved
    for claim, before in ((handed.current, 5 * APART), (handed.reserved, 5 * APART + 1)):
        with as_superuser() as cursor:
            cursor.execute(
                "SELECT count(*) FROM ocr_document WHERE turn_at < (SELECT turn_at FROM ocr_document WHERE id = %s)",
                [str(claim.document_id)],
            )
            assert cursor.fetchone() == (before,)
