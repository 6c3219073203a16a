"""What Textract asks for a page, as versioned data: the YAML files beside this one, and the rows that charges name.

Each group of regions has its own table. A table is never changed: other prices are a new version, and every charge says by which
version it was reckoned.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ocr.extraction.document_types import FEATURES
from ocr.models import PriceTable

FOLDER = Path(__file__).parent
SHIPPED = "system"  # who made the versions that come with the product
# Synchronous and asynchronous cost the same. Source: AWS Textract pricing.
FAMILIES = {
    "DetectDocumentText": "text",
    "StartDocumentTextDetection": "text",
    "AnalyzeDocument": "analysis",
    "StartDocumentAnalysis": "analysis",
    "AnalyzeExpense": "expense",
    "StartExpenseAnalysis": "expense",
    "AnalyzeID": "id",
    "StartLendingAnalysis": "lending",
}
_NAME = re.compile(r"[A-Za-z0-9-]{1,30}")
_MOST = 1_000_000_000
MEMBERS = ("group", "label", "regions", "text", "analysis", "free_beside", "expense", "id", "lending")


class InvalidPrices(ValueError):
    """The table cannot be used; the text says what to change."""


class NoPrice(LookupError):
    """There is no price for this region or operation; the text says what to add."""


@dataclass(frozen=True, slots=True)
class Tier:
    """From the page after the first `above` of a month on, a page costs so much."""

    above: int
    micro_dollars: int


@dataclass(frozen=True, slots=True)
class Price:
    """What one page costs, and the name under which pages of that kind are counted."""

    unit: str
    micro_dollars: int


@dataclass(frozen=True, slots=True)
class Prices:
    """One version of one group's prices."""

    group: str
    version: int
    label: str
    regions: frozenset[str]  # empty: every region that no other group names
    flat: Mapping[str, Sequence[Tier]]  # text, expense, id, lending
    sets: Mapping[frozenset[str], Sequence[Tier]]  # features that are billed as one
    free_beside: Mapping[str, frozenset[str]]

    @property
    def name(self) -> str:
        """How a charge names this version."""
        return f"{self.group} {self.version}"

    def of(
        self, features: Iterable[str], operation: str = "AnalyzeDocument", *, before: Mapping[str, int] | None = None
    ) -> Price:
        """The price of one page. `before` says how many pages of each unit the month has had. Raises NoPrice."""
        family = FAMILIES.get(operation)
        if family is None:
            raise NoPrice(f"There is no price for the operation {operation}.")
        asked = frozenset(features) if family == "analysis" else frozenset()
        if family == "analysis" and asked:
            billed = self._billed(asked)
            unit, lists = "+".join(sorted(billed)), [self.sets[each] for each in self._sets_of(billed)]
        else:
            family = "text" if family == "analysis" else family
            unit, lists = family.upper(), [self.flat[family]]
        had = (before or {}).get(unit, 0)
        return Price(unit, sum(_at(tiers, had) for tiers in lists))

    def _billed(self, asked: frozenset[str]) -> frozenset[str]:
        """The features that cost something: the others ride along."""
        return frozenset(each for each in asked if not self.free_beside.get(each, frozenset()) & asked)

    def _sets_of(self, billed: frozenset[str]) -> list[frozenset[str]]:
        """The sets that together are billed for these features: the largest that fits first."""
        chosen, left = [], billed
        while left:
            fitting = [each for each in self.sets if each <= left]
            if not fitting:
                raise NoPrice(f"There is no price for {', '.join(sorted(left))}.")
            largest = max(fitting, key=lambda each: (len(each), sorted(each)))
            chosen.append(largest)
            left -= largest
        return chosen


def _at(tiers: Sequence[Tier], had: int) -> int:
    return [tier.micro_dollars for tier in tiers if tier.above <= had][-1]


# --- Versions -----------------------------------------------------------------------------------------------------


def ship() -> None:
    """Store the shipped tables that are new. Where an administrator has entered prices, those stay the newest."""
    for path in sorted(FOLDER.glob("*.yaml")):
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))
        versions = PriceTable.objects.filter(group=definition["group"])
        newest = versions.first()
        known = versions.filter(digest=_digest(definition)).exists()
        if newest is None or (newest.made_by == SHIPPED and not known):
            add_version(definition, made_by=SHIPPED)


