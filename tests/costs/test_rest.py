"""What callers of the REST API are told about money."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ocr import costs
from ocr.models import Charge
from tenants import scope
from tenants.models import Role
from tests import make
from tests.costs import books

pytestmark = pytest.mark.django_db
FORM = 50_000


def get(cast: make.Cast, path: str, **query: Any) -> Any:
    return cast.api().get(f"/api/v1/{path}/", query)


def test_an_estimate_by_type_pages_and_documents(cast: make.Cast) -> None:
    answer = get(cast, "estimate", document_type="receipt", pages=3, documents=100)
    assert answer.status_code == 200
    assert answer.json() == {
        "document_type": "receipt",
        "features": ["FORMS"],
        "pages": 300,
        "micro_dollars": 15_000_000,
        "usd": "15.000000",
        "usd_per_page": "0.050000",
        "price_version": "us 1",
    }
    plain = get(cast, "estimate").json()
    assert (plain["document_type"], plain["pages"], plain["usd"]) == (None, 1, "0.065000")


@pytest.mark.parametrize(
    "query",
    [
        {"document_type": "dream"},
        {"pages": 0},
        {"pages": 3001},
        {"pages": "many"},
        {"documents": 0},
        {"count": 3},
    ],
)
def test_an_estimate_of_nonsense_is_refused_with_the_parameters_name(cast: make.Cast, query: dict[str, Any]) -> None:
    answer = get(cast, "estimate", **query)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert next(iter(query)) in str(answer.json()["errors"])


def test_a_months_costs(cast: make.Cast) -> None:
    runs = [books.saved(cast.a, ["FORMS"]) for _ in range(3)]
    books.charge(*(costs.entry(run, pages=2, kind=kind) for run, kind in zip(runs, Charge.Kind, strict=True)))
    books.charge(costs.entry(books.saved(cast.a, []), pages=10))
    books.charge(costs.entry(books.saved(cast.b, []), pages=77))
    told = get(cast, "costs").json()
    with scope.everything():
        assert told.pop("month") == f"{costs.this_month():%Y-%m}"
    assert told == {
        "pages": 12,
        "reused_pages": 2,
        "micro_dollars": 115_000,
        "usd": "0.115000",
        "uncertain_usd": "0.100000",
        "units": [
            {
                "region": "us-east-1",
                "unit": "FORMS",
                "pages": 2,
                "reused_pages": 2,
                "micro_dollars": 100_000,
                "uncertain_micro_dollars": 100_000,
            },
            {
                "region": "us-east-1",
                "unit": "TEXT",
                "pages": 10,
                "reused_pages": 0,
                "micro_dollars": 15_000,
                "uncertain_micro_dollars": 0,
            },
        ],
        "budgets": [],
    }


def test_another_month(cast: make.Cast) -> None:
    books.charge(costs.entry(books.saved(cast.a), pages=1), at=datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC))
    assert get(cast, "costs", month="2026-01").json()["usd"] == "0.050000"
    empty = get(cast, "costs", month="2026-02").json()
    assert (empty["month"], empty["usd"], empty["units"]) == ("2026-02", "0.000000", [])


def test_where_the_budget_stands(cast: make.Cast) -> None:
    books.cap(cast.a, 5 * FORM)
    books.cap(cast.b, 9 * FORM)
    books.charge(costs.entry(books.saved(cast.a), pages=2))
    books.reserve(books.planned(cast.a))
    assert get(cast, "costs").json()["budgets"] == [
        {
            "tenant": "alder",
            "cap_usd": "0.250000",
            "used_usd": "0.100000",
            "in_flight_usd": "0.050000",
            "left_usd": "0.100000",
            "documents_wait": False,
        }
    ]


def test_one_of_several_tenants(cast: make.Cast) -> None:
    for where, amount in ((cast.a, 1), (cast.b, 2)):
        books.cap(where, FORM)
        books.charge(costs.entry(books.saved(where), pages=amount))
    both = make.user(cast.a, Role.SUPERVISOR)
    make.join(both, cast.b, Role.UPLOADER)
    client = cast.page(both)
    found = {}
    for query in ("", "?tenant=alder", "?tenant=birch"):
        told = client.get(f"/api/v1/costs/{query}").json()
        found[query] = (told["pages"], [budget["tenant"] for budget in told["budgets"]])
    assert found == {"": (3, ["alder", "birch"]), "?tenant=alder": (1, ["alder"]), "?tenant=birch": (2, ["birch"])}


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "0000-01", "26-01", "2026-01-01", "١٢٣٤-٠١", "now"])
def test_a_month_that_is_none_is_refused(cast: make.Cast, month: str) -> None:
    answer = get(cast, "costs", month=month)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_another_tenants_costs_are_not_told(cast: make.Cast) -> None:
    answer = get(cast, "costs", tenant="birch")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert get(cast, "costs", tenant="nobody").status_code == 404


def test_without_the_policy_the_filters_still_hide_another_tenant(
    cast: make.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenants import access

    books.cap(cast.b, FORM)
    books.charge(costs.entry(books.saved(cast.b), pages=5))
    monkeypatch.setattr(access, "scope_of", lambda user: scope.everything())
    told = get(cast, "costs").json()
    assert (told["pages"], told["budgets"]) == (0, [])
    assert get(cast, "costs", tenant="birch").status_code == 404


def test_without_the_filters_the_policy_still_hides_another_tenant(
    cast: make.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenants.models import Scoped

    books.cap(cast.b, FORM)
    books.charge(costs.entry(books.saved(cast.b), pages=5))
    monkeypatch.setattr(Scoped, "visible_to", lambda self, user: self.all())
    told = get(cast, "costs").json()
    assert (told["pages"], told["budgets"]) == (0, [])


def test_a_document_that_waits_for_money_says_so(cast: make.Cast) -> None:
    document = make.receive(cast.a).document
    before = get(cast, f"documents/{document.pk}").json()
    books.cap(cast.a, 0)
    with scope.everything():
        costs.put_off([cast.a.pk])
    told = get(cast, f"documents/{document.pk}").json()
    assert (before["error"], before["error_message"]) == (None, None)
    assert (told["status"], told["error"], told["problems"]) == ("received", "monthly_cap", [])
    assert "raises the budget or the next month begins" in told["error_message"]
