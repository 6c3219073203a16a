"""Statements that PostgreSQL plans once for each connection: those of workers are small, and planning one costs more than running it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import count
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.models import JSONField, Model

M = TypeVar("M", bound=Model)
# The driver's connection -> statement -> the name under which it is prepared there. The names end with the connection.
_names: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()
_numbers = count(1)


def array(ids: Iterable[object]) -> str:
    """Ids as the one parameter of a statement: an array that costs nothing to adapt."""
    return f"{{{','.join(map(str, ids))}}}"


def explained(statement: str, *parameters: Any) -> list[tuple[str]]:
    """The lines of the plan by which `fetch` would run it now, and did just now to tell how many rows each step gave."""
    return _run("EXPLAIN (ANALYZE, TIMING OFF) EXECUTE", statement, parameters)


def fetch(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """The rows that the statement gives; `parameters` stand for its $1, $2 and so on, whose types it names.

    Every other text is prepared anew, so it has to be one of a few. A pooler between us and PostgreSQL has to keep sessions, as
    LISTEN asks too.
    """
    return _run("EXECUTE", statement, parameters)


def objects(model: type[M], rest: str, *parameters: Any, related: str = "", without: tuple[str, ...] = ()) -> list[M]:
    """The rows of the model as its objects. `rest` goes on after FROM (the table is called by its name), as with WHERE; `related` names
    a foreign key, never empty, whose object comes with each; fields that they come `without` are fetched when they are asked for."""
    shape = _shape(model, related, without)
    found = fetch(f"{shape.select} {rest}", *parameters)
    return [shape.made(row) for row in found]


class _Shape(Generic[M]):
    """How rows of a table become objects, as a queryset would have it; looked up once."""

    def __init__(self, model: type[M], related: str, without: tuple[str, ...]) -> None:
        self.model, self.related = model, related
        models: list[Any] = [model]
        table, join = model._meta.db_table, ""
        if related:
            key: Any = model._meta.get_field(related)
            other = key.related_model
            models.append(other)
            join = (
                f" JOIN {other._meta.db_table} ON {other._meta.db_table}.{other._meta.pk.column} = {table}.{key.column}"
            )
        named = [[field for field in each._meta.concrete_fields if field.name not in without] for each in models]
        fields = [(each, field) for each, own in zip(models, named, strict=True) for field in own]
        self.names = [[field.attname for field in own] for own in named]
        self.documents = [at for at, (_each, field) in enumerate(fields) if isinstance(field, JSONField)]
        self.other = models[-1]
        columns = ", ".join(f"{each._meta.db_table}.{field.column}" for each, field in fields)
        self.select = f"SELECT {columns} FROM {table}{join}"

    def made(self, row: Sequence[Any]) -> M:
        values = [*row]
        for at in self.documents:
            if isinstance(values[at], str):
                values[at] = json.loads(values[at])
        own = len(self.names[0])
        made = self.model.from_db(connection.alias, self.names[0], values[:own])
        if self.related:
            setattr(made, self.related, self.other.from_db(connection.alias, self.names[1], values[own:]))
        return made


_shape = cache(_Shape)


def fetch_named(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The same for a statement that calls its parameters `%(name)s`. A list of ids is one parameter."""
    return fetch(*numbered(statement, parameters))


def numbered(statement: str, parameters: Mapping[str, Any]) -> list[Any]:
    """The statement with $1, $2 and so on in place of names, and what stands for them in this order."""
    text, names = _numbered(statement)
    given = [parameters[name] for name in names]
    return [text, *(array(value) if isinstance(value, (list, tuple)) else value for value in given)]


@lru_cache(maxsize=100)
def _numbered(statement: str) -> tuple[str, tuple[str, ...]]:
    names = tuple(dict.fromkeys(_NAMED.findall(statement)))
    return _NAMED.sub(lambda found: f"${names.index(found[1]) + 1}", statement), names


_NAMED = re.compile(r"%\((\w+)\)s")


def _run(verb: str, statement: str, parameters: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        names = _names.setdefault(connection.connection, {})
        if statement not in names:
            name = f"dtat_{next(_numbers)}"  # never used again: one that was made and not noted is in nobody's way
            cursor.execute(f"PREPARE {name} AS {statement}")
            names[statement] = name
        places = f" ({', '.join(['%s'] * len(parameters))})" if parameters else ""
        cursor.execute(f"{verb} {names[statement]}{places}", parameters or None)
        return cursor.fetchall() if cursor.description else []
