"""The next document, and the next of a lane, are a few steps along an index, however many wait and however many are somebody else's."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from audit import prepared
from ocr import listing
from ocr.models import Document
from review import decisions, lanes, worklist
from review.models import Aside, Assignment, Check, Claim, Comment, Escalation
from review.views import TABS
from tenants import access
from tests import make
from tests.conftest import as_superuser
from tests.engine import Engine
from tests.review import papers

pytestmark = pytest.mark.django_db(transaction=True)

WAITING, APART, MOST = 6_000, 300, 1001
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
    with access.scope_of(cast.ada):
        for _ in range(7):  # from the sixth time on the plan is one for all
            plan = "\n".join(line for (line,) in prepared.explained(*prepared.numbered(statement, asked)))
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
        "wanted": 2,
        "to_open": 1,
        "seconds": 60,
    }
    plan = planned(cast, worklist.NEXT_SQL.format(offers=worklist.OFFERS[0]), asked)
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
        listed = {name: len(in_words(name, user)) for name in counted}
    return counted, {name: min(count, 2 * MOST if name == "apart" else MOST) for name, count in listed.items()}


def in_words(name: str, user: Any) -> list[UUID]:
    """The same list as the models say it."""
    mine, theirs = Q(person_id=user.pk), Q(tenant_id__in=access.tenants_with(user, "supervise"))
    apart = {
        *Aside.objects.filter(holder_id=user.pk, until__gte=Now()).values_list("document", flat=True),
        *Escalation.objects.exclude(theirs).values_list("document", flat=True),
        *Check.objects.filter(mine, settled_at=None, version=F("document__version")).values_list("document", flat=True),
        *Comment.objects.filter(asked__isnull=False, answered_at=None).values_list("document", flat=True),
        *Assignment.objects.exclude(mine).values_list("document", flat=True),
    }
    asked = Q(asked_id=user.pk) | Q(author_id=user.pk) | theirs
    of: dict[str, QuerySet[Any]] = {
        "mine": Claim.objects.filter(holder_id=user.pk, expires_at__gte=Now(), reserved=False),
        "assigned": Assignment.objects.filter(mine | theirs),
        "checks": Check.objects.filter(settled_at=None, version=F("document__version")).exclude(document__in=apart),
        "answers": Comment.objects.filter(asked, asked__isnull=False, answered_at=None),
        "escalated": Escalation.objects.filter(theirs | Q(escalated_by=access.actor_of(user))),
        "aside": Aside.objects.filter(holder_id=user.pk, until__gte=Now()),
    }
    if name == "done":
        done = Document.objects.visible_to(user).filter(reviewer=access.actor_of(user), decided_at__gte=LONG_AGO)
        return list(done.order_by("-decided_at", "-pk").values_list("pk", flat=True))
    found = Document.objects.visible_to(user) if name == "answers" else worklist.waiting(user)
    found = found.filter(status="needs_review")
    if name in {"waiting", "soon"}:
        found = found.exclude(pk__in=apart)
    else:
        ids: Any = apart if name == "apart" else of[name].values("document")
        found = found.filter(pk__in=ids)
    if name == "soon":
        near = timedelta(seconds=settings.REVIEW_SECONDS * worklist.SOON)
        return list(
            found.filter(received_at__lt=Now() - near).order_by("received_at", "pk").values_list("pk", flat=True)
        )
    return list(found.order_by("turn_at", "pk").values_list("pk", flat=True))


def walked(found: worklist.List, size: int) -> tuple[list[UUID], list[UUID]]:
    """The list page by page to its end, and back from there."""
    pages = listing.walk(found.first, size=size, key=found.key, place="")
    there = [row.pk for row in pages.rows]
    while pages.next:
        pages = listing.walk(found.first, size=size, key=found.key, place=str(pages.next))
        there += [row.pk for row in pages.rows]
    back = [row.pk for row in pages.rows]
    while pages.previous:
        pages = listing.walk(found.first, size=size, key=found.key, place=str(pages.previous))
        back = [row.pk for row in pages.rows] + back
    return there, back


def test_the_lists_are_those_that_the_models_say(cast: make.Cast, engine: Engine) -> None:
    make.document(cast.a, "needs_review")
    crowd(cast)
    worklist.claim(make.document(cast.a, "needs_review").pk, cast.ada)
    decided = make.document(cast.a, "needs_review")
    decisions.decide(decided.pk, cast.sue, papers.reject(decided, "illegible"))
    for user in (cast.ada, cast.sue):
        with access.scope_of(user):
            for name in worklist.LISTS:
                found = worklist.List(name, user, since=LONG_AGO)
                expected = in_words(name, user)
                if len(expected) <= 2 * APART + 5:
                    assert walked(found, 97) == (expected, expected), name
                key = "decided_at" if name == "done" else found.key
                first = found.first(None, (key, "pk"), 26)
                assert sorted(first) == sorted(expected[:26]), name
                assert found.length(10**6) == len(expected), name


def test_a_page_of_the_queue_is_found_along_the_index(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    crowd(cast)
    assert document.document_type_id
    of_type = (document.document_type_id,)
    for user, priority, types in (
        (cast.ada, None, None),
        (cast.ada, document.priority, of_type),
        (cast.sue, None, None),
    ):
        found = worklist.List("waiting", user, since=LONG_AGO, priority=priority, types=types)
        with access.scope_of(user):
            statement, asked = found.statement(None, ("turn_at", "pk"), 26)
            for _ in range(7):  # from the sixth time on the plan is one for all
                prepared.fetch(statement, *asked)
            plan = "\n".join(line for (line,) in prepared.explained(statement, *asked))
        assert "Seq Scan on ocr_document" not in plan, plan
        assert most(plan) <= 6 * APART + 2 * 26, plan


def test_the_next_rows_of_a_lane_are_found_along_the_index(cast: make.Cast, engine: Engine) -> None:
    make.document(cast.a, "needs_review")
    crowd(cast, FIELDS)
    of = lanes.lane("receipt", "total")
    asked = lanes._asked(cast.ada, of, ()) | {"wanted": 20}
    plan = planned(cast, lanes.NEXT_SQL.format(offers=40), asked)
    assert "Seq Scan on ocr_document" not in plan, plan
    assert most(plan) <= 6 * APART + 2 * 40, plan
    handed = lanes.hand_out(cast.ada, of, wanted=20)
    # Who has checked a document may still answer for a field of it; the rest of the beginning is somebody else's, or answered.
    assert len(handed) == 20
    assert min(place(each.document.pk) for each in handed) >= 2 * APART
