"""Members of foreign JSON, read without trusting their shape: what is not as expected counts as absent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import orjson

MOST_COUNTED = 2**31 - 1  # no document has so many pages, and no column of the database holds more
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def decoded(body: bytes) -> Any:
    """What the JSON says. Raises ValueError.

    The fast reader refuses halves of surrogate pairs and numbers beyond its range, which stand in real answers; then the
    standard one reads it.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            return json.loads(body)
        except RecursionError:
            raise ValueError("The answer is nested too deeply to be one.") from None


def listed(found: Any) -> Sequence[Any]:
    """The list, or an empty one."""
    if type(found) is list:
        return found
    return found if isinstance(found, list | tuple) else ()


def members(found: Any) -> Mapping[str, Any]:
    """The object, or an empty one."""
    if type(found) is dict:  # nearly always, and asking for the abstract class costs ten times as much
        return found
    return found if isinstance(found, Mapping) else {}


def number(found: Any) -> float | None:
    """The finite number, or None. A whole one may be beyond what a float holds."""
    if type(found) is float:  # nearly always; a big answer asks some hundred thousand times
        return found if isfinite(found) else None
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        return float(found)
    except OverflowError:
        return None


def counted(found: Any) -> int:
    """The whole number from 1, or 1: a page, a row or a span that is missing is the first or the only one."""
    if type(found) is int:
        return found if 1 <= found <= MOST_COUNTED else 1
    return int(found) if isinstance(found, int) and not isinstance(found, bool) and 1 <= found <= MOST_COUNTED else 1


def text(found: Any) -> str:
    """The text without what PostgreSQL does not store (NUL, halves of surrogate pairs), or an empty one."""
    if not isinstance(found, str):
        return ""
    return found if found.isprintable() else _UNSTORABLE.sub("", found)
