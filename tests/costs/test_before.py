"""What was read before there was a ledger gets its lines when the product is upgraded."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime

import pytest
from django.conf import settings

from ocr.models import Extraction
from tenants import scope
from tests import make
from tests.conftest import as_superuser
from tests.costs import books
from tests.costs.test_invariant import broken

pytestmark = pytest.mark.django_db(transaction=True)
NEW_YEAR = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)


def old(cast: make.Cast, **values: object) -> Extraction:
    """An extraction as it was left then, without a line."""
    run = books.saved(cast.a, ["TABLES", "FORMS"])
    with scope.everything():
        Extraction.objects.filter(pk=run.pk).update(**values)
    return run


def upgrade() -> None:
    """The migration's own statements, as the owner."""
    migration = importlib.import_module("ocr.migrations.0008_costs_of_before")
    with as_superuser("owner") as cursor:
        cursor.execute(migration.FILL, {"region": settings.AWS_REGION})


def test_every_ended_extraction_gets_one_line_and_the_sums_follow(cast: make.Cast) -> None:
    december = datetime(2025, 12, 31, 23, 59, tzinfo=UTC)
    old(cast, state="collected", pages=3, micro_dollars=195_000, collected_at=december)
    old(cast, state="collected", pages=2, reused_from=cast.a.pk, collected_at=NEW_YEAR)
    old(cast, state="failed", charge_uncertain=True, started_at=NEW_YEAR)
    old(cast, state="failed")
    old(cast, state="started")
    assert len(broken()) == 3
    for _ in range(2):
        upgrade()
        assert broken() == []
    assert [(line.kind, line.pages, line.micro_dollars, line.price_version) for line in books.lines(cast.a)] == [
        ("billed", 3, 195_000, "before"),
        ("reused", 2, 0, "before"),
        ("uncertain", 1, 0, "before"),
    ]
    assert [line.at for line in books.lines(cast.a)] == [december, NEW_YEAR, NEW_YEAR]
    assert books.sums(cast.a) == [
        ("2025-12-01", "FORMS+TABLES", 3, 0, 195_000, 0),
        ("2026-01-01", "FORMS+TABLES", 0, 2, 0, 0),
    ]


def test_where_nothing_was_read_nothing_is_charged(cast: make.Cast) -> None:
    books.saved(cast.a)
    upgrade()
    assert (books.lines(cast.a), books.sums(cast.a)) == ([], [])
