"""The rules of a document type as the page evaluates them while somebody types: the server's own declarations, as JSON."""

from __future__ import annotations

from typing import Any

from ocr import document_types, extraction
from ocr.extraction.document_types import ItemsRule, OrderRule, Rule, SumRule
from ocr.models import DocumentType
from ocr.told import label as told_label


def of(type_: DocumentType | None) -> dict[str, Any] | None:
    """What `told` tells of a stored type."""
    return told(document_types.parsed(type_)) if type_ else None


def told(type_: extraction.DocumentType) -> dict[str, Any]:
    """`{required, labels, rules, date_order}`, for static/js/review/rules.js. `decisions` evaluates the same and has the last word."""
    return {
        "required": [spec.name for spec in type_.fields if spec.required],
        "labels": {spec.name: told_label(spec.label) for spec in type_.fields},
        "rules": [_told(rule) for rule in type_.rules],
        "date_order": type_.date_order,
    }


def may_add_fields(type_: DocumentType | None) -> bool:
    """Whether a person may add a field that the engine missed: where there are no fixed ones."""
    return type_ is not None and document_types.parsed(type_).every_pair is not None


def _told(rule: Rule) -> dict[str, Any]:
    match rule:
        case SumRule():
            return {
                "kind": "sum",
                "name": rule.name,
                "terms": list(rule.terms),
                "optional": list(rule.optional),
                "may_be_included": list(rule.may_be_included),
                "equals": rule.equals,
                "tolerance": str(rule.tolerance),
            }
        case ItemsRule():
            return {
                "kind": "items",
                "name": rule.name,
                "column": rule.column,
                "equals": list(rule.equals),
                "may_be_added": list(rule.may_be_added),
                "tolerance": str(rule.tolerance),
            }
        case OrderRule():
            return {"kind": "order", "name": rule.name, "later": rule.later, "earlier": rule.earlier}
