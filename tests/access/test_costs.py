"""A longer list or a larger document asks the database no more often."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from review import decisions
from tests import engine as stub
from tests import make
from tests.engine import Engine
from tests.review import papers

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/documents/", "/queue/", "/queue/?tab=mine", "/queue/?tab=done", "/dashboard/"])
def test_a_longer_list_costs_no_more_queries(cast: make.Cast, engine: Engine, path: str) -> None:
    client = cast.page(cast.ada)
    costs = []
    for _ in range(2):
        for _ in range(2):
            _one_more(cast, path)
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1]
    assert costs[0] <= 30, [query["sql"][:120] for query in queries.captured_queries]


@pytest.mark.parametrize(
    "path", ["/documents/?status=needs_review", "/documents/?document_type=receipt", "/queue/", "/dashboard/"]
)
def test_a_list_of_several_tenants_costs_no_more_queries(cast: make.Cast, engine: Engine, path: str) -> None:
    """For an administrator, whose tenants grow in number."""
    client = cast.page(make.user(None, superuser=True))
    costs = []
    for _ in range(2):
        for _ in range(2):
            make.document(make.tenant(), "needs_review")
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1]
    assert costs[0] <= 30, [query["sql"][:120] for query in queries.captured_queries]


def _one_more(cast: make.Cast, path: str) -> None:
    document = make.document(cast.a, "needs_review", pages=[stub.DOUBTFUL])
    if "mine" in path:
        make.claim(document, cast.ada)
    if "done" in path:
        decisions.decide(document.pk, cast.ada, papers.approve(document))


def test_a_larger_document_costs_no_more_queries(cast: make.Cast, engine: Engine) -> None:
    client = cast.page(cast.sue)
    small, large = make.document(cast.a, "needs_review", document_type="invoice"), papers.invoice(cast.a)
    for path in ("/documents/{}/", "/review/{}/"):
        costs = []
        for document in (small, large):
            client.get(path.format(document.pk))
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path.format(document.pk)).status_code == 200
            costs.append(len(queries))
        assert costs[0] == costs[1], path
        assert costs[0] <= 45, path
