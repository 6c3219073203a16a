"""Statements that the database plans once for a connection, instead of each time: planning costs as much as doing them.

Prepared statements belong to a session, so a pooler in between has to be in session mode, as LISTEN asks for anyway (docs/scaling.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.backends.utils import CursorWrapper

_names: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()  # of each connection's statements, by their text
_numbers = count(1)


def execute(cursor: CursorWrapper, statement: str, parameters: Sequence[Any]) -> None:
    """As cursor.execute(). The text has to be one of few: every other one is kept by every connection for as long as it lives."""
    names = _names.setdefault(connection.connection, {})
    if statement not in names:
        name = f"dtat_{next(_numbers)}"  # never used again: one that was made and not noted is in nobody's way
        cursor.execute(f"PREPARE {name} AS {_numbered(statement)}")
        names[statement] = name
    cursor.execute(f"EXECUTE {names[statement]} ({', '.join(['%s'] * len(parameters))})", parameters)


@lru_cache(maxsize=256)
def _numbered(statement: str) -> str:
    """The statement with $1, $2, ... for each %s."""
    first, *others = statement.split("%s")
    return first + "".join(f"${number}{part}" for number, part in enumerate(others, start=1))
