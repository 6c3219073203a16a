"""Statements that PostgreSQL plans once for each connection: those of workers are small, and planning one costs more than running it."""

from __future__ import annotations

from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection

# The driver's connection -> statement -> the name under which it is prepared there. The names end with the connection.
_names: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()
_numbers = count(1)


def fetch(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """The rows that the statement gives; `parameters` stand for its $1, $2 and so on, whose types it names.

    Every other text is prepared anew, so it has to be one of a few. A pooler between us and PostgreSQL has to keep sessions, as
    LISTEN asks too.
    """
    with connection.cursor() as cursor:
        names = _names.setdefault(connection.connection, {})
        if statement not in names:
            name = f"dtat_{next(_numbers)}"  # never used again: one that was made and not noted is in nobody's way
            cursor.execute(f"PREPARE {name} AS {statement}")
            names[statement] = name
        places = f" ({', '.join(['%s'] * len(parameters))})" if parameters else ""
        cursor.execute(f"EXECUTE {names[statement]}{places}", parameters or None)
        return cursor.fetchall() if cursor.description else []
