"""Statements that are planned once for a connection."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from ocr import prepared

STATEMENT = "SELECT %s::int + 1, %s::text"


def asked(*parameters: object, statement: str = STATEMENT) -> Any:
    with connection.cursor() as cursor:
        prepared.execute(cursor, statement, parameters)
        return cursor.fetchone()


def plans() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", ["%$1::int + 1%"])
        return int(cursor.fetchone()[0])


@pytest.mark.django_db
def test_they_answer_as_any_other() -> None:
    assert asked(1, "a ' %s") == (2, "a ' %s")
    assert asked(None, None) == (None, None)


@pytest.mark.django_db
def test_one_is_planned_at_its_first_use() -> None:
    asked(1, "a")
    with CaptureQueriesContext(connection) as told:
        assert [asked(number, "b")[0] for number in range(3)] == [1, 2, 3]
    assert [each["sql"].split()[0] for each in told] == ["EXECUTE"] * 3
    assert plans() == 1


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_it_and_another_connection_plans_its_own() -> None:
    connection.close()
    with pytest.raises(IntegrityError), transaction.atomic():
        asked(1, "a")
        raise IntegrityError
    assert (asked(2, "a"), plans()) == ((3, "a"), 1)
    connection.connection.close()
    connection.close()
    assert plans() == 0
    assert (asked(3, "a"), plans()) == ((4, "a"), 1)


@pytest.mark.django_db
def test_one_that_cannot_be_planned_is_told_each_time() -> None:
    for _ in range(2):
        with pytest.raises(Exception, match="no_such_table"), transaction.atomic():
            asked(1, statement="SELECT %s::int FROM no_such_table")
    assert asked(1, "a") == (2, "a")
