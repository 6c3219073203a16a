"""Pages of documents: every row once in either direction, whoever asks and whatever the filter; and the plans behind them."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q

from audit import prepared
from ocr import document_types, lifecycle, listing
from ocr.models import Document, DocumentType, Priority, Status
from tenants import access, scope
from tenants.models import Role
from tests import make
from tests.conftest import as_superuser

pytestmark = pytest.mark.django_db
EVERY = (Q(),)


@pytest.fixture
def everybody(cast: make.Cast) -> list[User]:
    """One of A, one of both, the administrator, nobody."""
    both = make.user(cast.a, Role.SUPERVISOR)
    make.join(both, cast.b, Role.AUDITOR)
    return [cast.ada, both, make.user(None, superuser=True), make.user(None)]


@pytest.fixture
def documents(cast: make.Cast) -> list[Document]:
    """Thirty of two tenants, many of them received in the same instant."""
    chance = random.Random(7)
    now = lifecycle.database_now()
    made = []
    for number in range(30):
        document = make.receive(
            chance.choice([cast.a, cast.b]),
            priority=chance.choice(["high", "normal", "low"]),
            filename=f"slip-{number}.png",
            external_id=f"ERP-{number}",
        ).document
        made.append(document)
        with scope.everything():
            at = now - timedelta(hours=chance.randint(1, 5))
            Document.objects.filter(pk=document.pk).update(received_at=at, turn_at=at + timedelta(minutes=number % 4))
    return made


def walk(who: User, *, key: str = listing.NEWEST, size: int = 4, any_of: Any = EVERY, **lookups: Any) -> list[Any]:
    """The ids of every page forwards; checks that the way back shows the same."""
    with access.scope_of(who):
        found = Document.objects.visible_to(who).filter(**lookups)
        tenants = listing.tenants_of(who)

        def one(place: Any) -> listing.Pages:
            return listing.page(found, tenants, size=size, key=key, place=str(place or ""), any_of=any_of)

        pages = [one("")]
        while pages[-1].next:
            pages.append(one(pages[-1].next))
        ids = [[row.pk for row in page.rows] for page in pages]
        assert pages[0].previous is None
        assert [page.before for page in pages] == [size * n for n in range(len(pages))]
        back = [pages[-1]]
        while back[-1].previous:
            back.append(one(back[-1].previous))
        assert [[row.pk for row in page.rows] for page in reversed(back)] == ids
        assert [page.before for page in reversed(back)] == [page.before for page in pages]
        return [pk for page in ids for pk in page]


def plain(who: User, *order: str, **lookups: Any) -> list[UUID]:
    with access.scope_of(who):
        return list(Document.objects.visible_to(who).filter(**lookups).order_by(*order).values_list("pk", flat=True))


def test_every_row_once_in_order(documents: list[Document], everybody: list[User]) -> None:
    for who in everybody:
        assert walk(who) == plain(who, "-received_at", "-pk")
        assert walk(who, key="turn_at") == plain(who, "turn_at", "pk")
        assert walk(who, size=30) == plain(who, "-received_at", "-pk")
        assert walk(who, priority=Priority.LOW) == plain(who, "-received_at", "-pk", priority=Priority.LOW)


def received(who: User, *, size: int = 4, **asked: Any) -> list[UUID]:
    """The ids of every page of the documents list forwards; checks that the way back shows the same."""
    with access.scope_of(who):
        found = listing.Received(listing.tenants_of(who), **asked)
        pages = found.page(size=size)
        there = [row.pk for row in pages.rows]
        while pages.next:
            pages = found.page(size=size, place=str(pages.next))
            there += [row.pk for row in pages.rows]
        back = [row.pk for row in pages.rows]
        while pages.previous:
            pages = found.page(size=size, place=str(pages.previous))
            back = [row.pk for row in pages.rows] + back
    assert back == there
    return there


def test_the_documents_list_has_every_row_once_whatever_is_asked_of_it(
    documents: list[Document], everybody: list[User], cast: make.Cast
) -> None:
    since = sorted(document.received_at for document in documents)[0] - timedelta(hours=3)
    types = document_types.versions("receipt")
    with scope.everything():
        Document.objects.filter(pk__in=[each.pk for each in documents[::3]]).update(document_type_id=types[0])
    newest = ("-received_at", "-pk")
    for who in everybody:
        assert received(who) == plain(who, *newest)
        assert received(who, priority=Priority.HIGH) == plain(who, *newest, priority=Priority.HIGH)
        assert received(who, status="received") == plain(who, *newest)
        assert received(who, status="failed") == []
        assert received(who, since=since) == plain(who, *newest, received_at__gte=since)
        assert received(who, types=types) == plain(who, *newest, document_type_id__in=types)
        assert received(who, types=()) == []
        both = received(who, types=types, priority=Priority.LOW, since=since)
        assert both == plain(who, *newest, document_type_id__in=types, priority=Priority.LOW, received_at__gte=since)


def test_any_of_several_values(documents: list[Document], everybody: list[User]) -> None:
    any_of = [Q(priority=Priority.HIGH), Q(priority=Priority.LOW)]
    for who in everybody:
        expected = plain(who, "-received_at", "-pk", priority__in=[Priority.HIGH, Priority.LOW])
        assert walk(who, any_of=any_of) == expected
        assert walk(who, any_of=[]) == []


def test_a_type_is_found_in_all_its_versions(documents: list[Document], cast: make.Cast) -> None:
    first = DocumentType.objects.filter(name="receipt").order_by("version")[0]
    second = DocumentType.objects.create(
        name="receipt", version=99, label="Receipt", definition=first.definition, digest="0" * 64
    )
    mine = [document for document in documents if document.tenant_id == cast.a.pk]
    with scope.everything():
        Document.objects.filter(pk=mine[0].pk).update(document_type=first)
        Document.objects.filter(pk=mine[1].pk).update(document_type=second)
    found = walk(cast.ada, any_of=listing.of_type("receipt"))
    assert {mine[0].pk, mine[1].pk} <= set(found)
    assert found == plain(cast.ada, "-received_at", "-pk", document_type__name="receipt")


def test_what_arrives_meanwhile_shifts_nothing(documents: list[Document], cast: make.Cast) -> None:
    with access.scope_of(cast.ada):
        found, tenants = Document.objects.visible_to(cast.ada), listing.tenants_of(cast.ada)
        first = listing.page(found, tenants, size=3)
    make.receive(cast.a)
    with access.scope_of(cast.ada):
        second = listing.page(found, tenants, size=3, place=str(first.next))
    shown = [row.pk for row in (*first.rows, *second.rows)]
    assert shown == plain(cast.ada, "-received_at", "-pk")[1:7]


@pytest.mark.parametrize(
    "place",
    ["", "x", "a1.2", "a1.2.3", "c0.0." + "0" * 32, "a1.999999999999999999." + "f" * 32, "a-1.1." + "0" * 32, "１"],
)
def test_a_place_that_is_none_is_the_beginning(documents: list[Document], cast: make.Cast, place: str) -> None:
    with access.scope_of(cast.ada):
        found = listing.page(Document.objects.visible_to(cast.ada), listing.tenants_of(cast.ada), size=3, place=place)
    assert [row.pk for row in found.rows] == plain(cast.ada, "-received_at", "-pk")[:3]
    assert found.before == 0


def test_a_long_list_is_counted_up_to_a_bound(
    documents: list[Document], cast: make.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with access.scope_of(cast.ada):
        found = Document.objects.visible_to(cast.ada)
        count = found.count()
        assert listing.total(found) == (count, False)
        monkeypatch.setattr(listing, "MOST_COUNTED", count)
        assert listing.total(found) == (count, False)
        monkeypatch.setattr(listing, "MOST_COUNTED", count - 1)
        assert listing.total(found) == (count - 1, True)
    page = cast.page(cast.ada).get("/documents/?received_after=2020-01-01").context["page"]
    assert page["total"] == f"{count - 1}+"


def test_the_lists_total_is_known_without_counting(documents: list[Document], cast: make.Cast) -> None:
    client = cast.page(cast.ada)
    for query, lookups in (
        ("", {}),
        ("?status=received", {"status": Status.RECEIVED}),
        ("?status=failed", {"status": Status.FAILED}),
        ("?priority=low", {"priority": Priority.LOW}),
        ("?priority=high&status=received", {"priority": Priority.HIGH}),
    ):
        context = client.get(f"/documents/{query}").context
        assert context["page"]["total"] == str(len(plain(cast.ada, "pk", **lookups)))


def test_names_are_searched_so_far_back_and_ids_at_any_age(
    documents: list[Document], cast: make.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_SEARCHED", 5)
    mine = plain(cast.ada, "-received_at", "-pk")
    oldest = make.reload(next(document for document in documents if document.pk == mine[-1]))
    client = cast.page(cast.ada)
    answer = client.get("/documents/?q=slip")
    shown = [row["id"] for row in answer.context["rows"]]
    since = answer.context["searched_since"]
    assert set(shown) == {str(pk) for pk in plain(cast.ada, "pk", received_at__gte=since)}
    assert 5 < len(shown) < len(mine)
    assert "File names were searched back to" in answer.content.decode()
    for words in (str(oldest.pk), oldest.external_id):
        answer = client.get("/documents/", {"q": words})
        assert [row["id"] for row in answer.context["rows"]] == [str(oldest.pk)]
        assert answer.context["searched_since"] is None


def test_a_stranger_finds_nothing(documents: list[Document], cast: make.Cast) -> None:
    theirs = next(document for document in documents if document.tenant_id == cast.b.pk)
    answer = cast.page(cast.ada).get("/documents/", {"q": str(theirs.pk)})
    assert answer.context["rows"] == []


# --- Plans --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("lookups", "key", "index"),
    [
        ({}, "-received_at", "document_list"),
        ({"status": "failed"}, "-received_at", "document_status"),
        ({"priority": 0}, "-received_at", "document_priority"),
        ({"document_type_id": 1}, "-received_at", "document_type"),
        ({"status": "needs_review"}, "turn_at", "document_waiting"),
        ({"status": "needs_review", "priority": 0}, "turn_at", "document_waiting_urgency"),
    ],
)
def test_a_page_is_a_walk_along_an_index(cast: make.Cast, lookups: dict[str, Any], key: str, index: str) -> None:
    """As the app role, with the policies of row-level security in force, and without sorting what is not shown."""
    fill(cast)
    with access.scope_of(cast.ada), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        found = Document.objects.visible_to(cast.ada).filter(**lookups)
        for place in ("", f"a50.{1_767_000_000_000_000}.{'7' * 32}"):
            start = listing.Place.of(place)
            order = listing._order(key, backwards=False)
            page = found.filter(listing._beyond(start, order)) if start else found
            plan = page.order_by(*order)[:51].explain()
            used = set(re.findall(r"Index (?:Only )?Scan(?: Backward)? using (\w+)", plan))
            assert used == {index}, plan
            assert "Sort" not in plan, plan


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "document_list"),
        ({"status": "failed"}, "document_status"),
        ({"priority": 0}, "document_priority"),
        ({"types": (1,)}, "document_type"),
    ],
)
def test_the_documents_list_walks_along_the_same_indexes(cast: make.Cast, asked: dict[str, Any], index: str) -> None:
    """After PostgreSQL has chosen one plan for all values."""
    fill(cast)
    place = listing.Place.of(f"a50.{1_767_000_000_000_000}.{'7' * 32}")
    for start in (None, place):
        with access.scope_of(cast.ada), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            found = listing.Received(listing.tenants_of(cast.ada), **asked)
            statement, given = found.statement(start, ("-received_at", "-pk"), 51)
            plan = "\n".join(line for (line,) in prepared.explained(statement, *given))
        assert set(re.findall(r"Index (?:Only )?Scan(?: Backward)? using (document_\w+)", plan)) == {index}, plan
        assert most(plan) <= 51, plan


def most(plan: str) -> int:
    """The most rows that one step of the plan takes from the documents."""
    return max(int(found) for found in re.findall(r"on ocr_document.*?actual rows=(\d+)", plan))


def fill(cast: make.Cast) -> None:
    """Enough rows, and statistics about them, that an index is worth it."""
    with as_superuser() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            """
            INSERT INTO ocr_document (
                id, tenant_id, status, version, priority, document_type_id, type_given, external_id, filename, metadata, source,
                received_by, request_id, content_type, size_bytes, sha256, page_count, received_at, turn_at, status_at, step,
                operation, fence, attempts, error_code, problems, review_reasons, decision, decision_reason, reviewer)
            SELECT gen_random_uuid(), (ARRAY[%s, %s]::uuid[])[1 + mod(n, 2)],
                   (ARRAY['approved', 'needs_review', 'failed', 'approved', 'rejected'])[1 + mod(n, 5)], 1, mod(n, 3),
                   1 + mod(n, 3), false, '', 'x', '{}', 'api', 'user:ada', '', 'image/png', 1, repeat('0', 64), 1,
                   now() - n * interval '1 minute', now() - n * interval '1 minute', now(), '', '', 0, 0, '', '[]', '[]', '', '', ''
              FROM generate_series(1, 4000) AS n
            """,
            [str(cast.a.pk), str(cast.b.pk)],
        )
        cursor.execute("ANALYZE ocr_document")
