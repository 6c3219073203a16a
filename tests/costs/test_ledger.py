"""The ledger: each extraction is charged once, months end in UTC, tenants stay apart, and no line is ever changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from ocr import costs
from ocr.models import Charge, MonthlyCost
from tenants import scope
from tests import make
from tests.costs import books

pytestmark = pytest.mark.django_db
BILLED, REUSED, UNCERTAIN = Charge.Kind.BILLED, Charge.Kind.REUSED, Charge.Kind.UNCERTAIN


def month() -> str:
    with scope.everything():
        return f"{costs.this_month():%Y-%m-%d}"


def test_a_line_says_what_was_asked_and_what_it_cost(cast: make.Cast) -> None:
    run = books.saved(cast.a, ["FORMS", "TABLES", "LAYOUT"], pages=3)
    line = costs.entry(run, pages=3)
    books.charge(line)
    [found] = books.lines(cast.a)
    assert (found.document_id, found.extraction_id, found.number) == (run.document_id, run.pk, 1)
    assert (found.operation, found.features) == ("StartDocumentAnalysis", ["FORMS", "TABLES", "LAYOUT"])
    assert (found.kind, found.unit, found.region, found.price_version) == (
        "billed",
        "FORMS+TABLES",
        "us-east-1",
        "us 1",
    )
    assert (found.pages, found.unit_micro_dollars, found.micro_dollars) == (3, 65_000, 195_000)
    assert line.micro_dollars == 195_000
    assert books.sums(cast.a) == [(month(), "FORMS+TABLES", 3, 0, 195_000, 0)]


def test_what_was_read_before_costs_nothing_and_what_is_uncertain_stands_apart(cast: make.Cast) -> None:
    runs = [books.saved(cast.a) for _ in range(3)]
    books.charge(*(costs.entry(run, pages=2, kind=kind) for run, kind in zip(runs, Charge.Kind, strict=True)))
    assert [(line.kind, line.micro_dollars) for line in books.lines(cast.a)] == [
        ("billed", 100_000),
        ("reused", 0),
        ("uncertain", 100_000),
    ]
    assert books.sums(cast.a) == [(month(), "FORMS", 2, 2, 100_000, 100_000)]


def test_an_extraction_is_charged_once_however_often_it_is_said(cast: make.Cast) -> None:
    first, second = books.saved(cast.a), books.saved(cast.a)
    books.charge(costs.entry(first, pages=1))
    books.charge(costs.entry(first, pages=1))
    books.charge(costs.entry(first, pages=9), costs.entry(second, pages=1), costs.entry(second, pages=1))
    assert [(line.extraction_id, line.pages) for line in books.lines(cast.a)] == [(first.pk, 1), (second.pk, 1)]
    assert books.sums(cast.a) == [(month(), "FORMS", 2, 0, 100_000, 0)]


def test_a_batch_of_charges_is_one_statement(cast: make.Cast) -> None:
    lines = [costs.entry(books.saved(cast.a), pages=1) for _ in range(5)]
    with scope.everything(), CaptureQueriesContext(connection) as queries:
        costs.charge(lines)
    assert len(queries) == 1
    with scope.everything(), CaptureQueriesContext(connection) as queries:
        costs.charge([])
    assert len(queries) == 0


def test_a_charge_comes_and_goes_with_its_transaction(cast: make.Cast) -> None:
    line = costs.entry(books.saved(cast.a), pages=1)
    with pytest.raises(ZeroDivisionError), scope.everything():
        costs.charge([line])
        raise ZeroDivisionError
    assert (books.lines(cast.a), books.sums(cast.a)) == ([], [])


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_charged(cast: make.Cast) -> None:
    line = costs.entry(books.saved(cast.a), pages=1)
    with pytest.raises(transaction.TransactionManagementError):
        costs.charge([line])


@pytest.mark.parametrize(
    ("at", "first"),
    [
        ("2026-01-31T23:59:59.999999+00:00", "2026-01-01"),
        ("2026-02-01T00:00:00+00:00", "2026-02-01"),
        ("2026-02-01T00:30:00+01:00", "2026-01-01"),  # Paris has February, UTC not yet
        ("2026-01-31T20:00:00-05:00", "2026-02-01"),  # New York still has January
        ("2026-12-31T23:59:59+00:00", "2026-12-01"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_a_month_ends_at_midnight_utc_whatever_the_session_says(
    cast: make.Cast, at: str, first: str, zone: str
) -> None:
    line = costs.entry(books.saved(cast.a), pages=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        books.charge(line, at=datetime.fromisoformat(at))
        cursor.execute("SELECT set_config('TimeZone', 'UTC', true)")
    assert [row[0] for row in books.sums(cast.a)] == [first]
    assert books.lines(cast.a)[0].at == datetime.fromisoformat(at)


def test_last_months_pages_count_in_no_tier_of_this_month(cast: make.Cast, settings: Any) -> None:
    run = books.saved(cast.a, [], pages=1)
    long_ago = datetime(2020, 1, 31, 12, tzinfo=UTC)
    books.charge(costs.entry(run, pages=2_000_000), at=long_ago)
    costs.forget()
    assert costs.entry(books.saved(cast.a, []), pages=1).unit_micro_dollars == 1_500
    books.charge(costs.entry(books.saved(cast.b, []), pages=1_000_000))
    costs.forget()
    # AWS counts the account's pages: those of all tenants, in this region.
    assert costs.entry(books.saved(cast.a, []), pages=1).unit_micro_dollars == 600
    settings.AWS_REGION = "us-west-2"
    assert costs.entry(books.saved(cast.a, []), pages=1).unit_micro_dollars == 1_500


# --- Tenants apart ------------------------------------------------------------------------------------------------


def test_the_lines_of_two_tenants_in_one_batch_stay_apart(cast: make.Cast) -> None:
    a, b = books.saved(cast.a), books.saved(cast.b, [])
    books.charge(costs.entry(b, pages=1), costs.entry(a, pages=1))
    assert books.sums(cast.a) == [(month(), "FORMS", 1, 0, 50_000, 0)]
    assert books.sums(cast.b) == [(month(), "TEXT", 1, 0, 1_500, 0)]
    with scope.scope([cast.a.pk]):
        assert {line.tenant_id for line in Charge.objects.all()} == {cast.a.pk}
        assert {row.tenant_id for row in MonthlyCost.objects.all()} == {cast.a.pk}
    assert Charge.objects.count() == MonthlyCost.objects.count() == 0  # without a scope


def test_nobody_is_charged_from_another_tenants_scope(cast: make.Cast) -> None:
    line = costs.entry(books.saved(cast.b), pages=1)
    with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic(), scope.scope([cast.a.pk]):
        costs.charge([line])
    assert books.lines(cast.b) == []


# --- Append-only --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    ["UPDATE ocr_charge SET micro_dollars = 0", "DELETE FROM ocr_charge", "TRUNCATE ocr_charge"],
)
def test_the_application_cannot_change_a_line(cast: make.Cast, statement: str) -> None:
    books.charge(costs.entry(books.saved(cast.a), pages=1))
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert len(books.lines(cast.a)) == 1


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"micro_dollars": 1}, "charge_is_pages_times_price"),
        ({"kind": "gift"}, "charge_kind_known"),
        ({"kind": "reused"}, "charge_reused_costs_nothing"),
    ],
)
def test_the_database_refuses_lines_that_cannot_be(cast: make.Cast, changes: dict[str, Any], constraint: str) -> None:
    run = books.saved(cast.a)
    values = {
        "tenant": cast.a, "document_id": run.document_id, "extraction_id": run.pk, "number": 1, "kind": "billed",
        "operation": "AnalyzeDocument", "features": ["FORMS"], "unit": "FORMS", "region": "us-east-1", "price_version": "us 1",
        "pages": 2, "unit_micro_dollars": 50_000, "micro_dollars": 100_000, "at": datetime(2026, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    with pytest.raises(IntegrityError, match=constraint), scope.everything():
        Charge.objects.create(**values | changes)
    with scope.everything():
        Charge.objects.create(**values)
