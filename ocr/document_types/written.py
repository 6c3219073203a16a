"""Document types as people write them: YAML in, with the line of whatever is wrong, and YAML out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from ocr import extraction
from ocr.extraction import sentences
from ocr.models import DocumentType

LONGEST = 200_000  # characters
_PATH = re.compile(r"[a-z_][\w.\[\]]*")
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_VERSION = re.compile(r"^version:.*\n?", re.MULTILINE)
# The order in which the shipped files are written; the database keeps none.
_ORDER = (
    "name", "label", "operation", "features", "date_order", "four_eyes", "queries", "fields", "line_items", "every_pair", "every_cell",
    "rules", "group", "kind", "required", "threshold", "sensitivity", "lane", "finder", "belongs_to", "query", "choices", "labels",
    "negative_labels", "expense", "identity", "lending", "terms", "optional", "may_be_included", "in_parts", "column", "equals",
    "may_be_added", "tolerance", "later", "earlier", "text", "alias", "pages", "mode", "amount", "above",
)  # fmt: skip


class Unreadable(extraction.InvalidType):
    """A written type that cannot be used; `line` counts from 1."""

    def __init__(self, sentence: str, line: int) -> None:
        super().__init__(sentence)
        self.line = line

    def __str__(self) -> str:
        return sentences.LINE(count=str(self.line), sentence=str(self.args[0]))


def definition(text: str) -> dict[str, Any]:
    """The definition that a YAML text describes, without a version. Raises Unreadable with the line and a sentence."""
    if len(text) > LONGEST:
        raise Unreadable(sentences.TEXT_TOO_LONG(count=f"{LONGEST:,}"), 1)
    root = _composed(text)
    told = yaml.safe_load(text)
    if isinstance(told, dict):
        told.pop("version", None)
    try:
        extraction.document_type({**told, "version": 1} if isinstance(told, dict) else told)
        _check_storable(told)
    except extraction.InvalidType as refusal:
        raise Unreadable(str(refusal), _line(root, str(refusal))) from None
    found: dict[str, Any] = told
    return found


def line_of_name(text: str) -> int:
    return _line(yaml.compose(text, Loader=yaml.SafeLoader), "name")


def as_yaml(row: DocumentType) -> str:
    """The version as it was written; one that was stored without its text is written anew."""
    if row.source:
        return _VERSION.sub("", row.source, count=1)
    told = {name: value for name, value in row.definition.items() if name != "version"}
    return yaml.safe_dump(_ordered(told), sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)


def _ordered(value: Any) -> Any:
    if isinstance(value, list):
        return [_ordered(each) for each in value]
    if not isinstance(value, dict):
        return value
    places = {name: place for place, name in enumerate(_ORDER)}
    return {name: _ordered(value[name]) for name in sorted(value, key=lambda name: places.get(name, len(places)))}


def _composed(text: str) -> yaml.Node | None:
    """The tree of the text, of which each part knows its line."""
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise Unreadable("Write what the alias (*) stands for in its place.", _line_of_alias(text))
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        for node in _mappings(root):
            _refuse_doubles(node)
        yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(sentences.NOT_YAML(problem=str(error.problem)), mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("This is not YAML. Check for odd characters, brackets and indentation.", 1) from None
    return root


def _line_of_alias(text: str) -> int:
    events = yaml.parse(text, Loader=yaml.SafeLoader)
    mark = next(event.start_mark for event in events if isinstance(event, yaml.AliasEvent))
    return mark.line + 1 if mark else 1


def _mappings(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _key, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _mappings(each)


def _refuse_doubles(node: yaml.MappingNode) -> None:
    """YAML itself would quietly take the last of two."""
    seen = set()
    for key, _value in node.value:
        if key.value in seen:
            raise Unreadable(sentences.GIVEN_TWICE(path=str(key.value)), key.start_mark.line + 1)
        seen.add(key.value)


def _check_storable(told: object) -> None:
    try:
        text = json.dumps(told, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError):
        text = "\\u0000"
    if "\\u0000" in text:
        raise extraction.InvalidType("A text must not hold characters that cannot be stored.")


def _line(root: yaml.Node | None, sentence: str) -> int:
    """Where what the sentence's first word names stands: the deepest part of its path that is there."""
    path = _PATH.match(sentence)
    node, line = root, 1
    for index, name in _STEP.findall(path[0]) if path else ():
        key, node = _stepped(node, index, name)
        if node is None:
            break
        line = (key or node).start_mark.line + 1
    return line


def _stepped(node: yaml.Node | None, index: str, name: str) -> tuple[yaml.Node | None, yaml.Node | None]:
    if isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
        return None, node.value[int(index)]
    if isinstance(node, yaml.MappingNode) and name:
        return next(((key, value) for key, value in node.value if key.value == name), (None, None))
    return None, None
