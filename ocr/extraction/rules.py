"""What must hold between the values of one document: required fields, sums in Decimal, the order of dates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import combinations

from ocr.extraction import sentences
from ocr.extraction.document_types import DocumentType, FieldSpec, ItemsRule, OrderRule, Rule, SumRule
from ocr.extraction.reading import Problem

Values = Mapping[str, str | None]


def check(values: Values, line_items: Sequence[Values], document_type: DocumentType) -> tuple[Problem, ...]:
    """What is still wrong with canonical values: required fields without one, and every rule that does not hold.

    A rule whose terms are not all there says nothing. Each problem names the field that a person should look at
    first; its `rule` is 'required' or the rule's own name.
    """
    missing = [missing_field(spec) for spec in document_type.fields if spec.required and not values.get(spec.name)]
    return (*missing, *broken_rules(values, line_items, document_type))


def broken_rules(values: Values, line_items: Sequence[Values], document_type: DocumentType) -> Iterator[Problem]:
    """A problem for each rule that does not hold."""
    labels = {spec.name: spec.label for spec in document_type.fields}
    for rule in document_type.rules:
        sentence, name = _broken(rule, values, line_items, labels)
        if sentence:
            yield Problem("invalid", name, sentence, rule.name)


def missing_field(spec: FieldSpec) -> Problem:
    """The problem of a required field that is not on the document."""
    return Problem("missing", spec.name, sentences.MISSING(label=spec.label), "required")


def holds(rule: SumRule, amounts: Mapping[str, Decimal]) -> bool | None:
    """Whether a sum holds; None when a term is missing, or is the sum. What may be included is tried both ways."""
    if (
        rule.equals in rule.terms
        or rule.equals not in amounts
        or any(_plain(name) not in amounts for name in rule.terms)
    ):
        return None
    return any(abs(total - amounts[rule.equals]) <= rule.tolerance for total in _totals(rule, amounts))


def full_sum(rule: SumRule, amounts: Mapping[str, Decimal]) -> Decimal:
    """The sum of all terms that are there."""
    return _sum([name for name in (*rule.terms, *rule.optional) if _plain(name) in amounts], amounts)


def _broken(rule: Rule, values: Values, line_items: Sequence[Values], labels: Mapping[str, str]) -> tuple[str, str]:
    """The sentence that says what does not hold (empty when it does) and the field to look at."""
    match rule:
        case SumRule():
            return _broken_sum(rule, _amounts(values), labels), rule.equals
        case ItemsRule():
            return _broken_items(rule, values, line_items, labels)
        case _:
            return _broken_order(rule, values, labels), rule.later


def _broken_sum(rule: SumRule, amounts: Mapping[str, Decimal], labels: Mapping[str, str]) -> str:
    if holds(rule, amounts) is not False:
        return ""
    terms = [*rule.terms, *(name for name in rule.optional if _plain(name) in amounts)]
    total = full_sum(rule, amounts)
    return sentences.SUM(
        terms=_words(terms, labels), amount_sum=f"{total:,.2f}", amount_printed=f"{amounts[rule.equals]:,.2f}"
    )


def _totals(rule: SumRule, amounts: Mapping[str, Decimal]) -> Iterator[Decimal]:
    """The sum, with every choice of what may already be included."""
    there = [name for name in (*rule.terms, *rule.optional) if _plain(name) in amounts]
    needed = [name for name in there if _plain(name) not in rule.may_be_included]
    free = [name for name in there if _plain(name) in rule.may_be_included]
    for count in range(len(free) + 1):
        for some in combinations(free, count):
            yield _sum([*needed, *some], amounts)


def _sum(terms: Sequence[str], amounts: Mapping[str, Decimal]) -> Decimal:
    """What is subtracted counts without its sign: a discount is printed as 5.00 or as -5.00."""
    signed = (-abs(amounts[_plain(name)]) if name.startswith("-") else amounts[name] for name in terms)
    return sum(signed, start=Decimal(0))


def _plain(term: str) -> str:
    return term.removeprefix("-")


def _words(terms: Sequence[str], labels: Mapping[str, str]) -> str:
    """'Subtotal plus tax minus discount'."""
    parts: list[str] = []
    for name in terms:
        joint = "" if not parts else " minus " if name.startswith("-") else " plus "
        label = labels[_plain(name)]
        parts.append(joint + (label if not parts else _inside_sentence(label)))
    return "".join(parts)


def _inside_sentence(label: str) -> str:
    """'Tax' becomes 'tax'; an abbreviation such as 'GST' stays."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def _broken_items(
    rule: ItemsRule, values: Values, line_items: Sequence[Values], labels: Mapping[str, str]
) -> tuple[str, str]:
    amounts = _amounts(values)
    names = [each for each in rule.equals if each in amounts]
    items = [decimal(item.get(rule.column)) for item in line_items]
    known = [item for item in items if item is not None]
    name = names[0] if names else ""
    if not names or not known or len(known) < len(items):
        return "", name
    total = sum(known, start=Decimal(0))
    free = [term for term in rule.may_be_added if _plain(term) in amounts]
    sums = [total + _sum(some, amounts) for count in range(len(free) + 1) for some in combinations(free, count)]
    if any(abs(each - amounts[one]) <= rule.tolerance for each in sums for one in names):
        return "", name
    told = sentences.ITEMS_SUM(
        amount_sum=f"{total:,.2f}", amount_printed=f"{amounts[name]:,.2f}", label=_inside_sentence(labels[name])
    )
    return told, name


def _broken_order(rule: OrderRule, values: Values, labels: Mapping[str, str]) -> str:
    later, earlier = values.get(rule.later), values.get(rule.earlier)
    if not later or not earlier or later >= earlier:
        return ""
    return sentences.ORDER(
        label_later=labels[rule.later],
        date_later=later,
        label_earlier=_inside_sentence(labels[rule.earlier]),
        date_earlier=earlier,
    )


def _amounts(values: Values) -> dict[str, Decimal]:
    found = {name: decimal(value) for name, value in values.items()}
    return {name: amount for name, amount in found.items() if amount is not None}


def decimal(value: str | None) -> Decimal | None:
    """The number of a canonical value; None when it has none."""
    try:
        amount = Decimal(value or "")
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
