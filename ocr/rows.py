"""Many rows changed by one statement, each with values of its own, and only where they still are as expected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, models

# The table's own row type says how each value is read, so that JSON is enough for any column.
_UPDATE = """
    UPDATE {table} AS present SET {assignments}
      FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb) AS new{held}
     WHERE present.id = new.id{guards}{where}
 RETURNING present.id
"""
_HELD = ", jsonb_populate_recordset(NULL::{table}, %s::jsonb) AS held"
_GUARD = " AND (held.{column} IS NULL OR present.{column} = held.{column})"


def update(
    model: type[models.Model],
    values: Mapping[Any, Mapping[str, object]],
    *,
    expected: Mapping[Any, Mapping[str, object]] | None = None,
    where: str = "",
) -> set[Any]:
    """Set the columns named in `values` (by primary key; the same columns in every row); the keys of the rows that were set.

    With `expected` (by key, the same columns in every row; None for anything) a row that differs is left alone, as is one that does
    not meet the SQL condition `where`, in which the row is called `present`.
    """
    if not values:
        return set()
    table = model._meta.db_table
    columns = list(next(iter(values.values())))
    guards = list(next(iter(expected.values()))) if expected else []
    statement = _UPDATE.format(
        table=table,
        assignments=", ".join(f"{column} = new.{column}" for column in columns),
        held=_HELD.format(table=table) if expected else "",
        guards=" AND held.id = present.id" * bool(expected) + "".join(_GUARD.format(column=name) for name in guards),
        where=f" AND {where}" if where else "",
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [_json(values), *([_json(expected)] if expected else [])])
        return {key for (key,) in cursor.fetchall()}


def _json(rows: Mapping[Any, Mapping[str, object]]) -> str:
    return json.dumps([{"id": key, **row} for key, row in rows.items()], default=_plain)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