def add_version(definition: Mapping[str, Any], *, made_by: str) -> PriceTable:
    """The group's newest version, made when `definition` differs from it. Raises InvalidPrices with a sentence."""
    parsed = check(definition)
    last = PriceTable.objects.filter(group=parsed.group).order_by("-version").first()
    digest = _digest(definition)
    if last and last.digest == digest:
        return last
    made = PriceTable(
        group=parsed.group,
        version=last.version + 1 if last else 1,
        definition=dict(definition),
        digest=digest,
        made_by=made_by,
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        raise InvalidPrices(
            _("Somebody added a version at the same moment. Look at theirs, then add yours again.")
        ) from None
    return made


def check(definition: Mapping[str, Any]) -> Prices:
    """What the definition says, when it could be added. Raises InvalidPrices with a sentence."""
    parsed = parse(definition, version=1)
    _check_regions(parsed, [each for each in newest() if each.group != parsed.group])
    return parsed


def newest() -> list[Prices]:
    """The newest version of every group."""
    rows = PriceTable.objects.order_by("group", "-version").distinct("group")
    return [parse(row.definition, version=row.version) for row in rows]


def in_region(region: str) -> Prices:
    """The prices that hold in the region now. Raises NoPrice."""
    known = newest()
    found = [each for each in known if region in each.regions] or [each for each in known if not each.regions]
    if not found:
        raise NoPrice(f"There are no prices for the region {region}. A platform administrator can add them.")
    return found[0]


def _check_regions(parsed: Prices, others: Sequence[Prices]) -> None:
    for other in others:
        if twice := parsed.regions & other.regions:
            raise InvalidPrices(
                _("%(region)s belongs to the group %(group)s already. Name each region once.")
                % {"region": min(twice), "group": other.group}
            )
        if not parsed.regions and not other.regions:
            raise InvalidPrices(
                _("The group %(group)s stands for all other regions already. Name the regions of this one.")
                % {"group": other.group}
            )
    named_before = PriceTable.objects.filter(group=parsed.group, definition__regions=[]).exists()
    if parsed.regions and named_before:
        raise InvalidPrices(_("This group stands for all regions that no other names. Leave its regions empty."))


def _digest(definition: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()


# --- Reading a table ----------------------------------------------------------------------------------------------


def parse(definition: Mapping[str, Any], *, version: int) -> Prices:
    """The prices that a definition says. Raises InvalidPrices with a sentence."""
    if not isinstance(definition, Mapping):
        raise InvalidPrices(_("A price table is a mapping with group, label, regions and prices."))
    if unknown := set(definition) - set(MEMBERS):
        raise InvalidPrices(_("%(name)s is no part of a price table.") % {"name": min(map(str, unknown))})
    if missing := set(MEMBERS) - set(definition):
        raise InvalidPrices(_("%(name)s is missing.") % {"name": min(missing)})
    made = Prices(
        group=_group(definition["group"]),
        version=version,
        label=_text(definition, "label"),
        regions=frozenset(_words(definition["regions"], "regions")),
        flat={name: _tiers(definition[name], name) for name in ("text", "expense", "id", "lending")},
        sets=_sets(definition["analysis"]),
        free_beside=_free(definition["free_beside"]),
    )
    if alone := [feature for feature in FEATURES if frozenset({feature}) not in made.sets]:
        raise InvalidPrices(_("analysis needs a price for %(feature)s alone.") % {"feature": alone[0]})
    return made


def _group(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9-]{0,29}", value):
        raise InvalidPrices(_("group is a short name: small letters, digits and dashes."))
    return value


def _text(definition: Mapping[str, Any], name: str) -> str:
    value = definition[name]
    if not isinstance(value, str) or not value or len(value) > 30 or not value.isprintable():
        raise InvalidPrices(_("%(name)s is a text of at most 30 characters.") % {"name": name})
    return value


def _words(value: object, where: str, allowed: Collection[str] = ()) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) and _NAME.fullmatch(each) for each in value):
        raise InvalidPrices(_("%(where)s is a list of names.") % {"where": where})
    if allowed and (unknown := [each for each in value if each not in allowed]):
        raise InvalidPrices(
            _("%(where)s names %(name)s; there are: %(known)s.")
            % {"where": where, "name": unknown[0], "known": ", ".join(allowed)}
        )
    return value


def _sets(value: object) -> dict[frozenset[str], Sequence[Tier]]:
    if not isinstance(value, list) or not all(_has(each, "features", "tiers") for each in value):
        raise InvalidPrices(_("analysis is a list of sets, each with features and tiers."))
    found: dict[frozenset[str], Sequence[Tier]] = {}
    for each in value:
        features = frozenset(_words(each["features"], "analysis: features", FEATURES))
        where = f"analysis, {'+'.join(sorted(features))}"
        if not features or features in found:
            raise InvalidPrices(_("%(where)s: every set stands there once and names a feature.") % {"where": where})
        found[features] = _tiers(each["tiers"], where)
    return found


def _free(value: object) -> dict[str, frozenset[str]]:
    if not isinstance(value, Mapping):
        raise InvalidPrices(_("free_beside says for a feature beside which others it costs nothing."))
    _words(list(value), "free_beside", FEATURES)
    return {str(each): frozenset(_words(beside, f"free_beside: {each}", FEATURES)) for each, beside in value.items()}


def _tiers(value: object, where: str) -> tuple[Tier, ...]:
    if not isinstance(value, list) or not all(_has(each, "above", "price") for each in value):
        raise InvalidPrices(
            _("%(where)s is a list of tiers, each with above (pages a month) and price (micro-dollars a page).")
            % {"where": where}
        )
    tiers = tuple(Tier(each["above"], each["price"]) for each in value)
    if not all(type(number) is int and 0 <= number <= _MOST for t in tiers for number in (t.above, t.micro_dollars)):
        raise InvalidPrices(_("%(where)s has whole numbers from 0 to %(most)s.") % {"where": where, "most": _MOST})
    if not tiers or tiers[0].above != 0 or any(one.above >= next_.above for one, next_ in pairwise(tiers)):
        raise InvalidPrices(_("%(where)s begins above 0 pages and goes up from tier to tier.") % {"where": where})
    return tiers


def _has(value: object, *members: str) -> bool:
    return isinstance(value, Mapping) and set(value) == set(members)
