"""Many rows written by one statement: new ones of several tables, or changes where a row still is as expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, TypeVar

import orjson
from django.db import connection, models

from audit import prepared

# The keys stand there a second time, since a plan is made for any number of rows: it takes a set from JSON for a hundred of them, and
# then walks through a young table as a whole. Of an array it expects ten.
# The table's own row type says how each value is read, so that JSON is enough for any column.
_UPDATE = """
    UPDATE {table} AS present SET {assignments}
      FROM jsonb_populate_recordset(NULL::{table}, $1::jsonb) AS new{held}
     WHERE present.id = ANY (${keys}::text[]::{key_type}[]) AND present.id = new.id{guards}{where}
 RETURNING present.id
"""
_INSERT = (
    "INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, ${number}::jsonb)"
)
_HELD = ", jsonb_populate_recordset(NULL::{table}, $2::jsonb) AS held"
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
        keys=3 if expected else 2,
        key_type=model._meta.pk.db_type(connection),
    )
    keys = [str(key) for key in values]
    return {key for (key,) in prepared.fetch(statement, _json(values), *([_json(expected)] if expected else []), keys)}


Row = TypeVar("Row", bound=models.Model)


def select(model: type[Row], statement: str, *parameters: Any) -> list[Row]:
    """The model's rows that the statement gives. In it the table goes by the model's name, and `{columns}` stands for its columns;
    what it selects besides becomes attributes `also_0`, `also_1` and so on."""
    fields = list(model._meta.concrete_fields)
    name = model._meta.model_name
    names = [str(field.attname) for field in fields]
    columns = ", ".join(f'{name}."{field.column}"' for field in fields)
    places = [place for place, field in enumerate(fields) if isinstance(field, models.JSONField)]
    found = []
    for told in prepared.fetch(statement.replace("{columns}", columns), *parameters):
        values = list(told)
        for place in places:
            values[place] = orjson.loads(values[place]) if values[place] is not None else None
        row = model.from_db(connection.alias, names, values[: len(names)])
        for number, value in enumerate(values[len(names) :]):
            setattr(row, f"also_{number}", value)
        found.append(row)
    return found


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
    for number, (model, group) in enumerate(groupby(rows, key=type), 1):
        columns = _columns(model)
        statements.append(_inserting(model, number))
        values.append(_told([_values(row, columns) for row in group]))
    others = ", ".join(f"part{number} AS ({statement})" for number, statement in enumerate(statements[1:]))
    prepared.fetch(f"WITH {others} {statements[0]}" if others else statements[0], *values)
    _written(rows)


def insert_missing(row: models.Model) -> bool:
    """Write a new row and give it its number; False where the database keeps another in its place."""
    values = _told([_values(row, _columns(type(row)))])
    for (key,) in prepared.fetch(f"{_inserting(type(row), 1)} ON CONFLICT DO NOTHING RETURNING id", values):
        row.pk = key
        _written([row])
        return True
    return False


def insert_numbered(rows: Sequence[models.Model]) -> None:
    """Write new rows of one table, and give each its number."""
    if not rows:
        return
    columns = _columns(type(rows[0]))
    told = _told([_values(row, columns) for row in rows])
    for row, (key,) in zip(rows, prepared.fetch(f"{_inserting(type(rows[0]), 1)} RETURNING id", told), strict=True):
        row.pk = key
    _written(rows)


def insert_plain(model: type[models.Model], rows: Sequence[object]) -> None:
    """Write new rows that are no models: dataclasses with the table's columns."""
    if rows:
        prepared.fetch(_inserting(model, 1), _told(rows))


def _written(rows: Sequence[models.Model]) -> None:
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


@lru_cache(maxsize=256)
def _inserting(model: type[models.Model], number: int) -> str:
    columns = ", ".join(f'"{column}"' for column, _field in _columns(model))
    return _INSERT.format(table=model._meta.db_table, columns=columns, number=number)


@lru_cache(maxsize=64)
def _columns(model: type[models.Model]) -> list[tuple[str, models.Field[Any, Any]]]:
    own = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    return [(str(field.column), field) for field in own]


def _values(row: models.Model, columns: list[tuple[str, models.Field[Any, Any]]]) -> dict[str, object]:
    return {column: field.pre_save(row, add=True) for column, field in columns}


def _json(rows: Mapping[Any, Mapping[str, object]]) -> str:
    return _told([{"id": key, **row} for key, row in rows.items()])


def _told(rows: Sequence[object]) -> str:
    return orjson.dumps(rows, default=str).decode()
