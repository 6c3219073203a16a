"""What of an answer belongs to the features that were asked for."""

from collections.abc import Iterable
from typing import Any

Block = dict[str, Any]

_NEEDS = {
    "KEY_VALUE_SET": "FORMS",
    "KEY": "FORMS",
    "VALUE": "FORMS",
    "TABLE": "TABLES",
    "CELL": "TABLES",
    "MERGED_CELL": "TABLES",
    "TABLE_TITLE": "TABLES",
    "TABLE_FOOTER": "TABLES",
    "TITLE": "TABLES",
    "FOOTER": "TABLES",
    "QUERY": "QUERIES",
    "QUERY_RESULT": "QUERIES",
    "SIGNATURE": "SIGNATURES",
}


def pruned(blocks: Iterable[Block], features: frozenset[str]) -> list[Block]:
    """The blocks that belong to these features, and no relationship to any other; none means plain text."""
    kept = [block for block in blocks if _wanted(str(block.get("BlockType")), features)]
    ids = {block.get("Id") for block in kept}
    return [_without_others(block, ids) for block in kept]


def _wanted(kind: str, features: frozenset[str]) -> bool:
    if kind == "SELECTION_ELEMENT":
        return bool(features & {"FORMS", "TABLES"})
    if kind.startswith("LAYOUT_"):
        return "LAYOUT" in features
    return _NEEDS.get(kind) is None or _NEEDS[kind] in features


def _without_others(block: Block, ids: set[Any]) -> Block:
    relationships = block.get("Relationships")
    if not relationships:
        return block
    kept = [{**each, "Ids": [other for other in each.get("Ids") or [] if other in ids]} for each in relationships]
    rest = {name: value for name, value in block.items() if name != "Relationships"}
    kept = [each for each in kept if each["Ids"]]
    return {**rest, "Relationships": kept} if kept else rest
