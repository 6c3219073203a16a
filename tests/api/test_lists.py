"""GET /api/v1/documents/: filters from the list of allowed ones, pages by cursor, nobody else's rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests import make
from tests.api.calls import DOCUMENTS, problem
from tests.engine import Engine

pytestmark = pytest.mark.django_db


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def found(cast: make.Cast, query: str = "") -> list[str]:
    return ids(cast.api().get(f"{DOCUMENTS}?{query}"))


def test_newest_first_and_only_ones_own(cast: make.Cast) -> None:
    mine = [str(make.document(cast.a).pk) for _ in range(3)]
    make.document(cast.b)
    assert found(cast) == mine[::-1]


def test_each_filter(cast: make.Cast, engine: Engine) -> None:
    plain = make.document(cast.a, document_type="")
    other = make.document(cast.a, "needs_review", priority="high", external_id="ERP-7", document_type="receipt")
    assert found(cast, "status=needs_review") == [str(other.pk)]
    assert found(cast, "document_type=receipt") == [str(other.pk)]
    assert found(cast, "priority=high") == [str(other.pk)]
    assert found(cast, "priority=normal") == [str(plain.pk)]
    assert found(cast, "external_id=ERP-7") == [str(other.pk)]
    assert found(cast, "external_id=erp") == []
    between = quote((plain.received_at + timedelta(microseconds=1)).isoformat())
    assert found(cast, f"received_after={between}") == [str(other.pk)]
    assert found(cast, "status=needs_review&priority=low") == []
    assert found(cast, "status=&document_type=&priority=&received_after=&external_id=&cursor=") == [
        str(other.pk),
        str(plain.pk),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "status=done",
        "priority=0",
        "received_after=yesterday",
        "received_after=2026-02-31",
        "document_type=a b",
        "external_id=%00",
        "page_size=0",
        "page_size=201",
        "page_size=-1",
        "page_size=many",
        "cursor=nonsense",
        "cursor=cD0lMDA=",  # p=%00
        "cursor=cD1hYmM=",  # p=abc
    ],
)
def test_wrong_values_are_refused(cast: make.Cast, query: str) -> None:
    told = problem(cast.api().get(f"{DOCUMENTS}?{query}"), 400, "invalid")
    assert [error["field"] for error in told["errors"]] == [query.split("=")[0]]


@pytest.mark.parametrize(
    "query",
    [
        "tenant=birch",
        "tenant_id=1",
        "tenant__slug=birch",
        "ordering=tenant__name",
        "ordering=fields__value",
        "fields__value__startswith=Q",
        "status__in=approved",
        "external_id__regex=.*",
        "external_id__startswith=E",
        "metadata__desk=4",
        "document_type__name=receipt",
        "received_by__contains=a",
        "_connector=OR",
        "_negated=1",
        "id=1",
        "pk__gte=0",
        "claim__holder__password__startswith=a",
        "drafts__fields__total=1",
        "q=x",
        "Status=approved",
        "search=x",
        "page=2",
        "limit=3",
        "offset=1",
        "fields=id",
        "include=tenant",
    ],
)
def test_anything_else_is_refused_rather_than_ignored(cast: make.Cast, query: str) -> None:
    told = problem(cast.api().get(f"{DOCUMENTS}?{query}"), 400, "invalid")
    assert told["errors"] == [{"field": query.split("=")[0], "code": "invalid", "message": "There is no such filter."}]


def test_cursors_walk_through_everything_once(cast: make.Cast) -> None:
    every = [str(make.document(cast.a).pk) for _ in range(5)][::-1]
    first = cast.api().get(f"{DOCUMENTS}?page_size=2")
    assert first.json()["previous"] is None
    second = cast.api().get(first.json()["next"])
    make.document(cast.a)  # what arrives meanwhile does not shift the rows
    third = cast.api().get(second.json()["next"])
    assert ids(first) + ids(second) + ids(third) == every
    assert third.json()["next"] is None
    assert ids(cast.api().get(third.json()["previous"])) == ids(second)


def test_a_cursor_shows_nobody_elses_rows(cast: make.Cast) -> None:
    for _ in range(3):
        make.document(cast.a)
    link = cast.api().get(f"{DOCUMENTS}?page_size=1").json()["next"]
    assert ids(cast.api(make.key(cast.b)).get(link)) == []


@pytest.mark.parametrize("rows", [3, 9])
def test_a_list_costs_the_same_for_any_number_of_rows(
    cast: make.Cast, rows: int, django_assert_max_num_queries: Any
) -> None:
    for _ in range(rows):
        make.document(cast.a)
    client = cast.api()
    with django_assert_max_num_queries(15):
        assert len(ids(client.get(DOCUMENTS))) == rows
