"""The next document, and the next of a lane, are a few steps along an index, however many wait and however many are somebody else's."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from review import lanes, worklist
from review.views import TABS
from tenants import access
from tests import make
from tests.conftest import as_superuser
from tests.engine import Engine

pytestmark = pytest.mark.django_db(transaction=True)

WAITING, APART, MOST = 20_000, 300, 1001
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
# As many documents again as the one that is there, later in the queue; the first few of them in each state that keeps them from ada.
COPIES = """
    INSERT INTO ocr_document
    SELECT (jsonb_populate_record(d, jsonb_build_object('id', gen_random_uuid(), 'turn_at', d.turn_at + n * interval '1 s',
                                                      'received_at', d.received_at - interval '30 days'))).*
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


# Their fields, as those of the document that is there; the first are answered already.
FIELDS = """
    INSERT INTO ocr_field
    SELECT (jsonb_populate_record(f, jsonb_build_object('id', nextval(pg_get_serial_sequence('ocr_field', 'id')), 'document_id', d.id))).*
      FROM ocr_field AS f, ocr_document AS d WHERE d.id <> f.document_id AND f.name = 'total';
    INSERT INTO review_laneanswer (document_id, tenant_id, version, field, act, value, answered_by, answered_at)
    SELECT id, tenant_id, version, 'total', 'confirmed', '', 'user:sue', now()
      FROM ranked WHERE n BETWEEN 5 * %(apart)s + 1 AND 6 * %(apart)s;
"""


def crowd(cast: make.Cast, *more: str) -> None:
    """A long queue, its beginning somebody else's."""
    given = {"waiting": WAITING, "apart": APART, "ada": cast.ada.pk, "sue": cast.sue.pk}
    with as_superuser() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statements in (COPIES, STATES, *more):
            cursor.execute(statements, given)
    with as_superuser() as cursor:
        cursor.execute("ANALYZE")


def planned(cast: make.Cast, statement: str, asked: dict[str, Any]) -> str:
    with access.scope_of(cast.ada), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", asked)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        transaction.set_rollback(True)  # what it claimed
    return plan


def place(document_id: Any) -> int:
    """How many documents come before it."""
    with as_superuser() as cursor:
        cursor.execute(
            "SELECT count(*) FROM ocr_document WHERE turn_at < (SELECT turn_at FROM ocr_document WHERE id = %s)",
            [str(document_id)],
        )
        (before,) = cursor.fetchone() or (-1,)
    return int(before)


def most(plan: str) -> int:
    """The most rows that one step of the plan takes from the documents."""
    return max(int(found) for found in re.findall(r"ocr_document.*?actual rows=(\d+)", plan))


def test_the_next_document_is_found_along_the_index(cast: make.Cast, engine: Engine) -> None:
    make.document(cast.a, "needs_review")
    crowd(cast)
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
    plan = planned(cast, worklist.NEXT_SQL, asked)
    assert "Seq Scan on ocr_document" not in plan, plan
    assert most(plan) <= 5 * APART + 2 * worklist.OFFERS[0], plan
    handed = worklist.hand_out(cast.ada)
    assert handed.current and handed.reserved
    assert [place(claim.document_id) for claim in (handed.current, handed.reserved)] == [5 * APART, 5 * APART + 1]
    for user in (cast.ada, cast.sue):
        counted, listed = lengths(user)
        assert counted == listed
        assert counted.keys() == {*TABS, "apart"} - {"waiting"}
        assert counted["apart"] >= APART
        assert counted["soon"] == MOST, "all the others were received long ago"


def lengths(user: Any) -> tuple[dict[str, int], dict[str, int]]:
    """How long the lists are said to be, and are, up to MOST."""
    with access.scope_of(user):
        counted = worklist.lengths(user, since=LONG_AGO, most=MOST, most_apart=2 * MOST)
        listed = {name: worklist.listed(name, user, since=LONG_AGO).count() for name in counted}
    return counted, {name: min(count, 2 * MOST if name == "apart" else MOST) for name, count in listed.items()}


def test_the_next_rows_of_a_lane_are_found_along_the_index(cast: make.Cast, engine: Engine) -> None:
    make.document(cast.a, "needs_review")
    crowd(cast, FIELDS)
    of = lanes.lane("receipt", "total")
    asked = lanes._asked(cast.ada, of, ()) | {"wanted": 20, "offers": 40}
    plan = planned(cast, lanes.NEXT_SQL, asked)
    assert "Seq Scan on ocr_document" not in plan, plan
    assert most(plan) <= 6 * APART + 2 * 40, plan
    handed = lanes.hand_out(cast.ada, of, wanted=20)
    # Who has checked a document may still answer for a field of it; the rest of the beginning is somebody else's, or answered.
    assert len(handed) == 20
    assert min(place(each.document.pk) for each in handed) >= 2 * APART
