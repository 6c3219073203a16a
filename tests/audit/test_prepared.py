"""Statements that are planned once for each connection."""

from __future__ import annotations

import pytest
from django.db import DataError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from audit import prepared

pytestmark = pytest.mark.django_db(transaction=True)
DOUBLE = "SELECT $1::int * 2, $2::text[]"


def _prepared() -> int:
    """How many times PostgreSQL was asked to plan what is done inside."""
    with CaptureQueriesContext(connection) as sent:
        assert prepared.fetch(DOUBLE, 21, ["a", "b'%s"]) == [(42, ["a", "b'%s"])]
    return sum(query["sql"].startswith("PREPARE") for query in sent)


def test_a_statement_is_planned_once_for_each_connection() -> None:
    connection.close()
    assert [_prepared(), _prepared()] == [1, 0]
    connection.close()
    assert [_prepared(), _prepared()] == [1, 0]


def test_it_stays_prepared_when_its_transaction_fails() -> None:
    connection.close()
    with pytest.raises(DataError), transaction.atomic():
        prepared.fetch(DOUBLE, 2**31 - 1, [])
    assert _prepared() == 0


def test_a_statement_may_give_nothing_and_take_nothing() -> None:
    assert prepared.fetch("UPDATE ocr_beat SET at = at WHERE name = $1", "nobody") == []
    assert prepared.fetch("SELECT 1") == [(1,)]


def test_one_that_cannot_be_planned_is_told_each_time() -> None:
    for _ in range(2):
        with pytest.raises(ProgrammingError, match="no_such_table"), transaction.atomic():
            prepared.fetch("SELECT $1::int FROM no_such_table", 1)
    assert prepared.fetch("SELECT $1::int", None) == [(None,)]
