"""Many rows written by one statement: new ones of several tables, or changes where a row still is as expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

import orjson
from django.db import connection, models

from ocr import prepared

# The table's own row type says how each value is read, so that JSON is enough for any column.
_UPDATE = """
    UPDATE {table} AS present SET {assignments}
      FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb) AS new{held}
     WHERE present.id = new.id{guards}{where}
 RETURNING present.id
"""
_INSERT = "INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)"
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


def column(model: type[models.Model], name: str) -> str:
    """The name of the field's column in its table."""
    found = model._meta.get_field(name)
    assert isinstance(found, models.Field)
    return str(found.column)


def insert(*rows: models.Model) -> None:
    """Write new rows, of several tables where need be, in the caller's transaction and all with one statement.

    Rows of one table stand side by side. Numbers that the database gives to rows are not read back. Raises IntegrityError.
    """
    statements, values = [], []
    for model, group in groupby(rows, key=_model):
        columns = _columns(model)
        statements.append(
            _INSERT.format(table=model._meta.db_table, columns=", ".join(f'"{column}"' for column, _field in columns))
        )
        values.append(_told([_values(row, columns) for row in group]))
    others = ", ".join(f"part{number} AS ({statement})" for number, statement in enumerate(statements[1:]))
    with connection.cursor() as cursor:
        statement = f"WITH {others} {statements[0]}" if others else statements[0]
        prepared.execute(cursor, statement, [*values[1:], *values[:1]])
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _model(row: models.Model) -> type[models.Model]:
    return type(row)


@lru_cache(maxsize=64)
def _columns(model: type[models.Model]) -> list[tuple[str, models.Field[Any, Any]]]:
    own = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    return [(str(field.column), field) for field in own]


def _values(row: models.Model, columns: list[tuple[str, models.Field[Any, Any]]]) -> dict[str, object]:
    return {column: field.pre_save(row, add=True) for column, field in columns}


def _json(rows: Mapping[Any, Mapping[str, object]]) -> str:
    return _told([{"id": key, **row} for key, row in rows.items()])


def _told(rows: Sequence[Mapping[str, object]]) -> str:
    return orjson.dumps(rows, default=str).decode()
