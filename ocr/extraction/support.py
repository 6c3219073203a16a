"""Which candidates the sums of a document speak for: amounts in places of their own that lead to another to the cent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from itertools import chain, combinations, product

from ocr.extraction.blocks import ids_of
from ocr.extraction.candidates import Candidate
from ocr.extraction.document_types import SumRule
from ocr.extraction.reading import Box
from ocr.extraction.rules import decimal, full_sum

SUPPORT = 0.15
SUPPORT_OF_TERMS = 0.4  # that add up to another amount; one that only says the same again is less
NEARLY = 0.05  # what a total may score less than the likeliest and be supported by one amount that says it again
LEADS_ON = 0.08  # what a total costs that a discount leads on from to another
# A candidate that scores less is not likely enough to be a rival of another, or a part of a sum.
LEAST_RIVAL_SCORE = 0.45
MOST_PARTS = 4  # two taxes, each at two rates
_TRIED_PER_FIELD = 8
_OTHERS_TRIED = 3
_PARTS_TRIED = 5

Merged = dict[str, list[Candidate]]


def support(rule: SumRule, merged: Merged) -> None:
    """Raise the candidates with which the rule comes out to the cent, each printed in a place of its own.

    Terms that are not on the document count as nothing: paid without change, the cash is the total. Where the likeliest amount
    does not come out with one candidate a term, those that may be printed in parts are put together from several.
    """
    if rule.equals not in merged:
        return
    if rule.equals in rule.terms:
        merged[rule.equals] = _carried_on(rule, merged)
        return
    right = _coming_out(rule, merged)
    amounts = {amount for each in right if (amount := decimal(each.value))}
    for name in {each.name for each in right}:
        more = SUPPORT_OF_TERMS if name != rule.equals and len(amounts) > 2 else SUPPORT
        merged[name] = [*_supported(merged.get(name, []), [each for each in right if each.name == name], more)]


def _coming_out(rule: SumRule, merged: Merged) -> list[Candidate]:
    """The candidates of the combination that speaks for itself most; the last is what it leads to."""
    likeliest = max(merged[rule.equals], key=lambda each: each.score)
    names = [name for name in map(_plain, rule.terms) if name in merged]
    if _plain(rule.terms[0]) not in names:
        return _in_a_row(rule, merged[rule.equals], likeliest)
    tried = {name: merged[name][:_TRIED_PER_FIELD] for name in (*names, rule.equals)}
    right = _right(rule, tried, merged)
    if right and right[-1].value == likeliest.value:
        return right
    if in_row := _in_a_row(rule, merged[rule.equals], likeliest):
        return in_row
    if right and right[-1].score + SUPPORT >= likeliest.score:
        return right
    return _right_in_parts(rule, {**tried, rule.equals: [likeliest]}, merged) or right


def _plain(term: str) -> str:
    return term.removeprefix("-")


def _supported(found: Sequence[Candidate], right: Sequence[Candidate], more: float) -> Iterator[Candidate]:
    """All of a field, and what its parts make; raised is what comes out."""
    known, raised = {each.value for each in found}, {each.value for each in right}
    made = {each.value: each for each in right if each.value not in known}
    for each in chain(found, made.values()):
        yield each._replace(score=each.score + more) if each.value in raised else each


# --- sums that come out


def _right(rule: SumRule, tried: Mapping[str, Sequence[Candidate]], merged: Merged) -> list[Candidate]:
    """The candidates of the likeliest combination that comes out; the last is what it leads to.

    What may be included already may be left out, but then one amount alone is no sum. One to which nothing is added speaks for a total that
    is nearly the likeliest; one of which nothing is taken away for any: cash without change.
    """
    *names, _ = tried
    takes_away = any(term.startswith("-") for term in rule.terms)
    least = max((each.score for each in tried[rule.equals]), default=0.0) - NEARLY
    leads_to = _leads_to(tried[rule.equals], _others(rule, merged))
    found: list[list[Candidate]] = []
    for some in product(*(_amounts(rule, name, tried[name]) for name in names)):
        amounts = [amount for _, amount in some]
        is_sum = len(amounts) - amounts.count(Decimal(0)) > 1
        for rest, is_whole in leads_to.get(sum(amounts, Decimal(0)), ()):
            is_again = is_whole and (takes_away or rest[-1].score >= least)
            if (is_sum or is_again) and _stand_apart(combination := [*(each for each, _ in some), *rest]):
                found.append(combination)
    return max(found, key=lambda each: sum(one.score for one in each) / len(each), default=[])


def _leads_to(
    totals: Sequence[Candidate], others: Iterable[tuple[list[Candidate], Decimal]]
) -> dict[Decimal, list[tuple[list[Candidate], bool]]]:
    """By what the terms must make: the optional terms and the total that then come out, and whether these are the likeliest of each.

    So that every combination of terms is one look, however many optional terms there are.
    """
    found: dict[Decimal, list[tuple[list[Candidate], bool]]] = defaultdict(list)
    known = [(each, amount) for each in totals if (amount := decimal(each.value))]
    for at, (other, more) in enumerate(others):
        for total, amount in known:
            found[amount - more].append(([*other, total], at == 0))
    return found


def _amounts(rule: SumRule, name: str, found: Sequence[Candidate]) -> list[tuple[Candidate, Decimal]]:
    """Those that are amounts, with what they add to the sum."""
    known = [(each, amount) for each in found if (amount := decimal(each.value)) is not None]
    return [(each, -abs(amount)) for each, amount in known] if f"-{name}" in (*rule.terms, *rule.optional) else known


def _others(rule: SumRule, merged: Merged) -> Iterator[tuple[list[Candidate], Decimal]]:
    """Every choice of the optional terms that are there, and what it adds: first the likeliest of each, then others of those that may be
    included already, or none."""
    choices: list[list[tuple[Candidate, Decimal] | None]] = []
    for name in (name for name in map(_plain, rule.optional) if name in merged):
        known = _amounts(rule, name, merged[name])
        choices.append([*known[:_OTHERS_TRIED], None] if name in rule.may_be_included else [*known[:1]])
    for choice in product(*(each for each in choices if each)):
        there = [each for each in choice if each]
        yield [each for each, _ in there], sum((amount for _, amount in there), Decimal(0))


def _stand_apart(combination: Sequence[Candidate]) -> bool:
    """Whether no word is in two of them."""
    ids = [identity for each in combination for identity in ids_of(each.words)]
    return len(set(ids)) == len(ids)


def _in_a_row(rule: SumRule, found: Sequence[Candidate], total: Candidate) -> list[Candidate]:
    """Two amounts beside each other behind the label of the one that they add up to: 'Total 10.00 0.60 10.60'."""
    whole = decimal(total.value)
    if whole is None or len(rule.terms) != 2 or any(term.startswith("-") for term in rule.terms):
        return []
    by_amount = {amount: each for each in found if (amount := decimal(each.value)) and amount > 0}
    for amount, first in by_amount.items():
        second = by_amount.get(whole - amount)
        if second is not None and _is_left_of(first, second):
            terms = zip((first, second), rule.terms, strict=True)
            return [*(each._replace(name=name, why="row_of_total") for each, name in terms), total]
    return []


def _is_left_of(first: Candidate, second: Candidate) -> bool:
    """Whether it stands to the left of the other in one row."""
    one, other = first.box, second.box
    if one is None or other is None or first.page != second.page:
        return False
    return one.right <= other.left and one.top < other.centre[1] < one.bottom


# --- what is printed in parts


def _right_in_parts(rule: SumRule, tried: Mapping[str, Sequence[Candidate]], merged: Merged) -> list[Candidate]:
    """The candidates of a combination that comes out when terms are put together from as many parts each: the fewer, the likelier."""
    if not all(_plain(term) in tried for term in rule.terms):
        return []
    likely = {
        name: [each for each in found if each.score >= LEAST_RIVAL_SCORE][:_PARTS_TRIED]
        for name, found in tried.items()
    }
    base = _plain(rule.terms[0])
    for terms in range(1, len(rule.in_parts) + 1):
        for parts in range(2, MOST_PARTS + 1):
            for names in combinations(rule.in_parts, terms):
                sums = {name: [*_sums(_twice(likely[name]) if name != base else likely[name], parts)] for name in names}
                if right := _right(rule, {**likely, **sums}, merged):
                    return right
    return []


def _twice(found: Sequence[Candidate]) -> list[Candidate]:
    """What is printed twice counts twice: two taxes at one rate; not so the amount that they come on top of."""
    return [*found, *(each._replace(words=each.again) for each in found if each.again)]


def _sums(found: Sequence[Candidate], count: int) -> Iterator[Candidate]:
    """So many of them that stand apart on one page, put together."""
    for parts in combinations(found, count):
        if len({each.page for each in parts}) == 1 and _stand_apart(parts):
            yield from _together(sorted(parts, key=_place))


def _together(parts: Sequence[Candidate]) -> Iterator[Candidate]:
    amounts = [amount for each in parts if (amount := decimal(each.value)) is not None]
    if len(amounts) < len(parts) or not all(amount > 0 for amount in amounts):
        return
    confidences = [each.confidence for each in parts if each.confidence is not None]
    yield max(parts, key=lambda each: each.score)._replace(
        value=str(sum(amounts)),
        text=" + ".join(each.text for each in parts),
        words=tuple(chain.from_iterable(each.words for each in parts)),
        box=_around(parts),
        why="in_parts",
        source="rule" if any(each.source == "rule" for each in parts) else "textract",
        confidence=min(confidences, default=None),
    )


def _place(each: Candidate) -> tuple[float, float]:
    return (each.box.top, each.box.left) if each.box else (0.0, 0.0)


def _around(parts: Sequence[Candidate]) -> Box | None:
    boxes = [each.box for each in parts if each.box]
    return reduce(Box.joined, boxes) if boxes else None


# --- a total that another leads to


def _carried_on(rule: SumRule, merged: Mapping[str, Sequence[Candidate]]) -> list[Candidate]:
    """The candidates of a field that is a term of its own sum (total and rounding): raised is the one that another leads to, which then
    counts less itself."""
    found = merged[rule.equals]
    amounts = [decimal(each.value) for each in found]
    tried = zip(found[:_TRIED_PER_FIELD], amounts, strict=False)
    likely = {amount for each, amount in tried if amount and each.score >= LEAST_RIVAL_SCORE}
    ways = _ways(rule, merged)
    leads_to = {amount: {full_sum(rule, {**way, rule.equals: amount}) for way in ways} for amount in likely}
    last = set().union(*leads_to.values())
    leading = {amount for amount, after in leads_to.items() if not after.isdisjoint(amounts)}
    return [
        each._replace(score=each.score + SUPPORT * (amount in last) - LEADS_ON * (amount in leading))
        for each, amount in zip(found, amounts, strict=True)
    ]


def _ways(rule: SumRule, merged: Mapping[str, Sequence[Candidate]]) -> list[dict[str, Decimal]]:
    """What the other terms of a sum may be: those that are on the document, and not nothing."""
    names = [name for name in map(_plain, rule.terms) if name != rule.equals and name in merged]
    likeliest = ([decimal(each.value) for each in merged[name][:_TRIED_PER_FIELD]] for name in names)
    ways = ({name: amount for name, amount in zip(names, some, strict=True) if amount} for some in product(*likeliest))
    return [way for way in ways if way]
