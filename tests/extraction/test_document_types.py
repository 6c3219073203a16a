"""Document types are data: what a good description gives, and the sentence for every key that is wrong."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from ocr.extraction import (
    FourEyes,
    InvalidType,
    ItemsRule,
    Kind,
    OrderRule,
    Query,
    SumRule,
    document_type,
    document_types,
)
from tests.extraction.make import shipped

GOOD: dict[str, Any] = {
    "name": "bill",
    "version": 2,
    "label": "Bill",
    "operation": "AnalyzeDocument",
    "features": ["FORMS", "QUERIES"],
    "queries": [{"text": "What is the total?", "alias": "total", "pages": ["*"]}],
    "fields": [
        {
            "name": "total",
            "kind": "amount",
            "query": "total",
            "required": True,
            "threshold": 95,
            "sensitivity": "restricted",
            "lane": True,
        },
        {"name": "tax", "kind": "amount", "labels": ["tax"], "negative_labels": ["tax id"], "expense": ["TAX"]},
        {"name": "net", "kind": "amount", "finder": "largest_amount", "group": "Money", "label": "Net amount"},
        {"name": "day", "kind": "date", "choices": []},
        {"name": "due", "kind": "date", "belongs_to": "day"},
        {"name": "born", "kind": "date", "identity": ["DATE_OF_BIRTH"], "lending": ["1003/DOB", "DOB"]},
    ],
    "line_items": [{"name": "amount", "kind": "amount"}],
    "rules": [
        {"name": "sum", "kind": "sum", "terms": ["net", "tax"], "equals": "total", "tolerance": "0.05"},
        {"name": "items", "kind": "items", "column": "amount", "equals": ["net"], "may_be_added": ["-tax"]},
        {"name": "order", "kind": "order", "later": "due", "earlier": "day"},
    ],
    "date_order": "month_first",
}


def test_a_description_becomes_a_document_type() -> None:
    made = document_type(GOOD)
    assert (made.name, made.version, made.label, made.features, made.date_order) == (
        "bill", 2, "Bill", ("FORMS", "QUERIES"), "month_first",
    )  # fmt: skip
    assert made.queries == (Query("What is the total?", "total", ("*",)),)
    total, tax, net, day, due, born = made.fields
    assert (total.label, total.required, total.threshold, total.sensitivity) == ("Total", True, 95.0, "restricted")
    assert (tax.labels, tax.negative_labels, tax.expense, tax.required) == (("tax",), ("tax id",), ("TAX",), False)
    assert (total.lane, tax.lane) == (True, False)
    assert (day.belongs_to, due.belongs_to) == (None, "day")
    assert (net.label, net.group, net.finder) == ("Net amount", "Money", "largest_amount")
    assert (born.identity, born.lending, born.expense) == (("DATE_OF_BIRTH",), ("1003/DOB", "DOB"), ())
    assert (day.threshold, day.sensitivity, day.query, day.finder) == (90.0, "internal", None, None)
    assert made.rules == (
        SumRule("sum", ("net", "tax"), "total", tolerance=Decimal("0.05")),
        ItemsRule("items", "amount", ("net",), ("-tax",)),
        OrderRule("order", "due", "day"),
    )


def test_what_is_left_out_has_a_default() -> None:
    made = document_type({"name": "slip", "version": 1, "label": "Slip", "fields": [{"name": "a"}]})
    assert (made.operation, made.features, made.date_order, made.line_items, made.rules) == (
        "AnalyzeDocument", (), "day_first", None, (),
    )  # fmt: skip
    assert (made.fields[0].kind, made.fields[0].label, made.fields[0].group) == ("text", "A", "Fields")


def test_a_type_without_fixed_fields_has_a_pattern_for_every_pair() -> None:
    made = document_type({"name": "form", "version": 1, "label": "Form", "every_pair": {"threshold": 80}})
    assert made.every_pair is not None
    assert (made.fields, made.every_pair.threshold, made.every_pair.sensitivity) == ((), 80.0, "internal")


def changed(path: str, value: Any) -> dict[str, Any]:
    """GOOD with one key changed, '...' taking it away."""

    def change(data: Any, keys: list[str]) -> Any:
        key: Any = int(keys[0]) if isinstance(data, list) else keys[0]
        copy = list(data) if isinstance(data, list) else dict(data)
        if len(keys) > 1:
            copy[key] = change(copy[key], keys[1:])
        elif value is ...:
            del copy[key]
        else:
            copy[key] = value
        return copy

    result: dict[str, Any] = change(GOOD, path.split("/"))
    return result


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ({"mode": "none"}, None),
        ({"mode": "blind", "fields": ["total", "day"]}, FourEyes("blind", ("total", "day"))),
        (
            {"mode": "second", "amount": "total", "above": "10000", "fields": ["tax"]},
            FourEyes("second", ("tax",), "total", Decimal(10000)),
        ),
    ],
)
def test_how_many_people_see_a_document(written: dict[str, Any], made: FourEyes | None) -> None:
    assert document_type({**GOOD, "four_eyes": written}).four_eyes == made
    assert document_type(GOOD).four_eyes is None


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("blind", "four_eyes must be a mapping of keys to values."),
        ({"mode": "six"}, "four_eyes.mode must be one of none, second, blind."),
        ({"mode": "blind"}, "four_eyes.fields must name at least one field when the mode is blind"),
        ({"mode": "blind", "fields": ["total"], "amount": "total", "above": "1"}, "without amount and above"),
        ({"mode": "second"}, "four_eyes.fields must name at least one field, or amount and above must be given."),
        ({"mode": "second", "fields": ["amount"]}, "four_eyes.fields must name fields of the type"),
        ({"mode": "second", "amount": "total"}, "four_eyes.above must stand together with amount"),
        ({"mode": "second", "above": "5", "fields": ["tax"]}, "four_eyes.above must stand together with amount"),
        ({"mode": "second", "amount": "day", "above": "5"}, "four_eyes.amount must name a field of the kind amount"),
        ({"mode": "second", "amount": "total", "above": "-5"}, "four_eyes.above must be an amount"),
        ({"mode": "second", "fields": ["tax"], "people": 3}, "four_eyes.people is not known here"),
    ],
)
def test_every_wrong_key_of_four_eyes_is_named(written: Any, sentence: str) -> None:
    with pytest.raises(InvalidType, match=re.escape(sentence)):
        document_type({**GOOD, "four_eyes": written})


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("name", ..., "name must be a text that is not empty."),
        ("name", "  ", "name must be a text that is not empty."),
        ("name", "My Bill", "name must be lower-case letters, digits and _, beginning with a letter."),
        ("version", ..., "version must be a whole number from 1."),
        ("version", 0, "version must be a whole number from 1."),
        ("version", True, "version must be a whole number from 1."),
        ("version", "1", "version must be a whole number from 1."),
        ("label", 3, "label must be a text that is not empty."),
        (
            "operation",
            "Guess",
            "operation must be one of DetectDocumentText, AnalyzeDocument, AnalyzeExpense, AnalyzeID,",
        ),
        ("features", "FORMS", "features must be a list of texts."),
        (
            "features",
            ["FORM"],
            "features must be a list of different names out of TABLES, FORMS, QUERIES, SIGNATURES, LAYOUT.",
        ),
        ("features", ["QUERIES", "QUERIES"], "features must be a list of different names out of"),
        ("features", ["FORMS"], "features must contain QUERIES when there are queries."),
        ("date_order", "random", "date_order must be one of day_first, month_first, year_first."),
        ("colour", "red", "colour is not known here; known keys are date_order, "),
        ("queries", {}, "queries must be a list."),
        ("queries/0", "total?", "queries[0] must be a mapping of keys to values."),
        (
            "queries/0/text",
            "Quel est le montant dû à payer, é?",
            "queries[0].text must be at most 200 plain English characters.",
        ),
        ("queries/0/text", "x" * 201, "queries[0].text must be at most 200 plain English characters."),
        ("queries/0/alias", ..., "queries[0].alias must be a text that is not empty."),
        ("queries/0/extra", 1, "queries[0].extra is not known here; known keys are alias, pages, text."),
        ("queries", [{"text": "a", "alias": "total"}] * 2, "queries[1] must not use the name total a second time."),
        ("queries", [{"text": "a", "alias": f"q{i}"} for i in range(16)], "queries must be at most 15."),
        ("fields", ..., "fields must name at least one field, or every_pair must be given."),
        ("fields/2", {"name": "gross"}, "rules[0] must name fields of kind amount or number; net is none."),
        ("fields", "total", "fields must be a list."),
        ("fields/1", [], "fields[1] must be a mapping of keys to values."),
        ("fields/1/name", "total", "fields[1] must not use the name total a second time."),
        ("fields/2/kind", "money", "fields[2].kind must be one of text, amount, date, "),
        (
            "fields/2/finder",
            "magic",
            "fields[2].finder must be one of company, sender, title, any_date, largest_amount, any_currency.",
        ),
        ("fields/1/labels", ["tax", ""], "fields[1].labels must be a list of texts."),
        ("fields/0/required", "yes", "fields[0].required must be true or false."),
        ("fields/0/threshold", 101, "fields[0].threshold must be a number from 0 to 100."),
        ("fields/0/threshold", True, "fields[0].threshold must be a number from 0 to 100."),
        ("fields/0/threshold", "90", "fields[0].threshold must be a number from 0 to 100."),
        ("fields/0/lane", "yes", "fields[0].lane must be true or false."),
        (
            "line_items/0/lane",
            True,
            "line_items[0].lane must be left out: a lane shows one value of each document.",
        ),
        ("fields/0/sensitivity", "secret", "fields[0].sensitivity must be one of public, internal, restricted."),
        ("fields/0/query", "sum", "fields[0].query must be the alias of one of the queries."),
        ("fields/0/belongs_to", "Net amount", "fields[0].belongs_to must be lower-case letters"),
        ("fields/0/belongs_to", "sum", "fields[0].belongs_to must be the name of another field of the type."),
        ("fields/0/belongs_to", "total", "fields[0].belongs_to must be the name of another field of the type."),
        (
            "line_items",
            [{"name": "a", "belongs_to": "net"}],
            "line_items[0].belongs_to must be left out: only fields belong to others.",
        ),
        ("fields/0/tolerance", 1, "fields[0].tolerance is not known here; known keys are belongs_to, choices, "),
        ("fields/1/choices", {"Net 30": "30 days"}, "fields[1].choices.Net 30 must be a list of texts."),
        ("fields/1/choices", {30: []}, "fields[1].choices must be a list of texts, or a mapping from each choice to"),
        ("line_items", [{"name": "a"}, {"name": "a"}], "line_items[1] must not use the name a a second time."),
        ("every_pair", [], "every_pair must be a mapping of keys to values."),
        ("every_cell", "yes", "every_cell must be true or false."),
        ("every_cell", True, "every_cell needs every_pair, TABLES among the features, and no line_items."),
        (
            "every_pair",
            {"labels": []},
            "every_pair.labels is not known here; known keys are group, sensitivity, threshold.",
        ),
        ("rules/1/name", "sum", "rules[1] must not use the name sum a second time."),
        ("rules/0/kind", "product", "rules[0].kind must be one of sum, items, order."),
        ("rules/0/terms", [], "rules[0].terms must be a list with at least one field name."),
        ("rules/0/terms", ["net", "-vat"], "rules[0] must name fields of kind amount or number; vat is none."),
        ("rules/0/in_parts", ["gone"], "rules[0].in_parts must name fields of kind amount or number; gone is none."),
        ("rules/0/in_parts", ["sum"], "rules[0].in_parts must name fields of kind amount or number; sum is none."),
        ("rules/0/equals", "day", "rules[0] must name fields of kind amount or number; day is none."),
        ("rules/0/tolerance", "-1", "rules[0].tolerance must be an amount that is not negative, for example '0.02'."),
        ("rules/0/tolerance", "much", "rules[0].tolerance must be an amount that is not negative"),
        ("rules/0/tolerance", "NaN", "rules[0].tolerance must be an amount that is not negative"),
        ("rules/0/later", "due", "rules[0].later is not known here"),
        ("rules/1/column", "price", "rules[1].column must name fields of kind amount or number; price is none."),
        ("rules/1/equals", ["sum"], "rules[1].equals must name fields of kind amount or number; sum is none."),
        ("rules/1/may_be_added", ["x"], "rules[1].may_be_added must name fields of kind amount or number; x is none."),
        ("rules/2/earlier", "net", "rules[2] must name fields of kind date; net is none."),
    ],
)
def test_a_wrong_key_is_named_with_what_it_must_be(path: str, value: Any, sentence: str) -> None:
    with pytest.raises(InvalidType) as refused:
        document_type(changed(path, value))
    assert str(refused.value).startswith(sentence)


def test_a_type_needs_fields_or_a_pattern() -> None:
    with pytest.raises(InvalidType, match=r"^fields must name at least one field, or every_pair must be given\.$"):
        document_type({"name": "none", "version": 1, "label": "None"})


def test_something_else_than_a_mapping_is_refused() -> None:
    with pytest.raises(InvalidType, match=r"^The document type must be a mapping of keys to values\.$"):
        document_type([])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "features"),
    [("invoice", ("FORMS", "TABLES")), ("receipt", ("FORMS",)), ("generic_form", ("FORMS", "TABLES"))],
)
def test_the_shipped_types_are_valid(name: str, features: tuple[str, ...]) -> None:
    made = shipped(name)
    assert (made.name, made.features, made.operation) == (name, features, "AnalyzeDocument")


@pytest.mark.parametrize(
    ("name", "required"),
    [
        ("invoice", {"invoice_number", "invoice_date", "total"}),
        ("receipt", {"merchant", "date", "total"}),
        ("generic_form", set()),
    ],
)
def test_the_shipped_types_require_what_they_must(name: str, required: set[str]) -> None:
    assert {each.name for each in shipped(name).fields if each.required} == required


@pytest.mark.parametrize("name", ["invoice", "receipt"])
def test_no_label_is_also_its_own_negative(name: str) -> None:
    made = shipped(name)
    for each in (*made.fields, *(made.line_items or ())):
        assert not set(each.labels) & set(each.negative_labels), each.name
        assert len(set(each.labels)) == len(each.labels), each.name


# --- The description of the schema


PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "document-types.md"
SECTIONS = {
    "": "The type",
    "fields": "A field, or a column of the item table",
    "line_items": "A field, or a column of the item table",
    "queries": "A query",
    "every_pair": "Every pair",
    "rules": "A rule",
}


def test_every_key_is_described_and_every_described_key_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, set[str]] = {}

    def noted(at: Any) -> None:
        known.setdefault(SECTIONS[at.path.split("[")[0].rstrip(".")], set()).update(at.read)

    monkeypatch.setattr(document_types._Mapping, "refuse_unknown", noted)
    document_type({**GOOD, "every_pair": {}})
    text = PAGE.read_text(encoding="utf-8")
    described = {}
    for section in text.split("\n## ")[1:]:
        title, _, rest = section.partition("\n")
        table = rest.split("\n### ")[0]
        names = [
            name for row in re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
        ]
        if title in SECTIONS.values():
            described[title] = set(names)
    assert described == known


def test_every_kind_is_described() -> None:
    kinds = PAGE.read_text(encoding="utf-8").split("### Kinds")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", kinds, re.MULTILINE)) == set(get_args(Kind))
