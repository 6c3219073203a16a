"""What a page costs: every set of features, the tiers, the regions, and versions that are never changed."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest
import yaml
from django.db import ProgrammingError, connection

from deploy.local.textract.prices import microdollars_per_page
from ocr import costs, prices
from ocr.models import PriceTable

US = yaml.safe_load((prices.FOLDER / "us.yaml").read_text())


def parsed(**changes: Any) -> prices.Prices:
    return prices.parse({**copy.deepcopy(US), **changes}, version=1)


# Source: AWS Textract pricing, US regions, first million pages a month.
@pytest.mark.parametrize(
    ("features", "unit", "price"),
    [
        ("", "TEXT", 1_500),
        ("TABLES", "TABLES", 15_000),
        ("FORMS", "FORMS", 50_000),
        ("QUERIES", "QUERIES", 15_000),
        ("SIGNATURES", "SIGNATURES", 3_500),
        ("LAYOUT", "LAYOUT", 4_000),
        ("FORMS TABLES", "FORMS+TABLES", 65_000),
        ("TABLES QUERIES", "QUERIES+TABLES", 20_000),
        ("FORMS QUERIES", "FORMS+QUERIES", 55_000),
        ("FORMS TABLES QUERIES", "FORMS+QUERIES+TABLES", 70_000),
        ("TABLES LAYOUT", "TABLES", 15_000),
        ("FORMS LAYOUT", "FORMS", 50_000),
        ("FORMS SIGNATURES", "FORMS", 50_000),
        ("TABLES SIGNATURES", "TABLES", 15_000),
        ("LAYOUT SIGNATURES", "LAYOUT", 4_000),
        ("FORMS TABLES QUERIES LAYOUT SIGNATURES", "FORMS+QUERIES+TABLES", 70_000),
        ("QUERIES LAYOUT", "LAYOUT+QUERIES", 19_000),
        ("QUERIES SIGNATURES", "QUERIES+SIGNATURES", 18_500),
        ("QUERIES LAYOUT SIGNATURES", "LAYOUT+QUERIES", 19_000),
    ],
)
def test_every_set_of_features_has_its_price(features: str, unit: str, price: int) -> None:
    asked = features.split()
    assert parsed().of(asked) == prices.Price(unit, price)
    assert parsed().of(reversed(asked)) == prices.Price(unit, price)
    assert parsed().of(asked, "StartDocumentAnalysis") == prices.Price(unit, price)
    # The local endpoint keeps books of its own, from the same source.
    assert microdollars_per_page(frozenset(asked)) == price


@pytest.mark.parametrize(
    ("operation", "price"),
    [
        ("DetectDocumentText", prices.Price("TEXT", 1_500)),
        ("StartDocumentTextDetection", prices.Price("TEXT", 1_500)),
        ("AnalyzeExpense", prices.Price("EXPENSE", 10_000)),
        ("StartExpenseAnalysis", prices.Price("EXPENSE", 10_000)),
        ("AnalyzeID", prices.Price("ID", 25_000)),
        ("StartLendingAnalysis", prices.Price("LENDING", 70_000)),
    ],
)
def test_other_operations_have_one_price(operation: str, price: prices.Price) -> None:
    assert parsed().of([], operation) == price


def test_what_has_no_price_is_said_and_not_guessed() -> None:
    with pytest.raises(prices.NoPrice, match="AnalyzeDreams"):
        parsed().of([], "AnalyzeDreams")
    with pytest.raises(prices.NoPrice, match="COLOURS"):
        parsed().of(["COLOURS", "FORMS"])


@pytest.mark.parametrize(("before", "price"), [(0, 1_500), (999_999, 1_500), (1_000_000, 600), (5_000_000, 600)])
def test_a_tier_begins_after_its_pages(before: int, price: int) -> None:
    assert parsed().of([], before={"TEXT": before, "FORMS": 9_000_000}).micro_dollars == price


# --- Tables that cannot be used -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"group": "U S"}, "group is a short name"),
        ({"group": 3}, "group is a short name"),
        ({"label": ""}, "label is a text"),
        ({"label": "a\x00b"}, "label is a text"),
        ({"regions": "us-east-1"}, "regions is a list"),
        ({"regions": [3]}, "regions is a list"),
        ({"text": []}, "text begins above 0"),
        ({"text": [{"above": 5, "price": 1}]}, "text begins above 0"),
        ({"text": [{"above": 0, "price": 2}, {"above": 0, "price": 1}]}, "goes up"),
        ({"text": [{"above": 0, "price": -1}]}, "whole numbers"),
        ({"text": [{"above": 0, "price": 1.5}]}, "whole numbers"),
        ({"text": [{"above": 0, "price": True}]}, "whole numbers"),
        ({"text": [{"above": 0}]}, "text is a list of tiers"),
        ({"text": 1500}, "text is a list of tiers"),
        ({"analysis": US["analysis"][1:]}, "a price for TABLES alone"),
        ({"analysis": [*US["analysis"], US["analysis"][0]]}, "every set stands there once"),
        ({"analysis": [{"features": ["COLOURS"], "tiers": US["text"]}]}, "COLOURS"),
        ({"analysis": [{"features": [], "tiers": US["text"]}]}, "names a feature"),
        ({"analysis": ["FORMS"]}, "analysis is a list of sets"),
        ({"free_beside": {"COLOURS": []}}, "COLOURS"),
        ({"free_beside": ["LAYOUT"]}, "free_beside says"),
        ({"currency": "EUR"}, "currency is no part"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(prices.InvalidPrices, match=sentence):
        parsed(**changes)


def test_a_table_lacks_nothing() -> None:
    for name in US:
        with pytest.raises(prices.InvalidPrices, match=f"{name} is missing"):
            prices.parse({key: value for key, value in US.items() if key != name}, version=1)
    with pytest.raises(prices.InvalidPrices, match="mapping"):
        prices.parse(["FORMS"], version=1)  # type: ignore[arg-type]


# --- Versions -----------------------------------------------------------------------------------------------------


def dearer(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(US), "text": [{"above": 0, "price": 2_000}], **changes}


@pytest.mark.django_db
def test_what_is_shipped_is_there_once() -> None:
    assert {(row.group, row.version) for row in PriceTable.objects.all()} == {("us", 1), ("elsewhere", 1)}
    prices.ship()
    assert PriceTable.objects.count() == 2


@pytest.mark.django_db
def test_other_prices_are_a_new_version_and_the_same_ones_are_none() -> None:
    made = prices.add_version(dearer(), made_by="user:root")
    assert (made.version, made.made_by) == (2, "user:root")
    assert prices.add_version(dearer(), made_by="user:else").version == 2
    assert PriceTable.objects.get(group="us", version=1).definition == US
    assert prices.in_region("us-east-1").name == "us 2"
    assert costs.price([]) == 2_000


@pytest.mark.django_db
def test_an_administrators_prices_outlive_the_next_release() -> None:
    prices.add_version(dearer(), made_by="user:root")
    prices.ship()
    assert prices.in_region("us-east-1").version == 2


@pytest.mark.django_db
def test_new_prices_hold_within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert costs.price([]) == 1_500
    prices.add_version(dearer(), made_by="user:root")
    now += 59
    assert costs.price([]) == 1_500
    now += 2
    assert costs.price([]) == 2_000


@pytest.mark.django_db
def test_each_region_has_its_own_table(settings: Any) -> None:
    prices.add_version(dearer(group="asia", label="Asia", regions=["ap-southeast-1"]), made_by="user:root")
    found = {}
    for region in ("us-west-2", "ap-southeast-1", "eu-central-1"):
        settings.AWS_REGION = region
        found[region] = (costs.price([]), prices.in_region(region).name)
    assert found == {
        "us-west-2": (1_500, "us 1"),
        "ap-southeast-1": (2_000, "asia 1"),
        "eu-central-1": (1_500, "elsewhere 1"),
    }


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"group": "asia", "regions": ["us-east-1"]}, "us-east-1 belongs to the group us"),
        ({"group": "asia", "regions": []}, "elsewhere stands for all other regions"),
        ({"group": "elsewhere", "regions": ["sa-east-1"]}, "Leave its regions empty"),
    ],
)
@pytest.mark.django_db
def test_no_region_has_two_tables_and_none_has_no_table(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(prices.InvalidPrices, match=sentence):
        prices.add_version(dearer(**changes), made_by="user:root")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement", ["UPDATE ocr_pricetable SET version = 9", "DELETE FROM ocr_pricetable", "TRUNCATE ocr_pricetable"]
)
def test_the_application_cannot_change_a_version(statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_an_estimate_goes_by_type_pages_and_documents() -> None:
    assert costs.estimate("receipt", pages=1).micro_dollars == 50_000
    found = costs.estimate("receipt", pages=3, documents=100)
    assert (found.features, found.pages, found.micro_dollars) == (("FORMS",), 300, 15_000_000)
    assert (costs.estimate("", pages=2).micro_dollars, costs.estimate(None, pages=2).features) == (
        130_000,
        ("FORMS", "TABLES"),
    )
    with pytest.raises(LookupError, match="no document type"):
        costs.estimate("dream", pages=1)


@pytest.mark.parametrize(
    ("micro_dollars", "words"),
    [
        (0, "0.00"),
        (1_500, "0.0015"),
        (50_000, "0.05"),
        (500_000, "0.50"),
        (1_000_000, "1.00"),
        (1_234_567_890, "1,234.57"),
    ],
)
def test_amounts_are_written_as_people_read_them(micro_dollars: int, words: str) -> None:
    assert costs.dollars(micro_dollars) == words
